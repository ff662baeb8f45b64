"""The house's own rules: sizes, excepts, mocks, words, the lock, documented dependencies."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES_MAX = 500
TEST_FILE_LINES_MAX = 700
FUNCTION_LINES_MAX = 60
SANCTIONED_BROAD_EXCEPT = "runtime/supervisor.py"
STRAY_WORDS = re.compile(
    r"(?i)\b(session \d+|phase \d+|TODO|FIXME|XXX)\b|--(?:extra-)?index-url\b"
    r"|https?://[^\s\"']+/simple\b"
)
SELF = "tests/tidy/test_house.py"
NOT_PROSE = ("docs/img/", "rules/phi/")
"""Pictures, and the scrubber's own lists of words."""


@cache
def tracked() -> tuple[str, ...]:
    """Every file of the project that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    return tuple(sorted(name for name in set(listed) if name and (ROOT / name).is_file()))


def python_files() -> list[str]:
    return [name for name in tracked() if name.endswith(".py") and "_pb2" not in name]


def is_test(name: str) -> bool:
    return name.startswith("tests/")


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text("utf-8"))


def nodes(name: str) -> Iterator[ast.AST]:
    return ast.walk(tree_of(name))


def test_no_file_outgrows_its_room() -> None:
    long = []
    for name in python_files():
        lines = len((ROOT / name).read_text("utf-8").splitlines())
        if lines > (TEST_FILE_LINES_MAX if is_test(name) else FILE_LINES_MAX):
            long.append(f"{name}: {lines} lines")
    assert not long


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name in python_files()
        if not is_test(name)  # a test's rows may be a long table
        for node in nodes(name)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not long


def _values(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of a module gives a value."""
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    else:
        return
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def test_no_module_gives_one_name_two_values() -> None:
    """The later value would silently stand where the earlier one was meant."""
    twice = []
    for name in python_files():
        seen: set[str] = set()
        for statement in tree_of(name).body:
            for value in _values(statement):
                if value in seen:
                    twice.append(f"{name}:{statement.lineno} {value}")
                seen.add(value)
    assert not twice


def _is_broad(handler: ast.ExceptHandler) -> bool:
    """Bare, Exception, or BaseException; what must be cleaned up is pushed on an ExitStack."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {getattr(kind, "id", "") for kind in kinds}
    return handler.type is None or bool(names & {"Exception", "BaseException"})


@pytest.mark.parametrize("name", ["appliance/start.py", "appliance/handover.py"])
def test_what_starts_the_appliance_needs_nothing_that_an_update_changes(name: str) -> None:
    wanted = {
        one
        for node in nodes(name)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for one in _imported(node)
    }
    assert wanted - sys.stdlib_module_names <= {"appliance"}
    assert "appliance" not in wanted or name == "appliance/start.py"


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    whole = (
        [node.module or ""] if isinstance(node, ast.ImportFrom) else [n.name for n in node.names]
    )
    yield from (one.partition(".")[0] for one in whole)


def test_only_the_supervisor_catches_everything() -> None:
    broad = [
        f"{name}:{node.lineno}"
        for name in python_files()
        if not is_test(name) and name != SANCTIONED_BROAD_EXCEPT
        for node in nodes(name)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node)
    ]
    assert not broad


def test_nothing_of_ours_is_mocked() -> None:
    mocked = [
        name
        for name in python_files()
        if name != SELF and re.search(r"unittest\.mock|MagicMock", (ROOT / name).read_text("utf-8"))
    ]
    assert not mocked


def test_no_word_belongs_to_a_session_or_a_registry() -> None:
    found = [
        f"{name}: {match[0]}"
        for name in tracked()
        if name != SELF
        and not name.startswith(NOT_PROSE)
        and (ROOT / name).stat().st_size < 400_000
        for match in STRAY_WORDS.finditer((ROOT / name).read_text("utf-8", "replace"))
    ]
    assert not found


def test_the_lock_has_a_hash_for_everything_and_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pinned = re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==", lock, re.MULTILINE | re.IGNORECASE)
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert pinned
    assert len(blocks) == len(pinned)
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in lock


def test_every_dependency_is_argued_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    wanted += [name for extra in extras for name in extra]
    text = (ROOT / "docs" / "dependencies.md").read_text("utf-8").lower()
    missing = [
        name
        for name in (re.split(r"[\[<>=~ ]", one)[0].lower() for one in wanted)
        if f"`{name}`" not in text
    ]
    assert not missing


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "docs/architecture.md"])
def test_what_a_newcomer_reads_is_there_and_its_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    text = page.read_text("utf-8")
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
    broken = [link for link in links if not (page.parent / link).exists()]
    assert not broken


def test_every_package_of_the_architecture_is_a_directory_and_the_other_way_round() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rooms = {
        "/".join(Path(name).parts[:2])
        for name in python_files()
        if Path(name).parts[0] in {"appliance", "central", "runtime", "proto", "osiris"}
        and len(Path(name).parts) > 2
    }
    missing = sorted(room for room in rooms if f"`{room}" not in text)
    assert not missing

"""Loading a set of content: all of it holds together, or all of it is refused.

A set is a mapping of paths below `rules/` to bytes: `checks/<platform>/<id>.yaml`,
`runbooks/<platform>/<id>.yaml`, `l1/<platform>/<id>.yaml`, `controls/<framework>.yaml`; what lies
below `phi/` is the scrubber's, all of its files or none (`proto.phi.policy`). Elsewhere a file's
name is its id and its directory is its platform. The set is refused with every problem, each
`file:line: what`, when a file does not fit its schema, when a reference dangles or nothing uses a
runbook, when an example disagrees, and for everything that `proto.rules.lint` refuses.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, TypeVar

from proto.catalog.checks import read_check
from proto.catalog.l1 import read_controls, read_rule
from proto.catalog.model import Check, Content, ControlSet, Rule, Runbook, Source
from proto.catalog.reader import Problems, Reader
from proto.catalog.references import PORTS_MAX, check_references, ports_of
from proto.catalog.runbooks import read_runbook
from proto.catalog.strict_yaml import YamlError, parse_yaml
from proto.errors import CatalogError
from proto.phi.policy import read_policies
from proto.rules.lint import lint
from proto.rules.matcher import in_order

__all__ = ["PORTS_MAX", "content_digest", "inventory_ports", "load"]

FILES_MAX = 4096

_PATH = re.compile(
    r"(checks|runbooks|l1)/([a-z]+)/([a-z0-9_.]+)\.yaml|(controls)/([a-z0-9_]+)\.yaml"
)
_LOCATED = re.compile(r"(?s)(.*?):([0-9]+): (.*)")


class _Item(Protocol):
    @property
    def source(self) -> Source: ...


T = TypeVar("T", bound=_Item)


@dataclass(slots=True)
class _Parts:
    checks: dict[str, Check] = field(default_factory=dict)
    runbooks: dict[str, Runbook] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    controls: dict[str, ControlSet] = field(default_factory=dict)


def load(files: Mapping[str, bytes]) -> Content:
    """Read, check and freeze a whole set.

    Args:
        files: bytes by path below `rules/`.

    Raises:
        CatalogError: with every problem, each `file:line: what`. Problems of single files are
            reported before anything that needs the files together is looked at.
    """
    problems = Problems()
    parts = _Parts()
    if len(files) > FILES_MAX:
        raise CatalogError([f"the set has {len(files)} files, at most {FILES_MAX} are allowed"])
    for path in sorted(files):
        _read_file(path, files[path], parts=parts, problems=problems)
    problems.refuse_if_any()
    if not parts.checks:
        raise CatalogError(["the set holds no checks"])
    scrubber = {
        path.removeprefix("phi/"): data for path, data in files.items() if path.startswith("phi/")
    }
    if scrubber:
        read_policies(scrubber)
    content = Content(
        checks=_frozen(parts.checks),
        runbooks=_frozen(parts.runbooks),
        rules=MappingProxyType({rule.id: rule for rule in in_order(parts.rules.values())}),
        controls=_frozen(parts.controls),
        digest=content_digest(files),
    )
    check_references(content, problems)
    problems.refuse_if_any()
    lint(content, problems)
    problems.refuse_if_any()
    return content


def content_digest(files: Mapping[str, bytes]) -> str:
    """Return the hex SHA-256 that names a set.

    It runs over the files in the byte order of their paths, each as the path's length in 8 bytes
    (big-endian), the path in UTF-8, the content's length in 8 bytes, the content.
    """
    hasher = hashlib.sha256()
    for path in sorted(files, key=lambda one: one.encode("utf-8")):
        for part in (path.encode("utf-8"), files[path]):
            hasher.update(len(part).to_bytes(8, "big"))
            hasher.update(part)
    return hasher.hexdigest()


def inventory_ports(content: Content) -> tuple[int, ...]:
    """Return, sorted, every TCP port that network checks ask for: what discovery connects to."""
    return ports_of(content.checks.values())


def _frozen(items: dict[str, T]) -> Mapping[str, T]:
    return MappingProxyType(dict(sorted(items.items())))


def _read_file(path: str, data: bytes, *, parts: _Parts, problems: Problems) -> None:
    if path.startswith("phi/"):
        return
    match = _PATH.fullmatch(path)
    if match is None:
        problems.add(path, 1, "is neither a check, a runbook, a rule nor a framework's controls")
        return
    try:
        document = parse_yaml(data, path)
    except YamlError as error:
        located = _LOCATED.fullmatch(str(error))
        line, what = (int(located[2]), located[3]) if located else (1, str(error))
        problems.add(path, line, what)
        return
    before = len(problems.found)
    reader = Reader(document, problems)
    if len(problems.found) > before:
        return
    area, name = (match[1], match[3]) if match[1] else (match[4], match[5])
    if area == "checks":
        _keep(read_check, reader, name=name, kept=parts.checks)
    elif area == "runbooks":
        _keep(read_runbook, reader, name=name, kept=parts.runbooks)
    elif area == "l1":
        _keep(read_rule, reader, name=name, kept=parts.rules)
    else:
        controls = read_controls(reader)
        _check_name(reader, "framework", got=controls.framework, wanted=name)
        parts.controls[name] = controls
    _check_platform(reader, match[2])


def _keep(read: Callable[[Reader], T], reader: Reader, *, name: str, kept: dict[str, T]) -> None:
    item = read(reader)
    _check_name(reader, "id", got=str(getattr(item, "id", "")), wanted=name)
    if name in kept:
        reader.fail(f"{name} is already in {kept[name].source.file}", "id")
    kept[name] = item


def _check_name(reader: Reader, key: str, *, got: str, wanted: str) -> None:
    if got and got != wanted:
        reader.fail(f"{key} is {got}, but the file's name says {wanted}", key)


def _check_platform(reader: Reader, directory: str | None) -> None:
    stated = reader.plain("platform")
    if directory is not None and isinstance(stated, str) and stated != directory:
        reader.fail(f"platform is {stated}, but the file's directory says {directory}", "platform")

"""The design's reference example loads unchanged, and what is loaded cannot be changed."""

import dataclasses
import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.catalog.load import content_digest, inventory_ports, load
from proto.catalog.model import (
    Autonomy,
    Disruption,
    FieldKind,
    Param,
    ParamKind,
    ProbeKind,
    Runbook,
)
from proto.catalog.params import accept_params, name_problem
from proto.catalog.strict_yaml import SIZE_BYTES_MAX, parse_yaml
from proto.errors import CatalogError, MalformedError
from proto.incidents import Severity
from proto.inventory import Platform
from runtime.content import ContentError, read_directory, read_installed
from tests.unit.reference_set import CHECK, NET_CHECK, as_files, reference_texts, whole_texts


def test_the_reference_example_loads_unchanged() -> None:
    content = load(as_files(reference_texts()))
    check = content.checks["lin.ssh.root_login"]
    assert check.severity is Severity.HIGH
    assert check.platform is Platform.LINUX
    assert check.probe.kind is ProbeKind.SH
    assert check.probe.as_root
    assert check.probe.script.startswith("PATH=$PATH:/usr/sbin\ncommand -v sshd")
    assert check.reported == ("value",)
    assert check.answer["value"].kind is FieldKind.ENUM
    assert check.controls["nist_800_53:AC-6(2)"].startswith("root's rights are taken with sudo")
    runbook = content.runbooks["rb.lin.ssh.root_login"]
    assert runbook.autonomy is Autonomy.AUTO
    assert runbook.disruption is Disruption.SERVICE
    assert [step.id for step in runbook.steps] == ["first_include"]
    assert runbook.verify == ("lin.ssh.root_login",)
    rule = content.rules["l1.lin.ssh.root_login"]
    assert rule.runbook_id == runbook.id
    assert rule.limits is not None
    assert (rule.limits.cooldown_s, rule.limits.per_day) == (3600, 3)


def test_the_content_of_the_repository_loads() -> None:
    content = load(read_directory(Path(__file__).parents[2] / "rules"))
    assert len(content.checks) >= 20
    assert load(read_installed()).digest == content.digest


def test_what_is_loaded_cannot_be_changed() -> None:
    content = load(as_files(whole_texts()))
    with pytest.raises(TypeError):
        content.checks["x"] = content.checks["lin.ssh.root_login"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        content.digest = "0"  # type: ignore[misc]


def test_the_digest_names_the_exact_bytes_and_paths() -> None:
    files = as_files(whole_texts())
    digest = load(files).digest
    assert digest == load(dict(reversed(files.items()))).digest
    hasher = hashlib.sha256()
    for path in sorted(files):
        for part in (path.encode(), files[path]):
            hasher.update(len(part).to_bytes(8, "big") + part)
    assert digest == hasher.hexdigest()
    assert load(files | {CHECK: files[CHECK] + b"# more\n"}).digest != digest
    scrubber = {path: raw for path, raw in read_installed().items() if path.startswith("phi/")}
    assert load(files | scrubber).digest != digest
    with pytest.raises(CatalogError, match=r"phi/names\.yaml"):
        load(files | scrubber | {"phi/names.yaml": b"anything"})


@settings(max_examples=100)
@given(
    left=st.dictionaries(st.text(max_size=4), st.binary(max_size=4), max_size=3),
    right=st.dictionaries(st.text(max_size=4), st.binary(max_size=4), max_size=3),
)
def test_different_sets_have_different_digests(
    left: dict[str, bytes], right: dict[str, bytes]
) -> None:
    assert (content_digest(left) == content_digest(right)) is (left == right)


def test_discovery_asks_for_the_ports_of_network_checks() -> None:
    assert inventory_ports(load(as_files(whole_texts()))) == (23, 2323)
    assert inventory_ports(load(as_files(reference_texts()))) == ()


def test_a_tls_check_loads_with_its_ports() -> None:
    texts = whole_texts()
    texts[NET_CHECK] = (
        texts[NET_CHECK]
        .replace("kind: inventory", "kind: tls\n  timeout_s: 10")
        .replace("{telnet: [23, 2323]}", "[443, 8443]")
    )
    content = load(as_files(texts))
    assert content.checks["net.port.telnet"].probe.ports == {"tls": (443, 8443)}
    assert inventory_ports(content) == (443, 8443)


PARAMS = {
    "mode": Param(ParamKind.ENUM, values=("strict", "loose")),
    "on": Param(ParamKind.BOOL),
    "count": Param(ParamKind.INT, low=1, high=9),
    "server": Param(ParamKind.ADDRESS),
    "unit": Param(ParamKind.PATTERN, pattern="[a-z]+", chars_max=5),
}
GOOD: dict[str, object] = {
    "mode": "strict",
    "on": True,
    "count": 9,
    "server": "192.0.2.1",
    "unit": "abcde",
}


def with_params() -> Runbook:
    """Return the reference runbook with one parameter of each kind."""
    runbook = load(as_files(reference_texts())).runbooks["rb.lin.ssh.root_login"]
    return dataclasses.replace(runbook, params=PARAMS)


def test_parameters_that_fit_are_accepted() -> None:
    assert accept_params(with_params(), GOOD) == GOOD
    assert (
        accept_params(with_params(), {**GOOD, "server": "2001:db8::1"})["server"] == "2001:db8::1"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "other"),
        ("mode", True),
        ("on", 1),
        ("on", "true"),
        ("count", 0),
        ("count", 10),
        ("count", True),
        ("count", "5"),
        ("server", "localhost"),
        ("server", "fe80::1%eth0"),
        ("server", "0.0.0.0"),  # noqa: S104 - refused, not bound
        ("server", "192.0.2.1; reboot"),
        ("server", 3232235777),
        ("unit", "abcdef"),
        ("unit", "ab\n"),
        ("unit", "$(reboot)"),
        ("unit", None),
        ("unit", ["a"]),
        ("unit", 1.5),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(
        MalformedError, match=rf"rb\.lin\.ssh\.root_login: parameter {name} does not"
    ):
        accept_params(with_params(), {**GOOD, name: value})


def test_parameters_are_all_required_and_no_other_is_known() -> None:
    with pytest.raises(MalformedError, match="unknown parameter 'more'"):
        accept_params(with_params(), {**GOOD, "more": 1})
    with pytest.raises(MalformedError, match="parameter unit is missing"):
        accept_params(with_params(), {name: one for name, one in GOOD.items() if name != "unit"})


@pytest.mark.parametrize("name", ["existed", "wanted_mode", "a", "n2", "a" * 31])
def test_ordinary_names_may_become_shell_variables(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("path", "ifs", "home", "ps4", "env", "ld_preload", "if", "set", "fact_target_login"),
        *("A", "2a", "a-b", "", "a" * 32, "_a", "é", "a\n", "a=b"),
    ],
)
def test_names_that_could_change_a_shell_may_not(name: str) -> None:
    assert name_problem(name) is not None


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return every place inside a value."""
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def put(value: object, path: tuple[str | int, ...], junk: object) -> object:
    """Return a value with one place replaced."""
    if not path:
        return junk
    if isinstance(value, dict):
        return {
            key: put(one, path[1:], junk) if key == path[0] else one for key, one in value.items()
        }
    assert isinstance(value, list)
    return [put(one, path[1:], junk) if key == path[0] else one for key, one in enumerate(value)]


JUNK: list[object] = [
    *(None, True, 0, -1, 2**53 - 1, "", "x", "lin.ssh.root_login", "[", "\u0000", "é" * 500),
    *([], {}, [[]], [{}], {"": ""}, ["x", "x"], {"any": []}, {"none": [{"field": "check"}]}),
    *([{"field": "check", "operator": "regex", "value": "("}], {"type": "int"}, {"enum": ["a"]}),
]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_junk_anywhere_is_refused_with_its_place_or_harmless(data: st.DataObject) -> None:
    files = as_files(whole_texts())
    path = data.draw(st.sampled_from(sorted(files)))
    value = parse_yaml(files[path], path).value
    place = data.draw(st.sampled_from(places(value)))
    junk = put(value, place, data.draw(st.sampled_from(JUNK)))
    files[path] = json.dumps(junk).encode()
    problems = []
    try:
        load(files)
    except CatalogError as error:
        problems = error.problems
    assert all(re.match(r"[a-z0-9_/.]+\.yaml:[1-9][0-9]*: .", one) for one in problems), problems


def test_content_is_read_from_a_directory(tmp_path: Path) -> None:
    for path, data in as_files(whole_texts()).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "README.md").write_text("not content")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.yaml").write_text("x: 1")
    assert read_directory(tmp_path) == as_files(whole_texts())


def test_a_directory_that_cannot_be_content_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="gone: not a directory"):
        read_directory(tmp_path / "gone")
    (tmp_path / "link.yaml").symlink_to("/etc/passwd")
    with pytest.raises(ContentError, match=r"link\.yaml: content may not hold symbolic links"):
        read_directory(tmp_path)
    (tmp_path / "link.yaml").unlink()
    (tmp_path / "a/b/c/d/e").mkdir(parents=True)
    with pytest.raises(ContentError, match="nested deeper"):
        read_directory(tmp_path)


def test_a_file_that_is_too_long_is_seen_as_too_long(tmp_path: Path) -> None:
    (tmp_path / "controls").mkdir()
    (tmp_path / "controls" / "hipaa.yaml").write_bytes(b"#" * (SIZE_BYTES_MAX + 1000))
    with pytest.raises(CatalogError, match=r"controls/hipaa\.yaml:1: 262145 bytes, at most 262144"):
        load(read_directory(tmp_path))

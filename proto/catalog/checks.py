"""Reading one check: the schema of `rules/checks/<platform>/<id>.yaml`."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from proto.catalog.model import AnswerField, Check, Example, FieldKind, Probe, ProbeKind
from proto.catalog.reader import DESCRIPTION_CHARS_MAX, Reader, kind
from proto.catalog.scripts import SCRIPT_CHARS_MAX
from proto.conditions import Operator, comparisons
from proto.findings import Scalar, Verdict
from proto.incidents import Severity
from proto.inventory import FACT_NAMES, Platform

CHECK_ID = re.compile(r"(?:lin|net)\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
RESOURCE = re.compile(r"[a-z][a-z0-9_]*:[^\s=]{1,160}(?:=[^\s=]{1,80})?")
PREFIXES = {Platform.LINUX: "lin", Platform.NETWORK: "net"}

INTERVAL_S = (30, 7 * 86400)
FRESHNESS_S_MAX = 30 * 86400
PROBE_TIMEOUT_S_MAX = 300
FIELDS_MAX = 16
FIELD_CHARS_MAX = 1024
REPORTED_CHARS_MAX = 2048
"""Of all the text of one answer that leaves: it travels scrubbed, beside the evidence."""

INT_BOUND = 2**53 - 1
PORT_MAX = 65535
PORTS_PER_FIELD_MAX = 8

_CONTROL = re.compile(r"[a-z][a-z0-9_]{0,30}:[A-Za-z0-9().\-]{1,40}")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_ENUM_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?")
_KINDS = {
    Platform.LINUX: {ProbeKind.SH},
    Platform.NETWORK: {ProbeKind.INVENTORY, ProbeKind.TLS},
}


def read_check(reader: Reader) -> Check:
    """Read a check, noting every problem."""
    platform = reader.choice("platform", Platform)
    check = Check(
        id=reader.text("id", pattern=CHECK_ID),
        title=reader.text("title", chars_max=100),
        description=reader.optional_text("description", chars_max=DESCRIPTION_CHARS_MAX),
        platform=platform,
        severity=reader.choice("severity", Severity),
        controls=_controls(reader),
        interval_s=reader.integer("interval_s", low=INTERVAL_S[0], high=INTERVAL_S[1]),
        freshness_s=reader.integer("freshness_s", low=INTERVAL_S[0], high=FRESHNESS_S_MAX),
        probe=_probe(reader.inner("probe"), platform),
        answer=_answer(reader.inner("answer")),
        applies=reader.conditions("applies", may_be_empty=True),
        judge=reader.conditions("judge"),
        examples=tuple(_example(one) for one in reader.each("examples", low=1)),
        reads=reader.texts("reads", pattern=RESOURCE) if reader.has("reads") else (),
        source=reader.source(),
    )
    reader.finish()
    if check.freshness_s < check.interval_s:
        reader.fail(
            "freshness_s is below interval_s: the answer would always be stale", "freshness_s"
        )
    prefix = PREFIXES[platform]
    if check.id and not check.id.startswith(f"{prefix}."):
        reader.fail(f"id {check.id} of platform {platform} must begin with {prefix}.", "id")
    _check_ports_are_fields(reader, check)
    _check_fields(reader, check)
    return check


def _controls(reader: Reader) -> Mapping[str, str]:
    inner = reader.inner("controls")
    found: dict[str, str] = {}
    for name in inner.names():
        if _CONTROL.fullmatch(name) is None:
            inner.fail(f"{name!r:.60} does not have the form framework:id", name)
        found[name] = inner.text(name, chars_max=300)
    for framework in ("hipaa", "nist_800_53"):
        if not any(name.startswith(f"{framework}:") for name in found):
            reader.fail(f"controls name no {framework} control", "controls")
    return MappingProxyType(found)


def _probe(reader: Reader, platform: Platform) -> Probe:
    probe_kind = reader.choice("kind", ProbeKind)
    if probe_kind not in _KINDS[platform]:
        reader.fail(f"unknown probe kind on {platform}: {probe_kind}", "kind")
    is_sh = probe_kind is ProbeKind.SH
    timeout_s = (
        reader.integer("timeout_s", low=1, high=PROBE_TIMEOUT_S_MAX)
        if probe_kind is not ProbeKind.INVENTORY or reader.has("timeout_s")
        else 0
    )
    probe = Probe(
        kind=probe_kind,
        as_root=reader.boolean("as_root") if is_sh else False,
        timeout_s=timeout_s,
        script=reader.text("script", chars_max=SCRIPT_CHARS_MAX) if is_sh else "",
        ports=_ports(reader, probe_kind),
    )
    reader.finish()
    return probe


def _ports(reader: Reader, probe_kind: ProbeKind) -> Mapping[str, tuple[int, ...]]:
    if probe_kind is ProbeKind.TLS:
        return MappingProxyType({"tls": _port_list(reader, "ports")})
    if probe_kind is not ProbeKind.INVENTORY:
        return MappingProxyType({})
    inner = reader.inner("ports")
    found = {name: _port_list(inner, name) for name in inner.names()}
    if reader.has("ports") and not found:
        reader.fail("ports names no field", "ports")
    return MappingProxyType(found)


def _port_list(reader: Reader, name: str) -> tuple[int, ...]:
    found: list[int] = []
    for index, port in enumerate(reader.items(name, low=1, high=PORTS_PER_FIELD_MAX)):
        if type(port) is not int or not 0 < port <= PORT_MAX or port in found:
            reader.fail(f"{name} must list different TCP ports, not {kind(port)}", name, index)
        else:
            found.append(port)
    return tuple(found)


def _answer(reader: Reader) -> Mapping[str, AnswerField]:
    names = reader.names()
    if not 0 < len(names) <= FIELDS_MAX:
        reader.fail(f"answer must have 1 to {FIELDS_MAX} fields")
    found: dict[str, AnswerField] = {}
    for name in names:
        if _FIELD_NAME.fullmatch(name) is None:
            reader.fail(f"{name!r:.60} is no name of a field ({_FIELD_NAME.pattern})", name)
        found[name] = _field(reader.inner(name))
    told = sum(field.chars_max for field in found.values() if field.is_reported)
    if told > REPORTED_CHARS_MAX:
        reader.fail(f"the text to report may have {told} characters, at most {REPORTED_CHARS_MAX}")
    return MappingProxyType(found)


def _field(reader: Reader) -> AnswerField:
    if reader.has("enum") and not reader.has("type"):
        field_kind = FieldKind.ENUM
    else:
        field_kind = reader.choice("type", FieldKind)
    is_reported = reader.boolean("report", default=False)
    values: tuple[str, ...] = ()
    low = high = chars_max = 0
    if field_kind is FieldKind.ENUM:
        values = reader.texts("enum", low=2, high=64, pattern=_ENUM_VALUE)
    elif field_kind is FieldKind.INT:
        low = reader.integer("min", low=-INT_BOUND, high=INT_BOUND)
        high = reader.integer("max", low=low, high=INT_BOUND)
    elif field_kind is FieldKind.TEXT:
        chars_max = reader.integer("max_chars", low=1, high=FIELD_CHARS_MAX)
    reader.finish()
    return AnswerField(field_kind, is_reported, low, high, values, chars_max)


def _example(reader: Reader) -> Example:
    facts = scalars(reader, "facts") if reader.has("facts") else {}
    for name in facts:
        if name not in FACT_NAMES:
            reader.fail(f"unknown fact {name!r:.60}", "facts", name)
    example = Example(
        answer=scalars(reader, "answer"),
        verdict=reader.choice("verdict", Verdict),
        facts=facts,
        line=reader.line(),
    )
    reader.finish()
    return example


def scalars(reader: Reader, name: str) -> Mapping[str, Scalar]:
    """Return a mapping whose values are true, false, integers or texts."""
    inner = reader.inner(name)
    found: dict[str, Scalar] = {}
    for key in inner.names():
        value = inner.raw(key)
        if isinstance(value, bool | int | str):
            found[key] = value
        else:
            inner.fail(f"{name}.{key} must be true, false, an integer or text", key)
    return MappingProxyType(found)


def _check_ports_are_fields(reader: Reader, check: Check) -> None:
    if check.probe.kind is not ProbeKind.INVENTORY:
        return
    if set(check.probe.ports) != set(check.answer):
        reader.fail("an inventory probe answers exactly the names under ports", "answer")
    for name, field in check.answer.items():
        if field.kind is not FieldKind.BOOL:
            reader.fail(f"answer.{name} of an inventory probe must be a bool", "answer", name)


def _check_fields(reader: Reader, check: Check) -> None:
    """Hold that a check's conditions read its answer and the facts, with operators that fit."""
    for key, condition in (("applies", check.applies), ("judge", check.judge)):
        for test in comparisons(condition):
            if test.operator is Operator.AGE_GT:
                reader.fail(f"{key}: judging has no clock: let the probe answer an age", key)
            names = [test.field]
            if test.operator is Operator.FIELD_EQ:
                names.append(str(test.value))
            for name in names:
                if name not in check.answer and name not in FACT_NAMES:
                    reader.fail(f"{key}: {name} is neither a field of the answer nor a fact", key)

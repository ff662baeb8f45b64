"""Reading one L1 rule and one framework's controls: `rules/l1/` and `rules/controls/`."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from proto.catalog.checks import CHECK_ID, scalars
from proto.catalog.model import (
    Action,
    ControlSet,
    Limits,
    Rule,
    RuleTest,
    Scope,
    ScopeKind,
)
from proto.catalog.reader import Reader
from proto.catalog.runbooks import RUNBOOK_ID
from proto.conditions import ALWAYS, Comparison, Group, Operator
from proto.findings import Scalar
from proto.ids import is_id

RULE_ID = re.compile(r"l1\.[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
COOLDOWN_S_MAX = 7 * 86400
PER_DAY_MAX = 48
PRIORITY_MAX = 1000
CONTROLS_MAX = 2000

_FRAMEWORK = re.compile(r"[a-z][a-z0-9_]{0,30}")
_CONTROL_ID = re.compile(r"[A-Za-z0-9().\-]{1,40}")
_ORG = re.compile(r"[a-z0-9][a-z0-9_\-]{0,40}")
_NO_CROSSWALK = frozenset({"hipaa", "nist_800_53"})
_INCIDENT_KEYS = frozenset({"check", "platform", "severity", "site", "target", "org", "seen"})


def read_rule(reader: Reader) -> Rule:
    """Read an L1 rule, noting every problem."""
    conditions = reader.conditions("conditions")
    action = reader.choice("action", Action)
    executes = action is Action.EXECUTE_RUNBOOK
    rule = Rule(
        id=reader.text("id", pattern=RULE_ID),
        check=_named_check(reader, conditions),
        conditions=conditions,
        action=action,
        runbook_id=reader.text("runbook_id", pattern=RUNBOOK_ID) if executes else None,
        params=scalars(reader, "params") if executes else MappingProxyType({}),
        limits=_limits(reader) if executes or reader.has("limits") else None,
        scope=_scope(reader),
        is_guard=reader.boolean("guard", default=False),
        priority=(
            reader.integer("priority", low=0, high=PRIORITY_MAX) if reader.has("priority") else 0
        ),
        is_promoted=reader.boolean("promoted", default=False),
        tests=tuple(_test(one) for one in reader.each("tests", low=1)),
        source=reader.source(),
    )
    reader.finish()
    if rule.is_guard and action is not Action.ESCALATE:
        reader.fail("a guard may only escalate", "guard")
    return rule


def _named_check(reader: Reader, condition: Group) -> str:
    """Return the check of the one top-level `check eq`."""
    named = [
        member.value
        for member in condition.members
        if isinstance(member, Comparison)
        and member.field == "check"
        and member.operator is Operator.EQ
    ]
    if condition == ALWAYS:  # a stand-in: the conditions could not be read
        return ""
    if len(named) != 1:
        what = f"conditions must hold exactly one `check eq`, found {len(named)}"
        reader.fail(what, "conditions")
        return ""
    if not isinstance(named[0], str) or CHECK_ID.fullmatch(named[0]) is None:
        reader.fail(f"`check eq` names {named[0]!r:.60}, which is no check's id", "conditions")
        return ""
    return named[0]


def _limits(reader: Reader) -> Limits:
    inner = reader.inner("limits")
    limits = Limits(
        cooldown_s=inner.integer("cooldown_s", low=0, high=COOLDOWN_S_MAX),
        per_day=inner.integer("per_day", low=1, high=PER_DAY_MAX),
    )
    inner.finish()
    return limits


def _scope(reader: Reader) -> Scope:
    text = reader.text("scope")
    if not text or text == "global":
        return Scope(ScopeKind.GLOBAL, "")
    word, _, name = text.partition(":")
    if word == "site" and is_id(name, "s"):
        return Scope(ScopeKind.SITE, name)
    if word == "host" and is_id(name, "t"):
        return Scope(ScopeKind.HOST, name)
    if word == "org" and _ORG.fullmatch(name):
        return Scope(ScopeKind.ORG, name)
    reader.fail(
        f"scope must be global, org:NAME, site:s-.. or host:t-.., not {text!r:.60}", "scope"
    )
    return Scope(ScopeKind.GLOBAL, "")


def _test(reader: Reader) -> RuleTest:
    incident = reader.inner("incident")
    found = dict[str, Scalar]()
    for name in incident.names():
        if name not in _INCIDENT_KEYS:
            incident.fail(f"an incident has no {name!r:.60}", name)
        elif name == "seen":
            found |= {f"seen.{key}": one for key, one in scalars(incident, "seen").items()}
        else:
            found[name] = incident.text(name)
    if "check" not in found:
        reader.fail("the incident names no check", "incident")
    expect = reader.text("expect")
    if expect not in {"escalate", "ignore", "none"} and RUNBOOK_ID.fullmatch(expect) is None:
        reader.fail("expect must be a runbook's id, escalate, ignore or none", "expect")
    reader.finish()
    return RuleTest(MappingProxyType(found), expect, reader.line())


def read_controls(reader: Reader) -> ControlSet:
    """Read a framework's controls, noting every problem."""
    framework = reader.text("framework", pattern=_FRAMEWORK)
    crosswalk = _crosswalk(reader) if framework not in _NO_CROSSWALK else {}
    found = ControlSet(
        framework=framework,
        title=reader.text("title"),
        titles=_titles(reader.inner("controls")),
        crosswalk=MappingProxyType(crosswalk),
        source=reader.source(),
    )
    reader.finish()
    for nist_id, own_ids in found.crosswalk.items():
        for own_id in own_ids:
            if own_id not in found.titles:
                what = f"the crosswalk names {own_id}, which {framework} does not list"
                reader.fail(what, "crosswalk", nist_id)
    return found


def _titles(reader: Reader) -> Mapping[str, str]:
    names = reader.names()
    if not 0 < len(names) <= CONTROLS_MAX:
        reader.fail(f"controls must list 1 to {CONTROLS_MAX} ids")
    for name in names:
        if _CONTROL_ID.fullmatch(name) is None:
            reader.fail(f"{name!r:.60} is no control's id", name)
    return MappingProxyType({name: reader.text(name) for name in names})


def _crosswalk(reader: Reader) -> dict[str, tuple[str, ...]]:
    inner = reader.inner("crosswalk")
    return {name: inner.texts(name, low=1) for name in inner.names()}

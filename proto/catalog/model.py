"""The catalogue's values: checks, runbooks, rules, control sets, and the set of them all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from proto.conditions import Group
from proto.findings import Scalar, Verdict
from proto.incidents import Severity
from proto.inventory import Platform


class ProbeKind(StrEnum):
    """By which way a check asks."""

    SH = "sh"
    INVENTORY = "inventory"
    TLS = "tls"
    POWERSHELL = "powershell"
    AGENT = "agent"


class FieldKind(StrEnum):
    """What a field of an answer can hold."""

    BOOL = "bool"
    INT = "int"
    ENUM = "enum"
    TEXT = "text"


class ParamKind(StrEnum):
    """What a parameter of a runbook can hold."""

    ENUM = "enum"
    BOOL = "bool"
    INT = "int"
    ADDRESS = "address"
    PATTERN = "pattern"


class Autonomy(StrEnum):
    """How far a repair may go by itself, from the most cautious on."""

    OBSERVE = "observe"
    ALERT = "alert"
    APPROVE = "approve"
    WINDOW = "window"
    AUTO = "auto"


class Disruption(StrEnum):
    """What a repair can cost the people who use the target."""

    NONE = "none"
    SERVICE = "service"
    REBOOT = "reboot"
    LOCKOUT = "lockout"


class Action(StrEnum):
    """What a rule does with an incident."""

    EXECUTE_RUNBOOK = "execute_runbook"
    ESCALATE = "escalate"
    IGNORE = "ignore"


class ScopeKind(StrEnum):
    """For whom a rule is, from the narrowest on."""

    HOST = "host"
    SITE = "site"
    ORG = "org"
    GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class Source:
    """Where something was written: the file, and the line, from 1, of every path inside it."""

    file: str
    lines: Mapping[tuple[str | int, ...], int]

    def line(self, *path: str | int) -> int:
        """Return the line of a path, or of the nearest place around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


@dataclass(frozen=True, slots=True)
class Probe:
    """What to ask.

    Attributes:
        as_root: for `sh`: run through sudo.
        script: for `sh`: what `sh -s` reads; "" for the other kinds.
        ports: for `inventory`: a field's name -> TCP ports, one of which must be open; for `tls`:
            the one entry "tls" -> TCP ports to greet.
    """

    kind: ProbeKind
    as_root: bool
    timeout_s: int
    script: str
    ports: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class AnswerField:
    """One field of an answer; bounds that its kind does not use are 0 or empty.

    Attributes:
        is_reported: the field may leave the site, as a finding's `seen`.
    """

    kind: FieldKind
    is_reported: bool
    low: int = 0
    high: int = 0
    values: tuple[str, ...] = ()
    chars_max: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """An answer and the verdict that it must get; `facts` replaces sample facts by name."""

    answer: Mapping[str, Scalar]
    verdict: Verdict
    facts: Mapping[str, Scalar]
    line: int


@dataclass(frozen=True, slots=True)
class Check:
    """A probe and its judge.

    Attributes:
        description: what a person should know beside the title; "" when there is nothing.
        controls: `framework:id` -> why the check supports it.
        answer: the closed schema of the one JSON object that the probe prints; all fields required.
        reads: the resources whose state it judges; by default what its runbooks write.
    """

    id: str
    title: str
    description: str
    platform: Platform
    severity: Severity
    controls: Mapping[str, str]
    interval_s: int
    freshness_s: int
    probe: Probe
    answer: Mapping[str, AnswerField]
    applies: Group
    judge: Group
    examples: tuple[Example, ...]
    reads: tuple[str, ...]
    source: Source

    @property
    def reported(self) -> tuple[str, ...]:
        """The names of the fields that may leave the site."""
        return tuple(name for name, field in self.answer.items() if field.is_reported)


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a runbook; bounds that its kind does not use are 0 or empty."""

    kind: ParamKind
    low: int = 0
    high: int = 0
    values: tuple[str, ...] = ()
    pattern: str = ""
    chars_max: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a repair: it prints {"changed": true or false}, or it failed."""

    id: str
    timeout_s: int
    script: str


@dataclass(frozen=True, slots=True)
class ParamsExample:
    """Parameters that must be accepted, or refused."""

    params: Mapping[str, object]
    is_accepted: bool
    line: int


@dataclass(frozen=True, slots=True)
class Runbook:
    """A parameterised repair.

    Attributes:
        description: what a person should know beside the title; "" when there is nothing.
        requires: over facts; false is refused and escalated, not failed.
        capture: a script whose answer is journaled before the first step; "" without one.
        undo: a script; "" exactly when `irreversible` says why there is none.
        verify: the checks that must pass in a new session.
        writes: resources it sets, `kind:name` or `kind:name=value`.
        safe_because: for a repair that touches its own path without a guard: why it cannot cut it.
        timeout_s: for capture and undo.
    """

    id: str
    title: str
    description: str
    platform: Platform
    autonomy: Autonomy
    disruption: Disruption
    as_root: bool
    requires: Group
    params: Mapping[str, Param]
    writes: tuple[str, ...]
    capture: str
    steps: tuple[Step, ...]
    undo: str
    irreversible: str
    verify: tuple[str, ...]
    safe_because: str
    timeout_s: int
    examples: tuple[ParamsExample, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a rule may act on one target."""

    cooldown_s: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom a rule is; `id` is "" for everybody."""

    kind: ScopeKind
    id: str


@dataclass(frozen=True, slots=True)
class RuleTest:
    """An incident and what must come of it: a runbook's id, escalate, ignore or none."""

    incident: Mapping[str, Scalar]
    expect: str
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """An L1 rule.

    Attributes:
        check: the one check that its conditions name.
        is_guard: a safety rule: it may only hand over to a person, and outranks every other rule.
        priority: the higher acts first among rules of equal scope and specificity.
        is_promoted: it was promoted from plans, not written; written rules act first.
    """

    id: str
    check: str
    conditions: Group
    action: Action
    runbook_id: str | None
    params: Mapping[str, Scalar]
    limits: Limits | None
    scope: Scope
    is_guard: bool
    priority: int
    is_promoted: bool
    tests: tuple[RuleTest, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class ControlSet:
    """A framework's controls.

    Attributes:
        titles: a control's id -> its title.
        crosswalk: for frameworks other than HIPAA and NIST 800-53: NIST id -> this framework's ids.
    """

    framework: str
    title: str
    titles: Mapping[str, str]
    crosswalk: Mapping[str, tuple[str, ...]]
    source: Source


@dataclass(frozen=True, slots=True)
class Content:
    """A whole set that holds together; swapped as one or not at all.

    Attributes:
        rules: by id, in the order in which they are tried.
        digest: hex SHA-256 that names the set.
        rules_by_check: a check's id -> its rules, in that order.
    """

    checks: Mapping[str, Check]
    runbooks: Mapping[str, Runbook]
    rules: Mapping[str, Rule]
    controls: Mapping[str, ControlSet]
    digest: str
    rules_by_check: Mapping[str, tuple[Rule, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the rules by check once: repairs and orders look them up."""
        found: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules.values():
            found[rule.check] = (*found.get(rule.check, ()), rule)
        object.__setattr__(self, "rules_by_check", found)

"""What the fold of an appliance's evidence keeps, as values: one row each.

All times are seconds as the appliance signed them; `leaf` is the index of the leaf that a row was
last changed by, and `part` the commitment in it whose detail says what was seen.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FindingRow:
    """The current verdict of one check on one target; `since_s` is when it last changed."""

    target: str
    check_id: str
    verdict: str
    reason: str | None
    content: str
    at_s: int
    since_s: int
    leaf: int
    part: str


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident. Platform and severity are unknown until its opening was seen.

    Attributes:
        result: how its last repair ended.
        heal_leaf: the leaf of its last repair.
    """

    incident: str
    target: str
    check_id: str
    platform: str | None
    severity: str | None
    state: str
    cause: str | None
    actor: str | None
    attempt: int
    runbook: str | None
    rule: str | None
    result: str | None
    opened_s: int
    updated_s: int
    closed_s: int | None
    leaf: int
    heal_leaf: int | None


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One turn of an incident, as the appliance told it; `actor` is a code."""

    leaf: int
    incident: str
    turn: str
    cause: str | None
    actor: str
    at_s: int


@dataclass(frozen=True, slots=True)
class HealRow:
    """One repair, before and after."""

    leaf: int
    incident: str
    target: str
    check_id: str
    attempt: int
    rule: str
    runbook: str
    content: str
    before_verdict: str
    before_reason: str | None
    outcome: str
    changed: bool
    after_verdict: str
    after_reason: str | None
    result: str
    at_s: int


@dataclass(frozen=True, slots=True)
class HealthRow:
    """What an appliance says of one of its conditions."""

    code: str
    ok: bool
    at_s: int
    leaf: int

"""Incidents: the life of one drift of one check on one target.

At most one incident is open for a site, target and check; a passing check closes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from proto.findings import Scalar
from proto.ids import IncidentId, SiteId, TargetId


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    PLANNED = "planned"
    EXECUTING = "executing"
    VERIFYING = "verifying"
    UNDOING = "undoing"
    HEALED = "healed"
    ESCALATED = "escalated"
    WAIVED = "waived"
    CLOSED = "closed"


LIVE = frozenset(State) - {State.CLOSED}
"""States that hold the key (site, target, check): one incident at a time."""

IN_HAND = frozenset({State.PLANNED, State.EXECUTING, State.VERIFYING, State.UNDOING})
"""States in which a repair is under way and the target is locked to it."""


class Severity(StrEnum):
    """How much a drift matters, as its check says."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Cause(StrEnum):
    """Why an incident waits, was handed to a person, or ended: a closed list of codes."""

    NO_RULE = "no_rule"
    RULE_ESCALATES = "rule_escalates"
    RULE_IGNORES = "rule_ignores"
    OBSERVE_ONLY = "observe_only"
    ALERT_ONLY = "alert_only"
    APPROVAL_NEEDED = "approval_needed"
    WINDOW_NEEDED = "window_needed"
    WINDOW_CLOSED = "window_closed"
    HELD_BY_ORDER = "held_by_order"
    PROTECTED_HOST = "protected_host"
    NO_REVERT = "no_revert"
    REQUIREMENT_UNMET = "requirement_unmet"
    PLAN_TOO_LARGE = "plan_too_large"
    NOT_MANAGED = "not_managed"
    COOLDOWN = "cooldown"
    DAILY_LIMIT = "daily_limit"
    HOURLY_BUDGET = "hourly_budget"
    BLAST_RADIUS = "blast_radius"
    BREAKER_OPEN = "breaker_open"
    TARGET_BUSY = "target_busy"
    STALE_FINDING = "stale_finding"
    ATTEMPTS_SPENT = "attempts_spent"
    CAPTURE_FAILED = "capture_failed"
    UNDO_FAILED = "undo_failed"
    UNDO_UNKNOWN = "undo_unknown"
    OUTCOME_UNKNOWN = "outcome_unknown"
    CHECK_BLIND = "check_blind"
    WAIVER = "waiver"
    PASSED = "passed"
    RECURRED = "recurred"
    NOT_APPLICABLE = "not_applicable"
    CHECK_GONE = "check_gone"
    TARGET_REMOVED = "target_removed"
    BY_PERSON = "by_person"


@dataclass(frozen=True, slots=True)
class Decided:
    """Who chose the repair, and who lost: `by` is "rule" or "order" (`id` is then its sid)."""

    by: str
    id: str
    losers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident.

    Attributes:
        seen: the reported fields of the finding that opened it or last confirmed it.
        attempt: 1 for the first repair.
        verify_tries: how often the running verify got no answer.
        cause: why it waits, was escalated or ended; None while nothing holds it.
        not_before_ms: when a waiting incident is looked at again; 0 is at once.
    """

    id: IncidentId
    site: SiteId
    target: TargetId
    check: str
    platform: str
    severity: Severity
    seen: Mapping[str, Scalar]
    state: State
    attempt: int
    opened_ms: int
    updated_ms: int
    decided: Decided | None = None
    runbook: str | None = None
    params: Mapping[str, Scalar] | None = None
    closed_ms: int | None = None
    cause: Cause | None = None
    not_before_ms: int = 0
    verify_tries: int = 0

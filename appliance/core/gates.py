"""The gates before a repair, in their order; the first that objects wins.

Order: a target that lets us in -> fresh finding of the active content -> waiver -> match (no rule,
or one that escalates or ignores) -> autonomy (the most cautious of runbook and site; observe-only
is the site's strongest word) -> a revert for what could cut its own path -> requires -> a plan that
the journal takes -> breaker(target, runbook) -> cooldown and daily limit of the rule -> one change
per target.

What stands between waiver and breaker depends on the content, the site's dial and the target's
facts alone, not on the moment: that is the standing ruling, by which what a person was given is
looked at again when one of these changed (`core/reconsider.py`).

Blocked is not failed: a gate holds an incident for a while, or hands it to a person; neither counts
as an attempt. A rule in cooldown means wait, never try the next rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.core.plan import Plan, Step, fits
from proto import conditions
from proto.catalog.model import Action, Autonomy, Check, Disruption, Rule, Runbook
from proto.findings import Finding, Scalar, Verdict, is_fresh
from proto.incidents import Cause, Incident
from proto.inventory import Facts, as_fields, as_variables

BREAKER_FAILURES = 3
"""Repairs of one runbook on one target that did not heal, in a row, before the breaker opens."""

BREAKER_OPEN_MS = 3_600_000
STALE_WAIT_MS = 60_000
DAY_MS = 86_400_000
CAUTION = (Autonomy.OBSERVE, Autonomy.ALERT, Autonomy.APPROVE, Autonomy.WINDOW, Autonomy.AUTO)
"""From the most cautious on."""


@dataclass(frozen=True, slots=True)
class Proceed:
    """Repair now, by this plan."""

    plan: Plan
    params: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Hold:
    """Wait; look again at `until_ms`."""

    cause: Cause
    until_ms: int


@dataclass(frozen=True, slots=True)
class Escalate:
    """Hand it to a person."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Waive:
    """A waiver is in force."""


Ruling = Proceed | Hold | Escalate | Waive


@dataclass(frozen=True, slots=True)
class History:
    """What happened before, as far as the gates ask.

    Attributes:
        fires_ms: when this rule fired on this target within the last day, ascending.
        breaker_until_ms: 0, or until when this runbook may not run on this target.
        is_busy: another repair has the target.
        is_refused: the target refused the last login, so no other is tried for a repair.
    """

    fires_ms: tuple[int, ...]
    breaker_until_ms: int
    is_busy: bool
    is_refused: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open incident and everything the gates look at.

    Attributes:
        finding: the current finding of the incident's target and check.
        rule: the matcher's winner; None when no rule matched.
        runbook: the rule's runbook; None unless the rule executes one.
        facts: None when the device is not a target that can be logged into.
    """

    incident: Incident
    finding: Finding | None
    check: Check
    is_waived: bool
    rule: Rule | None
    runbook: Runbook | None
    facts: Facts | None
    site_autonomy: Autonomy
    history: History
    content: str


def rule_on(candidate: Candidate, *, now_ms: int) -> Ruling:
    """Return what may be done about an open incident now."""
    finding = candidate.finding
    if candidate.history.is_refused:
        return Hold(Cause.NOT_MANAGED, now_ms + STALE_WAIT_MS)
    if finding is None or finding.verdict is not Verdict.DRIFTED:
        return Hold(Cause.STALE_FINDING, now_ms + STALE_WAIT_MS)
    is_current = finding.content == candidate.content
    if not is_current or not is_fresh(
        finding, now_ms=now_ms, freshness_s=candidate.check.freshness_s
    ):
        return Hold(Cause.STALE_FINDING, now_ms + STALE_WAIT_MS)
    if candidate.is_waived:
        return Waive()
    standing = standing_ruling(candidate, now_ms=now_ms)
    if candidate.rule is None or not isinstance(standing, Proceed):
        return standing
    return _on_history(candidate.rule, candidate.history, now_ms) or standing


def standing_ruling(candidate: Candidate, *, now_ms: int) -> Ruling:
    """Return what may be done by match, autonomy, runbook and plan; never `Waive`."""
    rule, runbook = candidate.rule, candidate.runbook
    if rule is None:
        return Escalate(Cause.NO_RULE)
    if rule.action is Action.IGNORE:
        return Hold(Cause.RULE_IGNORES, now_ms + DAY_MS)
    if rule.action is Action.ESCALATE or runbook is None:
        return Escalate(Cause.RULE_ESCALATES)
    if candidate.facts is None:
        return Escalate(Cause.NOT_MANAGED)
    plan = plan_of(rule, runbook, candidate.facts, content=candidate.content)
    return (
        _on_autonomy(candidate.site_autonomy, runbook, now_ms)
        or _on_runbook(runbook, candidate.facts)
        or (Proceed(plan, rule.params) if fits(plan) else Escalate(Cause.PLAN_TOO_LARGE))
    )


def _on_autonomy(site: Autonomy, runbook: Runbook, now_ms: int) -> Ruling | None:
    match min(site, runbook.autonomy, key=CAUTION.index):
        case Autonomy.AUTO:
            return None
        case Autonomy.OBSERVE:
            return Hold(Cause.OBSERVE_ONLY, now_ms + STALE_WAIT_MS)
        case Autonomy.ALERT:
            return Escalate(Cause.ALERT_ONLY)
        case Autonomy.APPROVE:
            return Escalate(Cause.APPROVAL_NEEDED)
        case Autonomy.WINDOW:
            return Escalate(Cause.WINDOW_NEEDED)


def _on_runbook(runbook: Runbook, facts: Facts) -> Ruling | None:
    if runbook.disruption in {Disruption.LOCKOUT, Disruption.REBOOT}:
        return Escalate(Cause.NO_REVERT)
    if not conditions.holds(runbook.requires, as_fields(facts)):
        return Escalate(Cause.REQUIREMENT_UNMET)
    return None


def _on_history(rule: Rule, history: History, now_ms: int) -> Ruling | None:
    if history.breaker_until_ms > now_ms:
        return Hold(Cause.BREAKER_OPEN, history.breaker_until_ms)
    if rule.limits is not None and history.fires_ms:
        cooled_ms = history.fires_ms[-1] + rule.limits.cooldown_s * 1000
        if cooled_ms > now_ms:
            return Hold(Cause.COOLDOWN, cooled_ms)
        if len(history.fires_ms) >= rule.limits.per_day:
            return Hold(Cause.DAILY_LIMIT, history.fires_ms[0] + DAY_MS)
    if history.is_busy:
        return Hold(Cause.TARGET_BUSY, 0)  # until the target is free, whenever that is
    return None


def plan_of(rule: Rule, runbook: Runbook, facts: Facts, *, content: str) -> Plan:
    """Freeze what a repair by this rule and runbook will do on this target."""
    return Plan(
        rule=rule.id,
        runbook=runbook.id,
        content=content,
        as_root=runbook.as_root,
        variables={**as_variables(facts), **rule.params},
        capture=runbook.capture or None,
        steps=tuple(Step(step.id, step.script, step.timeout_s) for step in runbook.steps),
        undo=runbook.undo or None,
        timeout_s=runbook.timeout_s,
        verify=rule.check,
    )


def breaker_after(failures: int, *, now_ms: int) -> int:
    """Return until when the breaker is open after this many failures in a row, 0 for closed."""
    return now_ms + BREAKER_OPEN_MS if failures >= BREAKER_FAILURES else 0

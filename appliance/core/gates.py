"""The gates before a repair, in their order; the first that objects wins.

Order: a target that lets us in -> fresh finding of the active content -> waiver -> match (no rule,
or one that escalates or ignores) -> a host that the site protects -> autonomy (the most cautious of
runbook, site and what orders set; observe-only is the site's strongest word) -> a revert for what
could cut its own path -> requires -> a plan that the journal takes -> breaker(target, runbook) ->
cooldown and daily limit of the rule -> the site's hourly budget -> the share of targets changed
within an hour -> one change per target.

What stands between waiver and breaker depends on the content, the site's dial and the target's
facts alone, not on the moment: that is the standing ruling, by which what a person was given is
looked at again when one of these changed (`core/reconsider.py`).

Blocked is not failed: a gate holds an incident for a while, or hands it to a person; neither counts
as an attempt. A rule in cooldown means wait, never try the next rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.core.order_gate.values import Window
from appliance.core.plan import Plan, Step, fits
from proto import conditions
from proto.catalog.model import Action, Autonomy, Check, Disruption, Rule, Runbook
from proto.findings import Finding, Scalar, Verdict, is_fresh
from proto.incidents import Cause, Incident, State
from proto.inventory import Facts, as_fields, as_variables

BREAKER_FAILURES = 3
"""Repairs of one runbook on one target that did not heal, in a row, before the breaker opens."""

BREAKER_OPEN_MS = 3_600_000
STALE_WAIT_MS = 60_000
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
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
        budget_until_ms: 0, or when the hour is over in which enough repairs by rules began.
        blast_until_ms: 0, or when this target may be changed: enough others were within the hour.
    """

    fires_ms: tuple[int, ...]
    breaker_until_ms: int
    is_busy: bool
    is_refused: bool
    budget_until_ms: int = 0
    blast_until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open incident and everything the gates look at.

    Attributes:
        finding: the current finding of the incident's target and check.
        rule: the matcher's winner; None when no rule matched.
        runbook: the rule's runbook; None unless the rule executes one.
        facts: None when the device is not a target that can be logged into.
        site_autonomy: how far repairs of this check may go by themselves here and now.
        is_held_by_order: an order says so, not the LAN.
        window: None where no maintenance windows are set.
        is_approved: a person on the LAN has approved the rule's repair of this incident.
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
    is_protected: bool = False
    is_held_by_order: bool = False
    window: Window | None = None
    is_approved: bool = False


def rule_on(candidate: Candidate, *, now_ms: int) -> Ruling:
    """Return what may be done about an open incident now."""
    finding = candidate.finding
    if candidate.history.is_refused:
        return Hold(Cause.NOT_MANAGED, now_ms + STALE_WAIT_MS)
    if not is_current(finding, candidate, now_ms=now_ms):
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
    if candidate.is_protected:
        return Hold(Cause.PROTECTED_HOST, now_ms + STALE_WAIT_MS)
    return (
        _on_autonomy(candidate, runbook, now_ms)
        or _on_runbook(runbook, candidate.facts)
        or (Proceed(plan, rule.params) if fits(plan) else Escalate(Cause.PLAN_TOO_LARGE))
    )


def _on_autonomy(candidate: Candidate, runbook: Runbook, now_ms: int) -> Ruling | None:
    match min(candidate.site_autonomy, runbook.autonomy, key=CAUTION.index):
        case Autonomy.AUTO:
            return None
        case Autonomy.APPROVE | Autonomy.WINDOW if candidate.is_approved:
            return None  # whoever approves says "now", so no window is waited for either
        case Autonomy.OBSERVE:
            is_ordered = candidate.is_held_by_order
            cause = Cause.HELD_BY_ORDER if is_ordered else Cause.OBSERVE_ONLY
            return Hold(cause, now_ms + STALE_WAIT_MS)
        case Autonomy.ALERT:
            return Escalate(Cause.ALERT_ONLY)
        case Autonomy.APPROVE:
            return Escalate(Cause.APPROVAL_NEEDED)
        case Autonomy.WINDOW:
            return on_window(candidate.window, now_ms)


def on_window(window: Window | None, now_ms: int) -> Ruling | None:
    """Return what holds back a repair that runs in maintenance windows only; None in one."""
    if window is None:
        return Escalate(Cause.WINDOW_NEEDED)
    if window.is_open:
        return None
    # Looked at again before it opens: people may set another one meanwhile.
    return Hold(Cause.WINDOW_CLOSED, min(window.opens_s * 1000, now_ms + STALE_WAIT_MS))


APPROVABLE = frozenset({Cause.APPROVAL_NEEDED, Cause.WINDOW_NEEDED, Cause.WINDOW_CLOSED})
"""Why a repair waits that a person on the LAN may let run; the rest no approval lifts."""


def offer_of(rule: Rule, *, content: str) -> str:
    """Return what names the repair that a person is shown: another state may call for another."""
    return f"{content}:{rule.id}"


def waits_for_approval(incident: Incident) -> bool:
    """Tell whether a person's word is what the incident's repair waits for."""
    return incident.state in {State.OPEN, State.ESCALATED} and incident.cause in APPROVABLE


def _on_runbook(runbook: Runbook, facts: Facts) -> Ruling | None:
    if runbook.disruption in {Disruption.LOCKOUT, Disruption.REBOOT}:
        return Escalate(Cause.NO_REVERT)
    if not conditions.holds(runbook.requires, as_fields(facts)):
        return Escalate(Cause.REQUIREMENT_UNMET)
    return None


@dataclass(frozen=True, slots=True)
class Asked:
    """The repair that an order asks for; the order gate has accepted it.

    Attributes:
        sid: the order's, hex.
        has_people: a person has signed it beside the hub.
    """

    sid: str
    runbook: Runbook
    params: Mapping[str, Scalar]
    has_people: bool

    @property
    def name(self) -> str:
        """What the journal calls what asked for the repair."""
        return f"order:{self.sid[:16]}"


def rule_on_order(candidate: Candidate, asked: Asked, *, now_ms: int) -> Ruling:
    """Return what may be done about an incident for which an order names the repair.

    The gates are those of a rule's repair. Only what waits for a person is let through by a person
    who signed the order; what holds every repair back holds this one too.
    """
    facts = candidate.facts
    held = _in_the_way(candidate, now_ms)
    if held is not None or facts is None:
        return held or Hold(Cause.NOT_MANAGED, now_ms + STALE_WAIT_MS)
    held = _on_autonomy(candidate, asked.runbook, now_ms)
    if asked.has_people and isinstance(held, Escalate):
        held = None
    if (held := held or _on_runbook(asked.runbook, facts)) is not None:
        return held
    deed = _Deed(asked.name, candidate.check.id, asked.params, asked.sid)
    plan = _plan(deed, asked.runbook, facts, content=candidate.content)
    return Proceed(plan, asked.params) if fits(plan) else Escalate(Cause.PLAN_TOO_LARGE)


def _in_the_way(candidate: Candidate, now_ms: int) -> Ruling | None:
    """Return what holds back every repair of this incident, whoever asks for it."""
    history = candidate.history
    waits: tuple[tuple[bool, Ruling], ...] = (
        (history.is_refused, Hold(Cause.NOT_MANAGED, now_ms + STALE_WAIT_MS)),
        (
            not is_current(candidate.finding, candidate, now_ms=now_ms),
            Hold(Cause.STALE_FINDING, now_ms + STALE_WAIT_MS),
        ),
        (candidate.is_waived, Waive()),
        (candidate.is_protected, Hold(Cause.PROTECTED_HOST, now_ms + STALE_WAIT_MS)),
        (
            history.breaker_until_ms > now_ms,
            Hold(Cause.BREAKER_OPEN, history.breaker_until_ms),
        ),
        (history.is_busy, Hold(Cause.TARGET_BUSY, 0)),
    )
    return next((ruling for is_so, ruling in waits if is_so), None)


def is_current(finding: Finding | None, candidate: Candidate, *, now_ms: int) -> bool:
    """Tell whether a finding is a drift that the active content saw not too long ago."""
    return (
        finding is not None
        and finding.verdict is Verdict.DRIFTED
        and finding.at_ms <= now_ms  # else a clock was set back, and nobody knows how old it is
        and finding.content == candidate.content
        and is_fresh(finding, now_ms=now_ms, freshness_s=candidate.check.freshness_s)
    )


def _on_history(rule: Rule, history: History, now_ms: int) -> Ruling | None:
    cooled_ms, next_day_ms = _on_limits(rule, history)
    waits = (
        (Cause.BREAKER_OPEN, history.breaker_until_ms),
        (Cause.COOLDOWN, cooled_ms),
        (Cause.DAILY_LIMIT, next_day_ms),
        (Cause.HOURLY_BUDGET, history.budget_until_ms),
        (Cause.BLAST_RADIUS, history.blast_until_ms),
    )
    for cause, until_ms in waits:
        if until_ms > now_ms:
            return Hold(cause, until_ms)
    return Hold(Cause.TARGET_BUSY, 0) if history.is_busy else None  # until the target is free


def _on_limits(rule: Rule, history: History) -> tuple[int, int]:
    """Return until when the rule is in cooldown, and until when its daily limit is reached."""
    fires_ms = history.fires_ms
    if rule.limits is None or not fires_ms:
        return 0, 0
    is_spent = len(fires_ms) >= rule.limits.per_day
    return fires_ms[-1] + rule.limits.cooldown_s * 1000, fires_ms[0] + DAY_MS if is_spent else 0


@dataclass(frozen=True, slots=True)
class _Deed:
    name: str
    check: str
    params: Mapping[str, Scalar]
    order: str = ""


def plan_of(rule: Rule, runbook: Runbook, facts: Facts, *, content: str) -> Plan:
    """Freeze what a repair by this rule and runbook will do on this target."""
    return _plan(_Deed(rule.id, rule.check, rule.params), runbook, facts, content=content)


def _plan(deed: _Deed, runbook: Runbook, facts: Facts, *, content: str) -> Plan:
    return Plan(
        rule=deed.name,
        runbook=runbook.id,
        content=content,
        as_root=runbook.as_root,
        variables={**as_variables(facts), **deed.params},
        capture=runbook.capture or None,
        steps=tuple(Step(step.id, step.script, step.timeout_s) for step in runbook.steps),
        undo=runbook.undo or None,
        timeout_s=runbook.timeout_s,
        verify=deed.check,
        order=deed.order,
    )


def breaker_after(failures: int, *, now_ms: int) -> int:
    """Return until when the breaker is open after this many failures in a row, 0 for closed."""
    return now_ms + BREAKER_OPEN_MS if failures >= BREAKER_FAILURES else 0

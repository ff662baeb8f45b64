"""Looking again at what was handed to a person, when what that decision stood on has changed.

A person gets an incident either because somebody decided so beforehand (no rule, a rule that
escalates, the dial of autonomy, a requirement) or because a repair did not work. New content,
another dial, another login or another answer of the check can end the first kind; the second only
new content. Rules it keeps:

- What is decided on (`Ground`) has changed, else nothing is looked at: no clock reopens anything.
- An incident is reopened only if nothing but the moment (freshness, breaker, cooldown, a busy
  target) would hold its repair now. It then passes all gates anew, as every open one does.
- A repair that was tried and undone is not tried again: the content must name other scripts or
  params than the last attempt had. That is one attempt more for each such change.
- A target whose undo failed, or of which a repair's outcome is unknown, is a person's alone: what
  state it is in is what somebody has to look at first.
- When a person is still needed, for another reason than before, the new reason is told once.
"""

from dataclasses import dataclass, replace

from appliance.core.gates import Candidate, Escalate, Hold, Proceed, standing_ruling
from appliance.core.plan import Plan
from proto.catalog.model import Autonomy
from proto.findings import Scalar
from proto.incidents import Cause, Incident, State
from proto.inventory import Facts

DECIDED_BEFOREHAND = frozenset(
    {
        Cause.NO_RULE,
        Cause.RULE_ESCALATES,
        Cause.ALERT_ONLY,
        Cause.APPROVAL_NEEDED,
        Cause.WINDOW_NEEDED,
        Cause.NO_REVERT,
        Cause.REQUIREMENT_UNMET,
        Cause.PLAN_TOO_LARGE,
        Cause.NOT_MANAGED,
    }
)
"""Causes that the gates give by themselves: nothing was done to the target."""

NOT_WORKED = frozenset({Cause.ATTEMPTS_SPENT, Cause.CAPTURE_FAILED})
"""Causes after which the target is as it was before, and other scripts may do better."""

FACT_PREFIX = "fact_"


@dataclass(frozen=True, slots=True)
class Ground:
    """What the decision about an incident stands on, apart from the moment.

    Attributes:
        content: the digest of the active set.
        autonomy: how far the site and orders let repairs of the check go.
        facts: None when the device is not a target.
        seen: the incident's reported fields, as stored.
    """

    content: str
    autonomy: Autonomy
    facts: Facts | None
    seen: str
    has_window: bool = False
    is_protected: bool = False


def reconsidered(candidate: Candidate, tried: Plan | None, *, now_ms: int) -> Incident | None:
    """Return what becomes of an escalated incident, or None when it stays as it is.

    Args:
        candidate: the incident with everything the gates look at now.
        tried: the plan of its last repair, if there was one.
        now_ms: the time.
    """
    incident = candidate.incident
    ruling = standing_ruling(candidate, now_ms=now_ms)
    if incident.cause in NOT_WORKED:
        return _tried_otherwise(incident, ruling, tried, now_ms=now_ms)
    if incident.cause not in DECIDED_BEFOREHAND:
        return None
    match ruling:
        case Proceed() | Hold(cause=Cause.RULE_IGNORES | Cause.WINDOW_CLOSED):
            return reopened(incident, now_ms=now_ms)
        case Escalate(cause=cause) if cause is not incident.cause:
            return replace(incident, cause=cause, updated_ms=now_ms)
        case _:
            return None


def _tried_otherwise(
    incident: Incident, ruling: object, tried: Plan | None, *, now_ms: int
) -> Incident | None:
    if not isinstance(ruling, Proceed) or tried is None or _deed(ruling.plan) == _deed(tried):
        return None
    # A capture that failed was no attempt: nothing had been done yet.
    more = 1 if incident.cause is Cause.ATTEMPTS_SPENT else 0
    return replace(reopened(incident, now_ms=now_ms), attempt=incident.attempt + more)


def _deed(plan: Plan) -> tuple[object, ...]:
    """Return what a plan does, whatever it is called and wherever it is done."""
    params: dict[str, Scalar] = {
        name: value for name, value in plan.variables.items() if not name.startswith(FACT_PREFIX)
    }
    scripts = tuple((step.script, step.timeout_s) for step in plan.steps)
    return plan.as_root, params, plan.capture, scripts, plan.undo, plan.timeout_s


def reopened(incident: Incident, *, now_ms: int) -> Incident:
    """Return an incident as it is when all gates look at it anew."""
    return replace(
        incident,
        state=State.OPEN,
        cause=None,
        decided=None,
        updated_ms=now_ms,
        not_before_ms=0,
        verify_tries=0,
    )

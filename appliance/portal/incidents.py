"""Incidents: the list, and one with its why, its turns, and before and after of each repair."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from appliance.core.reasons import REASON_CHARS_MAX
from appliance.portal.frame import check_text, page, pairs
from appliance.portal.offer import offer_for
from appliance.portal.rows import incident_rows, is_cosigned, is_healed, state_words
from appliance.portal.state import PortalVisit
from appliance.store import incidents as stored
from appliance.store.views import incidents, site
from appliance.store.views.incidents import (
    IncidentView,
    RepairView,
    SideView,
    StepView,
    TurnView,
)
from appliance.store.views.site import EvidenceView
from proto.catalog.model import Content
from proto.errors import NotFoundError
from proto.evidence import Outcome
from proto.ids import parse_incident_id
from proto.incidents import IN_HAND, State
from runtime.web import words
from runtime.web.words import Words

FILTERS: dict[str, tuple[str, frozenset[State]]] = {
    "person": ("Needs a person", frozenset({State.ESCALATED})),
    "open": ("Being handled", IN_HAND | {State.OPEN}),
    "waived": ("Waived", frozenset({State.WAIVED})),
    "done": ("Healed and closed", frozenset({State.HEALED, State.CLOSED})),
    "all": ("All", frozenset(State)),
}
DEFAULT_FILTER = "all"
KINDS = {"capture": "Recorded what was there", "undo": "Took the repair back", "verify": "Re-check"}


@dataclass(frozen=True, slots=True)
class Side:
    """What a check said before or after, in words."""

    verdict: Words
    reason: Words | None
    seen: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class StepRow:
    """One command of a repair in words."""

    name: str
    outcome: Words
    changed: bool
    is_change: bool
    why: str


@dataclass(frozen=True, slots=True)
class RepairRow:
    """One repair: before, action, after, and where its proof is.

    Attributes:
        action: what became of the steps; `changed` when one of them changed the device.
        after: None while there was no re-check.
    """

    view: RepairView
    title: str
    before: Side
    action: Words
    changed: bool
    steps: list[StepRow]
    after: Side | None
    result: Words | None
    is_cosigned: bool


@dataclass(frozen=True, slots=True)
class TurnRow:
    """A turn in words."""

    view: TurnView
    state: Words
    why: Words | None
    actor: str
    is_cosigned: bool


async def show_list(visit: PortalVisit) -> Response:
    """Show incidents, all or those in one kind of state."""
    chosen = visit.request.query_params.get("show", DEFAULT_FILTER)
    if chosen not in FILTERS:
        chosen = DEFAULT_FILTER
    async with visit.app.store.read() as rows:
        views = await incidents.incidents(rows, states=FILTERS[chosen][1])
    values = {
        "rows": incident_rows(visit.app.content(), views),
        "chosen": chosen,
        "filters": [(code, label) for code, (label, _) in FILTERS.items()],
        "most": incidents.INCIDENTS_SHOWN_MAX,
    }
    return page(visit, "incidents.html", "/incidents", values)


async def show_one(visit: PortalVisit) -> Response:
    """Show one incident."""
    return await _show(visit, problem="", reason="", status=200)


async def _show(visit: PortalVisit, *, problem: str, reason: str, status: int) -> Response:
    incident_id = parse_incident_id(visit.request.path_params["incident"], "address")
    content = visit.app.content()
    async with visit.app.store.read() as rows:
        incident = await incidents.incident(rows, incident_id)
        waiting = await stored.get(rows, visit.app.identity.site, incident_id)
        turns = await incidents.turns(rows, incident_id)
        repairs = await incidents.repairs(rows, incident_id)
        evidence = await site.evidence(rows)
    if incident is None:
        msg = f"{incident_id}: no such incident"
        raise NotFoundError(msg)
    values = {
        "incident": incident,
        "check": check_text(content, incident.check),
        "severity": words.SEVERITIES[incident.severity],
        "state": state_words(incident),
        "headline": _headline(incident),
        "next_step": words.next_step(incident.state, incident.cause),
        "runbook_title": runbook_title(content, incident.runbook),
        "losers": incident.decided.losers if incident.decided else (),
        "seen": pairs(incident.seen),
        "params": pairs(incident.params),
        "repairs": [_repair(content, repair, evidence) for repair in repairs],
        "turns": [_turn(turn, evidence) for turn in turns],
        "offer": offer_for(content, waiting),
        "can_close": _can_close(incident),
        "problem": problem,
        "reason": reason,
        "reason_max": REASON_CHARS_MAX,
    }
    return page(visit, "incident.html", "/incidents", values, status=status)


async def approve(visit: PortalVisit) -> Response:
    """Let the repair that waits for a person run, as the page showed it."""
    incident_id = parse_incident_id(visit.request.path_params["incident"], "address")
    shown = visit.form.get("shown", "")
    await visit.app.commands.approve_repair(incident_id, shown=shown, account=visit.person.person)
    return RedirectResponse(f"/incidents/{incident_id}", status_code=303)


async def close(visit: PortalVisit) -> Response:
    """Close an incident that was handed to a person, with that person's reason."""
    reason = visit.form.get("reason", "").strip()
    if not reason or len(reason) > REASON_CHARS_MAX:
        problem = f"Say in a few words why this is done (at most {REASON_CHARS_MAX} characters)."
        return await _show(visit, problem=problem, reason=reason[:REASON_CHARS_MAX], status=400)
    incident_id = parse_incident_id(visit.request.path_params["incident"], "address")
    await visit.app.commands.close_incident(incident_id, reason=reason, account=visit.person.person)
    return RedirectResponse(f"/incidents/{incident_id}", status_code=303)


def runbook_title(content: Content, runbook: str | None) -> str | None:
    """Return what a runbook is called, its id when the content lacks it."""
    if runbook is None:
        return None
    found = content.runbooks.get(runbook)
    return found.title if found else runbook


def _headline(incident: IncidentView) -> Words:
    """Return how the incident stands: a proved repair outranks the code that ended it."""
    state = state_words(incident)
    if incident.cause is None or is_healed(incident):
        return state
    why = words.CAUSES[incident.cause]
    return Words(why.label, why.sentence, state.tone)


def _can_close(incident: IncidentView) -> bool:
    return incident.state is State.ESCALATED


def _side(side: SideView) -> Side:
    reason = words.REASONS[side.reason] if side.reason else None
    return Side(words.VERDICTS[side.verdict], reason, pairs(side.seen))


def _outcome(code: str | None) -> Words:
    if code is None:
        return Words("Not finished", "This has not ended.", words.Tone.INFO)
    return words.OUTCOMES[Outcome(code)]


def _step(step: StepView) -> StepRow:
    return StepRow(
        name=KINDS.get(step.kind, f"Step {step.step + 1}"),
        outcome=_outcome(step.outcome),
        changed=step.changed,
        is_change=step.kind in {"step", "undo"},
        why=step.why,
    )


def _action(steps: tuple[StepView, ...]) -> Words:
    """Return the worst outcome of the steps themselves; not run when none was started."""
    codes = [step.outcome for step in steps if step.kind == "step"]
    if not codes:
        return words.OUTCOMES[Outcome.NOT_RUN]
    for worst in (None, Outcome.UNKNOWN, Outcome.FAILED):
        if worst in codes:
            return _outcome(worst)
    return words.OUTCOMES[Outcome.DONE]


def _repair(content: Content, repair: RepairView, evidence: EvidenceView) -> RepairRow:
    return RepairRow(
        view=repair,
        title=runbook_title(content, repair.runbook) or repair.runbook,
        before=_side(repair.before),
        action=_action(repair.steps),
        changed=any(step.changed for step in repair.steps if step.kind == "step"),
        steps=[_step(step) for step in repair.steps],
        after=_side(repair.after) if repair.after else None,
        result=words.RESULTS[repair.result] if repair.result else None,
        is_cosigned=is_cosigned(repair.leaf, evidence),
    )


def _turn(turn: TurnView, evidence: EvidenceView) -> TurnRow:
    return TurnRow(
        view=turn,
        state=words.STATES[turn.state],
        why=words.CAUSES[turn.cause] if turn.cause else None,
        actor=turn.actor,
        is_cosigned=is_cosigned(turn.leaf, evidence),
    )

"""An incident at the hub: its turns, and before, action and after of each repair."""

from dataclasses import dataclass

from starlette.responses import Response

from central.console.frame import check_title, page, pairs, runbook_title, shipped
from central.console.site import incident_row, is_healed, site_of
from central.state import ConsoleVisit
from central.store.sites import find_site
from central.store.views.incident import HealView, IncidentView, SideView, incident_view
from proto import ids
from proto.catalog.model import Content
from proto.evidence import Result
from proto.incidents import State
from runtime.web import words
from runtime.web.words import Words


@dataclass(frozen=True, slots=True)
class Side:
    """What a check said before or after; `is_told` is false when its detail is not here."""

    verdict: Words
    reason: Words | None
    seen: list[tuple[str, str]]
    is_told: bool


@dataclass(frozen=True, slots=True)
class HealRow:
    """A repair in words."""

    view: HealView
    title: str
    before: Side
    action: Words
    after: Side
    result: Words


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn in the incident's life."""

    at_ms: int
    label: str
    sentence: str
    tone: str


async def show(visit: ConsoleVisit) -> Response:
    """Show one incident of a site."""
    site = site_of(visit)
    incident = ids.parse_incident_id(visit.request.path_params["incident"], "address")
    async with visit.app.hub.store.read() as connection:
        place = await find_site(site, connection)
        view = await incident_view(site, connection, incident=incident)
    content = await shipped()
    row = incident_row(content, view.line)
    check = content.checks.get(view.line.check)
    values = {
        "place": place,
        "view": view,
        "row": row,
        "headline": _headline(view),
        "check_title": check_title(content, view.line.check),
        "runbook_title": runbook_title(content, view.line.runbook),
        "description": check.description if check else "",
        "controls": list(check.controls.items()) if check else [],
        "heals": [_heal(content, heal) for heal in view.heals],
        "turns": turns(view),
    }
    return page(visit, "hub_incident.html", values)


def turns(view: IncidentView) -> list[Turn]:
    """Return the turns that the evidence tells, in order."""
    line = view.line
    opened = Turn(line.opened_s * 1000, "Found", "The drift was first seen.", words.Tone.WARN)
    repaired = [
        Turn(
            heal.at_s * 1000,
            f"Repair: {words.RESULTS[heal.result].label.lower()}",
            words.RESULTS[heal.result].sentence,
            words.RESULTS[heal.result].tone,
        )
        for heal in view.heals
    ]
    found = [opened, *repaired]
    if line.state is not State.OPEN:
        why = words.CAUSES[line.cause].sentence if line.cause else ""
        state = words.STATES[line.state]
        last_s = line.closed_s or line.updated_s
        found.append(Turn(last_s * 1000, state.label, why or state.sentence, state.tone))
    return sorted(found, key=lambda turn: turn.at_ms)


def _headline(view: IncidentView) -> Words:
    line = view.line
    if is_healed(line):
        return words.RESULTS[Result.HEALED]
    state = words.STATES[line.state]
    if line.cause is None:
        return state
    why = words.CAUSES[line.cause]
    return Words(why.label, why.sentence, state.tone)


def _side(side: SideView) -> Side:
    return Side(
        verdict=words.VERDICTS[side.verdict],
        reason=words.REASONS[side.reason] if side.reason else None,
        seen=pairs(side.seen),
        is_told=side.seen is not None,
    )


def _heal(content: Content, heal: HealView) -> HealRow:
    return HealRow(
        view=heal,
        title=runbook_title(content, heal.runbook) or heal.runbook,
        before=_side(heal.before),
        action=words.OUTCOMES[heal.outcome],
        after=_side(heal.after),
        result=words.RESULTS[heal.result],
    )

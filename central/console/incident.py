"""An incident at the hub: its turns, and before, action and after of each repair."""

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.responses import Response

from central.console.frame import check_title, page, pairs, runbook_title, shipped
from central.console.site import incident_row, is_healed, site_of
from central.state import ConsoleVisit
from central.store.sites import find_site
from central.store.views.incident import HealView, IncidentView, SideView, incident_view
from proto import ids
from proto.catalog.model import Content
from proto.evidence import Result, Turn
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
class TurnRow:
    """A turn in the incident's life: what, why, who, and the leaf that tells it."""

    at_ms: int
    leaf: int
    label: str
    sentence: str
    tone: str
    by: str


ACTORS = {"appliance": "the appliance", "person": "a person on the site"}
"""Who turned an incident; who exactly is kept on the appliance."""


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
        "next_step": words.next_step(view.line.state, view.line.cause),
        "check_title": check_title(content, view.line.check),
        "runbook_title": runbook_title(content, view.line.runbook),
        "description": check.description if check else "",
        "controls": list(check.controls.items()) if check else [],
        "heals": [_heal(content, heal) for heal in view.heals],
        "turns": turns(view),
    }
    return page(visit, "hub_incident.html", values)


def turns(view: IncidentView) -> list[TurnRow]:
    """Return what the evidence tells of the incident, in the order of the log."""
    repaired = [_repaired(heal) for heal in view.heals]
    return sorted([*_turned(view), *repaired], key=lambda turn: turn.leaf)


def asked_by(name: str) -> str:
    """Say what asked for a repair: a rule by its id, or an order."""
    return name.replace(":", " ") if name.startswith("order:") else f"rule {name}"


def _repaired(heal: HealView) -> TurnRow:
    result = words.RESULTS[heal.result]
    return TurnRow(
        heal.at_s * 1000,
        heal.leaf,
        f"Repair: {result.label.lower()}",
        result.sentence,
        result.tone,
        f"{ACTORS['appliance']}, {asked_by(heal.rule)}",
    )


def _turned(view: IncidentView) -> Iterator[TurnRow]:
    was_found = False
    for turn in view.turns:
        said = words.TURNS[turn.turn]
        if turn.turn is Turn.OPENED and was_found:
            said = words.OPENED_AGAIN
        was_found = True
        sentence = words.CAUSES[turn.cause].sentence if turn.cause else said.sentence
        by = ACTORS.get(turn.actor, turn.actor)
        yield TurnRow(turn.at_s * 1000, turn.leaf, said.label, sentence, said.tone, by)


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

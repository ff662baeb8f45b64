"""Looking at text that arrived, setting aside what is not admitted, saying so at both ends."""

import asyncio
from collections.abc import Collection, Iterator, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.admission import Admitted, SetAside, admit_details
from central.core.health import Condition
from central.core.ingest import OpenedDetail
from central.state import Hub
from central.store import conditions, quarantine
from central.store.registry import Known
from proto.phi.admission import NOT_LOOKED_AT

LOOKED_AT_ONCE = 32
CHARACTERS_AT_ONCE = 4096
"""Details, and characters of them, that are looked at before others have their turn: hostile text
takes a hundred times as long as ordinary text."""


async def admitted_of(hub: Hub, details: Sequence[OpenedDetail]) -> Admitted:
    """Look at details, a few at a time: a large upload does not hold up the fleet's check-ins."""
    parts: list[Admitted] = []
    for some in turns(details):
        parts.append(admit_details(some, looker=hub.looker, closed=hub.closed))
        await asyncio.sleep(0)
    return Admitted(
        tuple(one for part in parts for one in part.details),
        tuple(one for part in parts for one in part.aside),
    )


def turns(details: Sequence[OpenedDetail]) -> Iterator[list[OpenedDetail]]:
    """Yield details in their order, as many at a time as are looked at without a pause.

    A detail that is longer than all of a turn has one of its own.
    """
    turn: list[OpenedDetail] = []
    size = 0
    for detail in details:
        size += len(detail.detail)
        if turn and (size > CHARACTERS_AT_ONCE or len(turn) == LOOKED_AT_ONCE):
            yield turn
            turn, size = [], len(detail.detail)
        turn.append(detail)
    if turn:
        yield turn


async def keep_aside(
    hub: Hub, connection: AsyncConnection, known: Known, aside: Collection[SetAside]
) -> None:
    """Note what was set aside and raise the condition, in the caller's transaction.

    What a hub without names could not look at is no fault of the appliance, and no alarm.
    """
    if not aside:
        return
    await quarantine.add(
        known.site, connection, appliance=known.appliance, aside=aside, now_ms=hub.now_ms
    )
    forms = _alarming(aside)
    if not forms:
        return
    await conditions.raise_condition(
        known.site,
        connection,
        appliance=known.appliance,
        code=Condition.TEXT_SET_ASIDE,
        message=f"{len(aside)} set aside: {', '.join(sorted(forms))}",
        now_ms=hub.now_ms,
    )


def note_aside(hub: Hub, known: Known, aside: Collection[SetAside]) -> None:
    """Make the next answer to its check-in tell the appliance; call it after the commit."""
    if _alarming(aside):
        known.raised[Condition.TEXT_SET_ASIDE] = hub.now_ms
        hub.log.error("text_set_aside", appliance=known.appliance, texts=len(aside))


def _alarming(aside: Collection[SetAside]) -> set[str]:
    """Return the forms that were seen; that one could not look is none of them."""
    return {form for one in aside for form in one.forms} - {NOT_LOOKED_AT}

"""Closing incidents because a person ended what they were about, each told in evidence."""

from dataclasses import replace

import aiosqlite

from appliance.handlers.record import tell_turn
from appliance.handlers.work import Work
from appliance.store import incidents
from proto.ids import TargetId
from proto.incidents import IN_HAND, Cause, Incident, State
from proto.inventory import Platform

PERSON = "person"
"""What evidence says of who closed it; the name stays on the appliance, in the turn's note."""


async def close(
    conn: aiosqlite.Connection, work: Work, incident: Incident, *, cause: Cause, note: str
) -> None:
    """Close one incident in the caller's transaction."""
    now_ms = work.clock.now_ms()
    closed = replace(incident, state=State.CLOSED, cause=cause, closed_ms=now_ms, updated_ms=now_ms)
    await incidents.put(conn, closed)
    await tell_turn(conn, work, closed, actor=PERSON, note=note)


async def close_open(
    conn: aiosqlite.Connection,
    work: Work,
    target: TargetId,
    *,
    note: str,
    but: Platform | None = None,
) -> None:
    """Close what is open on a device that is no longer looked after; repairs under way end first.

    `but` is a platform whose incidents stay.
    """
    live = await incidents.live_of_target(conn, work.scribe.site, target)
    for incident in live.values():
        if incident.platform != but and incident.state not in IN_HAND:
            await close(conn, work, incident, cause=Cause.TARGET_REMOVED, note=note)

"""The running clock of this process, over the store: see `core/run_clock.py`."""

from typing import Final

import aiosqlite

from appliance.core.healing import REOPEN_MS
from appliance.core.run_clock import NOTED_EVERY_MS
from appliance.core.schedule import REFUSED
from appliance.handlers.work import Work
from appliance.store import findings, incidents, limits, meta
from appliance.store.meta import Key
from proto.errors import NoRoomError
from runtime.log import logger

log = logger("heal")

_NONE: Final = -1


async def run_ms(conn: aiosqlite.Connection, work: Work) -> int:
    """Return the time by the running clock."""
    clock, own_ms = work.run_clock, work.own_ms
    if (now_ms := clock.now_ms(own_ms)) is not None:
        return now_ms
    noted_ms = await meta.get_int(conn, Key.RUN_MS, _NONE)
    newest_ms = await limits.newest_ms(conn)
    if (now_ms := clock.now_ms(own_ms)) is not None:
        return now_ms  # another reader was first
    clock.begin(
        None if noted_ms == _NONE else noted_ms,
        own_ms=own_ms,
        first=(work.clock.now_ms(), newest_ms),
    )
    return await run_ms(conn, work)


async def lead_ms(conn: aiosqlite.Connection, work: Work) -> int:
    """Return how far the clock on the wall is ahead of the running clock."""
    return work.clock.now_ms() - await run_ms(conn, work)


async def note_run(conn: aiosqlite.Connection, work: Work) -> None:
    """Note how far the running clock came, in the transaction that counts a use by it."""
    now_ms = await run_ms(conn, work)
    await meta.put(conn, Key.RUN_MS, str(now_ms))
    work.run_clock.noted_ms = now_ms


async def pass_time(work: Work) -> None:
    """Note how far the running clock came, and let what waits follow a clock that was set.

    Raises:
        NoRoomError: the disk is full; what was counted stays young.
    """
    await follow_wall(work)
    async with work.store.read() as conn:
        now_ms = await run_ms(conn, work)
        noted_ms = work.run_clock.noted_ms
        newest_ms = await limits.newest_ms(conn)
    if noted_ms is None or now_ms - noted_ms < NOTED_EVERY_MS:
        return
    if newest_ms < noted_ms - limits.KEPT_MS:
        return  # nothing is counted any more
    async with work.store.write() as conn:
        await note_run(conn, work)


async def follow_wall(work: Work) -> None:
    """Let what waits for a time wait as long as before, whatever the clock on the wall says now.

    That is when an incident is looked at again, and for how long a target is left alone that
    refused a login: accounts are locked after a few refusals.

    Raises:
        NoRoomError: the disk is full; nothing was moved, and it is once there is room.
    """
    if not _has_stepped(work):
        return
    clock, before = work.run_clock, list[int | None]()
    try:
        async with work.store.write() as conn:
            # Whoever looked at the same time waited here, and finds it done.
            before.append(clock.wall_lead_ms)
            by_ms = await _follow(conn, work)
    except NoRoomError:
        if before:  # else nothing was looked at yet
            clock.wall_lead_ms = before[0]
        raise
    if by_ms:
        log.warning("the clock was set", by_s=by_ms // 1000)


async def _follow(conn: aiosqlite.Connection, work: Work) -> int | None:
    """Move what waits by as much as the clock on the wall was set; return by how much."""
    wall_ms = work.clock.now_ms()
    by_ms = work.run_clock.stepped_ms(wall_ms=wall_ms, own_ms=work.own_ms)
    if by_ms is None:
        # A start: what the gates held they look at again, and hold again where they must.
        await incidents.wait_at_most(conn, until_ms=wall_ms + REOPEN_MS)
        await findings.refused_by(conn, wall_ms, reasons=REFUSED)
    elif by_ms:
        await incidents.shift_waits(conn, by_ms)
        await findings.shift_refused(conn, by_ms, reasons=REFUSED)
    return by_ms


def _has_stepped(work: Work) -> bool:
    return work.run_clock.has_stepped(wall_ms=work.clock.now_ms(), own_ms=work.own_ms)

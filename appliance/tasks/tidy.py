"""Keeping everything bounded: old rows go, evidence last, and a full disk is said in time.

A disk that fills up takes its room from what `store/room.py` lists, in that order, and each thing
given up is logged and said on the health page; evidence that the hub has not acknowledged is not
on the list. While there is no room nothing is begun, and the loops wait.
"""

import shutil
from pathlib import Path

from appliance.handlers import held_back
from appliance.handlers.wellness import clear_condition, raise_in
from appliance.handlers.work import Work
from appliance.store import (
    evidence,
    findings,
    health,
    incidents,
    lan_rules,
    order_log,
    ordered,
    orders,
    targets,
    waivers,
)
from appliance.store.db import RESERVE_BYTES
from appliance.store.health import Condition
from appliance.store.room import BALLAST_BYTES, ENOUGH_BYTES, STAGES, Ballast
from proto.errors import NoRoomError
from runtime.log import logger

EVERY_S = 600.0
FULL_EVERY_S = 2.0
"""How often a full disk is looked at."""

FREE_BYTES_MIN = 256 * 1024 * 1024

log = logger("tidy")


async def run(work: Work, directory: Path) -> None:
    """Prune and look at the disk, for ever."""
    ballast = Ballast(directory)
    while True:
        is_well = await look(work, directory, ballast)
        await work.bells.tidy.wait(EVERY_S if is_well else FULL_EVERY_S)


async def look(work: Work, directory: Path, ballast: Ballast) -> bool:
    """Look at the disk, and prune when it is well; return whether it is."""
    try:
        is_well = await watch_disk(work, directory, ballast)
        if is_well:
            await prune(work)
    except NoRoomError as error:
        log.warning("disk_full", free_bytes=work.store.free_bytes(), error=str(error))
        return False
    return is_well


async def prune(work: Work) -> None:
    """Drop what its table's owner no longer keeps."""
    now_ms = work.clock.now_ms()
    async with work.store.write() as conn:
        await findings.prune(conn, work.content().checks)
        await incidents.prune(conn, now_ms=now_ms)
        await waivers.prune(conn, now_ms=now_ms)
        await ordered.prune(conn, now_ms=now_ms)
        await lan_rules.prune(conn, now_ms=now_ms)
        await targets.prune(conn, now_ms=now_ms)
        await evidence.prune(conn, now_s=now_ms // 1000)
        await order_log.prune(conn)
        await orders.prune(conn)
    await held_back.prune(work)


async def watch_disk(work: Work, directory: Path, ballast: Ballast) -> bool:
    """Make room when there is none, and say how the disk is; return whether it is well.

    Raises:
        NoRoomError: there is no room, and nothing more to give up.
    """
    free_bytes = work.store.free_bytes()
    if free_bytes <= RESERVE_BYTES:
        await make_room(work, ballast)
        return False
    if not ballast.is_there:
        if free_bytes <= BALLAST_BYTES + ENOUGH_BYTES:
            await _watch_low(work, directory)
            return False  # the disk has what the ballast gave, and no more
        ballast.make()
    for condition in (Condition.DISK_FULL, Condition.EVIDENCE_SHED):
        await clear_condition(work, condition)
    await _watch_low(work, directory)
    return True


async def _watch_low(work: Work, directory: Path) -> None:
    free_bytes = shutil.disk_usage(directory).free
    if free_bytes >= FREE_BYTES_MIN:
        await clear_condition(work, Condition.DISK_LOW)
        return
    detail = f"{free_bytes // 1024 // 1024} MiB are free at {directory}"
    await _say(work, Condition.DISK_LOW, detail)


async def make_room(work: Work, ballast: Ballast) -> None:
    """Give up what may be given up, in its order, until there is enough room.

    Raises:
        NoRoomError: everything was given up, and there is still no room.
    """
    given: list[str] = []
    if ballast.drop():
        given.append("the ballast")
    await work.store.give_back()
    for stage in STAGES:
        gone = 0
        while work.store.free_bytes() < ENOUGH_BYTES:
            async with work.store.write_in_reserve() as conn:
                rows = await stage.give_up(conn)
            await work.store.give_back()
            gone += rows
            if not rows:
                break
        if gone:
            log.warning("given up", what=stage.name, rows=gone)
            given.append(f"{gone} {stage.name}")
            if stage.is_evidence:
                await _say(work, Condition.EVIDENCE_SHED, f"{gone} {stage.name}")
    await _say(work, Condition.DISK_FULL, f"given up: {', '.join(given)}" if given else "")
    if not work.store.has_room():
        msg = "nothing more can be given up"
        raise NoRoomError(msg)


async def _say(work: Work, condition: Condition, detail: str) -> None:
    """Raise a condition in the reserve, or put a newer detail to one that holds."""
    async with work.store.write_in_reserve() as conn:
        if await raise_in(conn, work, condition, detail=detail):
            log.error("unwell", condition=condition.value, detail=detail)
        elif detail:
            await health.tell(conn, condition, detail=detail)

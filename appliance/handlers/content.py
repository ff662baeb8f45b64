"""Asking for signed content, putting it in force, and saying what is wrong with it.

Each way to be refused is a condition of its own, which stands until the repository is in order
again. What has ended is a condition too, with since when; it stops what is new, never what runs.
"""

from datetime import UTC, datetime

from appliance.core import content_refusals
from appliance.core.content_refusals import ContentRefusedError, ExpiredError, FrozenError
from appliance.core.trusted import ONLINE
from appliance.handlers.library import Library
from appliance.handlers.site_clock import count, pass_root
from appliance.handlers.wellness import clear_condition, raise_condition
from appliance.handlers.work import Work
from appliance.store import order_state
from appliance.store.health import Condition
from runtime.clock import seconds

CONDITIONS = {kind.code: Condition(kind.code) for kind in content_refusals.EVERY}
"""The condition of each error, which has its code."""


async def now_s(work: Work) -> int:
    """Return the time by which signatures end: a clock that was set back gives nothing new life."""
    async with work.store.read() as conn:
        floor = (await order_state.load(conn)).floor
    work.word.floor_s = floor.at_s
    return floor.now_s(seconds(work.clock))


async def _pass(work: Work, made_s: int) -> None:
    async with work.store.read() as conn:
        if await order_state.people_s(conn) == made_s:
            return
    async with work.store.write() as conn:
        await order_state.pass_people(conn, made_s)


async def look(work: Work, library: Library) -> None:
    """Ask the repository once; what it refuses is told, and not raised.

    Raises:
        UnreachableError: the hub does not answer.
        NoRoomError: the disk is full; nothing was taken.
    """
    try:
        changed = await library.look(now_s=await now_s(work))
    except ContentRefusedError:
        changed = False
    await settle(work, library, changed=changed)


async def fetch(work: Work, library: Library) -> None:
    """Ask the repository once, and say so to whoever asked when it is refused.

    Raises:
        ContentRefusedError: what it offers is not taken.
        UnreachableError: the hub does not answer.
    """
    await look(work, library)
    if library.refusal is not None:
        raise library.refusal


async def load_carried(work: Work, library: Library) -> bool:
    """Take a carried file; return True when other content is in force now.

    Raises:
        ContentRefusedError: it is not taken.
    """
    try:
        changed = await library.load_carried(now_s=await now_s(work))
    except ContentRefusedError:
        await settle(work, library, changed=False)
        raise
    await settle(work, library, changed=changed)
    return changed


async def settle(work: Work, library: Library, *, changed: bool) -> None:
    """Say how the content is, and wake what goes by it when it changed."""
    if changed:
        for bell in (work.bells.scan, work.bells.heal, work.bells.check_in):
            bell.ring()
    if (root := library.newest_root()) is not None:
        # A floor that is far ahead ends all that is behind the root that is to put it right.
        await pass_root(work, version=root.version, created_s=root.created)
    if library.trusted is not None:
        trusted = library.trusted
        await pass_root(work, version=trusted.root_version, created_s=trusted.root_s)
        await _pass(work, trusted.made_s)
        await count(work, trusted.made_s, trusted.root_s)
    wanted = unwell(library, now_s=await now_s(work), clock_s=seconds(work.clock))
    for condition in CONDITIONS.values():
        if condition in wanted:
            await raise_condition(work, condition, detail=wanted[condition])
        else:
            await clear_condition(work, condition)


def unwell(library: Library, *, now_s: int, clock_s: int) -> dict[Condition, str]:
    """Return what is wrong with the content now, with a detail for people.

    Args:
        library: the content.
        now_s: the time by which signatures end.
        clock_s: the clock on the wall, by which people read a date.
    """
    found: dict[Condition, str] = {}
    if library.trusted is not None:
        ended = library.trusted.ended(now_s=now_s)
        for code, parts in (
            (FrozenError.code, ended.keys() & ONLINE),
            (ExpiredError.code, ended.keys() - ONLINE),
        ):
            if parts:
                said = [f"the {part} ended {_day(ended[part])}" for part in sorted(parts)]
                if any(ended[part] > clock_s for part in parts):
                    said.append(f"the floor clock is ahead, at {_day(now_s)}: osiris site clock")
                found[CONDITIONS[code]] = "; ".join(said)
    if library.refusal is not None:
        code = library.refusal.code
        condition = CONDITIONS.get(code, Condition.CONTENT_REFUSED)
        found.setdefault(condition, str(library.refusal))
    return found


def _day(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"

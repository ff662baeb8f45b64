"""The floor clock as people on the LAN see and set it; and what a new trust root does to it.

The floor is the highest signed time that this appliance verified. Where a clock ran ahead, or a hub
that was taken over dated its heads ahead, it stands in the future, and what people sign ends too
soon. Nothing that the hub sends lowers it. Two do:

- a person on the LAN, by name and with a reason, to any time. What people signed before that is
  not counted anew, so the lowering lasts; what the hub signs moves it again by a day at most;
- a trust root that people signed after the one that is known, and never below the root's own date,
  the clock on the wall or what has surely passed: a root that was held back lowers no floor that is
  right, though whoever holds it back may have set the network's clock too. It counts as soon as it
  is verified, though by that floor all that is behind it may have ended.

What has surely passed is the newest date that people signed, and how long this appliance has run
since. While it did not run nothing was counted: so far, and no further, a root may put the floor
back where the clock on the wall is false.

Either is a receipt in the evidence log, in the transaction that does it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

import aiosqlite

from appliance.core.order_gate.answers import clock_of
from appliance.core.order_gate.clock import Floor, passed_s
from appliance.handlers.work import Work
from appliance.store import accounts, clock_sets, order_state
from appliance.store.clock_sets import ClockRow
from appliance.store.order_state import OrderState
from appliance.store.receipts import Pen
from proto import strict_json
from proto.errors import ConflictError, MalformedError, NoRoomError
from proto.evidence import SALT_BYTES, commit
from runtime.clock import seconds
from runtime.log import logger

log = logger("clock")

REASON_CHARS_MAX: Final = 500
COUNT_EVERY_S: Final = 600
"""How much of a run a process that is cut off may lose."""

TIME_S_MAX: Final = 4_102_444_800
"""2100-01-01: a date behind it is a slip of the hand."""

BY_ROOT: Final = "root"


class NoPersonError(ConflictError):
    """The clock is set by a person with an account that may sign in."""

    code = "no_person"


@dataclass(frozen=True, slots=True)
class ClockView:
    """The clocks of this appliance, for people.

    Attributes:
        clock_s: the clock on the wall.
        floor_s: the highest signed time that was verified, 0 before the first.
        now_s: the later of the two, by which orders, keys and content end.
        changes: who set the floor, newest first.
    """

    clock_s: int
    floor_s: int
    now_s: int
    changes: tuple[ClockRow, ...]


async def view(work: Work) -> ClockView:
    """Return how the clocks stand."""
    clock_s = seconds(work.clock)
    async with work.store.read() as conn:
        floor = (await order_state.load(conn)).floor
        changes = tuple(await clock_sets.every(conn))
    return ClockView(clock_s, floor.at_s, floor.now_s(clock_s), changes)


async def set_clock(work: Work, to_s: int, *, account: str, reason: str) -> ClockView:
    """Set the floor, higher or lower, by a person's word.

    Raises:
        MalformedError: the time or the reason is none.
        NotFoundError: there is no such account.
        NoPersonError: the account is shut out.
    """
    reason = reason.strip()
    if not 0 <= to_s <= TIME_S_MAX:
        msg = "the time must be one between 1970 and 2100"
        raise MalformedError(msg)
    if not reason or len(reason) > REASON_CHARS_MAX or not reason.isprintable():
        msg = f"a reason is needed, of one line and at most {REASON_CHARS_MAX} characters"
        raise MalformedError(msg)
    salt = work.entropy(SALT_BYTES)
    sealed = strict_json.b64_encode(commit(salt, strict_json.dumps({"reason": reason})))
    async with work.store.write() as conn:
        code = await _person(conn, account)
        state = await order_state.load(conn)
        after = state.floor.set_by_person(to_s)
        pen = _pen(work, state, after)
        was_s = state.floor.at_s
        pen.add(partial(clock_of, was=was_s, by="lan", account=code, commit=sealed))
        (leaf,) = await pen.write(conn)
        await order_state.set_floor(conn, after)
        if to_s < await order_state.passed(conn):
            await order_state.keep_passed(conn, to_s)  # what a person says is the better word
        row = ClockRow(leaf, work.clock.now_ms(), account, was_s, to_s, reason, salt)
        await clock_sets.add(conn, row)
    _went(work, after, was_s=was_s, by=account)
    return await view(work)


async def _person(conn: aiosqlite.Connection, account: str) -> str:
    found = {one.name: one for one in await accounts.all_of(conn)}
    code = await accounts.code_of(conn, account)
    if found[account].disabled_ms is not None:
        msg = f"the account {account} is shut out"
        raise NoPersonError(msg)
    return code


async def count(work: Work, *signed_s: int) -> None:
    """Count how long this appliance has run, from the newest date that its people signed.

    Args:
        work: the appliance.
        signed_s: when people say that they signed what is in force.
    """
    if work.word.counted_s is None:
        work.word.counted_s = work.own_s
    async with work.store.read() as conn:
        known_s, ran_s = await order_state.passed(conn), _ran_s(work)
    if ran_s < COUNT_EVERY_S and _passed_s(work, known_s, signed_s) == known_s + ran_s:
        return
    counted_s = work.word.counted_s
    try:
        async with work.store.write() as conn:
            found_s = _passed_s(work, await order_state.passed(conn), signed_s)
            # Counted before it is stored: whoever comes between the two counts nothing twice.
            counted_s, work.word.counted_s = work.word.counted_s, work.own_s
            await order_state.keep_passed(conn, found_s)
    except NoRoomError:
        work.word.counted_s = counted_s


def _ran_s(work: Work) -> int:
    """Return how long this process has run since it counted that last."""
    from_s = work.word.counted_s
    return 0 if from_s is None else max(work.own_s - from_s, 0)


def _passed_s(work: Work, known_s: int, signed_s: Iterable[int] = ()) -> int:
    return passed_s(known_s, ran_s=_ran_s(work), signed_s=signed_s, clock_s=seconds(work.clock))


async def pass_root(work: Work, *, version: int, created_s: int) -> None:
    """Count a trust root that was verified: a later one than is known may lower the floor."""
    async with work.store.read() as conn:
        known = await order_state.root_version(conn)
    if version <= known:
        return
    async with work.store.write() as conn:
        state = await order_state.load(conn)
        sure_s = _passed_s(work, await order_state.passed(conn))
        after = state.floor.after_root(created_s, clock_s=seconds(work.clock), passed_s=sure_s)
        await order_state.keep_root(conn, version)
        if known == 0 or after == state.floor:
            return
        was_s = state.floor.at_s
        pen = _pen(work, state, after)
        pen.add(partial(clock_of, was=was_s, by="root", account=BY_ROOT))
        await pen.write(conn)
        await order_state.set_floor(conn, after)
    _went(work, after, was_s=was_s, by=BY_ROOT)


def _pen(work: Work, state: OrderState, after: Floor) -> Pen:
    now_s = after.now_s(seconds(work.clock))
    return Pen(work.scribe, prev=state.receipt_prev, now_s=now_s, floor_s=after.at_s)


def _went(work: Work, after: Floor, *, was_s: int, by: str) -> None:
    log.warning("floor clock set", by=by, was=was_s, now=after.at_s)
    work.word.floor_s = after.at_s
    for bell in (work.bells.uplink, work.bells.orders, work.bells.content):
        bell.ring()

"""Running what the gate accepted, once, and the receipt of how it ended.

The lease is the deadline in the intent receipt: a run that passes it has the outcome "unknown", and
so has one that a crash left open. Neither is ever run again; the hub may issue a new order.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Final

import aiosqlite

from appliance.core.order_gate import answers
from appliance.core.order_gate.values import Accepted, LeafRef
from appliance.core.records import Opening
from appliance.handlers.orders import Done, Resume, Run
from appliance.handlers.patience import room
from appliance.handlers.work import Work
from appliance.store import order_state, orders, receipts
from appliance.store.orders import Row
from appliance.store.receipts import Pen
from proto import strict_json
from proto.errors import NoRoomError, OsirisError
from proto.evidence import DETAIL_BYTES_MAX, RESULT_PART, SALT_BYTES, commit
from proto.orders.kinds import OrderType
from proto.phi.leaving import closed, document
from proto.receipts import Outcome
from runtime.log import logger

log = logger("orders")

WHY: Final = "why"
_REASONS: Final = ("stopped", "timeout", "too_long")


def unknown(reason: str) -> Done:
    """Return an end that nobody saw; `reason` is "stopped" or "timeout"."""
    return Done(Outcome.UNKNOWN, {WHY: closed(reason, _REASONS)})


async def carry_out(work: Work, accepted: Accepted, run: Run) -> None:
    """Run an order whose intent is durable, until its deadline, and write its result receipt."""
    ref, order_type = accepted.read.ref, accepted.read.order.type
    log.info("order begins", leaf=ref.index, type=order_type.value)
    async with work.store.read() as conn:
        floor = (await order_state.load(conn)).floor
    left_s = accepted.deadline_s - floor.now_s(work.clock.now_ms() // 1000)
    done = await _ended(work, accepted, run, left_s=left_s)
    await finish(work, ref, done)
    log.info("order ended", leaf=ref.index, type=order_type.value, outcome=done.outcome.value)


async def _ended(work: Work, accepted: Accepted, run: Run, *, left_s: int) -> Done:
    """Return how a run ended; an error that is nobody's on purpose ends the process instead."""
    limit = asyncio.timeout(max(left_s, 0))
    try:
        async with limit:
            return await run(work, accepted)
    except TimeoutError:
        if not limit.expired():
            raise
        return unknown("timeout")
    except OsirisError as error:
        log.warning("order failed", leaf=accepted.read.ref.index, code=error.code, error=str(error))
        return Done(Outcome.FAILED, {WHY: closed(error.code, (error.code,))})


async def finish(work: Work, ref: LeafRef, done: Done) -> None:
    """Write the result receipt and settle the ledger's row, in one transaction.

    With no room on the disk it waits for some: what ran is not run again for want of a receipt.
    """
    while True:
        try:
            async with work.store.write() as conn:
                await _finish_in(conn, work, ref, done)
        except NoRoomError:
            work.bells.tidy.ring()
            await room(work)
        else:
            break
    work.bells.uplink.ring()


async def _finish_in(conn: aiosqlite.Connection, work: Work, ref: LeafRef, done: Done) -> None:
    state = await order_state.load(conn)
    now_s = state.floor.now_s(work.clock.now_ms() // 1000)
    pen = Pen(work.scribe, prev=state.receipt_prev, now_s=now_s, floor_s=state.floor.at_s)
    opening = _opening(work, done)
    sealed = commit(opening.salt, str(opening.detail).encode())
    make = partial(
        answers.result_of, ref, outcome=done.outcome, commit=strict_json.b64_encode(sealed)
    )
    pen.add(make, {RESULT_PART: opening})
    (leaf,) = await pen.write(conn)
    await orders.finish(conn, ref.index, outcome=done.outcome, final=leaf, now_s=now_s)


def _opening(work: Work, done: Done) -> Opening:
    """Return what the result commits to: what the run told, or that it is too long to tell."""
    detail = document(done.told)
    if len(str(detail).encode()) > DETAIL_BYTES_MAX:
        detail = document({WHY: closed("too_long", _REASONS)})
    return Opening(work.entropy(SALT_BYTES), detail)


async def settle_unfinished(work: Work, resumes: Mapping[OrderType, Resume]) -> int:
    """Give everything that ran when the process ended its result; return how many there were.

    A type that ends only after a start says how it ended; for every other it is unknown. What
    waited waits anew: its clock ended with that process (`core/order_gate/clock.py`).
    """
    async with work.store.read() as conn:
        open_runs = await orders.running(conn)
        waits = bool(await orders.waiting(conn))
    if waits:
        async with work.store.write() as conn:
            await orders.wait_anew(conn, own_s=work.own_s)
    for row in open_runs:
        resume = resumes.get(row.type) if row.type is not None else None
        done = unknown("stopped") if resume is None else await _resumed(work, row, resume)
        log.warning("order settled after a start", leaf=row.index, outcome=done.outcome.value)
        await finish(work, row.ref, done)
    return len(open_runs)


async def _resumed(work: Work, row: Row, resume: Resume) -> Done:
    try:
        async with work.store.read() as conn:
            intent = await receipts.intent_at(conn, work.scribe, row.intent or 0)
        return await resume(work, intent)
    except OsirisError as error:
        log.warning("order cannot say how it ended", leaf=row.index, error=str(error))
        return unknown("stopped")

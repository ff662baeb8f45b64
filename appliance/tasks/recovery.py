"""Whether this disk was put back to an earlier day: asked of the hub before orders are judged.

An appliance that holds less of its own evidence than the hub acknowledged has answered orders that
it does not remember. It gets its leaves back, verified as its own, puts them in their places, and
brings ledger and floor clock to where its receipts say they were. Only then it acts on orders. What
happened is told in evidence.
"""

from dataclasses import replace
from typing import Final

import aiosqlite

from appliance.handlers.own_keys import follow_store
from appliance.handlers.wellness import clear_in, raise_in, tell_well
from appliance.handlers.work import Work
from appliance.store import evidence, health, meta, order_state, recall
from appliance.store.health import Condition
from appliance.store.meta import Key
from appliance.store.recall import Lost
from proto.errors import ConfigError, IntegrityError, RejectedError
from proto.hub.evidence import BATCH_BYTES_MAX, EvidenceBack, EvidenceWanted
from runtime.log import logger

log = logger("orders")

LEAVES_MAX: Final = 100_000
"""Leaves that one recovery takes back at most; more is a job for a person."""


async def catch_up(work: Work) -> bool:
    """Compare this log with what the hub holds of it, and put back what is missing here.

    Returns whether the two are level; once they were, this process knows it.

    Raises:
        UnreachableError: no answer.
        RejectedError: the hub refuses the question.
    """
    if work.word.is_level:
        return True
    async with work.store.read() as conn:
        sure = (await evidence.head(conn)).acked_size
    given = await _hub_leaves(work, sure)
    async with work.store.read() as conn:
        lost = await recall.first_difference(conn, sure, given)
    if lost is None:
        await _level(work)
    elif not await _put_back(work, lost):
        return False
    work.word.is_level = True
    work.bells.uplink.ring()
    return True


async def _hub_leaves(work: Work, first: int) -> list[bytes]:
    """Return every leaf of this appliance that the hub holds from `first` on.

    Raises:
        RejectedError: the hub says that it has more, and gives none.
    """
    found: list[bytes] = []
    have = first + 1
    while first + len(found) < have:
        asked = EvidenceWanted(
            appliance=work.scribe.appliance,
            iat=work.clock.now_ms() // 1000,
            first=first + len(found),
        )
        answer = await work.hub.send(asked)
        reply = EvidenceBack.from_bytes(answer, "evidence back", size_bytes_max=BATCH_BYTES_MAX)
        have = reply.have
        is_short = first + len(found) < have and not reply.leaves
        if reply.first != asked.first or is_short or have - first > LEAVES_MAX:
            msg = f"the hub holds {have} leaves and does not give those from {asked.first} on"
            raise RejectedError(msg)
        found += [leaf.encode("ascii") for leaf in reply.leaves]
    return found


async def _put_back(work: Work, lost: Lost) -> bool:
    """Put lost leaves back in one transaction; return False when they cannot be this log's."""
    detail = f"the hub holds {len(lost.envelopes)} leaves from {lost.first} on that are not here"
    try:
        receipts = await _put_back_now(work, lost, detail=detail)
    except (ConfigError, IntegrityError, RejectedError) as error:
        log.error("evidence cannot be put back", error=str(error), code=error.code)  # noqa: TRY400 - a refusal, not a fault of this program
        async with work.store.write() as conn:
            state = await order_state.load(conn)
            await order_state.save(conn, replace(state, is_recovering=True))
            await raise_in(conn, work, Condition.ORDERS_RECOVERING, detail=str(error))
        return False
    await follow_store(work)
    log.warning("evidence was put back", first=lost.first, leaves=len(lost.envelopes))
    log.warning("orders were answered that this disk forgot", receipts=receipts)
    tell_well(work, Condition.ORDERS_RECOVERING)
    work.bells.check_in.ring()
    return True


async def _put_back_now(work: Work, lost: Lost, *, detail: str) -> int:
    sealing = work.box_keys.key.public if work.box_keys else None
    async with work.scribe.turning(work.store) as conn:
        receipts = await recall.put_back(conn, work.scribe, lost, own_s=work.own_s, sealing=sealing)
        state = await order_state.load(conn)
        await order_state.save(conn, replace(state, is_recovering=False))
        await _count_on(conn, work)
        await raise_in(conn, work, Condition.ORDERS_RECOVERING, detail=detail)
        await clear_in(conn, work, Condition.ORDERS_RECOVERING)
    return receipts


async def _level(work: Work) -> None:
    """End a recovery that an answer before this one began: nothing is missing here after all.

    One bad answer holds orders back until a good one, and not for ever.
    """
    async with work.store.read() as conn:
        if not await _is_behind(conn):
            return
    async with work.store.write() as conn:
        state = await order_state.load(conn)
        await order_state.save(conn, replace(state, is_recovering=False))
        is_told = await clear_in(conn, work, Condition.ORDERS_RECOVERING)
    if is_told:
        tell_well(work, Condition.ORDERS_RECOVERING)


async def _is_behind(conn: aiosqlite.Connection) -> bool:
    raised = await health.raised(conn)
    return (await order_state.load(conn)).is_recovering or Condition.ORDERS_RECOVERING in raised


async def _count_on(conn: aiosqlite.Connection, work: Work) -> None:
    """Let numbers that only rise go on above all that this disk forgot: from the time in seconds.

    None of them rises once a second for as long as there has been a clock.
    """
    for key in (Key.CHECK_IN_SEQ, Key.DEVICE_PAGE_SEQ):
        known = await meta.get_int(conn, key)
        await meta.put(conn, key, str(max(known, work.clock.now_ms() // 1000)))

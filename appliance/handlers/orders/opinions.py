"""What people said of orders, taken in from wherever it comes, after it was verified.

A veto and the end of a hold by operators come from the hub; the same and a consent by people on the
LAN are signed by this appliance. A statement that does not count changes nothing.
"""

from dataclasses import replace

import aiosqlite

from appliance.handlers.wellness import clear_in, tell_well
from appliance.handlers.work import Work
from appliance.store import opinions, order_state
from appliance.store.health import Condition
from appliance.store.opinions import OpinionKind
from proto.authority import AuthoritySet
from proto.envelope import Kind, parse
from proto.errors import MalformedError, RejectedError
from proto.keys import Holder
from proto.opinions import open_clear, open_consent, open_veto
from proto.receipts import FIRST_PREV
from runtime.log import logger

log = logger("orders")

SID_CHARS = len(FIRST_PREV)


def own_holder(work: Work) -> Holder:
    """Return this appliance as the signer of what people on the LAN say."""
    return Holder(work.scribe.appliance, work.scribe.key.public)


async def take_opinion(work: Work, authority: AuthoritySet, data: bytes) -> None:
    """Take one signed statement: a veto, a consent, or the end of a hold.

    Raises:
        RejectedError: it does not count here; nothing was changed.
    """
    kind = parse(data).kind
    if kind is Kind.VETO:
        await _take_veto(work, authority, data)
    elif kind is Kind.CONSENT:
        await _take_yes(work, authority, data)
    else:
        msg = f"an opinion is a veto or a consent, not a {kind.value}"
        raise MalformedError(msg)
    work.bells.orders.ring()


async def take_opinions(work: Work, authority: AuthoritySet, several: list[bytes]) -> int:
    """Take what counts of several statements that the hub passed on; return how many did."""
    taken = 0
    for data in several:
        try:
            await take_opinion(work, authority, data)
            taken += 1
        except RejectedError as error:
            log.warning("opinion refused", code=error.code, error=str(error))
    return taken


async def _now_s(conn: aiosqlite.Connection, work: Work) -> int:
    return (await order_state.load(conn)).floor.now_s(work.clock.now_ms() // 1000)


async def _take_veto(work: Work, authority: AuthoritySet, data: bytes) -> None:
    async with work.store.write() as conn:
        now_s = await _now_s(conn, work)
        veto = open_veto(
            data,
            authority=authority,
            site=work.scribe.site,
            appliance=own_holder(work),
            now_s=now_s,
        )
        await opinions.add(
            conn, veto.order, OpinionKind.VETO, by=veto.by, statement=data, at_s=now_s
        )


async def _take_yes(work: Work, authority: AuthoritySet, data: bytes) -> None:
    site, own = work.scribe.site, own_holder(work)
    async with work.store.write() as conn:
        now_s = await _now_s(conn, work)
        try:
            consent = open_consent(data, site=site, appliance=own, now_s=now_s)
        except RejectedError:
            clear = open_clear(data, authority=authority, site=site, appliance=own, now_s=now_s)
        else:
            await opinions.add(
                conn, consent.order, OpinionKind.CONSENT, by=consent.by, statement=data, at_s=now_s
            )
            return
        state = await order_state.load(conn)
        after = state.watch.cleared(clear)
        if after == state.watch:
            return
        await order_state.save(conn, replace(state, watch=after))
        is_told = await clear_in(conn, work, Condition.ORDERS_HELD)
    log.warning("hold on orders ended", by=clear.by)
    if is_told:
        tell_well(work, Condition.ORDERS_HELD)

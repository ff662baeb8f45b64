"""What people said of orders, taken in from wherever it comes, after it was verified.

A veto and the end of a hold by operators come from the hub; the same and a consent by people on the
LAN are signed by this appliance. What people said at another appliance of the site comes from the
hub too, and stops an order for the whole site. A statement that does not count changes nothing.

A word of the LAN that took hold, and the end of a hold by whomever, stands in evidence as it was
signed, written in the transaction that heeds it.
"""

from collections.abc import Sequence
from dataclasses import replace

import aiosqlite

from appliance.core.order_gate.ledger import State
from appliance.core.saying import NO_REASON, Why, Word, require_room, said_draft
from appliance.handlers.wellness import clear_in, tell_well
from appliance.handlers.work import Work
from appliance.store import evidence, opinions, order_state, orders
from appliance.store.health import Condition
from appliance.store.opinions import OpinionKind
from appliance.store.views.orders import body_of
from proto.authority import AuthoritySet
from proto.envelope import Kind, parse
from proto.errors import MalformedError, RejectedError
from proto.evidence import SaidBy
from proto.hub.orders import NeighbourVeto
from proto.keys import Holder
from proto.opinions import (
    LanVeto,
    OpinionScopeError,
    open_clear,
    open_consent,
    open_lan_veto,
    open_veto,
)
from proto.order import SiteTarget
from proto.receipts import FIRST_PREV
from runtime.log import logger

log = logger("orders")

SID_CHARS = len(FIRST_PREV)


def own_holder(work: Work) -> Holder:
    """Return this appliance as the signer of what people on the LAN say."""
    return Holder(work.scribe.appliance, work.scribe.key.public)


async def take_opinion(
    work: Work, authority: AuthoritySet, data: bytes, *, why: Why = NO_REASON
) -> None:
    """Take one signed statement: a veto, a consent, or the end of a hold.

    Args:
        work: what the appliance works with.
        authority: whose keys count.
        data: the statement.
        why: the reason of a veto on the LAN, which stays here.

    Raises:
        RejectedError: it does not count here; nothing was changed.
    """
    kind = parse(data).kind
    if kind is Kind.VETO:
        is_told = await _take_veto(work, authority, data, why)
    elif kind is Kind.CONSENT:
        is_told = await _take_yes(work, authority, data)
    else:
        msg = f"an opinion is a veto or a consent, not a {kind.value}"
        raise MalformedError(msg)
    work.bells.orders.ring()
    if is_told:
        work.bells.uplink.ring()


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


async def take_neighbours(work: Work, several: Sequence[NeighbourVeto]) -> int:
    """Take what is new of what people said at the site's other appliances; return how many were.

    Their keys are the hub's word, so nothing is taken but what only ever stops, and only of an
    order for the whole site that waits here: the hub tells it again for as long as that one lives.
    """
    taken = 0
    for one in several:
        try:
            taken += await _take_neighbours(work, one)
        except RejectedError as error:
            log.warning("neighbour's veto refused", code=error.code, error=str(error))
    if taken:
        work.bells.orders.ring()
        work.bells.uplink.ring()
    return taken


async def _take_neighbours(work: Work, said: NeighbourVeto) -> bool:
    holder, data = said.holder(), said.statement.encode()
    if said.appliance == work.scribe.appliance:
        msg = f"a veto of {said.appliance} is signed here, and not heard from the hub"
        raise OpinionScopeError(msg)
    require_room(data)
    async with work.store.write() as conn:
        now_s = await _now_s(conn, work)
        veto = open_lan_veto(data, site=work.scribe.site, appliance=holder, now_s=now_s)
        if not await _waits_for_site(conn, veto.order):
            return False
        by = f"{veto.by} at {veto.appliance}"
        is_new = await opinions.add(
            conn, veto.order, OpinionKind.VETO, by=by, statement=data, at_s=now_s
        )
        if is_new:
            await _tell(conn, work, veto, data, by=SaidBy.NEIGHBOUR)
    return is_new


async def _waits_for_site(conn: aiosqlite.Connection, order: str) -> bool:
    """Tell whether an order of that name, for the whole site, waits here."""
    row = await orders.by_sid(conn, order)
    if row is None or row.state is not State.WAITING:
        return False
    found = await body_of(conn, row)
    return found is not None and isinstance(found.target, SiteTarget)


async def _tell(
    conn: aiosqlite.Connection, work: Work, word: Word, data: bytes, *, by: SaidBy
) -> None:
    """Put a word that took hold in evidence, with the statement itself."""
    draft = said_draft(work.author(), word, data, by=by)
    await evidence.append(conn, work.scribe, [draft])


async def _now_s(conn: aiosqlite.Connection, work: Work) -> int:
    return (await order_state.load(conn)).floor.now_s(work.clock.now_ms() // 1000)


async def _take_veto(work: Work, authority: AuthoritySet, data: bytes, why: Why) -> bool:
    """Keep a veto; return whether evidence tells of it."""
    async with work.store.write() as conn:
        now_s = await _now_s(conn, work)
        veto = open_veto(
            data,
            authority=authority,
            site=work.scribe.site,
            appliance=own_holder(work),
            now_s=now_s,
        )
        is_new = await opinions.add(
            conn, veto.order, OpinionKind.VETO, by=veto.by, statement=data, at_s=now_s, why=why
        )
        # An operator's own veto stands at the hub, and in the receipt of what it stopped.
        if not is_new or not isinstance(veto, LanVeto):
            return False
        await _tell(conn, work, veto, data, by=SaidBy.LAN)
    return True


async def _take_yes(work: Work, authority: AuthoritySet, data: bytes) -> bool:
    """Heed a consent or the end of a hold; return whether evidence tells of it."""
    require_room(data)
    site, own = work.scribe.site, own_holder(work)
    async with work.store.write() as conn:
        now_s = await _now_s(conn, work)
        try:
            consent = open_consent(data, site=site, appliance=own, now_s=now_s)
        except RejectedError:
            clear = open_clear(data, authority=authority, site=site, appliance=own, now_s=now_s)
        else:
            is_new = await opinions.add(
                conn, consent.order, OpinionKind.CONSENT, by=consent.by, statement=data, at_s=now_s
            )
            if is_new:
                await _tell(conn, work, consent, data, by=SaidBy.LAN)
            return is_new
        state = await order_state.load(conn)
        after = state.watch.cleared(clear)
        if after == state.watch:
            return False
        await order_state.save(conn, replace(state, watch=after))
        is_ours = own.key.key_id in parse(data).key_ids
        await _tell(conn, work, clear, data, by=SaidBy.LAN if is_ours else SaidBy.OPERATORS)
        is_well = await clear_in(conn, work, Condition.ORDERS_HELD)
    log.warning("hold on orders ended", by=clear.by)
    work.bells.ask_orders.ring()  # so that the hub hears of it
    if is_well:
        tell_well(work, Condition.ORDERS_HELD)
    return True

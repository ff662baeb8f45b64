"""What operators do about orders, for their own machines and for the console's pages alike."""

import hashlib
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from central import order_life
from central.core.desk_asks import drafts_of, require_recent, require_scope
from central.core.orders import Draft
from central.core.signing import log_name
from central.state import Hub
from central.store import order_log, order_said, order_words, orders, sites
from central.store.order_said import HoldRow
from central.store.order_words import Opinion
from central.store.views.orders import (
    OrderView,
    receipt_envelopes,
    renewal_envelopes,
    views_of,
)
from proto import merkle
from proto.asks import Ask, open_ask
from proto.authority import AuthoritySet
from proto.envelope import Kind, Signature, parse
from proto.errors import ConflictError, NotFoundError
from proto.ids import ApplianceId, SiteId
from proto.opinions import (
    CLEAR_PEOPLE,
    Clear,
    OperatorVeto,
    OpinionScopeError,
    open_operators_clear,
    open_operators_veto,
)
from proto.order import ApplianceTarget, Target
from proto.order_file import RECEIPTS_MAX, RENEWALS_MAX, LeafPlace, OrderFile, Renewal
from proto.order_log import origin_of
from proto.strict_json import b64_encode


async def authority_for(hub: Hub, data: bytes) -> AuthoritySet:
    """Return whose signatures count now, as the signer has it, for what came as an envelope.

    Raises:
        MalformedError: it is no envelope, so nobody need be asked.
        NoAuthorityError: there is none that holds.
        UnreachableError: the signer does not answer.
    """
    parse(data)
    # Asked how it does, the signer looks whether people published something newer.
    await hub.signer.status()
    return hub.desk.authority(hub.now_ms // 1000)


async def take_ask(hub: Hub, data: bytes) -> list[OrderView]:
    """Draft what an operator's signed ask wants, and return it as it stands then.

    Raises:
        RejectedError: nobody who counts signed it, it came before, or is not theirs to ask for.
        NotFoundError: a site or an appliance is not there.
        UnreachableError: the signer does not answer whose word counts; nothing was stored.
    """
    now_ms = hub.now_ms
    authority = await authority_for(hub, data)
    ask = open_ask(data, authority=authority, now_s=now_ms // 1000)
    hub.desk.memory.take(ask.by, ask.nonce, now_s=now_ms // 1000)
    for target in ask.targets:
        require_scope(ask.by, ask.type, target.site, authority)
    return await draft(hub, ask, envelope=data)


async def draft(hub: Hub, ask: Ask, *, envelope: bytes | None) -> list[OrderView]:
    """Draft what is wanted; `envelope` is None where a page of the console made the ask.

    Raises:
        NotFoundError: a site or an appliance is not there.
        RejectedError: a site has as many open drafts as it may have.
    """
    await _require_there(hub, ask.targets)
    runbooks = await hub.desk.current_runbooks()
    drafts = drafts_of(ask, envelope, runbooks=runbooks, now_ms=hub.now_ms)
    made = await order_life.draft(hub, drafts)
    async with hub.store.read() as connection:
        return await views_of(connection, made, now_s=hub.now_ms // 1000)


async def _require_there(hub: Hub, targets: Sequence[Target]) -> None:
    async with hub.store.read() as connection:
        for target in targets:
            await sites.find_site(SiteId(target.site), connection)
    for target in targets:
        if isinstance(target, ApplianceTarget):
            _require_known(hub, ApplianceId(target.appliance), SiteId(target.site))


async def listed(hub: Hub, site: SiteId | None, *, limit: int) -> list[OrderView]:
    """Return the newest orders of a site, or of the fleet."""
    async with hub.store.read() as connection:
        found = (
            await orders.newest(connection, limit)
            if site is None
            else await orders.of_site(site, connection, limit=limit)
        )
        return await views_of(connection, found, now_s=hub.now_ms // 1000)


async def shown(hub: Hub, sid: bytes) -> tuple[OrderView, OrderFile | None]:
    """Return one order's life, and its proofs once it is logged.

    Raises:
        NotFoundError: there is no such order.
    """
    async with hub.store.read() as connection:
        found = await orders.find_anywhere(connection, sid)
        (view,) = await views_of(connection, [found], now_s=hub.now_ms // 1000)
        file = await _file(hub, connection, view)
    return view, file


async def one_draft(hub: Hub, site: SiteId, *, draft: str) -> OrderView:
    """Return one order's life by its draft's id.

    Raises:
        NotFoundError: the site has no such draft.
    """
    async with hub.store.read() as connection:
        found = await orders.find_draft(site, connection, draft=draft)
        (view,) = await views_of(connection, [found], now_s=hub.now_ms // 1000)
    return view


async def of_batch(hub: Hub, batch: str) -> list[OrderView]:
    """Return what was asked for together, in the order of its targets.

    Raises:
        NotFoundError: there is no such batch.
    """
    async with hub.store.read() as connection:
        found = await orders.of_batch(connection, batch)
        if not found:
            msg = f"there is no batch {batch}"
            raise NotFoundError(msg)
        return await views_of(connection, _by_place(found), now_s=hub.now_ms // 1000)


def _by_place(drafts: Sequence[Draft]) -> list[Draft]:
    return sorted(drafts, key=lambda one: (one.wish.site, one.wish.appliance or "", one.draft))


async def _file(hub: Hub, connection: AsyncConnection, view: OrderView) -> OrderFile | None:
    site, fixed = view.draft.wish.site, view.draft.fixed
    kept = await order_log.newest_checkpoint(site, connection)
    leaf = None if fixed is None else await order_log.leaf_of(site, connection, sid=fixed.sid)
    if leaf is None or kept is None or kept[0] <= leaf.index:
        return None
    size, checkpoint = kept
    nodes = merkle.nodes_over_leaves(await order_log.hashes(site, connection))
    path = merkle.inclusion_proof(leaf.index, size, nodes)
    receipts = (await receipt_envelopes(site, connection, leaf=leaf.index))[:RECEIPTS_MAX]
    answered = {appliance for appliance, _ in receipts}
    renewals = await renewal_envelopes(site, connection, of=answered)
    return OrderFile(
        origin=origin_of(log_name(hub.origin), site),
        envelope=b64_encode(leaf.envelope),
        leaf=LeafPlace(index=leaf.index, path=tuple(b64_encode(one) for one in path)),
        checkpoint=checkpoint,
        receipts=tuple(b64_encode(one) for _, one in receipts),
        renewals=tuple(
            Renewal(appliance=appliance, former=b64_encode(former), envelope=b64_encode(data))
            for appliance, former, data in renewals[-RENEWALS_MAX:]
        ),
    )


async def approve(hub: Hub, person: str, *, sid: bytes, signature: Signature) -> None:
    """Keep a person's signature over an order's bytes; it is logged when it was the last needed.

    Raises:
        NotFoundError: there is no such order.
        RejectedError: the signature does not count, or is another person's.
        UnreachableError: the signer does not answer.
    """
    async with hub.store.read() as connection:
        found = await orders.find_anywhere(connection, sid)
    await order_life.approve(hub, found.wish.site, sid=sid, signature=signature, by=person)
    hub.log.info("order_approved", by=person, sid=sid.hex())


async def withdraw(hub: Hub, sid: bytes, *, by: str, authority: AuthoritySet) -> None:
    """End a draft that is not logged.

    Raises:
        NotFoundError: there is no such order.
        AskScopeError: it is of a site or type that is not this person's.
        ConflictError: it was logged, or is over.
    """
    async with hub.store.read() as connection:
        found = await orders.find_anywhere(connection, sid)
    require_scope(by, found.wish.type, found.wish.site, authority)
    await withdraw_draft(hub, found, by=by)


async def withdraw_draft(hub: Hub, draft: Draft, *, by: str) -> None:
    """End a draft that is not logged, for somebody who may, or raise `ConflictError`."""
    await order_life.withdraw(hub, draft.wish.site, draft_id=draft.draft, by=by)


async def take_opinion(hub: Hub, data: bytes) -> str:
    """Keep a veto or the end of a hold, to be passed on; return what it is about.

    The end of a hold that one operator signed is kept for the second, and told to nobody else.

    Raises:
        RejectedError: those who must sign it did not, or others did as well; it came before, is
            old, or about an order whose time is over.
        NotFoundError: there is no such order or appliance at that site.
    """
    now_ms = hub.now_ms
    now_s = now_ms // 1000
    authority = await authority_for(hub, data)
    said: OperatorVeto | Clear
    if parse(data).kind is Kind.VETO:
        said = open_operators_veto(data, authority=authority, now_s=now_s)
        kind = "veto"
        sid, appliance, name = bytes.fromhex(said.order), None, said.order
    else:
        people = min(len(parse(data).key_ids), CLEAR_PEOPLE)
        said = open_operators_clear(data, authority=authority, now_s=now_s, people=people)
        kind = "clear" if people == CLEAR_PEOPLE else order_words.HALF
        sid, appliance, name = None, ApplianceId(said.appliance), said.appliance
    _require_only_operators(data, authority, now_s=now_s)
    require_recent(said.iat, now_s=now_s)
    site = SiteId(said.site)
    if sid is not None:
        await _require_in_time(hub, site, sid)
    if appliance is not None:
        _require_known(hub, appliance, site)
    hub.desk.memory.take(said.by, hashlib.sha256(data).hexdigest(), now_s=now_s)
    opinion = Opinion(kind, sid, appliance, said.by, data, now_ms)
    async with hub.store.write() as connection:
        await order_words.add_opinion(site, connection, opinion=opinion)
    return name


async def holds(hub: Hub) -> list[HoldRow]:
    """Return the appliances that hold orders back, as each last said."""
    async with hub.store.read() as connection:
        return await order_said.holds(connection)


def _require_only_operators(data: bytes, authority: AuthoritySet, *, now_s: int) -> None:
    """Refuse what carries more signatures than those that count.

    With one that claims an appliance's own key, the appliance would refuse the whole of it: a copy
    would take the place of the statement that counts.
    """
    known = {key.holder.key.key_id for key in authority.keys if key.counts_at(now_s)}
    if not known.issuperset(parse(data).key_ids):
        msg = "the statement carries a signature by a key that is no operator's"
        raise OpinionScopeError(msg)


async def _require_in_time(hub: Hub, site: SiteId, sid: bytes) -> None:
    async with hub.store.read() as connection:
        found = await orders.find(site, connection, sid=sid)
    if hub.now_ms >= found.end_ms:
        msg = f"the order {sid.hex()} ended: there is nothing left to stop"
        raise ConflictError(msg)


def _require_known(hub: Hub, appliance: ApplianceId, site: SiteId) -> None:
    known = hub.registry.by_id(appliance)
    if known is None or known.site != site:
        msg = f"{site} has no appliance {appliance}"
        raise NotFoundError(msg)


async def take_box(hub: Hub, appliance: ApplianceId, *, site: SiteId, box: bytes) -> str:
    """Keep a login that was sealed to an appliance; return its SHA-256 in hex.

    Raises:
        NotFoundError: the site has no such appliance.
        TooManyWordsError: the appliance has as many as are delivered.
    """
    _require_known(hub, appliance, site)
    async with hub.store.write() as connection:
        digest = await order_words.add_box(
            site, connection, appliance=appliance, box=box, now_ms=hub.now_ms
        )
    return digest.hex()

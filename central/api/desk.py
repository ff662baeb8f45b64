"""What operators' own machines ask: drafts, what stands, signatures, vetoes. Bytes in, bytes out.

Every body is an envelope that an operator signed; it is verified against authority before anything
is done, remembered so that it is good once, and counted. Nothing here signs anything.
"""

from central import desk_views, order_desk
from central.api.agent import Sender
from central.core.desk_asks import require_scope
from central.core.order_stage import AtAppliance
from central.state import Hub
from central.store.order_said import HoldRow, SaidAt
from central.store.views.orders import OrderView
from proto.authority import AuthoritySet
from proto.hub.desk import (
    HOLDS_MAX,
    SAID_MAX,
    Approve,
    Hold,
    HoldsListed,
    ListHolds,
    ListOrders,
    OrderAsk,
    OrderLine,
    OrderShown,
    OrdersListed,
    OrdersToSign,
    OrderToSign,
    SendBox,
    ShowBatch,
    ShowIncident,
    ShowOrder,
    ShowSites,
    Taken,
    Withdraw,
    open_desk_ask,
)
from proto.ids import ApplianceId, IncidentId, SiteId
from proto.message import Message
from proto.orders.kinds import OrderType
from proto.strict_json import b64_encode


async def take_draft(hub: Hub, body: bytes, _sender: Sender) -> bytes:
    """Draft what an operator wants; see `order_desk.take_ask` for the refusals."""
    made = await order_desk.take_ask(hub, body)
    return OrdersListed(orders=tuple(line_of(one) for one in made)).to_bytes()


async def take_opinion(hub: Hub, body: bytes, _sender: Sender) -> bytes:
    """Keep a veto or the end of a hold; see `order_desk.take_opinion` for the refusals."""
    return Taken(names=(await order_desk.take_opinion(hub, body),)).to_bytes()


async def take_ask(hub: Hub, body: bytes, _sender: Sender) -> bytes:
    """Answer any other ask.

    Raises:
        RejectedError: nobody who counts signed it, or it came before.
        OsirisError: as what it asks for.
    """
    now_s = hub.now_ms // 1000
    authority = await order_desk.authority_for(hub, body)
    ask = open_desk_ask(body, authority=authority, now_s=now_s)
    hub.desk.memory.take(ask.by, ask.nonce, now_s=now_s)
    if isinstance(ask, ListHolds):
        held = await order_desk.holds(hub)
        return HoldsListed(holds=tuple(_hold(one) for one in held[:HOLDS_MAX])).to_bytes()
    answer = await _answer(hub, ask, authority)
    return answer.to_bytes()


async def _answer(hub: Hub, ask: OrderAsk, authority: AuthoritySet) -> Message:
    match ask:
        case ListOrders():
            site = None if ask.site is None else SiteId(ask.site)
            found = await order_desk.listed(hub, site, limit=ask.limit)
            return OrdersListed(orders=tuple(line_of(one) for one in found))
        case ShowOrder():
            view, file = await order_desk.shown(hub, bytes.fromhex(ask.order))
            return OrderShown(order=_to_sign(view), file=None if file is None else file.to_value())
        case ShowBatch():
            found = await order_desk.of_batch(hub, ask.batch)
            return OrdersToSign(orders=tuple(_to_sign(one) for one in found))
        case ShowIncident():
            require_scope(ask.by, OrderType.SYNC_PROMOTED_RULE, ask.site, authority)
            return await desk_views.incident(
                hub, SiteId(ask.site), incident=IncidentId(ask.incident)
            )
        case ShowSites():
            return await desk_views.sites(hub)
        case Approve() | Withdraw() | SendBox():
            return await _take(hub, ask, authority)


async def _take(hub: Hub, ask: Approve | Withdraw | SendBox, authority: AuthoritySet) -> Taken:
    match ask:
        case Approve():
            return await _approve(hub, ask)
        case Withdraw():
            sid = bytes.fromhex(ask.order)
            await order_desk.withdraw(hub, sid, by=ask.by, authority=authority)
            return Taken(names=(ask.order,))
        case SendBox():
            require_scope(ask.by, OrderType.UPDATE_CREDENTIALS, ask.site, authority)
            return Taken(names=(await _box(hub, ask),))


async def _approve(hub: Hub, ask: Approve) -> Taken:
    for one in ask.approvals:
        sid = bytes.fromhex(one.order)
        await order_desk.approve(hub, ask.by, sid=sid, signature=one.signature())
    return Taken(names=tuple(one.order for one in ask.approvals))


async def _box(hub: Hub, ask: SendBox) -> str:
    site, appliance = SiteId(ask.site), ApplianceId(ask.appliance)
    return await order_desk.take_box(hub, appliance, site=site, box=ask.raw())


def line_of(view: OrderView) -> OrderLine:
    """Return one order as operators' machines list it.

    Raises:
        MalformedError: more was said of it than a line holds.
    """
    draft, wish = view.draft, view.draft.wish
    said = {
        "draft": draft.draft,
        "batch": draft.batch,
        "site": wish.site,
        "appliance": wish.appliance,
        "type": wish.type,
        "tier": wish.tier,
        "reason": wish.reason,
        "by": wish.by,
        "asked": draft.asked_ms // 1000,
        "people": wish.people,
        "approved": view.approved,
        "vetoed": view.vetoed,
        "said": [_word(one) for one in view.said[-SAID_MAX:]],
        "sid": draft.fixed.sid.hex() if draft.fixed else None,
        "exp": draft.fixed.exp_s if draft.fixed else None,
        "leaf": view.leaf,
        "stage": view.stage.value,
        "code": view.code,
        "answers": [_answered(one) for one in view.answers],
    }
    return OrderLine.from_value(said, f"order {draft.draft}")


def _word(one: SaidAt) -> dict[str, object]:
    return {
        "appliance": one.appliance,
        "what": one.what,
        "by": one.by_whom,
        "actor": one.actor,
        "at": one.at_s,
    }


def _hold(one: HoldRow) -> Hold:
    return Hold(
        site=one.site,
        appliance=one.appliance,
        since=one.since_s,
        told=one.told_ms // 1000,
        half=None if one.half is None else b64_encode(one.half),
    )


def _answered(one: AtAppliance) -> dict[str, object]:
    return {
        "appliance": one.appliance,
        "stage": one.stage.value,
        "code": one.code,
        "until": one.until_s,
        "at": one.at_s,
    }


def _to_sign(view: OrderView) -> OrderToSign:
    fixed, ask = view.draft.fixed, view.draft.ask
    return OrderToSign(
        line=line_of(view),
        body=None if fixed is None else b64_encode(fixed.body),
        ask=None if ask is None else b64_encode(ask),
    )

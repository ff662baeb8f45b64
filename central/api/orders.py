"""Orders on their way to appliances: the log of their site, heads, opinions, sealed logins.

What is served is what the signer logged; the log is served from the store, so that a hub whose
signer is away still delivers what was signed, and only signs nothing new.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from central import order_life
from central.api.agent import Sender
from central.api.asked import open_asked
from central.core import check_in as check_ins
from central.core.orders import WaitRow
from central.core.refusals import UnknownKeyError
from central.core.settings import next_check_in_s
from central.core.signer_talk import Stand, fits_leaves
from central.state import Hub
from central.store import order_log, order_said, order_words
from central.store.registry import Known
from proto import envelope, merkle
from proto.envelope import Kind
from proto.errors import UnreachableError
from proto.hub.orders import (
    REPLY_BYTES_MAX,
    NeighbourVeto,
    OrdersBack,
    OrdersBackReply,
    OrdersReply,
    OrdersRequest,
)
from proto.ids import ApplianceId
from proto.order_log import BATCH_LEAVES_MAX
from proto.strict_json import b64_encode


async def fetch(hub: Hub, body: bytes, sender: Sender) -> bytes:
    """Answer with the order log from where an appliance's mirror ends.

    Raises:
        RejectedError: the statement is not an enrolled appliance's, or not of now.
        OrderLogForkError: it holds a checkpoint of ours over another log.
    """
    known, asked = open_asked(hub, body, sender, kind=Kind.ORDERS, message=OrdersRequest)
    stand = await _hear(hub, known, asked)
    now_ms = hub.now_ms
    async with hub.store.write() as connection:
        await order_log.note_fetch(
            known.site,
            connection,
            appliance=known.appliance,
            size=asked.size,
            asked_s=asked.iat,
            waiting=[WaitRow(one.leaf, one.code.value, one.until) for one in asked.waiting],
            held_s=asked.held,
            now_ms=now_ms,
        )
    async with hub.store.read() as connection:
        part = await _part(known, connection, size=asked.size)
        opinions = await order_words.opinions_for(
            known.site, connection, appliance=known.appliance, now_s=now_ms // 1000
        )
        boxes = await order_words.boxes_for(known.site, connection, appliance=known.appliance)
        vetoes = await order_said.neighbours_vetoes(
            known.site, connection, appliance=known.appliance, now_s=now_ms // 1000
        )
    reply = OrdersReply(
        first=part.first,
        leaves=part.leaves,
        checkpoint=part.checkpoint,
        proof=part.proof,
        head=None if stand is None else await _head(hub, known, asked),
        opinions=tuple(one.decode("ascii") for one in opinions),
        neighbours=_neighbours(hub, vetoes),
        boxes=tuple(b64_encode(one) for one in boxes),
        wanted=None if stand is None else stand.wanted,
    )
    return reply.to_bytes()


def _neighbours(hub: Hub, vetoes: Sequence[tuple[ApplianceId, bytes]]) -> tuple[NeighbourVeto, ...]:
    """Return vetoes with the keys of those who signed them, as they are enrolled."""
    known = [(hub.registry.by_id(appliance), statement) for appliance, statement in vetoes]
    return tuple(
        NeighbourVeto(appliance=one.appliance, key=key.b64(), statement=statement.decode("ascii"))
        for one, statement in known
        if one is not None
        and (key := one.keys.named(envelope.parse(statement).key_ids)) is not None
    )


async def _hear(hub: Hub, known: Known, asked: OrdersRequest) -> Stand | None:
    """Tell the signer how far the mirror is, and have done what waited for it to be told.

    Returns:
        Where the signer's log stands; None when the signer does not answer.
    """
    try:
        await hub.signer.hear(
            known.site,
            known.appliance,
            appliances=[one.appliance for one in hub.registry.of_site(known.site)],
            checkpoint=asked.checkpoint,
        )
        hub.registry.untold.discard(known.site)
        await order_life.bring_together(hub, known.site)
        await order_life.advance(hub, known.site)
        return await hub.signer.stand(known.site)
    except UnreachableError as error:
        hub.log.warning("signer_away", error=str(error))
        return None


@dataclass(frozen=True, slots=True)
class _Part:
    """Leaves of a log and the proof that they lead to its newest checkpoint."""

    first: int
    leaves: tuple[str, ...] = ()
    checkpoint: str | None = None
    proof: tuple[str, ...] = ()


async def _part(known: Known, connection: AsyncConnection, *, size: int) -> _Part:
    kept = await order_log.newest_checkpoint(known.site, connection)
    if kept is None or kept[0] < size:
        return _Part(0 if kept is None else kept[0])
    newest, checkpoint = kept
    found = await order_log.leaves_from(known.site, connection, first=size, limit=BATCH_LEAVES_MAX)
    found = found[: fits_leaves([len(one.envelope) for one in found])]
    end = size + len(found)
    proof: tuple[bytes, ...] = ()
    if 0 < end < newest:
        hashes = await order_log.hashes(known.site, connection)
        proof = merkle.consistency_proof(end, newest, merkle.nodes_over_leaves(hashes))
    return _Part(
        size,
        tuple(one.envelope.decode("ascii") for one in found),
        checkpoint,
        tuple(b64_encode(one) for one in proof),
    )


async def _head(hub: Hub, known: Known, asked: OrdersRequest) -> str | None:
    body = check_ins.head_body(
        challenge=asked.challenge,
        now_s=hub.now_ms // 1000,
        state=known.state,
        next_s=next_check_in_s(hub.settings, appliances=len(hub.registry)),
        unwell=known.raised,
        orders=hub.registry.orders.get(known.site, 0),
    )
    try:
        return (await hub.signer.head(body)).decode("ascii")
    except UnreachableError:
        return None


async def take_back(hub: Hub, body: bytes, sender: Sender) -> bytes:
    """Take leaves back that this hub lost; the signer's own checkpoint vouches for them.

    Raises:
        RejectedError: it is no return, by no appliance, or of no log of ours.
        OrderLogForkError: the leaves do not lead to what was signed.
    """
    back = OrdersBack.from_bytes(body, "orders", size_bytes_max=REPLY_BYTES_MAX)
    known = sender.known = hub.registry.by_id(back.appliance)
    if known is None:
        msg = f"orders.appliance: {back.appliance} is not enrolled here"
        raise UnknownKeyError(msg)
    stand = await hub.signer.give_back(
        known.site, first=back.first, leaves=back.leaves, checkpoint=back.checkpoint
    )
    if stand.wanted is None:
        await order_life.bring_together(hub, known.site)
        await order_life.advance(hub, known.site)
    have = stand.size if stand.wanted is None else stand.wanted
    return OrdersBackReply(have=have, wanted=stand.wanted).to_bytes()

"""Asking the hub for the order log: everything in an answer is verified before it counts.

The head must answer this question's challenge: it proves that the hub spoke now, and moves the
floor clock. The leaves must go on from the mirror under a checkpoint that a log key signed. What
people said is their own statement. Where one of these does not hold, nothing of the answer is
taken; the first such answer in a row counts towards the hold on orders.
"""

from dataclasses import replace
from typing import Final

from appliance.core.order_gate.values import Footing
from appliance.handlers.orders.gating import orders_origin
from appliance.handlers.orders.opinions import take_neighbours, take_opinions
from appliance.handlers.wellness import clear_condition, raise_condition, raise_in
from appliance.handlers.work import Work
from appliance.ports import HubRefusedError
from appliance.store import opinions, order_log, order_state, orders
from appliance.store.health import Condition
from appliance.store.order_log import Held
from proto import strict_json
from proto.errors import IntegrityError, RejectedError
from proto.heads import open_head
from proto.hub.check_in import Head
from proto.hub.orders import (
    BOX_BYTES_MAX,
    LEAVES_BYTES_MAX,
    REPLY_BYTES_MAX,
    WAITING_MAX,
    OrdersBack,
    OrdersBackReply,
    OrdersReply,
    OrdersRequest,
    Waits,
    batch_of,
    order_leaf_text,
)
from proto.order_codes import Code
from proto.order_log import BATCH_LEAVES_MAX, Mirror, follow
from runtime.log import logger

log = logger("orders")

CHALLENGE_BYTES: Final = 16
ROUNDS_MAX: Final = 32
"""Questions in one turn: more leaves than a window of orders; the rest waits for the next turn."""

_CODES: Final = frozenset(code.value for code in Code)


async def hear(work: Work, footing: Footing) -> bool:
    """Ask until the mirror has what the hub has; return whether the answers were good.

    Raises:
        UnreachableError: no answer; what was taken before stays.
        RejectedError: the hub refuses the question.
    """
    for _ in range(ROUNDS_MAX):
        asked_s = work.own_s
        reply, asked = await _asked(work)
        try:
            is_more = await _take(work, footing, reply, asked, asked_s=asked_s)
        except (RejectedError, IntegrityError) as error:
            await _refuse(work, error)
            return False
        for over in (Condition.ORDER_LOG_REFUSED, Condition.ORDER_LOG_FORK):
            await clear_condition(work, over)
        if reply.wanted is not None:
            await _give_back(work, reply.wanted)
        if not is_more:
            break
    return True


async def _asked(work: Work) -> "tuple[OrdersReply, OrdersRequest]":
    """Ask, and remember it where the hub says that it holds another log than it signed."""
    try:
        return await _ask(work)
    except HubRefusedError as error:
        if error.said == Condition.ORDER_LOG_FORK:
            await raise_condition(work, Condition.ORDER_LOG_FORK, detail=str(error))
        raise


async def _ask(work: Work) -> "tuple[OrdersReply, OrdersRequest]":
    async with work.store.read() as conn:
        held = await order_log.held(conn, orders_origin(work))
        waiting = (await orders.waiting(conn))[:WAITING_MAX]
        held_s = (await order_state.load(conn)).watch.held_since_s
    place = held.place
    asked = OrdersRequest(
        appliance=work.scribe.appliance,
        iat=work.clock.now_ms() // 1000,
        challenge=strict_json.b64_encode(work.entropy(CHALLENGE_BYTES)),
        size=place.size,
        root=strict_json.b64_encode(place.root),
        checkpoint=held.checkpoint.decode() if held.checkpoint else None,
        waiting=tuple(
            Waits(leaf=row.index, code=Code(row.code), until=row.until_s or 0) for row in waiting
        ),
        held=held_s,
    )
    answer = await work.hub.send(asked)
    return OrdersReply.from_bytes(answer, "orders", size_bytes_max=REPLY_BYTES_MAX), asked


async def _take(
    work: Work, footing: Footing, reply: OrdersReply, asked: OrdersRequest, *, asked_s: int
) -> bool:
    """Take an answer whole; return whether the hub has more leaves than it sent."""
    authority = footing.trust.authority
    async with work.store.read() as conn:
        held = await order_log.held(conn, orders_origin(work))
        now_s = (await order_state.load(conn)).floor.now_s(work.clock.now_ms() // 1000)
    head = None
    if reply.head is not None:
        heads = authority.heads(now_s=now_s)
        head = open_head(reply.head.encode(), challenge=asked.challenge, heads=heads)
    batch = batch_of(reply)
    after = held.mirror
    if batch is not None:
        after = follow(held.mirror, batch, log_keys=authority.logs(now_s=now_s))
    await _store(work, reply, held, after)
    if head is not None:
        await _heed(work, head, asked_s=asked_s)
    statements = [one.encode() for one in reply.opinions]
    await take_opinions(work, authority, statements)
    await take_neighbours(work, reply.neighbours)
    return after.head is not None and after.tree.size < after.head.size and bool(reply.leaves)


async def _store(work: Work, reply: OrdersReply, held: Held, after: Mirror) -> None:
    boxes = [
        strict_json.b64_decode(one, "orders.boxes", size_bytes_max=BOX_BYTES_MAX)
        for one in reply.boxes
    ]
    batch = batch_of(reply)
    is_new = batch is not None and (after != held.mirror or held.checkpoint is None)
    if not is_new and not boxes and held.enrolled_at is not None:
        return
    async with work.store.write() as conn:
        if batch is None:
            await order_log.begin(conn, 0)
        elif is_new:
            await order_log.advance(
                conn,
                held,
                after,
                leaves=batch.leaves[held.mirror.tree.size - batch.first :],
                checkpoint=batch.checkpoint,
                now_ms=work.clock.now_ms(),
            )
        for box in boxes:
            await opinions.keep_box(conn, box, now_ms=work.clock.now_ms())


async def _heed(work: Work, head: Head, *, asked_s: int) -> None:
    """Remember that the hub spoke after our question, and that its time has passed."""
    async with work.store.write() as conn:
        state = await order_state.load(conn)
        floor = state.floor.after_online(head.time, clock_s=work.clock.now_ms() // 1000)
        if floor != state.floor:
            await order_state.save(conn, replace(state, floor=floor))
    work.word.answered_s, work.word.floor_s = asked_s, floor.at_s


async def _refuse(work: Work, error: RejectedError | IntegrityError) -> None:
    """Say that an answer does not hold; the first in a row counts towards the hold."""
    code = Code(error.code) if error.code in _CODES else Code.LOG_FORM
    is_fork = code is Code.LOG_FORK
    unwell = Condition.ORDER_LOG_FORK if is_fork else Condition.ORDER_LOG_REFUSED
    async with work.store.write() as conn:
        if not await raise_in(conn, work, unwell, detail=str(error)):
            return
        state = await order_state.load(conn)
        watch = state.watch.after(code, now_s=work.own_s)
        await order_state.save(conn, replace(state, watch=watch))
        if watch.held_since_s is not None and state.watch.held_since_s is None:
            await raise_in(conn, work, Condition.ORDERS_HELD, detail=f"since {watch.held_since_s}")
    log.error("order log refused", code=code.value, error=str(error))
    work.bells.uplink.ring()


async def _give_back(work: Work, wanted: int) -> None:
    """Give a hub that lost leaves what is mirrored of them, byte for byte."""
    asked: int | None = wanted
    for _ in range(ROUNDS_MAX):
        if asked is None:
            return
        async with work.store.read() as conn:
            held = await order_log.held(conn, orders_origin(work))
            found = await order_log.leaves_from(
                conn, asked, leaves_max=BATCH_LEAVES_MAX, bytes_max=LEAVES_BYTES_MAX // 2
            )
        if not found or held.checkpoint is None:
            log.warning("leaves that the hub lost are not kept here", first=asked)
            return
        answer = await work.hub.send(
            OrdersBack(
                appliance=work.scribe.appliance,
                first=asked,
                leaves=tuple(order_leaf_text(leaf) for leaf in found),
                checkpoint=held.checkpoint.decode(),
            )
        )
        reply = OrdersBackReply.from_bytes(answer, "orders", size_bytes_max=REPLY_BYTES_MAX)
        if reply.wanted is not None and reply.wanted <= asked:
            return  # it took nothing; it is asked again with the next turn
        asked = reply.wanted

"""New leaves and waiting orders before the gate: verdicts, ledger and receipts in ONE transaction.

Rules:

- bytes are verified before the transaction; everything else is read inside it, so that a verdict
  and what is written of it stand on the same state;
- each new leaf is judged once, in the log's order; one that waits is judged again from its bytes;
- many leaves share a transaction (group commit); nothing runs before it is durable, and no more is
  accepted than there are free hands, so that no order waits for a hand while its time runs;
- a turn goes to the store's thread three times beside its transactions (`at_once`), however much
  it reads and writes;
- nothing is judged before the hub said, in this process, how much of our evidence it holds: a disk
  that was put back would take for new what it had answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from json import dumps

import aiosqlite

from appliance.core.order_gate import answers, gate
from appliance.core.order_gate.ledger import Ledger, State
from appliance.core.order_gate.names import targets_touched
from appliance.core.order_gate.values import (
    Accepted,
    Delivery,
    Footing,
    History,
    LeafRef,
    ReadOrder,
    Refused,
    Said,
    Situation,
    Verdict,
    Waiting,
)
from appliance.handlers.orders.situation import Here, situation_of
from appliance.handlers.wellness import raise_in
from appliance.handlers.work import Work
from appliance.store import evidence, opinions, order_log, order_state, orders
from appliance.store.health import Condition
from appliance.store.order_log import Held
from appliance.store.order_state import OrderState
from appliance.store.orders import Row
from appliance.store.receipts import Pen
from proto.invariants import require
from proto.merkle import Shown
from proto.order_log import origin_of
from proto.orders.kinds import OrderType, Touches
from runtime.sqlite import at_once

BATCH_MAX = 256
LEAVES_A_HAND = 4
"""Leaves read for each free hand: some of them are refused, and none is read in vain for long."""

DETAIL_CHARS_MAX = 400


@dataclass(frozen=True, slots=True)
class Gated:
    """What came of one turn before the gate.

    Attributes:
        accepted: what is to be run now: each intent is durable.
        judged: how many verdicts were given.
        is_more: whether leaves are left that were never judged.
    """

    accepted: tuple[Accepted, ...] = ()
    judged: int = 0
    is_more: bool = False


def orders_origin(work: Work) -> str:
    """Return the origin line of the site's order log, of the same hub as the evidence log's."""
    return origin_of(work.scribe.origin.partition("/site/")[0], work.scribe.site)


async def gate_orders(
    work: Work,
    footing: Footing,
    *,
    abilities: frozenset[OrderType],
    hands: int,
    due_only: bool = False,
) -> Gated:
    """Judge what is new and what waits, and write it down.

    Args:
        work: what the appliance works with.
        footing: what people signed offline.
        abilities: the types whose machinery is on this appliance.
        hands: how many orders may be accepted.
        due_only: of what waits, look only at what has waited long enough: nothing else changed.
    """
    if not work.word.is_level or hands <= 0:
        return Gated()
    async with work.store.read() as conn:
        due_s = work.own_s if due_only else None
        held, deliveries = await at_once(
            conn, partial(_to_judge, origin=orders_origin(work), hands=hands, due_s=due_s)
        )
    if not deliveries:
        return Gated()
    head = held.place
    shown = Shown(head.size, head.root)
    found = [gate.read(one, head=head, trust=footing.trust, shown=shown) for one in deliveries]
    async with work.store.write() as conn:
        begin = partial(_begin, work=work, footing=footing, abilities=abilities, found=found)
        batch = await at_once(conn, begin)
        for one in found:
            if len(batch.accepted) >= hands or not batch.judge(one):
                break
        await at_once(conn, batch.write)
        await batch.tell(conn, work)
    is_more = batch.next_leaf < held.mirror.tree.size
    return Gated(tuple(batch.accepted), len(batch.rows), is_more)


async def _to_judge(
    conn: aiosqlite.Connection, *, origin: str, hands: int, due_s: int | None
) -> tuple[Held, list[Delivery]]:
    """Return the mirror, and of it what was never judged and what waited until `due_s`.

    None for all that waits.
    """
    held = await order_log.held(conn, origin)
    end = min(held.judged + min(BATCH_MAX, LEAVES_A_HAND * hands), held.mirror.tree.size)
    wanted = [
        row.index
        for row in await orders.waiting(conn)
        if due_s is None or row.until_s is None or row.until_s <= due_s
    ]
    wanted += range(held.judged, end)
    return held, await order_log.deliveries(conn, wanted, size=held.mirror.tree.size)


async def _begin(
    conn: aiosqlite.Connection,
    *,
    work: Work,
    footing: Footing,
    abilities: frozenset[OrderType],
    found: Sequence[ReadOrder | Refused],
) -> "_Batch":
    """Read everything that the verdicts of a batch stand on."""
    readable = [one for one in found if isinstance(one, ReadOrder)]
    refs = [_ref(one) for one in found]
    held = await order_log.held(conn, orders_origin(work))
    state = await order_state.load(conn)
    situation = await situation_of(conn, work, Here(footing, held, state, abilities), readable)
    return _Batch(
        was=state,
        situation=situation,
        ledger=await orders.ledger_for(conn, refs),
        before={row.index: row for row in await orders.waiting(conn)},
        roots=await order_log.roots_at(conn, {one.order.drafted_size() for one in readable}),
        said=await opinions.said_of(conn, [one.sid for one in readable]),
        state=state,
        history=situation.history,
        pen=Pen(
            work.scribe,
            prev=state.receipt_prev,
            now_s=situation.moment.now_s,
            floor_s=state.floor.at_s,
        ),
        first_receipt=(await evidence.head(conn)).tree.size,
        clock_s=work.clock.now_ms() // 1000,
        next_leaf=held.judged,
    )


def _ref(found: ReadOrder | Refused) -> LeafRef:
    return found.ref if isinstance(found, ReadOrder) else found.leaf


@dataclass(slots=True)
class _Batch:
    """The verdicts of one transaction; each stands on the ones before it."""

    was: OrderState
    situation: Situation
    ledger: Ledger
    before: Mapping[int, Row]
    roots: Mapping[int, bytes]
    said: Mapping[str, Said]
    state: OrderState
    history: History
    pen: Pen
    first_receipt: int
    clock_s: int
    next_leaf: int
    accepted: list[Accepted] = field(default_factory=list)
    rows: dict[int, Row] = field(default_factory=dict)

    @property
    def now_s(self) -> int:
        return self.situation.moment.now_s

    def judge(self, found: ReadOrder | Refused) -> bool:
        """Judge one leaf; return False when nothing may be written, and so nothing more judged."""
        index = _ref(found).index
        held = self.ledger.row(index)
        if held is not None and held.state is not State.WAITING:
            # Judged since the reading, or known from receipts that were put back.
            self.next_leaf = max(self.next_leaf, index + 1)
            return True
        verdict = self._verdict(found)
        if isinstance(verdict, Waiting):
            if verdict.entry is None:
                return False
            self._wait(verdict, found)
        elif isinstance(verdict, Accepted):
            self._accept(verdict)
        else:
            self._refuse(verdict, found)
        self.next_leaf = max(self.next_leaf, index + 1)
        return True

    def _verdict(self, found: ReadOrder | Refused) -> Verdict:
        if isinstance(found, Refused):
            return self._of_a_waiting_leaf(found)
        view = self.ledger.view(
            found.sid,
            found.order.nonce,
            root_then=self.roots.get(found.order.drafted_size()),
            is_rebuilding=self.state.is_recovering,
        )
        history, since_s = self.history, self.state.watch.held_since_s
        if history.held_since_s != since_s:
            history = self.history = replace(history, held_since_s=since_s)
        said = self.said.get(found.sid, Said())
        return gate.judge(found, self.situation.about(view, history=history, said=said))

    def _of_a_waiting_leaf(self, refused: Refused) -> Refused:
        """Return a refusal that ends what waited: whoever signed it may have lost their say."""
        leaf = _ref(refused)
        held = self.ledger.row(leaf.index)
        if held is None:
            return refused
        named = replace(leaf, sid=held.sid, nonce=held.nonce)
        return replace(refused, leaf=named, is_believed=True)

    def _wait(self, verdict: Waiting, found: ReadOrder | Refused) -> None:
        assert verdict.entry is not None  # noqa: S101 - for the type checker: `judge` looked
        self.ledger.put(verdict.entry)
        row = _row_of(found, self.ledger, verdict.entry.index)
        row = replace(
            row,
            code=verdict.code,
            detail=verdict.detail[:DETAIL_CHARS_MAX],
            until_s=verdict.until_s,
        )
        if row != self.before.get(row.index):
            self.rows[row.index] = row
        self._pass_time(found)

    def _accept(self, verdict: Accepted) -> None:
        self.ledger.put(verdict.entry)
        entry, history = verdict.entry, self.history
        touched = targets_touched(verdict.params, self.situation.known)
        is_change = verdict.read.kind.touches is not Touches.NOTHING
        self.rows[entry.index] = Row(
            index=entry.index,
            leaf_hash=verdict.read.ref.leaf_hash,
            sid=entry.sid,
            nonce=entry.nonce,
            state=entry.state,
            since_s=entry.since_s,
            type=verdict.read.order.type,
            tier=verdict.tier,
            grant=verdict.grant,
            is_change=is_change,
            targets=dumps(sorted(touched)),
            accepted_s=self.situation.moment.clock_s,
            deadline_s=verdict.deadline_s,
            intent=self.first_receipt + self.pen.add(partial(answers.intent_of, verdict)),
        )
        uses = history.grant_uses
        self.history = History(
            by_orders=history.by_orders + is_change,
            touched=history.touched | touched,
            grant_uses={**uses, verdict.grant: uses.get(verdict.grant, 0) + 1},
            held_since_s=history.held_since_s,
        )
        self.accepted.append(verdict)
        self._pass_time(verdict.read)

    def _refuse(self, verdict: Refused, found: ReadOrder | Refused) -> None:
        entry = answers.row_of(verdict, now_s=self.now_s)
        self.ledger.put(entry)
        self.rows[entry.index] = replace(
            _row_of(found, self.ledger, entry.index),
            code=verdict.code,
            detail=verdict.detail[:DETAIL_CHARS_MAX],
            final=self.first_receipt + self.pen.add(partial(answers.refusal_of, verdict)),
        )
        watch = self.state.watch.after(verdict.code, now_s=self.situation.moment.clock_s)
        self.state = replace(self.state, watch=watch)

    def _pass_time(self, found: ReadOrder | Refused) -> None:
        """Remember when an order that holds was signed: that time has passed."""
        if isinstance(found, ReadOrder):
            floor = self.state.floor.after_online(found.order.iat, clock_s=self.clock_s)
            if floor is not self.state.floor:
                self.state = replace(self.state, floor=floor)

    async def write(self, conn: aiosqlite.Connection) -> None:
        """Write receipts, rows and state."""
        leaves = await self.pen.write(conn)
        require(leaves[:1] in ([], [self.first_receipt]), "receipts stand where their rows say")
        await orders.put(conn, list(self.rows.values()))
        self.state = replace(self.state, receipt_prev=self.pen.prev)
        if self.state != self.was:
            await order_state.save(conn, self.state)
        await order_log.judged_until(conn, self.next_leaf)

    async def tell(self, conn: aiosqlite.Connection, work: Work) -> None:
        """Raise the condition of health that this batch began: that orders are held back."""
        since_s = self.state.watch.held_since_s
        if since_s is not None and self.was.watch.held_since_s is None:
            await raise_in(conn, work, Condition.ORDERS_HELD, detail=f"since {since_s}")


def _row_of(found: ReadOrder | Refused, ledger: Ledger, index: int) -> Row:
    """Return a leaf's row as the ledger has it now, with its type where it could be read."""
    entry = ledger.row(index)
    assert entry is not None  # noqa: S101 - for the type checker: it was just written
    order_type = found.order.type if isinstance(found, ReadOrder) else None
    return Row(
        index=index,
        leaf_hash=_ref(found).leaf_hash,
        sid=entry.sid,
        nonce=entry.nonce,
        state=entry.state,
        since_s=entry.since_s,
        type=order_type,
    )

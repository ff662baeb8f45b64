"""Putting back the leaves of evidence that a restored disk lost, and what their receipts say.

What was written here since the restore stood at places that the lost leaves have: it moves behind
them, signed anew with its new place and nothing else changed. The hub never held it there. Rows
that point at leaves move along.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import aiosqlite

from appliance.core.order_gate.clock import Floor
from appliance.core.order_gate.ledger import State, rebuild
from appliance.core.order_gate.values import LeafRef
from appliance.core.records import Draft, Opening
from appliance.store import evidence, order_state, orders, own_keys
from appliance.store.evidence import Scribe
from appliance.store.orders import Row
from proto import merkle
from proto.appliance_keys import KeyHistory
from proto.errors import IntegrityError
from proto.evidence import KeysLeaf, Leaf
from proto.keys import PublicKey, SealingPublicKey
from proto.merkle import Tree
from proto.orders.kinds import Touches
from proto.orders.registry import kind_of
from proto.receipts import ClockSet, Intent, OrderReceipt, Receipt, Refusal, Result, receipt_sid

_POINTERS = (
    ("turns", "leaf"),
    ("repairs", "leaf"),
    ("disclosures", "leaf"),
    ("clock_sets", "leaf"),
    ("orders", "intent"),
    ("orders", "final"),
)
"""Columns that hold the index of an evidence leaf."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Leaves that the hub holds from the first one that is not here, as they were signed."""

    first: int
    envelopes: tuple[bytes, ...]


async def first_difference(
    conn: aiosqlite.Connection, first: int, envelopes: Sequence[bytes]
) -> Lost | None:
    """Return what of the hub's leaves from `first` on is not here; None when all of it is."""
    rows = await conn.execute_fetchall(
        "SELECT idx, hash FROM evidence WHERE idx >= ? ORDER BY idx LIMIT ?",
        (first, len(envelopes)),
    )
    here = {row["idx"]: bytes(row["hash"]) for row in rows}
    for place, envelope in enumerate(envelopes):
        if here.get(first + place) != merkle.leaf_hash(envelope):
            return Lost(first + place, tuple(envelopes[place:]))
    return None


async def put_back(
    conn: aiosqlite.Connection,
    scribe: Scribe,
    lost: Lost,
    *,
    own_s: int,
    sealing: SealingPublicKey | None = None,
) -> int:
    """Put lost leaves back in their places; return how many of them were receipts.

    Where they renew this appliance's keys it goes on with those that they name last.

    Args:
        conn: the transaction.
        scribe: who writes the log.
        lost: the leaves.
        own_s: the appliance's own clock, by which an hour's changes are counted.
        sealing: the key that logins are sealed to, as the restored store knows it.

    Raises:
        IntegrityError: one was not signed by this appliance for its place in this log.
        RejectedError: one is no leaf at all.
        ConfigError: the private half of a key that they name is not here.
    """
    keys = await own_keys.history(conn, scribe.key.public)
    given = _verified(scribe, lost, keys)
    moved = await _take_out(conn, keys, lost.first)
    await _insert(conn, lost, given)
    await _go_on(conn, scribe, given, sealing=sealing)
    await _shift_pointers(conn, lost.first, by=len(given))
    receipts = [one for one in given if isinstance(one, Receipt)]
    await _answer(conn, receipts, own_s=own_s)
    await _append_again(conn, scribe, moved)
    return len(receipts)


def _verified(scribe: Scribe, lost: Lost, keys: KeyHistory) -> list[Leaf]:
    given: list[Leaf] = []
    for index, envelope in enumerate(lost.envelopes, lost.first):
        leaf = keys.open(envelope, index)
        if (leaf.site, leaf.appliance, leaf.seq) != (scribe.site, scribe.appliance, index):
            msg = f"the hub gave back leaf {leaf.seq} of {leaf.appliance} as leaf {index}"
            raise IntegrityError(msg)
        keys = keys.after(index, leaf)
        given.append(leaf)
    return given


async def _go_on(
    conn: aiosqlite.Connection,
    scribe: Scribe,
    given: Sequence[Leaf],
    *,
    sealing: SealingPublicKey | None,
) -> None:
    """Go on with the keys that leaves which were put back name."""
    for leaf in given:
        if isinstance(leaf, KeysLeaf):
            await own_keys.add(conn, leaf, former=scribe.key.public, sealing=sealing)
            scribe.go_on_with(PublicKey.from_b64(leaf.ed25519), named_at=leaf.seq)


@dataclass(slots=True)
class _Clock:
    """Links what people set the clock to behind the receipts that were put back.

    Attributes:
        prev: the sid of the newest receipt.
        floor_s: the floor clock behind it.
    """

    prev: str
    floor_s: int

    def draft(self, leaf: ClockSet) -> Draft:
        """Return a receipt of the clock as it stands behind the newest one."""

        def placed(seq: int) -> Leaf:
            changed = {"seq": seq, "prev": self.prev, "was": self.floor_s}
            self.floor_s = leaf.floor
            return leaf.model_copy(update=changed)

        return Draft(placed, {}, self._link)

    def _link(self, body: bytes) -> None:
        self.prev = receipt_sid(body)


async def _append_again(
    conn: aiosqlite.Connection, scribe: Scribe, moved: Sequence[tuple[Leaf, dict[str, Opening]]]
) -> None:
    """Append what was taken out, each in its new place."""
    if not moved:
        return
    state = await order_state.load(conn)
    clock = _Clock(state.receipt_prev, state.floor.at_s)
    drafts = [
        clock.draft(leaf) if isinstance(leaf, ClockSet) else Draft(_with_seq(leaf), openings)
        for leaf, openings in moved
    ]
    await evidence.append(conn, scribe, drafts)
    floor = Floor(clock.floor_s)
    await order_state.save(conn, replace(state, floor=floor, receipt_prev=clock.prev))


def _with_seq(leaf: Leaf) -> Callable[[int], Leaf]:
    def placed(seq: int) -> Leaf:
        return leaf.model_copy(update={"seq": seq})

    return placed


async def _take_out(
    conn: aiosqlite.Connection, keys: KeyHistory, first: int
) -> list[tuple[Leaf, dict[str, Opening]]]:
    """Take the leaves from `first` on out of the log and return them, with what opens them."""
    rows = list(
        await conn.execute_fetchall(
            "SELECT idx, leaf FROM evidence WHERE idx >= ? ORDER BY idx", (first,)
        )
    )
    taken: list[tuple[Leaf, dict[str, Opening]]] = []
    for row in rows:
        leaf = keys.open(row["leaf"], row["idx"])
        if isinstance(leaf, Receipt | KeysLeaf) and not isinstance(leaf, ClockSet):
            msg = f"evidence leaf {row['idx']} is a {leaf.type} from before the log was caught up"
            raise IntegrityError(msg)
        taken.append((leaf, await evidence.openings_of(conn, row["idx"], leaf)))
    await conn.execute("DELETE FROM evidence WHERE idx >= ?", (first,))
    await conn.execute("DELETE FROM evidence_details WHERE idx >= ?", (first,))
    return taken


async def _insert(conn: aiosqlite.Connection, lost: Lost, given: Sequence[Leaf]) -> None:
    rows = await conn.execute_fetchall(
        "SELECT hash FROM evidence WHERE idx < ? ORDER BY idx", (lost.first,)
    )
    hashes = [merkle.leaf_hash(envelope) for envelope in lost.envelopes]
    tree = Tree().extend([*(row["hash"] for row in rows), *hashes])
    await conn.executemany(
        "INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                index,
                envelope,
                digest,
                leaf.type,
                leaf.at,
                getattr(leaf, "target", None),
                getattr(leaf, "incident", None),
            )
            for index, (envelope, digest, leaf) in enumerate(
                zip(lost.envelopes, hashes, given, strict=True), lost.first
            )
        ],
    )
    await conn.execute(
        "UPDATE evidence_head SET size = ?1, peaks = ?2, acked_size = ?1",
        (tree.size, b"".join(tree.peaks)),
    )


async def _shift_pointers(conn: aiosqlite.Connection, first: int, *, by: int) -> None:
    """Let rows point at the new places of moved leaves; a key passes through below zero."""
    for table, column in _POINTERS:
        await conn.execute(
            f"UPDATE {table} SET {column} = -{column} - ? WHERE {column} >= ?",  # noqa: S608 - names
            (by, first),
        )
        await conn.execute(f"UPDATE {table} SET {column} = -{column} WHERE {column} < 0")  # noqa: S608 - names


async def _answer(conn: aiosqlite.Connection, receipts: Sequence[Receipt], *, own_s: int) -> None:
    """Bring ledger, floor and the receipts' link to where these receipts say they were."""
    state = await order_state.load(conn)
    if not receipts:
        return
    of_orders = [one for one in receipts if not isinstance(one, ClockSet)]
    refs = [
        LeafRef(one.leaf, bytes.fromhex(one.leaf_hash), one.order, one.nonce) for one in of_orders
    ]
    onto = await orders.ledger_for(conn, refs)
    ledger, floor_s = rebuild(receipts, onto=onto, floor_s=state.floor.at_s)
    rows = [
        row.with_entry(entry)
        for row in await _rows(conn, of_orders, own_s=own_s)
        if (entry := ledger.row(row.index)) is not None
    ]
    await conn.executemany("DELETE FROM orders WHERE idx = ?", [(row.index,) for row in rows])
    await orders.put(conn, rows)
    prev = receipt_sid(receipts[-1].to_bytes())
    await order_state.save(conn, replace(state, floor=Floor(floor_s), receipt_prev=prev))


async def _rows(
    conn: aiosqlite.Connection, receipts: Iterable[OrderReceipt], *, own_s: int
) -> list[Row]:
    found: dict[int, Row] = {}
    for one in receipts:
        held = found.get(one.leaf) or await orders.get(conn, one.leaf)
        leaf_hash = bytes.fromhex(one.leaf_hash)
        row = held or Row(one.leaf, leaf_hash, None, None, State.REFUSED, one.at)
        found[one.leaf] = _after(row, one, own_s=own_s)
    return list(found.values())


def _after(row: Row, receipt: OrderReceipt, *, own_s: int) -> Row:
    """Return what people see of a leaf after a receipt; the ledger's part is the ledger's.

    A receipt's time is the floor's, which may be a day ahead: counted by it an hour's budget would
    stay used for that day.
    """
    if isinstance(receipt, Intent):
        return replace(
            row,
            type=receipt.order_type,
            code="",
            detail="",
            until_s=None,
            tier=receipt.tier,
            grant="",
            is_change=kind_of(receipt.order_type).touches is not Touches.NOTHING,
            targets=json.dumps([]),
            accepted_s=min(receipt.at, own_s),
            deadline_s=receipt.deadline,
            intent=receipt.seq,
        )
    if isinstance(receipt, Result):
        return replace(row, outcome=receipt.outcome, final=receipt.seq)
    assert isinstance(receipt, Refusal)  # noqa: S101 - for the type checker: the last of three
    return replace(row, code=receipt.reason, until_s=None, final=receipt.seq)

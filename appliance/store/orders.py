"""The ledger in SQL: one row a leaf of the order log, what it came to, and what it says to people.

`core/order_gate/ledger.py` is the model: which turns a row may take, and that a sid and a nonce are
used once. It checks within the transaction that writes; the schema's unique indexes hold the same
once more, for whatever program opens the file.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter

import aiosqlite

from appliance.core.order_gate.clock import aged
from appliance.core.order_gate.ledger import Entry, Ledger, State, TurnError
from appliance.core.order_gate.values import History, LeafRef
from proto.orders.kinds import HOUR_S, OrderType, Tier
from proto.receipts import Outcome

ROWS_KEPT = 20_000
"""Settled rows kept for people to look at; the gate needs those of the newest 4096 leaves."""

_COUNTED = "coalesce(counted_s, accepted_s)"
"""By when an hour's budget counts an order: its acceptance, or as `age` moved that at a start."""

ASKED_MAX = 500
"""Values in one query."""


@dataclass(frozen=True, slots=True)
class Row:
    """One leaf's row; see the schema.

    Attributes:
        state: where it stands.
        since_s: since when it waits, or when it was settled.
        type: None where the body could not be read.
        code: why it waits or never runs; "" for one that ran or runs.
        until_s: when a waiting one is judged again.
        targets: JSON, the targets that it changes.
        accepted_s: when its intent was written, on the appliance's own clock.
        intent: the evidence leaf of its intent receipt.
        final: the evidence leaf of its final receipt.
    """

    index: int
    leaf_hash: bytes
    sid: str | None
    nonce: str | None
    state: State
    since_s: int
    type: OrderType | None = None
    code: str = ""
    detail: str = ""
    until_s: int | None = None
    tier: Tier | None = None
    grant: str | None = None
    is_change: bool | None = None
    targets: str | None = None
    accepted_s: int | None = None
    deadline_s: int | None = None
    outcome: Outcome | None = None
    intent: int | None = None
    final: int | None = None

    @property
    def entry(self) -> Entry:
        """The ledger's part of it."""
        return Entry(self.index, self.sid, self.nonce, self.state, self.since_s)

    @property
    def ref(self) -> LeafRef:
        """What a receipt says of the leaf."""
        return LeafRef(self.index, self.leaf_hash, self.sid, self.nonce)

    def with_entry(self, entry: Entry) -> "Row":
        """Return the row with the ledger's part replaced."""
        return replace(
            self, sid=entry.sid, nonce=entry.nonce, state=entry.state, since_s=entry.since_s
        )


_VALUES = attrgetter(*(one.name for one in fields(Row)))
_COLUMNS = (
    "idx, hash, sid, nonce, state, since_s, type, code, detail, until_s, tier, grant_id, is_change,"
    " targets, accepted_s, deadline_s, outcome, intent, final"
)
_PUT = (
    f"INSERT INTO orders ({_COLUMNS}) VALUES ({', '.join('?' * len(fields(Row)))})"  # noqa: S608 - names
    " ON CONFLICT (idx) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[1:])
    + " WHERE state = 'waiting'"
)
"""Only what waits is ever written again; a sid or a nonce of another leaf is an error of SQLite."""


def _row(found: aiosqlite.Row) -> Row:
    return Row(
        index=found["idx"],
        leaf_hash=bytes(found["hash"]),
        sid=found["sid"],
        nonce=found["nonce"],
        state=State(found["state"]),
        since_s=found["since_s"],
        type=OrderType(found["type"]) if found["type"] else None,
        code=found["code"],
        detail=found["detail"],
        until_s=found["until_s"],
        tier=Tier(found["tier"]) if found["tier"] is not None else None,
        grant=found["grant_id"],
        is_change=bool(found["is_change"]) if found["is_change"] is not None else None,
        targets=found["targets"],
        accepted_s=found["accepted_s"],
        deadline_s=found["deadline_s"],
        outcome=Outcome(found["outcome"]) if found["outcome"] else None,
        intent=found["intent"],
        final=found["final"],
    )


async def get(conn: aiosqlite.Connection, index: int) -> Row | None:
    """Return a leaf's row."""
    rows = await conn.execute_fetchall("SELECT * FROM orders WHERE idx = ?", (index,))
    return next((_row(row) for row in rows), None)


async def by_sid(conn: aiosqlite.Connection, sid: str) -> Row | None:
    """Return the row that uses a sid."""
    rows = await conn.execute_fetchall("SELECT * FROM orders WHERE sid = ?", (sid,))
    return next((_row(row) for row in rows), None)


async def page(
    conn: aiosqlite.Connection, *, before: int | None = None, rows_max: int = 100
) -> list[Row]:
    """Return rows for people, newest leaf first, those before a leaf when one is given."""
    rows = await conn.execute_fetchall(
        "SELECT * FROM orders WHERE ?1 IS NULL OR idx < ?1 ORDER BY idx DESC LIMIT ?2",
        (before, rows_max),
    )
    return [_row(row) for row in rows]


async def waiting(conn: aiosqlite.Connection) -> list[Row]:
    """Return what waits, oldest leaf first."""
    return await _in_state(conn, State.WAITING)


async def running(conn: aiosqlite.Connection) -> list[Row]:
    """Return what runs, or ran when the process ended."""
    return await _in_state(conn, State.RUNNING)


async def _in_state(conn: aiosqlite.Connection, state: State) -> list[Row]:
    rows = await conn.execute_fetchall(
        "SELECT * FROM orders WHERE state = ? ORDER BY idx", (state,)
    )
    return [_row(row) for row in rows]


async def ledger_for(conn: aiosqlite.Connection, orders: Iterable[LeafRef]) -> Ledger:
    """Return the ledger as far as these orders can meet it: their rows, sids and nonces.

    What waits is in it too, because an order can name it.
    """
    refs = list(orders)
    found = {one.index: one.entry for one in await waiting(conn)}
    for start in range(0, len(refs), ASKED_MAX):
        some = refs[start : start + ASKED_MAX]
        marks = ",".join("?" * len(some))
        rows = await conn.execute_fetchall(
            f"SELECT * FROM orders WHERE idx IN ({marks})"  # noqa: S608 - marks
            f" UNION ALL SELECT * FROM orders WHERE sid IN ({marks})"
            f" UNION ALL SELECT * FROM orders WHERE nonce IN ({marks})",
            [ref.index for ref in some] + [ref.sid for ref in some] + [ref.nonce for ref in some],
        )
        found.update({row["idx"]: _row(row).entry for row in rows})
    return Ledger.holding(found.values())


async def put(conn: aiosqlite.Connection, rows: Sequence[Row]) -> None:
    """Write rows that the ledger took, each whole.

    Raises:
        sqlite3.IntegrityError: a sid or a nonce is used by another leaf; the ledger knew better.
    """
    await conn.executemany(
        _PUT,
        [_VALUES(row) for row in rows],
    )


async def wait_anew(conn: aiosqlite.Connection, *, own_s: int) -> None:
    """Let everything that waits begin its wait at `own_s`, the own clock of a new process."""
    await conn.execute("UPDATE orders SET since_s = ? WHERE state = 'waiting'", (own_s,))


async def age(conn: aiosqlite.Connection, *, seen_s: int, own_s: int) -> None:
    """Let what the newest hour's changes were keep its age over a start: see `clock.aged`."""
    rows = await conn.execute_fetchall(
        f"SELECT idx, {_COUNTED} AS at_s FROM orders WHERE {_COUNTED} > ?",  # noqa: S608 - a constant
        (min(seen_s, own_s) - HOUR_S,),
    )
    await conn.executemany(
        "UPDATE orders SET counted_s = ? WHERE idx = ?",
        [(aged(row["at_s"], seen_s=seen_s, own_s=own_s), row["idx"]) for row in rows],
    )


async def newest_counted_s(conn: aiosqlite.Connection) -> int | None:
    """Return by when the newest accepted order counts, by the own clock; None for never."""
    (row,) = await conn.execute_fetchall(
        f"SELECT max({_COUNTED}) AS at_s FROM orders"  # noqa: S608 - a constant
    )
    return None if row["at_s"] is None else int(row["at_s"])


async def finish(
    conn: aiosqlite.Connection, index: int, *, outcome: Outcome, final: int, now_s: int
) -> None:
    """Settle a run, however it ended; raises `TurnError` when the leaf does not run."""
    cursor = await conn.execute(
        "UPDATE orders SET state = 'done', since_s = ?, outcome = ?, final = ?"
        " WHERE idx = ? AND state = 'running'",
        (now_s, outcome, final, index),
    )
    if cursor.rowcount != 1:
        msg = f"leaf {index}: does not run"
        raise TurnError(msg)


async def history(
    conn: aiosqlite.Connection, *, clock_s: int, now_ms: int, held_since_s: int | None
) -> History:
    """Return what orders and rules changed within the last hour.

    `clock_s` is the appliance's own clock, by which orders are counted: no signed time empties a
    budget. `now_ms` is the running clock's, by which rules fire.
    """
    grant_uses: dict[str, int] = {}
    touched: set[str] = set()
    by_orders = 0
    rows = await conn.execute_fetchall(
        f"SELECT grant_id, is_change, targets FROM orders WHERE {_COUNTED} > ?",  # noqa: S608 - a constant
        (clock_s - HOUR_S,),
    )
    for row in rows:
        grant_uses[row["grant_id"]] = grant_uses.get(row["grant_id"], 0) + 1
        by_orders += row["is_change"]
        touched.update(json.loads(row["targets"]))
    fires = list(
        await conn.execute_fetchall(
            "SELECT target FROM rule_fires WHERE at_ms > ?", (now_ms - HOUR_S * 1000,)
        )
    )
    touched.update(row["target"] for row in fires)
    return History(by_orders, frozenset(touched), grant_uses, held_since_s)


async def prune(conn: aiosqlite.Connection) -> None:
    """Forget settled rows of leaves that are older than `ROWS_KEPT`."""
    await conn.execute(
        "DELETE FROM orders WHERE state IN ('done', 'ended', 'refused')"
        " AND idx < (SELECT size FROM order_log) - ?",
        (ROWS_KEPT,),
    )

"""Orders as people on the LAN follow them: every leaf of the site's order log, and its life.

A body is shown when its bytes are kept and there is a reason to believe them: their name is the one
that the ledger holds, or somebody who counts now has signed them. Of other bytes, only that they
came is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import aiosqlite

from appliance.core.order_gate.values import Said
from appliance.store import opinions, order_log, orders
from appliance.store.orders import Row
from proto import strict_json
from proto.envelope import ENVELOPE_BYTES_MAX, Kind, open_envelope, sid
from proto.errors import MalformedError, RejectedError
from proto.evidence import RESULT_PART
from proto.findings import Scalar
from proto.grants import ORDER_KEY
from proto.keys import Threshold
from proto.order import Order, parse_order

PAGE_LEAVES = 50


@dataclass(frozen=True, slots=True)
class OrderView:
    """One leaf of the order log, and what became of it.

    Attributes:
        row: the ledger's row; None for a leaf from before this appliance was enrolled, or one that
            was not judged yet.
        order: the body; None when it is not believed or no longer kept.
        sid: the body's name, hex; "" without one.
        signers: the people whose signatures verify by the keys that count now; None when nobody's
            does, the order key's included.
        fetched_ms: when it came; None when its bytes are no longer kept.
        said: what people and orders said of it.
    """

    index: int
    row: Row | None
    order: Order | None
    sid: str
    signers: tuple[str, ...] | None
    fetched_ms: int | None
    said: Said


async def log_size(conn: aiosqlite.Connection) -> tuple[int, int]:
    """Return how many leaves are mirrored, and how many there were at enrollment."""
    (row,) = await conn.execute_fetchall("SELECT size, enrolled_at FROM order_log")
    return int(row["size"]), int(row["enrolled_at"] or 0)


async def page(
    conn: aiosqlite.Connection, *, before: int, trust: Threshold | None
) -> list[OrderView]:
    """Return the newest leaves before one, newest first; `trust` is whose signatures count now."""
    first = max(before - PAGE_LEAVES, 0)
    kept = {row.index: row for row in await orders.page(conn, before=before, rows_max=PAGE_LEAVES)}
    leaves = await conn.execute_fetchall(
        "SELECT idx, leaf, fetched_ms FROM order_leaves WHERE idx >= ? AND idx < ?", (first, before)
    )
    found = {row["idx"]: (bytes(row["leaf"]), int(row["fetched_ms"])) for row in leaves}
    named = [row.sid for row in kept.values() if row.sid is not None]
    said = await opinions.said_of(conn, named)
    return [
        _view(_Leaf(index, found.get(index)), kept.get(index), said, trust=trust)
        for index in range(before - 1, first - 1, -1)
    ]


async def one(
    conn: aiosqlite.Connection, index: int, *, trust: Threshold | None
) -> OrderView | None:
    """Return one leaf; None when the log has none there."""
    size, _ = await log_size(conn)
    if not 0 <= index < size:
        return None
    return next(iter(await page(conn, before=index + 1, trust=trust)))


async def body_of(conn: aiosqlite.Connection, row: Row) -> Order | None:
    """Return the order that a row of the ledger is about; None when its bytes are not kept."""
    leaf = await order_log.leaf_at(conn, row.index)
    body = b"" if leaf is None else _body(leaf)
    # The ledger has a sid only of an order that was verified.
    return _order(body) if body and sid(Kind.ORDER, body).hex() == row.sid else None


@dataclass(frozen=True, slots=True)
class _Leaf:
    index: int
    kept: tuple[bytes, int] | None


def _view(
    leaf: _Leaf, row: Row | None, said: Mapping[str, Said], *, trust: Threshold | None
) -> OrderView:
    body, signers = b"", None
    if leaf.kept is not None:
        signers, body = _opened(leaf.kept[0], trust)
        body = body or _body(leaf.kept[0])
    name = sid(Kind.ORDER, body).hex() if body else ""
    is_believed = signers is not None or (row is not None and name == row.sid)
    order = _order(body) if body and is_believed else None
    return OrderView(
        index=leaf.index,
        row=row,
        order=order,
        sid=name if order else "",
        signers=signers,
        fetched_ms=leaf.kept[1] if leaf.kept else None,
        said=said.get((row.sid or "") if row else "", Said()),
    )


def _opened(leaf: bytes, trust: Threshold | None) -> tuple[tuple[str, ...] | None, bytes]:
    """Return the people who signed a leaf, and its body; None and nothing when nobody known did."""
    if trust is None:
        return None, b""
    try:
        opened = open_envelope(leaf, kind=Kind.ORDER, trust=trust)
    except RejectedError:
        return None, b""
    people = {holder.person for holder in opened.signers} - {ORDER_KEY}
    return tuple(sorted(people)), opened.body


def _body(leaf: bytes) -> bytes:
    """Return the body in an envelope, whoever signed it; nothing when there is none."""
    try:
        found = strict_json.members(
            strict_json.loads(leaf, size_bytes_max=ENVELOPE_BYTES_MAX),
            "envelope",
            required=("payload", "payloadType", "signatures"),
        )
        return strict_json.b64_decode(found["payload"], "envelope.payload")
    except MalformedError:
        return b""


def _order(body: bytes) -> Order | None:
    try:
        return parse_order(body)
    except MalformedError:
        return None


async def told(conn: aiosqlite.Connection, row: Row) -> dict[str, Scalar]:
    """Return what an order's run told the hub, as it left; nothing when it is no longer kept."""
    rows = await conn.execute_fetchall(
        "SELECT detail FROM evidence_details WHERE idx = ? AND part = ?", (row.final, RESULT_PART)
    )
    for found in rows:
        value = strict_json.loads(bytes(found["detail"]), size_bytes_max=ENVELOPE_BYTES_MAX)
        if isinstance(value, dict):
            return {
                name: said for name, said in value.items() if isinstance(said, bool | int | str)
            }
    return {}

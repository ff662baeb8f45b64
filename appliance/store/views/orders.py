"""Orders as people on the LAN follow them: every leaf of the site's order log, and its life.

A body is shown when its bytes are kept and its name is the one that the ledger holds: the gate
believed these bytes. Of what the gate refused to believe, only that it came is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import aiosqlite

from appliance.core.order_gate.values import Said
from appliance.store import opinions, orders
from appliance.store.orders import Row
from proto import strict_json
from proto.envelope import ENVELOPE_BYTES_MAX, Kind, sid
from proto.errors import MalformedError
from proto.evidence import RESULT_PART
from proto.findings import Scalar
from proto.order import Order, parse_order

PAGE_LEAVES = 50


@dataclass(frozen=True, slots=True)
class OrderView:
    """One leaf of the order log, and what became of it.

    Attributes:
        row: the ledger's row; None for a leaf from before this appliance was enrolled, or one that
            was not judged yet.
        order: the body; None when it is not believed or no longer kept.
        fetched_ms: when it came; None when its bytes are no longer kept.
        said: what people and orders said of it.
    """

    index: int
    row: Row | None
    order: Order | None
    fetched_ms: int | None
    said: Said


async def log_size(conn: aiosqlite.Connection) -> tuple[int, int]:
    """Return how many leaves are mirrored, and how many there were at enrollment."""
    (row,) = await conn.execute_fetchall("SELECT size, enrolled_at FROM order_log")
    return int(row["size"]), int(row["enrolled_at"] or 0)


async def page(conn: aiosqlite.Connection, *, before: int) -> list[OrderView]:
    """Return the newest leaves before one, newest first."""
    first = max(before - PAGE_LEAVES, 0)
    kept = {row.index: row for row in await orders.page(conn, before=before, rows_max=PAGE_LEAVES)}
    leaves = await conn.execute_fetchall(
        "SELECT idx, leaf, fetched_ms FROM order_leaves WHERE idx >= ? AND idx < ?", (first, before)
    )
    found = {row["idx"]: (bytes(row["leaf"]), int(row["fetched_ms"])) for row in leaves}
    named = [row.sid for row in kept.values() if row.sid is not None]
    said = await opinions.said_of(conn, named)
    return [
        _view(index, kept.get(index), found.get(index), said)
        for index in range(before - 1, first - 1, -1)
    ]


async def one(conn: aiosqlite.Connection, index: int) -> OrderView | None:
    """Return one leaf; None when the log has none there."""
    size, _ = await log_size(conn)
    if not 0 <= index < size:
        return None
    return next(iter(await page(conn, before=index + 1)))


def _view(
    index: int, row: Row | None, leaf: tuple[bytes, int] | None, said: Mapping[str, Said]
) -> OrderView:
    name = row.sid if row else None
    order = _body(leaf[0], name) if leaf and name else None
    return OrderView(index, row, order, leaf[1] if leaf else None, said.get(name or "", Said()))


def _body(leaf: bytes, name: str) -> Order | None:
    """Return the body whose name is this one; None for other bytes."""
    try:
        envelope = strict_json.loads(leaf, size_bytes_max=ENVELOPE_BYTES_MAX)
        found = strict_json.members(
            envelope, "envelope", required=("payload", "payloadType", "signatures")
        )
        body = strict_json.b64_decode(found["payload"], "envelope.payload")
        return parse_order(body) if sid(Kind.ORDER, body).hex() == name else None
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

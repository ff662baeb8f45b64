"""What people and orders said of an order, and the sealed logins that orders name.

The statements are verified by who puts them here; they are kept as signed. One of a kind an order:
the first counts.
"""

import hashlib
from collections.abc import Collection
from enum import StrEnum

import aiosqlite

from appliance.core.order_gate.values import Said
from appliance.core.saying import NO_REASON, Why

ROWS_MAX = 4096
BOXES_MAX = 64


class OpinionKind(StrEnum):
    """What was said."""

    VETO = "veto"
    CONSENT = "consent"
    CANCEL = "cancel"


async def add(
    conn: aiosqlite.Connection,
    order: str,
    kind: OpinionKind,
    *,
    by: str,
    statement: bytes | None,
    at_s: int,
    why: Why = NO_REASON,
) -> bool:
    """Keep what was said of an order; return False when the same kind was said of it before.

    Args:
        conn: the caller's transaction.
        order: the order's sid, hex.
        kind: what was said.
        by: a person's code, or for a cancel the sid of the order that cancels.
        statement: the signed statement; None for a cancel.
        at_s: when it came, seconds.
        why: of a veto on the LAN.
    """
    cursor = await conn.execute(
        "INSERT OR IGNORE INTO order_opinions VALUES (?, ?, ?, ?, ?, ?, ?)",
        (order, kind, by, statement, at_s, why.reason, why.salt),
    )
    await conn.execute(
        "DELETE FROM order_opinions WHERE order_sid NOT IN (SELECT sid FROM orders"
        " WHERE state IN ('waiting', 'running')) AND (order_sid, kind) IN (SELECT order_sid, kind"
        " FROM order_opinions ORDER BY at_s DESC LIMIT -1 OFFSET ?)",
        (ROWS_MAX,),
    )
    return cursor.rowcount == 1


async def said(conn: aiosqlite.Connection, order: str) -> Said:
    """Return what was said of one order."""
    return (await said_of(conn, (order,))).get(order, Said())


async def said_of(conn: aiosqlite.Connection, orders: Collection[str]) -> dict[str, Said]:
    """Return what was said of these orders; one of which nothing was said is left out."""
    if not orders:
        return {}
    marks = ",".join("?" * len(orders))
    rows = await conn.execute_fetchall(
        f"SELECT order_sid, kind, by FROM order_opinions WHERE order_sid IN ({marks})",  # noqa: S608 - marks
        tuple(orders),
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["order_sid"], {})[row["kind"]] = row["by"]
    return {
        sid: Said(
            vetoed_by=by.get(OpinionKind.VETO),
            consented_by=by.get(OpinionKind.CONSENT),
            cancelled_by=by.get(OpinionKind.CANCEL),
        )
        for sid, by in found.items()
    }


async def reasons_of(conn: aiosqlite.Connection, order: str) -> dict[OpinionKind, str]:
    """Return why people on the LAN said what they said of an order, where they gave a reason."""
    rows = await conn.execute_fetchall(
        "SELECT kind, reason FROM order_opinions WHERE order_sid = ? AND reason <> ''", (order,)
    )
    return {OpinionKind(row["kind"]): row["reason"] for row in rows}


async def keep_box(conn: aiosqlite.Connection, box: bytes, *, now_ms: int) -> str:
    """Keep a sealed login and return its SHA-256 in hex, by which an order names it."""
    digest = hashlib.sha256(box).hexdigest()
    await conn.execute("INSERT OR IGNORE INTO order_boxes VALUES (?, ?, ?)", (digest, box, now_ms))
    await conn.execute(
        "DELETE FROM order_boxes WHERE sha256 IN (SELECT sha256 FROM order_boxes"
        " ORDER BY arrived_ms DESC LIMIT -1 OFFSET ?)",
        (BOXES_MAX,),
    )
    return digest


async def boxes(conn: aiosqlite.Connection) -> frozenset[str]:
    """Return the hex SHA-256 of every sealed login that is here."""
    rows = await conn.execute_fetchall("SELECT sha256 FROM order_boxes")
    return frozenset(row["sha256"] for row in rows)


async def box(conn: aiosqlite.Connection, sha256: str) -> bytes | None:
    """Return a sealed login; None when it is not here."""
    rows = await conn.execute_fetchall("SELECT box FROM order_boxes WHERE sha256 = ?", (sha256,))
    return next((bytes(row["box"]) for row in rows), None)


async def drop_box(conn: aiosqlite.Connection, sha256: str) -> None:
    """Forget a sealed login whose order was carried out."""
    await conn.execute("DELETE FROM order_boxes WHERE sha256 = ?", (sha256,))

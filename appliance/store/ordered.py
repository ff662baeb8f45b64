"""What orders set: how far automation goes, whether it heals, what is waived. Each has its end.

A row is never changed but to end it; ended ones are kept 90 days for people to look at.
"""

from dataclasses import dataclass

import aiosqlite

from appliance.core.site_rules import Matter, Ordered
from proto.catalog.model import Autonomy
from proto.errors import ConflictError

KEPT_MS = 90 * 86_400_000
ROWS_MAX = 10_000
"""Rows in force at a time: more than all orders of a year can make of it."""

_IN_FORCE = "ended_ms IS NULL AND until_ms > ?"


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing that an order set, with its life."""

    id: int
    ordered: Ordered
    made_ms: int
    ended_ms: int | None
    ended_by: str


def _ordered(row: aiosqlite.Row) -> Ordered:
    return Ordered(
        matter=Matter(row["matter"]),
        check=row["check_id"],
        target=row["target"],
        autonomy=Autonomy(row["autonomy"]) if row["autonomy"] else None,
        until_ms=row["until_ms"],
        order=row["order_sid"],
    )


async def add(conn: aiosqlite.Connection, one: Ordered, *, now_ms: int) -> None:
    """Write what an order sets.

    Raises:
        ConflictError: there are as many as there may be.
    """
    rows = list(
        await conn.execute_fetchall(
            f"SELECT count(*) AS n FROM ordered_settings WHERE {_IN_FORCE}",  # noqa: S608 - a constant
            (now_ms,),
        )
    )
    if rows[0]["n"] >= ROWS_MAX:
        msg = f"orders have set {ROWS_MAX} things that have not ended; nothing more is set"
        raise ConflictError(msg)
    await conn.execute(
        "INSERT INTO ordered_settings (matter, check_id, target, autonomy, order_sid, made_ms,"
        " until_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (one.matter, one.check, one.target, one.autonomy, one.order, now_ms, one.until_ms),
    )


async def end(
    conn: aiosqlite.Connection,
    matter: Matter,
    *,
    check: str | None,
    target: str | None = None,
    by: str,
    now_ms: int,
) -> int:
    """End what orders set of a matter now, and return how many rows that were.

    `check` and `target` are exactly those of the rows, also the word "all"; None ends them
    whatever they name.
    """
    cursor = await conn.execute(
        "UPDATE ordered_settings SET ended_ms = ?1, ended_by = ?2 WHERE ended_ms IS NULL"
        " AND until_ms > ?1 AND matter = ?3 AND (?4 IS NULL OR check_id = ?4)"
        " AND (?5 IS NULL OR target = ?5)",
        (now_ms, by, matter, check, target),
    )
    return cursor.rowcount


async def in_force(conn: aiosqlite.Connection, *, now_ms: int) -> tuple[Ordered, ...]:
    """Return what holds now, oldest first."""
    rows = await conn.execute_fetchall(
        f"SELECT * FROM ordered_settings WHERE {_IN_FORCE} ORDER BY id",  # noqa: S608 - a constant
        (now_ms,),
    )
    return tuple(_ordered(row) for row in rows)


async def every(conn: aiosqlite.Connection) -> list[Kept]:
    """Return the newest 1,000, newest first."""
    rows = await conn.execute_fetchall("SELECT * FROM ordered_settings ORDER BY id DESC LIMIT 1000")
    return [
        Kept(row["id"], _ordered(row), row["made_ms"], row["ended_ms"], row["ended_by"])
        for row in rows
    ]


async def prune(conn: aiosqlite.Connection, *, now_ms: int) -> None:
    """Drop what ended more than 90 days ago."""
    await conn.execute(
        "DELETE FROM ordered_settings WHERE min(coalesce(ended_ms, until_ms), until_ms) < ?",
        (now_ms - KEPT_MS,),
    )

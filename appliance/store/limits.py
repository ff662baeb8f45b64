"""What bounds automation: when rules fired, and the breakers. A day of firings is kept."""

from dataclasses import dataclass

import aiosqlite

from appliance.core.gates import DAY_MS, HOUR_MS, breaker_after
from proto.ids import TargetId


async def fires_ms(
    conn: aiosqlite.Connection, rule: str, target: TargetId, *, now_ms: int
) -> tuple[int, ...]:
    """Return when a rule fired on a target within the last day, ascending."""
    rows = await conn.execute_fetchall(
        "SELECT at_ms FROM rule_fires WHERE rule = ? AND target = ? AND at_ms > ? ORDER BY at_ms",
        (rule, target, now_ms - DAY_MS),
    )
    return tuple(row["at_ms"] for row in rows)


async def fired(conn: aiosqlite.Connection, rule: str, target: TargetId, *, now_ms: int) -> None:
    """Remember that a rule fires now; forget what is older than a day."""
    await conn.execute("DELETE FROM rule_fires WHERE at_ms <= ?", (now_ms - DAY_MS,))
    await conn.execute("INSERT OR IGNORE INTO rule_fires VALUES (?, ?, ?)", (rule, target, now_ms))


async def never_fired(
    conn: aiosqlite.Connection, rule: str, target: TargetId, *, at_ms: int
) -> None:
    """Forget a firing that never reached its target: blocked is not failed, and costs nothing."""
    await conn.execute(
        "DELETE FROM rule_fires WHERE rule = ? AND target = ? AND at_ms = ?", (rule, target, at_ms)
    )


@dataclass(frozen=True, slots=True)
class Repaired:
    """The repairs that began within the last hour.

    Attributes:
        by_orders: how many an order asked for.
        by_rules: how many rules and plans began.
        touched: on which targets.
    """

    by_orders: int
    by_rules: int
    touched: frozenset[TargetId]


async def repaired(conn: aiosqlite.Connection, *, now_ms: int) -> Repaired:
    """Return the repairs that began within the last hour."""
    rows = list(
        await conn.execute_fetchall(
            "SELECT i.target, r.order_sid FROM repairs r JOIN incidents i ON i.id = r.incident"
            " WHERE r.at_ms > ?",
            (now_ms - HOUR_MS,),
        )
    )
    by_orders = sum(row["order_sid"] is not None for row in rows)
    touched = frozenset(TargetId(row["target"]) for row in rows)
    return Repaired(by_orders, len(rows) - by_orders, touched)


async def budget_until_ms(conn: aiosqlite.Connection, most: int, *, now_ms: int) -> int:
    """Return when fewer than `most` repairs by rules began within the hour; 0 when that is so."""
    rows = list(
        await conn.execute_fetchall(
            "SELECT at_ms FROM repairs WHERE order_sid IS NULL AND at_ms > ?"
            " ORDER BY at_ms DESC LIMIT 1 OFFSET ?",
            (now_ms - HOUR_MS, max(most - 1, 0)),
        )
    )
    return next((int(row["at_ms"]) + HOUR_MS for row in rows), 0 if most else now_ms + HOUR_MS)


async def breaker_until_ms(conn: aiosqlite.Connection, target: TargetId, runbook: str) -> int:
    """Return until when this runbook may not run on this target; 0 when it may."""
    rows = await conn.execute_fetchall(
        "SELECT open_until_ms FROM breakers WHERE target = ? AND runbook = ?", (target, runbook)
    )
    return next((int(row["open_until_ms"]) for row in rows), 0)


async def healed(conn: aiosqlite.Connection, target: TargetId, runbook: str) -> None:
    """Close the breaker: this runbook works on this target."""
    await conn.execute("DELETE FROM breakers WHERE target = ? AND runbook = ?", (target, runbook))


async def not_healed(
    conn: aiosqlite.Connection, target: TargetId, runbook: str, *, now_ms: int
) -> int:
    """Count a repair that did not heal; return until when the breaker is now open, 0 if closed."""
    rows = list(
        await conn.execute_fetchall(
            "SELECT failures FROM breakers WHERE target = ? AND runbook = ?", (target, runbook)
        )
    )
    failures = (int(rows[0]["failures"]) if rows else 0) + 1
    until_ms = breaker_after(failures, now_ms=now_ms)
    await conn.execute(
        "INSERT INTO breakers VALUES (?, ?, ?, ?) ON CONFLICT (target, runbook) DO UPDATE SET"
        " failures = excluded.failures, open_until_ms = excluded.open_until_ms",
        (target, runbook, failures, until_ms),
    )
    return until_ms


async def open_breakers(conn: aiosqlite.Connection, *, now_ms: int) -> int:
    """Count the breakers that are open now."""
    rows = list(
        await conn.execute_fetchall(
            "SELECT count(*) AS n FROM breakers WHERE open_until_ms > ?", (now_ms,)
        )
    )
    return int(rows[0]["n"])

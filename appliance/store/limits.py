"""What bounds automation: when rules fired, and the breakers. A day of firings is kept.

Every time here is one of the running clock (`core/run_clock.py`): a clock that people or the
network set frees nothing and holds nothing. Where orders are counted with rules, `lead_ms` is how
far that clock is ahead of the appliance's own, by which orders go.
"""

import aiosqlite

from appliance.core.gates import BREAKER_OPEN_MS, DAY_MS, HOUR_MS, breaker_after
from appliance.core.order_gate import limits as touches
from proto.ids import TargetId

KEPT_MS = DAY_MS
"""How long a firing is counted, at the longest."""

_TOUCHED = """SELECT target, max(at_ms) AS at_ms FROM (
  SELECT target, at_ms FROM rule_fires WHERE at_ms > :since_ms
  UNION ALL
  SELECT named.value, coalesce(counted_s, accepted_s) * 1000 + :lead_ms
  FROM orders, json_each(targets) named
  WHERE coalesce(counted_s, accepted_s) * 1000 + :lead_ms > :since_ms
) GROUP BY target"""
"""The targets that rules or orders changed within the hour, and when last by the running clock."""


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


async def newest_ms(conn: aiosqlite.Connection) -> int:
    """Return the latest time that anything here was counted at, 0 where nothing was."""
    (row,) = await conn.execute_fetchall(
        "SELECT max(coalesce((SELECT max(at_ms) FROM rule_fires), 0),"
        " coalesce((SELECT max(fired_ms) FROM repairs), 0),"
        " coalesce((SELECT max(fresh_ms) FROM targets), 0),"
        " coalesce((SELECT max(open_until_ms) FROM breakers), 0) - ?) AS at_ms",
        (BREAKER_OPEN_MS,),
    )
    return max(int(row["at_ms"]), 0)


async def added(conn: aiosqlite.Connection, target: TargetId, *, now_ms: int) -> None:
    """Remember that a person adds a target now: see `blast_until_ms`."""
    await conn.execute("UPDATE targets SET fresh_ms = ? WHERE id = ?", (now_ms, target))


async def never_fired(
    conn: aiosqlite.Connection, rule: str, target: TargetId, *, at_ms: int
) -> None:
    """Forget a firing that never reached its target: blocked is not failed, and costs nothing."""
    await conn.execute(
        "DELETE FROM rule_fires WHERE rule = ? AND target = ? AND at_ms = ?", (rule, target, at_ms)
    )


async def blast_until_ms(
    conn: aiosqlite.Connection, target: TargetId, *, now_ms: int, lead_ms: int
) -> int:
    """Return when a rule may change this target, 0 for now: see `core/order_gate/limits.py`.

    What orders and rules touched counts together. A target is not counted in the hour after a
    person added it: its first repairs are what it was added for, and that person looks on.

    Args:
        conn: the store.
        target: the one to be changed.
        now_ms: the running clock's time.
        lead_ms: how far that is ahead of the appliance's own clock, by which orders are counted.
    """
    rows = list(
        await conn.execute_fetchall(
            "SELECT id, fresh_ms FROM targets WHERE removed_ms IS NULL",
        )
    )
    added_ms = {row["id"]: row["fresh_ms"] for row in rows}
    if _is_new(now_ms, added_ms.get(target)):
        return 0
    found = await conn.execute_fetchall(
        _TOUCHED, {"since_ms": now_ms - HOUR_MS, "lead_ms": lead_ms}
    )
    touched_ms = {
        row["target"]: int(row["at_ms"])
        for row in found
        if not _is_new(row["at_ms"], added_ms.get(row["target"]))
    }
    return touches.blast_until_ms(target, touched_ms, known=len(rows))


def _is_new(at_ms: int, added_ms: int | None) -> bool:
    """Tell whether a target was just added then."""
    return added_ms is not None and added_ms <= at_ms < added_ms + HOUR_MS


async def budget_until_ms(conn: aiosqlite.Connection, most: int, *, now_ms: int) -> int:
    """Return when fewer than `most` repairs by rules began within the hour; 0 when that is so."""
    rows = list(
        await conn.execute_fetchall(
            "SELECT fired_ms FROM repairs WHERE order_sid IS NULL AND fired_ms > ?"
            " ORDER BY fired_ms DESC LIMIT 1 OFFSET ?",
            (now_ms - HOUR_MS, max(most - 1, 0)),
        )
    )
    return next((int(row["fired_ms"]) + HOUR_MS for row in rows), 0 if most else now_ms + HOUR_MS)


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

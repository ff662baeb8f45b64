"""Health: every way the appliance can be unwell is one declared condition."""

from enum import StrEnum

import aiosqlite


class Condition(StrEnum):
    """Every condition there is; its value is the code that leaves the site."""

    HUB_UNREACHABLE = "hub_unreachable"
    HUB_REFUSED = "hub_refused"
    HUB_WENT_BACK = "hub_went_back"
    EVIDENCE_REFUSED = "evidence_refused"
    BREAKER_OPEN = "breaker_open"
    DISK_LOW = "disk_low"
    DISK_FULL = "disk_full"
    EVIDENCE_SHED = "evidence_shed"
    SCANNER_FAILED = "scanner_failed"
    CONTENT_REFUSED = "content_refused"
    CONTENT_ROLLED_BACK = "content_rolled_back"
    CONTENT_MIXED = "content_mixed"
    CONTENT_WITHHELD = "content_withheld"
    CONTENT_UNSIGNED = "content_unsigned"
    CONTENT_ROOT_REFUSED = "content_root_refused"
    CONTENT_FROZEN = "content_frozen"
    CONTENT_EXPIRED = "content_expired"
    CONTENT_DAMAGED = "content_damaged"
    DEVICE_CONFLICT = "device_conflict"
    OBSERVE_ONLY = "observe_only"
    TEXT_HELD_BACK = "text_held_back"
    TEXT_AT_HUB = "text_at_hub"
    NAMES_MISSING = "names_missing"
    KNOWN_PEOPLE = "known_people"
    ORDER_LOG_REFUSED = "order_log_refused"
    ORDER_LOG_FORK = "order_log_fork"
    ORDERS_HELD = "orders_held"
    ORDERS_RECOVERING = "orders_recovering"


async def raised(conn: aiosqlite.Connection) -> dict[Condition, int]:
    """Return the conditions that hold, with since when."""
    rows = await conn.execute_fetchall("SELECT code, since_ms FROM health ORDER BY code")
    return {Condition(row["code"]): row["since_ms"] for row in rows}


async def raise_it(
    conn: aiosqlite.Connection, condition: Condition, *, detail: str, now_ms: int
) -> bool:
    """Raise a condition; return True when it did not hold before. `detail` stays on the site."""
    cursor = await conn.execute(
        "INSERT INTO health VALUES (?, ?, ?) ON CONFLICT (code) DO NOTHING",
        (condition, now_ms, detail[:400]),
    )
    return cursor.rowcount == 1


async def tell(conn: aiosqlite.Connection, condition: Condition, *, detail: str) -> None:
    """Put a newer detail to a condition that holds."""
    await conn.execute("UPDATE health SET detail = ? WHERE code = ?", (detail[:400], condition))


async def clear(conn: aiosqlite.Connection, condition: Condition) -> bool:
    """Clear a condition; return True when it held before."""
    cursor = await conn.execute("DELETE FROM health WHERE code = ?", (condition,))
    return cursor.rowcount == 1

"""Small named values: a closed set of keys, each with the module that writes it."""

from enum import StrEnum

import aiosqlite


class Key(StrEnum):
    """Every key there is."""

    OBSERVE_ONLY = "observe_only"
    CHECK_IN_SEQ = "check_in_seq"
    HUB_STATE = "hub_state"
    DEVICE_PAGE_SEQ = "device_page_seq"
    HUB_DEVICES = "hub_devices"
    HUB_SEEN_MS = "hub_seen_ms"
    LAST_SCAN_MS = "last_scan_ms"
    LAST_DISCOVERY_MS = "last_discovery_ms"
    RESTART_ORDER = "restart_order"
    RUN_MS = "run_ms"
    UPDATE_ORDER = "update_order"


async def get(conn: aiosqlite.Connection, key: Key, default: str = "") -> str:
    """Return a value, or the default while none was set."""
    rows = list(await conn.execute_fetchall("SELECT value FROM meta WHERE key = ?", (key,)))
    return str(rows[0]["value"]) if rows else default


async def get_int(conn: aiosqlite.Connection, key: Key, default: int = 0) -> int:
    """Return a whole number, or the default while none was set."""
    return int(await get(conn, key, str(default)))


async def put(conn: aiosqlite.Connection, key: Key, value: str) -> None:
    """Set a value."""
    await conn.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )

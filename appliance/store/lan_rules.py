"""What people on the LAN set for the whole site: protected hosts and maintenance windows."""

from dataclasses import dataclass

import aiosqlite

from appliance.core.reasons import plain_reason
from appliance.core.site_rules import Span
from proto.errors import ConflictError, NotFoundError
from proto.ids import TargetId

KEPT_MS = 90 * 86_400_000
PROTECTED_MAX = 4096
WINDOWS_MAX = 32


@dataclass(frozen=True, slots=True)
class Protection:
    """A target that nothing changes: who said so and why, and who ended it."""

    target: TargetId
    reason: str
    account: str
    created_ms: int
    ended_ms: int | None
    ended_by: str


@dataclass(frozen=True, slots=True)
class KeptWindow:
    """A maintenance window, and who set it."""

    id: int
    span: Span
    account: str
    created_ms: int


async def _count(conn: aiosqlite.Connection, query: str) -> int:
    rows = list(await conn.execute_fetchall(query))
    return int(rows[0][0])


async def protect(
    conn: aiosqlite.Connection, target: TargetId, *, reason: str, account: str, now_ms: int
) -> None:
    """Protect a host from every change.

    Raises:
        ConflictError: it is protected already, or too many are.
        MalformedError: no reason, or one that is not plain text.
    """
    reason = plain_reason(reason, "protect.reason")
    count = await _count(conn, "SELECT count(*) FROM protected_hosts WHERE ended_ms IS NULL")
    if count >= PROTECTED_MAX:
        msg = f"{PROTECTED_MAX} hosts are protected; no more can be"
        raise ConflictError(msg)
    cursor = await conn.execute(
        "INSERT INTO protected_hosts (target, reason, account, created_ms) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (target) WHERE ended_ms IS NULL DO NOTHING",
        (target, reason, account, now_ms),
    )
    if cursor.rowcount != 1:
        msg = f"{target} is protected already"
        raise ConflictError(msg)


async def unprotect(
    conn: aiosqlite.Connection, target: TargetId, *, account: str, now_ms: int
) -> None:
    """Let a host be changed again.

    Raises:
        NotFoundError: it is not protected.
    """
    cursor = await conn.execute(
        "UPDATE protected_hosts SET ended_ms = ?, ended_by = ?"
        " WHERE target = ? AND ended_ms IS NULL",
        (now_ms, account, target),
    )
    if cursor.rowcount != 1:
        msg = f"{target} is not protected"
        raise NotFoundError(msg)


async def protected(conn: aiosqlite.Connection) -> frozenset[TargetId]:
    """Return the targets that nothing may change now."""
    rows = await conn.execute_fetchall("SELECT target FROM protected_hosts WHERE ended_ms IS NULL")
    return frozenset(TargetId(row["target"]) for row in rows)


async def protections(conn: aiosqlite.Connection) -> list[Protection]:
    """Return what is protected now and what was, newest first."""
    rows = await conn.execute_fetchall(
        "SELECT * FROM protected_hosts ORDER BY ended_ms IS NOT NULL, id DESC LIMIT 1000"
    )
    return [
        Protection(
            target=TargetId(row["target"]),
            reason=row["reason"],
            account=row["account"],
            created_ms=row["created_ms"],
            ended_ms=row["ended_ms"],
            ended_by=row["ended_by"],
        )
        for row in rows
    ]


async def add_window(conn: aiosqlite.Connection, span: Span, *, account: str, now_ms: int) -> None:
    """Add a maintenance window.

    Raises:
        ConflictError: the same one is set, or too many are.
    """
    kept = await windows(conn)
    if any(one.span == span for one in kept):
        msg = "this maintenance window is set already"
        raise ConflictError(msg)
    if len(kept) >= WINDOWS_MAX:
        msg = f"{WINDOWS_MAX} maintenance windows are set; remove one first"
        raise ConflictError(msg)
    days = "".join(str(day) for day in sorted(span.days))
    await conn.execute(
        "INSERT INTO maintenance_windows (days, start_min, length_min, account, created_ms)"
        " VALUES (?, ?, ?, ?, ?)",
        (days, span.start_min, span.length_min, account, now_ms),
    )


async def remove_window(conn: aiosqlite.Connection, window: int) -> Span:
    """Remove a maintenance window and return when it was.

    Raises:
        NotFoundError: there is none with this number.
    """
    found = next((one.span for one in await windows(conn) if one.id == window), None)
    if found is None:
        msg = f"there is no maintenance window {window}"
        raise NotFoundError(msg)
    await conn.execute("DELETE FROM maintenance_windows WHERE id = ?", (window,))
    return found


async def windows(conn: aiosqlite.Connection) -> list[KeptWindow]:
    """Return the maintenance windows, by number."""
    rows = await conn.execute_fetchall("SELECT * FROM maintenance_windows ORDER BY id")
    return [
        KeptWindow(
            id=row["id"],
            span=Span(
                frozenset(int(day) for day in row["days"]), row["start_min"], row["length_min"]
            ),
            account=row["account"],
            created_ms=row["created_ms"],
        )
        for row in rows
    ]


async def prune(conn: aiosqlite.Connection, *, now_ms: int) -> None:
    """Forget protections that ended more than 90 days ago."""
    await conn.execute("DELETE FROM protected_hosts WHERE ended_ms < ?", (now_ms - KEPT_MS,))

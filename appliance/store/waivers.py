"""Waivers: dated, approved departures from a check on a target. Ended ones go after 90 days."""

from dataclasses import dataclass

import aiosqlite

from appliance.core.reasons import plain_reason
from proto.errors import MalformedError, NotFoundError
from proto.ids import TargetId

KEPT_MS = 90 * 86_400_000
LENGTH_MAX_MS = 90 * 86_400_000


@dataclass(frozen=True, slots=True)
class Waiver:
    """One waiver; `account` is who approved it, `ended_by` who ended it before its time."""

    id: int
    target: TargetId
    check: str
    reason: str
    account: str
    created_ms: int
    until_ms: int
    ended_ms: int | None
    ended_by: str

    def is_active(self, *, now_ms: int) -> bool:
        """Tell whether it is in force."""
        return self.ended_ms is None and now_ms < self.until_ms


def _waiver(row: aiosqlite.Row) -> Waiver:
    return Waiver(
        id=row["id"],
        target=TargetId(row["target"]),
        check=row["check_id"],
        reason=row["reason"],
        account=row["account"],
        created_ms=row["created_ms"],
        until_ms=row["until_ms"],
        ended_ms=row["ended_ms"],
        ended_by=row["ended_by"],
    )


async def add(
    conn: aiosqlite.Connection,
    target: TargetId,
    check: str,
    *,
    reason: str,
    account: str,
    now_ms: int,
    until_ms: int,
) -> Waiver:
    """Write a waiver.

    Raises:
        MalformedError: no reason, one that is not plain text, or an end that is past or more than
            90 days ahead.
    """
    reason = plain_reason(reason, "waiver.reason")
    if not now_ms < until_ms <= now_ms + LENGTH_MAX_MS:
        msg = "waiver.until: a waiver ends in the future, at most 90 days ahead"
        raise MalformedError(msg)
    cursor = await conn.execute(
        "INSERT INTO waivers (target, check_id, reason, account, created_ms, until_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (target, check, reason, account, now_ms, until_ms),
    )
    return Waiver(
        id=cursor.lastrowid or 0,
        target=target,
        check=check,
        reason=reason,
        account=account,
        created_ms=now_ms,
        until_ms=until_ms,
        ended_ms=None,
        ended_by="",
    )


async def end(conn: aiosqlite.Connection, waiver: int, *, account: str, now_ms: int) -> Waiver:
    """End a waiver now and return it.

    Raises:
        NotFoundError: there is no such waiver in force.
    """
    rows = await conn.execute_fetchall(
        "UPDATE waivers SET ended_ms = ?1, ended_by = ?2"
        " WHERE id = ?3 AND ended_ms IS NULL AND until_ms > ?1 RETURNING *",
        (now_ms, account, waiver),
    )
    for row in rows:
        return _waiver(row)
    msg = f"waiver {waiver}: no such waiver in force"
    raise NotFoundError(msg)


async def active(conn: aiosqlite.Connection, *, now_ms: int) -> set[tuple[TargetId, str]]:
    """Return the (target, check) pairs under a waiver."""
    rows = await conn.execute_fetchall(
        "SELECT target, check_id FROM waivers WHERE ended_ms IS NULL AND until_ms > ?", (now_ms,)
    )
    return {(TargetId(row["target"]), row["check_id"]) for row in rows}


async def every(conn: aiosqlite.Connection) -> list[Waiver]:
    """Return all kept waivers, newest first."""
    rows = await conn.execute_fetchall("SELECT * FROM waivers ORDER BY id DESC LIMIT 1000")
    return [_waiver(row) for row in rows]


async def prune(conn: aiosqlite.Connection, *, now_ms: int) -> None:
    """Drop waivers that ended more than 90 days ago."""
    await conn.execute(
        "DELETE FROM waivers WHERE coalesce(ended_ms, until_ms) < ?", (now_ms - KEPT_MS,)
    )

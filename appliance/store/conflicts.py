"""What two devices claim and only one can have: kept until a person says whose it is.

A settled disagreement keeps its row, so that the next look at the same two devices does not ask a
person the same thing again. `prune` holds the bound: `CONFLICTS_MAX`, settled ones go first.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import aiosqlite

from appliance.core.identity import AttributeKind, Conflict
from proto.errors import NotFoundError
from proto.ids import TargetId

CONFLICTS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Kept:
    """A disagreement as stored; `settled_ms` is None while it waits for a person."""

    id: int
    conflict: Conflict
    at_ms: int
    settled_ms: int | None


def _kept(row: aiosqlite.Row) -> Kept:
    conflict = Conflict(
        TargetId(row["device"]), TargetId(row["other"]), AttributeKind(row["kind"]), row["value"]
    )
    return Kept(row["id"], conflict, row["at_ms"], row["settled_ms"])


async def record(conn: aiosqlite.Connection, conflicts: Iterable[Conflict], *, at_ms: int) -> None:
    """Store disagreements for a person to decide; one that is known keeps its date and its end."""
    await conn.executemany(
        "INSERT INTO device_conflicts (device, other, kind, value, at_ms) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [(one.device, one.other, one.kind, one.value, at_ms) for one in conflicts],
    )


async def waiting(conn: aiosqlite.Connection) -> list[Kept]:
    """Return the disagreements that wait for a person, oldest first."""
    rows = await conn.execute_fetchall(
        "SELECT * FROM device_conflicts WHERE settled_ms IS NULL ORDER BY at_ms, id"
    )
    return [_kept(row) for row in rows]


async def get(conn: aiosqlite.Connection, conflict: int) -> Kept:
    """Return a disagreement, settled or not.

    Raises:
        NotFoundError: there is none with this number.
    """
    rows = list(
        await conn.execute_fetchall("SELECT * FROM device_conflicts WHERE id = ?", (conflict,))
    )
    if not rows:
        msg = f"there is no device conflict {conflict}"
        raise NotFoundError(msg)
    return _kept(rows[0])


async def settle(conn: aiosqlite.Connection, kept: Kept, *, at_ms: int) -> None:
    """Mark one as settled, and drop what else waits about the same value.

    The next look says again what still disagrees, now that the value has its owner.
    """
    await conn.execute("UPDATE device_conflicts SET settled_ms = ? WHERE id = ?", (at_ms, kept.id))
    await conn.execute(
        "DELETE FROM device_conflicts WHERE kind = ? AND value = ? AND id <> ?",
        (kept.conflict.kind, kept.conflict.value, kept.id),
    )


async def forget_keys(conn: aiosqlite.Connection, device: TargetId) -> None:
    """Drop the disagreements about a device's host keys: nobody logs in on it now."""
    await conn.execute(
        "DELETE FROM device_conflicts WHERE other = ? AND kind = 'host_key'", (device,)
    )


async def prune(conn: aiosqlite.Connection) -> None:
    """Hold this module's bound."""
    await conn.execute(
        "DELETE FROM device_conflicts WHERE id IN (SELECT id FROM device_conflicts"
        " ORDER BY settled_ms IS NOT NULL, at_ms DESC, id LIMIT -1 OFFSET ?)",
        (CONFLICTS_MAX,),
    )

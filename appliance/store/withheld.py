"""Records that the scrubber did not let through, counted by source and reason.

One row a source and reason, with when it was first and last, and the hash of the last record, by
which the record can be recognised where it came from. Nothing of its text is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import aiosqlite

ROWS_MAX = 200
REASON_CHARS_MAX = 80
OTHER = "another reason"


@dataclass(frozen=True, slots=True)
class Count:
    """How many records of one source were withheld for one reason."""

    source: str
    reason: str
    count: int
    first_ms: int
    last_ms: int
    sha256: str


async def add(conn: aiosqlite.Connection, counts: Iterable[Count]) -> None:
    """Add to the counts; a reason too many is counted as another reason."""
    for one in counts:
        reason = one.reason[:REASON_CHARS_MAX]
        rows = list(
            await conn.execute_fetchall(
                "SELECT count(*) AS n, max(source = ? AND reason = ?) AS known FROM withheld",
                (one.source, reason),
            )
        )
        if rows[0]["n"] >= ROWS_MAX and not rows[0]["known"]:
            reason = OTHER
        await conn.execute(
            "INSERT INTO withheld VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (source, reason) DO UPDATE"
            " SET count = count + excluded.count, last_ms = excluded.last_ms,"
            " sha256 = excluded.sha256",
            (one.source, reason, one.count, one.first_ms, one.last_ms, one.sha256),
        )


async def every(conn: aiosqlite.Connection) -> list[Count]:
    """Return the counts, the latest first."""
    rows = await conn.execute_fetchall("SELECT * FROM withheld ORDER BY last_ms DESC, source")
    return [
        Count(
            row["source"],
            row["reason"],
            row["count"],
            row["first_ms"],
            row["last_ms"],
            row["sha256"],
        )
        for row in rows
    ]

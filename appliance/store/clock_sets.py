"""Who set the floor clock on the LAN, and why: the reason stays here, its receipt commits to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import aiosqlite

ROWS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One time that a person set it.

    Attributes:
        leaf: the receipt in the evidence log.
        was_s: the floor before.
        to_s: the floor after.
    """

    leaf: int
    at_ms: int
    account: str
    was_s: int
    to_s: int
    reason: str
    salt: bytes


async def add(conn: aiosqlite.Connection, row: ClockRow) -> None:
    """Keep one more; the oldest beyond `ROWS_MAX` goes."""
    await conn.execute(
        "INSERT INTO clock_sets VALUES (?, ?, ?, ?, ?, ?, ?)",
        (row.leaf, row.at_ms, row.account, row.was_s, row.to_s, row.reason, row.salt),
    )
    await conn.execute(
        "DELETE FROM clock_sets WHERE leaf NOT IN"
        " (SELECT leaf FROM clock_sets ORDER BY leaf DESC LIMIT ?)",
        (ROWS_MAX,),
    )


async def every(conn: aiosqlite.Connection) -> Sequence[ClockRow]:
    """Return all that are kept, newest first."""
    rows = await conn.execute_fetchall("SELECT * FROM clock_sets ORDER BY leaf DESC")
    return [ClockRow(*row) for row in rows]

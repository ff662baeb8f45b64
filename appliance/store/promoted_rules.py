"""Which promoted rules orders took up: by id, with the digest of the file that was meant."""

import aiosqlite

from proto.errors import ConflictError

ROWS_MAX = 1000


async def take(
    conn: aiosqlite.Connection, rule: str, *, sha256: str, order: str, now_ms: int
) -> None:
    """Take a rule up; another file of the same rule is taken in place of the one before.

    Raises:
        ConflictError: as many were taken up as may be.
    """
    (row,) = await conn.execute_fetchall(
        "SELECT count(*) AS n FROM promoted_rules WHERE rule <> ?", (rule,)
    )
    if row["n"] >= ROWS_MAX:
        msg = f"{ROWS_MAX} promoted rules were taken up; no more can be"
        raise ConflictError(msg)
    await conn.execute(
        "INSERT INTO promoted_rules VALUES (?, ?, ?, ?) ON CONFLICT (rule) DO UPDATE SET"
        " sha256 = excluded.sha256, order_sid = excluded.order_sid, taken_ms = excluded.taken_ms",
        (rule, sha256, order, now_ms),
    )


async def taken(conn: aiosqlite.Connection) -> frozenset[str]:
    """Return the hex SHA-256 of every file that was taken up."""
    rows = await conn.execute_fetchall("SELECT sha256 FROM promoted_rules")
    return frozenset(row["sha256"] for row in rows)

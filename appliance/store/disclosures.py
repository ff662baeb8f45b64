"""What people revealed and had forgotten: who, when, why, of which class; never the value.

Each row belongs to the evidence leaf that commits to its reason. The reason stays on the appliance.
Rows are kept for six years (45 CFR 164.316(b)(2)(i)), at most `ROWS_MAX`.
"""

from dataclasses import dataclass

import aiosqlite

from appliance.core.disclosing import Why
from proto import strict_json
from proto.evidence import PhiAct

KEPT_MS = 6 * 366 * 86_400_000
ROWS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One act of a person; `token_class` is None when a person was forgotten."""

    leaf: int
    at_ms: int
    account: str
    act: PhiAct
    token_class: str | None
    count: int
    reason: str


async def add(conn: aiosqlite.Connection, disclosure: Disclosure, why: Why) -> None:
    """Keep one, with what opens its leaf's commitment to the reason."""
    await conn.execute(
        "INSERT INTO disclosures VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            disclosure.leaf,
            disclosure.at_ms,
            disclosure.account,
            disclosure.act,
            disclosure.token_class,
            disclosure.count,
            why.salt,
            why.detail,
        ),
    )
    await conn.execute(
        "DELETE FROM disclosures WHERE at_ms < ? OR leaf IN"
        " (SELECT leaf FROM disclosures ORDER BY leaf DESC LIMIT -1 OFFSET ?)",
        (disclosure.at_ms - KEPT_MS, ROWS_MAX),
    )


async def latest(conn: aiosqlite.Connection, *, rows_max: int) -> list[Disclosure]:
    """Return what was revealed and forgotten, the latest first."""
    rows = await conn.execute_fetchall(
        "SELECT * FROM disclosures ORDER BY leaf DESC LIMIT ?", (rows_max,)
    )
    return [
        Disclosure(
            row["leaf"],
            row["at_ms"],
            row["account"],
            PhiAct(row["act"]),
            row["class"],
            row["count"],
            _reason(row["detail"]),
        )
        for row in rows
    ]


def _reason(detail: bytes) -> str:
    value = strict_json.loads(detail, size_bytes_max=16 * 1024)
    return str(value["reason"]) if isinstance(value, dict) else ""

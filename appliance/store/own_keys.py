"""This appliance's own public keys: which one signed which leaf of its evidence, and which signs.

A renewal is a leaf of the evidence log and a row here, in one transaction: what this table names
last is what signs, whatever the files of private keys are called. So no crash between a file and
this table can make the log go on with a key that it does not name.
"""

from dataclasses import dataclass

import aiosqlite

from proto.appliance_keys import ENROLLED, KeyHistory, Turn
from proto.evidence import KeysLeaf
from proto.keys import PublicKey, SealingPublicKey


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """The public keys that one renewal named.

    Attributes:
        leaf: the evidence leaf that names them; `proto.appliance_keys.ENROLLED` for the first.
        sealing: None where the first was never told.
        at_s: when, by that leaf; 0 for the first.
    """

    leaf: int
    signing: PublicKey
    sealing: SealingPublicKey | None
    at_s: int


async def every(conn: aiosqlite.Connection) -> list[OwnKeys]:
    """Return all that were named, oldest first; none before the first renewal."""
    rows = await conn.execute_fetchall("SELECT * FROM own_keys ORDER BY leaf")
    return [
        OwnKeys(
            row["leaf"],
            PublicKey(row["ed25519"]),
            SealingPublicKey(row["x25519"]) if row["x25519"] is not None else None,
            row["at_s"],
        )
        for row in rows
    ]


async def count(conn: aiosqlite.Connection) -> int:
    """Return how many were named."""
    rows = list(await conn.execute_fetchall("SELECT count(*) AS n FROM own_keys"))
    return int(rows[0]["n"])


async def history(conn: aiosqlite.Connection, current: PublicKey) -> KeyHistory:
    """Return which key signed which leaf; `current` is the key of one that never renewed."""
    rows = await conn.execute_fetchall("SELECT leaf, ed25519 FROM own_keys ORDER BY leaf")
    turns = tuple(Turn(row["leaf"], PublicKey(row["ed25519"])) for row in rows)
    return KeyHistory(turns) if turns else KeyHistory.of(current)


async def add(
    conn: aiosqlite.Connection,
    leaf: KeysLeaf,
    *,
    former: PublicKey,
    sealing: SealingPublicKey | None,
) -> None:
    """Keep what a renewal's leaf names, in the transaction that has appended it.

    Args:
        conn: the transaction.
        leaf: the renewal, verified.
        former: the signing key before it.
        sealing: the sealing key before it: with `former` it is the first row where none is.
    """
    await conn.execute(
        "INSERT INTO own_keys SELECT ?, ?, ?, 0 WHERE NOT EXISTS (SELECT 1 FROM own_keys)",
        (ENROLLED, former.raw, sealing.raw if sealing else None),
    )
    signing = PublicKey.from_b64(leaf.ed25519)
    next_sealing = SealingPublicKey.from_b64(leaf.x25519)
    await conn.execute(
        "INSERT INTO own_keys VALUES (?, ?, ?, ?)",
        (leaf.seq, signing.raw, next_sealing.raw, leaf.at),
    )

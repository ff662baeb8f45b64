"""What was held back at the door to the hub: kept for people of the site, sealed, never sent.

At most `ROWS_MAX` pieces; the oldest go first, and each after `KEPT_MS`. The same piece again only
counts. Of a long piece its beginning is kept, and how long it was.
"""

from dataclasses import dataclass

import aiosqlite

ROWS_MAX = 100
KEPT_MS = 30 * 86_400_000
PIECE_BYTES_MAX = 16 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that was held back.

    Attributes:
        what: which part of which message it was.
        forms: the forms that the last look saw in it, in alphabetical order.
        sealed: its beginning, at most `PIECE_BYTES_MAX`, sealed for `context(sha256)`.
    """

    sha256: bytes
    what: str
    forms: tuple[str, ...]
    size_bytes: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class PieceView:
    """Something that was held back, as people are shown it: without what it says."""

    sha256: str
    what: str
    forms: tuple[str, ...]
    size_bytes: int
    times: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How much is held back, and which forms were seen in it."""

    pieces: int
    forms: tuple[str, ...]


def context(sha256: bytes) -> str:
    """Return what a piece is sealed for."""
    return f"held back {sha256.hex()}"


async def put(conn: aiosqlite.Connection, piece: Piece, *, now_ms: int) -> None:
    """Keep a piece, or count it once more."""
    await conn.execute(
        "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, 1, ?, ?)"
        " ON CONFLICT (sha256) DO UPDATE SET times = times + 1, last_ms = excluded.last_ms",
        (
            piece.sha256,
            piece.what,
            " ".join(piece.forms),
            piece.size_bytes,
            piece.sealed,
            now_ms,
            now_ms,
        ),
    )
    await conn.execute(
        "DELETE FROM quarantine WHERE sha256 IN"
        " (SELECT sha256 FROM quarantine ORDER BY last_ms DESC, sha256 LIMIT -1 OFFSET ?)",
        (ROWS_MAX,),
    )


async def tally(conn: aiosqlite.Connection) -> Tally:
    """Count what is held back."""
    rows = list(await conn.execute_fetchall("SELECT forms FROM quarantine"))
    forms = {form for row in rows for form in row["forms"].split()}
    return Tally(len(rows), tuple(sorted(forms)))


async def every(conn: aiosqlite.Connection) -> list[PieceView]:
    """Return what is held back, newest first."""
    rows = await conn.execute_fetchall("SELECT * FROM quarantine ORDER BY last_ms DESC, sha256")
    return [
        PieceView(
            row["sha256"].hex(),
            row["what"],
            tuple(row["forms"].split()),
            row["size_bytes"],
            row["times"],
            row["first_ms"],
            row["last_ms"],
        )
        for row in rows
    ]


async def prune(conn: aiosqlite.Connection, *, now_ms: int) -> None:
    """Drop what nobody needs any more."""
    await conn.execute("DELETE FROM quarantine WHERE last_ms < ?", (now_ms - KEPT_MS,))


async def clear(conn: aiosqlite.Connection) -> int:
    """Drop all of it: a person has looked into it; return how many pieces there were."""
    return (await conn.execute("DELETE FROM quarantine")).rowcount

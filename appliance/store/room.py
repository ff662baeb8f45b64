"""Making room on a full disk: what is given up, in which order, and what never is.

| order | what is given up | what of it is left |
|---|---|---|
| 1 | the ballast: a file that holds `BALLAST_BYTES` for this hour | it is made again later |
| 2 | the write-ahead log, emptied into the store | everything |
| 3 | notes beside the turns and commands of incidents that are closed | states, causes, times |
| 4 | incidents that are closed | their evidence |
| 5 | details of evidence that the hub signed for | the leaf that commits to them, and the hub's |
| 6 | leaves that the hub signed for | their hashes, so that the log adds up, and the hub's |

Evidence that the hub has not co-signed is never given up, nor is anything that is under way:
when this is all that is left, nothing new is begun until there is room.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiosqlite

from appliance.store import evidence
from appliance.store.db import RESERVE_BYTES

BALLAST_BYTES = 8 * 1024 * 1024
ENOUGH_BYTES = 2 * RESERVE_BYTES
"""No more is given up once so much is free."""

ROWS_MAX = 500
"""Rows given up in one transaction, so that it fits in the reserve."""

ANY_AGE_S = 2**53


GiveUp = Callable[[aiosqlite.Connection], Awaitable[int]]
"""Gives up at most `ROWS_MAX` rows and returns how many there were."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing to give up, and its name for people."""

    name: str
    give_up: GiveUp
    is_evidence: bool = False


async def _notes(conn: aiosqlite.Connection) -> int:
    turns = await conn.execute(
        "UPDATE turns SET note = '' WHERE (incident, n) IN (SELECT incident, n FROM turns"
        " WHERE note <> '' AND incident IN (SELECT id FROM incidents WHERE state = 'closed')"
        " LIMIT ?)",
        (ROWS_MAX,),
    )
    commands = await conn.execute(
        "UPDATE commands SET why = NULL WHERE id IN (SELECT id FROM commands"
        " WHERE why <> '' AND incident IN (SELECT id FROM incidents WHERE state = 'closed')"
        " LIMIT ?)",
        (ROWS_MAX,),
    )
    return turns.rowcount + commands.rowcount


async def _closed_incidents(conn: aiosqlite.Connection) -> int:
    cursor = await conn.execute(
        "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE state = 'closed'"
        " ORDER BY closed_ms LIMIT ?)",
        (ROWS_MAX,),
    )
    return cursor.rowcount


STAGES = (
    Stage("notes of closed incidents", _notes),
    Stage("closed incidents", _closed_incidents),
    Stage(
        "details that the hub holds",
        partial(evidence.forget_details, before_s=ANY_AGE_S, rows_max=ROWS_MAX),
        is_evidence=True,
    ),
    Stage(
        "leaves that the hub holds",
        partial(evidence.forget_leaves, before_s=ANY_AGE_S, rows_max=ROWS_MAX),
        is_evidence=True,
    ),
)


class Ballast:
    """A file that only takes up room, to be dropped when there is no other."""

    def __init__(self, directory: Path) -> None:
        """Name the file; nothing is made yet."""
        self._path = directory / "ballast"

    @property
    def is_there(self) -> bool:
        """Whether it holds its room."""
        try:
            return self._path.stat().st_size == BALLAST_BYTES
        except FileNotFoundError:
            return False

    def make(self) -> None:
        """Take up room on the disk itself, not only a size.

        Raises:
            OSError: there is none.
        """
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
        except OSError:
            self.drop()
            raise
        finally:
            os.close(descriptor)

    def drop(self) -> bool:
        """Give the room back; return False when there was no ballast."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True

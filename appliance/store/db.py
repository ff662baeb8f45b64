"""The store's connections, transactions and migrations.

One connection writes, behind a lock that is held for a whole transaction: two coroutines that share
a connection lose each other's writes. Readers have their own read-only connections, so a page never
waits for a repair. Migrations are numbered files, applied in order, their SHA-256 recorded; a file
that changed after it was applied stops the daemon.

The last `RESERVE_BYTES` of the disk are for making room: no transaction is begun in them but by
`write_in_reserve`. So a disk that fills up is noticed while it can still be said, and what could
not be stored was never begun.

What must be stored no later than anything that is stored after it, whoever stores it, rides along
with every transaction (`Rider`): so no row can hold a token that the vault would lose in a crash.
"""

import asyncio
import hashlib
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Protocol, Self

import aiosqlite

from proto.errors import IntegrityError, NoRoomError
from runtime.sqlite import Connect, threaded

READERS = 2
"""Read-only connections kept open; a further reader waits."""

RESERVE_BYTES = 2 * 1024 * 1024
"""More than the largest transaction, with what a checkpoint then copies."""

FreeBytes = Callable[[], int]

_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_WRITE})


class Rider(Protocol):
    """What is written within whatever transaction comes next."""

    async def board(self, conn: aiosqlite.Connection) -> Callable[[], None]:
        """Write what waits, at the end of a transaction; return what to call once it is committed.

        A transaction that fails is not followed by the call: what waited goes on waiting.
        """
        ...


class Store:
    """An open store. `write()` and `read()` are the only ways to its rows."""

    def __init__(
        self,
        writer: aiosqlite.Connection,
        readers: list[aiosqlite.Connection],
        free_bytes: FreeBytes,
    ) -> None:
        """Take open connections; `Store.open` makes them."""
        self.free_bytes = free_bytes
        self._writer = writer
        self._lock = asyncio.Lock()
        self._riders: list[Rider] = []
        self._all_readers = readers
        self._readers: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        for reader in readers:
            self._readers.put_nowait(reader)

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        now_ms: int,
        connect: Connect = threaded,
        free_bytes: FreeBytes | None = None,
    ) -> Self:
        """Open the file, creating it and applying migrations as needed.

        `free_bytes` tells how much room the disk has; by default the disk itself is asked.

        Raises:
            IntegrityError: the file is damaged, or holds a migration that this program lacks or
                that differs from the one applied.
            NoRoomError: the disk is so full that it cannot even be opened.
        """
        try:
            _make(path)
            async with AsyncExitStack() as failed:
                writer = await connect(path, read_only=False)
                failed.push_async_callback(writer.close)
                await migrate(writer, now_ms=now_ms)
                readers: list[aiosqlite.Connection] = []
                for _ in range(READERS):
                    readers.append(await connect(path, read_only=True))
                    failed.push_async_callback(readers[-1].close)
                failed.pop_all()
        except sqlite3.OperationalError as error:
            raise _told(error) from error
        return cls(writer, readers, free_bytes or (lambda: shutil.disk_usage(path.parent).free))

    async def close(self) -> None:
        """Close every connection."""
        async with self._lock:
            for reader in self._all_readers:
                await reader.close()
            await self._writer.close()

    def carry(self, rider: Rider) -> None:
        """Take a rider along with every transaction from now on."""
        self._riders.append(rider)

    def has_room(self) -> bool:
        """Tell whether the disk has more than the reserve."""
        return self.free_bytes() > RESERVE_BYTES

    @asynccontextmanager
    async def write(self) -> AsyncIterator[aiosqlite.Connection]:
        """Give the writer inside one transaction: committed at the end, undone on any error.

        Raises:
            NoRoomError: the disk has no room; nothing was stored.
        """
        if not self.has_room():
            raise NoRoomError(NO_ROOM)
        async with self.write_in_reserve() as writer:
            yield writer

    @asynccontextmanager
    async def write_in_reserve(self) -> AsyncIterator[aiosqlite.Connection]:
        """Give the writer as `write` does, in the reserve too: for what makes room, and says so."""
        async with self._lock, AsyncExitStack() as failed:
            # Does nothing when no transaction is open; calls are queued in order, so this holds
            # too when the caller was cancelled before BEGIN had answered.
            failed.push_async_callback(self._writer.rollback)
            try:
                await self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                landed = [await rider.board(self._writer) for rider in self._riders]
                await self._writer.execute("COMMIT")
            except sqlite3.OperationalError as error:
                raise _told(error) from error
            failed.pop_all()
            for land in landed:
                land()

    async def give_back(self) -> None:
        """Hand what is empty in the file, and the whole write-ahead log, back to the disk."""
        async with self._lock:
            try:
                # As a script: this statement works a page a step, and must be stepped to its end.
                await self._writer.executescript("PRAGMA incremental_vacuum;")
                await self._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.OperationalError as error:
                raise _told(error) from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[aiosqlite.Connection]:
        """Give a read-only connection inside one consistent snapshot."""
        reader = await self._readers.get()
        try:
            try:
                await reader.execute("BEGIN")
                yield reader
            finally:
                # As in `write_in_reserve`: BEGIN may be under way when its caller is cancelled.
                await reader.rollback()
        finally:
            self._readers.put_nowait(reader)


NO_ROOM = "the disk is full: nothing was changed"


def _told(error: sqlite3.OperationalError) -> Exception:
    """Return what an error of SQLite is called here: that the disk is full, or as it is."""
    code = getattr(error, "sqlite_errorcode", None)  # SQLite's own errors have one
    return NoRoomError(NO_ROOM) if code in _FULL else error


def _make(path: Path) -> None:
    """Make a new file one that can shrink; it cannot be told so once it holds anything."""
    if path.exists() and path.stat().st_size:
        return
    fresh = sqlite3.connect(path, isolation_level=None)
    try:
        fresh.execute("PRAGMA auto_vacuum = INCREMENTAL")
        fresh.execute("VACUUM")
    finally:
        fresh.close()


def migrations() -> list[tuple[str, bytes]]:
    """Return the shipped migrations in order: (file name, bytes)."""
    folder = resources.files("appliance.store") / "schema"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(file.name, file.read_bytes()) for file in files]


async def migrate(writer: aiosqlite.Connection, *, now_ms: int) -> None:
    """Bring the schema to what this program needs."""
    await writer.execute(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT"
    )
    held = await applied(writer)
    shipped = migrations()
    if strange := sorted(held.keys() - {name for name, _ in shipped}):
        msg = f"the store was written by a newer program: it holds migration {strange[-1]}"
        raise IntegrityError(msg)
    for name, sql in shipped:
        digest = hashlib.sha256(sql).hexdigest()
        if name in held:
            if held[name] != digest:
                msg = f"migration {name} changed after it was applied"
                raise IntegrityError(msg)
            continue
        await _apply(writer, name, sql, digest=digest, now_ms=now_ms)


async def applied(conn: aiosqlite.Connection) -> dict[str, str]:
    """Return the migrations that the store holds: name -> hex SHA-256."""
    rows = await conn.execute_fetchall("SELECT name, sha256 FROM migrations")
    return {row["name"]: row["sha256"] for row in rows}


async def _apply(
    writer: aiosqlite.Connection, name: str, sql: bytes, *, digest: str, now_ms: int
) -> None:
    # One script, one transaction: a crash in the middle leaves the old schema. The digest and the
    # name are the program's own and hold no quote.
    record = f"INSERT INTO migrations VALUES ('{name}', '{digest}', {int(now_ms)});"  # noqa: S608
    await writer.executescript(f"BEGIN IMMEDIATE;\n{sql.decode()}\n{record}\nCOMMIT;")

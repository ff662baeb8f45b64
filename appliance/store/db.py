"""The store's connections, transactions and migrations.

One connection writes, behind a lock that is held for a whole transaction: two coroutines that share
a connection lose each other's writes. Readers have their own read-only connections, so a page never
waits for a repair. Migrations are numbered files, applied in order, their SHA-256 recorded; a file
that changed after it was applied stops the daemon.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Self

import aiosqlite

from proto.errors import IntegrityError
from runtime.sqlite import Connect, threaded

READERS = 2
"""Read-only connections kept open; a further reader waits."""


class Store:
    """An open store. `write()` and `read()` are the only ways to its rows."""

    def __init__(self, writer: aiosqlite.Connection, readers: list[aiosqlite.Connection]) -> None:
        """Take open connections; `Store.open` makes them."""
        self._writer = writer
        self._lock = asyncio.Lock()
        self._all_readers = readers
        self._readers: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        for reader in readers:
            self._readers.put_nowait(reader)

    @classmethod
    async def open(cls, path: Path, *, now_ms: int, connect: Connect = threaded) -> Self:
        """Open the file, creating it and applying migrations as needed.

        Raises:
            IntegrityError: the file is damaged, or holds a migration that this program lacks or
                that differs from the one applied.
        """
        writer = await connect(path, read_only=False)
        try:
            await migrate(writer, now_ms=now_ms)
            readers = [await connect(path, read_only=True) for _ in range(READERS)]
        except BaseException:
            await writer.close()
            raise
        return cls(writer, readers)

    async def close(self) -> None:
        """Close every connection."""
        async with self._lock:
            for reader in self._all_readers:
                await reader.close()
            await self._writer.close()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[aiosqlite.Connection]:
        """Give the writer inside one transaction: committed at the end, undone on any error."""
        async with self._lock:
            try:
                await self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                await self._writer.execute("COMMIT")
            except BaseException:
                # Does nothing when no transaction is open; calls are queued in order, so this
                # holds too when the caller was cancelled before BEGIN had answered.
                await self._writer.rollback()
                raise

    @asynccontextmanager
    async def read(self) -> AsyncIterator[aiosqlite.Connection]:
        """Give a read-only connection inside one consistent snapshot."""
        reader = await self._readers.get()
        try:
            await reader.execute("BEGIN")
            try:
                yield reader
            finally:
                await reader.execute("ROLLBACK")
        finally:
            self._readers.put_nowait(reader)


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
    rows = await writer.execute_fetchall("SELECT name, sha256 FROM migrations")
    applied = {row["name"]: row["sha256"] for row in rows}
    shipped = migrations()
    if strange := sorted(applied.keys() - {name for name, _ in shipped}):
        msg = f"the store was written by a newer program: it holds migration {strange[-1]}"
        raise IntegrityError(msg)
    for name, sql in shipped:
        digest = hashlib.sha256(sql).hexdigest()
        if name in applied:
            if applied[name] != digest:
                msg = f"migration {name} changed after it was applied"
                raise IntegrityError(msg)
            continue
        await _apply(writer, name, sql, digest=digest, now_ms=now_ms)


async def _apply(
    writer: aiosqlite.Connection, name: str, sql: bytes, *, digest: str, now_ms: int
) -> None:
    # One script, one transaction: a crash in the middle leaves the old schema. The digest and the
    # name are the program's own and hold no quote.
    record = f"INSERT INTO migrations VALUES ('{name}', '{digest}', {int(now_ms)});"  # noqa: S608
    await writer.executescript(f"BEGIN IMMEDIATE;\n{sql.decode()}\n{record}\nCOMMIT;")

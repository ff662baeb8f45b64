"""Opening the store: one writer, many readers, on SQLite or PostgreSQL.

SQLite: one file in WAL mode with synchronous=FULL. One connection writes, behind a lock, because
two coroutines that share a connection lose each other's writes; readers have read-only connections
of their own. The writer begins IMMEDIATE, so a transaction that has begun never fails for a lock.

PostgreSQL: the same code over a pool of connections; the writer's lock stays, because one hub
process is the only writer.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy import Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from proto.errors import ConfigError
from runtime.sqlite import Connect, threaded

READERS = 4
POSTGRES_CONNECTIONS = 8
ROWS_PER_STATEMENT_MAX = 500


@dataclass(frozen=True, slots=True)
class Store:
    """The hub's database. Every function of the other modules takes one of its connections."""

    _writer: AsyncEngine
    _readers: AsyncEngine
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Hold the one write transaction: durable when the block ends, undone when it raises."""
        async with self._writing, self._writer.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Hold a read transaction: every query in it sees the same moment."""
        async with self._readers.connect() as connection, connection.begin():
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        # SQLite folds its write-ahead log into the file when the last connection, a writer, closes.
        await self._readers.dispose()
        await self._writer.dispose()


def open_store(url: str, *, connect: Connect | None = None) -> Store:
    """Return the store at a database URL; nothing is connected to yet.

    Args:
        url: `sqlite:////path/to/file` or `postgresql://user@host/name`.
        connect: opens SQLite connections; the simulator passes `runtime.sqlite.inline`.

    Raises:
        ConfigError: the URL names no file, or a database that is not supported.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        msg = "store.url: not a database URL"
        raise ConfigError(msg) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed, connect or threaded)
    if backend == "postgresql":
        return _postgres(parsed)
    msg = f"store.url: {backend} is not supported; use sqlite or postgresql"
    raise ConfigError(msg)


def _sqlite(url: URL, connect: Connect) -> Store:
    if not url.database or url.database == ":memory:":
        msg = "store.url: a SQLite store is a file, as in sqlite:////var/lib/osiris/hub.db"
        raise ConfigError(msg)
    path = Path(url.database)
    engine_url = url.set(drivername="sqlite+aiosqlite")
    writer = create_async_engine(
        engine_url,
        async_creator=_creator(connect, path, read_only=False),
        pool_size=1,
        max_overflow=0,
    )
    readers = create_async_engine(
        engine_url,
        async_creator=_creator(connect, path, read_only=True),
        pool_size=READERS,
        max_overflow=0,
    )
    _begin_with(writer, "BEGIN IMMEDIATE")
    _begin_with(readers, "BEGIN")
    return Store(writer, readers)


def _creator(
    connect: Connect, path: Path, *, read_only: bool
) -> Callable[[], Awaitable[aiosqlite.Connection]]:
    async def create() -> aiosqlite.Connection:
        connection = await connect(path, read_only=read_only)
        # SQLAlchemy reads rows by position.
        connection.row_factory = None
        return connection

    return create


def _begin_with(engine: AsyncEngine, statement: str) -> None:
    """Begin transactions ourselves: the driver is in autocommit mode and begins none."""

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    event.listen(engine.sync_engine, "begin", begin)


def _postgres(url: URL) -> Store:
    try:
        engine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=POSTGRES_CONNECTIONS,
            max_overflow=0,
            pool_pre_ping=True,
        )
    except ModuleNotFoundError:
        msg = "store.url: PostgreSQL needs the package asyncpg: pip install 'osiris[postgres]'"
        raise ConfigError(msg) from None
    return Store(engine, engine.execution_options(postgresql_readonly=True))


Row = Mapping[str, Any]


async def upsert(
    connection: AsyncConnection, table: Table, rows: Sequence[Row], *, keep: Sequence[str] = ()
) -> None:
    """Insert rows, or replace those with the same primary key.

    Args:
        connection: inside a write transaction.
        table: the table.
        rows: each with the same columns.
        keep: columns that an existing row keeps.
    """
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    fresh = [name for name in rows[0] if name not in keys and name not in keep]
    insert = _insert(connection)(table)
    statement = insert.on_conflict_do_update(
        index_elements=keys, set_={name: insert.excluded[name] for name in fresh}
    )
    await _in_parts(connection, statement, rows)


async def insert_missing(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose primary key is not there yet; leave the others as they are."""
    if rows:
        statement = _insert(connection)(table).on_conflict_do_nothing()
        await _in_parts(connection, statement, rows)


async def _in_parts(connection: AsyncConnection, statement: Any, rows: Sequence[Row]) -> None:  # noqa: ANN401 - two dialects' inserts
    for start in range(0, len(rows), ROWS_PER_STATEMENT_MAX):
        part = [dict(row) for row in rows[start : start + ROWS_PER_STATEMENT_MAX]]
        await connection.execute(statement, part)


def _insert(connection: AsyncConnection) -> Any:  # noqa: ANN401 - the two share no type
    """Return the dialect's insert, which alone knows ON CONFLICT."""
    return sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

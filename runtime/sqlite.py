"""Opening SQLite through aiosqlite, on a thread in a daemon and inline in the simulator.

The inline connection is the same class with its worker thread replaced: each call runs when it is
made and its result is delivered on the loop's next turn. A run on one loop is then deterministic,
and every database call is still a point at which another task may run or the process may die.

A call costs two hops between the loop and the thread, many times what SQLite needs for a row. Calls
that wait for nothing else go there together (`at_once`).
"""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar

import aiosqlite

from proto.invariants import InvariantError

BUSY_TIMEOUT_S = 5.0
_CHUNK_ROWS = 64
"""Rows fetched at once of a cursor that is walked."""

T = TypeVar("T")


class Connect(Protocol):
    """How a store gets its connections."""

    def __call__(self, path: Path, /, *, read_only: bool) -> aiosqlite.Connection:
        """Return a connection that is opened by awaiting it."""
        ...


Conduct = Callable[[Callable[[], Any]], Any]
"""Carries out one call of an inline connection and returns its result."""


def plain(path: Path, /, *, read_only: bool) -> sqlite3.Connection:
    """Return the connection itself, for a process that does one thing at a time."""
    mode = "ro" if read_only else "rwc"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_TIMEOUT_S,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    for pragma in (
        "journal_mode=WAL" if not read_only else "query_only=ON",
        "synchronous=FULL",
        "foreign_keys=ON",
        "trusted_schema=OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def threaded(path: Path, /, *, read_only: bool) -> aiosqlite.Connection:
    """Return a connection whose calls run on a thread of its own."""
    return aiosqlite.Connection(
        lambda: plain(path, read_only=read_only), iter_chunk_size=_CHUNK_ROWS
    )


def inline(path: Path, /, *, read_only: bool) -> aiosqlite.Connection:
    """Return a connection whose calls run on the loop's own thread, for the simulator."""
    return InlineConnection(lambda: plain(path, read_only=read_only))


def inline_through(conduct: Conduct) -> Connect:
    """Return what opens inline connections whose every call is carried out by `conduct`.

    The first call of a connection returns its `sqlite3.Connection`. A simulator's `conduct` counts
    calls, and ends the simulated process before one or after one.
    """

    def connect(path: Path, /, *, read_only: bool) -> aiosqlite.Connection:
        return InlineConnection(lambda: plain(path, read_only=read_only), conduct)

    return connect


class InlineConnection(aiosqlite.Connection):
    """aiosqlite's connection without its thread."""

    def __init__(
        self, connector: Callable[[], sqlite3.Connection], conduct: Conduct | None = None
    ) -> None:
        """Take what opens the raw connection, and what carries out its calls."""
        super().__init__(connector, iter_chunk_size=_CHUNK_ROWS)
        self._thread = _NoThread()  # type: ignore[assignment]
        self._tx = _InlineQueue(conduct or _call)  # type: ignore[assignment]


def _call(function: Callable[[], Any]) -> object:
    return function()


async def at_once(
    conn: aiosqlite.Connection, calls: Callable[[aiosqlite.Connection], Coroutine[Any, Any, T]]
) -> T:
    """Carry out many calls in one hop to the connection's thread, and return what they made.

    Args:
        conn: the caller's connection, within its transaction.
        calls: makes calls on the connection that it is given and awaits nothing else. It runs on
            that thread: it reads what does not change meanwhile, and rings no bell.

    Raises:
        InvariantError: it awaited something else; the caller's transaction is to be undone.
    """
    if isinstance(conn, InlineConnection):
        return await calls(conn)  # there is no hop to save, and each call stays a point to die at
    # The only way onto the thread: aiosqlite offers none in public.
    execute: Callable[..., Coroutine[Any, Any, T]] = conn._execute  # noqa: SLF001
    return await execute(_carry_out, calls, conn)


def _carry_out(
    calls: Callable[[aiosqlite.Connection], Coroutine[Any, Any, T]], conn: aiosqlite.Connection
) -> T:
    running = calls(_OnThread(conn))
    try:
        running.send(None)
    except StopIteration as end:
        made: T = end.value
        return made
    running.close()
    msg = "what goes to the store at once waits for nothing but the store"
    raise InvariantError(msg)


class _OnThread(aiosqlite.Connection):
    """A connection as its own thread has it: a call runs where it is made."""

    def __init__(self, conn: aiosqlite.Connection) -> None:
        """Lend an open connection, which its owner closes."""
        self._lent = conn
        self._iter_chunk_size = _CHUNK_ROWS
        self._connection = None

    @property
    def _conn(self) -> sqlite3.Connection:
        return self._lent._conn  # noqa: SLF001 - of its own class

    async def _execute(self, fn: Callable[..., Any], *args: Any, **how: Any) -> Any:  # noqa: ANN401 - whatever SQLite's call takes and returns
        return fn(*args, **how)


class _NoThread:
    def start(self) -> None:
        """Nothing to start."""


class _InlineQueue:
    """Runs what is put into it at once and answers on the loop's next turn."""

    def __init__(self, conduct: Conduct) -> None:
        self._conduct = conduct

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = item
        loop = asyncio.get_running_loop()
        try:
            result = self._conduct(function)
        except (sqlite3.Error, ValueError, TypeError) as error:
            if future is not None:
                loop.call_soon(_fail, future, error)
            return
        if future is not None:
            loop.call_soon(_answer, future, result)


def _answer(future: asyncio.Future[Any], result: object) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)

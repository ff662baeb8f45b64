"""The store's file: transactions, readers, and migrations that are what they were."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path

import aiosqlite
import pytest

from appliance.store import meta
from appliance.store.db import READERS, Store, migrations
from appliance.store.meta import Key
from proto.errors import IntegrityError
from proto.invariants import InvariantError
from runtime.sqlite import Connect, at_once, inline, inline_through, threaded


async def test_what_is_committed_survives_and_what_failed_does_not(tmp_path: Path) -> None:
    path = tmp_path / "appliance.db"
    store = await Store.open(path, now_ms=1)
    async with store.write() as conn:
        await meta.put(conn, Key.HUB_STATE, "kept")

    async def fail() -> None:
        async with store.write() as conn:
            await meta.put(conn, Key.HUB_STATE, "lost")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await store.close()
    store = await Store.open(path, now_ms=2)
    async with store.read() as conn:
        assert await meta.get(conn, Key.HUB_STATE) == "kept"
    await store.close()


async def test_a_cancelled_writer_leaves_nothing_and_the_next_one_goes_on(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "appliance.db", now_ms=1)
    inside, for_ever = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with store.write() as conn:
            await meta.put(conn, Key.HUB_STATE, "half")
            inside.set()
            await for_ever.wait()

    task = asyncio.create_task(write())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.write() as conn:
        assert await meta.get(conn, Key.HUB_STATE, "nothing") == "nothing"
    await store.close()


async def test_two_writers_take_turns_and_lose_nothing(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "appliance.db", now_ms=1)

    async def count() -> None:
        for _ in range(20):
            async with store.write() as conn:
                seen = await meta.get_int(conn, Key.CHECK_IN_SEQ)
                await meta.put(conn, Key.CHECK_IN_SEQ, str(seen + 1))

    await asyncio.gather(count(), count(), count())
    async with store.read() as conn:
        assert await meta.get_int(conn, Key.CHECK_IN_SEQ) == 60
    await store.close()


async def test_a_reader_sees_one_moment_while_others_write(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "appliance.db", now_ms=1)
    async with store.read() as reader:
        assert await meta.get(reader, Key.HUB_STATE, "before") == "before"
        async with store.write() as conn:
            await meta.put(conn, Key.HUB_STATE, "after")
        assert await meta.get(reader, Key.HUB_STATE, "before") == "before"
    async with store.read() as reader:
        assert await meta.get(reader, Key.HUB_STATE) == "after"
    await store.close()


async def test_a_reader_cannot_write_and_more_readers_than_connections_wait(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "appliance.db", now_ms=1)

    async def read() -> str:
        async with store.read() as conn:
            await asyncio.sleep(0)
            return await meta.get(conn, Key.HUB_STATE, "none")

    assert await asyncio.gather(*(read() for _ in range(READERS * 5))) == ["none"] * READERS * 5
    with pytest.raises(Exception, match="readonly"):
        async with store.read() as conn:
            await meta.put(conn, Key.HUB_STATE, "x")
    await store.close()


@pytest.mark.parametrize("turns", range(1, 6))
async def test_a_reader_cancelled_at_any_moment_leaves_its_connection_usable(
    tmp_path: Path, turns: int
) -> None:
    store = await Store.open(tmp_path / "appliance.db", now_ms=1)

    async def read() -> str:
        async with store.read() as conn:
            return await meta.get(conn, Key.HUB_STATE, "none")

    async with AsyncExitStack() as ended:
        ended.push_async_callback(store.close)
        for _ in range(READERS * 10):
            task = asyncio.create_task(read())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert await asyncio.gather(*(read() for _ in range(READERS))) == ["none"] * READERS


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE migrations SET sha256 = 'other'", "changed after it was applied"),
        ("INSERT INTO migrations VALUES ('9999_later.sql', 'x', 1)", "newer program"),
    ],
)
async def test_a_schema_that_is_not_ours_is_refused(tmp_path: Path, change: str, says: str) -> None:
    path = tmp_path / "appliance.db"
    store = await Store.open(path, now_ms=1)
    async with store.write() as conn:
        await conn.execute(change)
    await store.close()
    with pytest.raises(IntegrityError, match=says):
        await Store.open(path, now_ms=2)


async def test_migrations_are_applied_once(tmp_path: Path) -> None:
    path = tmp_path / "appliance.db"
    for now_ms in (1, 2):
        store = await Store.open(path, now_ms=now_ms)
        async with store.read() as conn:
            rows = list(await conn.execute_fetchall("SELECT name, applied_ms FROM migrations"))
        await store.close()
        assert [tuple(row) for row in rows] == [(name, 1) for name, _ in migrations()]


async def test_inline_and_threaded_connections_are_one_kind_of_store(tmp_path: Path) -> None:
    """The simulator's connections differ from a daemon's only in where a call runs."""
    path = tmp_path / "appliance.db"
    calls = 0

    def conduct(function: object) -> object:
        nonlocal calls
        calls += 1
        assert callable(function)
        return function()

    for connect in (inline_through(conduct), threaded):
        store = await Store.open(path, now_ms=1, connect=connect)
        async with store.write() as conn:
            seen = await meta.get_int(conn, Key.CHECK_IN_SEQ)
            await meta.put(conn, Key.CHECK_IN_SEQ, str(seen + 1))
        with pytest.raises(Exception, match="no such table"):
            async with store.read() as conn:
                await conn.execute_fetchall("SELECT * FROM no_table")
        await store.close()
    assert seen == 1
    assert calls > 10


_BOTH = pytest.mark.parametrize("connect", [threaded, inline])


async def _one_more(conn: aiosqlite.Connection) -> int:
    seen = await meta.get_int(conn, Key.CHECK_IN_SEQ)
    await meta.put(conn, Key.CHECK_IN_SEQ, str(seen + 1))
    cursor = await conn.execute("SELECT value FROM meta WHERE key = ?", (Key.CHECK_IN_SEQ,))
    (value,) = [row["value"] async for row in cursor]
    return int(value)


@_BOTH
async def test_calls_that_go_to_the_store_at_once_are_part_of_the_transaction(
    connect: Connect, tmp_path: Path
) -> None:
    store = await Store.open(tmp_path / "appliance.db", now_ms=1, connect=connect)
    async with store.write() as conn:
        assert await at_once(conn, _one_more) == 1
        assert await at_once(conn, _one_more) == 2

    async def fail() -> None:
        async with store.write() as conn:
            assert await at_once(conn, _one_more) == 3
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with store.read() as conn:
        assert await at_once(conn, lambda rows: meta.get_int(rows, Key.CHECK_IN_SEQ)) == 2
    await store.close()


@_BOTH
async def test_an_error_among_calls_at_once_undoes_the_transaction(
    connect: Connect, tmp_path: Path
) -> None:
    store = await Store.open(tmp_path / "appliance.db", now_ms=1, connect=connect)

    async def fail(conn: aiosqlite.Connection) -> None:
        await _one_more(conn)
        await conn.execute("SELECT * FROM no_table")

    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        async with store.write() as conn:
            await at_once(conn, fail)
    async with store.read() as conn:
        assert await meta.get_int(conn, Key.CHECK_IN_SEQ) == 0
    await store.close()


async def test_what_goes_to_the_store_at_once_waits_for_nothing_else(tmp_path: Path) -> None:
    """On the store's thread nothing could ever answer it."""
    store = await Store.open(tmp_path / "appliance.db", now_ms=1)

    async def wait(conn: aiosqlite.Connection) -> None:
        await _one_more(conn)
        await asyncio.sleep(0)

    with pytest.raises(InvariantError, match="waits for nothing but the store"):
        async with store.write() as conn:
            await at_once(conn, wait)
    async with store.write() as conn:
        assert await at_once(conn, _one_more) == 1
    await store.close()

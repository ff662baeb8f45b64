"""Accounts and sessions, kept by the appliance and by the hub alike."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.store import accounts as of_the_appliance
from appliance.store.db import Store
from central.store import accounts as of_the_hub
from central.store import migrate
from central.store.engine import open_store
from proto.errors import NotFoundError
from runtime.web.sessions import AccountStore

DIGEST = b"d" * 32


@dataclass(frozen=True)
class Kept:
    """A store of accounts, and what only the command line may do to it; times are ms."""

    store: AccountStore
    put: Callable[[str, str, int], Awaitable[None]]
    shut: Callable[[str, int], Awaitable[bool]]
    names: Callable[[], Awaitable[list[tuple[str, int | None]]]]


async def _appliance(path: Path) -> AsyncIterator[Kept]:
    store = await Store.open(path / "appliance.db", now_ms=1)

    async def put(name: str, kept: str, now_ms: int) -> None:
        async with store.write() as conn:
            if not await of_the_appliance.set_password(conn, name, kept):
                await of_the_appliance.add(conn, name, kept, now_ms=now_ms)

    async def shut(name: str, now_ms: int) -> bool:
        async with store.write() as conn:
            try:
                await of_the_appliance.shut(conn, name, now_ms=now_ms)
            except NotFoundError:
                return False
            return True

    async def names() -> list[tuple[str, int | None]]:
        async with store.read() as conn:
            return [(one.name, one.disabled_ms) for one in await of_the_appliance.all_of(conn)]

    yield Kept(of_the_appliance.AccountTable(store), put, shut, names)
    await store.close()


async def _hub(path: Path) -> AsyncIterator[Kept]:
    store = open_store(f"sqlite:///{path / 'hub.db'}")
    await migrate.migrate(store)

    async def put(name: str, kept: str, now_ms: int) -> None:
        async with store.write() as conn:
            await of_the_hub.put_account(conn, name, kept=kept, now_ms=now_ms)

    async def shut(name: str, now_ms: int) -> bool:
        async with store.write() as conn:
            return await of_the_hub.shut_account(conn, name, now_ms=now_ms)

    async def names() -> list[tuple[str, int | None]]:
        async with store.read() as conn:
            return [(one.name, one.disabled_ms) for one in await of_the_hub.all_accounts(conn)]

    yield Kept(of_the_hub.HubAccounts(store), put, shut, names)
    await store.close()


@pytest.fixture(params=[_appliance, _hub], ids=["appliance", "hub"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    async for made in request.param(tmp_path):
        yield made


async def _signed_in(kept: Kept, *, expires_ms: int = 99) -> None:
    await kept.put("ann", "one", 1)
    await kept.store.add_session(DIGEST, person="ann", now_ms=1, expires_ms=expires_ms)
    assert await kept.store.find_session(DIGEST) is not None


async def test_a_new_password_ends_an_accounts_sessions(kept: Kept) -> None:
    await _signed_in(kept)
    await kept.put("ann", "two", 5)
    assert await kept.store.find_session(DIGEST) is None
    assert await kept.store.password_of("ann") == "two"
    assert await kept.names() == [("ann", None)]


async def test_who_is_shut_out_is_out_at_once_and_cannot_sign_in(kept: Kept) -> None:
    await _signed_in(kept)
    assert await kept.shut("ann", 7)
    assert await kept.store.find_session(DIGEST) is None
    assert await kept.store.password_of("ann") is None
    assert await kept.names() == [("ann", 7)]
    assert not await kept.shut("ann", 8), "it was shut out before"
    assert not await kept.shut("bob", 8), "there is none"


async def test_a_sign_in_under_way_opens_nothing_for_who_was_shut_out(kept: Kept) -> None:
    await kept.put("ann", "one", 1)
    assert await kept.shut("ann", 7)
    await kept.store.add_session(DIGEST, person="ann", now_ms=8, expires_ms=99)
    assert await kept.store.find_session(DIGEST) is None


async def test_a_new_password_lets_in_who_was_shut_out(kept: Kept) -> None:
    await kept.put("ann", "one", 1)
    assert await kept.shut("ann", 7)
    await kept.put("ann", "two", 9)
    assert await kept.store.password_of("ann") == "two"
    assert await kept.names() == [("ann", None)]


async def test_sessions_that_are_over_are_dropped(kept: Kept) -> None:
    await _signed_in(kept, expires_ms=9)
    await kept.store.saw_session(DIGEST, now_ms=5)
    found = await kept.store.find_session(DIGEST)
    assert found is not None
    assert found.seen_ms == 5
    await kept.store.add_session(b"b" * 32, person="ann", now_ms=9, expires_ms=99)
    assert await kept.store.find_session(DIGEST) is None
    await kept.store.end_session(b"b" * 32)
    assert await kept.store.find_session(b"b" * 32) is None

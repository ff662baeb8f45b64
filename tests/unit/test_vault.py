"""The vault: what left can be revealed here and nowhere else, and what is forgotten is gone."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.shell.seal import KeySealer
from appliance.store import meta, vault
from appliance.store.db import Store
from appliance.store.meta import Key
from appliance.store.vault import Vault
from proto.errors import IntegrityError, NotFoundError
from proto.phi import tokens
from proto.phi.values import Kind
from proto.secret import Secret
from runtime.clock import system_entropy

REST_KEY = Secret(bytes(range(32)))


def sealer(key: Secret = REST_KEY) -> KeySealer:
    return KeySealer(key, system_entropy)


@asynccontextmanager
async def opened(path: Path, key: Secret = REST_KEY) -> AsyncIterator[tuple[Store, Vault]]:
    """Open a vault on a file; what waits when it closes is lost, as in a kill."""
    store = await Store.open(path, now_ms=1)
    try:
        yield store, await Vault.open(store, sealer(key), system_entropy)
    finally:
        await store.close()


def token(kind: Kind, body: str) -> str:
    return tokens.make(kind, body)


async def test_a_value_keeps_its_token_over_restarts_however_it_is_written(tmp_path: Path) -> None:
    async with opened(tmp_path / "db") as (_, box):
        body = box.body(Kind.NAME, "Maria  GARCIA")
        assert box.body(Kind.NAME, "maria garcia") == body
        assert box.body(Kind.USERNAME, "maria garcia") != body
        await box.settle()
    async with opened(tmp_path / "db") as (_, box):
        assert box.body(Kind.NAME, "Maria Garcia") == body
        assert (await box.reveal(token(Kind.NAME, body))).reveal() == "Maria  GARCIA"


async def test_a_token_in_a_committed_row_is_revealable_whatever_was_committed(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path / "db") as (store, box), store.write() as conn:
        given_out = token(Kind.SSN, box.body(Kind.SSN, "219-09-9999"))
        await meta.put(conn, Key.HUB_STATE, given_out)
    async with opened(tmp_path / "db") as (store, box):
        async with store.read() as conn:
            stored = await meta.get(conn, Key.HUB_STATE)
        assert stored == given_out
        assert (await box.reveal(stored)).reveal() == "219-09-9999"


async def test_a_transaction_that_fails_loses_no_token(tmp_path: Path) -> None:
    async with opened(tmp_path / "db") as (store, box):
        given_out = token(Kind.MRN, box.body(Kind.MRN, "00481516"))

        async def fail() -> None:
            async with store.write():
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert not box.is_settled
        await box.settle()
        assert box.is_settled
    async with opened(tmp_path / "db") as (_, box):
        assert (await box.reveal(given_out)).reveal() == "00481516"


async def test_a_token_is_random_and_not_a_function_of_its_value(tmp_path: Path) -> None:
    bodies = set()
    for number in range(4):
        async with opened(tmp_path / f"db{number}") as (_, box):
            bodies.add(box.body(Kind.SSN, "219-09-9999"))
    assert len(bodies) == 4


async def test_only_tokens_of_this_vault_are_known(tmp_path: Path) -> None:
    async with opened(tmp_path / "db") as (_, box):
        body = box.body(Kind.NAME, "Ann")
        other = "aaaaaa" if body != "aaaaaa" else "bbbbbb"
        assert box.knows(token(Kind.NAME, body))
        assert not box.knows(token(Kind.NAME, other))
        assert not box.knows(token(Kind.SSN, body))
        right = token(Kind.NAME, body)
        wrong = "a" if right[-2] != "a" else "b"
        assert not box.knows(f"{right[:-2]}{wrong}]")
        with pytest.raises(NotFoundError):
            await box.reveal(token(Kind.NAME, other))
        with pytest.raises(NotFoundError):
            await box.reveal("Maria Garcia")


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=st.lists(st.text(min_size=4, max_size=40), min_size=1, max_size=20))
async def test_no_value_stands_in_the_bytes_of_the_store(
    tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("vault")
    written = [f"<{value}>" for value in values if value.isprintable()]
    async with opened(folder / "db") as (_, box):
        given_out = [token(Kind.NAME, box.body(Kind.NAME, value)) for value in written]
        await box.settle()
        on_disk = b"".join(file.read_bytes() for file in sorted(folder.iterdir()))
        for value in written:
            assert value.encode() not in on_disk
            assert vault.normalised(value).encode() not in on_disk
        for value, one in zip(written, given_out, strict=True):
            found = (await box.reveal(one)).reveal()
            assert vault.normalised(found) == vault.normalised(value)


async def test_without_the_appliances_key_neither_a_value_nor_a_guess_can_be_had(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path / "db") as (_, box):
        box.body(Kind.SSN, "219-09-9999")
        await box.settle()
    with pytest.raises(IntegrityError):
        async with opened(tmp_path / "db", Secret(bytes(32))):
            pass
    # Who has the file and guesses right finds the lookup by no digest that needs no key.
    raw = sqlite3.connect(tmp_path / "db")
    lookup, sealed = raw.execute("SELECT lookup, sealed FROM vault").fetchone()
    key = raw.execute("SELECT sealed FROM vault_key").fetchone()[0]
    raw.close()
    guess = b"SSN\x00219-09-9999"
    import hashlib  # noqa: PLC0415 - beside the one use that shows what must not work
    import hmac  # noqa: PLC0415

    for known in (b"", b"osiris", bytes(32), key, key[:32], key[-32:], sealed):
        assert hmac.digest(known, guess, "sha256")[:16] != lookup
    for name in sorted(hashlib.algorithms_guaranteed - {"shake_128", "shake_256"}):
        assert hashlib.new(name, guess).digest()[:16] != lookup


async def test_the_newest_values_are_kept_and_the_oldest_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault, "TOKENS_MAX", 50)
    monkeypatch.setattr(vault, "PRUNED_MAX", 10)
    async with opened(tmp_path / "db") as (_, box):
        given_out = []
        for number in range(80):
            given_out.append(token(Kind.MRN, box.body(Kind.MRN, f"MR{number:05}")))
            await box.settle()
        assert len(box) <= 50
        assert not box.knows(given_out[0])
        assert (await box.reveal(given_out[-1])).reveal() == "MR00079"
    async with opened(tmp_path / "db") as (_, box):
        assert len(box) <= 50
        assert not box.knows(given_out[0])
        assert box.knows(given_out[-1])


async def test_a_long_value_is_kept_by_its_beginning(tmp_path: Path) -> None:
    async with opened(tmp_path / "db") as (_, box):
        given_out = token(Kind.BLOB, box.body(Kind.BLOB, "A" * 5000))
        assert (await box.reveal(given_out)).reveal() == "A" * 1024 + "... (5000 characters)"

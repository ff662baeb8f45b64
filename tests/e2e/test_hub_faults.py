"""When the hub's disk is full or a sender stalls: nothing by halves, a clear word, and on again."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from central.store import tables
from proto.findings import Verdict
from proto.hub import check_in, evidence
from tests.fakes.box import Box, read_head, said
from tests.fakes.hub import Trial, trial

MANY_PAGES = 1_000_000


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Trial]:
    async with trial(tmp_path) as made:
        yield made


async def limit_pages(hub: Trial, pages: int) -> None:
    """Make SQLite itself say that the disk is full: it keeps a limit that is already passed."""
    async with hub.net.hub.store.write() as connection:
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


def fill(box: Box, at_s: int) -> None:
    for n in range(100):
        seen: dict[str, bool | int | str] = {"value": "x" * 500, "n": n}
        box.scan("t-aaaaaaaaaa", {"c.one": (Verdict.DRIFTED, seen)}, at_s=at_s + n)


async def test_a_full_disk_stores_nothing_by_halves_and_everything_later(hub: Trial) -> None:
    box = await hub.box()
    fill(box, hub.now_s)
    await limit_pages(hub, 1)
    status, answer = await hub.net.request("POST", evidence.PATH, box.batch())
    assert (status, said(answer)["code"]) == (503, "store_unavailable")
    for table in (tables.leaves, tables.findings, tables.details, tables.heads):
        assert await hub.count(table) == 0
    await limit_pages(hub, MANY_PAGES)
    assert said(await hub.net.post(evidence.PATH, box.batch()))["have"] == 100


async def test_a_check_in_that_was_not_stored_is_not_answered_with_a_head(hub: Trial) -> None:
    """The whole group is told to come again; with the next number it is taken."""
    box = await hub.box()
    async with hub.net.hub.store.write() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE UPDATE ON appliances BEGIN"
            " INSERT INTO refusals (path, code, message, size_bytes, digest, at_ms, unrecorded)"
            " SELECT 'p', 'c', hex(zeroblob(400000)), 0, x'', 0, 0; END"
        )
    await limit_pages(hub, 1)
    status, answer = await hub.net.request("POST", check_in.PATH, box.check_in(now_s=hub.now_s))
    assert (status, said(answer)["code"]) == (503, "store_unavailable")
    await limit_pages(hub, MANY_PAGES)
    async with hub.net.hub.store.write() as connection:
        await connection.exec_driver_sql("DROP TRIGGER full")
    read_head(await hub.net.post(check_in.PATH, box.check_in(now_s=hub.now_s)), hub.root)


Scope = MutableMapping[str, Any]


async def answered(hub: Trial, *messages: Scope) -> int:
    """Send a request's messages and then nothing; return the status of the answer."""
    waiting, sent = list(messages), []

    async def receive() -> Scope:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Scope) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": check_in.PATH, "headers": []}
    await hub.net.app(scope, receive, send)
    return int(sent[0]["status"])


async def test_a_body_that_never_arrives_is_given_up(
    hub: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("central.api.raw.READ_S", 0.01)
    half = {"type": "http.request", "body": b"{", "more_body": True}
    assert await answered(hub, half) == 503
    assert await hub.count(tables.refusals) == 0


async def test_a_sender_that_goes_away_is_not_recorded_as_refused(hub: Trial) -> None:
    half = {"type": "http.request", "body": b"{", "more_body": True}
    assert await answered(hub, half, {"type": "http.disconnect"}) == 503
    assert await hub.count(tables.refusals) == 0


async def test_a_body_is_refused_at_the_first_byte_too_many(hub: Trial) -> None:
    """A sender that never ends its body is cut off at the limit, not at the end."""
    parts = [{"type": "http.request", "body": b"x" * 40_000, "more_body": True}] * 2
    assert await answered(hub, *parts) == 413

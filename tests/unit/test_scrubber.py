"""The scrubber of a running appliance: tokens of this device alone stay, nothing goes uncounted."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.handlers.scrubber import NO_ROOM, Scrubber, Source
from appliance.store import vault, withheld
from appliance.store.db import RESERVE_BYTES, Store
from appliance.store.vault import Vault
from proto.errors import NoRoomError
from proto.phi import default_names, default_policy, tokens
from proto.phi.framing import Frame
from proto.phi.values import Kind
from runtime.clock import system_entropy
from tests.fakes.clock import ManualClock
from tests.fakes.sealer import FakeSealer

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)
LINE = "Patient: GARCIA, Maria DOB 03/14/1952 MRN 00481516 arrived"


@dataclass
class Disk:
    """How much room there is."""

    free_bytes: int = 1 << 30

    def __call__(self) -> int:
        """Return the free bytes."""
        return self.free_bytes


@asynccontextmanager
async def scrubbing(
    path: Path, *, sealer: FakeSealer | None = None, disk: Disk | None = None
) -> AsyncIterator[tuple[Store, Scrubber]]:
    clock = ManualClock(1_000)
    store = await Store.open(path, now_ms=1, free_bytes=disk or Disk())
    try:
        kept = await Vault.open(store, sealer or FakeSealer(), system_entropy)
        yield store, Scrubber(default_policy(), default_names(), kept, store=store, clock=clock)
    finally:
        await store.close()


async def counted(store: Store) -> list[withheld.Count]:
    async with store.read() as conn:
        return await withheld.every(conn)


async def test_a_token_of_this_device_stays_and_one_of_another_goes(tmp_path: Path) -> None:
    async with scrubbing(tmp_path / "db") as (_, scrubber):
        once = str(scrubber.scrub(LINE))
        assert "GARCIA" not in once
        assert str(scrubber.scrub(once)) == once
    async with scrubbing(tmp_path / "other") as (_, scrubber):
        again = str(scrubber.scrub(once))
        assert again != once
        assert not {word for word in once.split() if tokens.is_token(word)} & set(again.split())
        assert str(scrubber.scrub(again)) == again


FORGED = st.builds(
    tokens.make, st.sampled_from(list(Kind)), st.text(tokens.ALPHABET, min_size=6, max_size=6)
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    pieces=st.lists(
        FORGED | st.sampled_from(["disk full ", " ", "é", '"', "{", "}", LINE, "%41", ", "]),
        max_size=8,
    )
)
async def test_no_forged_token_survives_and_twice_is_once(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    async with scrubbing(tmp_path_factory.mktemp("s") / "db") as (_, scrubber):
        text = "".join(pieces)
        once = str(scrubber.scrub(text))
        for piece in pieces:
            assert not tokens.is_token(piece) or piece not in once
        assert str(scrubber.scrub(once)) == once


async def test_json_with_a_forged_token_stays_json(tmp_path: Path) -> None:
    forged = tokens.make(Kind.NAME, "abcdef")
    async with scrubbing(tmp_path / "db") as (_, scrubber):
        once = str(scrubber.scrub(json.dumps({"note": f"see {forged} today", "n": 1})))
    assert forged not in once
    assert json.loads(once)["n"] == 1


async def test_what_left_can_be_revealed_after_a_kill_once_it_was_settled(tmp_path: Path) -> None:
    sealer = FakeSealer()
    async with scrubbing(tmp_path / "db", sealer=sealer) as (_, scrubber):
        once = str(scrubber.scrub(LINE))
        await scrubber.settle()
    given_out = [word for word in once.split() if tokens.is_token(word)]
    assert given_out
    async with scrubbing(tmp_path / "db", sealer=sealer) as (_, scrubber):
        for one in given_out:
            assert (await scrubber.vault.reveal(one)).reveal() in LINE
        assert str(scrubber.scrub(LINE)) == once


@pytest.mark.parametrize("cut", [1, 7, 64, 100_000])
async def test_withheld_records_of_a_stream_are_counted_however_it_is_cut(
    tmp_path: Path, cut: int
) -> None:
    long = "x" * (default_policy().record_chars_max + 1)
    stream = f"first\n{long}\nsecond\n{long}\n".encode()
    if cut < 64:
        stream = stream[-5000:]  # the bytes of a short stream one by one, the long ones in pieces
    async with scrubbing(tmp_path / "db") as (store, scrubber):
        framed = scrubber.framed("firewall log", Frame.LINE)
        given_out = [
            str(one)
            for at in range(0, len(stream), cut)
            for one in framed.feed(stream[at : at + cut])
        ]
        given_out += [str(one) for one in framed.end()]
        await scrubber.settle()
        counts = await counted(store)
    if cut < 64:
        assert counts == []
        return
    assert given_out[0] == "first"
    assert given_out[2] == "second"
    assert all(tokens.kind_of(given_out[at]) is Kind.WITHHELD for at in (1, 3))
    assert [(one.source, one.count) for one in counts] == [("firewall log", 2)]
    assert counts[0].reason == f"longer than {default_policy().record_chars_max} characters"


async def test_counts_add_up_over_restarts_and_failed_transactions(tmp_path: Path) -> None:
    sealer = FakeSealer()
    for _ in range(2):
        async with scrubbing(tmp_path / "db", sealer=sealer) as (store, scrubber):
            scrubber.use_names(None)
            scrubber.scrub("anything", source=Source.LOG)

            async def fail(store: Store = store) -> None:
                async with store.write():
                    raise ZeroDivisionError

            with pytest.raises(ZeroDivisionError):
                await fail()
            scrubber.scrub("something", source=Source.LOG)
            await scrubber.settle()
            await scrubber.settle()
            counts = await counted(store)
    assert [(one.source, one.count) for one in counts] == [(Source.LOG, 4)]
    assert counts[0].reason == "there are no names to compare with"


async def test_on_a_full_disk_text_waits_and_in_the_end_is_withheld_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault, "WAITING_MAX", 3)
    disk = Disk()
    async with scrubbing(tmp_path / "db", disk=disk) as (store, scrubber):
        disk.free_bytes = RESERVE_BYTES
        once = scrubber.scrub(LINE)
        with pytest.raises(NoRoomError):
            await scrubber.settle()
        found = scrubber.result("Patient: SMITH, John MRN 12345678", source=Source.ANSWERS)
        assert found.withheld is not None
        assert found.withheld.reason == NO_ROOM
        disk.free_bytes = 1 << 30
        await scrubber.settle()
        assert scrubber.result("Patient: SMITH, John", source=Source.ANSWERS).withheld is None
        assert str(scrubber.scrub(LINE)) == str(once)
        counts = await counted(store)
    assert [(one.source, one.reason, one.count) for one in counts] == [(Source.ANSWERS, NO_ROOM, 1)]


async def test_reasons_without_end_fill_no_table(tmp_path: Path) -> None:
    async with scrubbing(tmp_path / "db") as (store, _):
        one = withheld.Count("log", "", 1, first_ms=1, last_ms=1, sha256="00" * 32)
        async with store.write() as conn:
            every = [replace(one, reason=f"reason {n}") for n in range(withheld.ROWS_MAX + 50)]
            await withheld.add(conn, every)
        counts = await counted(store)
    assert len(counts) <= withheld.ROWS_MAX + 1
    assert sum(count.count for count in counts) == withheld.ROWS_MAX + 50

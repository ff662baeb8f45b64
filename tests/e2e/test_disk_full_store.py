"""What a full disk costs: what is given up, in its order, and what never is."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core import records
from appliance.handlers.patience import patient
from appliance.handlers.work import Work
from appliance.store import devices, evidence, health, incidents
from appliance.store.db import RESERVE_BYTES, Store
from appliance.store.devices import Seen
from appliance.store.health import Condition
from appliance.store.proof import verify
from appliance.store.room import BALLAST_BYTES, Ballast
from appliance.tasks import tidy
from proto.errors import NoRoomError
from proto.evidence import detail_of
from proto.ids import IncidentId, TargetId
from proto.incidents import Cause, Incident, Severity, State
from proto.inventory import DeviceClass
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.unit.discovery_site import SITE, SmallSite, small_site

TARGET = TargetId("t-aaaaaaaaaa")
LEAVES, ACKED = 600, 400
PAGES_MAX = 200


class Disk:
    """How much the disk says is free; a test fills it and cleans it up."""

    def __init__(self) -> None:
        """Start with plenty."""
        self.free_bytes = 2**40

    def __call__(self) -> int:
        """Return how much is free."""
        return self.free_bytes


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[SmallSite]:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as opened:
        await fill(opened.work)
        yield opened


async def fill(work: Work) -> None:
    """Store a long log, of which the hub holds most, and two incidents, of which one is closed."""
    async with work.store.write() as conn:
        draft = records.health_draft(work.author(), "hub_unreachable", ok=True)
        opening = records.Opening(bytes(16), detail_of({"value": True}))
        drafts = [replace(draft, openings={"checks.0": opening})] * LEAVES
        await evidence.append(conn, work.scribe, drafts)
        await evidence.acknowledge(conn, ACKED, cosigned=evidence.Cosigned("", ACKED))
        await devices.upsert(conn, [Seen(TARGET, DeviceClass.SERVER, "", {})], at_ms=1)
        for one in (incident("i-aaaaaaaaaa", State.CLOSED), incident("i-bbbbbbbbbb", State.OPEN)):
            await incidents.put(conn, one)
            await incidents.add_turn(conn, one, at_ms=1, actor="anna", note="called them")


def incident(name: str, state: State) -> Incident:
    is_closed = state is State.CLOSED
    return Incident(
        id=IncidentId(name),
        site=SITE,
        target=TARGET,
        check=f"lin.x.{name[-1]}",
        platform="linux",
        severity=Severity.LOW,
        seen={},
        state=state,
        attempt=1,
        opened_ms=1,
        updated_ms=1,
        cause=Cause.PASSED if is_closed else None,
        closed_ms=1 if is_closed else None,
    )


async def numbers(work: Work) -> dict[str, int]:
    """Return how much there is of what may be given up."""
    queries = {
        "notes": "SELECT count(*) FROM turns WHERE note <> ''",
        "closed": "SELECT count(*) FROM incidents WHERE state = 'closed'",
        "open": "SELECT count(*) FROM incidents WHERE state = 'open'",
        "details": f"SELECT count(*) FROM evidence_details WHERE idx < {ACKED}",  # noqa: S608 - a constant
        "leaves": f"SELECT count(*) FROM evidence WHERE leaf IS NOT NULL AND idx < {ACKED}",  # noqa: S608 - a constant
        "unacknowledged": f"SELECT count(*) FROM evidence JOIN evidence_details USING (idx) WHERE leaf IS NOT NULL AND idx BETWEEN {ACKED} AND {LEAVES - 1}",  # noqa: S608, E501 - constants
    }
    async with work.store.read() as conn:
        found = {name: list(await conn.execute_fetchall(sql)) for name, sql in queries.items()}
    return {name: int(rows[0][0]) for name, rows in found.items()}


async def held(work: Work) -> set[Condition]:
    async with work.store.read() as conn:
        return set(await health.raised(conn))


ALL = {
    "notes": 2,
    "closed": 1,
    "open": 1,
    "details": ACKED,
    "leaves": ACKED,
    "unacknowledged": LEAVES - ACKED,
}
KEPT = {"notes": 1, "open": 1, "unacknowledged": LEAVES - ACKED}
"""What is under way, and what the hub does not hold."""


async def test_everything_the_hub_does_not_hold_outlives_a_disk_that_stays_full(
    site: SmallSite, tmp_path: Path
) -> None:
    work = site.work
    work.store.free_bytes = Disk()
    work.store.free_bytes.free_bytes = RESERVE_BYTES
    with pytest.raises(NoRoomError):
        await tidy.watch_disk(work, tmp_path, Ballast(tmp_path))
    assert await numbers(work) == dict.fromkeys(ALL, 0) | KEPT
    async with work.store.read() as conn:
        assert await verify(conn, work.scribe, cosigners=work.trust.cosigners) >= LEAVES


async def test_no_more_is_given_up_than_is_needed(site: SmallSite, tmp_path: Path) -> None:
    """The ballast alone is enough here, and nothing that was stored goes."""
    work, disk, ballast = site.work, Disk(), Ballast(tmp_path)
    work.store.free_bytes = disk
    await tidy.watch_disk(work, tmp_path, ballast)
    assert ballast.is_there
    work.store.free_bytes = lambda: 0 if ballast.is_there else BALLAST_BYTES
    assert not await tidy.look(work, tmp_path, ballast)
    assert await numbers(work) == ALL
    assert Condition.DISK_FULL in await held(work)


@pytest.mark.parametrize(
    ("enough_at", "left"),
    [
        ("closed", {"details": ACKED, "leaves": ACKED}),
        ("details", {"leaves": ACKED}),
        ("leaves", {}),
    ],
)
async def test_evidence_is_given_up_last_and_details_before_leaves(
    site: SmallSite, tmp_path: Path, enough_at: str, left: dict[str, int]
) -> None:
    """`enough_at` names what must be gone before the disk has room again."""
    work = site.work

    def free_bytes() -> int:
        return 2**40 if gone(tmp_path / "appliance.db", enough_at) else 0

    work.store.free_bytes = free_bytes
    await tidy.look(work, tmp_path, Ballast(tmp_path))
    assert await numbers(work) == dict.fromkeys(ALL, 0) | KEPT | left
    shed = {Condition.EVIDENCE_SHED} if enough_at != "closed" else set()
    assert await held(work) >= {Condition.DISK_FULL} | shed
    assert (Condition.EVIDENCE_SHED in await held(work)) == bool(shed)


def gone(path: Path, what: str) -> bool:
    """Tell whether a kind of row is gone, as a disk would notice."""
    tables = {
        "closed": "incidents WHERE state = 'closed'",
        "details": f"evidence_details WHERE idx < {ACKED}",
        "leaves": f"evidence WHERE leaf IS NOT NULL AND idx < {ACKED}",
    }
    connection = sqlite3.connect(path)
    try:
        (count,) = connection.execute(f"SELECT count(*) FROM {tables[what]}").fetchone()  # noqa: S608 - constants
    finally:
        connection.close()
    return int(count) == 0


async def test_what_is_given_up_goes_back_to_the_disk(site: SmallSite, tmp_path: Path) -> None:
    work, path = site.work, tmp_path / "appliance.db"
    await work.store.give_back()
    before = path.stat().st_size
    work.store.free_bytes = lambda: 0
    await tidy.look(work, tmp_path, Ballast(tmp_path))
    assert path.stat().st_size < before * 0.7
    assert not (wal := path.with_name("appliance.db-wal")).exists() or wal.stat().st_size < 10**6


async def test_it_is_said_while_it_holds_and_told_in_evidence(
    site: SmallSite, tmp_path: Path
) -> None:
    work, disk, ballast = site.work, Disk(), Ballast(tmp_path)
    work.store.free_bytes = disk
    disk.free_bytes = 0
    assert not await tidy.look(work, tmp_path, ballast)
    assert await held(work) >= {Condition.DISK_FULL, Condition.EVIDENCE_SHED}
    disk.free_bytes = 2**40
    assert await tidy.look(work, tmp_path, ballast)
    assert not await held(work) & {Condition.DISK_FULL, Condition.EVIDENCE_SHED}
    assert ballast.is_there
    async with work.store.read() as conn:
        rows = await conn.execute_fetchall("SELECT leaf FROM evidence WHERE idx >= ?", (LEAVES,))
        told = [row["leaf"] for row in rows]
    assert len(told) == 4


async def test_nothing_is_begun_in_the_reserve(site: SmallSite) -> None:
    site.work.store.free_bytes = lambda: RESERVE_BYTES
    with pytest.raises(NoRoomError):
        async with site.work.store.write():
            pytest.fail("a transaction was begun")


@asynccontextmanager
async def small_file(path: Path) -> AsyncIterator[Store]:
    """Open a store whose file SQLite itself refuses to let grow: the real SQLITE_FULL."""
    store = await Store.open(path, now_ms=1)
    async with store.write() as conn:
        await conn.execute_fetchall(f"PRAGMA max_page_count = {PAGES_MAX}")
    try:
        yield store
    finally:
        await store.close()


async def test_a_transaction_that_does_not_fit_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    async with small_file(tmp_path / "small.db") as store:

        async def two_rows() -> None:
            async with store.write() as conn:
                await conn.execute("INSERT INTO meta VALUES ('first', 'x')")
                await conn.execute("INSERT INTO meta VALUES ('second', ?)", ("x" * 2_000_000,))

        with pytest.raises(NoRoomError, match="disk is full"):
            await two_rows()
        async with store.read() as conn:
            assert not list(await conn.execute_fetchall("SELECT * FROM meta"))
        async with store.write() as conn:
            await conn.execute("INSERT INTO meta VALUES ('third', 'x')")


async def test_a_loop_waits_for_room_and_goes_on(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.handlers.patience.PAUSE_S", 0.0)
    work, disk = site.work, Disk()
    work.store.free_bytes = disk
    disk.free_bytes = 0
    tries: list[bool] = []

    async def loop() -> None:
        tries.append(work.store.has_room())
        disk.free_bytes = 2**40
        if not tries[-1]:
            raise NoRoomError

    await patient(work, loop)
    assert tries == [False, True]
    assert await work.bells.tidy.wait(0), "who makes room was not called"

"""The floor clock's way back: a person on the LAN lowers it, a hub does not."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.order_gate.clock import ONLINE_AHEAD_S_MAX
from appliance.handlers.site_clock import (
    COUNT_EVERY_S,
    NoPersonError,
    count,
    pass_root,
    set_clock,
    view,
)
from appliance.handlers.work import Word, Work
from appliance.store import accounts, evidence, order_state
from appliance.tasks.order_talk import hear
from appliance.tasks.recovery import catch_up
from appliance.tasks.uplink import send_all
from proto.errors import MalformedError, NotFoundError
from proto.receipts import Chain, ClockSet
from runtime.clock import StartedClock
from tests.fakes.clock import ManualClock
from tests.unit.cut_process import virtual
from tests.unit.order_hub import LogHub
from tests.unit.order_site import FOOTING, alive, enrolled_site, receipts, take
from tests.unit.order_world import NOW

YEAR_S = 365 * 86_400
EVA = "eva"


async def with_person(work: Work) -> None:
    async with work.store.write() as conn:
        await accounts.add(conn, EVA, "no password opens this", now_ms=1)


async def raise_by(work: Work, signed_s: int, *, clock_s: int) -> None:
    async with work.store.write() as conn:
        await order_state.pass_online(conn, signed_s, clock_s=clock_s)


async def chain_of(work: Work) -> Chain:
    chain = Chain()
    for one in await receipts(work):
        chain.follow(one.to_bytes())
    return chain


@virtual
async def test_a_clock_that_ran_ahead_a_year_is_put_right_and_orders_run_again(
    tmp_path: Path,
) -> None:
    site = await enrolled_site(tmp_path)
    hub = LogHub(site)
    async with alive(site, hub=hub) as (work, _):
        await with_person(work)
        first = site.order()
        await take(site, work)
        await raise_by(work, NOW + YEAR_S, clock_s=NOW + YEAR_S)
        ended = site.order()
        await take(site, work)
        assert (await view(work)).now_s == NOW + YEAR_S
        seen = await set_clock(work, NOW, account=EVA, reason="the battery was empty")
        assert (seen.floor_s, seen.now_s) == (NOW, NOW)
        assert work.word.floor_s == NOW
        assert [(row.account, row.reason) for row in seen.changes] == [
            (EVA, "the battery was empty")
        ]
        after = site.order()
        await take(site, work)
        ran = {index for index in (first, ended, after) if await outcome(work, index) == "done"}
        assert ran == {first, after}, "what had ended stays ended, what is new runs"
        told = [one for one in await receipts(work) if isinstance(one, ClockSet)]
        assert [(one.by, one.was, one.floor) for one in told] == [("lan", NOW + YEAR_S, NOW)]
        assert (await chain_of(work)).link.seq >= told[0].seq


async def outcome(work: Work, index: int) -> str:
    async with work.store.read() as conn:
        (row,) = await conn.execute_fetchall("SELECT outcome FROM orders WHERE idx = ?", (index,))
    return str(row["outcome"])


@virtual
async def test_a_hub_lowers_nothing_and_moves_it_by_a_day_at_most(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    hub = LogHub(site)
    async with alive(site, hub=hub) as (work, _):
        await with_person(work)
        await set_clock(work, NOW + YEAR_S, account=EVA, reason="a trial")
        await hear(work, FOOTING)
        assert (await view(work)).floor_s == NOW + YEAR_S, "an honest head of an earlier time"
        await set_clock(work, NOW, account=EVA, reason="and back")
        await raise_by(work, NOW + YEAR_S, clock_s=NOW)
        assert (await view(work)).floor_s == NOW + ONLINE_AHEAD_S_MAX


@virtual
async def test_what_people_signed_before_does_not_raise_it_again(tmp_path: Path) -> None:
    """Content that is in force is looked at every few minutes: its date was counted once."""
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        await with_person(work)
        async with work.store.write() as conn:
            await order_state.pass_people(conn, NOW + YEAR_S)
        await set_clock(work, NOW, account=EVA, reason="a slip in the ceremony")
        async with work.store.write() as conn:
            await order_state.pass_people(conn, NOW + YEAR_S)
        assert (await view(work)).floor_s == NOW
        async with work.store.write() as conn:
            await order_state.pass_people(conn, NOW + 60)
        assert (await view(work)).floor_s == NOW + 60


@virtual
async def test_only_a_person_with_an_account_and_a_reason_sets_it(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        await with_person(work)
        with pytest.raises(NotFoundError):
            await set_clock(work, NOW, account="nobody", reason="because")
        for to_s, reason in ((NOW, " "), (NOW, "two\nlines"), (-1, "because"), (2**40, "because")):
            with pytest.raises(MalformedError):
                await set_clock(work, to_s, account=EVA, reason=reason)
        async with work.store.write() as conn:
            await accounts.shut(conn, EVA, now_ms=2)
        with pytest.raises(NoPersonError):
            await set_clock(work, NOW, account=EVA, reason="because")
        assert not [one for one in await receipts(work) if isinstance(one, ClockSet)]


@virtual
async def test_a_later_root_brings_a_floor_that_is_ahead_back_once(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        await raise_by(work, NOW + YEAR_S, clock_s=NOW + YEAR_S)
        await pass_root(work, version=1, created_s=NOW - 60)
        assert (await view(work)).floor_s == NOW + YEAR_S, "the root of the enrollment is no news"
        await pass_root(work, version=2, created_s=NOW + 60)
        assert (await view(work)).floor_s == NOW + 60
        await raise_by(work, NOW + 500, clock_s=NOW)
        await pass_root(work, version=2, created_s=NOW + 60)
        assert (await view(work)).floor_s == NOW + 500
        told = [one for one in await receipts(work) if isinstance(one, ClockSet)]
        assert [(one.by, one.floor) for one in told] == [("root", NOW + 60)]


async def passed(work: Work) -> int:
    async with work.store.read() as conn:
        return await order_state.passed(conn)


@virtual
async def test_only_time_that_was_run_through_counts_as_passed(tmp_path: Path) -> None:
    """Neither a clock that is set, nor being off, makes it later; nothing makes it earlier."""
    site, steady = await enrolled_site(tmp_path), ManualClock(0)
    ran_s = 0
    for wall_s in (0, YEAR_S, -2 * YEAR_S):
        site.clock.advance(wall_s * 1000)
        async with alive(site) as (made, _):
            own = StartedClock(site.clock, steady)
            work = replace(made, own_clock=own, word=Word(is_level=True))
            await count(work, NOW)
            for step_s in (COUNT_EVERY_S, 10 * COUNT_EVERY_S, COUNT_EVERY_S):
                steady.advance(step_s * 1000)
                site.clock.advance(-5000)
                await count(work, NOW)
                ran_s += step_s
                assert await passed(work) == NOW + ran_s
            steady.advance(1000)
            await count(work, NOW)
            assert await passed(work) == NOW + ran_s, "nothing is written each second"


@virtual
async def test_a_person_on_the_lan_lowers_what_counts_as_passed_too(tmp_path: Path) -> None:
    """They know what time it is, whatever was signed: a root may lower the floor to it again."""
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        await with_person(work)
        await count(work, NOW)
        await set_clock(work, NOW - YEAR_S, account=EVA, reason="people dated it a year ahead")
        assert await passed(work) == NOW - YEAR_S
        await set_clock(work, NOW, account=EVA, reason="a trial")
        assert await passed(work) == NOW - YEAR_S, "what they raise is no proof"


@virtual
async def test_set_before_a_restored_disk_was_level_it_is_linked_behind_what_was_lost(
    tmp_path: Path,
) -> None:
    site = await enrolled_site(tmp_path)
    hub = LogHub(site)
    async with alive(site, hub=hub) as (work, _):
        await with_person(work)
        async with work.store.read() as conn:
            await conn.execute("SELECT 1")
    copy = site.path.read_bytes()
    async with alive(site, hub=hub) as (work, _):
        site.order()
        await take(site, work)
        await send_all(work)
    site.path.write_bytes(copy)
    async with alive(site, hub=hub) as (work, _):
        work.word.is_level = False
        await set_clock(work, NOW - 50, account=EVA, reason="the hub is away")
        assert await catch_up(work)
        await chain_of(work)
        seen = await view(work)
        assert seen.floor_s == NOW - 50
        told = [one for one in await receipts(work) if isinstance(one, ClockSet)]
        assert [row.leaf for row in seen.changes] == [one.seq for one in told]
        await send_all(work)
        async with work.store.read() as conn:
            assert len(hub.evidence) == (await evidence.head(conn)).tree.size

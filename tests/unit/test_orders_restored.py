"""A disk that was put back to an earlier day: what was answered is not answered or run again."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from appliance.core.order_gate.ledger import State
from appliance.core.order_gate.limits import SecurityWatch
from appliance.handlers.orders.opinions import take_opinion
from appliance.handlers.orders.running import settle_unfinished
from appliance.handlers.wellness import raise_condition
from appliance.handlers.work import Work
from appliance.ports import HubTransport
from appliance.store import evidence, health, order_state, orders
from appliance.store.health import Condition
from appliance.store.proof import verify
from appliance.tasks.order_talk import hear
from appliance.tasks.recovery import catch_up
from appliance.tasks.uplink import send_all
from proto.envelope import Kind, sign
from proto.errors import RejectedError
from proto.evidence import HealthLeaf
from proto.opinions import Clear
from proto.order_codes import Code
from proto.orders.kinds import OrderType
from proto.receipts import Chain, Outcome
from tests.unit import order_world as world
from tests.unit.core_values import SITE
from tests.unit.cut_process import CutError, Process, virtual
from tests.unit.discovery_site import NoHub
from tests.unit.order_hub import LogHub
from tests.unit.order_site import (
    FOOTING,
    Site,
    alive,
    enrolled_site,
    gate,
    leaves,
    receipts,
    row,
    take,
)
from tests.unit.order_world import APPLIANCE, NOW, key

WRITES = ("before INSERT", "before UPDATE", "before DELETE", "before COMMIT", "after COMMIT")


async def started(work: Work, hub: LogHub) -> None:
    """Do what the loop does first after a start, and send what is new."""
    work.word.is_level = False
    assert await catch_up(work)
    await settle_unfinished(work, {})
    await hear(work, FOOTING)
    await send_all(work)
    assert len(hub.evidence) == len(await leaves(work))


async def a_week(folder: Path) -> tuple[Site, LogHub, bytes, dict[str, int]]:
    """Live for a while; return the disk as it was early on, and the leaves by what became of them.

    "first" ran before the copy was made, the others after: "waited" had been seen waiting, "open"
    was running when the copy was made.
    """
    site = await enrolled_site(folder)
    hub = LogHub(site)
    index: dict[str, int] = {}
    async with alive(site, hub=hub) as (work, _):
        index["first"] = site.order()
        await take(site, work)
        index["waited"] = site.order(not_before=NOW + 500)
        index["open"] = site.order()
        await hear(work, FOOTING)
        await gate(work)
        await send_all(work)
        async with work.store.read() as conn:
            await conn.execute("SELECT 1")
    copy = site.path.read_bytes()
    async with alive(site, hub=hub) as (work, _):
        await settle_unfinished(work, {})
        index["later"] = site.order()
        index["refused"] = site.order(exp=NOW - 5)
        await take(site, work)
        site.clock.advance(600_000)
        await take(site, work)
        await send_all(work)
    return site, hub, copy, index


@virtual
async def test_it_gets_its_leaves_back_and_runs_nothing_again(tmp_path: Path) -> None:
    site, hub, copy, index = await a_week(tmp_path)
    ran, held = dict(site.ran), list(hub.evidence)
    site.path.write_bytes(copy)
    async with alive(site, hub=hub) as (work, _):
        # Other loops write evidence before anybody knows that the disk is an old one.
        await raise_condition(work, Condition.DISK_LOW, detail="")
        await started(work, hub)
        await take(site, work)
        assert site.ran == ran
        assert hub.evidence[: len(held)] == held
        states = {name: (await row(work, at)).state for name, at in index.items()}
        assert states == {
            "first": State.DONE,
            "waited": State.DONE,
            "open": State.DONE,
            "later": State.DONE,
            "refused": State.ENDED,
        }
        assert (await row(work, index["open"])).outcome is Outcome.UNKNOWN
        chain = Chain()
        for one in await receipts(work):
            chain.follow(one.to_bytes())
        assert chain.closed == set(index.values())
        told = [one.code for one in await leaves(work) if isinstance(one, HealthLeaf)]
        assert told == ["disk_low", "orders_recovering", "orders_recovering"]
        async with work.store.read() as conn:
            assert await verify(conn, work.scribe, cosigners=()) == len(hub.evidence)
            assert set(await health.raised(conn)) == {Condition.DISK_LOW}


@virtual
async def test_orders_go_on_after_it(tmp_path: Path) -> None:
    site, hub, copy, index = await a_week(tmp_path)
    site.path.write_bytes(copy)
    async with alive(site, hub=hub) as (work, _):
        await started(work, hub)
        again = site.log.append(site.log.leaves[index["later"]])
        new = site.order(iat=NOW + 590, not_before=NOW + 590)
        await take(site, work)
        assert (await row(work, again)).code == Code.REPLAY_SID
        assert (await row(work, new)).state is State.DONE


@virtual
async def test_what_was_put_back_is_counted_for_an_hour_and_not_until_a_date_of_a_head(
    tmp_path: Path,
) -> None:
    """Receipts bear the floor's time; an hour's budget is counted on the appliance's own clock."""
    site = await enrolled_site(tmp_path)
    hub = LogHub(site)
    copy = site.path.read_bytes()
    async with alive(site, hub=hub) as (work, _):
        async with work.store.write() as conn:
            await order_state.pass_online(conn, NOW + 2400, clock_s=NOW)
        index = site.order()
        await take(site, work)
        await send_all(work)
        (intent, _) = await receipts(work)
        assert intent.at == NOW + 2400
    site.path.write_bytes(copy)
    async with alive(site, hub=hub) as (work, _):
        await started(work, hub)
        assert (await row(work, index)).state is State.DONE
        for passed_s, used in ((0, 1), (3599, 1), (3600, 0)):
            clock_s = work.own_s + passed_s
            async with work.store.read() as conn:
                counted = await orders.history(
                    conn, clock_s=clock_s, now_ms=clock_s * 1000, held_since_s=None
                )
            assert sum(counted.grant_uses.values()) == used


@virtual
async def test_a_disk_of_today_finds_nothing_to_put_back(tmp_path: Path) -> None:
    site, hub, _, __ = await a_week(tmp_path)
    async with alive(site, hub=hub) as (work, _):
        before = await leaves(work)
        await started(work, hub)
        assert await leaves(work) == before


@pytest.mark.parametrize("signer", ["order", "head"])
@virtual
async def test_a_hub_cannot_give_back_what_was_never_signed_here(
    tmp_path: Path, signer: str
) -> None:
    site, hub, copy, _ = await a_week(tmp_path)
    site.path.write_bytes(copy)
    async with alive(site, hub=hub) as (work, _):
        async with work.store.read() as conn:
            at = (await evidence.head(conn)).tree.size
        forged = HealthLeaf(
            site=SITE, appliance=APPLIANCE, seq=at, at=NOW, code="disk_low", ok=True
        )
        hub.evidence[at] = sign(Kind.EVIDENCE, forged.to_bytes(), key(signer))
        work.word.is_level = False
        assert not await catch_up(work)
        assert not work.word.is_level
        site.order(OrderType.RUN_DRIFT)
        assert (await take(site, work)).judged == 0
        async with work.store.read() as conn:
            assert (await order_state.load(conn)).is_recovering
            assert Condition.ORDERS_RECOVERING in await health.raised(conn)


@virtual
async def test_one_bad_answer_holds_orders_back_until_a_good_one(tmp_path: Path) -> None:
    """What was given back does not belong here; asked again, the hub says what is true."""
    site, hub, _, __ = await a_week(tmp_path)
    honest = list(hub.evidence)
    hub.evidence.append(b"no leaf of this appliance")
    async with alive(site, hub=hub) as (work, _):
        work.word.is_level = False
        assert not await catch_up(work)
    hub.evidence = honest
    async with alive(site, hub=hub) as (work, _):
        await started(work, hub)
        async with work.store.read() as conn:
            assert not (await order_state.load(conn)).is_recovering
            assert await health.raised(conn) == {}
        told = [one.ok for one in await leaves(work) if isinstance(one, HealthLeaf)]
        assert told == [False, True]
        new = site.order(iat=NOW + 590, not_before=NOW + 590)
        await take(site, work)
        assert (await row(work, new)).state is State.DONE


@virtual
async def test_the_power_may_go_at_any_point_of_putting_back(tmp_path: Path) -> None:
    site, hub, copy, _ = await a_week(tmp_path)
    held = list(hub.evidence)
    cuts = 0
    while True:
        site.path.write_bytes(copy)
        for end in ("-wal", "-shm"):
            site.path.with_name(site.path.name + end).unlink(missing_ok=True)
        hub.evidence = list(held)
        is_cut = await _cut_off(site, hub, _recover, after=cuts)
        async with alive(site, hub=hub) as (work, _):
            await started(work, hub)
            async with work.store.read() as conn:
                assert not (await order_state.load(conn)).is_recovering
                assert await health.raised(conn) == {}
            assert hub.evidence[: len(held)] == held
        if not is_cut:
            break
        cuts += 1
    assert cuts > 10


async def _recover(work: Work) -> None:
    work.word.is_level = False
    assert await catch_up(work)


async def _cut_off(
    site: Site, hub: HubTransport, act: Callable[[Work], Awaitable[None]], *, after: int
) -> bool:
    """Do something, and lose the power after some writes; tell whether it came to that."""
    writes, is_begun = 0, False

    def watch(process: Process, what: str) -> None:
        nonlocal writes
        writes += is_begun and what.startswith(WRITES)
        if writes > after:
            process.cut()

    try:
        async with alive(site, watch, hub=hub) as (work, _):
            is_begun = True
            await act(work)
            is_begun = False
    except CutError:
        return True
    return False


@virtual
async def test_a_hub_that_says_more_than_it_gives_is_no_reason_to_go_on(tmp_path: Path) -> None:
    site, hub, _, __ = await a_week(tmp_path)
    async with alive(site, hub=hub) as (work, _):
        work.word.is_level = False
        hub.withholds = True
        with pytest.raises(RejectedError):
            await catch_up(work)
        assert not work.word.is_level


@virtual
async def test_a_hold_that_people_end_is_never_left_half_ended(tmp_path: Path) -> None:
    """Wherever the power goes, the page says what the gate does."""
    site = await enrolled_site(tmp_path)
    said = Clear(
        v=1, type="clear", site=SITE, appliance=APPLIANCE, by="eva", iat=NOW, since=NOW - 60
    )
    statement = sign(Kind.CONSENT, said.to_bytes(), key("appliance"))
    cuts, is_cut = 0, True
    while is_cut:
        async with alive(site) as (work, _):
            async with work.store.write() as conn:
                state = await order_state.load(conn)
                held = replace(state, watch=SecurityWatch((NOW - 60,), NOW - 60))
                await order_state.save(conn, held)
            await raise_condition(work, Condition.ORDERS_HELD, detail="")
        is_cut = await _cut_off(
            site,
            NoHub(),
            partial(take_opinion, authority=world.authority_set(), data=statement),
            after=cuts,
        )
        async with alive(site) as (work, _), work.store.read() as conn:
            is_held = (await order_state.load(conn)).watch.held_since_s is not None
            assert (Condition.ORDERS_HELD in await health.raised(conn)) is is_held
        cuts += 1
    assert not is_held
    assert cuts > 3

"""A disk that was put back to an earlier day: what was answered is not answered or run again."""

from pathlib import Path

import pytest

from appliance.core.order_gate.ledger import State
from appliance.handlers.orders.running import settle_unfinished
from appliance.handlers.wellness import raise_condition
from appliance.handlers.work import Work
from appliance.store import evidence, health, order_state
from appliance.store.health import Condition
from appliance.store.proof import verify
from appliance.tasks.order_talk import hear
from appliance.tasks.recovery import catch_up
from appliance.tasks.uplink import send_all
from proto.envelope import Kind, sign
from proto.errors import RejectedError
from proto.evidence import HealthLeaf
from proto.order_codes import Code
from proto.orders.kinds import OrderType
from proto.receipts import Chain, Outcome
from tests.unit.core_values import SITE
from tests.unit.cut_process import virtual
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
async def test_a_hub_that_says_more_than_it_gives_is_no_reason_to_go_on(tmp_path: Path) -> None:
    site, hub, _, __ = await a_week(tmp_path)
    async with alive(site, hub=hub) as (work, _):
        work.word.is_level = False
        hub.withholds = True
        with pytest.raises(RejectedError):
            await catch_up(work)
        assert not work.word.is_level

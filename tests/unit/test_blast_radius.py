"""A rule that fits everywhere changes few computers within an hour: three, or a fifth of them."""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from appliance.core.order_gate.ledger import State as Leaf
from appliance.handlers.record import record
from appliance.handlers.work import Work
from appliance.ports import Clock
from appliance.store import orders
from appliance.store.orders import Row
from appliance.tasks.heal import consider
from proto.findings import Finding, Vantage, Verdict
from proto.ids import TargetId
from proto.incidents import Cause
from tests.e2e.clinic_scene_content import content
from tests.unit.cut_process import virtual
from tests.unit.known_target import know
from tests.unit.test_restart_every_point import KEY, LAMP, SITE, Box, Bulb, alive

HOUR_S = 3600
SIX = tuple(TargetId(f"t-{letter * 10}") for letter in "bcdefg")
TWENTY_FIVE = tuple(TargetId(f"t-{letter * 10}") for letter in "abcdefghijklmnopqrstuvwxy")


@dataclass(frozen=True)
class Set:
    """`ports.Clock` that somebody set, forward or back."""

    clock: Clock
    by_s: int

    def now_ms(self) -> int:
        """Return milliseconds since the epoch, as it was set."""
        return self.clock.now_ms() + self.by_s * 1000


async def settle(work: Work, names: tuple[TargetId, ...]) -> None:
    """Let a person add computers, all of them now."""
    for number, name in enumerate(names):
        address = f"10.0.1.{number + 1}"
        await know(work, name, address=address, host_key=KEY, added_ms=work.clock.now_ms())


async def drift(work: Work, names: tuple[TargetId, ...]) -> None:
    """See the same drift on all of them."""
    for name in names:
        finding = Finding(
            site=SITE,
            target=name,
            check=LAMP.check,
            verdict=Verdict.DRIFTED,
            reason=None,
            seen={"value": "dark"},
            at_ms=work.clock.now_ms(),
            vantage=Vantage.SSH,
            content=work.content().digest,
        )
        await record(work, [finding])


async def standing(work: Work) -> Counter[str]:
    """Count the incidents by why they wait; "begun" are repairs that the gates let pass."""
    async with work.store.read() as conn:
        rows = await conn.execute_fetchall("SELECT state, cause FROM incidents")
    return Counter("begun" if row["state"] == "planned" else row["cause"] for row in rows)


def box_of(folder: Path) -> Box:
    return Box(folder / "appliance.db", Bulb(), content((LAMP,)))


@virtual
async def test_three_of_six_now_and_the_others_when_the_hour_is_over(tmp_path: Path) -> None:
    box = box_of(tmp_path)
    async with alive(box) as work:
        await settle(work, SIX)
        await asyncio.sleep(HOUR_S)
        await drift(work, SIX)
        await consider(work)
        assert await standing(work) == {"begun": 3, Cause.BLAST_RADIUS: 3}
        await asyncio.sleep(HOUR_S - 60)
        await consider(work)
    async with alive(box) as work:
        await consider(work)
        assert await standing(work) == {"begun": 3, Cause.BLAST_RADIUS: 3}, "a restart forgets none"
        await asyncio.sleep(60)
        await consider(work)
        assert await standing(work) == {"begun": 6}


@virtual
async def test_a_fifth_of_a_larger_site(tmp_path: Path) -> None:
    async with alive(box_of(tmp_path)) as work:
        await settle(work, TWENTY_FIVE)
        await asyncio.sleep(HOUR_S)
        await drift(work, TWENTY_FIVE)
        await consider(work)
        assert await standing(work) == {"begun": 5, Cause.BLAST_RADIUS: 20}


@virtual
async def test_computers_that_were_just_added_are_put_right_at_once(tmp_path: Path) -> None:
    """They neither wait nor use up what the computers that were there before may."""
    async with alive(box_of(tmp_path)) as work:
        await settle(work, SIX[:2])
        await asyncio.sleep(HOUR_S)
        await settle(work, SIX[2:])
        await drift(work, SIX[2:])
        await consider(work)
        assert await standing(work) == {"begun": 4}
        await drift(work, SIX[:2])
        await consider(work)
        assert await standing(work) == {"begun": 6}


@virtual
async def test_a_clock_that_was_set_back_makes_no_computer_new(tmp_path: Path) -> None:
    """Neither those that are to be changed nor those that were."""
    async with alive(box_of(tmp_path)) as work:
        await settle(work, SIX)
        await asyncio.sleep(HOUR_S)
        back = replace(work, clock=Set(work.clock, -2 * HOUR_S), own_clock=work.clock)
        for _ in range(2):
            await drift(back, SIX)
            await consider(back)
            assert await standing(work) == {"begun": 3, Cause.BLAST_RADIUS: 3}


@pytest.mark.parametrize("own_s", [-5 * HOUR_S, 0, 5 * HOUR_S])
@virtual
async def test_what_an_order_changed_counts_for_an_hour(tmp_path: Path, own_s: int) -> None:
    """Also where the appliance's own clock, by which orders are counted, is another."""
    async with alive(box_of(tmp_path)) as daemon:
        work = replace(daemon, own_clock=Set(daemon.clock, own_s))
        await settle(work, SIX)
        await asyncio.sleep(HOUR_S)
        ordered = Row(
            index=1,
            leaf_hash=bytes(32),
            sid="ab" * 32,
            nonce="1" * 32,
            state=Leaf.RUNNING,
            since_s=work.own_s,
            grant="g",
            is_change=True,
            targets=f'["{SIX[0]}", "{SIX[1]}"]',
            accepted_s=work.own_s,
        )
        async with work.store.write() as conn:
            await orders.put(conn, [ordered])
        await drift(work, SIX[2:])
        await consider(work)
        assert await standing(work) == {"begun": 1, Cause.BLAST_RADIUS: 3}
        await asyncio.sleep(HOUR_S)
        await consider(work)
        assert await standing(work) == {"begun": 4}

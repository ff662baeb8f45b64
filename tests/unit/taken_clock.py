"""A taken hub that has the network's clock as well: it serves false time to the appliance.

The hub keeps a trust root back, which people really signed. Once what they ordered has ended it has
the clock on the wall set back to when that was good, and shows the root, which may lower the floor.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.core.order_gate.ledger import State
from appliance.core.site_rules import Span
from appliance.handlers.site_clock import COUNT_EVERY_S, count, pass_root
from appliance.handlers.work import Word, Work
from appliance.store import lan_rules, order_state
from proto.keysets import DAY_S
from proto.order_codes import Code
from proto.orders.kinds import HOUR_S, OrderType
from runtime.clock import StartedClock
from tests.fakes.clock import ManualClock
from tests.sim.loop import run
from tests.unit.order_site import Site, alive, enrolled_site, row, take
from tests.unit.order_world import NOW

DONE = "done"
KEPT_BACK_S = NOW + HOUR_S
"""When people made the root that the hub keeps back."""

ORDERED_S = NOW + 2 * HOUR_S
LATE_S = NOW + 30 * HOUR_S
"""When the hub strikes: what was ordered has ended."""


@dataclass
class Struck:
    """An appliance over a day, and the clocks that it has.

    Attributes:
        steady: what nobody sets.
    """

    site: Site
    steady: ManualClock

    def own_clock(self) -> StartedClock:
        """Return the own clock of a process that starts now."""
        return StartedClock(self.site.clock, self.steady)

    def pass_s(self, seconds: int) -> None:
        """Let time pass."""
        self.site.clock.advance(seconds * 1000)
        self.steady.advance(seconds * 1000)

    def set_wall(self, to_s: int) -> None:
        """Have the network say another time."""
        self.site.clock.advance(to_s * 1000 - self.site.clock.now_ms())


async def _process(struck: Struck, made: Work) -> Work:
    """Let a process start: it takes what people signed as it finds it."""
    work = replace(made, own_clock=struck.own_clock(), word=Word(is_level=True))
    await pass_root(work, version=1, created_s=NOW - HOUR_S)
    await count(work, NOW - HOUR_S)
    return work


async def _struck(*, off_s: int) -> str:
    """Return what becomes of an order that people signed, when it has ended long since.

    Args:
        off_s: how long the appliance is off, of the time until the hub strikes.
    """
    with tempfile.TemporaryDirectory() as folder:
        site = await enrolled_site(Path(folder))
        struck = Struck(site, ManualClock(0))
        async with alive(site) as (made, _):
            work = await _process(struck, made)
            await count(work, NOW - 60)
            leaf = site.order(
                OrderType.UPDATE_AGENT,
                "ada",
                iat=ORDERED_S,
                not_before=ORDERED_S,
                exp=ORDERED_S + HOUR_S,
            )
            while site.clock.now_ms() < (LATE_S - off_s) * 1000:
                struck.pass_s(COUNT_EVERY_S)
                await count(work, NOW - 60)
        struck.pass_s(off_s)
        async with alive(site) as (made, _):
            work = await _process(struck, made)
            async with work.store.write() as conn:
                await order_state.pass_online(conn, LATE_S, clock_s=LATE_S)
            struck.set_wall(ORDERED_S + 60)
            await pass_root(work, version=2, created_s=KEPT_BACK_S)
            await _judged(site, work)
            return await _came_to(work, leaf)


def shows_a_root_late() -> str:
    """Do so to an appliance that runs."""
    return run(_struck(off_s=0))


def shows_it_to_one_that_was_off() -> str:
    """Do so to an appliance that was off since before people ordered it."""
    return run(_struck(off_s=LATE_S - NOW - HOUR_S))


async def _put_off() -> str:
    """Have an order run sooner than people said: the clock goes ahead, and a process starts."""
    with tempfile.TemporaryDirectory() as folder:
        site = await enrolled_site(Path(folder))
        struck = Struck(site, ManualClock(0))
        later = {"not_before": NOW + 5 * HOUR_S, "exp": NOW + 20 * HOUR_S}
        async with alive(site) as (made, _):
            work = await _process(struck, made)
            leaf = site.order(OrderType.UPDATE_AGENT, "ada", **later)
            await _judged(site, work)
            struck.set_wall(NOW + 6 * HOUR_S)
            await _judged(site, work)
            assert (await row(work, leaf)).code == Code.NOT_BEFORE, "it waits while this runs"
        async with alive(site) as (made, _):
            work = await _process(struck, made)
            await _judged(site, work)
            return await _came_to(work, leaf)


async def _outside_windows() -> str:
    """Have an order run outside the hours that the site set."""
    with tempfile.TemporaryDirectory() as folder:
        site = await enrolled_site(Path(folder))
        struck = Struck(site, ManualClock(0))
        async with alive(site) as (made, _):
            work = await _process(struck, made)
            begins = NOW // 60 % (24 * 60) + 5 * 60
            async with work.store.write() as conn:
                span = Span(frozenset(range(7)), begins % (24 * 60), 60)
                await lan_rules.add_window(conn, span, account="eva", now_ms=NOW * 1000)
            leaf = site.order(OrderType.UPDATE_AGENT, "ada", exp=NOW + 20 * HOUR_S)
            await _judged(site, work)
            assert (await row(work, leaf)).code == Code.MAINTENANCE_WINDOW
            struck.set_wall(NOW + 5 * HOUR_S + 60)
            await _judged(site, work)
            return await _came_to(work, leaf)


async def _ends_all() -> str:
    """Set the clock ahead by a year, and date a head as far, to leave the floor there."""
    with tempfile.TemporaryDirectory() as folder:
        site = await enrolled_site(Path(folder))
        struck = Struck(site, ManualClock(0))
        async with alive(site) as (made, _):
            work = await _process(struck, made)
            struck.set_wall(NOW + 365 * DAY_S)
            async with work.store.write() as conn:
                wall_s = NOW + 365 * DAY_S
                await order_state.pass_online(conn, wall_s, clock_s=wall_s)
            struck.set_wall(NOW)
            leaf = site.order(OrderType.RUN_DRIFT)
            await _judged(site, work)
            return await _came_to(work, leaf)


async def _judged(site: Site, work: Work) -> None:
    work.word.answered_s = work.own_s
    await take(site, work)


async def _came_to(work: Work, leaf: int) -> str:
    found = await row(work, leaf)
    return DONE if found.state is State.DONE else found.code


def skips_a_date() -> str:
    """Have an order run before the time to which people put it off."""
    return run(_put_off())


def opens_a_window() -> str:
    """Have an order run outside maintenance windows."""
    return run(_outside_windows())


def ends_all_orders() -> str:
    """Leave the floor clock a year ahead."""
    return run(_ends_all())

"""An hour's budget over starts: no clock, slow, right or set back, makes what was used older."""

from pathlib import Path

import pytest

from appliance.core.order_gate.clock import aged
from appliance.core.order_gate.limits import SecurityWatch
from appliance.core.settings import Budgets
from appliance.handlers.orders.own_time import SEEN_EVERY_S, begin_time, note_time
from appliance.handlers.work import Work
from appliance.store import order_state, orders
from proto.opinions import Clear
from proto.order_codes import Code
from proto.orders.kinds import OrderType
from tests.unit.core_values import SITE
from tests.unit.order_site import Site, alive, enrolled_site, row, take
from tests.unit.order_world import APPLIANCE, NOW

MOST = Budgets().orders_per_hour
HOUR_S = 3600


async def spend(site: Site, work: Work) -> None:
    """Use up the hour's budget of orders, now."""
    for _ in range(MOST):
        site.order(OrderType.RESTART_AGENT, params={"drain_s": 0})
    while (await take(site, work)).judged:
        pass
    assert await used(work) == MOST


async def used(work: Work) -> int:
    """Return how much of the hour's budget counts as used."""
    async with work.store.read() as conn:
        found = await orders.history(
            conn, clock_s=work.own_s, now_ms=work.clock.now_ms(), held_since_s=None
        )
    return found.by_orders


async def refusal(site: Site, work: Work) -> str:
    """Ask for one more change and return what it came to; "" where it ran."""
    leaf = site.order(OrderType.RESTART_AGENT, params={"drain_s": 0})
    await take(site, work)
    return (await row(work, leaf)).code


@pytest.mark.parametrize("step_s", [365 * 86_400, 5 * HOUR_S, 0, -5 * HOUR_S])
async def test_what_was_used_stays_used_after_a_start_whatever_the_clock_says(
    tmp_path: Path, step_s: int
) -> None:
    """Not after a start on a right clock, where it had been slow; nor the other way round."""
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        await begin_time(work)
        await spend(site, work)
        site.clock.advance(10 * 60 * 1000)
        await note_time(work)
        first = len(site.log.leaves) - MOST
        accepted_s = (await row(work, first)).accepted_s
    site.clock.advance(step_s * 1000)
    async with alive(site) as (work, _):
        await begin_time(work)
        assert await used(work) == MOST
        assert (await row(work, first)).accepted_s == accepted_s, "when it was, people still read"
        site.clock.advance(49 * 60 * 1000)
        assert await used(work) == MOST, "ten minutes and forty-nine are no hour"
        site.clock.advance(2 * 60 * 1000)
        assert await used(work) == 0, "an hour that was run through frees it"


async def test_an_order_after_a_start_on_a_right_clock_is_refused_for_the_hour(
    tmp_path: Path,
) -> None:
    site = await enrolled_site(tmp_path)
    site.clock.advance(-40 * 60 * 1000)
    async with alive(site) as (work, _):
        await begin_time(work)
        slow = {"iat": NOW - 40 * 60, "not_before": NOW - 40 * 60}
        for _ in range(MOST):
            site.order(OrderType.RESTART_AGENT, params={"drain_s": 0}, exp=NOW + 600, **slow)
        while (await take(site, work)).judged:
            pass
        assert await used(work) == MOST
    site.clock.advance((40 + 30) * 60 * 1000)
    async with alive(site) as (work, _):
        await begin_time(work)
        assert await refusal(site, work) == Code.RATE_HOUR


async def test_starts_one_after_the_other_neither_free_it_nor_hold_it_for_ever(
    tmp_path: Path,
) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        await begin_time(work)
        await spend(site, work)
    for _ in range(HOUR_S // SEEN_EVERY_S):
        async with alive(site) as (work, _):
            await begin_time(work)
            assert await used(work) == MOST
            site.clock.advance(SEEN_EVERY_S * 1000)
            await note_time(work)
        site.clock.advance(7 * HOUR_S * 1000)
    async with alive(site) as (work, _):
        await begin_time(work)
        assert await used(work) == 0


async def test_nothing_is_written_while_nothing_ages(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)

    async def seen(work: Work) -> int | None:
        async with work.store.read() as conn:
            return await order_state.seen(conn)

    async with alive(site) as (work, _):
        await begin_time(work)
        site.clock.advance(SEEN_EVERY_S * 1000)
        await note_time(work)
        assert await seen(work) == NOW
        await spend(site, work)
        for _ in range(2):
            site.clock.advance(HOUR_S * 1000)
            await note_time(work)
            assert await seen(work) == work.own_s
        site.clock.advance(HOUR_S * 1000)
        await note_time(work)
        assert await seen(work) == work.own_s - HOUR_S
    # After a start on a clock that was set back, what was used three hours ago is not used.
    site.clock.advance(-5 * HOUR_S * 1000)
    async with alive(site) as (work, _):
        await begin_time(work)
        assert await used(work) == 0


async def test_a_store_of_before_counts_from_its_newest_order(tmp_path: Path) -> None:
    """The program before this one noted no time: its hour begins anew, and ends."""
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        await spend(site, work)
    site.clock.advance(3 * HOUR_S * 1000)
    async with alive(site) as (work, _):
        assert await used(work) == 0
        await begin_time(work)
        assert await used(work) == MOST
        site.clock.advance((HOUR_S + 1) * 1000)
        assert await used(work) == 0


def test_refusals_keep_their_age_and_a_hold_keeps_its_name() -> None:
    watch = SecurityWatch((NOW - 500, NOW - 20), None)
    after = watch.aged(seen_s=NOW, own_s=NOW + 10**6).after(
        Code.SIGNATURE_BAD, now_s=NOW + 10**6 + 60
    )
    assert after.held_since_s == NOW + 10**6 + 60
    assert after.aged(seen_s=NOW, own_s=0).held_since_s == after.held_since_s
    assert aged(NOW + 5, seen_s=NOW, own_s=7) == 7, "what was never seen to age is new"


def test_no_two_holds_have_one_name_though_the_clock_was_set_back() -> None:
    """Else the end of the first, signed by two people, would end the second as well."""

    def held(watch: SecurityWatch) -> SecurityWatch:
        for _ in range(3):
            watch = watch.after(Code.SIGNATURE_BAD, now_s=NOW)
        return watch

    def clear(since: int) -> Clear:
        return Clear(
            v=1, type="clear", site=SITE, appliance=APPLIANCE, by="ada", iat=NOW, since=since
        )

    first = held(SecurityWatch())
    assert first.held_since_s == NOW
    over = first.cleared(clear(NOW))
    assert over.held_since_s is None
    second = held(over)
    assert second.held_since_s == NOW + 1
    assert second.cleared(clear(NOW)) == second
    assert second.cleared(clear(NOW + 1)).held_since_s is None

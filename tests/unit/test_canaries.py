"""Canaries: planted in every source, none comes through; one that does is held back and alarmed."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.handlers.canaries import DAY_MS, DAYS_WATCHED, SOURCES, Canaries
from appliance.handlers.scrubber import Scrubber, Source
from appliance.portal import devices as device_pages
from appliance.store import evidence, health, quarantine
from appliance.store.health import Condition
from proto.phi import Result, default_names, default_policy
from proto.phi.admission import Looker, Refused
from proto.phi.arrived import Arrived
from proto.phi.canary import KEY_BYTES, places
from proto.phi.framing import Record
from proto.phi.values import seal
from tests.e2e.portal_world import portal_world
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.unit.discovery_site import SmallSite, small_site

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)
KEY = bytes(range(KEY_BYTES))


class LettingThrough(Scrubber):
    """A scrubber that does not scrub: what the canaries are there to find."""

    def record(self, record: Record, *, source: Source | str) -> Result:
        """Let everything through."""
        del source
        return Result(seal(record.text))


async def held(site: SmallSite) -> tuple[set[Condition], int, int]:
    async with site.work.store.read() as conn:
        raised = set(await health.raised(conn))
        tally = await quarantine.tally(conn)
        return raised, tally.pieces, (await evidence.head(conn)).tree.size


async def test_the_days_canaries_come_through_nowhere(tmp_path: Path) -> None:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as site:
        canaries = Canaries(KEY)
        assert await canaries.plant(site.work) == 0
        assert await held(site) == (set(), 0, 0)
        assert canaries.planted_ms == site.clock.now_ms()


async def test_a_scrubber_that_lets_them_through_is_found_the_same_day(tmp_path: Path) -> None:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as site:
        right = site.work.scrubber
        wrong = LettingThrough(
            right.policy, right.names, right.vault, store=site.work.store, clock=site.clock
        )
        work = replace(site.work, scrubber=wrong)
        assert await Canaries(KEY).plant(work) == 2
        raised, pieces, leaves = await held(site)
        assert raised == {Condition.TEXT_HELD_BACK}
        assert pieces == 2
        assert leaves == 1  # the alarm is evidence


async def test_the_last_look_knows_the_numbers_of_the_last_days_after_planting(
    tmp_path: Path,
) -> None:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as site:
        canaries, work = Canaries(KEY), site.work
        now_ms = site.clock.now_ms()
        one = canaries.of_day(SOURCES[0], now_ms=now_ms - (DAYS_WATCHED - 1) * DAY_MS)
        told = f"item {one.mrn} moved".encode()
        assert work.sentry.look(told) == ()
        await canaries.plant(work)
        assert [alarm.form for alarm in work.sentry.look(told)] == ["canary"]


@pytest.mark.parametrize("named", [True, False])
def test_the_hub_admits_no_text_with_a_canary_of_any_site(*, named: bool) -> None:
    one = Canaries(KEY).of_day(SOURCES[0], now_ms=40 * DAY_MS)
    looker = Looker(default_policy(), default_names() if named else None)
    for text in (one.family, f"host {one.family.lower()}-pc is up", one.line()):
        refused = looker.admit(Arrived(text))
        assert isinstance(refused, Refused)
        assert "canary" in refused.forms


async def test_the_exported_file_holds_one_and_says_so(tmp_path: Path) -> None:
    async with portal_world(tmp_path) as world, world.signed_in() as client:
        text = (await client.get("/devices.csv")).text
    found = list(places(text.lower().encode()))
    assert len(found) == 1
    assert device_pages.PLANTED in text

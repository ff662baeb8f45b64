"""What holds repairs back: the LAN's word and orders' word, kept apart, and each order's end."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.order_gate.values import Window
from appliance.core.site_rules import ALL, Matter, Ordered, SiteRules, Span, window_at
from appliance.handlers.site_rules import lan_rules_of, site_rules
from appliance.store import incidents, lan_rules, order_state, ordered, waivers
from appliance.store.lan_rules import WINDOWS_MAX
from proto.catalog.model import Autonomy
from proto.errors import ConflictError, MalformedError, NotFoundError
from proto.ids import IncidentId, TargetId
from proto.incidents import Incident, Severity, State
from proto.invariants import InvariantError
from proto.orders.kinds import CAUTION, Setting
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.unit.discovery_site import SITE, SmallSite, small_site

T, U = TargetId("t-aaaaaaaaaa"), TargetId("t-bbbbbbbbbb")
SID = "ab" * 32
CHECK, OTHER = "lin.ssh.root_login", "lin.time.sync"
DAY_MS = 86_400_000
LEVELS = st.sampled_from(Autonomy)


def level(check: str, autonomy: Autonomy, *, until_ms: int = 10_000) -> Ordered:
    return Ordered(Matter.AUTONOMY, check, ALL, autonomy, until_ms, SID)


def off(check: str) -> Ordered:
    return Ordered(Matter.HEALING, check, ALL, None, 10_000, SID)


def waiver(check: str, target: str, *, until_ms: int = 10_000) -> Ordered:
    return Ordered(Matter.WAIVER, check, target, None, until_ms, SID)


@given(lan=LEVELS, orders=st.lists(st.tuples(st.sampled_from((CHECK, OTHER, ALL)), LEVELS)))
def test_the_most_cautious_of_the_lan_and_all_orders_holds(
    lan: Autonomy, orders: list[tuple[str, Autonomy]]
) -> None:
    rules = SiteRules(lan, tuple(level(check, autonomy) for check, autonomy in orders))
    said = [autonomy for check, autonomy in orders if check in {CHECK, ALL}]
    assert rules.dial(CHECK).autonomy == min([lan, *said], key=CAUTION.index)


def test_no_order_takes_the_lans_caution_back() -> None:
    rules = SiteRules(Autonomy.ALERT, (level(CHECK, Autonomy.AUTO),))
    assert rules.dial(CHECK).setting == Setting(Autonomy.ALERT)
    assert not rules.dial(CHECK).is_ordered


def test_healing_that_an_order_stopped_is_observing_until_its_end() -> None:
    rules = SiteRules(Autonomy.AUTO, (off(CHECK),))
    assert rules.dial(CHECK).setting == Setting(Autonomy.OBSERVE, 10)
    assert rules.dial(CHECK).is_ordered
    assert rules.dial(OTHER).autonomy is Autonomy.AUTO
    assert rules.settings() == {CHECK: Setting(Autonomy.OBSERVE, 10)}


def test_a_waiver_of_an_order_covers_what_it_names_and_no_more() -> None:
    rules = SiteRules(Autonomy.AUTO, (waiver(CHECK, T),), frozenset({(U, OTHER)}))
    assert rules.is_waived(T, CHECK)
    assert rules.is_waived(U, OTHER)
    assert not rules.is_waived(U, CHECK)
    assert rules.waivers_until_s([CHECK, OTHER]) == {CHECK: 10}
    assert rules.dial(CHECK).autonomy is Autonomy.AUTO


def test_a_waiver_of_all_covers_every_check_on_every_target() -> None:
    rules = SiteRules(Autonomy.AUTO, (waiver(ALL, ALL, until_ms=20_000), waiver(CHECK, T)))
    assert rules.is_waived(U, OTHER)
    assert rules.waivers_until_s([CHECK, OTHER]) == {CHECK: 20, OTHER: 20}


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


SATURDAY_NIGHT = Span(frozenset({5}), 22 * 60, 8 * 60)


@pytest.mark.parametrize(
    ("now", "window"),
    [
        ("2026-11-20T12:00", Window(is_open=False, opens_s=at("2026-11-21T22:00"))),
        ("2026-11-21T22:00", Window(is_open=True, opens_s=at("2026-11-28T22:00"))),
        ("2026-11-22T05:59", Window(is_open=True, opens_s=at("2026-11-28T22:00"))),
        ("2026-11-22T06:00", Window(is_open=False, opens_s=at("2026-11-28T22:00"))),
    ],
)
def test_a_window_is_open_over_midnight_and_comes_back_in_a_week(now: str, window: Window) -> None:
    assert window_at([SATURDAY_NIGHT], UTC, now_s=at(now)) == window


def test_a_window_keeps_to_the_clock_on_the_wall_when_clocks_change() -> None:
    zone = ZoneInfo("America/New_York")
    sundays = [Span(frozenset({6}), 2 * 60 + 30, 60)]
    before = window_at(sundays, zone, now_s=at("2026-11-07T12:00", "America/New_York"))
    assert before is not None
    # Clocks were set back on Nov 1: the windows before and after begin at 2:30 all the same.
    assert before.opens_s == at("2026-11-08T02:30", "America/New_York")
    missing = window_at(sundays, zone, now_s=at("2027-03-14T00:00", "America/New_York"))
    assert missing is not None
    # 2:30 does not exist on this day: the window begins an hour after 1:30, which is 3:30 there.
    assert missing.opens_s == at("2027-03-14T03:30", "America/New_York")


def test_a_site_without_windows_has_none() -> None:
    assert window_at([], UTC, now_s=0) is None


@given(
    days=st.frozensets(st.integers(0, 6), min_size=1),
    start=st.integers(0, 1439),
    length=st.integers(15, 1440),
    now_s=st.integers(1_700_000_000, 1_900_000_000),
)
def test_the_next_window_is_ahead_within_a_week_and_a_day(
    days: frozenset[int], start: int, length: int, now_s: int
) -> None:
    window = window_at([Span(days, start, length)], ZoneInfo("Europe/Berlin"), now_s=now_s)
    assert window is not None
    assert 0 < window.opens_s - now_s <= 7 * 86_400 + 7200
    ahead = window_at([Span(days, start, length)], ZoneInfo("Europe/Berlin"), now_s=window.opens_s)
    assert ahead is not None
    assert ahead.is_open


@pytest.mark.parametrize(
    "made",
    [
        (frozenset(), 0, 60),
        (frozenset({7}), 0, 60),
        (frozenset({0}), 1440, 60),
        (frozenset({0}), 0, 14),
    ],
)
def test_a_window_without_days_or_length_is_none(made: tuple[frozenset[int], int, int]) -> None:
    with pytest.raises(InvariantError):
        Span(*made)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[SmallSite]:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as made:
        yield made


async def rules_of(site: SmallSite) -> SiteRules:
    async with site.work.store.read() as conn:
        return await site_rules(conn, site.work)


async def test_what_an_order_set_ends_by_itself(site: SmallSite) -> None:
    now_ms = site.clock.now_ms()
    async with site.work.store.write() as conn:
        await ordered.add(
            conn, level(CHECK, Autonomy.ALERT, until_ms=now_ms + DAY_MS), now_ms=now_ms
        )
    assert (await rules_of(site)).dial(CHECK).autonomy is Autonomy.ALERT
    site.clock.advance(DAY_MS - 1)
    assert (await rules_of(site)).dial(CHECK).autonomy is Autonomy.ALERT
    site.clock.advance(1)
    assert (await rules_of(site)).dial(CHECK).autonomy is Autonomy.AUTO


async def test_no_time_that_a_hub_signs_ends_what_holds_repairs_back(site: SmallSite) -> None:
    """Else a hub that was taken over has repaired a day sooner what people waived."""
    now_ms = site.clock.now_ms()
    until_ms = now_ms + DAY_MS // 2
    async with site.work.store.write() as conn:
        for one in (waiver(CHECK, T), level(OTHER, Autonomy.ALERT)):
            await ordered.add(conn, replace(one, until_ms=until_ms), now_ms=now_ms)
        await waivers.add(
            conn, U, CHECK, reason="old", account="eva", now_ms=now_ms, until_ms=until_ms
        )
        await order_state.pass_online(conn, until_ms // 1000 + 60, clock_s=now_ms // 1000)
        assert (await order_state.load(conn)).floor.at_s > until_ms // 1000
    rules = await rules_of(site)
    assert rules.is_waived(T, CHECK)
    assert rules.is_waived(U, CHECK)
    assert rules.dial(OTHER).autonomy is Autonomy.ALERT


async def test_an_order_ends_exactly_what_it_names(site: SmallSite) -> None:
    now_ms = site.clock.now_ms()
    far_ms = now_ms + DAY_MS
    async with site.work.store.write() as conn:
        for one in (waiver(CHECK, T), waiver(CHECK, ALL), waiver(OTHER, T)):
            await ordered.add(conn, replace(one, until_ms=far_ms), now_ms=now_ms)
        count = await ordered.end(
            conn, Matter.WAIVER, check=CHECK, target=T, by="cd" * 32, now_ms=now_ms + 1
        )
        left = await ordered.in_force(conn, now_ms=now_ms + 1)
        kept = await ordered.every(conn)
    assert count == 1
    assert [(one.check, one.target) for one in left] == [(CHECK, ALL), (OTHER, T)]
    assert [one.ended_by for one in kept if one.ended_ms] == ["cd" * 32]


async def test_ended_settings_are_kept_ninety_days_and_running_ones_stay(site: SmallSite) -> None:
    now_ms = site.clock.now_ms()
    async with site.work.store.write() as conn:
        for until_ms in (now_ms + 1, now_ms + 200 * DAY_MS):
            await ordered.add(conn, level(CHECK, Autonomy.ALERT, until_ms=until_ms), now_ms=now_ms)
        await ordered.prune(conn, now_ms=now_ms + 90 * DAY_MS)
        assert len(await ordered.every(conn)) == 2
        await ordered.prune(conn, now_ms=now_ms + 91 * DAY_MS)
        (left,) = await ordered.every(conn)
    assert left.ordered.until_ms == now_ms + 200 * DAY_MS


async def test_a_host_is_protected_once_and_until_a_person_ends_it(site: SmallSite) -> None:
    async with site.work.store.write() as conn:
        await lan_rules.protect(conn, T, reason="the server", account="ana", now_ms=1)
        with pytest.raises(ConflictError, match="protected already"):
            await lan_rules.protect(conn, T, reason="again", account="ana", now_ms=2)
        with pytest.raises(MalformedError):
            await lan_rules.protect(conn, U, reason=" ", account="ana", now_ms=2)
        assert await lan_rules.protected(conn) == {T}
        await lan_rules.unprotect(conn, T, account="ben", now_ms=3)
        with pytest.raises(NotFoundError):
            await lan_rules.unprotect(conn, T, account="ben", now_ms=4)
        assert await lan_rules.protected(conn) == frozenset()
        (one,) = await lan_rules.protections(conn)
    assert (one.account, one.ended_by, one.ended_ms) == ("ana", "ben", 3)


async def test_windows_are_bounded_and_none_is_set_twice(site: SmallSite) -> None:
    async with site.work.store.write() as conn:
        for hour in range(WINDOWS_MAX):
            span = Span(frozenset({hour % 7}), (hour % 24) * 60, 15 + hour)
            await lan_rules.add_window(conn, span, account="ana", now_ms=1)
        with pytest.raises(ConflictError, match="remove one"):
            await lan_rules.add_window(conn, SATURDAY_NIGHT, account="ana", now_ms=1)
        await lan_rules.remove_window(conn, 1)
        await lan_rules.add_window(conn, SATURDAY_NIGHT, account="ana", now_ms=1)
        with pytest.raises(ConflictError, match="already"):
            await lan_rules.add_window(conn, SATURDAY_NIGHT, account="ana", now_ms=1)
        with pytest.raises(NotFoundError):
            await lan_rules.remove_window(conn, 1000)


async def test_the_order_gate_is_told_what_people_set(site: SmallSite) -> None:
    now_ms = site.clock.now_ms()
    async with site.work.store.write() as conn:
        await lan_rules.protect(conn, T, reason="the server", account="ana", now_ms=now_ms)
        await lan_rules.add_window(conn, SATURDAY_NIGHT, account="ana", now_ms=now_ms)
        end_ms = now_ms + DAY_MS
        await ordered.add(conn, level(CHECK, Autonomy.ALERT, until_ms=end_ms), now_ms=now_ms)
        await ordered.add(conn, replace(waiver(CHECK, U), until_ms=end_ms), now_ms=now_ms)
        told = await lan_rules_of(conn, site.work)
    assert told.site == Setting(Autonomy.AUTO)
    assert told.checks == {CHECK: Setting(Autonomy.ALERT, end_ms // 1000)}
    assert told.waived_until_s == {CHECK: end_ms // 1000}
    assert told.protected == {T}
    assert told.window is not None
    assert not told.is_observe_only
    assert told.orders_per_hour == site.work.settings.budgets.orders_per_hour


async def test_an_incident_stays_waived_while_an_order_waives_it(site: SmallSite) -> None:
    now_ms = site.clock.now_ms()
    one = Incident(
        IncidentId("i-aaaaaaaaaa"),
        SITE,
        T,
        CHECK,
        "linux",
        Severity.HIGH,
        {},
        State.WAIVED,
        1,
        1,
        1,
    )
    async with site.work.store.write() as conn:
        await conn.execute(
            "INSERT INTO devices (id, class, first_ms, last_ms) VALUES (?, 'server', 1, 1)", (T,)
        )
        await incidents.put(conn, one)
        await ordered.add(conn, waiver(ALL, T, until_ms=now_ms + 10), now_ms=now_ms)
        held = await incidents.waived_no_more(conn, SITE, now_ms=now_ms)
        free = await incidents.waived_no_more(conn, SITE, now_ms=now_ms + 10)
    assert held == []
    assert [found.id for found in free] == [one.id]

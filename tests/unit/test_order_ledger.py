"""The ledger, the floor clock, the brakes, and the share of targets: what no hub can lift."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.order_gate import answers, gate
from appliance.core.order_gate.clock import ONLINE_AHEAD_S_MAX, Floor, passed_s
from appliance.core.order_gate.ledger import (
    ROWS_MAX,
    TURNS,
    Entry,
    Ledger,
    ReplayError,
    State,
    TurnError,
)
from appliance.core.order_gate.limits import SecurityWatch, blast_until_ms, touched_max
from appliance.core.order_gate.values import Accepted, Refused
from proto.opinions import Clear
from proto.order import LogPlace
from proto.order_codes import Code
from proto.orders.kinds import HOUR_S, OrderType
from tests.unit import order_world as world
from tests.unit.core_values import SITE
from tests.unit.order_world import APPLIANCE, NOW, body, having, refusal, signed

HOUR_MS = HOUR_S * 1000
SID, NONCE = "12" * 32, "3" * 32


def row(index: int, state: State, *, sid: str = SID, nonce: str = NONCE) -> Entry:
    return Entry(index, sid, nonce, state, NOW)


class TestLedger:
    def test_a_sid_and_a_nonce_are_used_once_whatever_became_of_them(self) -> None:
        for first in (State.WAITING, State.RUNNING, State.ENDED):
            for sid, nonce, reason in (
                (SID, NONCE, Code.REPLAY_SID),
                (SID, "4" * 32, Code.REPLAY_SID),
                ("34" * 32, NONCE, Code.REPLAY_NONCE),
            ):
                ledger = Ledger()
                ledger.put(row(3, first))
                with pytest.raises(ReplayError) as caught:
                    ledger.put(row(4, State.RUNNING, sid=sid, nonce=nonce))
                assert caught.value.reason is reason
                assert ledger.row(4) is None

    def test_a_failed_run_frees_nothing(self) -> None:
        ledger = Ledger()
        ledger.put(row(3, State.RUNNING))
        ledger.finish(3, now_s=NOW + 5)
        with pytest.raises(ReplayError):
            ledger.put(row(4, State.RUNNING))
        with pytest.raises(TurnError):
            ledger.finish(3, now_s=NOW + 6)

    def test_a_failed_verification_uses_up_nothing(self) -> None:
        ledger = Ledger()
        ledger.put(row(3, State.REFUSED))
        ledger.put(row(4, State.RUNNING))
        assert ledger.view(SID, NONCE, root_then=None).by_sid == row(4, State.RUNNING)

    @pytest.mark.parametrize("before", list(State))
    @pytest.mark.parametrize("after", list(State))
    def test_a_leaf_turns_only_as_the_table_says(self, before: State, after: State) -> None:
        ledger = Ledger()
        if before is State.DONE:
            ledger.put(row(3, State.RUNNING))
            ledger.finish(3, now_s=NOW)
        else:
            ledger.put(row(3, before))
        if after in TURNS[before] and after is not State.DONE:
            ledger.put(row(3, after))
            return
        with pytest.raises((TurnError, ReplayError)):
            ledger.put(row(3, after))

    def test_an_order_waits_since_it_was_first_seen(self) -> None:
        ledger = Ledger()
        ledger.put(row(3, State.WAITING))
        ledger.put(replace(row(3, State.WAITING), since_s=NOW + 60))
        assert [one.since_s for one in ledger.waiting()] == [NOW]

    def test_what_ran_when_the_power_went_is_listed(self) -> None:
        ledger = Ledger()
        ledger.put(row(3, State.RUNNING))
        ledger.put(row(4, State.WAITING, sid="34" * 32, nonce="4" * 32))
        assert [one.index for one in ledger.unfinished()] == [3]
        assert ledger.view(SID, NONCE, root_then=None).waiting == {"34" * 32}

    def test_only_settled_rows_older_than_the_window_are_forgotten(self) -> None:
        ledger = Ledger()
        for index, state in ((0, State.RUNNING), (1, State.WAITING), (2, State.ENDED)):
            ledger.put(row(index, state, sid=f"{index:064d}", nonce=f"{index:032d}"))
        ledger.prune(ROWS_MAX + 2)
        assert len(ledger) == 3
        ledger.prune(ROWS_MAX + 3)
        assert [ledger.row(index) is not None for index in range(3)] == [True, True, False]


def test_a_forgotten_order_is_out_of_its_window_without_any_clock() -> None:
    """The clock is set back before it expired and its ledger row is gone: it still never runs."""
    leaf = signed(body())
    found = world.read_ok(leaf)
    ledger = Ledger()
    ledger.put(Entry(found.ref.index, found.sid, found.order.nonce, State.ENDED, NOW))
    size = found.ref.index
    while ledger.row(found.ref.index) is not None:
        size += 1
        ledger.prune(size)
    again = replace(found, ref=replace(found.ref, index=size))
    view = ledger.view(found.sid, found.order.nonce, root_then=world.OrderLog().place().root)
    situation = replace(having("moment", now_s=NOW), ledger=view)
    refused = gate.judge(again, situation)
    assert isinstance(refused, Refused)
    assert refused.code is Code.PREV_WINDOW


class TestClock:
    def test_a_clock_set_back_does_not_bring_an_expired_order_back(self) -> None:
        floor = Floor().after_online(NOW + 3000, clock_s=NOW + 3000)
        now_s = floor.now_s(NOW - 86_400)
        assert refusal(signed(body()), having("moment", now_s=now_s)).code is Code.EXPIRED

    def test_a_clock_that_was_ahead_leaves_nothing_behind(self) -> None:
        floor = Floor(NOW - 100)
        ahead = floor.now_s(NOW + 10 * 86_400)
        assert refusal(signed(body()), having("moment", now_s=ahead)).code is Code.EXPIRED
        assert floor.now_s(NOW) == NOW
        assert not isinstance(world.verdict_on(signed(body())), Refused)

    @settings(deadline=None)
    @given(st.lists(st.integers(0, 2**53 - 1), min_size=1), st.integers(0, 2**40))
    def test_heads_dated_far_ahead_do_not_add_up(self, dates: list[int], clock_s: int) -> None:
        floor = Floor()
        for date in dates:
            floor = floor.after_online(date, clock_s=clock_s)
        assert floor.at_s <= clock_s + ONLINE_AHEAD_S_MAX
        assert floor.at_s == min(max(dates), clock_s + ONLINE_AHEAD_S_MAX)

    def test_only_people_go_further_and_only_two_lower_it(self) -> None:
        floor = Floor(NOW)
        assert floor.after_people(NOW + 10**6).at_s == NOW + 10**6
        assert floor.after_people(NOW - 1).at_s == NOW
        assert floor.after_online(NOW - 1, clock_s=NOW).at_s == NOW
        assert floor.set_by_person(NOW - 99).at_s == NOW - 99
        assert floor.after_root(NOW - 99, clock_s=NOW - 200).at_s == NOW - 99
        assert floor.after_root(NOW - 99, clock_s=NOW - 50).at_s == NOW - 50

    def test_a_root_that_was_held_back_lowers_no_floor_that_the_clock_has_reached(self) -> None:
        assert Floor(NOW).after_root(NOW - 10**7, clock_s=NOW).at_s == NOW
        assert Floor(NOW).after_root(NOW + 10**7, clock_s=NOW - 5).at_s == NOW

    def test_a_root_lowers_no_floor_below_what_has_surely_passed(self) -> None:
        assert Floor(NOW).after_root(NOW - 99, clock_s=NOW - 200, passed_s=NOW - 9).at_s == NOW - 9
        assert Floor(NOW).after_root(NOW - 99, clock_s=NOW, passed_s=NOW + 9).at_s == NOW

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))))
    def test_what_has_surely_passed_is_never_later_than_it_is(
        self, steps: list[tuple[int, int, int]]
    ) -> None:
        """Time runs, clocks say what they like, and people date what they sign not ahead of it."""
        true_s = passed = 0
        for ran_s, clock_s, ago_s in steps:
            true_s += ran_s
            signed_s = max(true_s - ago_s, 0)
            before = passed
            passed = passed_s(passed, ran_s=ran_s, signed_s=(signed_s,), clock_s=clock_s)
            assert before + ran_s <= passed <= true_s

    def test_a_date_that_the_clock_has_not_reached_is_not_counted(self) -> None:
        """People slipped by a year: nothing is held to have passed that has not."""
        assert passed_s(NOW, ran_s=5, signed_s=(NOW + 10**7,), clock_s=NOW + 5) == NOW + 5
        assert passed_s(NOW, ran_s=5, signed_s=(NOW + 10,), clock_s=NOW + 10) == NOW + 10


class TestBrakes:
    def test_three_security_refusals_in_ten_minutes_hold_orders_back(self) -> None:
        watch = SecurityWatch()
        for now_s in (NOW, NOW + 1, NOW + 599):
            assert watch.held_since_s is None
            watch = watch.after(Code.SIGNATURE_BAD, now_s=now_s)
        assert watch.held_since_s == NOW + 599
        assert watch.after(Code.LOG_FORK, now_s=NOW + 9999).held_since_s == NOW + 599

    def test_slower_ones_and_honest_refusals_do_not(self) -> None:
        watch = SecurityWatch()
        for turn in range(9):
            watch = watch.after(Code.SIGNATURE_BAD, now_s=NOW + turn * 301)
            watch = watch.after(Code.EXPIRED, now_s=NOW + turn * 301)
        assert watch.held_since_s is None

    def test_people_clear_the_hold_that_they_saw_and_no_later_one(self) -> None:
        held = SecurityWatch((NOW,), NOW)
        clear = Clear(
            v=1, type="clear", site=SITE, appliance=APPLIANCE, since=NOW, by="eva", iat=NOW
        )
        assert held.cleared(clear) == SecurityWatch(cleared_s=NOW)
        later = SecurityWatch((NOW + 5,), NOW + 5)
        assert later.cleared(clear) == later

    def test_a_fifth_of_the_targets_but_at_least_three(self) -> None:
        assert [touched_max(n) for n in (0, 1, 15, 19, 20, 100)] == [3, 3, 3, 3, 4, 20]

    @given(st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, HOUR_MS - 1)))
    def test_a_rule_waits_just_until_so_few_were_touched_that_one_more_may_be(
        self, touched_ms: dict[str, int]
    ) -> None:
        until_ms = blast_until_ms("x", touched_ms, known=20)
        still = sum(at_ms > until_ms - HOUR_MS for at_ms in touched_ms.values())
        before = sum(at_ms >= until_ms - HOUR_MS for at_ms in touched_ms.values())
        assert still < touched_max(20)
        assert until_ms == 0 or before >= touched_max(20)
        assert all(blast_until_ms(one, touched_ms, known=20) == 0 for one in touched_ms)


def test_a_re_imaged_appliance_runs_none_of_the_leaves_from_before() -> None:
    """Its ledger is empty; enrollment says from which leaf on the log is for it."""
    assert refusal(signed(body()), having("place", enrolled_at=6)).code is Code.BEFORE_ENROLLMENT


def test_an_order_drafted_on_a_hidden_fork_is_refused() -> None:
    forged = body(prev=LogPlace(5, bytes(32)).as_text())
    assert refusal(signed(forged)).code is Code.PREV_FORK


def test_a_stripped_copy_that_is_logged_first_does_not_end_the_order() -> None:
    """The hub takes a person's signature off, logs that, and then the order as it was signed."""
    log, ledger = world.OrderLog(), Ledger()
    document = body(OrderType.UPDATE_AGENT)
    verdicts = []
    for leaf in (signed(document), signed(document, "ada")):
        index = log.append(leaf)
        found = gate.read(log.delivery(index), head=log.place(), trust=world.TRUST)
        assert not isinstance(found, Refused)
        view = ledger.view(found.sid, found.order.nonce, root_then=log.place(5).root)
        verdict = gate.judge(found, replace(world.SITUATION, ledger=view))
        if isinstance(verdict, Refused):
            ledger.put(answers.row_of(verdict, now_s=NOW))
        verdicts.append(verdict)
    assert isinstance(verdicts[0], Refused)
    assert verdicts[0].code is Code.PEOPLE_TOO_FEW
    assert isinstance(verdicts[1], Accepted)

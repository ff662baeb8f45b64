"""Orders that wait: for their time, a head, a ring, people's objection, or the site's consent."""

from dataclasses import replace

import pytest

from appliance.core.order_gate.ledger import Entry, Ledger, State
from appliance.core.order_gate.values import Accepted, Refused, Said, Situation, Waiting, Window
from proto.order_codes import Code
from proto.orders.kinds import OrderType
from runtime.clock import StartedClock
from tests.fakes.clock import ManualClock
from tests.unit import order_world as world
from tests.unit.order_world import (
    NOW,
    SITUATION,
    body,
    having,
    refusal,
    signed,
    verdict_on,
)

GOOD = signed(body())


def held(leaf: bytes, *, since_s: int, situation: Situation = SITUATION) -> Situation:
    """Return the situation in which the leaf has waited since a time."""
    found = world.read_ok(leaf)
    row = Entry(found.ref.index, found.sid, found.order.nonce, State.WAITING, since_s)
    view = replace(situation.ledger, by_sid=row, by_nonce=row)
    return replace(situation, ledger=view)


LONG = {"exp": NOW + 20 * 3600}
BY_ONE = signed(body(OrderType.UPDATE_AGENT, **LONG), "ada")
BY_TWO = signed(body(OrderType.DISABLE_HEALING, **LONG), "ada", "bea")
SHUT = having("rules", window=Window(is_open=False, opens_s=NOW + 500))

WAITS: list[tuple[str, bytes, Situation, Code, int]] = [
    (
        "not before",
        signed(body(not_before=NOW + 60)),
        SITUATION,
        Code.NOT_BEFORE,
        NOW + 60,
    ),
    (
        "a head that is too old",
        signed(body(OrderType.UPDATE_AGENT), "ada"),
        having("moment", answered_s=NOW - 301),
        Code.HEAD_OLD,
        NOW + 3000,
    ),
    (
        "no head ever",
        signed(body(OrderType.UPDATE_AGENT), "ada"),
        having("moment", answered_s=None),
        Code.HEAD_OLD,
        NOW + 3000,
    ),
    ("an answer from the future", BY_ONE, having("moment", answered_s=NOW + 1), Code.HEAD_OLD, 0),
    ("ring 2", BY_ONE, having("place", ring=2), Code.RING_WAIT, NOW + 4 * 3600),
    ("time lock", BY_TWO, SITUATION, Code.TIME_LOCK, NOW + 4 * 3600),
    (
        "time lock, seen an hour ago",
        BY_TWO,
        held(BY_TWO, since_s=NOW - 3600),
        Code.TIME_LOCK,
        NOW + 3 * 3600,
    ),
    (
        "a maintenance window",
        signed(body(OrderType.UPDATE_AGENT), "ada"),
        SHUT,
        Code.MAINTENANCE_WINDOW,
        NOW + 500,
    ),
    ("rebuilding", GOOD, having("ledger", is_rebuilding=True), Code.RECOVERING, NOW + 3000),
]


@pytest.mark.parametrize(
    ("what", "leaf", "situation", "code", "until_s"), WAITS, ids=[row[0] for row in WAITS]
)
def test_what_must_wait_waits_and_says_until_when(
    what: str, leaf: bytes, situation: Situation, code: Code, until_s: int
) -> None:
    waiting = verdict_on(leaf, situation)
    assert isinstance(waiting, Waiting), (what, waiting)
    assert waiting.code is code
    assert until_s in (0, waiting.until_s)
    is_written = waiting.entry is not None and waiting.entry.state is State.WAITING
    assert is_written is (code is not Code.RECOVERING)


def test_a_wait_that_is_over_lets_the_order_run() -> None:
    for leaf, ring, waited_s in ((BY_ONE, 2, 4 * 3600), (BY_TWO, 0, 4 * 3600)):
        before = held(leaf, since_s=NOW - waited_s + 1, situation=having("place", ring=ring))
        after = held(leaf, since_s=NOW - waited_s, situation=having("place", ring=ring))
        assert isinstance(verdict_on(leaf, before), Waiting)
        assert isinstance(verdict_on(leaf, after), Accepted)


def test_a_wait_counts_from_when_people_here_could_see_the_order_not_from_its_date() -> None:
    """A hub that keeps an order back until its wait would be over gains nothing."""
    began = NOW - 10 * 3600
    document = body(OrderType.UPDATE_AGENT, iat=began, not_before=began, exp=NOW + 10 * 3600)
    old = signed(document, "ada")
    waiting = verdict_on(old, having("place", ring=2))
    assert isinstance(waiting, Waiting)
    assert waiting.until_s == NOW + 4 * 3600


def test_a_wait_is_over_only_with_a_fresh_head_and_no_veto() -> None:
    over = held(BY_TWO, since_s=NOW - 5 * 3600)
    silent = replace(over, moment=replace(over.moment, answered_s=NOW - 400))
    vetoed = replace(over, said=Said(vetoed_by="cyd"))
    both = replace(over, said=Said(vetoed_by="cyd", consented_by="eva"))
    waiting = verdict_on(BY_TWO, silent)
    assert isinstance(waiting, Waiting)
    assert waiting.code is Code.HEAD_OLD
    assert refusal(BY_TWO, vetoed).code is Code.VETOED
    assert refusal(BY_TWO, both).code is Code.VETOED


@pytest.mark.parametrize("leaf", [BY_ONE, BY_TWO])
def test_after_a_clock_was_set_back_a_wait_begins_anew_and_lasts_no_longer(leaf: bytes) -> None:
    """It neither lasts until the clock has caught up, nor ends as soon as the clock is right."""
    there, lock_s = having("place", ring=2), 4 * 3600
    ledger = Ledger()
    for clock_s, is_over in (
        (NOW, False),
        (NOW - 10**6, False),
        (NOW - 10**6 + lock_s - 1, False),
        (NOW - 10**6 + lock_s, True),
    ):
        found = world.read_ok(leaf)
        view = ledger.view(found.sid, found.order.nonce, root_then=SITUATION.ledger.root_then)
        moment = replace(SITUATION.moment, clock_s=clock_s, answered_s=clock_s)
        verdict = verdict_on(leaf, replace(there, ledger=view, moment=moment))
        assert isinstance(verdict, Accepted) is is_over
        assert not isinstance(verdict, Refused)
        assert verdict.entry is not None
        ledger.put(verdict.entry)


def test_setting_the_clock_changes_no_wait_of_a_running_process() -> None:
    day, steady = ManualClock(), ManualClock(5_000)
    own = StartedClock(day, steady)
    began_ms = own.now_ms()
    assert began_ms == day.now_ms()
    for by_ms in (10**9, -(10**10)):
        day.advance(by_ms)
        assert own.now_ms() == began_ms
    steady.advance(7_000)
    assert own.now_ms() == began_ms + 7_000


def test_a_refusal_wins_over_a_wait() -> None:
    """What can never run is said at once, not after hours."""
    leaf = signed(
        body(OrderType.UPDATE_AGENT, params={"version": "1.0.0", "content_sha256": "12" * 32}),
        "ada",
    )
    assert refusal(leaf, having("moment", answered_s=None)).code is Code.CONTENT_ABSENT

"""What people are told of an order's life is what was signed, and never better than it is."""

from dataclasses import replace

import pytest

from central.api.desk import line_of
from central.core.order_stage import OVER, AtAppliance, Stage, at_appliance, stage_of
from central.core.orders import Draft, Fixed, ReceiptRow, WaitRow, Wish
from central.store.views.orders import OrderView
from osiris.desk.listing import OVER as OVER_AT_DESK
from osiris.desk.listing import STAGES, stopped_by
from proto.errors import MalformedError
from proto.ids import ApplianceId, SiteId
from proto.orders.kinds import OrderType, Tier

NOW = 1_767_225_600
SITE, BOX, OTHER = SiteId("s-aaaaaaaaaa"), ApplianceId("a-aaaaaaaaaa"), ApplianceId("a-bbbbbbbbbb")
WISH = Wish(SITE, BOX, OrderType.WAIVE, {}, Tier.CHANGE, 1, 3600, 0, "why", "ada")
DRAFT = Draft("d", "b", WISH, NOW * 1000)
FIXED = replace(DRAFT, fixed=Fixed(b"s" * 32, b"body", NOW, NOW + 3600))


def receipt(seq: int, kind: str, code: str | None = None) -> ReceiptRow:
    return ReceiptRow(seq, kind, 4, b"h" * 32, b"s" * 32, code, NOW + 60, NOW + seq)


def at(*receipts: ReceiptRow, fetched: int = 5, waits: tuple[WaitRow, ...] = ()) -> AtAppliance:
    return at_appliance(BOX, leaf=4, fetched=fetched, receipts=receipts, waits=waits)


@pytest.mark.parametrize(
    ("draft", "approved", "now_s", "stage"),
    [
        (DRAFT, 0, NOW, Stage.DRAFTED),
        (DRAFT, 0, NOW + 3599, Stage.DRAFTED),
        (DRAFT, 0, NOW + 3600, Stage.EXPIRED),
        (FIXED, 0, NOW, Stage.WAITS_FOR_PEOPLE),
        (FIXED, 1, NOW, Stage.WAITS_FOR_SIGNER),
        (FIXED, 1, NOW + 3600, Stage.EXPIRED),
        (replace(FIXED, ended_ms=1, ended_by="ada"), 1, NOW, Stage.WITHDRAWN),
    ],
)
def test_before_it_is_logged_it_waits_for_people_or_is_over(
    draft: Draft, approved: int, now_s: int, stage: Stage
) -> None:
    found = stage_of(draft, leaf=None, approved=approved, answers=(), now_s=now_s)
    assert found == (stage, None)


def test_a_refusal_of_the_signer_is_told_with_its_code() -> None:
    refused = replace(DRAFT, refused="grant_type")
    found = stage_of(refused, leaf=None, approved=0, answers=(), now_s=NOW)
    assert found == (Stage.UNSIGNED, "grant_type")


def test_an_appliance_that_has_said_nothing_has_fetched_it_or_not() -> None:
    assert at(fetched=4).stage is Stage.LOGGED
    assert at(fetched=5).stage is Stage.FETCHED


def test_a_wait_is_told_with_why_and_until_when() -> None:
    found = at(waits=(WaitRow(3, "head_old", 1), WaitRow(4, "ring_wait", NOW + 9)))
    assert (found.stage, found.code, found.until_s) == (Stage.WAITING, "ring_wait", NOW + 9)


def test_what_an_appliance_signed_outweighs_what_it_was_waiting_for() -> None:
    wait = (WaitRow(4, "ring_wait", NOW + 9),)
    assert at(receipt(1, "intent"), waits=wait).stage is Stage.EXECUTING
    done = at(receipt(2, "result", "done"), receipt(1, "intent"), waits=wait)
    assert (done.stage, done.at_s) == (Stage.DONE, NOW + 2)


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_a_run_that_did_not_end_well_is_never_called_done(outcome: str) -> None:
    assert at(receipt(1, "intent"), receipt(2, "result", outcome)).stage == outcome


@pytest.mark.parametrize("kind", ["refused", "vetoed", "expired"])
def test_an_order_that_never_ran_says_why(kind: str) -> None:
    found = at(receipt(1, kind, "policy"))
    assert (found.stage, found.code) == (Stage(kind), "policy")


@pytest.mark.parametrize(
    ("stages", "whole"),
    [
        ([Stage.DONE, Stage.DONE], Stage.DONE),
        ([Stage.DONE, Stage.FAILED], Stage.FAILED),
        ([Stage.DONE, Stage.REFUSED], Stage.REFUSED),
        ([Stage.FAILED, Stage.WAITING], Stage.WAITING),
        ([Stage.DONE, Stage.LOGGED], Stage.LOGGED),
        ([Stage.UNKNOWN, Stage.FAILED], Stage.UNKNOWN),
    ],
)
def test_an_order_for_several_is_done_only_when_all_are(stages: list[Stage], whole: Stage) -> None:
    answers = [AtAppliance(one, stage) for one, stage in zip((BOX, OTHER), stages, strict=True)]
    for given in (answers, answers[::-1]):
        assert stage_of(FIXED, leaf=4, approved=1, answers=given, now_s=NOW)[0] is whole


def test_every_stage_is_over_or_may_still_move() -> None:
    moving = set(Stage) - OVER
    assert Stage.FETCHED in moving
    assert Stage.DONE not in moving


def test_a_desk_has_words_for_every_stage() -> None:
    assert set(STAGES) == set(Stage)


def test_more_than_a_list_holds_is_refused_with_a_code() -> None:
    many = tuple(f"p{number}" for number in range(9))
    view = OrderView(FIXED, many, (), (), None, None, (), Stage.WAITS_FOR_PEOPLE, None)
    with pytest.raises(MalformedError, match=r"order d\.approved"):
        line_of(view)
    assert line_of(replace(view, approved=many[:7])).approved == many[:7]


def test_the_desk_knows_what_is_over() -> None:
    assert {stage.value for stage in OVER} == OVER_AT_DESK


@pytest.mark.parametrize(
    ("receipts", "said"),
    [
        ((), "It counts once the appliance has heard it."),
        ((receipt(1, "intent"),), f"It stops nothing at {BOX}"),
        ((receipt(1, "intent"), receipt(2, "result", "done")), "It stops nothing: the hub says"),
        ((receipt(1, "refused", "rate_hour"),), "It stops nothing: the hub says"),
    ],
    ids=["not begun", "runs", "ran", "refused"],
)
def test_who_vetoes_or_cancels_is_told_where_that_comes_too_late(
    receipts: tuple[ReceiptRow, ...], said: str
) -> None:
    answer = at(*receipts)
    stage, code = stage_of(FIXED, leaf=4, approved=1, answers=[answer], now_s=NOW)
    view = OrderView(FIXED, (), (), (), 4, None, (answer,), stage, code)
    assert stopped_by(line_of(view)).startswith(said)

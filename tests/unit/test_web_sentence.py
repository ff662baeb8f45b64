"""The overview's one sentence says no more than is known."""

from dataclasses import replace

import pytest

from appliance.portal.sentence import summary
from appliance.store.views.inventory import TodayView
from proto.findings import Verdict
from runtime.web.words import Tone

GOOD = TodayView(
    targets=5,
    checked=5,
    devices=8,
    off_limits=1,
    verdicts={Verdict.COMPLIANT: 60, Verdict.NOT_APPLICABLE: 4},
    reasons={},
    healed=12,
    repairs=12,
    escalated=0,
    in_hand=0,
    waivers=0,
    conflicts=0,
    oldest_ms=0,
)
DRIFTED = replace(GOOD, verdicts={Verdict.COMPLIANT: 58, Verdict.DRIFTED: 2}, escalated=2)
BLIND = replace(GOOD, verdicts={Verdict.COMPLIANT: 1, Verdict.UNKNOWN: 9}, checked=1)
EMPTY = replace(GOOD, targets=0, checked=0, verdicts={}, healed=0, repairs=0)


def test_a_computer_that_looks_medical_needs_a_person() -> None:
    told = summary(replace(GOOD, medical=1), observe_only=False)
    assert told.text.endswith("1 needs a person.")
    assert told.tone is Tone.WARN


def test_an_order_that_runs_by_itself_is_told_before_it_does() -> None:
    told = summary(GOOD, observe_only=False, orders=2)
    assert told.text.endswith(
        "2 orders run unless somebody here vetoes them; nothing else needs a person."
    )
    assert told.tone is Tone.WARN


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (
            GOOD,
            (
                "All 5 computers were checked in the last hour;"
                " 12 problems were repaired today and proved; nothing needs a person."
            ),
        ),
        (
            DRIFTED,
            (
                "All 5 computers were checked in the last hour;"
                " 12 problems were repaired today and proved; 2 need a person."
            ),
        ),
        (
            BLIND,
            (
                "1 of 5 computers was checked in the last hour;"
                " 12 problems were repaired today and proved;"
                " 9 checks have no current answer; nothing needs a person."
            ),
        ),
        (EMPTY, "No computer is looked after yet; nothing needs a person."),
        (
            replace(GOOD, targets=1, checked=0, healed=0, repairs=1),
            (
                "The one computer was not checked in the last hour;"
                " no repair was proved today; nothing needs a person."
            ),
        ),
        (
            replace(GOOD, checked=0, healed=1, conflicts=1),
            (
                "None of the 5 computers was checked in the last hour;"
                " 1 problem was repaired today and proved; 1 needs a person."
            ),
        ),
    ],
)
def test_it_reads_as_a_person_would_say_it(today: TodayView, said: str) -> None:
    assert summary(today, observe_only=False).text == said


def test_observe_only_is_said() -> None:
    said = summary(replace(GOOD, healed=0, repairs=0), observe_only=True).text
    assert "nothing is repaired while this site is set to observe only" in said


def test_it_looks_good_only_when_everything_was_checked_and_everything_is_known() -> None:
    assert summary(GOOD, observe_only=False).tone is Tone.GOOD
    for today in (BLIND, EMPTY, replace(GOOD, checked=4), DRIFTED):
        assert summary(today, observe_only=False).tone is not Tone.GOOD


def test_what_does_not_apply_is_in_no_denominator() -> None:
    assert summary(GOOD, observe_only=False).judged == 60
    assert summary(BLIND, observe_only=False).judged == 10

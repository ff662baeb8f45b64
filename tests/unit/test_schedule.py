"""The schedule: by age alone, sooner after an unknown, never hammering a login."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from appliance.core.schedule import (
    REFUSED,
    REFUSED_WAIT_MS,
    RETRY_MS,
    applicable,
    due_ms,
    held_until_ms,
)
from proto.findings import Finding, Reason, Verdict
from proto.inventory import Platform
from tests.unit.core_values import CONTENT, NOW_MS, THE_CHECK, finding

INTERVAL_MS = THE_CHECK.interval_s * 1000


def due(last: Finding | None, *, unknown_for_ms: int = 0, now_ms: int = NOW_MS) -> int:
    return due_ms(
        THE_CHECK,
        last,
        unknown_for_ms=unknown_for_ms,
        content=CONTENT.digest,
        now_ms=now_ms,
    )


def test_a_check_never_asked_or_judged_by_other_content_is_due_at_once() -> None:
    assert due(None) == 0
    assert due(finding(Verdict.COMPLIANT, content="00" * 32)) == 0


def test_an_answer_lasts_its_interval_and_a_daemon_that_was_down_catches_up() -> None:
    last = finding(Verdict.COMPLIANT, at_ms=NOW_MS)
    assert due(last) == NOW_MS + INTERVAL_MS
    assert due(last, now_ms=NOW_MS + 100 * INTERVAL_MS) <= NOW_MS + 100 * INTERVAL_MS


def test_an_answer_from_the_future_is_no_answer() -> None:
    """A clock that was a year ahead and was set right must not stop the checks for a year."""
    assert due(finding(Verdict.COMPLIANT, at_ms=NOW_MS + 1)) == 0


@given(st.integers(0, 10 * INTERVAL_MS), st.sampled_from([r for r in Reason if r not in REFUSED]))
def test_an_unknown_is_asked_again_within_its_interval(unknown_for_ms: int, reason: Reason) -> None:
    wait_ms = due(finding(Verdict.UNKNOWN, reason=reason), unknown_for_ms=unknown_for_ms) - NOW_MS
    assert min(RETRY_MS, INTERVAL_MS) <= wait_ms <= INTERVAL_MS


def test_the_waits_of_a_lasting_unknown_double_and_end_at_the_interval() -> None:
    since_ms = at_ms = NOW_MS
    waits: list[int] = []
    while not waits or waits[-1] < INTERVAL_MS:
        last = finding(Verdict.UNKNOWN, at_ms=at_ms)
        waits.append(due(last, unknown_for_ms=at_ms - since_ms, now_ms=at_ms) - at_ms)
        at_ms += waits[-1]
    assert waits[:4] == [RETRY_MS, RETRY_MS, 2 * RETRY_MS, 4 * RETRY_MS]
    assert waits == sorted(waits)


def test_a_target_that_refused_a_login_is_left_alone_whatever_is_due_on_it() -> None:
    refused = finding(Verdict.UNKNOWN, reason=Reason.AUTH_REFUSED, at_ms=NOW_MS - 10)
    others = [finding(Verdict.COMPLIANT), finding(Verdict.UNKNOWN)]
    assert held_until_ms([*others, refused], now_ms=NOW_MS) == NOW_MS - 10 + REFUSED_WAIT_MS
    assert held_until_ms(others, now_ms=NOW_MS) == 0
    future = replace(refused, at_ms=NOW_MS + 1)
    assert held_until_ms([future], now_ms=NOW_MS) == 0


def test_checks_are_asked_over_a_login_only_where_their_platform_is() -> None:
    assert [check.id for check in applicable(CONTENT.checks, Platform.LINUX)] == [THE_CHECK.id]
    assert applicable(CONTENT.checks, Platform.NETWORK) == []

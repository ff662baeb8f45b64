"""Times carry their zone, shares their denominator, and nothing of nothing is not everything."""

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.errors import ConfigError
from runtime.web import people

NOON_MS = 1_795_366_800_000
NEW_YORK = people.zone("America/New_York")


def test_a_time_is_the_sites_and_names_its_zone() -> None:
    assert people.moment(NOON_MS, NEW_YORK) == "Nov 22, 2026, 12:00 PM EST"
    assert people.moment(NOON_MS, UTC) == "Nov 22, 2026, 5:00 PM UTC"
    assert people.rfc3339(NOON_MS) == "2026-11-22T17:00:00Z"
    assert people.local_rfc3339(NOON_MS, NEW_YORK) == "2026-11-22T12:00:00-05:00"


def test_midnight_is_twelve_in_the_morning() -> None:
    start = people.start_of_day_ms(NOON_MS, NEW_YORK)
    assert people.moment(start, NEW_YORK) == "Nov 22, 2026, 12:00 AM EST"


def test_a_day_ends_at_its_own_midnight_also_when_clocks_change() -> None:
    last = people.end_of_day_ms("2026-11-01", NEW_YORK)
    assert last is not None
    assert people.moment(last, NEW_YORK) == "Nov 1, 2026, 11:59 PM EST"
    first = people.start_of_day_ms(last, NEW_YORK)
    assert last - first == 25 * 3600 * 1000 - 1


@pytest.mark.parametrize(
    "text", ["", "today", "2026-2-3", "2026-02-30", "12/31/2026", "2026-12-31T00:00", "٢٠٢٦-12-31"]
)
def test_what_is_no_date_is_no_date(text: str) -> None:
    assert people.end_of_day_ms(text, UTC) is None


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "America/New York"])
def test_a_zone_that_is_not_there_is_the_operators_to_correct(name: str) -> None:
    with pytest.raises(ConfigError, match=r"site\.time_zone"):
        people.zone(name)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3 * 3600, "3 hours ago"),
        (26 * 3600, "1 day ago"),
        (-2 * 86_400, "in 2 days"),
    ],
)
def test_how_long_ago(seconds: int, said: str) -> None:
    assert people.ago(NOON_MS - seconds * 1000, NOON_MS) == said


def test_nothing_of_nothing_has_no_share() -> None:
    assert people.percent(0, 0) is None
    assert people.share(0, 0) == "none to count yet"


def test_a_share_keeps_its_denominator() -> None:
    assert people.share(12, 15) == "12 of 15 (80 %)"


@given(st.integers(1, 10_000), st.data())
def test_only_all_is_all_and_only_none_is_none(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    said = people.percent(part, whole)
    assert (said == "100 %") == (part == whole)
    assert (said == "0 %") == (part == 0)


def test_lists_read_like_a_sentence() -> None:
    assert people.joined(["a"]) == "a"
    assert people.joined(["a", "b"]) == "a and b"
    assert people.joined(["a", "b", "c"]) == "a, b and c"

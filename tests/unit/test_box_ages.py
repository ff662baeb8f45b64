"""People are told of appliances whose keys grow old: the oldest first, and of no lost ones."""

from central.core.box_ages import HEARD_WITHIN_S, NAMED_MAX, BoxKeys, sentences
from proto.appliance_keys import DUE_BEFORE_S, LIFE_S
from proto.ids import ApplianceId
from proto.keysets import DAY_S

NOW = 2_000_000_000


def box(number: int, *, age_s: int, silent_s: int | None = 0) -> BoxKeys:
    seen_s = None if silent_s is None else NOW - silent_s
    return BoxKeys(ApplianceId(f"a-{'abcdefghij'[number] * 10}"), NOW - age_s, seen_s)


def test_whose_keys_are_nearly_a_year_old_and_whose_are_older_is_told() -> None:
    every = [
        box(0, age_s=LIFE_S - DAY_S),
        box(1, age_s=LIFE_S + 40 * DAY_S),
        box(2, age_s=LIFE_S - DUE_BEFORE_S - 1),
    ]
    older, nearly = sentences(every, now_s=NOW)
    then = "osiris appliance keys renew, there"
    assert older == f"The keys of appliance a-bbbbbbbbbb were a year old 40 days ago: {then}"
    assert nearly == f"The keys of appliance a-aaaaaaaaaa are a year old in 1 day: {then}"


def test_of_an_appliance_that_nobody_hears_of_any_more_nobody_is_told() -> None:
    gone = [
        box(0, age_s=LIFE_S, silent_s=HEARD_WITHIN_S + 1),
        box(1, age_s=LIFE_S, silent_s=None),
    ]
    assert sentences(gone, now_s=NOW) == ()
    assert len(sentences([box(0, age_s=LIFE_S, silent_s=HEARD_WITHIN_S)], now_s=NOW)) == 1


def test_a_large_fleet_is_told_in_few_words() -> None:
    every = [box(number, age_s=LIFE_S) for number in range(NAMED_MAX + 3)]
    told = sentences(every, now_s=NOW)
    assert len(told) == NAMED_MAX + 1
    assert told[-1].startswith("The keys of 3 more should be renewed too")
    assert len(sentences(every[:NAMED_MAX], now_s=NOW)) == NAMED_MAX

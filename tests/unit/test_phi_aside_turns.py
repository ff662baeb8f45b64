"""A large upload is looked at in turns: others are heard between them, however slow the text is."""

from hypothesis import given
from hypothesis import strategies as st

from central.api.aside import CHARACTERS_AT_ONCE, LOOKED_AT_ONCE, turns
from central.core.ingest import OpenedDetail
from proto.phi.arrived import Arrived


def detail(size: int, leaf: int = 0) -> OpenedDetail:
    return OpenedDetail(leaf, "before", None, b"", Arrived("x" * size))


def sizes(details: list[OpenedDetail]) -> list[list[int]]:
    return [[len(one.detail) for one in turn] for turn in turns(details)]


def test_a_large_detail_has_a_turn_of_its_own() -> None:
    large = CHARACTERS_AT_ONCE * 4
    assert sizes([detail(large), detail(large), detail(10)]) == [[large], [large], [10]]


def test_small_details_share_a_turn_up_to_their_number() -> None:
    assert [len(turn) for turn in turns([detail(5)] * (LOOKED_AT_ONCE + 1))] == [LOOKED_AT_ONCE, 1]


@given(st.lists(st.integers(0, CHARACTERS_AT_ONCE * 2), max_size=80))
def test_turns_hold_every_detail_once_in_order_and_no_more_than_their_measure(
    wanted: list[int],
) -> None:
    details = [detail(size, leaf) for leaf, size in enumerate(wanted)]
    found = list(turns(details))
    assert [one for turn in found for one in turn] == details
    for turn in found:
        assert 1 <= len(turn) <= LOOKED_AT_ONCE
        assert len(turn) == 1 or sum(len(one.detail) for one in turn) <= CHARACTERS_AT_ONCE

"""Ids: one form, made from randomness and from nothing else."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto import ids
from proto.errors import MalformedError

MAKERS: dict[str, Callable[[bytes], str]] = {
    "s": ids.new_site_id,
    "a": ids.new_appliance_id,
    "t": ids.new_target_id,
    "i": ids.new_incident_id,
}
PARSERS: dict[str, Callable[[object], str]] = {
    "s": ids.parse_site_id,
    "a": ids.parse_appliance_id,
    "t": ids.parse_target_id,
    "i": ids.parse_incident_id,
}


@given(st.sampled_from("sati"), st.binary(min_size=ids.ENTROPY_BYTES, max_size=16))
def test_a_made_id_is_read_back_as_its_own_kind_only(prefix: str, entropy: bytes) -> None:
    """No id of one kind passes for another."""
    made = MAKERS[prefix](entropy)
    assert PARSERS[prefix](made) == made
    for other in set("sati") - {prefix}:
        assert not ids.is_id(made, other)
        with pytest.raises(MalformedError):
            PARSERS[other](made)


@given(st.binary(min_size=7, max_size=7), st.integers(0, 49))
def test_each_of_fifty_bits_of_randomness_shows(entropy: bytes, bit: int) -> None:
    """Two ids are the same only if their 50 random bits are."""
    flipped = int.from_bytes(entropy, "big") ^ (1 << (55 - bit))
    assert ids.new_site_id(entropy) != ids.new_site_id(flipped.to_bytes(7, "big"))


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_too_little_randomness_makes_no_id(make: Callable[[bytes], str]) -> None:
    """A short read of the random source cannot make a guessable id."""
    with pytest.raises(ValueError, match="needs 7 random bytes, got 6"):
        make(b"\x00" * 6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s-",
        "s-aaaaaaaaa",
        "s-aaaaaaaaaaa",
        "S-aaaaaaaaaa",
        "s-AAAAAAAAAA",
        "s_aaaaaaaaaa",
        "s-aaaaaaaaa1",
        "s-aaaaaaaaa=",
        "s-aaaaaaaaaa\n",
        " s-aaaaaaaaaa",
        "s-aaaaaaaaa\u0430",
        "t-aaaaaaaaaa",
        None,
        7,
        b"s-aaaaaaaaaa",
        ["s-aaaaaaaaaa"],
    ],
)
def test_anything_else_is_refused_naming_the_place(text: object) -> None:
    """The error says where the bad id stood."""
    assert not ids.is_id(text, "s")
    with pytest.raises(MalformedError, match=r"\Abody\.site: not an id"):
        ids.parse_site_id(text, "body.site")


def test_a_long_bad_id_does_not_fill_the_log() -> None:
    """The message shows at most the beginning."""
    with pytest.raises(MalformedError) as caught:
        ids.parse_target_id("t-" + "x" * 100_000)
    assert len(str(caught.value)) < 200

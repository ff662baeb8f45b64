"""Canaries: known by their form alone, scrubbed like anybody, and never taken for a word."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.phi import default_names, scrub_text
from proto.phi.canary import KEY_BYTES, NAME_CHARS, canary, is_canary, places
from proto.phi.sentry import look

KEY = bytes(range(KEY_BYTES))
WORDS = Path("/usr/share/dict/words")


@given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES), st.integers(0, 60_000))
def test_whoever_holds_the_bytes_can_tell_a_canary_without_a_list(key: bytes, day: int) -> None:
    one = canary(key, day, "log")
    assert canary(key, day, "log") == one
    for text in (one.line(), one.name().upper(), f"x={one.family};", f"zo{one.family}zo"):
        assert list(places(text.lower().encode())), text
        assert "canary" in {alarm.form for alarm in look(text.encode())}


def test_days_sources_and_sites_have_canaries_of_their_own() -> None:
    made = {
        canary(key, day, source).values
        for key in (KEY, KEY[::-1])
        for day in range(40)
        for source in ("log", "device name", "answers", "export")
    }
    assert len(made) == 2 * 40 * 4


@given(st.text(alphabet="abdeiknorstuz ", max_size=200))
def test_no_word_that_does_not_check_is_one(text: str) -> None:
    for start, end in places(text.encode()):
        assert is_canary(text[start:end])
        assert end - start == NAME_CHARS


def test_no_word_of_this_machines_manuals_is_one() -> None:
    seen = 0
    for page in sorted(Path("/usr/share/doc").glob("*/copyright"))[:400]:
        words = re.findall(rb"[a-z]+", page.read_bytes().lower())
        seen += len(words)
        assert not [word for word in words if list(places(word))]
    assert seen


def test_the_last_look_knows_the_number_of_the_sites_own_too() -> None:
    one = canary(KEY, 20_000, "log")
    assert look(f"item {one.mrn} moved".encode()) == ()
    assert [a.form for a in look(f"item {one.mrn} moved".encode(), one.values)] == ["canary"]


@pytest.mark.skipif(default_names() is None, reason="the gazetteer was not compiled here")
def test_the_scrubber_takes_a_canary_as_it_takes_a_patient() -> None:
    for day in range(300):
        one = canary(KEY, day, "log")
        for text in (
            one.line(),
            f'{{"patient": "{one.name()}"}}',
            f"chart of {one.label()}",
            f'{{"text": "{one.line()}", "n": 1}}',
            f'{{"note":"MRN: {one.mrn}"}}',
        ):
            out = scrub_text(text).lower().encode()
            assert not list(places(out)), text
            assert not any(value in out for value in one.values), text


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        canary(b"short", 1, "log")

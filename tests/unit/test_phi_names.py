"""What the scrubber knows about names: folding, weights, a damaged file, and known people."""

import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris.gazetteer import compile as compiler
from osiris.gazetteer.weights import Counted, per_million, weigh
from proto.errors import ConfigError, IntegrityError
from proto.phi.gazetteer import FILE_BYTES_MAX, HEADER, read_gazetteer
from proto.phi.names import Names, fold, known_people, listed_in_csv

KEY = b"a key of this device only"
RECIPE = bytes(32)
# Per million, as the sources have them.
COUNTED = Counted(
    first={"mark": 3_900.0, "may": 130.0, "maria": 1_600.0, "lan": 3.0, "grace": 1_200.0},
    last={"smith": 10_060.0, "page": 280.0, "long": 900.0, "nguyen": 1_200.0, "lan": 10.0},
    words={"mark": 176.0, "may": 1_528.0, "smith": 117.0, "page": 1_997.0, "long": 466.0},
    machine=frozenset({"lan"}),
)


def packed() -> bytes:
    return compiler.pack(weigh(COUNTED), source=RECIPE)


def names() -> Names:
    return Names(read_gazetteer(packed()))


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Doležalová", "dolezalova"),
        ("DOLEŽALOVÁ", "dolezalova"),
        ("O'Brien", "obrien"),
        ("O’BRIEN", "obrien"),  # noqa: RUF001 - the apostrophe that word processors write
        ("Łukasz", "lukasz"),
        ("Søren", "soren"),
        ("Weiß", "weiss"),
        ("IŞIK", "isik"),
        ("Ðorđe", "dorde"),
        ("Smith-Jones", "smithjones"),
        ("Grace2", "grace"),
        ("", ""),
    ],
)
def test_one_name_is_one_token_however_it_is_written(written: str, folded: str) -> None:
    assert fold(written) == folded


@given(st.text(max_size=40))
def test_folding_is_total_and_folding_twice_changes_nothing(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert once == "" or once.isalpha()


@given(st.text(alphabet=st.characters(codec="latin-1", categories=["L"]), max_size=20))
def test_case_never_makes_another_name(text: str) -> None:
    assert fold(text.upper()) == fold(text.lower())


def test_a_name_that_explains_its_word_is_a_name_and_a_word_that_is_a_name_is_not() -> None:
    asked = names()
    assert asked.first("mark") >= 128
    assert asked.last("smith") >= 128
    assert asked.last("nguyen") >= 128
    assert 0 < asked.first("may") < 64
    assert 0 < asked.last("page") < 64
    assert asked.word("may") > asked.word("smith") > 0


def test_what_no_list_has_weighs_nothing() -> None:
    assert names().weights("thoquae") == (0, 0, 0)
    assert names().weights("") == (0, 0, 0)


def test_an_abbreviation_of_machines_is_no_name_whoever_is_called_so() -> None:
    assert names().first("lan") < 64
    assert names().last("lan") < 64
    assert names().word("lan") > 0


def test_shares_add_up_over_spellings_of_one_name() -> None:
    assert per_million([("Zoe", 1), ("ZOË", 1), ("X", 8)], of=10) == {"zoe": 200_000.0}


@pytest.mark.parametrize("at", [0, 9, 13, 60, -1])
def test_an_altered_file_is_refused_whole(at: int) -> None:
    raw = bytearray(packed())
    raw[at] ^= 1
    with pytest.raises(IntegrityError):
        read_gazetteer(bytes(raw))


@pytest.mark.parametrize("kept", [0, HEADER.size - 1, HEADER.size, HEADER.size + 3])
def test_a_cut_file_is_refused_whole(kept: int) -> None:
    with pytest.raises(IntegrityError):
        read_gazetteer(packed()[:kept])


def test_a_file_that_claims_more_than_it_has_is_refused() -> None:
    raw = bytearray(packed())
    struct.pack_into("<I", raw, 8, 2**31)
    with pytest.raises(IntegrityError):
        read_gazetteer(bytes(raw))


def test_known_people_are_found_in_any_spelling_and_strangers_are_not() -> None:
    people = known_people([("Doležalová", "Fequa"), ("Grace", "Smith-Jones")], KEY)
    asked = Names(read_gazetteer(packed()), people)
    assert all(asked.known(fold(token)) for token in ("DOLEZALOVA", "fequa", "Jones", "Smith"))
    assert asked.known("smithjones")
    assert not asked.known("wolfeschlegel")
    assert asked.known_pair("jones", "grace")
    assert asked.known_pair("grace", "jones")
    assert not asked.known_pair("grace", "fequa")


def test_a_known_name_that_is_a_word_counts_only_with_the_rest_of_the_person() -> None:
    asked = Names(read_gazetteer(packed()), known_people([("May", "Page")], KEY))
    assert not asked.known("may")
    assert not asked.known("page")
    assert asked.known_pair("may", "page")


def test_known_people_are_kept_as_hashes_that_only_this_device_can_ask() -> None:
    one = known_people([("Grace", "Nguyen")], KEY)
    other = known_people([("Grace", "Nguyen")], b"another device's own key")
    assert set(one.tokens).isdisjoint(other.tokens)
    assert b"grace" not in one.tokens.tobytes() + one.pairs.tobytes()
    with pytest.raises(ConfigError, match="key"):
        known_people([("Grace", "Nguyen")], b"short")


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("first,last\nGrace,Nguyen\n", [("Grace", "Nguyen")]),
        ("\ufeffMRN,Last Name,First_Name\n1,Nguyen,Grace\n", [("Nguyen", "Grace")]),
        ('Patient Name,DOB\n"Nguyen, Grace",1970-01-01\n', [("Nguyen, Grace",)]),
        ("given,family\nGrace,\n,\n", [("Grace",)]),
    ],
)
def test_a_list_of_people_is_read_by_its_header(text: str, people: list[tuple[str, ...]]) -> None:
    assert [person.names for person in listed_in_csv(text)] == people


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", 'first\n"open\n', "first\n" + "x" * 200])
def test_a_list_without_names_is_refused_and_the_line_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match="line"):
        list(listed_in_csv(text))


@pytest.fixture(scope="module")
def made() -> bytes:
    place: Path = compiler.place()
    if not place.exists():
        pytest.skip("names are not compiled here: make names")
    return place.read_bytes()


def test_the_made_file_is_small_loads_fast_and_is_current(made: bytes) -> None:
    started = time.perf_counter()
    gazetteer = read_gazetteer(made)
    took_s = time.perf_counter() - started
    assert len(made) <= FILE_BYTES_MAX
    assert len(gazetteer) > 250_000
    assert took_s < 0.5  # 10 ms on an idle core; a wrong design would take seconds
    assert compiler.current()


def test_the_made_file_knows_common_names_from_common_words(made: bytes) -> None:
    asked = Names(read_gazetteer(made))
    for first in ("james", "maria", "christopher", "guadalupe", "mohammed"):
        assert asked.first(first) >= 128
    for last in ("smith", "nguyen", "hernandez", "patel", "obrien", "delacruz"):
        assert asked.last(last) >= 128
    for word in ("may", "will", "page", "server", "host", "root", "key", "session", "service"):
        assert max(asked.first(word), asked.last(word)) < 64

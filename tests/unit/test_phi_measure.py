"""The measuring itself: it must see a leak, a lost fact and a broken line, and nothing else."""

import json
import re

import pytest

from osiris.phi_bars import bars
from osiris.phi_measure import TOKEN, Line, Share, Span, leaked, measure, read_lines, survivors
from proto.errors import MalformedError

PLACEHOLDER = re.compile(TOKEN)
TEXT = "PT Ann Smith, 1970-02-03, ZIP 12345 on host-1"
LINE = Line(
    "x-1",
    "logs",
    "ehr",
    TEXT,
    (Span(3, 12, "NAME"), Span(14, 24, "DATE"), Span(30, 35, "ZIP")),
    (Span(39, 45, "host"),),
)
GOOD = "PT [NAME-abcdefg], 1970-[DATE-abcdefg], ZIP 123[ZIP-abcdefg] on host-1"
CLEAN = Line("x-2", "logs", "ps", "service spooler stopped", (), ())


def scrub_to(**outputs: str) -> "dict[str, str]":
    return {TEXT: outputs.get("dirty", GOOD), CLEAN.text: outputs.get("clean", CLEAN.text)}


def recall(measured_to: str) -> "dict[str, int]":
    measured = measure([LINE], lambda text: measured_to if text == TEXT else text)
    return {label: measured.of_class(label).hit for label in measured.classes()}


def test_a_line_scrubbed_as_the_law_asks_is_caught_whole() -> None:
    assert recall(GOOD) == {"NAME": 1, "DATE": 1, "ZIP": 1}


@pytest.mark.parametrize(
    ("out", "lost"),
    [
        (GOOD.replace("[NAME-abcdefg]", "Ann [NAME-abcdefg]"), "NAME"),
        (GOOD.replace("[NAME-abcdefg]", "[NAME-abcdefg]th"), "NAME"),
        (GOOD.replace("1970-[DATE-abcdefg]", "[DATE-abcdefg]-03"), "DATE"),
        (GOOD.replace("123[ZIP-abcdefg]", "12345"), "ZIP"),
    ],
)
def test_two_characters_that_survive_are_a_leak(out: str, lost: str) -> None:
    assert recall(out)[lost] == 0
    assert sum(recall(out).values()) == 2


def test_one_stray_character_is_tolerated() -> None:
    assert recall(GOOD.replace("[NAME-abcdefg]", "A[NAME-abcdefg]"))["NAME"] == 1


def test_doing_nothing_catches_nothing_and_alters_nothing() -> None:
    measured = measure([LINE, CLEAN], lambda text: text)
    assert measured.over().hit == 0
    assert measured.altered.hit == 0
    assert measured.kept.share().value == 1.0


def test_deleting_everything_catches_all_and_is_seen_to_destroy() -> None:
    measured = measure([LINE, CLEAN], lambda _text: "[ALL-abcdefg]")
    assert measured.over().value == 1.0
    assert measured.altered.share() == Share(1, 1)
    assert measured.altered_characters.share().value == 1.0
    assert measured.kept.share().value == 0.0


def test_a_scrubber_that_rewrites_around_its_tokens_is_still_compared() -> None:
    alive = survivors("a  Ann  b", "a Ann b", PLACEHOLDER)
    assert [letter for letter, lives in zip("a  Ann  b", alive, strict=True) if lives] == list(
        "a Ann b"
    )


@pytest.mark.parametrize(
    ("value", "out"),
    [
        ("19700203", "1970[DATE-abcdefg]"),
        ("02031970", "[DATE-abcdefg]1970"),
        ("02/03/1970", "1970"),
    ],
)
def test_the_year_of_a_date_may_stay(value: str, out: str) -> None:
    text = f"dob {value}"
    alive = survivors(text, f"dob {out}" if "[" in out else f"dob [DATE-abcdefg]{out}", PLACEHOLDER)
    assert not leaked(text, Span(4, len(text), "DATE"), alive)


def test_a_year_stays_only_in_a_date() -> None:
    text = "mrn 19700203"
    assert leaked(text, Span(4, 12, "MRN"), survivors(text, text, PLACEHOLDER)) == "19700203"


def test_what_is_unstable_broken_or_not_json_any_more_is_counted() -> None:
    calls = iter(range(100))
    line = Line("x-3", "logs", "json", '{"name": "Ann"}', (Span(10, 13, "NAME"),), ())
    measured = measure([line], lambda text: f"{text[:9]}{next(calls)}")
    assert measured.deterministic.share().value == 0.0
    assert measured.idempotent.share().value == 0.0
    assert measured.json_valid.share().value == 0.0
    assert {bar.what for bar in bars(measured) if bar.met is False} >= {
        "deterministic",
        "idempotent",
        "JSON still valid",
    }


def test_a_share_of_nothing_is_no_success() -> None:
    assert Share(0, 0).value is None
    assert Share(0, 0).interval() is None
    assert all(bar.met is None for bar in bars(measure([], lambda text: text)))


def test_the_interval_is_that_of_wilson() -> None:
    low, high = Share(98, 100).interval() or (0.0, 0.0)
    assert (round(low, 4), round(high, 4)) == (0.9300, 0.9945)
    assert Share(5, 5).interval() != (1.0, 1.0)


def test_speed_is_measured_on_three_clean_lines_to_two_with_phi() -> None:
    seen: list[str] = []
    ticks = iter(range(100))

    def scrub(text: str) -> str:
        seen.append(text)
        return text

    measured = measure([LINE, CLEAN], scrub, clock=lambda: float(next(ticks)))
    timed = seen[6:]  # each line was scrubbed three times before
    assert timed.count(CLEAN.text) * 2 == timed.count(TEXT) * 3
    assert measured.megabytes_per_s is not None


@pytest.mark.parametrize(
    "row",
    [
        "[]",
        "{}",
        '{"text": 3}',
        '{"text": "x", "spans": [{}]}',
        '{"text": "x", "spans": 3}',
        '{"text": "x", "spans": [{"start": 0, "end": 2, "category": "NAME"}]}',
        '{"text": "x", "keep": [{"start": 1, "end": 1, "kind": "ip"}]}',
        "not json",
    ],
)
def test_a_set_that_is_not_labelled_well_is_refused_with_its_line(row: str) -> None:
    good = json.dumps({"text": "x", "spans": [], "keep": []})
    with pytest.raises(MalformedError, match=r"set\.jsonl:2"):
        read_lines(f"{good}\n{row}\n".encode(), where="set.jsonl")


def test_a_set_is_grouped_by_its_source_or_its_format() -> None:
    rows = [
        {"text": "x", "source": "prose", "fmt": "mail"},
        {"text": "x", "source": "generated", "fmt": "hl7"},
        {"text": "x", "source": "generated", "fmt": "iis"},
    ]
    raw = "\n".join(json.dumps(row) for row in rows).encode()
    assert [line.group for line in read_lines(raw, where="s")] == ["prose", "structured", "logs"]

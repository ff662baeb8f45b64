"""What people are told about text: records that were withheld, known people, canaries."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.handlers.known_people import PeopleList
from appliance.store.withheld import Count
from runtime.web.words import Tone

OLD_MS = 35 * 86_400_000
"""A list of known people that was not written for so long lacks a month of new patients."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """Records of one source that did not leave, in one sentence."""

    sentence: str
    first_ms: int
    last_ms: int
    sha256: str


def withheld_rows(counts: Sequence[Count]) -> list[Withheld]:
    """Return the counts in words, the latest first."""
    return [Withheld(sentence(one), one.first_ms, one.last_ms, one.sha256) for one in counts]


def sentence(one: Count) -> str:
    """Say how many records of which source were withheld, and why."""
    records, were = ("record", "was") if one.count == 1 else ("records", "were")
    return f"{one.count:,} {records} of the {one.source} {were} withheld: {one.reason}"


def people_tone(people: PeopleList, *, now_ms: int) -> Tone:
    """Return how the list of known people is."""
    if people.trouble:
        return Tone.BAD
    return Tone.WARN if now_ms - people.file_ms > OLD_MS else Tone.GOOD

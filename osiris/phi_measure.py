"""Measures a scrubber on labelled lines: what it catches, what it breaks, and how fast it is.

A scrubber is any `str -> str`. Its output is laid over the input: what stands between placeholders
must come from the input in order; what it does not account for counts as gone. The rules:

- A span is caught when at most one of its identifying characters survives. Identifying are letters
  and digits, less what the law lets stay: a four-digit year in a date, three digits of a ZIP.
- A fact is kept when all of it survives in one piece. A clean line is altered by any change at all.
- A share of nothing is None, never 100 %.

The line format is that of the labelled sets (`id`, `kind`, `source`, `fmt`, `text`, `spans`,
`keep`); `source` names the group whose bar counts, and the set made elsewhere is grouped by `fmt`.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import cycle, islice
from math import sqrt
from typing import Any

from proto import strict_json
from proto.errors import MalformedError

ROW_BYTES_MAX = 256 * 1024
STRAY_CHARACTERS_MAX = 1
CLEAN_LINES, DIRTY_LINES = 3, 2
SPEED_LINES = 2_000
SPEED_ROUNDS = 3
SPEED_BYTES_MAX = 400
Z_95 = 1.959964
TOKEN = r"\[[A-Z][A-Z0-9_]*-[0-9A-Za-z]{7}\]"  # noqa: S105 - the form of a replacement

LOGS, STRUCTURED, ADVERSARIAL, PROSE = "logs", "structured", "adversarial", "prose"
GROUPS = (LOGS, STRUCTURED, ADVERSARIAL, PROSE)
STRUCTURED_FORMATS = frozenset({"hl7", "hl7ack", "fhir"})
SECRET = "SECRET"  # noqa: S105 - the name of a class
STAFF = frozenset({"USERNAME", "HOST_PERSON"})
_MAY_STAY = {"DATE": re.compile(r"(?<!\d)(?:19|20)\d\d"), "ZIP": re.compile(r"(?<!\d)\d{3}")}
_COMPACT_DATE = re.compile(r"(?<!\d)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])((?:19|20)\d\d)")

Scrub = Callable[[str], str]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled piece of a line, in code points."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One labelled line; without spans it is clean and must not change."""

    id: str
    group: str
    form: str
    text: str
    spans: tuple[Span, ...]
    keep: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    hit: int
    total: int

    @property
    def value(self) -> float | None:
        """The share, or None of nothing."""
        return self.hit / self.total if self.total else None

    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of Wilson, or None of nothing."""
        if not self.total:
            return None
        n, p = self.total, self.hit / self.total
        middle = p + Z_95**2 / (2 * n)
        half = Z_95 * sqrt(p * (1 - p) / n + Z_95**2 / (4 * n * n))
        whole = 1 + Z_95**2 / n
        return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


@dataclass(frozen=True, slots=True)
class Miss:
    """Something that did not come out as it must: a surviving span, a lost fact, a changed line."""

    line: str
    what: str
    text: str


@dataclass(slots=True)
class Count:
    """A share while it is counted."""

    hit: int = 0
    total: int = 0

    def add(self, *, hit: bool) -> None:
        """Count one more."""
        self.hit += hit
        self.total += 1

    def share(self) -> Share:
        """What was counted."""
        return Share(self.hit, self.total)


@dataclass(slots=True)
class Measured:
    """All counts over a set of lines; `recall` is by (group, class)."""

    recall: dict[tuple[str, str], Count] = field(default_factory=dict)
    altered: Count = field(default_factory=Count)
    altered_characters: Count = field(default_factory=Count)
    kept: Count = field(default_factory=Count)
    json_valid: Count = field(default_factory=Count)
    idempotent: Count = field(default_factory=Count)
    deterministic: Count = field(default_factory=Count)
    misses: list[Miss] = field(default_factory=list)
    megabytes_per_s: float | None = None

    def over(self, *, groups: Iterable[str] = GROUPS, but: Iterable[str] = ()) -> Share:
        """Recall over groups, all classes together but those named."""
        groups, but = set(groups), set(but)
        chosen = [
            count
            for (group, label), count in self.recall.items()
            if group in groups and label not in but
        ]
        return Share(sum(one.hit for one in chosen), sum(one.total for one in chosen))

    def of_class(self, label: str, *, groups: Iterable[str] = GROUPS) -> Share:
        """Recall of one class over groups."""
        chosen = [self.recall[group, label] for group in groups if (group, label) in self.recall]
        return Share(sum(one.hit for one in chosen), sum(one.total for one in chosen))

    def classes(self) -> list[str]:
        """The classes that were seen, in order."""
        return sorted({label for _, label in self.recall})


def read_lines(raw: bytes, *, where: str) -> list[Line]:
    """Read a labelled set: a JSON object a line.

    Raises:
        MalformedError: a line is not one, or a span does not lie in its text.
    """
    lines = []
    for number, one in enumerate(raw.splitlines(), start=1):
        if one.strip():
            place = f"{where}:{number}"
            value = strict_json.loads(one, size_bytes_max=ROW_BYTES_MAX, where=place)
            lines.append(_line(value, place))
    return lines


def _line(value: Any, place: str) -> Line:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        msg = f"{place}: not an object with a text"
        raise MalformedError(msg)
    form, source, text = str(value.get("fmt", "")), value.get("source"), value["text"]
    default = STRUCTURED if form in STRUCTURED_FORMATS else LOGS
    return Line(
        id=str(value.get("id", place)),
        group=str(source) if source in GROUPS else default,
        form=form,
        text=text,
        spans=_spans(value.get("spans", []), "category", text=text, place=f"{place}: spans"),
        keep=_spans(value.get("keep", []), "kind", text=text, place=f"{place}: keep"),
    )


def _spans(value: Any, label: str, *, text: str, place: str) -> tuple[Span, ...]:  # noqa: ANN401
    try:
        spans = tuple(Span(one["start"], one["end"], str(one[label])) for one in value)
        wrong = [one for one in spans if not 0 <= one.start < one.end <= len(text)]
    except (TypeError, KeyError) as error:
        msg = f"{place}: not a list of start, end and {label}"
        raise MalformedError(msg) from error
    if wrong:
        msg = f"{place}: {wrong[0]} is not in the text"
        raise MalformedError(msg)
    return spans


def survivors(text: str, scrubbed: str, placeholder: re.Pattern[str]) -> bytearray:
    """Return a byte for every character of `text`: 1 when it is still there in `scrubbed`."""
    if text == scrubbed:
        return bytearray(b"\1") * len(text)
    alive = bytearray(len(text))
    pieces = placeholder.split(scrubbed)
    at = 0
    for number, piece in enumerate(pieces):
        if number == 0:
            start = 0 if text.startswith(piece) else -1
        elif number == len(pieces) - 1:
            start = len(text) - len(piece) if text.endswith(piece) else -1
        else:
            start = text.find(piece, at)
        if start < at:
            return _compared(text, scrubbed)
        alive[start : start + len(piece)] = b"\1" * len(piece)
        at = start + len(piece)
    if len(pieces) == 1 and at < len(text):
        return _compared(text, scrubbed)
    return alive


def _compared(text: str, scrubbed: str) -> bytearray:
    """The slow way, for a scrubber that also rewrites what it leaves."""
    alive = bytearray(len(text))
    for block in SequenceMatcher(None, text, scrubbed, autojunk=False).get_matching_blocks():
        alive[block.a : block.a + block.size] = b"\1" * block.size
    return alive


def leaked(text: str, span: Span, alive: bytearray) -> str:
    """Return the identifying characters of a span that survived."""
    value = text[span.start : span.end]
    free: set[int] = set()
    if pattern := _MAY_STAY.get(span.label):
        found = [match.span() for match in pattern.finditer(value)]
        if span.label == "DATE":
            found += [match.span(1) for match in _COMPACT_DATE.finditer(value)]
        free = {at for start, end in found for at in range(start, end)}
    return "".join(
        letter
        for at, letter in enumerate(value)
        if alive[span.start + at] and letter.isalnum() and at not in free
    )


def measure(
    lines: Sequence[Line], scrub: Scrub, *, clock: Clock | None = None, placeholder: str = TOKEN
) -> Measured:
    """Run a scrubber over labelled lines and count.

    Args:
        lines: what to scrub.
        scrub: the scrubber.
        clock: seconds, for the speed; without it the speed is not measured.
        placeholder: a pattern of what the scrubber puts in place of what it takes.
    """
    pattern = re.compile(placeholder)
    measured = Measured()
    for line in lines:
        _measure_line(line, scrub, pattern, measured)
    if clock is not None:
        measured.megabytes_per_s = speed(lines, scrub, clock)
    return measured


def _measure_line(line: Line, scrub: Scrub, pattern: re.Pattern[str], measured: Measured) -> None:
    out = scrub(line.text)
    alive = survivors(line.text, out, pattern)
    measured.deterministic.add(hit=scrub(line.text) == out)
    again = scrub(out)
    measured.idempotent.add(hit=again == out)
    if again != out:
        measured.misses.append(Miss(line.id, "scrubbed again it differs", out))
    if _is_json(line.text):
        measured.json_valid.add(hit=_is_json(out))
        if not _is_json(out):
            measured.misses.append(Miss(line.id, "no longer JSON", out))
    for span in line.spans:
        left = leaked(line.text, span, alive)
        caught = len(left) <= STRAY_CHARACTERS_MAX
        measured.recall.setdefault((line.group, span.label), Count()).add(hit=caught)
        if not caught:
            measured.misses.append(Miss(line.id, span.label, line.text[span.start : span.end]))
    for fact in line.keep:
        whole = all(alive[fact.start : fact.end])
        measured.kept.add(hit=whole)
        if not whole:
            lost = f"lost {fact.label}"
            measured.misses.append(Miss(line.id, lost, line.text[fact.start : fact.end]))
    if not line.spans:
        measured.altered.add(hit=out != line.text)
        measured.altered_characters.hit += alive.count(0)
        measured.altered_characters.total += len(alive)
        if out != line.text:
            measured.misses.append(Miss(line.id, "a clean line altered", out))


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def speed(lines: Sequence[Line], scrub: Scrub, clock: Clock) -> float | None:
    """Return MB/s, line by line, three clean lines to two with PHI; the best of three rounds.

    Lines longer than usual are left out, so that a set of documents and a set of log lines compare.
    """
    short = [line for line in lines if len(line.text.encode()) <= SPEED_BYTES_MAX]
    clean = [line.text for line in short if not line.spans]
    dirty = [line.text for line in short if line.spans]
    if not clean or not dirty:
        return None
    each = SPEED_LINES // (CLEAN_LINES + DIRTY_LINES)
    mixed = list(islice(cycle(clean), CLEAN_LINES * each))
    mixed += islice(cycle(dirty), DIRTY_LINES * each)
    size = sum(len(text.encode()) for text in mixed)
    best = min(_seconds(mixed, scrub, clock) for _ in range(SPEED_ROUNDS))
    return size / 1e6 / best if best > 0 else None


def _seconds(texts: Iterable[str], scrub: Scrub, clock: Clock) -> float:
    started = clock()
    for text in texts:
        scrub(text)
    return clock() - started

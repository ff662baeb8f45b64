"""The site's own people in a record: both names of one of them side by side, and their numbers.

A name that is first of all a name (`Nguyen`) is found by `people` wherever it stands. One that is an
ordinary word (`Page`, `May`) counts here, beside the other name of the same person. A number of
theirs counts wherever it stands alone, without any cue.
"""

from proto.phi.lexicon import SOMEBODY
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

GAP_CHARS_MAX = 3

_WORDS = Pattern(r"[a-z]+")
_JOINS = b" ,.;:_^+-\t'\"/\\|="
_NUMBERS = Pattern(r"\b[A-Za-z]{0,5}-?[0-9][0-9A-Za-z-]{3,22}\b")
_MARKS = b".:-_"


def read(record: Record) -> None:
    """Note what is somebody's of the site."""
    if record.every & SOMEBODY:
        _pairs(record)
    if record.lexicon.numbers:
        _numbers(record)


def _pairs(record: Record) -> None:
    known = {word for word, _ in record.flagged(SOMEBODY)}
    if len(known) < 2:
        return
    lower, ask = record.lower, record.lexicon.names.known_pair
    last: tuple[int, int, str] | None = None
    for spans in _WORDS.each(lower):
        start, end = spans[0]
        if end - start == 1:
            continue  # an initial between the two
        word = lower[start:end]
        if word not in known:
            last = None
            continue
        text = word.decode("ascii")
        if last is not None and _joined(lower[last[1] : start]) and ask(last[2], text):
            record.hit(Kind.NAME, last[0], end, "both names of somebody of the site")
        last = (start, end, text)


def _joined(between: bytes) -> bool:
    """Whether two words belong together: marks and blanks, and at most one letter, between."""
    marks = between.translate(None, _JOINS)
    return len(between) - len(marks) <= GAP_CHARS_MAX + len(marks) and len(marks) <= 1


def _numbers(record: Record) -> None:
    data, ask = record.data, record.lexicon.names.known_number
    for spans in _NUMBERS.each(data):
        start, end = spans[0]
        if record.covered(start, end) or _is_part(data, start, end):
            continue
        if ask(data[start:end].decode("ascii")):
            record.hit(Kind.MRN, start, end, "a number of somebody of the site")


def _is_part(data: bytes, start: int, end: int) -> bool:
    """Whether a number is a piece of a longer one: of an address, a version, a time."""
    before, after = data[max(0, start - 1) : start], data[end : end + 1]
    return (bool(before) and before in _MARKS and data[start - 2 : start - 1].isalnum()) or (
        bool(after) and after in _MARKS and data[end + 1 : end + 2].isalnum()
    )

"""Addresses without a host that lead to a person: `GET /patients/lamb-1963/144230/labs`.

From the folder of people to the last piece that tells somebody it is one address; what a program
does there, behind it, stays. Only what a request or a key for an address announces is one: folders
of files are read elsewhere.
"""

import re
from collections.abc import Callable

from proto.phi.lexicon import NAMEY, WORD
from proto.phi.record import LETTERS, Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_ADDRESS = Pattern(
    r"(?:\b(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)[\"':,]{0,3} ?[\"']?"
    r"|(?i:\b(?:path|uri|request_?uri|url|route|endpoint|referr?er|location|href|target_?url|requestpath|cs-uri-stem|page|link|redirect)[\"']? ?(?:=|:|=>) ?[\"']?))"
    r"(/[^\s\"'<>?#]{3,300})"
)
_PART = re.compile(rb"[^/]+")
_OF_PEOPLE = frozenset(
    b"patients patient people person persons clients contacts guarantors subscribers members member chart"
    b" charts pt".split()
)
"""Folders of the web that hold people alone."""
_RESOURCE = frozenset({b"Patient", b"Person"})
"""Of FHIR: the number behind it is taken alone."""
_NUMBER = re.compile(rb"[A-Za-z]{0,4}[0-9]{5,14}")
_ENDING = re.compile(rb"\.[A-Za-z]{2,5}[0-9]?\Z")
_GUID = re.compile(rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_DRAWN = frozenset({b"chart", b"charts", b"p", b"profile", b"invite", b"intake"})
PARTS_MAX = 24

Machine = Callable[[Record, bytes], bool]


def read(record: Record, is_machine: Machine) -> list[tuple[int, int]]:
    """Take such addresses; return their spans.

    Args:
        record: the record.
        is_machine: whether a piece of a path is made of words of machines alone.
    """
    taken: list[tuple[int, int]] = []
    for _, (start, stop) in _ADDRESS.each(record.data):
        span = _of_somebody(record, start, stop, is_machine)
        if span is not None and not record.covered(*span):
            record.hit(Kind.URL, *span, "an address that leads to a person")
            taken.append(span)
    return taken


def _of_somebody(
    record: Record, start: int, stop: int, is_machine: Machine
) -> tuple[int, int] | None:
    """Return from the folder of people to the last piece that tells somebody."""
    begin = end = -1
    drawn = False
    for match in list(_PART.finditer(record.data, start, stop))[:PARTS_MAX]:
        part = match.group()
        if begin >= 0 and (_is_named(record, part) if drawn else _tells(record, part, is_machine)):
            ending = _ENDING.search(part)
            end = match.end() - (len(ending.group()) if ending else 0)
        elif begin < 0 and part.lower() in _OF_PEOPLE | _DRAWN and part not in _RESOURCE:
            begin, drawn = match.start() - 1, part.lower() in _DRAWN
    return (begin, end) if end > 0 else None


def _is_named(record: Record, part: bytes) -> bool:
    """Whether a piece below what may be a drawing, or a chart of Helm, is a number or a name."""
    if _NUMBER.fullmatch(part) is not None or _GUID.fullmatch(part) is not None:
        return True
    flags = [record.lexicon.flags(word) for word in part.lower().translate(LETTERS).split()]
    joined = len(flags) > 1 and b"-" in part and not any(flags)  # two strangers
    return joined or any(flag & NAMEY and not flag & WORD for flag in flags)


def _tells(record: Record, part: bytes, is_machine: Machine) -> bool:
    return _NUMBER.fullmatch(part) is not None or not is_machine(record, part)

"""A document of JSON stays one: what is replaced is the inside of a string, or a whole scalar."""

import json
import re

from proto.phi.record import Found
from proto.phi.scan import Pattern

_ATOM = Pattern(r'"[^"\\]*(?:\\.[^"\\]*)*"|[-+.0-9A-Za-z]+')
_ESCAPE = re.compile(rb'\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])')
ESCAPE_CHARS_MAX = 6
DEPTH_MAX = 200


def is_json(text: str) -> bool:
    """Whether a text is one document of JSON: an object, a list or a string."""
    if text.lstrip()[:1] not in {"{", "[", '"'} or text.count("[") + text.count("{") > DEPTH_MAX:
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def fit(text: str, found: list[Found]) -> tuple[list[Found], frozenset[int]]:
    """Fit hits to the strings and scalars of a document.

    Returns:
        The hits, each inside one string or over one whole scalar, and the starts of those over
        scalars: their tokens need quotes.
    """
    raw = text.encode("ascii", "replace")
    fitted: list[Found] = []
    bare: set[int] = set()
    waiting = iter(found)
    one = next(waiting, None)
    for spans in _ATOM.each(raw):
        start, end = spans[0]
        while one is not None and one[1] <= start:
            one = next(waiting, None)
        while one is not None and one[0] < end:
            if raw[start : start + 1] == b'"':
                begin, stop = _inside(raw, max(one[0], start + 1), min(one[1], end - 1), start + 1)
            else:
                begin, stop = start, end
                bare.add(start)
            if begin < stop and not (fitted and fitted[-1][1] > begin):
                fitted.append((begin, stop, one[2], one[3]))
            if one[1] > end:
                break
            one = next(waiting, None)
    return fitted, frozenset(bare)


def _inside(raw: bytes, start: int, end: int, first: int) -> tuple[int, int]:
    """Widen a span inside a string so that it cuts no escape."""
    return _edge(raw, start, first, up=0), _edge(raw, end, first, up=1)


def _edge(raw: bytes, edge: int, first: int, *, up: int) -> int:
    for at in range(max(first, edge - ESCAPE_CHARS_MAX + 1), edge):
        if raw[at : at + 1] != b"\\" or _slashes(raw, at, first) % 2:
            continue
        match = _ESCAPE.match(raw, at)
        if match is not None and match.end() > edge:
            return match.end() if up else at
    return edge


def _slashes(raw: bytes, at: int, first: int) -> int:
    """Count the backslashes right before a place."""
    count = 0
    while at - 1 - count >= first and raw[at - 1 - count] == ord("\\"):
        count += 1
    return count

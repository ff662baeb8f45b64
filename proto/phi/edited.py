"""A record looked at with some of its bytes read as others: folds taken out, marks put right.

Only what touches such a place counts: the rest of the record is looked at as it is.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from proto.phi.record import Found, Record
from proto.phi.views import View, blank_tokens

EDITS_MAX = 20_000
"""More of them in one record are not looked at: it is no text that was written so."""

Look = Callable[[View], list[Found]]


class Edit(NamedTuple):
    """What is read in place of some bytes; its characters share them evenly."""

    start: int
    end: int
    text: bytes


def look_through(record: Record, look: Look, edits: Sequence[Edit], *, how: str) -> None:
    """Look at a record with the edits done, and note what touches one.

    Args:
        record: the record.
        look: how a view is looked at.
        edits: in order and apart from each other.
        how: what was done, for the reason of a hit.
    """
    if not edits or len(edits) > EDITS_MAX:
        return
    begins = [edit.start for edit in edits]
    for start, end, kind, why in look(_view(record.data, edits)):
        at = bisect_right(begins, end - 1) - 1
        if end > start and at >= 0 and edits[at].end > start and not _is_taken(record, start, end):
            record.hit(kind, start, end, f"{why}, {how}")


def _is_taken(record: Record, start: int, end: int) -> bool:
    return record.taken is not None and record.taken.find(0, start, end) < 0


def _view(data: bytes, edits: Sequence[Edit]) -> View:
    kept: list[bytes] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for start, end, text in edits:
        kept += data[at:start], text
        starts.extend(range(at, start))
        ends.extend(range(at + 1, start + 1))
        size, width = len(text), end - start
        starts.extend(start + index * width // size for index in range(size))
        ends.extend(start + (index + 1) * width // size for index in range(size))
        at = end
    kept.append(data[at:])
    starts.extend(range(at, len(data)))
    ends.extend(range(at + 1, len(data) + 1))
    read = blank_tokens(b"".join(kept))
    return View(read, read.lower(), starts, ends)

r"""Dumps of bytes: rows of an offset, of bytes in hexadecimal and of the text that they are.

As hexdump -C, xxd, od, tcpdump -X and Format-Hex print them. What all rows of one dump hold is
looked at together; where somebody is in it, the bytes and the text of those rows go, and so do the
bytes of a row whose text told somebody. A text of two bytes a letter (UTF-16) is read too, in a dump
or shown with full stops: `p.a.t.i.e.n.t.`.
"""

import re
from typing import NamedTuple

from proto.phi.edited import Edit, Look, look_through
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind
from proto.phi.views import View

ROWS_MAX = 4096
ROW_BYTES_MAX = 32
BYTES_MIN = 6
_ROW = Pattern(
    r"(?m)(?:^|[ \t:=>])(?:0[xX])?[0-9A-Fa-f]{4,16}[:|]?[ \t]{1,4}([0-9A-Fa-f]{2,4}(?:(?: {1,2}|-)[0-9A-Fa-f]{2,4}){0,31})(?:[ \t]{1,120}([^ \t\r\n][^\r\n]{0,120}))?\r?$"
)
_PAIR = re.compile(rb"[0-9A-Fa-f]{2}")
_DOTTED = Pattern(r"(?:[^\s.]\.|[ ]\.){8,}")
_FRAMES = {b"|": b"|", b">": b"<"}
LETTERS_MIN = 4


class Row(NamedTuple):
    """One row: its bytes, where they stand in hexadecimal, and where the text stands."""

    raw: bytes
    start: int
    end: int
    text: tuple[int, int]


def read(record: Record, look: Look) -> None:
    """Look into the dumps of a record."""
    dump: list[Row] = []
    for spans in _ROW.each(record.data):
        row = _row(record, *spans[1], spans[2])
        if row is None:
            continue
        if dump and record.data.count(b"\n", dump[-1].end, row.start) != 1:
            _look_at(record, look, dump)
            dump = []
        if len(dump) < ROWS_MAX:
            dump.append(row)
    if dump:
        _look_at(record, look, dump)


def _row(record: Record, start: int, end: int, text: tuple[int, int]) -> Row | None:
    groups = record.data[start:end].translate(None, b" -")
    if len(groups) % 2:
        return None
    raw = bytes.fromhex(groups.decode("ascii"))[:ROW_BYTES_MAX]
    if text[0] < 0:
        return Row(raw, start, end, (end, end))
    closer = _FRAMES.get(record.data[text[0] : text[0] + 1])
    if closer is None:
        return Row(raw, start, end, (text[0], min(text[1], text[0] + len(raw))))
    first, last = text[0] + 1, min(text[1], text[0] + 1 + len(raw))
    if record.data[last : last + 1] != closer:
        closed = record.data.find(closer, first, last)
        last = closed if closed >= 0 else last
    return Row(raw, start, end, (first, last))


def _look_at(record: Record, look: Look, dump: list[Row]) -> None:
    """Look at the bytes of one dump; take the rows that hold somebody."""
    raw = b"".join(row.raw for row in dump)
    if len(raw) < BYTES_MIN or (len(dump) == 1 and not dump[0].text[1] > dump[0].text[0]):
        return
    told: list[tuple[int, int, Kind]] = []
    for every, offset in _alphabets(raw):
        shown = bytes(byte if 32 <= byte < 127 else 10 for byte in raw[offset::every])
        told += [
            (offset + start * every, offset + end * every, kind)
            for start, end, kind, _ in look(View(shown, shown.lower()))
        ]
    at = 0
    for row in dump:
        after = at + len(row.raw)
        kind = next((kind for start, end, kind in told if start < after and end > at), None)
        if kind is None and record.covered(*row.text):
            kind = next(
                one[2] for one in record.found if one[0] < row.text[1] and one[1] > row.text[0]
            )
        if kind is not None:
            record.hit(kind, row.start, row.end, "bytes of a dump that hold somebody")
            record.hit(kind, *row.text, "text of a dump that holds somebody")
        at = after


def _alphabets(raw: bytes) -> list[tuple[int, int]]:
    """Return how many bytes a letter has, and which of them is the letter."""
    if raw.count(0) * 3 < len(raw):
        return [(1, 0)]
    return [(2, 0 if raw[1::2].count(0) >= raw[::2].count(0) else 1)]


def read_dotted(record: Record, look: Look) -> None:
    """Look at texts of two bytes a letter that are shown with a full stop for each second."""
    edits: list[Edit] = []
    for spans in _DOTTED.each(record.data):
        start, end = spans[0]
        letters = record.data[start:end:2]
        if sum(chr(byte).isalpha() for byte in letters) >= LETTERS_MIN:
            edits += [Edit(at, at + 2, record.data[at : at + 1]) for at in range(start, end - 1, 2)]
    look_through(record, look, edits, how="its letters put together")

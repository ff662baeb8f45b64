"""Rows and objects without a header: what stands beside cells that are known is somebody's too."""

import re
from bisect import bisect_left

from proto.phi.lexicon import ALSO, NAMEY, SURE
from proto.phi.people import word_flags
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind


def read(record: Record) -> None:
    """Find the rest of rows, and the numbers of objects, of which two parts are known."""
    _in_rows(record)
    _in_objects(record)


_ROWS_MARKS = (b"] [", b"|", b";", b"\t", b", ")
CELLS_MIN, CELLS_MAX = 3, 64
_CELL_NAME = re.compile(rb"[A-Z][A-Za-z'-]{2,40}\Z")
_CELL_ZIP = re.compile(rb"[0-9]{5}(?:-[0-9]{4})?\Z")
_CELL_NUMBER = re.compile(rb"[A-Z]{0,3}[0-9]{6,12}\Z")


def _in_rows(record: Record) -> None:
    """Take names and numbers of a row without a header of which two cells are known."""
    data = record.data
    if record.taken is None:
        return
    if (b", " in data or b"|" in data) and (b"{" in data or b"(" in data):
        for spans in _BRACED.each(data):
            inside = data[slice(*spans[1])]
            _row(record, inside, spans[1][0], b"|" if inside.count(b"|") > 1 else b", ")
    if data.count(b"[") >= CELLS_MIN:
        for spans in _BRACKETED.each(data):
            start, end = spans[0]
            _row(record, data[start:end].rstrip(b" ,"), start, b"] [")
    for mark in _ROWS_MARKS:
        if data.count(mark) < CELLS_MIN - 1:
            continue
        at = 0
        for line in data.split(b"\n"):
            if CELLS_MIN <= line.count(mark) + 1 <= CELLS_MAX:
                _row(record, line, at, mark)
            at += len(line) + 1


_ID_INSIDE = re.compile(
    rb"(?i)\b(?:id|m|i|no|num|nr|number|key|pid)[\"']?\s?[:=]\s?[\"']?([0-9]{6,12})(?![0-9A-Za-z.:])"
)
KNOWN_INSIDE_MIN = 2


def _in_objects(record: Record) -> None:
    """Take the number of an object of which two members are known: `{"n":"…","d":"…","m":"…"}`."""
    if len(record.found) < KNOWN_INSIDE_MIN or b"{" not in record.data:
        return
    known = sorted(one[0] for one in record.found)
    homes = sorted(one[0] for one in record.found if one[2] is Kind.ADDRESS)
    for spans in _BRACED.each(record.data):
        start, end = spans[1]
        if bisect_left(known, end) - bisect_left(known, start) >= KNOWN_INSIDE_MIN:
            for match in _ID_INSIDE.finditer(record.data, start, end):
                record.hit(Kind.MRN, *match.span(1), "a number among what is known of somebody")
            if bisect_left(homes, end) > bisect_left(homes, start):
                for match in _ZIP_INSIDE.finditer(record.data, start, end):
                    record.hit(Kind.ZIP, *match.span(1), "five digits beside a street")


_ZIP_INSIDE = re.compile(rb"[\"'][A-Za-z_]{1,12}[\"'] ?: ?[\"']([0-9]{5}(?:-[0-9]{4})?)[\"']")
_BRACED = Pattern(r"[{(]([^{}()\n]{8,300})[})]")
_BRACKETED = Pattern(
    r"(?:\[[^\[\]\n\x01]{1,60}\][ ,]{0,2}|\x01{1,40}[ ,]{0,2}|\[\x01{1,40}\][ ,]{0,2}){3,}"
)


def _row(record: Record, line: bytes, at: int, mark: bytes) -> None:
    cells: list[tuple[int, int]] = []
    width = len(mark)
    for cell in line.split(mark):
        bare = cell.strip(b" '\"()[]")
        begin = at + cell.find(bare)
        cells.append((begin, begin + len(bare)))
        at += len(cell) + width
    taken = record.taken
    if taken is None:
        return
    last = len(cells) - 1
    whole = [
        start < end
        and (
            taken.find(0, start, end) < 0
            or (number == 0 and taken[end - 1] == 1)
            or (number == last and taken[start] == 1)
        )
        for number, (start, end) in enumerate(cells)
    ]
    if sum(whole) < CELLS_MIN - 1:
        return
    for number, (start, end) in enumerate(cells):
        value = record.data[start:end]
        if _CELL_ZIP.match(value) and _is_state(record, cells[number - 1]):
            record.hit(Kind.ZIP, start, end, "a ZIP code behind a state in a row")
        beside = any(whole[max(0, number - 1) : number + 2])
        if not beside or record.covered(start, end):
            continue
        if _CELL_NUMBER.match(value):
            record.hit(Kind.MRN, start, end, "a number in a row about somebody")
        elif _CELL_NAME.match(value):
            flags = word_flags(record, value)
            if flags & (NAMEY | ALSO | SURE) or (not flags and not value.isupper()):
                record.hit(Kind.NAME, start, end, "a name in a row about somebody")


def _is_state(record: Record, cell: tuple[int, int]) -> bool:
    return record.lower[slice(*cell)] in record.lexicon.vocabulary["states"]

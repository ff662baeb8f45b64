"""Rows under a header: CSV in any delimiter, fixed columns under dashes, and SQL's INSERT."""

import re
from itertools import pairwise

from proto.phi.fitness import fits
from proto.phi.keys import Told
from proto.phi.labels import take_user
from proto.phi.record import Record, digits
from proto.phi.scan import Pattern
from proto.phi.takers import TAKERS

ROWS_MAX = 20_000
MARKS_MANY = 2
TOLD_SURE = 3
"""As many columns that tell make a line of words a header, and its words keys."""
COLUMNS_MAX = 256
FACTS_MAX = 512

_INSERT_CASE = Pattern(r"(?i)insert\s+into\s+[^\s(]+\s*\(([^()]+)\)\s*values\s*\(")
_SQL_VALUE = re.compile(
    rb"\s{0,8}(?:[NEnb]?'((?:[^'\\]|''|\\.){0,2000})'|([^,()']{0,200}))\s{0,8}([,)])"
)
_TAGGED = re.compile(rb"\s{0,16}\([0-9A-Fa-f]{4},[0-9A-Fa-f]{4}\)")
"""A line of a dump of DICOM, which is no header of the lines below it."""
_DOCUMENT = re.compile(rb"[\"'] ?:|[{}]|</")
"""A line of a document of members or elements, which is no header of what stands below."""
_DASHES = re.compile(rb"-{2,}")


def read(record: Record) -> None:
    """Find the values in columns whose headers tell a class."""
    if "sql" in record.shapes:
        _insert(record)
    if "arrays" in record.shapes:
        _arrays(record)
    if "rows" not in record.shapes or b"\n" not in record.data:
        return
    lines = record.data.split(b"\n")
    starts: list[int] = []
    at = 0
    for line in lines:
        starts.append(at)
        at += len(line) + 1
    for number in range(min(len(lines) - 1, 12)):
        if _table(record, lines, starts, number):
            return


def _table(record: Record, lines: list[bytes], starts: list[int], number: int) -> bool:
    header = lines[number]
    if _TAGGED.match(header) is not None:
        return False
    dashes = lines[number + 1]
    if dashes.count(b"---") and not dashes.strip(b" -+|\r"):
        if b"|" in dashes or b"+" in dashes:
            return _delimited(record, lines, starts, number, b"|")
        return _fixed(record, lines, starts, number)
    if _aligned(record, lines, starts, number):
        return True
    return any(
        header.count(mark) >= 1
        and lines[number + 1].count(mark) >= header.count(mark)
        and _delimited(record, lines, starts, number, mark)
        for mark in (b"|", b"\t", b";", b",", b"^")
    )


def _tells(record: Record, cells: list[bytes]) -> list[Told | None]:
    keys = record.lexicon.policy.keys
    names = [
        cell.strip(b" \"'\r[]`\xef\xbb\xbf").replace(b"#", b" no ") for cell in cells[:COLUMNS_MAX]
    ]
    told = [keys.told(name) for name in names]
    if any(_OF_PRINTERS.fullmatch(cell.strip()) for cell in cells):
        told = [
            None if cell.strip().lower() == b"drivername" else one
            for cell, one in zip(cells, told, strict=False)
        ]
    if sum(one is not None for one in told) >= 2 or (len(cells) == 1 and told[0] is not None):
        return _with_ids(cells, told)
    if sum(one is not None for one in told) == 1 and any(
        one is not None and one.person for one in told
    ):
        return _with_ids(cells, told)
    if any(one is not None and one.kind not in _TOO_LITTLE for one in told) and all(
        _HEADER.fullmatch(name) is not None for name in names if name
    ):
        return told
    return []


_TOO_LITTLE = frozenset(
    {"NAME_MAYBE", "DATE_MAYBE", "DEVICE_MAYBE", "NAME", "AGE90", "CITY", "SECRET"}
)
"""A single column of these may as well be a word of a line of running text."""
_HEADER = re.compile(rb"[A-Za-z_@][A-Za-z0-9_.@]{0,40}(?: [A-Za-z0-9_.]{1,20}){0,3}")
_OF_PRINTERS = re.compile(rb"(?i)(?:printer|port)(?:name|status)")
"""Of a list of printers, whose drivers are programs."""


def _with_ids(cells: list[bytes], told: list[Told | None]) -> list[Told | None]:
    """Take `id` and `pid` for somebody's beside columns of names."""
    if any(one is not None and one.kind == "LICENSE" for one in told):
        told = [
            _BESIDE_LICENCES.get(cell.strip(b" \"'\r").lower()) if one is None else one
            for cell, one in zip(cells, told, strict=False)
        ]
    if not any(one is not None and one.kind == "NAME" for one in told):
        return told
    return [
        _BESIDE_NAMES.get(cell.strip(b" \"'\r").lower()) if one is None else one
        for cell, one in zip(cells, told, strict=False)
    ]


_BESIDE_LICENCES = dict.fromkeys((b"tag", b"tags", b"reg"), Told("VEHICLE", person=True))
"""Columns of cars beside those of who drives them."""
_BESIDE_NAMES = {
    **dict.fromkeys((b"id", b"pid", b"pk"), Told("MRN", person=True)),
    **dict.fromkeys((b"date", b"day"), Told("DATE", person=True)),
}


def _delimited(
    record: Record, lines: list[bytes], starts: list[int], number: int, mark: bytes
) -> bool:
    header = lines[number]
    if _DOCUMENT.search(header) is not None or any(
        len(cell) > 60 or b"=" in cell or b": " in cell for cell in header.split(mark)
    ):
        return False
    told = _tells(record, [cell for _, cell in _cells(header, mark)])
    if not told:
        return False
    facts = _facts(record, [cell for _, cell in _cells(header, mark)])
    if _is_upright(record, told, lines[number + 1], mark):
        return False
    record.person = True
    sure = sum(one is not None for one in told) >= TOLD_SURE and not digits(header)
    if sure or all(one is not None or column in facts for column, one in enumerate(told)):
        record.facts.append((starts[number], starts[number] + len(header)))
    many = header.count(mark) >= MARKS_MANY
    for row in range(number + 1, min(len(lines), number + ROWS_MAX)):
        if many and mark not in lines[row]:
            continue  # a line about the table: where it came from, how many rows it has
        for column, (offset, cell) in enumerate(_cells(lines[row].rstrip(b"\r"), mark)):
            one = told[column] if column < len(told) else None
            at = starts[row] + offset
            if one is not None:
                _cell(record, one, at, cell)
            elif column in facts and len(record.facts) < FACTS_MAX:
                record.facts.append((at, at + len(cell)))
    return True


def _facts(record: Record, cells: list[bytes]) -> frozenset[int]:
    """Return which columns hold facts about equipment."""
    keys = record.lexicon.policy.keys
    return frozenset(
        column
        for column, cell in enumerate(cells[:COLUMNS_MAX])
        if keys.is_fact(cell.strip(b" \"'\r[]`"))
    )


def _is_upright(record: Record, told: list[Told | None], row: bytes, mark: bytes) -> bool:
    """Whether the row below a header is another key with its value: no table then."""
    keys = record.lexicon.policy.keys
    first = [cell.strip(b" \"'\r") for _, cell in _cells(row.rstrip(b"\r"), mark)]
    below = first[0] if first else b""
    if told[0] is None or digits(below) > 1:
        return False
    return keys.told(below) is not None or keys.is_fact(below)


def _cells(line: bytes, mark: bytes) -> list[tuple[int, bytes]]:
    """Split a row, quotes respected, with the offset of each cell."""
    if b'"' not in line:
        cells: list[tuple[int, bytes]] = []
        at = 0
        for cell in line.split(mark):
            cells.append((at, cell))
            at += len(cell) + 1
        return cells
    cells = []
    at, begin, quoted = 0, 0, False
    for at in range(len(line)):
        byte = line[at]
        if byte == 34:
            quoted = not quoted
        elif byte == mark[0] and not quoted:
            cells.append((begin, line[begin:at]))
            begin = at + 1
    cells.append((begin, line[begin:]))
    return cells


def _fixed(record: Record, lines: list[bytes], starts: list[int], number: int) -> bool:
    """Read columns that dashes under the header mark."""
    begins = [match.start() for match in _DASHES.finditer(lines[number + 1][:LINE_BYTES_MAX])]
    spans = _up_to_the_next(begins)
    told = _tells(record, [lines[number][start:end].strip() for start, end in spans])
    if told:
        _columns(record, lines, starts, number + 2, spans=spans, told=told)
    return bool(told)


def _aligned(record: Record, lines: list[bytes], starts: list[int], number: int) -> bool:
    """Read columns that stand below their headers with nothing but blanks between."""
    header, below = lines[number].rstrip(b"\r")[:LINE_BYTES_MAX], lines[number + 1]
    if b"  " not in header or header[:1].isspace():
        return False
    spans = _up_to_the_next([match.start() for match in _TITLE.finditer(header)])
    if len(spans) < ALIGNED_MIN or any(
        below[start - 1 : start] not in {b" ", b""} for start, _ in spans[1:]
    ):
        return False
    told = _tells(record, [header[start:end].strip() for start, end in spans])
    if sum(one is not None and one.kind not in _MAYBE for one in told) < TOLD_MIN:
        return False
    _columns(record, lines, starts, number + 1, spans=spans, told=told)
    return True


ALIGNED_MIN, TOLD_MIN = 3, 2
_MAYBE = frozenset({"NAME_MAYBE", "DATE_MAYBE", "DEVICE_MAYBE"})
LINE_BYTES_MAX = 4000
_TITLE = re.compile(rb"[A-Za-z#][^ ]*(?: [^ ]+)*")


def _up_to_the_next(begins: list[int]) -> list[tuple[int, int]]:
    """Return the columns that begin there, the last of them without an end."""
    return list(pairwise([*begins, 1 << 20]))


def _columns(
    record: Record,
    lines: list[bytes],
    starts: list[int],
    first: int,
    *,
    spans: list[tuple[int, int]],
    told: list[Told | None],
) -> None:
    """Take what stands in columns, from a row on to an empty one."""
    for row in range(first, min(len(lines), first + ROWS_MAX)):
        line = lines[row].rstrip(b"\r")
        if not line.strip():
            break
        for (start, end), one in zip(spans, told, strict=False):
            if one is not None and start < len(line):
                _cell(record, one, starts[row] + start, line[start:end])


_ARRAYS = Pattern(
    r"(?i)[\"'](?:headers?|columns?|cols|fields|keys|names)[\"'] ?: ?\[([^\[\]{}\n]{4,1000})\]"
)
_ARRAY = re.compile(rb"\[([^\[\]{}\n]{2,4000})\]")
_ITEM = re.compile(rb"\s{0,4}(?:[\"']((?:[^\"'\\]|\\.){0,400})[\"']|([^,\"']{0,80}))\s{0,4}(?:,|$)")


def _arrays(record: Record) -> None:
    """Read rows in arrays whose columns an array before them names: `{"columns":[…],"data":[[…]]}`."""
    data = record.data
    for spans in _ARRAYS.each(data):
        names = [match[1] or match[2] or b"" for match in _items(data, *spans[1])]
        told = _tells(record, names)
        facts = _facts(record, names)
        for array in _ARRAY.finditer(data, spans[0][1]) if told else ():
            items = _items(data, *array.span(1))
            if len(items) == len(names):
                _row_of(record, items, told, facts)


def _items(data: bytes, start: int, end: int) -> list[re.Match[bytes]]:
    return [match for match in _ITEM.finditer(data, start, end) if match.end() > match.start()]


def _row_of(
    record: Record,
    items: list[re.Match[bytes]],
    told: list[Told | None],
    facts: frozenset[int],
) -> None:
    record.person = True
    for column, (match, one) in enumerate(zip(items, told, strict=True)):
        group = 1 if match[1] is not None else 2
        if one is not None:
            _cell(record, one, match.start(group), match[group])
        elif (column in facts or match[2]) and len(record.facts) < FACTS_MAX:
            record.facts.append(match.span(group))  # a number whose column tells nothing


def _cell(record: Record, told: Told, at: int, cell: bytes) -> None:
    begin = len(cell) - len(cell.lstrip(b" \"'`"))
    value = cell.strip(b" \"'`\r")
    if not value:
        return
    start, end = at + begin, at + begin + len(value)
    if told.kind == "USERNAME":
        take_user(record, start, end)
    elif fits(record, told, start, end):
        record.hit(
            TAKERS[told.kind][0], start, end, f"the column says {TAKERS[told.kind][0].value}"
        )


_VALUES_AS = Pattern(
    r"(?i)\bvalues\s{0,4}(\([^\n\x01]{1,800}?\))\s{0,4}\)?\s{0,4}as\s{1,4}[a-z_][a-z0-9_]{0,30}\s{0,4}\(([^()]{1,400})\)"
)


def _insert(record: Record) -> None:
    _values_as(record)
    data = record.data
    for spans in _INSERT_CASE.each(data):
        columns = data[slice(*spans[1])].split(b",")
        told = _tells(record, columns)
        if not told:
            continue
        record.person = True
        _values(record, told, spans[0][1], facts=_facts(record, columns))


def _values_as(record: Record) -> None:
    """Read the rows of a statement whose columns are named behind them (SQL's derived tables)."""
    for spans in _VALUES_AS.each(record.data):
        told = _tells(record, record.data[slice(*spans[2])].split(b","))
        if told:
            record.person = True
            _values(record, told, spans[1][0] + 1)


def _values(
    record: Record, told: list[Told | None], at: int, *, facts: frozenset[int] = frozenset()
) -> None:
    data = record.data
    for column, one in enumerate(told):
        match = _SQL_VALUE.match(data, at, min(len(data), at + 2200))
        if match is None:
            break
        group = 1 if match[1] is not None else 2
        if one is not None:
            _cell(record, one, match.start(group), match[group])
        elif column in facts and len(record.facts) < FACTS_MAX:
            record.facts.append(match.span(group))
        if match[3] == b")":
            break
        at = match.end()

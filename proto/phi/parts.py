"""Days and numbers whose parts are fields of their own: `dob_month=11&dob_day=23&dob_year=1992`.

The year of a day may stay (45 CFR 164.514(b)(2)(i)(C)); its day and month go. The pieces that a
program's format puts together (`'{0}-{1}-{2}' -f '320','23','2072'`) go when together they have the
form of a telephone or social security number.
"""

import re

from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_MARK = r"\\{0,3}[\"']? ?[:=>]{1,2} ?\\{0,3}[\"']?"
_BIRTH = r"(?:dob|d\.o\.b\.?|birth(?:[ _-]?(?:date|day))?|date[ _-]?of[ _-]?birth|born|bday)"
_PART = r"(?:months?|days?|mm|dd|mon|mo|dy|m|d)"
_DAY = Pattern(
    rf"(?i)(?:^|[^a-z0-9])(?:{_BIRTH}[ ._\[-]{{0,2}}{_PART}\]?|(?:months?|days?|mm|dd)[ _-]?of[ _-]?birth|(?:patient|pt|pat)[_-]?birth[_-]?{_PART}){_MARK}([0-9]{{1,2}}|[a-z]{{3,9}})(?:$|[^0-9a-z.:])"
)
_BORN = Pattern(rf"(?i){_BIRTH}\\{{0,3}}[\"']? ?[:=] ?\\{{0,3}}[{{(]([^{{}}()\n]{{4,120}})[}})]")
_PIECE = Pattern(rf"(?i)(?:^|[^a-z0-9])_?{_PART}{_MARK}([0-9]{{1,2}}|[a-z]{{3,9}})(?:$|[^0-9a-z])")
_CALLED = Pattern(
    r"(?i)(?:phones?|tel(?:ephone)?|cell|mobile|fax|home|work|contact|callback)(?:_?(?:number|no|num))?\\{0,3}[\"'] ?: ?\{([^{}\n]{8,160})\}"
)
_FIGURES = Pattern(
    r"(?i)[\"'](?:area|area_?code|npa|prefix|exchange|nxx|central_?office|line|line_?number|subscriber|suffix|number|ac|part_?[123]|p[123]|[123])\\{0,3}[\"'] ?: ?\\{0,3}[\"']?([0-9]{2,7})(?:$|[^0-9.])"
)
_PHONE_PART = Pattern(
    r"(?i)(?:phone|tel|cell|mobile|fax|ph)[._-]?(?:area|area_?code|npa|ac|prefix|exchange|exch|nxx|line|line_?no|suffix|number|part_?[123]|p?[1234])"
    rf"{_MARK}([0-9]{{3,4}})(?:$|[^0-9.:])"
)
_FORMAT = Pattern(
    r"[\"'](?:\((?:\{[0-9]\}|%[sd])\)|\{[0-9]?\}|%[sd])[-./ ]{0,2}(?:\{[0-9]?\}|%[sd])[-./ ](?:\{[0-9]?\}|%[sd])[\"'](?: ?-f ?| ?% ?|\.format|, ?)\(?([\"']?[0-9]{1,4}[\"']?, ?[\"']?[0-9]{1,4}[\"']?, ?[\"']?[0-9]{1,4}[\"']?)"
)
_JOINED = Pattern(
    r"[\[(]([\"'][0-9]{1,4}[\"'], ?[\"'][0-9]{1,4}[\"'], ?[\"'][0-9]{1,4}[\"'])[\])] ?(?:\.join\(|-join)|[\"'][-./ ][\"']\.join\([\[(]([\"'][0-9]{1,4}[\"'], ?[\"'][0-9]{1,4}[\"'], ?[\"'][0-9]{1,4}[\"'])"
)
GATED = (
    ("born_part", (_DAY, _BORN)),
    ("called_part", (_CALLED, _PHONE_PART)),
    ("put_together", (_FORMAT, _JOINED)),
)
"""Each gate with the patterns that are tried only when it is lit."""
GATES = frozenset(gate for gate, _ in GATED)
_MONTH = re.compile(rb"(?i)jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec")
_DIGITS = re.compile(rb"[0-9]{1,4}")
_FORMS: dict[tuple[int, ...], Kind] = {
    (3, 2, 4): Kind.SSN,
    (3, 3, 4): Kind.PHONE,
}
PHONE_DIGITS = frozenset({7, 10, 11})


def read(record: Record) -> None:
    """Find the parts of days of birth, telephone numbers and social security numbers."""
    shapes, data = record.shapes, record.data
    if "born_part" in shapes:
        for start, end in _DAY.values(data):
            _day(record, start, end)
        for start, end in _BORN.values(data):
            for first, last in _PIECE.values(data[start:end]):
                _day(record, start + first, start + last)
    if "called_part" in shapes:
        _phones(record)
    if "put_together" in shapes:
        _formats(record)


def _day(record: Record, start: int, end: int) -> None:
    value = record.data[start:end]
    if (value.isdigit() or _MONTH.match(value)) and not record.covered(start, end):
        record.hit(Kind.DATE, start, end, "a part of a day of birth")


def _phones(record: Record) -> None:
    data = record.data
    for start, end in _CALLED.values(data):
        places = [(start + first, start + last) for first, last in _FIGURES.values(data[start:end])]
        if sum(last - first for first, last in places) in PHONE_DIGITS:
            _hit_all(record, Kind.PHONE, places)
    places = list(_PHONE_PART.values(data))
    if len(places) > 1:
        _hit_all(record, Kind.PHONE, places)


def _formats(record: Record) -> None:
    data = record.data
    for pattern in (_FORMAT, _JOINED):
        for spans in pattern.each(data):
            start, end = next(span for span in spans[1:] if span[0] >= 0)
            places = [match.span() for match in _DIGITS.finditer(data, start, end)]
            kind = _FORMS.get(tuple(last - first for first, last in places))
            if kind is not None:
                _hit_all(record, kind, places)


def _hit_all(record: Record, kind: Kind, places: list[tuple[int, int]]) -> None:
    for start, end in places:
        record.hit(kind, start, end, "a part of a number")

"""Numbers of people that short cues or their row tell: `MR#0010750013`, `(pid 95292959)`, an NPI.

`?identifier=` of a search (HL7 FHIR), the boxes of a claim that hold a clinician's number (NUCC 1500:
17b, 24J, 32a, 33a), and what is left of a rejected row whose other fields told somebody.
"""

import re

from proto.phi.lexicon import ALSO, CONTEXT, CUE, FIRST
from proto.phi.people import word_flags
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_CHART = Pattern(
    r"(?:^|[^A-Za-z0-9/-])(?:MR|M\.R\.|MedRec) ?(?:#|No\.?|Nbr\.?|Num)[:# ]{0,2}([A-Z]{0,3}[0-9]{6,12}|[0-9]{2,3}-[0-9]{2,3}-[0-9]{2,4})(?:$|[^0-9A-Za-z-])"
)
_PATIENT = Pattern(
    r"(?i)(?:^|[( ,;\[{\"'])pid(?:[ :=#]{1,2}|[\"'] ?: ?[\"']?)([0-9]{8,12})(?:$|[^0-9A-Za-z.:])"
)
"""No process has so long a number."""
_SEARCHED = Pattern(
    r"(?i)[?&]identifier(?::exact)?=(?:[^&\s\"'|%]{0,80}(?:\||%7C))?([A-Z]{0,4}[0-9][A-Z0-9-]{3,18})(?:$|[&\s\"'#,;)])"
)
_BOX = Pattern(
    r"(?i)\bbox (?:17b|24j|32a|33a)[ :=#]{1,3}(?:npi[ :=#]{1,3})?([12][0-9]{9})(?:$|[^0-9A-Za-z.:-])"
)
_TEN = Pattern(r"(?:^|[^0-9A-Za-z.:_/-])([12][0-9]{9})(?:$|[^0-9A-Za-z.:_-])")
_LISTED = Pattern(
    r"(?i)(?:^|[^a-z])(?:mrns|mrn list|medical record (?:numbers|nos\.?)|chart (?:numbers|nos\.?|ids)|patient ids)(?: [a-z]{2,12}){0,3} ?:?[ \t]*((?:\r?\n[ \t]*(?:[*-] ?|[0-9]{1,3}[.)] ?)?[a-z]{0,3}[0-9]{5,12}[ ,;]?)+)"
)
"""A list, each number in a line of its own."""
_FORMER = Pattern(
    r"(?i)[\[(](?:prev(?:ious(?:ly)?)?|was|old|now|former(?:ly)?|aka|new|alias|dup(?:licate)?(?: of)?|merged (?:into|from|to)|ex|orig(?:inal(?:ly)?)?|from|into|survivor|retired)[.:]{0,2} ?(?:mrn ?)?#? ?([a-z]{0,3}[0-9]{5,12})[)\]]"
)
"""What somebody's number was before, beside the number."""
GATED = (
    ("mrns", (_LISTED,)),
    ("former", (_FORMER,)),
    ("medrec", (_CHART,)),
    ("long_pid", (_PATIENT,)),
    ("identifier", (_SEARCHED,)),
    ("ten", (_BOX, _TEN)),
)
"""Each gate with the patterns that are tried only when it is lit."""
GATES = frozenset(gate for gate, _ in GATED)
_NPI_PREFIX = b"80840"


def read(record: Record) -> None:
    """Find the numbers that such cues tell."""
    shapes = record.shapes
    for gate, pattern in (
        ("medrec", _CHART),
        ("long_pid", _PATIENT),
        ("identifier", _SEARCHED),
    ):
        for start, end in pattern.values(record.data) if gate in shapes else ():
            if not record.covered(start, end):
                record.hit(Kind.MRN, start, end, "a short cue for somebody's number")
    if "mrns" in shapes:
        for start, end in _LISTED.values(record.data):
            for one in _LONG.finditer(record.data, start, end):
                record.hit(Kind.MRN, *one.span(), "a number of a list of such")
    if "former" in shapes:
        _formerly(record)
    if "ten" in shapes:
        _clinicians(record)


_LONG = re.compile(rb"[A-Za-z]{0,3}[0-9]{5,12}")
_OWN_NUMBERS = frozenset({Kind.MRN, Kind.ACCOUNT, Kind.HEALTH_PLAN, Kind.SSN, Kind.PHONE})
BESIDE_CHARS_MAX = 3


def _formerly(record: Record) -> None:
    """Take what a number was before, in brackets behind it."""
    ends = {end: kind for _, end, kind, _ in record.found if kind in _OWN_NUMBERS}
    for spans in _FORMER.each(record.data):
        first = spans[0][0]
        kind = next(filter(None, map(ends.get, range(first, first - BESIDE_CHARS_MAX, -1))), None)
        if kind is not None:
            record.hit(kind, *spans[1], "what the number before it was")


def _clinicians(record: Record) -> None:
    """Take the numbers of clinicians: in a claim's box, or one that checks beside the word NPI."""
    lower = record.lower
    for start, end in _BOX.values(record.data) if b"box " in lower else ():
        record.hit(Kind.LICENSE, start, end, "the box of a claim for a clinician's number")
    if b"npi" not in lower:
        return
    for start, end in _TEN.values(record.data):
        if not record.covered(start, end) and _checks(record.data[start:end]):
            record.hit(Kind.LICENSE, start, end, "it checks as an NPI, beside the word")


def _checks(number: bytes) -> bool:
    """Whether a number checks as a National Provider Identifier (45 CFR 162.406, Luhn)."""
    total = 0
    for at, figure in enumerate(reversed(_NPI_PREFIX + number)):
        value = (figure - 48) * (1 + at % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


_ROW = frozenset({
    Kind.EMAIL, Kind.PHONE, Kind.SSN, Kind.DATE, Kind.ZIP, Kind.ADDRESS, Kind.NAME, Kind.MRN,
})  # fmt: skip
_SURE = frozenset({Kind.EMAIL, Kind.PHONE, Kind.SSN, Kind.DATE})
_NEXT = re.compile(rb"[\"']?[,;|\t][\"']?([A-Za-z0-9.-]{0,24})[\"']?(?=[,;|\t\r\n]|$)")
_NUMBER = re.compile(rb"[A-Z]{0,4}[0-9]{6,14}[A-Z]?")
_STREET = re.compile(
    rb"[\"']?[,;|\t][\"']?([0-9]{1,6} (?:[A-Z][A-Za-z.'-]{0,20} ){1,4}?(?i:st|street|ave|avenue|rd|road|ln|lane|dr|drive|ct|court|blvd|way|ter|terrace|pl|place|cir|circle|pkwy|hwy)\b\.?)"
)
_TIME = re.compile(rb"1[0-9]{9}(?:[0-9]{3})?|20[0-9]{6}(?:[0-9]{4,6})?")
FIELDS_MAX, ROW_HITS_MIN, ROW_HITS_MAX = 4, 2, 256
_SEPARATORS = frozenset({b",", b";", b"|", b"\t"})


def rest_of_row(record: Record) -> None:
    """Take the numbers of a row whose other fields are somebody's: `…,ann@example.org,43402632520`."""
    if len(record.found) < ROW_HITS_MIN:
        return
    kinds = {one[2] for one in record.found[:ROW_HITS_MAX]}
    if Kind.NAME not in kinds or kinds.isdisjoint(_SURE):
        return
    data = record.data
    for start, end, kind, _ in tuple(record.found[:ROW_HITS_MAX]):
        if data[start - 1 : start] not in _SEPARATORS or kind not in _ROW:
            continue
        if record.covered(start - 2, start - 1):  # the field before is somebody's too
            _further(record, end)


def _further(record: Record, end: int) -> None:
    """Take the numbers among the next fields of a row."""
    for _ in range(FIELDS_MAX):
        street = _STREET.match(record.data, end, end + 64)
        if street is not None:
            record.hit(Kind.ADDRESS, *street.span(1), "a street in somebody's row")
        field = _NEXT.match(record.data, end, end + 32)
        if field is None:
            return
        end = field.end()
        told = _NUMBER.fullmatch(field[1]) and not _TIME.fullmatch(field[1])
        if told and not record.covered(*field.span(1)):
            record.hit(Kind.OTHER_ID, *field.span(1), "a number in somebody's row")


_INITIALLED = re.compile(rb"(?:^|[^A-Za-z0-9_.-])([A-Z][a-z'-]{2,20} [A-Z]\.),? \Z")


def before_ages(record: Record) -> None:
    """Take a first name with an initial before an age over 89: `April A. 104yo F`."""
    for start in [one[0] for one in record.found if one[2] is Kind.AGE90]:
        name = _INITIALLED.search(record.data, max(0, start - 28), start)
        if name is None or record.covered(*name.span(1)):
            continue
        flags = word_flags(record, name[1].partition(b" ")[0])
        if (flags & (FIRST | ALSO) or not flags) and not flags & (CUE | CONTEXT):
            record.hit(Kind.NAME, *name.span(1), "a name with an initial before an old age")

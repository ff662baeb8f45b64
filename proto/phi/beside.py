"""What stands in the field beside a name: numbers of the same person, before it and behind.

Two bytes on either side of a name tell whether there can be a field at all; the patterns, which
look further, are asked only then.
"""

import re

from proto.phi.lexicon import ALSO, CONTEXT, CUE, NAMEY, WORD
from proto.phi.people import word_flags
from proto.phi.record import Record, digits
from proto.phi.values import Kind

_FIELD = re.compile(
    rb"\.?\^{0,4}[ ]{0,3}([|;,\t(\[{/#]|\^| - |(?=\"))[ ]{0,3}#?(?:\"|')?([A-Za-z]{0,4}[0-9][A-Za-z0-9/.-]{3,24})"
    rb"(?=[|;,\t)\]}/\"' \n_]|$)"
)
_FIELD_BEFORE = re.compile(
    rb"(?:^|[|;,\t(\[ \"'])([A-Za-z]{0,3}[0-9][A-Za-z0-9/.-]{4,24})(?:\"|')?[ ]{0,3}[|;,\t()\]][ ]{0,3}(?:\"|')?$"
)
_CALLED_BEFORE = re.compile(
    rb"(?i)(?:^|[^a-z0-9])(?:id|no|num|nr|pid|chart|pt|patient|survivor|retired|source|target|keep|kept|archived|removed|drop|winner|loser|master|dupe?|into|request|auth|referral|#)"
    rb"(?:[\"']?[:=# ]{1,2}[\"']?|#?)([0-9]{6,12})[\"']?[ ,;|/(-]{1,3}(?:[\"']?(?:name|patient|pt|full_?name|display_?name)[\"']?[:= ]{1,2})?[\"'(]?\Z"
)
_CALLED_AFTER = re.compile(
    rb"(?i)[\"')]?[ ,;|/(-]{1,3}[\"']?(?:id|no|num|nr|pid|chart|pt|#)[\"']?[:=# ]{1,3}[\"']?([0-9]{5,12})(?![0-9A-Za-z.:])"
)
_ENDS_NUMBER = frozenset(b"0123456789nret"[at : at + 1] for at in range(14))
"""How a number ends, or a word for people that stands between one and a name."""
_CALLED_MARKS = frozenset(b"\"') ,;|/(-"[at : at + 1] for at in range(10))
"""What stands first behind a name that a number follows."""
_OPENS_WITH = re.compile(
    rb"(?:^|[\"'=\[(|>])([A-Z]{0,3}[0-9]{6,10}|[0-9]{2,3}-[0-9]{2,3}-[0-9]{2,3})(?:[\"'])? (?:\((?i:patient|pt|for|name|member)[ :=]{1,2})?\Z"
)
"""A number that a quotation or a value begins with, and a name goes on: `"39943522 Paulo Lee"`."""
_XCN = re.compile(rb"(?:^|[|~])([0-9]{6,12})\^\Z")
_MACHINE_FIELD = re.compile(
    rb"\d{1,3}(?:\.\d{1,3}){2,3}$|\d{1,2}:\d{2}|\d{4}-\d{2}-\d{2}T|\d{3}-[A-Z][0-9A-Z]$"
)
_MEASURE = re.compile(
    rb"[\"']? ?(?:bytes|octets|[kmgtKMGT]i?[bB]|ms|msec|secs?|seconds|rows?|lines?)(?![A-Za-z])"
)
"""What makes a number a measure."""
_TAG = re.compile(rb"(?<=\()[0-9A-Fa-f]{4}, ?[0-9A-Fa-f]{4}\)")
"""The tag of an element (DICOM)."""
_LOGGED = re.compile(rb"[12][0-9]{3}-[0-9]{2}-[0-9]{2}[ ,][0-9]{1,2}:[0-9]{2}")
"""A stamp of the log's own, which no separator makes somebody's."""


_QUOTES = frozenset({b"'", b'"'})
_PARTS = frozenset(b". |;,\t([{/#^"[at : at + 1] for at in range(12))
"""What may part a name from the field beside it."""
_AFTER_BLANK = _PARTS - {b"."} | {b"-"}
_PARTED = frozenset(b"|;,\t()]:"[at : at + 1] for at in range(8))


class _Beside(dict[bytes, bool]):
    """Whether a field may begin with these two bytes behind a name; each pair worked out once."""

    def __missing__(self, pair: bytes) -> bool:
        """Work it out; there are no more of them than pairs of bytes."""
        first = pair[:1]
        found = first in _QUOTES or (
            first in _PARTS and (first != b" " or pair[1:] in _AFTER_BLANK)
        )
        self[pair] = found
        return found


class _Ahead(dict[bytes, bool]):
    """Whether a field may end with these two bytes before a name; each pair worked out once."""

    def __missing__(self, pair: bytes) -> bool:
        """Work it out; there are no more of them than pairs of bytes."""
        bare = pair.rstrip(b" \"'")
        found = bare[-1:] in _PARTED if bare else bool(pair)
        self[pair] = found
        return found


_BESIDE, _AHEAD = _Beside(), _Ahead()


def read(record: Record) -> None:
    """Take identifiers and days that stand in the field beside a name: `Newman, Ann|MR0104032`."""
    if not record.found:
        return
    data = record.data
    numbered = _NUMBERED.search(data) is not None
    for start, end, kind, _ in tuple(record.found):
        if kind is _NAME:
            _beside_name(record, start, end, numbered=numbered)
        elif kind in _NUMBERS:
            if data[end : end + 1] == b" ":
                _whose(record, end)
            if data[start - 1 : start] in MARKS_NUMBER:
                initialled(record, start)
        elif kind is Kind.EMAIL and data[start - 1 : start] == b"<":
            _displayed(record, start)
        elif kind is _PHONE and data[end : end + 2] == b' "':
            _caller(record, end)


def _beside_name(record: Record, start: int, end: int, *, numbered: bool) -> None:
    data = record.data
    if data[end : end + 2] == b", ":
        _aged(record, end)
    if numbered:
        _called(record, start, end)
        if data[start - 1 : start] == b"^":
            _numbered(record, start)
        if data[end : end + 1] in _SLASHES:
            _below(record, end)
    if _BESIDE[data[end : end + 2]]:
        _behind(record, end)
    if start and _AHEAD[data[start - 2 : start] or data[:start]]:
        _before(record, start)


def _below(record: Record, end: int) -> None:
    """Take the number of a folder below somebody's: `PAGE^KATARZYNA/A19172157/`."""
    number = _FOLDER_BELOW.match(record.data, end)
    if number is not None and not record.covered(*number.span(1)):
        record.hit(Kind.MRN, *number.span(1), "a folder's number below a name")
    day = _DAY_BELOW.match(record.data, end)
    if day is not None and not record.covered(*day.span(1)):
        record.hit(Kind.DATE, *day.span(1), "a picture's day below a name")


def _whose(record: Record, end: int) -> None:
    """Take the one name that ends a field behind somebody's number: `Acct 7547570873 Huynh;`."""
    quoted = _QUOTED_BEHIND.match(record.data, end)
    if quoted is not None and not record.covered(*quoted.span(1)):
        flags = word_flags(record, quoted[1])
        if flags & (NAMEY | ALSO) and not flags & (CUE | CONTEXT):
            record.hit(Kind.NAME, *quoted.span(1), "a name in quotes behind somebody's number")
    name = _ENDS_FIELD.match(record.data, end)
    if name is None or record.covered(*name.span(1)):
        return
    flags = word_flags(record, name[1])
    if flags & NAMEY and not flags & (CUE | CONTEXT) and (flags & ALSO or not flags & WORD):
        record.hit(Kind.NAME, *name.span(1), "a name behind somebody's number")


def _aged(record: Record, end: int) -> None:
    """Take an age behind a name: `Kayla Lee, 104, Medicare`."""
    age = _AGE.match(record.data, end)
    if age is not None:
        record.hit(Kind.AGE90, *age.span(1), "an age behind a name")


def _caller(record: Record, end: int) -> None:
    """Take who called, in quotes behind the number."""
    caller = _CALLER.match(record.data, end)
    if caller is not None and not record.covered(*caller.span(1)):
        record.hit(Kind.NAME, *caller.span(1), "who called, behind the number")


_NUMBERS = frozenset({Kind.MRN, Kind.ACCOUNT})
_SLASHES = frozenset({b"/", b"\\"})
_FOLDER_BELOW = re.compile(rb"[\\/]{1,2}([A-Z]{0,3}[0-9]{6,12})[\\/]")
_DAY_BELOW = re.compile(
    rb"[\\/]{1,2}[A-Za-z]{2,12}[_-]((?:19|20)[0-9]{2}-?[0-9]{2}-?[0-9]{2})[.][A-Za-z0-9]{2,6}(?![A-Za-z0-9])"
)
_DISPLAYED = re.compile(
    rb"(?:^|[^A-Za-z0-9_.-])([A-Z][a-z'-]{1,30}) ([A-Z][A-Za-z'-]{1,30})[\"']? <\Z"
)


def _displayed(record: Record, start: int) -> None:
    """Take the name that a mail address is displayed with: `"Art Head <ahead86@…>"`."""
    name = _DISPLAYED.search(record.data, max(0, start - 70), start)
    if name is None or record.covered(name.start(1), name.end(2)):
        return
    words = [word.lower().translate(None, b"'-").decode() for word in name.groups()]
    weights = record.lexicon.names.weights
    if weights(words[0])[0] > 0 and weights(words[1])[1] > 0:
        record.hit(Kind.NAME, name.start(1), name.end(2), "whose address it is, by its display")


MARKS_NUMBER = frozenset({b"#", b"(", b"[", b" ", b":"})
_INITIALLED = re.compile(
    rb"(?:^|[^A-Za-z0-9_.-])([A-Z][A-Za-z'-]{1,30}, [A-Z]\.?(?: [A-Z]\.)?) ?[#(\[ ]{1,2}(?:(?i:mrn|chart|id|no\.?|acct|pt)[ :#]{1,2})?\Z"
)


def initialled(record: Record, start: int) -> None:
    """Take a last name with an initial before somebody's number: `Long, F. #37104590`."""
    name = _INITIALLED.search(record.data, max(0, start - 48), start)
    if name is None or record.covered(*name.span(1)):
        return
    word = name[1].partition(b",")[0]
    flags = word_flags(record, word)
    weight = record.lexicon.names.weights(word.lower().translate(None, b"'-").decode())[1]
    if not flags & CONTEXT and (weight > 0 or not flags & (WORD | CUE)):
        record.hit(Kind.NAME, *name.span(1), "a name with an initial before somebody's number")


_QUOTED_BEHIND = re.compile(rb" ?[(\[]?\\{0,2}[\"']([A-Z][A-Za-z'-]{2,30})\\{0,2}[\"'][)\]]?")
_ENDS_FIELD = re.compile(rb" ([A-Z][A-Za-z'-]{2,30})(?=\\0|[,;|)\]\"']|$)")
_AGE = re.compile(rb", (9[0-9]|1[01][0-9])(?=[,;.)](?:\s|$)| y)")
_CALLER = re.compile(rb" \"([A-Z][A-Za-z'-]{1,30},? [A-Z][A-Za-z'-]{1,30})\"")
_NAME, _PHONE = Kind.NAME, Kind.PHONE
_NUMBERED = re.compile(rb"[0-9]{5}")
_CALLED_BETWEEN = (b"name", b"patient", b"pt")
"""What may stand between a name and the number before it, marks aside."""


def _numbered(record: Record, start: int) -> None:
    """Take the number of a clinician before the name (HL7 v2, XCN): `1675868768^HOOKS^ANN`."""
    number = _XCN.search(record.data, max(0, start - 13), start)
    if number is not None and not record.covered(*number.span(1)):
        record.hit(Kind.LICENSE, *number.span(1), "the number before a clinician's name")


def _called(record: Record, start: int, end: int) -> None:
    data, called = record.data, list[re.Match[bytes] | None]()
    first = max(0, start - 60)
    ahead = data[max(0, start - 16) : start].rstrip(b"\"' ,;|/(:=-")
    if ahead[-1:].isdigit() or ahead.lower().endswith(_CALLED_BETWEEN):
        called.append(_CALLED_BEFORE.search(data, first, start))
    if data[start - 1 : start] == b" " and data[start - 2 : start - 1] in _ENDS_NUMBER:
        called.append(_OPENS_WITH.search(data, max(0, start - 34), start))
    if data[end : end + 1] in _CALLED_MARKS:
        called.append(_CALLED_AFTER.match(data, end, min(len(data), end + 40)))
    for one in called:
        if one is not None and not record.covered(*one.span(1)):
            record.hit(Kind.MRN, *one.span(1), "a number beside a name")


def _behind(record: Record, place: int) -> None:
    data = record.data
    for _ in range(3):
        while data[place : place + 1] in _QUOTES:
            place += 1
        match = _FIELD.match(data, place, min(len(data), place + 40))
        if match is None or _MACHINE_FIELD.match(match[2]) or digits(match[2]) < 4:
            break
        if _MEASURE.match(data, match.end(2)) or _TAG.match(data, match.start(2)):
            break
        if _LOGGED.match(data, match.start(2)) is not None:
            break
        record.hit(Kind.MRN, match.start(2), match.end(2), "the field beside a name")
        place = match.end(2)


_LISTED = re.compile(rb"(?:^|[\"' \[(])([0-9]{7,12}): \Z")


def _before(record: Record, start: int) -> None:
    listed = _LISTED.search(record.data, max(0, start - 15), start)
    if listed is not None and not record.covered(*listed.span(1)):
        record.hit(Kind.MRN, *listed.span(1), "a number before a name")
        return
    before = _FIELD_BEFORE.search(record.data, max(0, start - 40), start)
    if (
        before is not None
        and not _MACHINE_FIELD.match(before[1])
        and digits(before[1]) >= 5
        and b":" not in before[1]
    ):
        record.hit(Kind.MRN, before.start(1), before.end(1), "the field beside a name")

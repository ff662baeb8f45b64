"""Values that were found once, wherever else they stand in the record.

Its key or its cue tells a number of somebody once: `mrn=74362376 ... wristband says 74362376`. Dates
are not looked for: the log's own time may fall on somebody's day. Nor are names of places, which
are names of firms too.
"""

import re
from collections.abc import Iterable, Iterator

from proto.phi.lexicon import WORD
from proto.phi.record import ASKED_MAX, TAKEN, Record, digits
from proto.phi.values import Kind

_NUMBERS = frozenset({
    Kind.SSN, Kind.MRN, Kind.PHONE, Kind.FAX, Kind.HEALTH_PLAN, Kind.ACCOUNT, Kind.OTHER_ID,
    Kind.LICENSE, Kind.VEHICLE, Kind.DEVICE, Kind.IP,
})  # fmt: skip
_MARKED = _NUMBERS - {Kind.IP}
_TEXTS = frozenset({Kind.EMAIL, Kind.URL, Kind.PHOTO, Kind.ADDRESS, Kind.BIOMETRIC})
_LOGINS = frozenset({Kind.USERNAME})
_REPEATED = _NUMBERS | _TEXTS | _LOGINS | {Kind.SECRET}
DIGITS_MIN, TEXT_MIN, LOGIN_MIN, SECRET_MIN = 5, 6, 5, 8
SURE_DIGITS = 7
"""Of so many digits no other number is the same by chance, whatever it is joined to."""
BARE_DIGITS_MIN = 9
"""Of so many, one written with marks is looked for without them too."""
CHARACTERS_MAX = 200

_MARKS = b" ()-./+_"
_RUN = re.compile(rb"[0-9A-Za-z]+")
_JOINS = b".-:+,"

Wanted = dict[bytes, Kind]


def read(record: Record) -> None:
    """Take every further place of the values found."""
    wanted = _wanted(record)
    if not wanted:
        return
    noted = _noted(record.data, wanted) if len(wanted) > ASKED_MAX else None
    for value, kind in wanted.items():
        _take(record, value, kind, noted[value] if noted else _each(record.data, value))


def _wanted(record: Record) -> Wanted:
    """Return what is worth looking for, by its bytes."""
    data, wanted = record.data, Wanted()
    is_few = len(record.found) <= ASKED_MAX
    for start, end, kind, _ in record.found:
        if kind not in _REPEATED or end - start > CHARACTERS_MAX:
            continue
        value = data[start:end]
        if kind in _MARKED and not value.isdigit():
            bare = value.translate(None, _MARKS)
            if len(bare) >= BARE_DIGITS_MIN and bare.isdigit():
                wanted.setdefault(bare, kind)
        if is_few and data.count(value) < 2:
            continue
        if TAKEN not in value and _tells(record, value, kind):
            wanted[value] = kind
    return wanted


def _tells(record: Record, value: bytes, kind: Kind) -> bool:
    """Whether a value is no other thing's by chance."""
    if kind in _NUMBERS:
        return digits(value) >= DIGITS_MIN
    if kind in _LOGINS:
        word = value.lower()
        is_word = word.isalpha() and record.lexicon.flags(word) & WORD
        return len(value) >= LOGIN_MIN and not is_word
    if kind is Kind.SECRET:
        return len(value) >= SECRET_MIN and not value.isalpha()
    return len(value) >= TEXT_MIN


def _each(data: bytes, value: bytes) -> Iterator[int]:
    """Yield where a value stands, the places apart from each other."""
    at = data.find(value)
    while at >= 0:
        yield at
        at = data.find(value, at + len(value))


def _noted(data: bytes, wanted: Iterable[bytes]) -> dict[bytes, list[int]]:
    """Return where each of many values stands; one search for each would cost the square.

    Every run of the record is looked at once, with the forms of the values that begin with it.
    """
    found: dict[bytes, list[int]] = {value: [] for value in wanted}
    forms: dict[bytes, set[tuple[int, int]]] = {}
    for value in found:
        offset, first = _first(value)
        forms.setdefault(first, set()).add((offset, len(value)))
    for match in _RUN.finditer(data):
        for offset, size in forms.get(match.group(), ()):
            start = match.start() - offset
            places = found.get(data[start : start + size]) if start >= 0 else None
            if places is not None:
                places.append(start)
    return found


def _first(value: bytes) -> tuple[int, bytes]:
    match = _RUN.search(value)
    return (match.start(), match.group()) if match is not None else (0, value)


def _take(record: Record, value: bytes, kind: Kind, places: Iterable[int]) -> None:
    data = record.data
    is_sure = digits(value) >= SURE_DIGITS or kind not in _NUMBERS
    for at in places:
        end = at + len(value)
        if not record.covered(at, end) and _is_apart(data, at, end, is_sure=is_sure):
            record.hit(kind, at, end, "a value found elsewhere in the record")


def _is_apart(data: bytes, start: int, end: int, *, is_sure: bool) -> bool:
    """Whether a value stands for itself; a short number also in no larger thing, as a version is."""
    before, behind = data[start - 1 : start], data[end : end + 1]
    if before.isalnum() or behind.isalnum():
        return False
    if is_sure:
        return True
    joined_before = before in _JOINS and data[start - 2 : start - 1].isalnum() if before else False
    joined_behind = behind in _JOINS and data[end + 1 : end + 2].isalnum() if behind else False
    return not joined_before and not joined_behind

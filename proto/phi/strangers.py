"""A last look at a record in which somebody was found: for what stands there and is no machine's word.

What says that a record is about people may stand behind their names. Then the names were judged as
in a record about machines, and are judged again here. And a capitalised word of which nothing is
known, or which is a name before it is a word, is somebody's where others are.
"""

import re

from proto.phi import beside, beyond, company, context, introduced, runs
from proto.phi.lexicon import ALSO, CONTEXT, CUE, FIRST, LAST, LIKELY, NAMELIKE, STRANGER, WORD
from proto.phi.namesakes import is_namesake
from proto.phi.record import PEOPLE, Record
from proto.phi.values import Kind

_ALONE = re.compile(
    rb"[A-Z](?<![A-Za-z0-9_.\\/@:=%&?#-][A-Z])[a-z]{3,}(?:['-][A-Z][a-z]+)?(?=[ ,;.!?)\"'|<\n]|'s|$)"
    rb"(?! v?[0-9]|\.[A-Za-z0-9_]|\"?[:=])"
)
_WORD = r"(?:[A-Z][a-z']{0,3})?[A-Z](?:[a-z'-]+|[A-Z'-]+)"
_PAIRS = re.compile(
    rf"([A-Z](?<![A-Za-z0-9_.-][A-Z])(?:[a-z']{{0,3}}[A-Z])?(?:[a-z'-]*|[A-Z'-]+))(?:[,.]? |,)(?=({_WORD})(?![A-Za-z0-9_=]))".encode()
)
_ALL_BITS = bytes(255 if byte else 0 for byte in range(256))
_NAMES = FIRST | LAST | ALSO
_NO_STRANGER = WORD | CUE | CONTEXT
_SOMEBODY = STRANGER | LIKELY | NAMELIKE


def read(record: Record, about_people: bool) -> None:  # noqa: FBT001 - what the record was before
    """Look again where people were found only on the way, then at strangers beside them.

    Args:
        record: the record.
        about_people: whether it was known from the start that it is about people.
    """
    if not about_people and _may_name_somebody(record):
        before = _count(record)
        for look in (runs.loose, introduced.read, company.read, beyond.read):
            look(record)
        if _count(record) > before:
            beside.read(record)
            context.read(record)
    known, find, at = record.known, (b" " + record.apart + b" ").find, 0
    for run in record.runs:
        if run.istitle() and known[run] & _SOMEBODY:
            at = find(b" " + run + b" ", at)  # here the run begins, for a blank stands before all
            if record.covered(at, at + 1):
                continue
            if any(one[2] in PEOPLE for one in record.found):
                _alone(record, _rest(record))
            return


def _count(record: Record) -> int:
    """Return how many bytes were found."""
    return 0 if record.taken is None else record.taken.count(1)


def _rest(record: Record) -> bytes:
    """Return the bytes with what was found as bytes of no letter."""
    if record.taken is None:
        return record.data
    taken = int.from_bytes(record.taken.translate(_ALL_BITS), "little")
    return (int.from_bytes(record.data, "little") | taken).to_bytes(len(record.data), "little")


def _may_name_somebody(record: Record) -> bool:
    """Whether a pair that can be somebody's stands there, or the initials of one."""
    if "initials" in record.shapes:
        return True
    if not record.every & _SOMEBODY:
        return False
    written = record.lexicon.written
    for one, two in _PAIRS.findall(_rest(record)):
        some = written(one), written(two)
        if not all(flag & WORD for flag in some) or all(flag & _NAMES for flag in some):
            return True
    return False


def _alone(record: Record, rest: bytes) -> None:
    """Take single capitalised words that are no words of machines."""
    for match in _ALONE.finditer(rest):
        flags = record.lexicon.written(match.group())
        if not flags & _NO_STRANGER and not is_namesake(record, *match.span()):
            record.hit(Kind.NAME, *match.span(), "a stranger's word in a record about somebody")

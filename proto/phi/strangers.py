"""A last look at a record in which somebody was found: for what stands there and is no machine's word.

What says that a record is about people may stand behind their names. Then the names were judged as
in a record about machines, and are judged again here. And a capitalised word of which nothing is
known, or which is a name before it is a word, is somebody's where others are.
"""

import re

from proto.phi import beside, beyond, company, context, people
from proto.phi.lexicon import ALSO, CONTEXT, CUE, FIRST, LAST, LIKELY, STRANGER, WORD
from proto.phi.record import PEOPLE, TAKEN, Record
from proto.phi.values import Kind

_CAPITALISED = re.compile(rb"(?<![A-Za-z0-9_.-])[A-Z][A-Za-z'-]{2,}(?![A-Za-z0-9_=])")
_ALONE = re.compile(
    rb"(?<![A-Za-z0-9_.\\/@:=%&?#-])[A-Z][a-z]{3,}(?:['-][A-Z][a-z]+)?(?=[ ,;.!?)\"'|<\n]|'s|$)"
    rb"(?! v?[0-9]|\.[A-Za-z0-9_]|\"?[:=])"
)
_NAMES = FIRST | LAST | ALSO
PAIR = 2
_NO_STRANGER = WORD | CUE | CONTEXT


def read(record: Record, about_people: bool) -> None:  # noqa: FBT001 - what the record was before
    """Look again where people were found only on the way, then at strangers beside them.

    Args:
        record: the record.
        about_people: whether it was known from the start that it is about people.
    """
    if not record.every & (STRANGER | LIKELY) and (about_people or "initials" not in record.shapes):
        return
    rest = _rest(record)
    written = record.lexicon.written
    flags = list(map(written, _CAPITALISED.findall(rest)))
    if not about_people and ("initials" in record.shapes or _may_be_somebody(flags)):
        before = _count(record)
        for look in (people.loose, company.read, beyond.read):
            look(record)
        if _count(record) > before:
            beside.read(record)
            context.read(record)
            rest = _rest(record)
    if any(not flag & _NO_STRANGER for flag in flags) and any(
        one[2] in PEOPLE for one in record.found
    ):
        _alone(record, rest)


def _count(record: Record) -> int:
    """Return how many bytes were found."""
    return 0 if record.taken is None else record.taken.count(1)


def _rest(record: Record) -> bytes:
    """Return the bytes with what was found as that of tokens."""
    rest = bytearray(record.data)
    for start, end, _, _ in record.found:
        rest[start:end] = TAKEN * (end - start)
    return bytes(rest)


def _may_be_somebody(flags: list[int]) -> bool:
    """Whether a word can be somebody's by itself, or two that are machines' words too."""
    if any(not flag & WORD for flag in flags):
        return True
    return len([flag for flag in flags if flag & _NAMES]) >= PAIR


def _alone(record: Record, rest: bytes) -> None:
    """Take single capitalised words that are no words of machines."""
    for match in _ALONE.finditer(rest):
        flags = record.lexicon.written(match.group())
        if not flags & _NO_STRANGER:
            record.hit(Kind.NAME, *match.span(), "a stranger's word in a record about somebody")

"""What stands behind a key instead of what the key says: numbers where names or days are due."""

import re

from proto.phi.keys import Told
from proto.phi.lexicon import SURE, WORD
from proto.phi.people import LOWER_A
from proto.phi.record import Record, digits
from proto.phi.spoken import number_of_somebody
from proto.phi.takers import TAKERS
from proto.phi.values import Kind

VISIT_DIGITS_MIN = 6


def _visit(record: Record, told: Told, value: int, limit: int) -> int:
    """Take a number where a day was expected: `Visit: 563845513`."""
    del told
    end = TAKERS["MRN"][1](record, value, limit)
    text = record.data[value:end] if end > 0 else b""
    if digits(text) < VISIT_DIGITS_MIN or b"." in text or b"-" in text:
        return -1
    record.hit(Kind.OTHER_ID, value, end, "a number where a day was expected")
    return end


def _no_name(record: Record, told: Told, value: int, limit: int) -> int:
    """Take what stands behind a key of names and does not read like one."""
    end = -1
    if record.data[value - 1 : value] == b"=":
        end = _bare_name(record, value, limit)
    if end < 0:
        return number_of_somebody(record, value, limit) if told.person else -1
    record.hit(Kind.NAME, value, end, "the key says NAME")
    return end


_BARE_NAME = re.compile(rb"[A-Za-z][A-Za-z'-]{1,40}(?=[\s&;,|\]})]|$)")
_PIECES = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def _bare_name(record: Record, value: int, limit: int) -> int:
    """Take one word of a `last=Lemon`: a word of machines too if it has a capital, else a strange one."""
    match = _BARE_NAME.match(record.data, value, limit)
    if match is None or match.group().lower() in record.lexicon.vocabulary["nothing"]:
        return -1
    if match.group()[0] < LOWER_A:
        return match.end()
    flags = [record.lexicon.flags(piece.lower()) for piece in _PIECES.findall(match.group())]
    is_strange = any(not flag & WORD or flag & SURE for flag in flags)
    return match.end() if is_strange and len(match.group()) >= SMALL_CHARS_MIN else -1


SMALL_CHARS_MIN = 4


def maybe_number(record: Record, value: int, limit: int) -> int:
    """Take a number where a person may be named, in a record about people: subject=1058500190."""
    end = TAKERS["MRN"][1](record, value, limit) if record.person else -1
    text = record.data[value:end] if end > 0 else b""
    if digits(text) < 6 or b"." in text or b":" in text:
        return -1
    record.hit(Kind.MRN, value, end, "a number where a person may be named")
    return end


INSTEAD = {"NAME": _no_name, "DATE": _visit}
"""What may stand behind a key instead of what it says."""

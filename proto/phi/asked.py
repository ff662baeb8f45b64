"""Values of queries in which pluses stand for blanks: `?dob=15+February+1937&city=cedar+rapids`."""

import re

from proto.phi.fitness import fits
from proto.phi.keys import Told
from proto.phi.record import Record
from proto.phi.takers import TAKERS

_VALUE = re.compile(rb"[^&\s\"'<>#;\x01]{1,300}(?=[&\s\"'#]|$)")
_NOT_SPOKEN = frozenset({"SECRET", "USERNAME", "URL", "EMAIL", "BIOMETRIC", "PHOTO"})
"""Classes whose values have no blanks."""


def take_asked(record: Record, told: Told, value: int) -> int:
    """Take the whole value behind a key and `=` if, pluses read as blanks, it can be of its class.

    Returns:
        Where the value ends, -1 when nothing was taken.
    """
    match = _VALUE.match(record.data, value)
    if match is None or b"+" not in match.group()[1:] or told.kind in _NOT_SPOKEN:
        return -1
    text = match.group().replace(b"+", b" ")
    said = Record(text, text.lower(), record.lexicon)
    said.person = record.person
    if not fits(said, told, 0, len(text)):
        return -1
    kind = TAKERS[told.kind][0]
    record.hit(kind, *match.span(), f"the key of a query says {kind}")
    return match.end()

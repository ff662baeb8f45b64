"""Observations in a message (HL7 v2, OBX): what one is called stays, whose number it holds goes.

The name of an observation (OBX-3) is a code, which may be called after people; it tells what the
value (OBX-5) is: the number of an implant, of a study, of an order. So does its type (OBX-2).
"""

import re

from proto.phi.record import LETTERS, Record, digits
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_OBSERVATION = Pattern(
    r"OBX\|[^|\r\n]{0,8}\|([^|\r\n]{0,4})\|([^|\r\n]{1,200})\|[^|\r\n]{0,40}\|([^|\r\n]{0,250})"
)
_PIECE = re.compile(rb"[^|^~&\\\r\n\x01]{1,200}")
_NUMBERED = frozenset(
    b"serial serials ser sn snr lot identifier id udi number no nr nbr num".split()
)
_WORN = frozenset(
    b"idc lead leads electrode generator valve graft lens iol mesh screw plate prosthetic allograft"
    b" explant explanted pulse crt crtd crtp ipg vns dbs ilr port shunt".split()
)
_UNIQUE = frozenset(b"udi".split())
_OF_STUDIES = re.compile(
    rb"accession|(?:study|series|sop)[ _]?(?:instance)?[ _]?u?id(?![a-z])|instance[ _]uid|placer|filler"
    rb"|specimen (?:id|no|num|bar)|requisition"
)
_OF_SOMEBODY = b"CX"
"""The type of a number that somebody gave to a person, with its check digit and its giver."""
DIGITS_MIN = 3


def read(record: Record) -> None:
    """Keep the names of observations; take the numbers that they announce."""
    for _, form, called, value in _OBSERVATION.each(record.data):
        record.facts.append(called)
        kind = _announced(record, record.lower[slice(*called)])
        if record.data[slice(*form)] == _OF_SOMEBODY:
            kind = kind or Kind.OTHER_ID
        if kind is None:
            continue
        for piece in _PIECE.finditer(record.data, *value):
            if digits(piece.group()) >= DIGITS_MIN:
                record.hit(kind, *piece.span(), "the observation's name says whose it is")


def _announced(record: Record, called: bytes) -> Kind | None:
    """Return the class of the value that an observation's name announces, if it is somebody's."""
    words = frozenset(called.translate(LETTERS).split())
    if _UNIQUE & words or {b"unique", b"device"} <= words or {b"device", b"identifier"} <= words:
        return Kind.DEVICE
    implanted = _WORN & words or record.lexicon.vocabulary["implants"] & words
    if implanted and _NUMBERED & words:
        return Kind.DEVICE
    return Kind.OTHER_ID if _OF_STUDIES.search(called) is not None else None

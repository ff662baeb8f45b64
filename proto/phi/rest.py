"""Whether a scrubbed record is at rest: a second look at it would find nothing new.

A second look at all of it costs as much as the first. Most of that is spared where replacing could
not have made anything new:

- Readers that judge a value by its own form and its neighbours see the same as before unless a
  neighbour is now a token. So no letter, digit or mark that such readers look beyond may touch a token.
- A key's value, a field, a path, a command line or an escaped layer may have become another where
  a token stands in the middle of it. So these are read again, where their forms are.

Names only get fewer: fewer neighbours, and less that says that a record is about people.
"""

import re
from collections.abc import Callable

from proto.phi import (
    blobs,
    changes,
    credentials,
    labels,
    nested,
    pairs,
    paths,
    secrets,
    segments,
    shapes,
    tables,
)
from proto.phi.lexicon import Lexicon
from proto.phi.plans import plan
from proto.phi.record import Found, Record
from proto.phi.views import View

_AGAIN = plan(
    (
        (segments.read, frozenset({"hl7", "x12", "dicom", "astm", "fhir"})),
        (tables.read, frozenset({"rows", "sql", "arrays"})),
        (labels.read, frozenset()),
        (pairs.read, frozenset({"apart"})),
        (
            changes.read,
            frozenset({"member", "listed", "changed", "column", "column_ahead", "form"}),
        ),
        (nested.read, frozenset({"nested"})),
        (secrets.read, frozenset({"secret"})),
        (credentials.read, credentials.GATES),
        (shapes.read_carets, frozenset({"caret"})),
        (paths.read, frozenset({"url", "file", "dated", "route", "asks"})),
    )
)
"""Readers of what may stretch beyond a token, with the forms that call for them, in their order."""
_PARTING = b":,;|"
_OPENING = b"([{=#"
_CLOSING = b" \t\r\n\"')]}<>\\^&~*"
_EDGES = bytes(
    byte if byte == 1
    else byte if byte == 46
    else ord(":") if byte in _PARTING
    else ord("(") if byte in _OPENING
    else ord(" ") if byte in _CLOSING
    else ord("x")
    for byte in range(256)
)  # fmt: skip
_TOUCHED = tuple(b"x\x01 .\x01 \x01x \x01( \x01:x \x01:( \x01.. \x01.: \x01.(".split(b" "))
"""What must not be."""
_DOTTED = re.compile(rb"\x01\.(?![a-z]{2,5}(?:[\s\"'<>()\[\]\\&]|$))[^\s\"'<>)\]}\\^&~*]")
"""A full stop behind a token that neither ends a sentence nor begins the extension of a file."""
_VERSION_GONE = re.compile(
    rb"\x01[^\x01\n0-9]{0,12}(?!10\.|127\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.)[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
)
"""An address shortly behind a token, where a version was told from an address by a word."""
_DIGITS = b"0123456789"


def at_rest(
    data: bytes, forms: frozenset[str], lexicon: Lexicon, look: Callable[[View], list[Found]]
) -> bool:
    """Whether nothing new can be found; False when only a whole look can tell.

    Args:
        data: the view of the record as it was scrubbed.
        forms: what could be in it before.
        lexicon: the words.
        look: how a decoded layer is looked at.
    """
    edges = data.translate(_EDGES)
    for touched in _TOUCHED:
        if touched in edges:
            return False
    if b"x:\x01" in edges and _digit_parted(data, edges):
        return False
    if b"\x01." in data and _DOTTED.search(data) is not None:
        return False
    if "born" in forms and (b"18" in data or b"19" in data):
        return False  # it was compared with days that are gone now
    if "ip" in forms and _VERSION_GONE.search(data) is not None:
        return False  # a token may have swallowed the word that made it a version
    record = Record(data, data.lower(), lexicon)
    record.shapes = forms
    for read in _AGAIN(forms):
        read(record)
    if not blobs.IN_PLACE.isdisjoint(forms):
        blobs.read_in_place(record, look)
    return not record.found


def _digit_parted(data: bytes, edges: bytes) -> bool:
    """Whether a digit is parted from a token by one mark: `443:` before one is free of it now."""
    at = edges.find(b"x:\x01")
    while at >= 0:
        if data[at] in _DIGITS:
            return True
        at = edges.find(b"x:\x01", at + 1)
    return False

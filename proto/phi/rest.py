"""Whether a scrubbed record is at rest: a second look at it would find nothing new.

A second look at all of it costs as much as the first. Most of that is spared where replacing could
not have made anything new:

- Readers that judge a value by its own form and its neighbours see the same as before unless a
  neighbour is now a token. So no letter, digit or mark that joins words may touch a token.
- Readers of structure and of encoded layers see the same unless marks were replaced: a record with
  such a form is looked at again as a whole.
- A key's value, a path or a command line may have become another where a token stands in the middle
  of it. So these are read again.

Names only get fewer: fewer neighbours, and less that says that a record is about people.
"""

from proto.phi import changes, credentials, labels, pairs, paths, secrets
from proto.phi.blobs import is_quoted
from proto.phi.lexicon import Lexicon
from proto.phi.record import Record

_STRUCTURED = frozenset(
    {"hl7", "x12", "dicom", "fhir", "rows", "sql", "escape", "marked", "spaced"}
)
_AGAIN = (
    (pairs.read, frozenset({"apart"})),
    (changes.read, frozenset({"member", "listed", "changed", "form"})),
    (secrets.read, frozenset({"secret"})),
    (credentials.read, credentials.GATES),
    (paths.read, frozenset({"url", "file"})),
)
"""Readers of what may stretch beyond a token, with the forms that call for them."""
_PARTING = b":,;|"
_OPENING = b"([{=#"
_CLOSING = b" \t\r\n\"')]}<>"
_EDGES = bytes(
    byte if byte == 1
    else byte if byte == 46
    else ord(":") if byte in _PARTING
    else ord("(") if byte in _OPENING
    else ord(" ") if byte in _CLOSING
    else ord("x")
    for byte in range(256)
)  # fmt: skip
_TOUCHED = tuple(b"x\x01 .\x01 \x01x \x01( \x01:x \x01:( \x01.x \x01.. \x01.: \x01.(".split(b" "))
"""What must not be: a full stop may follow a token only at the end of a sentence."""
_DIGITS = b"0123456789"


def at_rest(data: bytes, forms: frozenset[str], lexicon: Lexicon) -> bool:
    """Whether nothing new can be found; False when only a whole look can tell.

    Args:
        data: the view of the record as it was scrubbed.
        forms: what could be in it before.
        lexicon: the words.
    """
    if not _STRUCTURED.isdisjoint(forms) or ("quoted" in forms and is_quoted(data)):
        return False
    edges = data.translate(_EDGES)
    if any(touched in edges for touched in _TOUCHED) or _digit_parted(data, edges):
        return False
    if "born" in forms and (b"18" in data or b"19" in data):
        return False  # it was compared with days that are gone now
    record = Record(data, data.lower(), lexicon)
    record.shapes = forms
    labels.read(record)
    for read, wanted in _AGAIN:
        if not wanted.isdisjoint(forms):
            read(record)
    return not record.found


def _digit_parted(data: bytes, edges: bytes) -> bool:
    """Whether a digit is parted from a token by one mark: `443:` before one is free of it now."""
    at = edges.find(b"x:\x01")
    while at >= 0:
        if data[at] in _DIGITS:
            return True
        at = edges.find(b"x:\x01", at + 1)
    return False

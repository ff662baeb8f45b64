"""People whom devices, labels and chats name: `Karen's iPad`, `^FDSMITH, JOHN^FS`, `[10:14] Karen:`.

Such lines have no key and often a first name alone; the convention around it tells that it is one.
"""

import re

from proto.phi.lexicon import ALSO, CUE, FIRST, LAST, SURE, WORD
from proto.phi.people import take_name, word_flags
from proto.phi.record import Record, digits
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_OWNED = (
    "iphone|ipad|ipod|phone|laptop|macbook|pc|computer|tablet|watch|airpods|galaxy|desktop|cell|mac|kindle|pixel"
    "|android|notebook|workstation|surface|imac|printer|echo|hotspot|headset|monitor"
)
_OF_PEOPLE = (
    "chart|mom|mother|dad|father|wife|husband|daughter|son|insurance|appointment|appt|account|records?|labs?|results?|desk"
    "|office|inbox|mailbox|calendar|login|password|car|van|truck|home|birthday|visit|schedule|shift|badge|parents|sister"
    "|address|envelope|copay|letter|label|kids|kid|email|coverage|paperwork|photos|photo|teeth|tooth"
    "|brother|family|refill|prescription|rx|meds|x-?rays?|dob|ssn|mrn|voicemail|extension|statement|bill|balance|claim"
)
_OWNER = Pattern(
    rf"\b([A-Z][A-Za-z]{{1,20}}(?:[ -][A-Z][A-Za-z]{{1,20}})?)(?:'s?|s') (?i:(?:[a-z]{{2,10}} )?(?:{_OWNED}|{_OF_PEOPLE})\b)"
)
_OWNER_BELOW = Pattern(rf"\b([a-z]{{3,20}})'s (?i:{_OWNED})\b")
_DEVICE = re.compile(rf"(?i)(?:{_OWNED})\b\Z".encode())
_OF_OWNER = Pattern(
    rf"(?i:\b(?:{_OWNED})) (?:of|for) ([A-Z][a-zA-Z]{{2,20}}(?: [A-Z][a-z]{{1,20}})?)\b"
)
_OF_DEVICE = re.compile(rf"(?i)\b(?:{_OWNED}) (?:of|for) \Z".encode())
_FIELD = Pattern(r"\^(?:FD|FV)([^^~\n]{1,80})\^FS")
_DAY = re.compile(
    rb"\b(?:[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4}|[0-9]{4}-[0-9]{2}-[0-9]{2}|(?:19|20)[0-9]{6})\b"
)
_NUMBER = re.compile(rb"[A-Z]{0,3}[0-9-]{6,12}\b")
_TALK = Pattern(
    r"(?m)(?:^|\n)(?:\[?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: ?[AaPp][Mm])?\]?,? ?-? ?|\[[0-9/. -]{6,12},? [0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: [AP]M)?\] )<?@?([A-Z][a-z]{1,20}(?: [A-Z][A-Za-z'.-]{0,20}){0,2})>?(?: \([a-z ]{2,20}\))?(?::|>) "
)

GATED = (("owner", (_OWNER, _OWNER_BELOW, _OF_OWNER)), ("zpl", (_FIELD,)), ("talk", (_TALK,)))
"""Each gate with the patterns that are tried only when it is lit."""


def read(record: Record) -> None:
    """Find owners, names on labels, and who says something."""
    if "owner" in record.shapes:
        _owners(record)
    if "zpl" in record.shapes:
        _zpl(record)
    if "talk" in record.shapes:
        for spans in _TALK.each(record.data):
            if _is_somebody(record, *spans[1]):
                record.hit(Kind.NAME, *spans[1], "who says something in a chat")


def _is_somebody(record: Record, start: int, end: int) -> bool:
    """Whether capitalised words name somebody: one that is a name before it is a word."""
    flags = [word_flags(record, word) for word in record.data[start:end].split() if len(word) > 1]
    return any(
        flag & (FIRST | LAST) and not (flag & WORD and not flag & SURE) for flag in flags
    ) and not (flags[0] & CUE)


def _owners(record: Record) -> None:
    for spans in (*_OWNER.each(record.data), *_OF_OWNER.each(record.data)):
        start, end = spans[1]
        flags = word_flags(record, record.data[start:end].split()[-1])
        behind = _DEVICE.search(record.data, start, spans[0][1])
        device = behind is not None or _OF_DEVICE.search(record.data, max(0, start - 20), start)
        named = _is_somebody(record, start, end)
        if named or (device and not flags & (WORD | CUE)) or (record.person and flags & ALSO):
            kind = Kind.HOST_PERSON if device else Kind.NAME
            record.hit(kind, start, end, "whose something is")

    for start, end in _OWNER_BELOW.values(record.data):
        flags = word_flags(record, record.data[start:end])
        if flags & (FIRST | LAST) and not flags & (WORD | CUE):
            record.hit(Kind.HOST_PERSON, start, end, "whose something is")


def _zpl(record: Record) -> None:
    """Read the fields of a label in ZPL: one that holds a name tells what the others are."""
    data = record.data
    fields = [spans[1] for spans in _FIELD.each(data)]
    named = False
    for start, end in fields:
        stop = take_name(record, start, end)
        flags = [word_flags(record, word) for word in data[start:end].replace(b",", b" ").split()]
        if stop > start and any(flag & SURE and not flag & WORD for flag in flags):
            record.hit(Kind.NAME, start, stop, "a name on a label")
            named = True
    if not (named or record.person):
        return
    for start, end in fields:
        for pattern, kind in ((_DAY, Kind.DATE), (_NUMBER, Kind.MRN)):
            for match in pattern.finditer(data[start:end]):
                span = start + match.start(), start + match.end()
                if not record.covered(*span) and digits(match.group()) >= 5:
                    record.hit(kind, *span, "beside a name on a label")

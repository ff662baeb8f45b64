"""Keys of JSON and XML that tell something only together with what they stand in: `subscriber.id`.

A reader of lines sees `"id":"…"` and cannot know whose; a path can. It is walked only where a
record of nested objects has keys that speak of people.
"""

from proto.phi.documents import xml_values
from proto.phi.fitness import fits
from proto.phi.labels import take_user
from proto.phi.lexicon import TELLS
from proto.phi.record import Record
from proto.phi.takers import TAKERS

_BARE = frozenset(
    b"id ids number no num value name first last middle full phone mobile home work tel address addr"
    b" line line1 street city zip postal key ref date dob start end email mail identifier text"
    b" display code plate serial at when time on slot with by who begin from to".split()
)

_BARE_WORDS = frozenset(key.rstrip(b"0123456789") for key in _BARE)


def read(record: Record) -> None:
    """Find values by their key and the one above it."""
    if not record.every & TELLS or _BARE_WORDS.isdisjoint(record.words):
        return
    keys, implants = record.lexicon.policy.keys, record.lexicon.vocabulary["implants"]
    elements = xml_values(record.data) if b"></" in record.data else ()
    for value in (*record.members, *elements):
        own = value.path[-1]
        if own.lower() not in _BARE or keys.told(own) is not None:
            continue
        above = next((key for key in reversed(value.path[:-1]) if key), b"")
        if not above:
            continue
        told = keys.told(above + b"_" + own)
        if told is None or record.covered(value.start, value.end):
            continue
        if told.kind == "DEVICE_MAYBE" and record.words.isdisjoint(implants):
            continue
        if told.kind == "DATE_MAYBE" and not record.person:
            continue
        if told.kind == "USERNAME":
            take_user(record, value.start, value.end)
        elif fits(record, told, value.start, value.end):
            kind = TAKERS[told.kind][0]
            record.hit(kind, value.start, value.end, f"the keys above say {kind}")

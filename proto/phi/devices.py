"""People whom devices are named after: `Lisas-iPhone`, `DrGraham-Surface`, `minjun-SURFACE`."""

import re

from proto.phi import logins
from proto.phi.lexicon import ALSO, CONTEXT, CUE, FIRST, LAST, ROOT, SURE, WORD
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_HOST = Pattern(r"[A-Za-z][A-Za-z0-9]*(?:'s)?(?:-[A-Za-z0-9]+)+")
_CAMEL = re.compile(rb"[A-Z]?[a-z']+|[A-Z]+(?![a-z])|[0-9]+")
_SPOKEN = re.compile(rb"\A(?=[^aeiouy]{0,3}[aeiouy])(?!.*[^aeiouy]{5})")
_MANY = frozenset(
    b"sales doctors nurses guests patients visitors xrays labs services systems windows users exams status".split()
)


_CARRIED = (
    b"-iphone", b"-mbp", b"-galaxy", b"-airpods", b"-pixel", b"-macbook", b"-macbook-air", b"-macbook-pro", b"-thinkpad",
)  # fmt: skip
PIECES_OF_OWNED = 2
OWNER_LETTERS_MIN = 5


def _owns(host: bytes, word: bytes, mark: int) -> bool:
    """Whether the word before a brand is whose it is: a first name, or `minjun` of `minjun-SURFACE`."""
    if mark & WORD:
        wanted = FIRST | LAST | ALSO if host.lower().endswith(_CARRIED) else FIRST
        return bool(mark & wanted) and not mark & (CUE | CONTEXT | ROOT)
    # It is written otherwise than its brand, or the brand is of what people carry.
    apart = host.startswith(word) and (not host.islower() or host.endswith(_CARRIED))
    return (
        apart and not mark & CUE and len(word) >= OWNER_LETTERS_MIN and bool(_SPOKEN.search(word))
    )


def read(record: Record) -> None:
    """Take the person out of `Lisas-iPhone`, `DrGraham-Surface`, `Galaxy-S23-Nicole`."""
    flags, brands = record.lexicon.flags, record.lexicon.vocabulary["brands"]
    for spans in _HOST.each(record.data):
        start, end = spans[0]
        if record.data[end : end + 1] == b"_":
            continue  # the name of an event: `%CAPWAP-3-ECHO_ERR`
        pieces = [
            (match.start(), match.end(), match.group().lower())
            for match in _CAMEL.finditer(record.data[start:end])
        ]
        lowered = record.lower[start:end]
        words = [word for _, _, word in pieces]
        if not any(
            word in brands or part in brands for word in words for part in (word,)
        ) and not any(part in brands for part in lowered.split(b"-")):
            continue
        doctor = False
        for begin, stop, word in pieces:
            bare = word.replace(b"'s", b"").replace(b"'", b"")
            mark = flags(bare)
            singular = flags(bare[:-1]) if bare.endswith(b"s") else 0
            if bare in {b"dr", b"doctor", b"nurse"}:
                doctor = True
                continue
            brand = word in brands or any(
                part in brands and word in part for part in lowered.split(b"-")
            )
            strange = not mark & WORD and len(bare) >= 3 and not brand
            if not brand and (
                mark & SURE
                or (not mark & (WORD | CUE) and logins.initial_and_last(record, bare))
                or logins.joined(record, bare)
                or singular & SURE
                or doctor
                or (
                    strange
                    and record.data[start + begin : start + begin + 1].isupper()
                    and (len(bare) >= 5 or not record.data[start:end].isupper())
                )
                or (
                    begin == 0
                    and (len(pieces) == PIECES_OF_OWNED or lowered.endswith(_CARRIED))
                    and _owns(record.data[start:end], bare, mark)
                )
                # Wits-MacBook-Pro: whose it is stands first.
                or (begin == 0 and bare.endswith(b"s") and bare not in _MANY and len(bare) > 3)
            ):
                record.hit(
                    Kind.HOST_PERSON, start + begin, start + stop, "a person in a device's name"
                )
                doctor = False

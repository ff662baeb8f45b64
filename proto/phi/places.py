"""Towns and streets beside people: what lies behind a state, what people do in towns.

A town has no form of its own. What stands around it tells it, or that nothing is known of its name.
"""

import re

from proto.phi.lexicon import CONTEXT, CUE, NAMEY, STREET, SURE, WORD
from proto.phi.people import word_flags
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_PLACE = Pattern(
    r"\b(?:in|our|from|to|near|at|of|city|town|county|parish|lives in|moved to) "
    r"((?:[A-Z][a-z'.]{1,20} ){0,2}[A-Z][a-z']{2,20})(?:$|[^A-Za-z0-9_\\/=:])"
)
_HOME = re.compile(
    rb"(?:^|[^a-z])(?:liv(?:es?|ed|ing)|resid(?:es?|ed|ing)|born|grew up|stay(?:s|ed|ing)|home|house|hospital|er|urgent care|nursing home|school|moved back) in \Z"
    rb"|(?:^|[^a-z])(?:mov(?:ed|ing|es)|relocat(?:ed|ing)|driv(?:es?|ing)|commut(?:es|ed|ing)|flew|fly(?:ing)?|travel(?:s|ed|ing)) (?:to|from|in from|down from|up from) \Z"
)
"""What people alone do in towns."""
_PLACE_HEADS = frozenset(
    b"north south east west new port lake fort mount st st. san santa saint upper lower".split()
)
_PLACE_TAILS = re.compile(
    rb"(?:ville|ton|burg|burgh|borough|town|furt|haven|mouth|port|shire|bury|ford|field|stad|land|side|view|chester|berg)$"
)
_WATERS = frozenset(b"falls springs heights beach junction".split())
_HEIGHTS = frozenset(b"falls springs heights junction beach city park hills grove creek".split())


def _is_of_people(record: Record, start: int) -> bool:
    """Whether what people alone do in towns stands before a place."""
    return _HOME.search(record.lower, max(0, start - 24), start) is not None


def near_people(record: Record) -> None:
    """Find towns where people are, in a record about people."""
    for start, end in _PLACE.values(record.data):
        if record.taken is not None and record.taken.find(0, start, end) < 0:
            continue
        words = record.lower[start:end].split()
        flags = [word_flags(record, word) for word in record.data[start:end].split()]
        said = flags[1:] if words[0] in _PLACE_HEADS and len(words) > 1 else flags
        if any(flag & (CUE | CONTEXT) for flag in said):
            continue
        strange = sum(not flag & WORD for flag in flags)
        headed = words[0] in _PLACE_HEADS and len(words) > 1
        tailed = len(words) > 1 and words[-1] in _HEIGHTS
        named = _PLACE_TAILS.search(words[-1]) is not None and not flags[-1] & WORD
        if (
            (strange and (headed or tailed))
            or named
            or (headed and tailed)
            or (words[-1] in _WATERS and tailed and record.data[start - 3 : start] == b"in ")
            or (headed and any(flag & (NAMEY | SURE) for flag in flags[1:]))
            or ((tailed or not flags[-1] & WORD) and _is_of_people(record, start))
        ):
            record.hit(Kind.CITY, start, end, "a town, beside people")


_SMALL_STREET = Pattern(
    r"(?:^|[ (\"',;:>|])([0-9]{1,5} (?:(?:n|s|e|w|ne|nw|se|sw)\.? )?(?:[a-z]{3,14} ){1,3}(?:street|st|avenue|ave|road|rd|blvd|boulevard|lane|ln|drive|court|ct|terrace|parkway|pkwy)(?:,? (?:apt|unit|suite|ste|#)\.? ?[0-9a-z-]{1,6})?)(?:$|[ .,;:)\"'|])"
)


def streets(record: Record) -> None:
    """Find streets in small letters, and towns behind streets, in a record about people."""
    _small_streets(record)
    _after_streets(record)


def _small_streets(record: Record) -> None:
    """Take a street in small letters, beside people: `lives at 2131 maple drive`."""
    if record.every & STREET:
        for start, end in _SMALL_STREET.values(record.data):
            words = record.data[start:end].split()[1:]
            if not record.covered(start, end) and not any(word in _NO_STREET for word in words):
                record.hit(Kind.ADDRESS, start, end, "a street in small letters")


_NO_STREET = frozenset(
    b"the and for from with minutes hours days files bit is was to of on in at by not".split()
)
_AFTER_STREET = re.compile(
    rb",? ((?:[A-Z][a-z'.]{1,20} ){0,2}[A-Z][a-z']{2,20})(?=[.,;)\n]| [a-z]|$)"
)


_TOWN_AND_CODE = re.compile(
    rb"(?:,? ((?:[A-Z][A-Za-z'.-]{1,20} ){0,3}[A-Z][A-Za-z'.-]{2,20}))?,? ([0-9]{5}(?:-[0-9]{4})?)(?![0-9A-Za-z:.-])"
)
"""What follows a street where the state is left out: `…, St. Hadley 25845-7723`."""


def _after_streets(record: Record) -> None:
    """Take a town behind a street though no state follows."""
    for end in [one[1] for one in record.found if one[2] is Kind.ADDRESS]:
        postal = _TOWN_AND_CODE.match(record.data, end)
        if postal is not None:
            if postal[1]:
                record.hit(Kind.CITY, *postal.span(1), "a town behind a street")
            record.hit(Kind.ZIP, *postal.span(2), "a ZIP code behind a street")
            continue
        match = _AFTER_STREET.match(record.data, end)
        if match is not None:
            record.hit(Kind.CITY, *match.span(1), "a town behind a street")


_TITLED = re.compile(rb"((?:[A-Z][a-z.'-]{1,30} ){0,2}[A-Z][a-z'-]{2,30}) \Z")


def _town(record: Record, head: bytes) -> bool:
    """Whether what stands before a state reads as a town: words of which one is none of machines."""
    town = _TITLED.search(head)
    flags = [record.lexicon.written(word.strip(b".")) for word in town[1].split()] if town else []
    return bool(flags) and not flags[-1] & WORD


def postal_code(record: Record, start: int, end: int) -> None:
    """Take a ZIP code behind a state, and the town before it."""
    if record.data[end : end + 1].isalnum():
        return
    piece = record.data[max(start, end - 120) : end]
    state = re.search(rb"([A-Z]{2}),?[ .]{1,3}(\d{5}(?:-\d{4})?)$", piece)
    if state is None or state[1].lower() not in record.lexicon.vocabulary["states"]:
        return
    base = end - len(piece)
    comma = piece.rfind(b",", 0, state.start(1))
    parted = comma >= 0 and state.start(1) - comma <= 3
    if not record.person and not parted and not _town(record, piece[: state.start(1)]):
        return
    record.hit(Kind.ZIP, base + state.start(2), end, "a ZIP code after a state")
    head = piece[: state.start(1)].rstrip(b", ")
    words = re.search(rb"(?:[A-Z][A-Za-z.'-]{1,30} ){0,2}[A-Z][A-Za-z.'-]{1,30}$", head)
    if words is not None:
        record.hit(
            Kind.CITY,
            base + words.start(),
            base + words.end(),
            "a city before a state and a ZIP code",
        )

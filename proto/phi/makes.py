"""Makers with their models, typefaces, time zones and what is named after two people: no patients.

`Thermo Fisher Scientific KingFisher Flex`, `Franklin Gothic`, `America/Denver`, a `Smith-Petersen`
hip are noted as facts, so that whoever guesses at names passes them by. What a key or a cue before
them says counts more: it was read by then, and is left.
"""

import re

from proto.phi.eponyms import is_somebody
from proto.phi.lexicon import EPONYM, FIRST, LAST, SURE, WORD
from proto.phi.people import word_flags
from proto.phi.record import Record

_ZONE = re.compile(rb"/[A-Z][A-Za-z_+-]{1,24}(?:/[A-Z][A-Za-z_-]{1,24})?(?![A-Za-z0-9])")
_MODEL = re.compile(rb" ([A-Z][A-Za-z0-9-]{0,24})(?![A-Za-z0-9@\\=])(?!, ?[A-Z][a-z])")
_JOINTS = frozenset(b" -/_.&")
_GIVEN_BEHIND = re.compile(rb", ?([A-Z][A-Za-z'-]{1,24})")
MODELS_MAX = 3
FACTS_MAX = 256


def read(record: Record) -> None:
    """Note where makers, typefaces and time zones stand."""
    lists = record.lexicon.vocabulary
    for word, _ in record.flagged(EPONYM):
        rests = [rest.split(b"-") for rest in record.lexicon.eponyms[word]]
        zone, maker = word in lists["zones"], word in lists["makers"]
        for at in record.places(word):
            if len(record.facts) >= FACTS_MAX:
                return
            end = at + len(word)
            if zone and (match := _ZONE.match(record.data, end)) is not None:
                record.facts.append((at, match.end()))
                continue
            stop = max((_goes_on(record.lower, end, rest) for rest in rests), default=-1)
            if (stop > 0 or maker) and not is_somebody(record, at):
                _note(record, at, max(stop, end), paired=stop > 0)


def _goes_on(lower: bytes, end: int, rest: list[bytes]) -> int:
    """Return where the further words of what something is called end; -1 when they are not there."""
    for word in rest:
        if lower[end : end + 1] and lower[end] in _JOINTS:
            end += 1
        if lower[end : end + 2] == b"& ":
            end += 2
        if not lower.startswith(word, end):
            return -1
        end += len(word)
    return -1 if lower[end : end + 1].isalpha() else end


def _note(record: Record, start: int, end: int, *, paired: bool) -> None:
    """Note a maker or a pair with the models behind it, unless somebody's name goes on there."""
    data = record.data
    if not paired and not data[start : start + 1].isupper():
        return
    given = _GIVEN_BEHIND.match(data, end)
    if given is not None and _is_first(word_flags(record, given[1])):
        return  # Philips, Anna
    flags = word_flags(record, data[start:end]) if not paired else WORD
    surname = bool(flags & LAST and flags & SURE)
    for _ in range(MODELS_MAX):
        model = _MODEL.match(data, end)
        if model is None:
            break
        if surname and _is_first(word_flags(record, model[1])):
            return
        end = model.end()
    record.facts.append((start, end))


def _is_first(flags: int) -> bool:
    return bool(flags & FIRST and flags & SURE and not flags & WORD)

"""What is called after whoever found or made it: `Foley tray`, `Westgard rule`, `Carl Zeiss`.

The word alone may be somebody's name: what stands behind it within a few words tells the thing.
What is told so is a fact of equipment, and no name is taken inside it. A first name or a title
before the word counts more.
"""

import re

from proto.phi.lexicon import EPONYM, FIRST, SURE, WORD
from proto.phi.people import word_flags
from proto.phi.record import Record

WORDS_BEHIND_MAX = 3
_BEHIND = re.compile(rb"(?:'s)?([ -])([A-Za-z]{1,20})(?:[0-9]{0,4})(?=[^A-Za-z0-9_@=]|$)")
_RULE = re.compile(rb" (?:[0-9]{1,2}-?[0-9]?[a-z]{0,2}|[A-Z]-[0-9][a-z])(?= )")
"""The code of a rule between: `Westgard 1-3s violation`."""
_BEFORE = re.compile(rb"([A-Z][a-z'-]{1,24})\.? \Z")
_TITLES = frozenset(b"Dr Mr Mrs Ms Miss Mx Doctor Prof".split())
_CAPITALS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SUFFIX_LETTERS_MIN = 4


def read(record: Record) -> None:
    """Note the things called so as facts of equipment."""
    data, lists = record.data, record.lexicon.vocabulary
    for word, _ in record.flagged(EPONYM):
        pairs = record.lexicon.eponyms[word]
        for at in record.places(word):
            if data[at] not in _CAPITALS or is_somebody(record, at):
                continue
            end = _thing_ends(record, at + len(word), pairs)
            if end < 0 and word in lists["eponyms"]:
                end = _thing_ends(record, at + len(word), lists["eponymous"])
            if end < 0 and word in lists["makers"]:
                end = _thing_ends(record, at + len(word), lists["equipment"])
            if end > 0:
                record.facts.append((at, end))


def is_somebody(record: Record, at: int) -> bool:
    """Whether a title or a first name stands before: `Anna Foley tray`."""
    before = _BEFORE.search(record.data, max(0, at - 28), at)
    if before is None:
        return False
    flags = word_flags(record, before[1])
    return before[1] in _TITLES or bool(flags & FIRST and flags & SURE and not flags & WORD)


def _thing_ends(record: Record, end: int, things: frozenset[bytes]) -> int:
    """Return where the word for a thing ends, within a few words; -1 when none is there."""
    rule = _RULE.match(record.data, end, end + 8)
    end = end if rule is None else rule.end()
    for _ in range(WORDS_BEHIND_MAX):
        behind = _BEHIND.match(record.data, end, end + 32)
        if behind is None:
            return -1
        word, end = behind[2].lower(), behind.end()
        if word in things or (
            len(word) > _SUFFIX_LETTERS_MIN and word.removesuffix(b"s") in things
        ):
            return end
    return -1

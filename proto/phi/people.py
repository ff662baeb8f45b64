"""Names and logins of people in running text.

A name is taken after a cue: its words are read on from there for as long as they are a name's.
"""

import re

from proto.phi.lexicon import (
    ALSO,
    CONTEXT,
    CUE,
    KNOWN,
    LAST,
    NAMEY,
    SURE,
    WORD,
)
from proto.phi.record import Record

TOKENS_MAX = 6
SPREAD_LETTERS_MIN = 3
ACRONYM_LETTERS_MAX = 3
LOWER_A = ord("a")

TOKEN = re.compile(
    rb"[A-Za-z]{1,40}(?:'(?![sS]\b)[A-Za-z]{1,40}){0,3}(?:-[A-Za-z]{1,40}(?:'(?![sS]\b)[A-Za-z]{1,40})?){0,3}"
)
JOIN = re.compile(rb"\.?(?:,(?: |\+|%20)?|[ ]{1,2}|\^{1,3}|_|\+|\.|%20)")
_CAMEL = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
PARTICLES = frozenset(
    b"de la le van von der den bin ibn al el da do dos das di del du della st mac ter ten y e".split()
)
_SUFFIXES = frozenset(b"jr sr ii iii iv".split())
_NOT_FIRST = frozenset(b"the a not this that for from with was which".split())
"""Words that no name begins with, however they are written."""


def word_flags(record: Record, token: bytes) -> int:
    """Return a token's flags; of a hyphenated one those of its parts together."""
    return record.lexicon.written(token)


def take_name(record: Record, at: int, limit: int) -> int:
    """Take the words of a name after a cue; -1 when they do not read like one."""
    data, end, count, plain = record.data, -1, 0, 0
    place, comma = at, False
    while count < TOKENS_MAX:
        match = TOKEN.match(data, place, min(limit, place + 60))
        if match is None:
            break
        token = match.group()
        if data[match.end() : match.end() + 1] == b"=":
            break  # the next key
        if token == b"HTTP" and data[match.end() : match.end() + 1] == b"/":
            break  # the version behind a request
        taken = _belongs(record, token, match.end(), first=count == 0, comma=comma)
        if not taken and count == 0:
            taken = _stranger_first(record, match.end(), limit, token=token)
        if not taken:
            break
        if taken == 1:
            end = match.end()
            plain += 1
        count += 1
        join = JOIN.match(data, match.end(), min(limit, match.end() + 4))
        if join is None:
            break
        comma = b"," in join.group()
        place = join.end()
    return end if plain and not digit_at(data, end) and not _goes_on_as_host(data, at, end) else -1


def _goes_on_as_host(data: bytes, at: int, end: int) -> bool:
    """Whether capitals between hyphens go on with a hyphen and a number: `TR-DC-FW-INT-B-5600`."""
    return data[end : end + 1] == b"-" and b"-" in data[at:end] and data[at:end].isupper()


_SMALL_NEXT = re.compile(rb"(,?) ([a-z][a-z'-]{2,30})(?![A-Za-z0-9_@=:\\/'-])")


def _stranger_first(record: Record, end: int, limit: int, *, token: bytes) -> int:
    """Whether a stranger's word written small stands before a sure name: `patient zabraski, daniel`."""
    if len(token) < SPREAD_LETTERS_MIN or not token.islower() or word_flags(record, token):
        return 0
    match = _SMALL_NEXT.match(record.data, end, min(limit, end + 40))
    flags = word_flags(record, match[2]) if match is not None else 0
    return 2 if flags & SURE and flags & NAMEY and not flags & (WORD | CUE) else 0


def digit_at(data: bytes, end: int) -> bool:
    """Whether a digit stands there."""
    return data[end : end + 1].isdigit()


def _belongs(record: Record, token: bytes, end: int, *, first: bool, comma: bool) -> int:
    """Judge one token: 0 ends the name, 1 is part of it, 2 is part only if more follows."""
    lower = token.lower()
    if first and lower in _NOT_FIRST:
        return 0
    capital = token[0] < LOWER_A or token[token.rfind(b"-") + 1] < LOWER_A
    if len(token) > 7 and not token.isupper() and machine_camel(record, token):
        return 0
    if len(token) == 1:
        return 2 if first else int(capital)
    if lower in PARTICLES:
        return 2
    if lower in record.lexicon.vocabulary["titles"]:
        return 2 if first else 0
    if lower in _SUFFIXES:
        return 0 if first else 1
    flags = word_flags(record, token)
    if flags & WORD and not flags & (SURE | KNOWN):
        return _word_belongs(record, token, end, first=first, comma=comma)
    if capital:
        acronym = token.isupper() and len(token) <= ACRONYM_LETTERS_MAX
        return int(not (flags & CUE and (flags & CONTEXT or acronym)))
    # In lower case: a sure name, or a stranger's word behind one.
    return int(bool(flags & (SURE | KNOWN)) or (not first and not flags and len(token) > 3))


def _word_belongs(record: Record, token: bytes, end: int, *, first: bool, comma: bool) -> int:
    """Judge a word of machines where a name may stand."""
    flags = word_flags(record, token)
    if token[0] >= LOWER_A:
        return int(comma and bool(flags & ALSO))
    after = record.data[end : end + 3]
    reversed_form = after[:1] in b",^" and bool(after) and after.lstrip(b",^ ")[:1].isupper()
    if comma or (first and (reversed_form or flags & ALSO)):
        return 1
    return int(not first and last_though_a_word(record, token, flags, after))


def last_though_a_word(record: Record, token: bytes, flags: int, after: bytes) -> bool:
    """Whether a word of machines behind a first name is a last name: `Anna Key`, `ANNA PARK`."""
    if flags & CONTEXT or (token.isupper() and len(token) <= ACRONYM_LETTERS_MAX):
        return False
    keys = record.lexicon.policy.keys
    tells = flags & CUE and (keys.told(token) is not None or keys.heard(token) is not None)
    return not (tells or (token.isupper() and not flags & LAST)) or ends_a_name(after)


def ends_a_name(after: bytes) -> bool:
    """Whether what follows a word lets it be the last of a name rather than the next key."""
    return (
        after[:1] in _LAST_MARKS
        or after[:2] == b"  "
        or (
            after[:1] == b" "
            and (after[1:2].isdigit() or after[1:2].islower() or after[1:2] in _OPENED)
        )
    )


_OPENED = frozenset({b"(", b"[", b'"', b"'", b"-", b"/", b"<", b"|"})
_LAST_MARKS = frozenset(
    {b"", b",", b";", b")", b'"', b"'", b"&", b"<", b"|", b"]", b"\n", b"^", b"/"}
)


def machine_camel(record: Record, token: bytes) -> bool:
    """Whether a token is words of machines written together: `RetryUpToMaximumCount`."""
    pieces = [piece.lower() for piece in _CAMEL.findall(token)]
    flags = record.lexicon.flags
    return (
        len(pieces) > 1
        and sum(bool(flags(piece) & WORD) for piece in pieces) * 3 >= 2 * len(pieces)
        and all(
            flags(piece) & WORD or len(piece) < 4 or not flags(piece) & SURE for piece in pieces
        )
    )

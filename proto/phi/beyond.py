"""The rest of a name of which a part was found, and names that only what follows tells.

A cue, a pair or a list finds a first name and stops at a word of machines (`Earl Day`), or finds
`V. Bean` and not who that is. And whoever has, was or called something is somebody: `Harper Best
has device`.
"""

import re

from proto.phi import introduced
from proto.phi.lexicon import (
    ALSO,
    BRAND,
    CONTEXT,
    CUE,
    FIRST,
    LAST,
    LIKELY,
    NAMEY,
    ROOT,
    STREET,
    SURE,
    WORD,
)
from proto.phi.namesakes import is_namesake
from proto.phi.people import (
    ACRONYM_LETTERS_MAX,
    LOWER_A,
    SPREAD_LETTERS_MIN,
    ends_a_name,
    last_though_a_word,
    word_flags,
)
from proto.phi.record import ASKED_MAX, LETTERS, TAKEN, Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

LOGIN_LETTERS_MIN = 3

_NEXT = re.compile(rb" ([A-Z][A-Za-z'-]{1,30}[A-Za-z])(?![A-Za-z0-9_@\\'-])")
_ALONE = re.compile(rb"[A-Z][A-Za-z'-]*\Z")
_PARTICLES = re.compile(
    rb"(?i)(?:^|[^A-Za-z'-])((?:(?:van|von|de|del|della|der|den|di|da|du|dos|das|la|le|el|al|bin|ibn|ter|ten|st)[ -]){0,2}"
    rb"(?:van|von|de|del|della|der|den|di|da|du|dos|das|la|le|el|al|bin|ibn|ter|ten|st)-)\Z"
)
_INITIAL = re.compile(rb"[A-Z]\. ?[A-Z]")
_WORD_BEFORE = re.compile(rb"(?:^|[^A-Za-z0-9_.\\/@-])([A-Z][A-Za-z'-]{1,30}) \Z")
_DOES = Pattern(
    r"(?:^|[^A-Za-z0-9_.\\/@-])([A-Z][A-Za-z'-]{1,30}) ([A-Z][A-Za-z'-]{1,30}) (?:has|had|was|is|called|wants|needs|says|said|states|stated|reports|reported"
    r"|requested|requests|arrived|missed|cancelled|canceled|left|came|returned|signed|did|will|would|lives|denies|complains"
    r"|declined|refused|died|paid|owes|turned|presented|underwent|received|asked|asks|no-showed|checked|rescheduled)\b"
)
_REST_OF_LOGIN = re.compile(rb"\.([a-z]{3,24})(?![a-z0-9.@(])")


_SAID = Pattern(
    r"\b(?:[Ff]or|[Ff]rom|of|[Bb]y|[Ww]ith|to|and|is|RE:?|Re:?|named|called|asked|told|[Tt]hanks,?|[Hh]ello|[Hh]i|[Dd]ear|-|w/|[Tt]ell|[Aa]sk|[Tt]exted|[Pp]aged|[Ss]aw|[Ss]ee|[Mm]et|[Mm]oved|[Vv]ia|&|[Bb]ring|[Ll]et|[Bb]irthday|[Cc]ongratulations|[Ss]eeing|[Yy]our [a-z-]{3,20}(?: [a-z-]{3,20})?,) ([A-Z][a-z']{2,})(?:[^A-Za-z0-9_\\/=:.-]|$|[.:!](?: |$))"
)
_PAIR = Pattern(
    r"(?:[\"'(:=>|\[\\/] ?| - |\b(?i:for|with|holder|payer|from|by|to|regards,?|name|owner|of|and|thanks,?|driver|operator|rider|worker|under|about|named|saw|seen|see|call(?:ed)?|is|was) )([A-Z][a-z'-]{1,30}),? ([A-Z][A-Za-z'-]{1,30})(?:$|[\"'),;|<>\n.\]]| [a-z(\[)-])"
)


_JOINS = frozenset(b"_- ")


def read(record: Record) -> None:
    """Find the rest of names, and those whose verb tells that they are somebody's."""
    if record.every & LIKELY:
        if "acts" in record.shapes:
            _does_something(record)
        if record.person or "login" in record.shapes or not _JOINS.isdisjoint(record.lower):
            _written_small(record)
    if record.person:
        said(record)
        if "pair" in record.shapes:
            _pairs_of_words(record)
    if record.found:
        data = record.data
        for start, end, kind, _ in tuple(record.found):
            if kind is Kind.NAME or (kind is Kind.USERNAME and _is_written(record, start, end)):
                ahead = data[start - 1 : start]
                if ahead in _LEADS or data[start + 1 : start + 2] == b".":
                    _before(record, start, end)
                _behind(record, start, end)


_LEADS = frozenset({b" ", b"-"})
"""What may stand between a name and more of it before."""


def _is_written(record: Record, start: int, end: int) -> bool:
    """Whether a login is one capitalised word of small letters: a first name where one was expected."""
    return record.data[start:end].isalpha() and record.data[start + 1 : end].islower()


def _behind(record: Record, start: int, end: int) -> None:
    """Take a last name behind a first name that stands alone: `in Earl Day on`."""
    if record.data[end : end + 1] != b" ":
        if record.data[end : end + 2] == b". ":
            _behind_initial(record, start, end)
        return
    match = _NEXT.match(record.data, end, min(len(record.data), end + 40))
    if match is None or record.covered(end, match.end()):
        return
    own = record.data[start:end]
    if _ALONE.match(own) is None or not _could_begin(record, own):
        return
    if _is_last(record, match[1], match.end(1)):
        record.hit(Kind.NAME, start, match.end(1), "a last name behind a first name")


def _behind_initial(record: Record, start: int, end: int) -> None:
    """Take the last name behind `Marvin E.`."""
    match = _NEXT.match(record.data, end + 1, min(len(record.data), end + 40))
    if match is None or not _INITIALLED.search(record.data, start, end):
        return
    flags = word_flags(record, match[1])
    if not flags & CONTEXT and not record.covered(end, match.end()):
        record.hit(Kind.NAME, start, match.end(1), "a last name behind an initial")


_INITIALLED = re.compile(rb"[A-Za-z] [A-Z]\Z")


def _could_begin(record: Record, own: bytes) -> bool:
    """Whether a name that was found can be a first name: it is one, or nothing is known of it."""
    flags = word_flags(record, own)
    return bool(flags & FIRST) or not flags


def _is_last(record: Record, word: bytes, end: int) -> bool:
    """Whether a capitalised word behind a first name is somebody's last, by what follows it."""
    after = record.data[end : end + 3]
    flags = word_flags(record, word)
    if flags & CONTEXT or (word.isupper() and len(word) <= ACRONYM_LETTERS_MAX):
        return False
    if _HYPHENED.match(word) or (flags & LAST and flags & SURE and not flags & (WORD | CUE)):
        return True
    weight = record.lexicon.names.weights(word.lower().decode())[1]
    named = not flags & WORD or weight > 0 or (record.person and flags & STREET)
    return bool(named) and ends_a_name(after) and last_though_a_word(record, word, flags, after)


_HYPHENED = re.compile(rb"(?:De|Van|Von|El|Al|La|Le|Di|Da|Du|St|Ben|Bin|Abu|Ould)-[A-Z][a-z]")
_FIRST_BEFORE = re.compile(rb"(?:^|([^A-Za-z0-9_.@-]))([A-Z][A-Za-z'-]{1,30}) \Z")
_PARTS_NAMES = frozenset({b"\\", b"/", b'"', b"'", b"(", b">", b"|", b"=", b"["})


def _first_before(record: Record, start: int, end: int) -> None:
    """Take a first name before the one word that was found: `confirm: Anil Santos`, `/Best Ethel`."""
    data = record.data
    first = data.rfind(b" ", max(0, start - 34), start - 1) + 1
    if data[first] > LOWER_A or b" " in data[start:end] or b"," in data[start:end]:
        return
    if _ALONE.match(data, start, end) is None:
        return
    before = _FIRST_BEFORE.search(data, max(0, start - 34), start)
    if before is None:
        return
    word = before[2]
    flags = word_flags(record, word)
    if flags & (CONTEXT | CUE | ROOT) or word.isupper() != data[start:end].isupper():
        return
    lower = word.lower()
    if any(lower in record.lexicon.vocabulary[name] for name in ("documents", "titles", "streets")):
        return
    if flags & WORD and not flags & SURE:
        first, last, _ = record.lexicon.names.weights(lower.decode())
        mark = before[1] or b""
        parted = (
            not mark or mark in _PARTS_NAMES or data[before.start() - 1 : before.start()] in _ENDS
        )
        if not parted or not (first or last):
            return
    if not record.covered(*before.span(2)):
        record.hit(Kind.NAME, before.start(2), end, "a first name before a last name")


_ENDS = frozenset({b":", b"-", b",", b";", b")"})


def _before(record: Record, start: int, end: int) -> None:
    """Take what stands before `V. Bean`, and the particles before `Berg`."""
    data = record.data
    if data[start - 1 : start] == b" " and data[start - 2 : start - 1].isalpha():
        _first_before(record, start, end)
    if data[start - 1 : start] == b"-":
        particles = _PARTICLES.search(data, max(0, start - 16), start)
        if particles is not None:
            record.hit(Kind.NAME, particles.start(1), end, "the particles of a name")
        return
    if data[start + 1 : start + 2] != b"." or _INITIAL.match(data, start, end) is None:
        return
    before = _WORD_BEFORE.search(data, max(0, start - 34), start)
    if before is not None and not word_flags(record, before[1]) & (WORD | CONTEXT):
        record.hit(Kind.NAME, before.start(1), end, "a word before an initial and a name")


_DONE_BY = Pattern(
    r"\b(?:bring|that|when) ([A-Z][a-z'-]{2,30}) (?:in|her|him|his|it|is|was|has|had|will|did|does|drove|took|came|can|could|should|would|needs|wants|said|says|left|who|back|[a-z]{3,14}ed)\b"
)
"""Who does it, by the words on both sides: `she will bring Sergei in`, `that Lakshmi drove her`."""


def said(record: Record) -> None:
    """Find strangers' words where a name is said: `scan for Feroa`."""
    lower = record.lower
    done = b" that " in lower or b" bring " in lower or b" when " in lower
    for start, end in _DONE_BY.values(record.data) if done else ():
        flags = word_flags(record, record.data[start:end])
        if flags & (ALSO | FIRST) and not flags & (CUE | CONTEXT):
            record.hit(Kind.NAME, start, end, "who does it, by the words on both sides")
    for start, end in _SAID.values(record.data):
        if record.covered(start, end) or word_flags(record, record.data[start:end]) & WORD:
            continue
        if is_namesake(record, start, end):
            continue
        record.hit(Kind.NAME, start, end, "a stranger's word where a name is said")


def _pairs_of_words(record: Record) -> None:
    """Take two words of machines that are also a first and a last name, where a name may stand."""
    weights = record.lexicon.names.weights
    for spans in _PAIR.each(record.data):
        start, end = spans[1][0], spans[2][1]
        turned = record.data[spans[1][1] : spans[1][1] + 1] == b","
        words = [record.lower[slice(*span)].strip(b"'-").decode() for span in spans[1:3]]
        if words[0] in _NEVER_FIRST:
            continue
        flags = [word_flags(record, record.data[slice(*span)]) for span in spans[1:3]]
        if any(flag & CONTEXT for flag in flags) or record.covered(start, end):
            continue
        if is_namesake(record, start, end):
            continue
        if weights(words[0])[turned] > 0 and weights(words[1])[not turned] > 0:
            record.hit(Kind.NAME, start, end, "words that are both names, where a name may stand")


_NEVER_FIRST = frozenset({"the", "not", "this", "that", "for", "from", "with", "no"})


def _does_something(record: Record) -> None:
    for spans in _DOES.each(record.data):
        start, end = spans[1][0], spans[2][1]
        one, two = (word_flags(record, record.data[slice(*span)]) for span in spans[1:3])
        weight = record.lexicon.names.weights(record.lower[slice(*spans[2])].decode())[1]
        sure = one & FIRST and one & SURE and not one & WORD
        if sure and not two & CONTEXT and (weight > 0 or two & NAMEY or not two):
            record.hit(Kind.NAME, start, end, "somebody who does something")


def _written_small(record: Record) -> None:
    """Take what is made of two names in small letters: a login, or both with a blank between."""
    lower = record.lower
    for word, flags in record.flagged(SURE):
        if flags & WORD or len(word) < LOGIN_LETTERS_MIN:
            continue
        if flags & FIRST and word + b"." in lower:
            _dotted(record, word)
        if word + b"_" in lower or word + b"-" in lower:
            _joined(record, word, flags)
        if word + b" " in record.data or (record.person and word + b", " in record.data):
            _lower(record, word, flags)


def _dotted(record: Record, word: bytes) -> None:
    """Take a login of two names: `dragana.kohler`."""
    for at in record.places(word):
        match = _REST_OF_LOGIN.match(record.lower, at + len(word))
        if match is None or record.data[at - 1 : at] in _INSIDE:
            continue
        rest = record.lexicon.flags(match[1])
        if rest & NAMEY and not rest & WORD:
            record.hit(Kind.USERNAME, at, match.end(), "a login of two names")


_QUEUE_BEFORE = re.compile(
    rb"(?:queue|printer|printers|ssid|vlan|share|switch|subnet|building|ap)(?: name)?[=: ]{1,2}[\"'(\[]?\Z"
)


def _of_printer(record: Record, at: int) -> bool:
    """Whether what stands there is called after a place: a queue of a printer, a network."""
    return not record.person and _QUEUE_BEFORE.search(record.lower, max(0, at - 24), at) is not None


_REST_OF_JOINED = re.compile(rb"[_-]([a-z]{3,24})(?![a-z0-9@(])")


def _joined(record: Record, word: bytes, flags: int) -> None:
    """Take two names that a dash joins: `holmes_ingrid`, `ingrid-holmes`."""
    for at in record.places(word):
        match = _REST_OF_JOINED.match(record.lower, at + len(word))
        if match is None or record.data[at - 1 : at] in _INSIDE or record.covered(at, match.end()):
            continue
        rest = record.lexicon.flags(match[1])
        both = (flags & FIRST and rest & LAST) or (flags & LAST and rest & FIRST)
        if both and not rest & (WORD | CUE) and not _of_printer(record, at):
            record.hit(Kind.NAME, at, match.end(), "two names that a dash joins")


_LOWER_NEXT = re.compile(
    rb"(,?) ([a-z](?:[a-z-]|'(?!s(?![a-z]))){2,30})(?=(?:'s)?(?![A-Za-z0-9_@=\\/'-]))(?!:[^ ])"
)


def _lower(record: Record, word: bytes, flags: int) -> None:
    """Take both names written small: `reminder to james fry at`, `gupta, angel`."""
    for at in record.places(word):
        if record.data[at] < LOWER_A or record.data[at - 1 : at] not in _OPENS:
            continue
        match = _LOWER_NEXT.match(record.data, at + len(word))
        if match is None or record.covered(at, at + len(word)):
            continue
        other = match[2].translate(None, b"'-")
        rest = record.lexicon.flags(other)
        if not rest & SURE or rest & (WORD | CUE):
            continue
        told = record.person or introduced.around(record, at, match.end())
        orders = ((LAST, FIRST),) if match[1] else ((FIRST, LAST), (LAST, FIRST))
        if any(flags & one and rest & two for one, two in orders) and (
            told or _is_common(record, word, other)
        ):
            record.hit(Kind.NAME, at, match.end(), "a first and a last name written small")


COMMON_MIN = 128
COMMON_LETTERS_MIN = 9


def _is_common(record: Record, one: bytes, two: bytes) -> bool:
    """Whether two words are so often a first and a last name that nothing need tell it."""
    if len(one) + len(two) < COMMON_LETTERS_MIN:
        return False
    first, last = (record.lexicon.names.weights(word.decode()) for word in (one, two))
    return max(min(first[0], last[1]), min(first[1], last[0])) >= COMMON_MIN


_OPENS = frozenset({b"", b" ", b"(", b"[", b'"', b"'", b"=", b":", b",", b"|", b">"})
_INSIDE = frozenset({b".", b"-", b"@", TAKEN})


_LOGIN_BEFORE = re.compile(rb"(?:^|[ =:(\"'\[\\])([a-z]{2,20}\.)\Z")
"""`dragana.` before `kohler`."""


def _devices(record: Record, words: set[bytes]) -> None:
    """Take whose device it is, which a login or an owner tells: `milorad-pc (user milorad.kealoha)`."""
    for word in sorted(words):
        if len(word) <= SPREAD_LETTERS_MIN or record.lexicon.flags(word) & (WORD | CUE):
            continue
        for at in record.places(word) if word + b"-" in record.lower else ():
            end = at + len(word)
            brand = _DEVICE_BEHIND.match(record.lower, end)
            if brand and record.lexicon.flags(brand[1]) & BRAND and not record.covered(at, end):
                record.hit(Kind.HOST_PERSON, at, end, "whose device it is, told elsewhere")


_DEVICE_BEHIND = re.compile(rb"-([a-z]{2,12})(?![a-z])")


def spread(record: Record) -> None:
    """Take the words of every name found wherever else they stand in the record."""
    words: set[bytes] = set()
    owned: set[bytes] = set()
    for start, end, kind, _ in record.found:
        if kind is Kind.NAME and end - start <= 120:
            words.update(record.lower[start:end].translate(LETTERS).split())
        elif kind is Kind.HOST_PERSON or (kind is Kind.USERNAME and 46 in record.data[start:end]):
            owned.update(record.lower[start:end].translate(LETTERS).split())
    flags, count = record.lexicon.flags, record.lower.count
    _devices(record, owned)
    if len(words) > ASKED_MAX:
        some = [word for word in words if len(record.standing.get(word, ())) > 1]
    else:
        some = [word for word in words if count(word) > 1]
    for word in sorted(some):
        if len(word) < SPREAD_LETTERS_MIN or (
            flags(word) & WORD and not flags(word) & (SURE | ALSO)
        ):
            continue
        written = flags(word) & WORD and not flags(word) & SURE
        for at in record.places(word):
            if _STAMP.match(record.data, at):
                continue
            if not record.covered(at, at + 1) and not (written and record.data[at] >= LOWER_A):
                login = _LOGIN_BEFORE.search(record.data, max(0, at - 21), at)
                start = at if login is None else login.start(1)
                record.hit(Kind.NAME, start, at + len(word), "a name found elsewhere in the record")


_STAMP = re.compile(
    rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}[0-9]{1,2} [0-9]{2}:[0-9]{2}"
)
"""A log's own time, though somebody is called Jun or May."""
GATED = (("acts", (_DOES,)), ("pair", (_PAIR,)))
"""The gate with the pattern that is tried only when it is lit."""

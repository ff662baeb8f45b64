"""Names that no cue announces: runs of capitalised words, and single ones in a record about people.

Two neighbours are somebody by what the gazetteer weighs them as; by nothing being known of either,
written as names are; or by what stands around them, where they may be words too.
"""

import re

from proto.phi import introduced
from proto.phi.lexicon import (
    ALSO,
    CONTEXT,
    CUE,
    FIRST,
    KNOWN,
    LAST,
    LIKELY,
    NAME_WRITTEN,
    NAMELIKE,
    NAMEY,
    STRANGER,
    SURE,
    WORD,
    is_plain,
)
from proto.phi.namesakes import is_namesake
from proto.phi.people import (
    JOIN,
    PARTICLES,
    SPREAD_LETTERS_MIN,
    TOKEN,
    digit_at,
    ends_a_name,
    last_though_a_word,
)
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.things import Token, before_other, could_be_both, is_company, is_thing
from proto.phi.values import Kind

LISTED_MIN = 4
PAIR = 2
WORD_WEIGHT_MIN = 30
"""How surely one of two words is a name, beyond that somebody somewhere has it."""

_PIECE = re.compile(b"(" + TOKEN.pattern + b")(" + JOIN.pattern + b")?")
_PARTICLE = (
    r"(?:(?:van|von|de|del|della|der|den|di|da|du|dos|das|la|le|el|al|bin|ibn|ter|ten|st)[ -]){1,2}"
)
_RUNS = Pattern(
    r"[A-Z][A-Za-z']*(?:-[A-Za-z][A-Za-z']*){0,2}(?:(?:, ?| |_|\^|\+|\. |\.)(?:"
    + _PARTICLE
    + r")?[A-Z][A-Za-z']*(?:-[A-Za-z][A-Za-z']*){0,2})+"
)


def loose(record: Record) -> None:
    """Find names that no cue announces."""
    listed = record.person and b", " in record.data
    wanted = LIKELY | NAMELIKE | (STRANGER if record.person else 0)
    if not listed and not record.every & wanted:
        return
    if not (record.person or record.every & (LIKELY | KNOWN) or _have_company(record)):
        return
    for spans in _RUNS.each(record.data):
        if record.taken is None or record.taken.find(0, *spans[0]) >= 0:
            _run(record, *spans[0])
    if record.person:
        introduced.alone(record)
    for word, _ in record.flagged(KNOWN):
        if len(word) >= SPREAD_LETTERS_MIN:
            for at in record.places(word):
                record.hit(Kind.NAME, at, at + len(word), "somebody of the site")


_COMPANY = NAMELIKE | FIRST | LAST | ALSO


def _have_company(record: Record) -> bool:
    """Whether a run that is written like a name has another or an initial beside it, or is two."""
    known, before = record.known, 0
    for run in record.runs:
        if run in _LEADING:
            continue
        flags = known[run]
        if not flags & _COMPANY:
            flags |= ALSO if len(run.rstrip(b".")) == 1 else 0  # an initial
        if (flags & NAMELIKE and (before & _COMPANY or b"_" in run or b"-" in run)) or (
            before & NAMELIKE and flags & _COMPANY
        ):
            return True
        before = flags
    return False


_QUOTES = frozenset({b"'", b'"'})


def _run(record: Record, start: int, end: int) -> None:
    """Judge a run of capitalised words: each pair of neighbours, then what is beside a pair."""
    tokens = _tokens(record, start, before_other(record, start, end))
    if (
        (len(tokens) < PAIR or b"," in tokens[0][3])  # most runs are told by their first mark
        and all(b"," in token[3] for token in tokens[:-1])
        and (len(tokens) >= LISTED_MIN or _goes_on(record.data, start, end))
    ):
        return  # a list of makes, of months
    names = _named(record, tokens)
    if True not in names:
        return
    at = 0
    while at < len(tokens):
        stop = at
        while names[at] and stop + 1 < len(tokens) and (names[stop + 1] or tokens[stop + 1][2] < 0):
            stop += 1
        if names[at] and digit_at(record.data, tokens[stop][1]):
            stop -= 1
        if stop > at:
            why = "first and last name together"
            record.hit(Kind.NAME, tokens[at][0], tokens[stop][1], why)
        at = max(stop, at) + 1


def _named(record: Record, tokens: list[Token]) -> list[bool]:
    """Judge each pair of neighbours: which words of a run are part of a name."""
    names = [False] * len(tokens)
    listed = sum(b"," in token[3] for token in tokens) >= LISTED_MIN
    for at in range(len(tokens) - 1):
        one, two = tokens[at], tokens[at + 1]
        if (
            one[3]
            and not (listed and b"," in one[3])
            and (_first_and_stranger(record, one, two) or _pair(record, one, two))
            and not is_thing(record, one, two)
            and not _is_told(record, one, two)
            and not is_namesake(record, one[0], two[1])
            and not is_namesake(record, one[0], one[1])
        ):
            names[at] = names[at + 1] = True
    for at in range(len(tokens) - 1) if True in names else ():
        if tokens[at][3] == b" " and is_company(record, tokens[at], tokens[at + 1]):
            names[at] = names[at + 1] = False
    return names


def _is_told(record: Record, one: Token, two: Token) -> bool:
    """Whether either word is told as equipment's: `Levey-Jennings` of `Levey-Jennings Chart`."""
    return bool(record.facts) and (record.is_fact(*one[:2]) or record.is_fact(*two[:2]))


def _goes_on(data: bytes, start: int, end: int) -> bool:
    """Whether a token stands in the list that a run is a part of: it was longer before."""
    before, after = data[max(0, start - 3) : start], data[end : end + 3]
    return (b"\x01" in before and b"," in before) or (after[:1] == b"," and b"\x01" in after)


def _tokens(record: Record, start: int, end: int) -> list[Token]:
    data, tokens, particle = record.data, list[Token](), -1
    flags = record.lexicon.written
    while start < end:
        match = _PIECE.match(data, start, end)
        if match is None:
            break
        token, mark = match.groups(b"")
        stop = start + len(token)
        begin, particle = start if particle < 0 else particle, -1
        if _is_particle(token) and mark in _PARTICLE_MARKS and stop < end:
            particle = begin  # it belongs to the name behind it
        else:
            tokens.append((begin, stop, flags(token) if len(token) > 1 else -1, mark))
        if not mark and data[stop : stop + 2] == b"' ":
            start = stop + 2  # a quotation ends, another name may begin
        else:
            start = stop + len(mark) if mark else end
    return tokens


_PARTICLE_MARKS = frozenset({b" ", b". "})
_LEADING = frozenset(
    b"De La Le Van Von Der Den Del Di Da Du Dos Das El Al Bin Ben Ibn Abu Ter Ten St St. Mc Mac"
    b" DE LA LE VAN VON DER DEN DEL DI DA DU DOS DAS EL AL BIN BEN IBN ABU TER TEN ST ST. MC".split()
)


def _is_particle(token: bytes) -> bool:
    """Whether a word begins somebody's last name: `de`, `De`, `DE`, of which no name is made alone."""
    return token in PARTICLES or token in _LEADING


def _pair(record: Record, one: Token, two: Token) -> bool:
    """Whether two neighbours are a name of somebody."""
    a, b = one[2], two[2]
    if a < 0 or b < 0:
        return _initial_pair(record, one, two)
    if not (a | b) & _NO_NAME and _are_strangers(record, one, two):
        return True
    if _are_names(record, one, two):
        return True
    if record.person and one[3] in _SAID_JOINS and _are_two_names(record, one, two):
        return True
    return (not a & b & WORD or bool((a | b) & _GIVEN)) and _are_introduced(record, one, two)


def _are_names(record: Record, one: Token, two: Token) -> bool:
    """Whether two neighbours are a first and a last name by what they are themselves."""
    a, b = one[2], two[2]
    plain_b = is_plain(b)
    if b"," in one[3] or b"^" in one[3]:
        key = b & CUE and record.data[two[0] : two[1]].isupper()
        quoted = (
            record.data[one[0] - 1 : one[0]] in _QUOTES
            and record.data[two[1] : two[1] + 1] in _QUOTES
        )
        strange = quoted and not (is_plain(a) and plain_b) and not (a | b) & CUE
        return not (key or b & CONTEXT) and (
            strange or (_with_comma(record, a, b) and could_be_both(record, one, two))
        )
    if _is_introduced(record, one, two):
        return True
    if _is_street(record, one, two):
        return False
    if is_plain(a):
        return one[3] == b" " and not (a | b) & CUE and _word_first(record, a, b)
    return _first_and_last(record, one, two)


_NO_NAME = WORD | CUE | CONTEXT
_GIVEN = ALSO | FIRST
_NAME_JOINS = frozenset({b" ", b", ", b",", b"_", b"^"})
_SAID_JOINS = frozenset({b" ", b", ", b","})
_NO_END = frozenset({b"=", b"\\", b"@", b"("})


def _bare(record: Record, token: Token) -> bytes:
    """Return the word of a token without the particles before it."""
    return record.data[token[0] : token[1]].rpartition(b" ")[2]


def _folded(record: Record, token: Token) -> str:
    """Return the word of a token as the gazetteer has it."""
    return _bare(record, token).lower().translate(None, b"'-").decode()


def _are_strangers(record: Record, one: Token, two: Token) -> bool:
    """Whether two words side by side, of which none is a word of machines, are written as a name is."""
    data = record.data
    if one[3] not in _NAME_JOINS or data[two[1] : two[1] + 1] in _NO_END:
        return False
    before = data[one[0] - 1 : one[0]]
    if before.isalnum() or before in _INSIDE or _is_of_equipment(record, one[0]):
        return False
    words = _bare(record, one), _bare(record, two)
    upper = words[0].isupper()
    if upper != words[1].isupper() or not all(map(NAME_WRITTEN.match, words)):
        return False
    if not upper or ((one[2] | two[2]) & NAMEY and one[3] != b"_"):
        return True
    return min(map(len, words)) >= STRANGERS_LETTERS_MIN and (
        record.person
        or b"," in one[3]
        or (before != b"[" and _stands_alone(data, one[0], two[1]))
        or introduced.around(record, one[0], two[1]) > introduced.NOBODY
    )


_KEY_BEFORE = re.compile(rb"([A-Za-z]{2,24})[\"']?[:=] ?[\"']?\Z")


def _is_of_equipment(record: Record, start: int) -> bool:
    """Whether a key of equipment stands before: `Product: Datalogic Gryphon`."""
    key = _KEY_BEFORE.search(record.data, max(0, start - 30), start)
    return key is not None and record.lexicon.is_equipment(key[1].lower())


def _are_introduced(record: Record, one: Token, two: Token) -> bool:
    """Whether words that may be names stand where somebody is spoken of: `paged Grace Park`."""
    fitting = _fitting(record, one, two) if one[3] in _SAID_JOINS else []
    if not fitting:
        return False
    level = introduced.around(record, one[0], two[1])
    return level == introduced.SURELY or (
        level == introduced.MAYBE
        and any(_is_first(given) and not given & WORD for given in fitting)
    )


def _are_two_names(record: Record, one: Token, two: Token) -> bool:
    """Whether words are both names too, in a record about people."""
    fitting = _fitting(record, one, two)
    if not fitting or not one[2] & two[2] & WORD:
        return bool(fitting)
    weights = [record.lexicon.names.weights(_folded(record, token)) for token in (one, two)]
    return max(max(weight[:2]) for weight in weights) >= WORD_WEIGHT_MIN


def _fitting(record: Record, one: Token, two: Token) -> list[int]:
    """Return the flags of the word that is a first name, in each order in which both can be names."""
    data = record.data
    words = _bare(record, one), _bare(record, two)
    if (
        (one[2] | two[2]) & CONTEXT
        or data[two[1] : two[1] + 1] in _NO_END
        or min(map(len, words)) < SPREAD_LETTERS_MIN
        or words[0].isupper() != words[1].isupper()
        or not all(map(NAME_WRITTEN.match, words))
    ):
        return []
    turned, upper = b"," in one[3], words[0].isupper()
    orders = [(two, one)] if turned else [(one, two), (two, one)] if upper else [(one, two)]
    return [given[2] for given, family in orders if _could_be(record, given, family)]


def _could_be(record: Record, given: Token, family: Token) -> bool:
    """Whether words are somebody's first and last names or nothing that is known."""
    weights = record.lexicon.names.weights
    for token, place, wanted in ((given, 0, ALSO | FIRST), (family, 1, -1)):
        if not token[2] & (WORD | CUE):
            continue
        if not token[2] & wanted or not weights(_folded(record, token))[place]:
            return False
    return True


_INSIDE = frozenset({b".", b"-", b"@", b"$", b"%"})


def _first_and_last(record: Record, one: Token, two: Token) -> bool:
    """Judge `First Last` whose first word is no word of machines."""
    a, b, plain_b = one[2], two[2], is_plain(two[2])
    if a & FIRST and a & SURE and b & (WORD | ALSO) and not b & (CUE | CONTEXT):
        return (
            record.person
            or bool(b & ALSO)
            or bool(b & LAST and not plain_b)
            or (one[3] == b" " and not a & WORD and _stands_alone(record.data, one[0], two[1]))
        )
    if (
        record.person
        and one[3] == b" "
        and not (a | b) & (CUE | CONTEXT)
        and (not plain_b or b & (NAMEY | ALSO))
    ):
        if not a | b:  # two strangers, and no acronyms of machines
            return not record.data[one[0] : two[1]].isupper()
        return bool((a | b) & (NAMEY | ALSO)) or not (a | b) & WORD
    if plain_b:
        return False
    if (a & FIRST and b & LAST) or (a & LAST and b & FIRST and a & b & SURE):
        return bool((a | b) & SURE)
    return record.person and (bool((a | b) & NAMEY) or one[3] in {b" ", b"_", b"+"})


_OPENS = frozenset({b"(", b'"', b"'", b"|", b">", b"=", b"[", b":"})
_DASHES = frozenset({b" - ", b" | "})
_CLOSES = frozenset({b")", b'"', b"'", b"|", b"<", b"]", b",", b";"})


def _stands_alone(data: bytes, start: int, end: int) -> bool:
    """Whether two words are all there is between marks: `(Katalin Strong, …`, `"Katalin Strong"`."""
    opened = (
        data[start - 1 : start] in _OPENS
        or data[start - 2 : start] == b": "
        or data[start - 3 : start] in _DASHES
    )
    return opened and (data[end : end + 1] in _CLOSES or data[end : end + 3] in _DASHES)


_INTRODUCES = re.compile(
    rb"(?:^|[ (\"'])(?:for|of|by|with|from|to|and|is|in|about|under|re:?|minor|adult|child|proxy|delegate|subject|individual|participant|worker|driver|owner|holder|client|student|companion|volunteer|coordinator|counselor|manager|seeing|seen|saw|met) \Z"
)


def _is_introduced(record: Record, one: Token, two: Token) -> bool:
    """Whether a first name that people's words introduce goes on with somebody's last name.

    That may be a stranger's, or any word which is a last name too: `for Elizabeth Link on`.
    """
    start, end, after = two[0], two[1], record.data[two[1] : two[1] + 3]
    if one[3] != b" " or not (_is_first(one[2]) or _is_sure_last(record, one, two)):
        return False
    if _INTRODUCES.search(record.lower, max(0, one[0] - 16), one[0]) is None:
        return False
    token = record.data[start:end]
    somebody = not two[2] or record.lexicon.names.weights(token.lower().decode())[1] > 0
    return somebody and ends_a_name(after) and last_though_a_word(record, token, two[2], after)


def _is_first(flags: int) -> bool:
    return bool(flags & FIRST and flags & SURE)


STRANGERS_LETTERS_MIN = 4


def _is_sure_last(record: Record, one: Token, two: Token) -> bool:
    """Whether a stranger's word stands before somebody's last name, or before another stranger's."""
    sure = bool(two[2] & LAST and two[2] & SURE and not two[2] & WORD)
    if one[2]:
        return sure and bool(one[2] & ALSO)
    if two[2]:
        return sure
    words = record.data[one[0] : one[1]], record.data[two[0] : two[1]]
    return all(len(word) >= STRANGERS_LETTERS_MIN and word[1:].islower() for word in words)


def _first_and_stranger(record: Record, one: Token, two: Token) -> bool:
    """Whether a first name and a stranger's word stand alone between marks."""
    if one[3] != b" " or not _stands_alone(record.data, one[0], two[1]):
        return False
    sure = _is_first(one[2]) and not one[2] & WORD
    return bool(sure and not two[2]) or bool(two[2] and _is_sure_last(record, one, two))


def _is_street(record: Record, one: Token, two: Token) -> bool:
    """Whether two words read as a street: its kind behind, and a number before or nobody about."""
    if record.lower[two[0] : two[1]] not in record.lexicon.vocabulary["streets"]:
        return False
    numbered = record.data[max(0, one[0] - 2) : one[0]].strip()[-1:].isdigit()
    return numbered or not record.person or is_plain(one[2])


_NUMBERED = re.compile(rb"(?:^|[^0-9:.])[0-9]{1,6} \Z")
"""The number of a house: `120 S. Park`."""


def _initial_pair(record: Record, one: Token, two: Token) -> bool:
    """Judge `A. Last`, `First L.` and `Last, A.`."""
    a, b = one[2], two[2]
    if b < 0:
        if a < 0 or record.data[two[1] : two[1] + 1] != b".":
            return False
        if not a & _NO_NAME:
            return _is_written(record, one)
        return (
            _goes_with_initial(record, one, ALSO | FIRST) and introduced.before(record, one[0]) > 0
        )
    if one[3] != b". " or record.data[one[0] - 1 : one[0]] not in _APART:
        return False
    if _NUMBERED.search(record.data, max(0, one[0] - 9), one[0]):
        return bool(b & SURE and not is_plain(b))
    if bool(b & SURE and not is_plain(b)) or (record.person and not b & WORD):
        return True
    if not b & _NO_NAME:
        return _is_written(record, two)
    last = record.lexicon.names.weights(record.lower[two[0] : two[1]].decode())[1]
    return (
        not b & (CUE | CONTEXT)
        and last > 0
        and ends_a_name(record.data[two[1] : two[1] + 3])
        and (record.person or introduced.around(record, one[0], two[1]) > 0)
    )


def _is_written(record: Record, token: Token) -> bool:
    """Whether a word of which nothing is known is written as a name is."""
    word = _bare(record, token)
    upper = word.isupper()
    return len(word) >= (STRANGERS_LETTERS_MIN if upper else SPREAD_LETTERS_MIN) and bool(
        NAME_WRITTEN.match(word)
    )


def _goes_with_initial(record: Record, token: Token, wanted: int) -> bool:
    return (
        bool(token[2] & wanted)
        and not token[2] & (CUE | CONTEXT)
        and len(record.data[token[0] : token[1]]) > 2
    )


def _word_first(record: Record, a: int, b: int) -> bool:
    """Judge a first name that is a word as well: `April Bergman`, `Cliff Pruitt`."""
    if record.person and a & (FIRST | ALSO) and (b & LAST or not b):
        return True
    return bool(a & FIRST and b & LAST and b & SURE and not is_plain(b))


def _with_comma(record: Record, a: int, b: int) -> bool:
    """Judge `Last, First`."""
    if is_plain(b) and is_plain(a) and not record.person:
        return False
    return _reversed_pair(record, a, b)


_APART = frozenset({b"", b" ", b"(", b'"', b"'", b":", b"=", b">", b"|", b"\t", b"\n", b",", b"#"})


def _reversed_pair(record: Record, a: int, b: int) -> bool:
    """Judge `Last, First`."""
    if record.person or (a & LAST and b & FIRST):
        return True
    if b & FIRST and b & SURE and not b & WORD and not a & CONTEXT:
        return True
    if b & FIRST and b & SURE and a & ALSO:
        return True
    if a & LAST and a & SURE and not a & WORD and b & ALSO and not b & (CUE | CONTEXT):
        return True  # Truong, Royal
    return bool((a & SURE and not is_plain(b)) or (b & SURE and not is_plain(a)))

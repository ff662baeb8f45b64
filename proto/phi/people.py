"""Names and logins of people in running text.

A name is taken after a cue, from a pair of words that the gazetteer weighs as a name, and, where the
record is about people, from strangers that are written like names. What was once found as a name
goes everywhere in the record.
"""

import re

from proto.phi.lexicon import (
    ALSO,
    CONTEXT,
    CUE,
    FIRST,
    KNOWN,
    LAST,
    LIKELY,
    NAMEY,
    STRANGER,
    SURE,
    WORD,
    is_plain,
)
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

TOKENS_MAX = 6
LISTED_MIN = 4
PAIR = 2
SPREAD_LETTERS_MIN = 3
ACRONYM_LETTERS_MAX = 3
LOWER_A = ord("a")

_TOKEN = re.compile(
    rb"[A-Za-z]{1,40}(?:'(?![sS]\b)[A-Za-z]{1,40}){0,3}(?:-[A-Za-z]{1,40}(?:'(?![sS]\b)[A-Za-z]{1,40})?){0,3}"
)
_JOIN = re.compile(rb"\.?(?:,(?: |\+|%20)?|[ ]{1,2}|\^{1,3}|_|\+|\.|%20)")
_PIECE = re.compile(b"(" + _TOKEN.pattern + b")(" + _JOIN.pattern + b")?")
_PARTICLE = (
    r"(?:(?:van|von|de|del|della|der|den|di|da|du|dos|das|la|le|el|al|bin|ibn|ter|ten|st)[ -]){1,2}"
)
_RUNS = Pattern(
    r"[A-Z][A-Za-z']*(?:-[A-Za-z][A-Za-z']*){0,2}(?:(?:, ?| |_|\^|\+|\. |\.)(?:"
    + _PARTICLE
    + r")?[A-Z][A-Za-z']*(?:-[A-Za-z][A-Za-z']*){0,2})+"
)
_CAMEL = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PARTICLES = frozenset(
    b"de la le van von der den bin ibn al el da do dos das di del du della st mac ter ten y e".split()
)
_SUFFIXES = frozenset(b"jr sr ii iii iv".split())
_NOT_FIRST = frozenset(
    b"the a an in on at is was has had not no to of and or for from with this that".split()
)


def word_flags(record: Record, token: bytes) -> int:
    """Return a token's flags; of a hyphenated one those of its parts together."""
    return record.lexicon.written(token)


def take_name(record: Record, at: int, limit: int) -> int:
    """Take the words of a name after a cue; -1 when they do not read like one."""
    data, end, count, plain = record.data, -1, 0, 0
    place, comma = at, False
    while count < TOKENS_MAX:
        match = _TOKEN.match(data, place, min(limit, place + 60))
        if match is None:
            break
        token = match.group()
        if data[match.end() : match.end() + 1] == b"=":
            break  # the next key
        taken = _belongs(record, token, match.end(), first=count == 0, comma=comma)
        if not taken and count == 0:
            taken = _stranger_first(record, match.end(), limit, token=token)
        if not taken:
            break
        if taken == 1:
            end = match.end()
            plain += 1
        count += 1
        join = _JOIN.match(data, match.end(), min(limit, match.end() + 4))
        if join is None:
            break
        comma = b"," in join.group()
        place = join.end()
    return end if plain and not _digit_at(data, end) else -1


_SMALL_NEXT = re.compile(rb"(,?) ([a-z][a-z'-]{2,30})(?![A-Za-z0-9_@=:\\/'-])")


def _stranger_first(record: Record, end: int, limit: int, *, token: bytes) -> int:
    """Whether a stranger's word written small stands before a sure name: `patient zabraski, daniel`."""
    if len(token) < SPREAD_LETTERS_MIN or not token.islower() or word_flags(record, token):
        return 0
    match = _SMALL_NEXT.match(record.data, end, min(limit, end + 40))
    flags = word_flags(record, match[2]) if match is not None else 0
    return 2 if flags & SURE and flags & NAMEY and not flags & (WORD | CUE) else 0


def _digit_at(data: bytes, end: int) -> bool:
    return data[end : end + 1].isdigit()


def _belongs(record: Record, token: bytes, end: int, *, first: bool, comma: bool) -> int:
    """Judge one token: 0 ends the name, 1 is part of it, 2 is part only if more follows."""
    lower = token.lower()
    capital = token[0] < LOWER_A or token[token.rfind(b"-") + 1] < LOWER_A
    if len(token) > 7 and not token.isupper() and _machine_camel(record, token):
        return 0
    if len(token) == 1:
        return 2 if first else int(capital)
    if lower in _PARTICLES:
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


def _machine_camel(record: Record, token: bytes) -> bool:
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


def loose(record: Record) -> None:
    """Find names that no cue announces."""
    listed = record.person and b", " in record.data
    titled = record.person or "titled" in record.shapes
    if not listed and not record.every & (LIKELY | STRANGER if titled else LIKELY):
        return
    for spans in _RUNS.each(record.data):
        _run(record, *spans[0])
    if record.person:
        _alone(record)
    for word, _ in record.flagged(KNOWN):
        if len(word) >= SPREAD_LETTERS_MIN:
            for at in record.places(word):
                record.hit(Kind.NAME, at, at + len(word), "somebody of the site")


def _alone(record: Record) -> None:
    """Find single words that are first of all names, written as such, in a record about people."""
    data = record.data
    for word, flag in record.flagged(SURE):
        if flag & WORD or len(word) < SPREAD_LETTERS_MIN:
            continue
        for at in record.places(word):
            end = at + len(word)
            if (
                data[at] > 90
                or data[at - 1 : at] not in _BEFORE
                or data[end : end + 1] not in _AFTER
                or _VERSION.match(data, end) is not None
            ):
                continue
            record.hit(Kind.NAME, at, end, "a name in a record about people")


_VERSION = re.compile(rb" v?\d+\.\d| \x01")
_BEFORE = frozenset({b"", b" ", b"(", b"'", b'"', b",", b">", b"=", b"|", b"\n", b";", b":"})
_AFTER = frozenset({b"", b" ", b")", b"'", b'"', b",", b"<", b"|", b"\n", b";", b".", b"!", b"?"})


_QUOTES = frozenset({b"'", b'"'})


Token = tuple[int, int, int, bytes]
"""Of a word in a run: start, end, flags (-1 for an initial), the mark behind it."""


def _before_key(record: Record, start: int, end: int) -> int:
    """Return where a run ends that the next key is written behind: `DOE^JANE StationName=`."""
    at = record.data.rfind(b" ", start, end)
    return at if at > start and _machine_camel(record, record.data[at + 1 : end]) else end


def _run(record: Record, start: int, end: int) -> None:
    """Judge a run of capitalised words: each pair of neighbours, then what is beside a pair."""
    if record.data[end : end + 1] == b"=":
        end = _before_key(record, start, end)
    tokens = _tokens(record, start, end)
    if (
        (len(tokens) < PAIR or b"," in tokens[0][3])  # most runs are told by their first mark
        and all(b"," in token[3] for token in tokens[:-1])
        and (len(tokens) >= LISTED_MIN or _goes_on(record.data, start, end))
    ):
        return  # a list of makes, of months
    names = [False] * len(tokens)
    for at in range(len(tokens) - 1):
        one, two = tokens[at], tokens[at + 1]
        if one[3] and (_first_and_stranger(record, one, two) or _pair(record, one, two)):
            names[at] = names[at + 1] = True
    if True not in names:
        return
    at = 0
    while at < len(tokens):
        stop = at
        while names[at] and stop + 1 < len(tokens) and (names[stop + 1] or tokens[stop + 1][2] < 0):
            stop += 1
        if names[at] and _digit_at(record.data, tokens[stop][1]):
            stop -= 1
        if stop > at:
            why = "first and last name together"
            record.hit(Kind.NAME, tokens[at][0], tokens[stop][1], why)
        at = max(stop, at) + 1


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
        if token in _PARTICLES and mark == b" " and tokens:
            particle = begin  # it belongs to the name behind it
        else:
            tokens.append((begin, stop, flags(token) if len(token) > 1 else -1, mark))
        if not mark and data[stop : stop + 2] == b"' ":
            start = stop + 2  # a quotation ends, another name may begin
        else:
            start = stop + len(mark) if mark else end
    return tokens


_QUOTES = frozenset({b"'", b'"'})


def _pair(record: Record, one: Token, two: Token) -> bool:
    """Whether two neighbours are a name of somebody."""
    a, b = one[2], two[2]
    if a < 0 or b < 0:
        return _initial_pair(record, one, two)
    plain_b = is_plain(b)
    if b"," in one[3] or b"^" in one[3]:
        key = b & CUE and record.data[two[0] : two[1]].isupper()
        quoted = (
            record.data[one[0] - 1 : one[0]] in _QUOTES
            and record.data[two[1] : two[1] + 1] in _QUOTES
        )
        strange = quoted and not (is_plain(a) and plain_b) and not (a | b) & CUE
        return not (key or b & CONTEXT) and (strange or _with_comma(record, a, b))
    if _is_introduced(record, one, two):
        return True
    if _is_street(record, one, two):
        return False
    if is_plain(a):
        return one[3] == b" " and not (a | b) & CUE and _word_first(record, a, b)
    return _first_and_last(record, one, two)


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
    """Judge `A. Last` and `Last, A.`."""
    a, b = one[2], two[2]
    if b < 0:
        dot = record.data[two[1] : two[1] + 1] == b"."
        return a >= 0 and dot and bool(a & SURE and not is_plain(a))
    if one[3] != b". " or record.data[one[0] - 1 : one[0]] not in _APART:
        return False
    if bool(b & SURE and not is_plain(b)) or (record.person and not b & WORD):
        return True
    if (
        not record.person
        or b & (CUE | CONTEXT)
        or _NUMBERED.search(record.data, max(0, one[0] - 9), one[0])
    ):
        return False
    last = record.lexicon.names.weights(record.lower[two[0] : two[1]].decode())[1]
    return last > 0 and ends_a_name(record.data[two[1] : two[1] + 3])


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

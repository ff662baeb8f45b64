"""Keys and cues: what says what stands behind it, in every syntax that machines write.

A place where a cue's word stands is widened to the whole key (`patient.name.last`, `ptDob`,
`"insurance card #"`), the key tells a class, and the class's taker says how far the value goes. A
key with its mark (`=`, `:`, `>`, a closing quote and a colon) tells more than words in a row, which
count only as the tables' spoken cues and only with a value of the right form.
"""

import re

from proto.phi import logins, people
from proto.phi.asked import take_asked
from proto.phi.fitness import (
    NEED_DIGITS,
    VALUE_CHARS_MAX,
    fits,
    is_name,
    is_no_template,
    is_street,
)
from proto.phi.instead import INSTEAD, maybe_number
from proto.phi.keys import Told
from proto.phi.lexicon import (
    CONTEXT,
    GOES_ON,
    KEY_MARKS,
    OPTION,
    RUN_CHARS_MAX,
    SPEAKS,
    SURE,
    TELLS,
    WORD,
    WRITES,
    Tells,
)
from proto.phi.programs import is_of_program
from proto.phi.record import TAKEN, Record, digits
from proto.phi.spoken import DOMAIN, SHORT_DIGITS_MAX, further, is_of_purchase, read_spoken
from proto.phi.takers import REACH, SHORT, TAKERS
from proto.phi.things import is_of_machine
from proto.phi.values import Kind

MARKED, SAID, TAKES = 16, 32, 64

ELEMENTS_MAX = 64
WORDS_MAX = 3
DIGITS_OF_KEYS_MAX = 3

BLANK, CLOSE, EQUALS = ord(" "), ord(">"), ord("=")

_BLANKS = frozenset({b" ", b"_"})
_ABBREVIATED = b". "
"""Behind a word of a key that is shortened: `Med. Rec. No.`."""
_MARK_FIRST = frozenset(b"\"'])> =:\t.-<\\#([|\n"[at : at + 1] for at in range(18))
_UNMARKED = frozenset(
    b" " + letter.encode() for letter in "ABCDEFGHJKMNOPQRSTUVWXYZabcdefghjkmnopqrstuwxyz0123456789"
)
"""What no mark begins with: a blank and what is not the first letter of `LIKE`, `IN`, `value=`."""
_SAID_FIRST = frozenset(b" #:(\"'<[=-/,."[at : at + 1] for at in range(13))
_TAKEN_MARKS = frozenset({b" ", b":", b"=", b"#"})
_TAKEN_FIRST = frozenset({b": ", b"= ", b" =", b" :", b"# ", b" #"})
_FLAGS = frozenset({b"-", b"/", b"<"})
"""What stands before an option, or before the name of an element."""
_LINKS = frozenset({b"of", b"no", b"number"})
_OPTION = frozenset({b"-", b"/"})
_NOT_OF_OPTIONS = frozenset(["NAME_MAYBE", "DATE_MAYBE", "DEVICE_MAYBE"])
_SURELY = frozenset({"USERNAME", "SECRET", "SSN", "MRN"})
"""Classes that equipment does not have, whatever stands before their keys."""
_BEFORE_CHARS_MAX = 25
_BEFORE = re.compile(rb"(?:^|[^a-z0-9_=:/.\\-])([a-z0-9/]{1,24})\Z")
_FOLLOWING = re.compile(rb"\.?[ _]{1,2}([a-z0-9'_.-]{1,24})")
_MARKED = re.compile(
    rb"(?:\\{0,3}[\"']|\]|\)(?!=))?(?: ?\(s\)| ?#)?[ \t]{0,24}(?:[. ]{2,40}|\.)?"
    rb"(?:REG_[A-Z_]{2,14}(?=[ \t])|:?</[a-z]{1,8}>\s{0,8}(?:<[a-z]{1,8}[^<>]{0,60}>)?|\((?=\\{0,3}[\"'])|=>|:=|->|\)=\(|\) ?(?:=|LIKE|like) ?(?:[A-Za-z_.]{2,16}\()?|= ?(?:upper|lower|trim|soundex|nvl|isnull|coalesce|nullif|md5|UPPER|LOWER|TRIM|SOUNDEX|NVL|ISNULL|COALESCE)\(|:{1,2}|={1,2}|>|<{0,1}= ?| val(?:ue)?=|\t| LIKE | like | ILIKE | ilike | <> | IN \(| in \(| -(?:eq|ne|like|match|ieq|ilike|contains|in) )"
    rb"[ \t]{0,24}(?:\r?\n[ \t]{1,40})?(?:\[[ \n\t]{0,8})?(?:[bBuUNr](?=['\"]))?(\\{0,3}[\"'`]|%(?![0-9A-Fa-f]{2}))?"
)
_VALUE_ATTRIBUTE = re.compile(rb"[^<>\"]{0,40}\bval(?:ue)?=(\")")
_ELEMENT = re.compile(rb"[\"'][ \n\t]{0,8},[ \n\t]{0,8}[\"']")
_FLAGGED = re.compile(rb"[ ]{1,4}[\"']?")
_CLOSERS = {b'"': b'"', b"'": b"'", b"`": b"`", b"%": b"%"}


def read(record: Record) -> None:
    """Find the values behind every key and cue."""
    if not record.every & TELLS:
        return
    data, find = record.data, (b" " + record.apart + b" ").find
    at = done = 0
    for tells in filter(None, map(record.tells.get, record.runs)):
        needle, size, wanted, plain, _, _, _ = tells
        start = find(needle, at)  # a blank stands before all of it: here the run begins
        at = stop = start + size
        if start < done:
            continue
        if not plain:
            start, stop = _core(data, start, stop)
        after = _AFTER[data[stop : stop + 2]]
        may = after & wanted
        if may and (may != OPTION or data[start - 1 : start] in _FLAGS):
            done = _one(record, (start, stop), tells, after)


def _core(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the piece of a run that can be a key: see `key_of`."""
    start = max(start, end - RUN_CHARS_MAX)
    while start < end and data[start] in KEY_MARKS:
        start += 1
    while start < end and data[end - 1] in KEY_MARKS:
        end -= 1
    return start, end


class _After(dict[bytes, int]):
    """What the two bytes behind a key let it tell, each pair worked out once."""

    def __missing__(self, pair: bytes) -> int:
        """Work it out; there are no more of them than pairs of bytes."""
        first = pair[:1]
        marked = first in _MARK_FIRST and pair not in _UNMARKED
        found = (SAID if first in _SAID_FIRST else 0) | (MARKED if marked else 0)
        found |= TAKES if pair in _TAKEN_FIRST else 0
        if pair[1:] != TAKEN or first not in _TAKEN_MARKS:  # else a token stands there already
            found |= SPEAKS | (GOES_ON if first in _BLANKS or pair == _ABBREVIATED else 0)
            if first in _MARK_FIRST:
                found |= WRITES if marked else OPTION
        self[pair] = found
        return found


_AFTER = _After()


def _one(record: Record, key: tuple[int, int], tells: Tells, after: int) -> int:
    """Read the value behind one key; return where to go on.

    Args:
        record: the record.
        key: where the key stands.
        tells: what it tells.
        after: what the two bytes behind it let it tell.
    """
    data = record.data
    start, end = key
    _, _, _, plain, written, heard, begins = tells
    if heard is not None and is_of_machine(record, start, end, kind=heard.kind, plain=plain):
        heard = None
    if data[end : end + 1] == b"[" and _PROCESS.match(data, end, end + 9) is not None:
        kinds = {told.kind for told in (written, heard) if told is not None}
        if kinds <= _OF_SERVICES:
            return end
    if after & TAKES and data[end + 2 : end + 3] == TAKEN:
        return end
    if not plain and digits(data[start:end]) > DIGITS_OF_KEYS_MAX:
        begins = False  # MR6595533935 is a value
    if begins and after & GOES_ON and (stops := _more_stops(record, end)):
        keys = record.lexicon.policy.keys
        for stop in reversed(stops):
            if is_of_program(data, record.lower, start, stop):
                return end
            longer, behind = data[start:stop], _AFTER[data[stop : stop + 2]]
            told, said = keys.told(longer), keys.heard(longer)
            reached = _key(record, (start, stop), (told, said), behind)
            if reached > 0:
                return reached
    return max(end, _key(record, key, (written, heard), after))


_PROCESS = re.compile(rb"\[[0-9]{1,6}\]:")
"""A service and its process in a system's log: `badge[2550]:`."""
_OF_SERVICES = frozenset(
    {"OTHER_ID", "DEVICE", "DEVICE_MAYBE", "ACCOUNT", "HEALTH_PLAN", "VEHICLE"}
)


def _more_stops(record: Record, end: int) -> list[int]:
    """Return where the key may end beyond its run: after up to three more words."""
    atoms, lower = record.lexicon.policy.keys.atoms, record.lower
    stops: list[int] = []
    while len(stops) < WORDS_MAX:
        match = _FOLLOWING.match(lower, end, end + 30)
        if match is None or not _is_atom(match[1], atoms):
            break
        end = match.end()
        stops.append(end)
    return stops


def _is_atom(word: bytes, atoms: frozenset[bytes]) -> bool:
    return (
        word in atoms
        or word in _LINKS
        or (not word.isalpha() and word.replace(b"'", b"").strip(b".") in atoms)
    )


def _key(
    record: Record, key: tuple[int, int], tells: tuple[Told | None, Told | None], after: int
) -> int:
    """Read the value behind one reading of a key.

    Args:
        record: the record.
        key: where the key stands.
        tells: what it tells with a mark behind it, and in running text.
        after: what the two bytes behind it let it tell.

    Returns:
        Where to go on, -1 when a shorter reading may tell more.
    """
    data = record.data
    start, stop = key
    written, heard = tells
    marked = after & MARKED
    value = -1 if written is None else _value_at(data, start, stop, told=written, marked=marked)
    told = heard if value < 0 else written
    if told is None or (value < 0 and not after & SAID):
        return -1
    if told.kind == "OTHER_ID" and b"tx" in record.lower and record.lower[start:stop] == b"rx":
        return stop  # what a network card received
    if told.kind == "DATE_MAYBE":
        if not record.person and not _is_visit(record, start, stop):
            return stop
        told = Told("DATE", told.person)
    if (told.kind not in _SURELY and _infra_before(record, start)) or (
        told.kind == "DEVICE_MAYBE"
        and record.words.isdisjoint(record.lexicon.vocabulary["implants"])
    ):
        return stop
    reached = _take(record, told, stop, value)
    return reached if reached > stop else -1


def _take(record: Record, told: Told, stop: int, value: int) -> int:
    """Take the value behind a key that ends at `stop`; `value` is -1 where no mark follows it."""
    if value < 0:
        return read_spoken(record, told, stop)
    if record.data[stop] == EQUALS and (end := take_asked(record, told, value)) > 0:
        return end
    return _marked(record, told, stop, value)


_SUBJECT = re.compile(
    rb"([A-Z][A-Za-z'-]{1,30}),? ([A-Z][A-Za-z'-]{1,30}) (?:was|is|has been|will be) \Z"
)
SUBJECT_CHARS_MAX = 76
_CLINICIAN = re.compile(
    rb" by [^\n]{0,60}?[A-Za-z], ?(?:(?i:DDS|DMD|MD|RDH|RN|DPM|CRNA)|DO|NP|PA|PA-C|OD)(?![A-Za-z])"
)


def _is_visit(record: Record, start: int, stop: int) -> bool:
    """Whether what was seen is somebody: `Dorf Rivers was seen on`, `seen on … by Z. Lake, DDS`.

    Scanners see plugins and hosts too, which have no name and whom no clinician sees.
    """
    if _CLINICIAN.search(record.data, stop, stop + SUBJECT_CHARS_MAX) is not None:
        return True
    subject = _SUBJECT.search(record.data, max(0, start - SUBJECT_CHARS_MAX), start)
    flags = [people.word_flags(record, word) for word in subject.groups()] if subject else []
    return any(not flag & WORD or flag & SURE for flag in flags) and not any(
        flag & CONTEXT for flag in flags
    )


def _value_at(data: bytes, start: int, stop: int, *, told: Told, marked: int) -> int:
    """Return where the value behind a written key begins, -1 when no mark is there."""
    if marked and told.kind in NEED_DIGITS and _is_apart(data, start, stop):
        return stop + 1
    if marked:
        match = _MARKED.match(data, stop, stop + REACH)
        if match is not None and (data[stop] != CLOSE or data[start - 2 : start] != b"</"):
            return match.end()
    before = data[start - 1 : start]
    if before == b"[" and data[stop : stop + 2] == b"] " and data[stop + 2 : stop + 3] != b"[":
        return stop + 2
    if before == b"<":
        attribute = _VALUE_ATTRIBUTE.match(data, stop, stop + 60)
        return -1 if attribute is None else attribute.end()
    if (
        before in _OPTION
        and told.kind not in _NOT_OF_OPTIONS
        and data[start - 2 : start - 1] in _BEFORE_IT
    ):
        after = _FLAGGED.match(data, stop, stop + 6)
        return -1 if after is None else after.end()
    return -1


_LINE_ENDS = frozenset({b"", b"\n"})


def _is_apart(data: bytes, start: int, stop: int) -> bool:
    """Whether a number's key is a field or a line of its own, and the number is the next one."""
    # A code's system (`^LN|`) or a unit (`mg/dL|`) ends a field, and is no key of the next.
    mark = data[stop : stop + 1]
    return (
        mark == b"|" and data[start - 1 : start] != b"^" and data[start - 1 : stop] != b"/dL"
    ) or (mark == b"\n" and data[start - 1 : start] in _LINE_ENDS)


_BEFORE_IT = frozenset({b"", b" ", b"-", b'"', b"'", b"\t", b",", b"\n", b"["})


def _infra_before(record: Record, start: int) -> bool:
    """Whether the word before says that this is equipment: `IPv4 Address`, `Group Policy`."""
    if start < 2 or record.data[start - 1] != BLANK:
        return False
    lower, first = record.lower, max(0, start - 1 - _BEFORE_CHARS_MAX)
    before = lower[max(first, lower.rfind(b" ", first, start - 1) + 1) : start - 1]
    if before.isalnum():
        return record.lexicon.is_equipment(before)
    match = _BEFORE.search(before)
    return match is not None and record.lexicon.is_equipment(match[1])


def _marked(record: Record, told: Told, stop: int, value: int) -> int:
    """Take the value behind a key with its mark."""
    data = record.data
    if value < len(data) and data[value] in b"\"'`" and data[value - 1 : value] not in b"\"'`":
        value += 1
    quote = data[value - 1 : value] if value > stop else b""
    if quote in _CLOSERS and quote:
        return _quoted(record, told, value, quote)
    limit = _limit(record, value, xml=data[stop : stop + 1] == b">")
    empty = _NEXT_OF_SECRETS if told.kind == "SECRET" else _NEXT_KEY
    if value >= limit or (data[value - 1] == BLANK and empty.match(data, value, limit)):
        return -1
    kind, taker = TAKERS[told.kind]
    taker = SHORT.get(told.kind, taker)
    if told.kind == "USERNAME":
        return take_user(record, value, limit)
    if data[stop : stop + 1] == b">" and data[limit : limit + 1] == b"<":
        return _element(record, told, value, limit)
    end = taker(record, value, limit)
    if told.kind == "NAME_MAYBE" and (end < 0 or not is_name(record, value, end)):
        return maybe_number(record, value, limit)
    if end > 0 and _is_of_equipment(record, told, stop, (value, end)):
        return -1
    if end < 0 and told.kind in INSTEAD:
        return INSTEAD[told.kind](record, told, value, limit)
    if end > 0:
        record.hit(kind, value, end, f"the key says {kind}")
        end = further(record, kind, end, limit)
    return end


def _is_of_equipment(record: Record, told: Told, stop: int, found: tuple[int, int]) -> bool:
    """Whether an address is of no house, an invoice the site's, a template a digest, or a number one of a protocol."""
    if told.kind == "ADDRESS":
        return not is_street(record, *found)
    if told.kind == "ACCOUNT":
        return is_of_purchase(record, stop)
    if told.kind == "BIOMETRIC":
        return is_no_template(record.lower[slice(*found)])
    if told.kind != "OTHER_ID" or digits(record.data[slice(*found)]) > SHORT_DIGITS_MAX:
        return False
    return _AUTH.search(record.lower, max(0, stop - 6), stop) is not None


_AUTH = re.compile(rb"(?:^|[^a-z])auth\Z")


def _element(record: Record, told: Told, value: int, limit: int) -> int:
    """Take what stands between the tags of an element."""
    if not fits(record, told, value, limit):
        return -1
    kind = TAKERS[told.kind][0]
    record.hit(kind, value, limit, f"the element says {kind}")
    return limit


_NEXT_KEY = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]{0,40}=")
_NEXT_OF_SECRETS = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]{0,24}=[^=\s]")
"""A value was left empty: `ruser= rhost=10.0.0.1`."""


def _limit(record: Record, value: int, *, xml: bool) -> int:
    data = record.data
    limit = min(len(data), value + VALUE_CHARS_MAX)
    for mark in (b"\n", b"<") if xml else (b"\n", b"\t"):
        found = data.find(mark, value, limit)
        if found >= 0:
            limit = found
    return limit


def _quoted(record: Record, told: Told, value: int, quote: bytes) -> int:
    """Take what stands in quotes, and the further elements of a list of such.

    What is not taken is read for keys of its own: `"note": "MRN: 00481516"`.
    """
    data = record.data
    reached = value
    for _ in range(ELEMENTS_MAX):
        end = _closing(data, value, quote)
        if fits(record, told, value, end):
            _take_whole(record, told, value, end)
            reached = end
        elif told.kind == "NAME_MAYBE" and (
            not record.person or _NUMBER.fullmatch(data, value, end)
        ):
            record.maybe.append((value, end))
        elif told.kind == "NAME" and told.person and _NUMBER.fullmatch(data, value, end):
            record.hit(Kind.MRN, value, end, "a number under a key of people")
            reached = end
        more = _ELEMENT.match(data, end, min(len(data), end + 24))
        if more is None or quote == b"%":
            break
        after = _closing(data, more.end(), quote)
        if data[after + 1 : after + 3].lstrip(b" ")[:1] == b":" or not _in_list(data, value):
            break
        value = more.end()
    return reached


_NUMBER = re.compile(rb"[A-Z]{0,3}[0-9]{6,12}")


def again(record: Record) -> None:
    """Look again at what may be names, now that the record is known to be about people."""
    for start, end in record.maybe if record.person else ():
        if record.covered(start, end):
            continue
        if _NUMBER.fullmatch(record.data, start, end):
            key = _NUMBERED_KEY.search(record.lower, max(0, start - 16), start)
            if key is not None:
                record.hit(
                    _NUMBER_OF[key[1]], start, end, "a number under such a key, beside people"
                )
        elif fits(record, _MAYBE, start, end):
            record.hit(Kind.NAME, start, end, "the key says NAME, the record is about people")


_MAYBE = Told("NAME_MAYBE", person=False)
_NUMBER_OF = {
    **dict.fromkeys((b"account", b"acct"), Kind.ACCOUNT),
    **dict.fromkeys((b"member", b"subscriber"), Kind.HEALTH_PLAN),
}
_NUMBERED_KEY = re.compile(rb"(account|acct|member|subscriber)\\{0,3}[\"']? ?[:=] ?\\{0,3}[\"']\Z")


def _in_list(data: bytes, value: int) -> bool:
    """Whether the quoted value is an element of a list."""
    before = data[max(0, value - 12) : value - 1].rstrip(b" \n\t")
    return before[-1:] in {b"[", b","}


def _closing(data: bytes, value: int, quote: bytes) -> int:
    limit = min(len(data), value + VALUE_CHARS_MAX)
    at = value
    while True:
        at = data.find(quote, at, limit)
        if at < 0:
            newline = data.find(b"\n", value, limit)
            return newline if newline >= 0 else limit
        slashes = 0
        while data[at - 1 - slashes : at - slashes] == b"\\" and slashes < 8:
            slashes += 1
        opened = data[value - 2 : value - 1] == b"\\"
        if slashes % 2 == 0 or opened:
            return at - (slashes if opened else 0)
        at += 1


def _take_whole(record: Record, told: Told, value: int, end: int) -> None:
    kind = TAKERS[told.kind][0]
    if told.kind == "USERNAME":
        if take_user(record, value, end) < 0:
            record.maybe.append((value, end))
        return
    record.hit(kind, value, end, f"the key says {kind}")


_PLUS_NAME = re.compile(rb"[A-Z][A-Za-z'-]{1,30}(?:\+[A-Z][A-Za-z'-]{0,30}){1,3}(?=[&\s\"'#;]|$)")
"""A display name of which the blanks are pluses, as forms send it."""


def take_user(record: Record, value: int, limit: int) -> int:
    """Take a login, or a display name where a login is expected."""
    plus = _PLUS_NAME.match(record.data, value, limit)
    if plus is not None and record.data[value - 1] == EQUALS:
        record.hit(Kind.NAME, value, plus.end(), "the key of a query says USERNAME")
        return plus.end()
    match = DOMAIN.match(record.data, value, min(limit, value + 64))
    begin = match.end() if match else value
    end = logins.take_login(record, begin, limit)
    if end < 0:
        # A display name where a login is expected: "Smith, Anna".
        end = people.take_name(record, begin, limit)
        if end < 0 or not is_name(record, begin, end):
            return -1
        record.hit(Kind.NAME, begin, end, "the key says USERNAME, the value is a name")
        return end
    named = people.take_name(record, begin, limit)
    if named > end and b" " in record.data[begin:named]:
        end = named
    record.hit(Kind.USERNAME, begin, end, "the key says USERNAME")
    return end

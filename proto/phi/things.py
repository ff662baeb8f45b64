"""Things of machines that are written like names: `RetryCount`, `Robin Hood hash`, `Scala, Julia 1.10`.

A pair of words that the gazetteer weighs as a name is none when it is run together from words of
machines, or when what stands behind it says that it is a thing.
"""

import re

from proto.phi.lexicon import NAMEY, is_plain
from proto.phi.people import machine_camel, word_flags
from proto.phi.programs import is_of_program
from proto.phi.record import Record, digits

Token = tuple[int, int, int, bytes]
"""Of a word in a run: start, end, flags (-1 for an initial), the mark behind it."""
_MAKES = frozenset({b"Brother"})
"""Makes of equipment, in a list of such: `Canon, Brother, Epson`."""
_PEOPLE = frozenset({"NAME", "NAME_MAYBE", "MRN", "OTHER_ID"})
_NUMBERED = frozenset({"NAME", "SSN", "OTHER_ID"})
_STAMP_BEHIND = re.compile(rb" {1,2}[0-9]{1,2} [0-9]{2}:[0-9]{2}:")
"""What follows a month in the stamp of a log."""
_VERSION_BEHIND = re.compile(rb" v?[0-9]{1,4}\.[0-9]")
_THING_BEHIND = re.compile(
    rb" (?:theme|hash|algorithm|scheduler|kernel|engine|plugin|protocol|library|framework|codec|compiler|font|shader"
    rb"|access(?= to| on| for| from|$|[,.;])|permissions?|rights)(?![a-z])"
)
"""Things of machines that are called as people are: `Robin Hood hash`, `Grant Read access to`."""


def before_other(record: Record, start: int, end: int) -> int:
    """Return where a run ends that something else is written behind.

    That is the next key (`DOE^JANE StationName=`, `CN=Ann Lee,OU=`), the stamp of a log (`ANN LEE,
    Dec 12 19:57:54`) or a version (`Scala, Julia 1.10`).
    """
    data = record.data
    after = data[end : end + 1]
    if after == b"=":
        at = max(data.rfind(b" ", start, end), data.rfind(b",", start, end))
        key = data[at + 1 : end]
        if at > start and (key in _ATTRIBUTES or _is_code(key) or machine_camel(record, key)):
            return at
    elif after == b" " and (
        _STAMP_BEHIND.match(data, end) is not None
        or (b"," in data[start:end] and _VERSION_BEHIND.match(data, end) is not None)
    ):
        at = max(data.rfind(b" ", start, end), data.rfind(b",", start, end))
        return max(at, start)
    return end


CODE_LETTERS_MAX = 4


def _is_code(key: bytes) -> bool:
    """Whether what stands before an equals sign is a short key in capitals: `FONTAINE DAC=`."""
    return len(key) <= CODE_LETTERS_MAX and key.isupper()


_ATTRIBUTES = frozenset({b"OU", b"DC", b"CN", b"O", b"L", b"ST", b"C", b"SN", b"UID", b"STREET"})
"""Of a distinguished name (RFC 4514)."""


def is_thing(record: Record, one: Token, two: Token) -> bool:
    """Whether a pair that could be a name is of words of machines, or of a thing called as people."""
    data = record.data
    if not record.person and _THING_BEHIND.match(data, two[1]) is not None:
        return True
    if one[3] == b"," and data[one[0] : one[1]] == data[two[0] : two[1]]:
        return True  # two fields of a row that hold the same: `Untrust,Untrust`
    words = (data[start:stop].rpartition(b" ")[2] for start, stop, _, _ in (one, two))
    return any(
        len(word) > MACHINE_LETTERS_MIN
        and b"-" not in word
        and not word.isupper()
        and machine_camel(record, word)
        for word in words
    )


MACHINE_LETTERS_MIN = 7


def is_company(record: Record, one: Token, two: Token) -> bool:
    """Whether both words together are a maker or a program: `Henry Schein`, `Charles Proxy`."""
    pair = record.lower[one[0] : two[1]].replace(b" ", b"-")
    return pair in record.lexicon.vocabulary["companies"]


def could_be_both(record: Record, one: Token, two: Token) -> bool:
    """Whether two words of machines are a last and a first name at all: not `Default,SMTP`."""
    if not (is_plain(one[2]) and is_plain(two[2])) or b"-" in record.data[one[0] : two[1]]:
        return True
    weights = record.lexicon.names.weights
    last, first = (weights(record.lower[token[0] : token[1]].decode()) for token in (one, two))
    return last[1] > 0 and first[0] > 0


def is_of_machine(record: Record, start: int, end: int, *, kind: str, plain: bool) -> bool:
    """Whether a cue is no word for people here: NURSE-19, EXAM-22, `Brother,` and `412 ms`."""
    data = record.data
    if kind in _PEOPLE and is_of_program(data, record.lower, start, end):
        return True
    if kind in _NUMBERED and not plain and digits(data[start:end]):
        return kind != "SSN" or data[start + 2 : start + 3].isdigit()  # ss7, but not ssn4
    if kind != "NAME":
        return False
    if data[start:end] == b"ms" and data[start - 1 : start] in b" " and start > 1:
        return data[start - 2 : start - 1].isdigit()
    if data[start:end] not in _MAKES:
        return False
    model = _MODEL.match(data, end)
    return data[end : end + 1] == b"," or (
        model is not None and not word_flags(record, model[1]) & NAMEY
    )


_MODEL = re.compile(rb" ([A-Z]{2}[A-Za-z-]{2,20}|[A-Z][a-z]{2,20})(?![a-z])")
"""What follows a make: `Brother BRAdmin`, `Brother Laser`."""

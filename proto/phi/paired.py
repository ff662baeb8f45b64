"""Names that a login or a word for an account beside them tells, and who says who they are.

`aself,Art Self` and `Art Self (aself)`: the login is made of the name. `user Price, Kuoprimur`: an
account that is called by a name. `its wensen thomas`: who speaks, in small letters.
"""

import re

from proto.phi.lexicon import ALSO, CONTEXT, CUE, NAMEY, SURE, WORD
from proto.phi.people import word_flags
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_LOGIN_FIRST = Pattern(
    r"(?:^|[^A-Za-z0-9._-])([a-z][a-z0-9._-]{2,24})[\"']?(?:[,;|\t] ?| ?\(| - )[\"']?([A-Z][a-z'-]{1,24}) ([A-Z][A-Za-z'-]{1,24})(?:$|[^A-Za-z0-9'-])"
)
_NAME_FIRST = Pattern(
    r"(?:^|[^A-Za-z0-9._-])([A-Z][a-z'-]{1,24}) ([A-Z][A-Za-z'-]{1,24})[\"']?(?:[,;|\t] ?| ?[(<\[]| - )[\"']?([a-z][a-z0-9._-]{2,24})(?:$|[^A-Za-z0-9._-])"
)
_CALLED = Pattern(
    r"\b(?i:user|nurse|staff|caller|operator|owner|badge|handset|tech|clinician|provider|employee|holder|wearer|assignee) ([A-Z][a-z'-]{1,24}, [A-Z][a-z'-]{1,24})(?: [a-z(\[]|[;.)\n]|$)"
)
_SPEAKS = Pattern(
    r"(?i:(?:^|[^a-z])(?:its|it's|it is|this is|my name is|my name's|name is|im|i'm|i am|here is)) ([a-z]{2,20} [a-z]{3,20})(?:[,.;!]| here| calling| and | from | i | i'm| -|$)"
)
GATED = (
    ("twofold", (_LOGIN_FIRST, _NAME_FIRST)),
    ("user_listed", (_CALLED,)),
    ("speaks", (_SPEAKS,)),
)
"""Each gate with the patterns that are tried only when it is lit."""
GATES = frozenset(gate for gate, _ in GATED)
_CHOSEN = re.compile(rb"[,;|\t][\"']?((?=[^,;|\s]*[A-Za-z])[^\s,;|\"']{6,40})")
"""The field behind, where a line speaks of passwords."""


def read(record: Record) -> None:
    """Find such names, their logins, and the password in the field behind."""
    if "twofold" in record.shapes:
        for _, login, first, last in _LOGIN_FIRST.each(record.data):
            _twofold(record, login, first, last)
        for _, first, last, login in _NAME_FIRST.each(record.data):
            _twofold(record, login, first, last)
    if "user_listed" in record.shapes:
        for start, end in _CALLED.values(record.data):
            if not record.covered(start, end) and _are_names(record, start, end):
                record.hit(Kind.NAME, start, end, "an account that is called by a name")
    if "speaks" in record.shapes:
        for start, end in _SPEAKS.values(record.data):
            if not record.covered(start, end) and _is_small_name(record, start, end):
                record.hit(Kind.NAME, start, end, "who says who they are")


def _twofold(
    record: Record, login: tuple[int, int], first: tuple[int, int], last: tuple[int, int]
) -> None:
    lower = record.lower
    one, two = (lower[slice(*span)].translate(None, b"'-") for span in (first, last))
    bare = lower[slice(*login)].rstrip(b"0123456789")
    if bare not in _made(one, two) or len(bare) < LOGIN_LETTERS_MIN:
        return
    record.hit(Kind.USERNAME, *login, "made of the name beside it")
    record.hit(Kind.NAME, first[0], last[1], "what the login beside it is made of")
    behind = max(login[1], last[1])
    chosen = _CHOSEN.match(record.data, behind, behind + 44) if b"passw" in lower else None
    if chosen is not None and not (chosen[1].isalpha() and word_flags(record, chosen[1])):
        record.hit(Kind.SECRET, *chosen.span(1), "the password behind a login and its name")


LOGIN_LETTERS_MIN = 4


def _made(one: bytes, two: bytes) -> frozenset[bytes]:
    """Return the logins that are made of a first and a last name."""
    return frozenset({
        one[:1] + two, one + two[:1], two + one[:1], two + one[:2], one[:2] + two, one + two, two + one,
        one + b"." + two, two + b"." + one, one + b"_" + two, two + b"_" + one, one + b"-" + two, one[:1] + b"." + two,
        one[:1] + b"_" + two, two[:7] + one[:1], one[:1] + two[:7],
    })  # fmt: skip


def _are_names(record: Record, start: int, end: int) -> bool:
    """Whether two words with a comma between can be a last and a first name."""
    one, two = (word_flags(record, word) for word in record.data[start:end].split(b", "))
    if (one | two) & CONTEXT or two & CUE or (two & WORD and not two & (ALSO | SURE)):
        return False
    return bool((one | two) & NAMEY) or not one & two & WORD


def _is_small_name(record: Record, start: int, end: int) -> bool:
    """Whether two words in small letters are a name: neither is a word, one is surely a name."""
    one, two = (word_flags(record, word) for word in record.data[start:end].split(b" "))
    if (one | two) & (WORD | CUE | CONTEXT):
        return False
    return bool((one | two) & NAMEY and (one | two) & SURE)

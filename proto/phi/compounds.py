"""Names written as one word of a machine: `NewPatient-JessicaHughes`, `export-patient-laura-ramirez`.

Classes, products and branches are written so too. So both words must be names before they are
anything else, and either a word before them in the same compound speaks of a patient, or they are
all of the value of a key that does.
"""

import re

from proto.phi.lexicon import ALSO, CONTEXT, CUE, FIRST, LAST, SURE, WORD
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_ABOUT = (
    r"(?i:patients?|pts?|pat|chart|dear|recall|intake|guarantor|client|member|subscriber|insured)"
)
_COMPOUND = Pattern(
    rf"(?:^|[^A-Za-z.$@])((?:[A-Za-z]{{1,30}}[_-]?)?{_ABOUT}(?:[_-][A-Za-z]{{5,40}}|[_-][A-Za-z]{{1,40}}[_-][A-Za-z]{{1,40}}|[A-Za-z]{{9,40}})(?:[_-][A-Za-z]{{1,40}}){{0,4}})(?:$|[^A-Za-z_$(\\/-])"
)
_BEHIND = Pattern(
    rf"(?:^|[^A-Za-z.$@/])([A-Z][a-z]{{2,20}}[_-]?[A-Z][a-z]{{2,20}}[_-]{_ABOUT}(?:[_-][A-Za-z]{{1,40}}){{0,3}})(?:$|[^A-Za-z_$(\\/-])"
)
_VALUE = Pattern(
    rf"(?:^|[^A-Za-z])((?:[A-Za-z]+[_-]?)?{_ABOUT}(?:[_-]?(?i:key|name|id|ref|full_?name|display|folder|label|code|slug|tag))?)\\{{0,3}}[\"']? ?[:=]{{1,2}} ?\\{{0,3}}[\"']?([A-Za-z]{{2,20}}[/_-]?[A-Z]?[a-z]{{1,20}})(?:$|[^A-Za-z_$(@\\/=:.-])"
)
GATED = (("compound", (_COMPOUND, _BEHIND)), ("compound_value", (_VALUE,)))
"""Each gate with the patterns that are tried only when it is lit."""
GATES = frozenset(gate for gate, _ in GATED)
_WORDS = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
LETTERS_MIN = 3
PAIR = 2


def read(record: Record) -> None:
    """Find names in such compounds and values."""
    data, shapes = record.data, record.shapes
    if "compound" in shapes:
        for pattern in (_COMPOUND, _BEHIND):
            for start, end in pattern.values(data):
                _look_in(record, start, end)
    if "compound_value" in shapes:
        for spans in _VALUE.each(data):
            start, end = spans[2]
            words = list(_WORDS.finditer(data, start, end))
            if len(words) == PAIR and _are_a_name(record, *words, told=True):
                record.hit(Kind.NAME, start, end, "a name written as one word, its key a patient's")


def _look_in(record: Record, start: int, end: int) -> None:
    """Take each pair of names of a compound."""
    words = list(_WORDS.finditer(record.data, start, end))
    value = record.data[start:end]
    said = {word.group().lower() for word in words}
    if said.isdisjoint(_OF_PEOPLE if value.islower() else _SAYS):
        return
    at = 0
    while at + 1 < len(words):
        one, other = words[at : at + 2]
        if _are_a_name(record, one, other):
            record.hit(Kind.NAME, one.start(), other.end(), "a name in a compound about a patient")
            at += 1
        at += 1


_OF_PEOPLE = frozenset(
    b"patient patients pt pts pat dear recall intake guarantor member subscriber insured".split()
)
_SAYS = _OF_PEOPLE | {b"chart", b"client"}
"""In small letters alone these two are of software: of Helm, of a protocol."""


def _are_a_name(
    record: Record, one: re.Match[bytes], other: re.Match[bytes], *, told: bool = False
) -> bool:
    """Whether two words are a first and a last name, in either order; `told` that a key says so."""
    if min(len(one.group()), len(other.group())) < LETTERS_MIN:
        return False
    first, second = (record.lexicon.flags(word.group().lower()) for word in (one, other))
    if (first | second) & (CONTEXT | CUE):
        return False
    is_written = told and one.group().istitle() and other.group().istitle()
    last = LAST | ALSO if is_written else LAST
    return _are_in_order(first, second, last) or _are_in_order(second, first, last)


def _are_in_order(first: int, second: int, last: int) -> bool:
    """Whether two words are a first and a last name; a word of machines only behind a sure one."""
    if not (first & FIRST and second & last):
        return False
    if not first & WORD and first & SURE:
        return True
    return bool(second & SURE) and not second & WORD and (not first & WORD or bool(first & SURE))

"""Hosts that are called after who works at them: `fifeqappan-laptop` beside the login `fifeqappanm`.

A host of a person's device is a word and a kind of device. The word is somebody's where it is the
login of the record, a part of it, a name found in it, or the name whose initial the login has.
"""

import re

from proto.phi.lexicon import ALSO, CONTEXT, CUE, NAMEY, ROOT, SURE, WORD, WORKPLACE
from proto.phi.record import LETTERS, TAKEN, Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

LOGINS_MAX = 64
_BEHIND = Pattern(r"(?i)(?:^|[^a-z0-9._-])([a-z][a-z.']{2,24})[-_]([a-z]{2,12})(?:$|[^a-z])")
_AHEAD = Pattern(
    r"(?i)(?:^|[^a-z0-9._-])([a-z]{2,12})(?:1[01])?[-_]([a-z][a-z.]{2,24})[0-9]{0,2}(?:$|[^a-z0-9-])"
)
"""A word and a kind of device, and the other way round."""
_MANY = frozenset(
    b"sales doctors nurses guests exam front desk lab labs office station room rooms reception clinic"
    b" training spare loaner temp shared admin user home".split()
)
PART_LETTERS_MIN, STEM_LETTERS_MIN, INITIALS_MAX = 3, 4, 2


def read(record: Record) -> None:
    """Take the person out of hosts that the logins and names of the record tell."""
    data = record.data
    if not record.every & WORKPLACE or not any(
        (b"-" in run or b"_" in run) and record.known[run] & WORKPLACE for run in record.runs
    ):
        return
    logins, names = _who(record)
    if not logins and not names:
        return
    kinds = record.lexicon.vocabulary["workplaces"]
    for pattern, word, kind in ((_BEHIND, 1, 2), (_AHEAD, 2, 1)):
        for spans in pattern.each(data):
            start, end = spans[word]
            if record.lower[slice(*spans[kind])] not in kinds or record.covered(start, end):
                continue
            stem = record.lower[start:end].removesuffix(b"'s")
            if any(
                _is_whose(record, one, logins, names) for one in {stem, stem.removesuffix(b"s")}
            ):
                record.hit(Kind.HOST_PERSON, start, end, "a host called after who works at it")


def _who(record: Record) -> tuple[set[bytes], set[bytes]]:
    """Return the logins and the words of names that were found, in lower case."""
    logins, names = set[bytes](), set[bytes]()
    for start, end, kind, _ in record.found[:LOGINS_MAX]:
        value = record.lower[start:end]
        if TAKEN in value:
            continue
        if kind is Kind.USERNAME:
            logins.add(value.rpartition(b"\\")[2].partition(b"@")[0])
        elif kind is Kind.EMAIL:
            logins.add(value.partition(b"@")[0])
        elif kind is Kind.NAME:
            names.update(
                word for word in value.translate(LETTERS).split() if len(word) >= STEM_LETTERS_MIN
            )
    return logins, names


def _is_whose(record: Record, stem: bytes, logins: set[bytes], names: set[bytes]) -> bool:
    """Whether a host's word is somebody's of the record."""
    flags = record.lexicon.flags(stem)
    lists = record.lexicon.vocabulary
    if stem in _MANY or stem in lists["accounts"] or stem in lists["account_parts"]:
        return False
    if flags & (CUE | CONTEXT | ROOT) and not flags & SURE:
        return False
    if stem in names and not flags & WORD:
        return True
    namey = bool(flags & NAMEY) or bool(flags & ALSO)
    return any(_is_of_login(stem, login.rstrip(b"0123456789"), namey=namey) for login in logins)


def _is_of_login(stem: bytes, login: bytes, *, namey: bool) -> bool:
    """Whether a word is a login, a part of it, or a name whose initial the login ends or begins with."""
    parts = re.split(rb"[._-]", login)
    if len(stem) >= PART_LETTERS_MIN and stem in parts:
        return True
    if len(stem) < STEM_LETTERS_MIN:
        return False
    rest = len(login) - len(stem)
    if 0 <= rest <= INITIALS_MAX and (login.startswith(stem) or login.endswith(stem)):
        return True
    return namey and len(parts) == 1 and stem[:1] in {login[:1], login[-1:]}

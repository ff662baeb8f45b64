"""Logins: whether one reads like a person's, and how far it goes."""

import re

from proto.phi.lexicon import ALSO, CUE, FIRST, KNOWN, LAST, NAMEY, SURE, WORD
from proto.phi.record import LETTERS, Record

_LOGIN = re.compile(
    rb"(?:[A-Za-z0-9._-]{1,40}\\{1,2})?([A-Za-z][A-Za-z0-9._'-]{0,40}\$?)(?:@[A-Za-z0-9.-]{1,80})?"
)
_GUID = re.compile(rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")
"""What software calls its own things by; nobody logs in so."""
_CAMEL = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PACKAGES = frozenset(
    {b"com", b"org", b"net", b"io", b"java", b"javax", b"sun", b"android", b"system", b"microsoft"}
)


def take_login(record: Record, at: int, limit: int) -> int:
    """Take a login, with its domain passed over by the caller; -1 for those of machines."""
    match = _LOGIN.match(record.data, at, min(limit, at + 160))
    if match is None:
        return -1
    end = match.end(1)
    if record.data[end : end + 1].isalnum():
        return -1  # longer than a login, as the name of a class is
    while end > at and record.data[end - 1] in b".'-_":
        end -= 1
    if _GUID.match(record.data, match.start(1), end) is not None:
        return -1
    return end if is_person_login(record, record.data[match.start(1) : end]) else -1


def is_person_login(record: Record, login: bytes, *, sure: bool = False) -> bool:
    """Whether a login reads like a person's: no account of a system, not made of machine words."""
    lower = login.lower()
    lists = record.lexicon.vocabulary
    if lower in lists["accounts"] or lower in lists["nothing"] or lower.endswith(b"$"):
        return False
    if login.isupper() and login[-1:].isdigit() and b"-" in login:
        return False  # a machine
    words = lower.translate(LETTERS).split()
    if not login.islower() and not login.isupper():
        words = [piece.lower() for piece in _CAMEL.findall(login)]
    if not words or len(lower) < 3 or (lower.count(b".") > 1 and words[0] in _PACKAGES):
        return False
    flags = [record.lexicon.flags(word) for word in words]
    if b".." in login or any(
        word in lists["account_parts"] or (word in lists["accounts"] and not _is_first(flag))
        for word, flag in zip(words, flags, strict=True)
    ):
        return False
    if any(flag & (SURE | KNOWN) for flag in flags):
        return True
    if all(flag & WORD for flag in flags):
        return b"." in lower and bool(flags[0] & (ALSO | FIRST))
    if sure:
        return any(
            initial_and_last(record, word) or first_and_initial(record, word) for word in words
        ) or any(flag & NAMEY for flag in flags)
    if _OF_SERVICE.search(lower) or any(_is_compound(record, word) for word in words):
        return False
    return sum(map(len, words)) >= 3 and not any(byte in b":/" for byte in login)


def _is_compound(record: Record, word: bytes) -> bool:
    match = _COMPOUND.fullmatch(word)
    if match is None:
        return False
    flags = record.lexicon.flags(match[1])
    return (
        bool(flags & WORD and not flags & (FIRST | LAST))
        or match[1] in record.lexicon.vocabulary["accounts"]
    )


_COMPOUND = re.compile(
    rb"([a-z]{2,12})(?:server|admin|user|app|agent|account|client|robot|reader|writer|sync|job|batch)s?"
)
"""What a thing and what serves it are called in one word: `faxserver`, `labuser`."""
_OF_SERVICE = re.compile(rb"\A(?:svc|srv)|(?:svc|srv|daemon|service|runner)\Z")


def _is_first(flags: int) -> bool:
    """Whether an account's word is somebody's first name elsewhere: `amanda.head`."""
    return bool(flags & FIRST and flags & SURE)


def initial_and_last(record: Record, word: bytes) -> bool:
    """Whether a login reads as an initial and a last name: `jsmith`, `smithj`, `smithjo`."""
    flags = record.lexicon.flags
    return len(word) > 4 and bool(
        flags(word[1:]) & LAST or flags(word[:-1]) & LAST or flags(word[:-2]) & FIRST
    )


JOINED_LETTERS_MIN = 3


def joined(record: Record, word: bytes) -> bool:
    """Whether a word reads as a first and a last name run together: `mariagonzalez`."""
    flags = record.lexicon.flags
    if not 8 <= len(word) <= 24 or flags(word) & WORD:
        return False
    cuts = range(JOINED_LETTERS_MIN, len(word) - JOINED_LETTERS_MIN)
    return any(
        flags(word[:at]) & FIRST
        and flags(word[at:]) & LAST
        and (flags(word[:at]) | flags(word[at:])) & SURE
        and not flags(word[:at]) & flags(word[at:]) & WORD
        for at in cuts
    )


LOGIN_LETTERS_MIN = 4


def first_and_initial(record: Record, word: bytes) -> bool:
    """Whether a login reads as a first name and an initial: `ethelj`."""
    flags = record.lexicon.flags(word[:-1])
    return len(word) > LOGIN_LETTERS_MIN and bool(flags & FIRST and not flags & WORD)


def is_of_somebody(record: Record, login: bytes, *, strangers: bool) -> bool:
    """Whether what stands where an account does is a person's: made of names, or of no known word.

    Args:
        record: the record.
        login: what stands there.
        strangers: whether the place tells that it is a person's though nothing is known of it.
    """
    if not is_person_login(record, login):
        return False
    words = login.lower().translate(LETTERS).split()
    flags = [record.lexicon.flags(word) for word in words]
    if b"." in login and flags and flags[0] & FIRST:
        return True  # wei.small
    if any(flag & (FIRST | LAST | SURE) and not flag & WORD for flag in flags) or any(
        initial_and_last(record, word) or first_and_initial(record, word) or joined(record, word)
        for word, flag in zip(words, flags, strict=True)
        if not flag & WORD
    ):
        return True
    return (
        strangers
        and login.islower()
        and not any(flag & (WORD | CUE) for flag in flags)
        and sum(map(len, words)) >= LOGIN_LETTERS_MIN
        and _OF_SYSTEM.search(login) is None
    )


_OF_SYSTEM = re.compile(
    rb"\A(?:deploy|backup|svc|srv|robot|build|agent|admin)|(?:bot|svc|srv|agent|admin|runner|robot|daemon|service|backup)\Z"
)
"""How accounts of programs begin or end that are written in one word: `deploybot`."""


_COMPUTER = re.compile(rb"[A-Z][A-Z0-9-]{1,14}\$")
_OF_COMPUTER = re.compile(rb"(?i)(?:account|user|client|computer|machine)(?: name)?[:=]\s{0,4}\Z")
COMPUTER_KEY_CHARS_MAX = 24


def is_computer(data: bytes, start: int, end: int) -> bool:
    """Whether a computer's own account stands where an event says whose: `Logon Account: LAB04$`."""
    return (
        _COMPUTER.fullmatch(data, start, end) is not None
        and _OF_COMPUTER.search(data[max(0, start - COMPUTER_KEY_CHARS_MAX) : start]) is not None
    )

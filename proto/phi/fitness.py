"""Whether a value can be of the class that its key or cue tells."""

import re

from proto.phi import people
from proto.phi.keys import Told
from proto.phi.lexicon import CONTEXT, CUE, NAMEY, SURE, WORD
from proto.phi.namesakes import is_program
from proto.phi.programs import is_mask
from proto.phi.record import LETTERS, Record, digits
from proto.phi.takers import GUID, HOME, PLAN_DIGITS_MIN, SENTINELS, TAKERS, VARIABLE

VALUE_CHARS_MAX = 4096

ACRONYM_CHARS_MAX = 4
TEMPLATE_CHARS_MIN = 16
"""Shorter values under "template" are names, minutes or versions."""
_DIGEST = re.compile(
    rb"(?:sha(?:1|256)?[: ])?(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|(?:[0-9a-f]{2}:){15,31}[0-9a-f]{2})"
)
"""A fingerprint of a certificate or a key."""

_PROTECTED = re.compile(
    rb"(?:10|127|192\.168|172\.(?:1[6-9]|2\d|3[01])|169\.254)\.[\d.]{3,11}(?![\d.])"
    rb"|(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"
)


def fits(record: Record, told: Told, start: int, end: int) -> bool:
    """Whether a whole delimited value can be of the class that its key tells."""
    if not 0 < end - start <= VALUE_CHARS_MAX:
        return False
    value = record.lower[start:end].strip()
    if _is_nothing(record, told, value, record.data[start:end].strip()):
        return False
    has_digit = digits(value) > 0
    kind = told.kind
    if kind == "NAME_MAYBE":
        return not _is_key(record, start, end) and is_name(record, start, end)
    if kind == "NAME":
        return _could_be_name(record, start, end)
    if kind == "AGE90":
        return TAKERS[kind][1](record, start, end) >= 0
    if kind == "ADDRESS":
        return (
            _PROTECTED.search(value) is None
            and b"://" not in value
            and value[:1] not in {b"/", b"\\"}
            and len(value) > 3
            and value[:2] != b"0x"
            and (has_digit or told.person or is_street(record, start, end))
        )
    if kind == "CITY":
        return (
            value.replace(b" ", b"")
            .replace(b"-", b"")
            .replace(b".", b"")
            .replace(b"'", b"")
            .isalpha()
            or b"," in value
        )
    if kind == "PHONE" and b"@" in value:
        return True
    if kind in NEED_DIGITS:
        is_own = kind in _NO_GUID and not told.person and GUID.fullmatch(value) is not None
        return has_digit and not is_own and _PROTECTED.fullmatch(value) is None
    return kind != "SECRET" or (
        len(value) >= 3
        and not is_variable(record.data[start:end])
        and HOME.match(value) is None
        and _CONNECTION.search(value) is None
    )


def _is_key(record: Record, start: int, end: int) -> bool:
    """Whether a value under a key of names is itself the name of a field: `Name="DeaNo"`."""
    value = record.data[start:end]
    return b" " not in value and record.lexicon.policy.keys.told(value) is not None


_CONNECTION = re.compile(
    rb"(?:^|;) ?(?:server|data source|host|hostname|addr|address|dsn|driver|endpoint|provider|database)\s?=[^;]{1,200};"
)
"""A connection string is read for its own keys: its server is a fact, its password is not."""
_NO_GUID = frozenset(["HEALTH_PLAN", "ACCOUNT", "LICENSE", "OTHER_ID"])
NEED_DIGITS = frozenset(
    [
        "DATE",
        "DATE_MAYBE",
        "PHONE",
        "FAX",
        "SSN",
        "MRN",
        "HEALTH_PLAN",
        "ACCOUNT",
        "LICENSE",
        "VEHICLE",
        "DEVICE",
        "OTHER_ID",
        "ZIP",
    ]
)


_CALLED = frozenset({"NAME", "NAME_MAYBE"})
_HEX_ID = re.compile(rb"[0-9a-f]{16}|[0-9a-f]{32}")
"""A member of a cluster, a plan of a database."""


def _is_nothing(record: Record, told: Told, value: bytes, written: bytes) -> bool:
    """Whether a value stands for none: a word for it, marks alone, a day that is no day, a policy's name."""
    return (
        (told.kind == "BIOMETRIC" and is_no_template(value))
        or (
            told.kind == "HEALTH_PLAN"
            and (
                (not told.person and digits(value) < PLAN_DIGITS_MIN)
                or (_HEX_ID.fullmatch(value) is not None and not value.isdigit())
            )
        )
        or (told.kind in {"DATE", "DATE_MAYBE"} and value.startswith(SENTINELS))
        or (told.kind in _CALLED and not told.person and is_program(written))
        or (value in record.lexicon.vocabulary["nothing"] and not _is_named(record, told, written))
        or not value.strip(b" .-_*\x01")
    )


def _is_named(record: Record, told: Told, written: bytes) -> bool:
    """Whether a word for nothing is somebody's name where a name stands: `surname='Self'`."""
    return (
        told.kind == "NAME"
        and not told.person
        and written.istitle()
        and any(record.lexicon.names.weights(written.lower().decode("ascii", "replace"))[:2])
    )


def is_no_template(value: bytes) -> bool:
    """Whether a value under `template` or `fingerprint` is a name, a version or a digest."""
    return len(value) < TEMPLATE_CHARS_MIN or b" " in value or _DIGEST.fullmatch(value) is not None


def _could_be_name(record: Record, start: int, end: int) -> bool:
    """Whether a value under a key of names can be one: letters, and not only machine words."""
    value = record.data[start:end]
    letters = value.translate(LETTERS).split()
    if _SOURCE.search(value) is not None or is_mask(value):
        return False
    if not letters or end - start > 120 or (value[:1].isdigit() and len(max(letters, key=len)) < 3):
        return False
    if len(letters) <= 2 or b"," in value:
        return not (
            value.islower()
            and all(record.lexicon.flags(word) & WORD for word in letters)
            and len(letters) > 1
        )
    return any(
        not record.lexicon.flags(word) & WORD or record.lexicon.flags(word) & SURE
        for word in letters
    )


_SOURCE = re.compile(rb"\.(?:go|py|js|ts|java|cs|rb|php|c|cc|cpp|rs|kt|lua)(?::\d+)?\Z")
"""A line of a program, which its logger calls the caller."""


_INITIAL = re.compile(rb"[ ,][A-Z]\.\Z")
"""`Wei R.`: the full stop belongs to the initial."""
_CLINICIAN = re.compile(
    rb"[A-Z][A-Za-z'-]{1,30}, (?:MD|DO|NP|PA|PA-C|RN|DDS|DMD|DPM|RDH|CRNA|FNP|APRN|ARNP|OD|LCSW|PT|DPT)"
)
"""A last name with what its bearer may do: `Link, NP`."""


def is_name(record: Record, start: int, end: int) -> bool:
    """Whether a value reads like a name by itself."""
    if record.person and _CLINICIAN.fullmatch(record.data, start, end) is not None:
        return True
    taken = people.take_name(record, start, end)
    if taken < end and not (taken == end - 1 and _INITIAL.search(record.data, start, end)):
        return False
    value = record.data[start:end]
    words = record.lower[start:end].translate(LETTERS).split()
    flags = [record.lexicon.flags(word) for word in words]
    if len(words) < 2:
        if len(value) <= ACRONYM_CHARS_MAX and value.isupper() and not flags[0] & SURE:
            return False
        return bool(words) and record.person and bool(flags[0] & SURE or not flags[0] & WORD)
    if any(flag & NAMEY for flag in flags):
        return True
    strange = not all(flag & WORD for flag in flags)
    return record.person and strange and not any(flag & (CUE | CONTEXT) for flag in flags)


def is_street(record: Record, start: int, end: int) -> bool:
    """Whether an address without quotes is one of a house: it names a kind of street."""
    if _PROTECTED.match(record.data, start) is not None:
        return False
    words = record.lower[start:end].translate(LETTERS).split()
    return (
        any(word in record.lexicon.vocabulary["streets"] for word in words[:6])
        or b"box" in words[:3]
    )


def is_variable(value: bytes) -> bool:
    """Whether a value only stands for a secret: `$secure`, `%PASSWORD%`, `@pw`, `****`."""
    return VARIABLE.fullmatch(value) is not None


def secretive(value: bytes) -> bool:
    """Whether a word behind "password" or "token" looks chosen rather than said."""
    kinds = (
        digits(value) > 0,
        value != value.lower(),
        value != value.upper(),
        not value.isalnum(),
    )
    mixed = value.isalpha() and len(value) >= RANDOM_CHARS_MIN and _is_random_case(value)
    return (
        mixed
        or (sum(kinds) >= 2 and len(value) >= 5 and kinds[0])
        or (sum(kinds) >= 3 and len(value) >= 6)
    )


_CASED = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
RANDOM_CHARS_MIN = 8
LETTERS_OF_WORDS_MIN = 3


def _is_random_case(value: bytes) -> bool:
    """Whether capitals stand as in no words run together: `UDUZgTMOmy`, not `MaxPasswordAge`."""
    return len(value) < LETTERS_OF_WORDS_MIN * len(_CASED.findall(value))


_OF_SENTENCES = frozenset(
    b"the and are was were for but not has have which its can from been that with will this used these those".split()
)
PHRASE_WORDS_MIN = 4


def is_prose(value: bytes) -> bool:
    """Whether words in a row are of a sentence: a recovery phrase is of nouns and verbs."""
    return not _OF_SENTENCES.isdisjoint(value.replace(b"-", b" ").split()[:PHRASE_WORDS_MIN])

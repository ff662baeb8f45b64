"""What stands after a key or a cue: for each class, how far its value goes, or that it is none.

Every taker looks from one place, anchored, at most `REACH` characters ahead.
"""

import re
from collections.abc import Callable

from proto.phi import logins, people
from proto.phi.ages import is_of_thing_by
from proto.phi.lexicon import WORD
from proto.phi.record import LETTERS, Record, digits
from proto.phi.values import Kind

REACH = 160
PLAN_DIGITS_MIN = 5
"""Policies of firewalls and plans of databases have numbers too, and shorter ones."""

Taker = Callable[[Record, int, int], int]
"""From a place up to a limit: where the value ends, or -1."""

MONTH = rb"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]{0,6}"
_DATE = re.compile(
    rb"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? )?(?:\d{4}[ -]"
    + MONTH
    + rb"[ -]\d{1,2}(?!\d)|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]'?\d{2,4}|\d{8}(?!\d)|\d{12}(?!\d)|\d{14}(?!\d)"
    rb"|\d{1,2}(?:st|nd|rd|th)?[ -]?(?:day )?(?:of )?" + MONTH + rb"[ ,.-]{0,2}(?:\d{4}|'?\d{2})?"
    rb"|\d{1,2}[.-] ?(?:xi{0,2}|i{1,3}|iv|vi{0,3}|ix)[.-] ?\d{4}|\d{1,2} [-/.] \d{1,2} [-/.] (?:\d{4}|\d{2}(?!\d))"
    rb"|" + MONTH + rb" \d{4} \d{1,2}(?!\d)"
    rb"|"
    + MONTH
    + rb"[ ./-]{1,2}\d{1,2}(?:st|nd|rd|th)?(?:[ ,./-]{1,2}(?:\d{4}|'\d{2})|, ?\d{2}(?![\d:]))?|\d{1,2}[-/]\d{1,2}(?![\d/-])"
    rb"|" + MONTH + rb" \d{4}|\d{1,2} \d{1,2} \d{4}|\d{6}(?!\d)|\d{4}-\d{2}(?!\d))"
    rb"(?:[t ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]m)?(?:z|[+-]\d{2}:?\d{2})?)?"
)
SENTINELS = (
    b"1900-01-01",
    b"1753-01-01",
    b"9999-12-31",
    b"1970-01-01",
    b"0001-01-01",
    b"1899-12-30",
    b"1601-01-01",
    b"01/01/1900",
    b"1/1/1900",
    b"1/1/0001",
    b"12/31/9999",
)
"""Days that stand for none."""
_ID = re.compile(rb"#?[A-Za-z0-9](?:[A-Za-z0-9]|[-/._](?=[A-Za-z0-9])){1,63}")
_NO_ID = re.compile(
    rb"\d{1,3}(?:\.\d{1,3}){3}|\d{1,5}(?:\.\d{1,6}){3,}|(?i:v?\d+(?:\.\d+)?(?:[kmgt]i?b|bytes|ms|mhz|ghz|mbps|gbps))"
    rb"|0[xX][0-9a-fA-F]+|[vV]\d{1,4}(?:\.\d{1,6}){1,3}"
)
"""Addresses, versions and sizes, and numbers in hexadecimal."""
_STAMP = re.compile(
    rb"\d{1,2}/[A-Z][a-z]{2}/\d{4}[: ]|\d{4}-\d{2}-\d{2}[T ]\d{1,2}:\d{2}|[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:"
)
"""When a log says that something happened."""
_SPACED = re.compile(rb"\d{2,5}(?:[ -]\d{2,7}){1,5}(?![\d.:/])")
_PHONE = re.compile(
    rb"(?:tel:|sms:|sip:)?(?:\+|00)?\d{0,3}[ .-]{0,2}\(?\d{2,4}\)?(?:[ ./-]{0,3}\d{2,4}){1,4}"
    rb"(?: ?(?:x|ext\.?|extension|#) ?\d{1,6}|;(?:ext|isub|postd)=[0-9.p-]{1,12})?"
)
_EMAIL = re.compile(rb"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}")
_ADDRESS = re.compile(rb"[^\n\r\t;|<>\"\x01{}]{3,120}")
_ADDRESS_ENDS = re.compile(
    rb"[ ,^]([0-9]{5}(?:-[0-9]{4})?)(?![0-9A-Za-z-])| (?=\()|\.(?: [A-Z][a-z]|$)|,? (?=[a-z]{3,} [A-Za-z]+)| - | [A-Za-z_]+="
)
"""A ZIP code, the end of a sentence, running text, the next key."""
_SHORTENED = re.compile(
    rb"(?i)(?:^|[ ,])(?:st|ste|dr|rd|ln|ave?|blvd|apt|mt|ft|n|s|e|w|no|bldg|hwy|pkwy|ct|cir|pl|sq|ter)\Z"
)
"""A full stop behind these ends no sentence."""
_STREETLIKE = re.compile(
    rb"#?\d{1,6}[A-Za-z]?[ -]+[A-Za-z0-9]|[A-Z][A-Za-z.' ]*[a-z.'][ ,]{1,2}\d|[Pp]\.? ?[Oo]"
)
_ZIP = re.compile(rb"\d{5}(?:-?\d{4})?(?![0-9A-Za-z])|[A-Za-z]\d[A-Za-z] ?\d[A-Za-z]\d")
_PLATE = re.compile(
    rb"(?:[A-Z]{2,4}[ -]?\d{3,4}|[A-Z]{2}\d{2} ?[A-Z]{3}|\d{1,3}[ -]?[A-Z]{3}[ -]?\d{0,3}|[A-Z]{1,3}\d{1,4}[A-Z]{1,3}|\d{3} ?[A-Z]{3})"
    rb"(?![A-Za-z0-9])"
)
_PATHLIKE = re.compile(rb"[/_]")
"""What a tag of a rule has, and no plate: `PCI/6.5.4`."""
_UDI = re.compile(rb"\(?\d{2}\)[0-9A-Za-z()]{8,80}")
_NOT_YEARS = rb"|[ -]?(?:days?|hours?|hrs?|h|s|secs?|seconds?|ms|mins?|minutes?|weeks?|wks?|months?)(?![A-Za-z])"
"""How old a certificate is or a copy, which people are not told in beyond ninety."""
OTHER_AGE = re.compile(rb"(?i)" + _NOT_YEARS[1:])
_AGE = re.compile(
    rb"(?i)0?(?:9\d|1[0-2]\d)(?:(?:[ +]?(?:y/o|yo|yrs?|years?(?: old)?)|y)(?![a-z0-9])|(?![\d.:/-]"
    + _NOT_YEARS
    + rb"))"
)
_MASKED = re.compile(rb"(?:[*xX#]{2,12}[ -]?){1,4}\d{2,6}(?![\dA-Za-z])")
"""A number of which the end is shown: `****4389`, `***-**-1234`."""
_SUFFIX = re.compile(rb" \d{2}(?=$|[\n\t,;|)\]\"'<&]| [|-] )")
"""Which of a family's members it is, behind the number of a plan."""
_RUN = re.compile(rb"[^\s\"'<>,;|\x01)\]}\[{][^\s\"'<>,;|\x01)\]}]{0,511}")
_TOKENISH = re.compile(rb"[^\s\"'<>;|\x01]{1,2048}")
_WORDS = re.compile(rb"[A-Za-z][A-Za-z'.-]*(?: [A-Z][A-Za-z'.-]*){0,3}")
_SMALL_WORDS = re.compile(
    rb"[a-z][a-z'.-]{1,20}(?: [a-z][a-z'.-]{1,20}){0,3}(?=$|[\n\t,;|)\]<&\"]| [|-] )"
)
_TIMES = re.compile(rb"\d{1,2}:\d{2}")
_PARAMETER = re.compile(rb"&(?:amp;)?[A-Za-z_][A-Za-z0-9_.-]{0,40}=")
"""The next one of a query: a password may have an ampersand too."""
VARIABLE = re.compile(
    rb"-[A-Za-z]{2,24}|\([A-Za-z][A-Za-z. -]*\)?|[A-Za-z][A-Za-z.]*\(|\$[({]?[A-Za-z_][A-Za-z_:.]*[)}]?|%[A-Za-z_]+%|@[A-Za-z_]+|<[A-Za-z_ -]+>|\*+|x+"
)
"""What stands for a secret in a script is none."""


def _end(pattern: re.Pattern[bytes], data: bytes, at: int, limit: int) -> int:
    match = pattern.match(data, at, min(limit, at + REACH))
    return match.end() if match else -1


_COMPARED = re.compile(rb"(?:eq|ne|[gl][te]|sa|eb|ap)(?=\d{4})")
"""How a search compares a day (HL7 FHIR R4, 3.1.1.4.4): it goes with it."""


def date(record: Record, at: int, limit: int) -> int:
    """Take a date in any common order, with its time."""
    if record.data.startswith(SENTINELS, at):
        return -1
    compared = _COMPARED.match(record.lower, at, limit)
    return _end(_DATE, record.lower, at if compared is None else compared.end(), limit)


_TIME_OF_DAY = re.compile(
    rb"[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?: ?[AaPp][Mm])?(?:Z|[+-]\d{2}:?\d{2})?(?![\d:])"
)


def with_time(data: bytes, end: int) -> int:
    """Return where the time of day ends that stands with a day: it says when somebody was seen."""
    match = _TIME_OF_DAY.match(data, end, min(len(data), end + 36))
    return match.end() if match is not None else end


def identifier(record: Record, at: int, limit: int, *, digits_min: int = 3) -> int:
    """Take an identifier: one run, or groups of digits."""
    data = record.data
    end = max(_end(_SPACED, data, at, limit), _end(_MASKED, data, at, limit))
    single = _end(_ID, data, at, limit)
    end = max(end, single)
    if end < 0 or _NO_ID.fullmatch(data, at, end) is not None or _STAMP.match(data, at, limit):
        return -1
    return end if digits(data[at:end]) >= digits_min else -1


_OF_MACHINES = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|\d{1,3}(?:\.\d{1,3}){3}(?![.\d])|\d{4}-\d{2}-\d{2}(?:[t ]\d|$)"
)
"""GUIDs, addresses and stamps, which begin as telephone numbers do."""


def phone(record: Record, at: int, limit: int) -> int:
    """Take a telephone number of 7 to 15 digits."""
    data = record.lower
    end = _end(_PHONE, data, at, limit)
    if (
        end < 0
        or not 7 <= digits(data[at:end]) <= 21
        or data[end : end + 1].isdigit()
        or _OF_MACHINES.match(data, at, limit) is not None
    ):
        return -1
    return end


def email(record: Record, at: int, limit: int) -> int:
    """Take a mail address."""
    return _end(_EMAIL, record.data, at, limit)


def postal(record: Record, at: int, limit: int) -> int:
    """Take a ZIP or postal code."""
    return _end(_ZIP, record.data, at, limit)


def vehicle(record: Record, at: int, limit: int) -> int:
    """Take a vehicle's number or its plate."""
    end = _end(_PLATE, record.data, at, limit)
    if end < 0:
        end = identifier(record, at, limit)
    return end if end > 0 and not _PATHLIKE.search(record.data, at, end) else -1


_ANY_PLATE = re.compile(
    rb"(?=[A-Za-z -]{0,7}\d)[A-Za-z0-9]{2,8}(?:[ -][A-Za-z0-9]{2,4})?(?![\w.:-])"
)
"""Whatever stands on a plate that is told by its key, letters of choice and small ones included."""


def any_plate(record: Record, at: int, limit: int) -> int:
    """Take what a key says is a plate or a vehicle's number."""
    return max(_end(_ANY_PLATE, record.data, at, limit), vehicle(record, at, limit))


def device(record: Record, at: int, limit: int) -> int:
    """Take a serial number, or a unique device identifier (21 CFR 830) in its written form."""
    return max(_end(_UDI, record.data, at, limit), identifier(record, at, limit))


def age(record: Record, at: int, limit: int) -> int:
    """Take an age over 89, of somebody."""
    return -1 if is_of_thing_by(record.lower, at) else _end(_AGE, record.data, at, limit)


def run(record: Record, at: int, limit: int) -> int:
    """Take everything up to a blank or a mark that ends values."""
    match = _RUN.match(record.data, at, min(limit, at + 512))
    return match.end() if match else -1


_PROGRAM = re.compile(rb"(?i)\.(?:exe|dll|sys|com|scr|msi|bat|cmd|ps1|vbs|so)\Z")


def _photo(record: Record, at: int, limit: int) -> int:
    """Take a picture; the image of a process is a program."""
    end = run(record, at, limit)
    return -1 if _PROGRAM.search(record.data, at, max(end, at)) else end


HOME = re.compile(rb"/(?:home|root|var|opt|srv|usr|etc|tmp|mnt|data)(?:/|$)")
"""The working directory of a shell: `PWD=/home/ann`."""


_CLASS = re.compile(
    rb"(?:com|org|net|io|android|java|javax|sun|system|microsoft)\.[a-z0-9_]+\.[a-z0-9_.$]+|job_\d+_\d+"
)
"""The name of a class, of a service, of a job, whose token is spoken of."""


_CONSTANT = re.compile(rb"`?(?:[A-Z][A-Za-z]{2,40}\.)?[A-Z]{2,20}(?:_[A-Z]{2,20}){0,4}`?")


def _is_constant(record: Record, value: bytes) -> bool:
    """Whether a value is what a program calls a kind of thing: `JsonToken.START_ARRAY`."""
    if _CONSTANT.fullmatch(value) is None or not {95, 46} & set(value):
        return False
    words = value.rpartition(b".")[2].lower().translate(LETTERS).split()
    return all(record.lexicon.flags(word) & WORD for word in words)


NO_SECRET = re.compile(
    rb"(?i)(?:ip:)?\[?\d{1,3}(?:\.\d{1,3}){3}\]?(?::\d{1,5})?|(?:[a-z_]{2,12}=)?(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}"
    rb"|(?:https?(?::|%3a)(?:/|%2f){2}|urn:)[^ ]{1,200}(?:\||%7c)[^ ]{1,60}|(?:[0-9]{1,7}-[0-9],?){1,24}"
    rb"|https?/[0-9.]+|\[?filtered\]?|(?:%[0-9a-f]{2})+|0x[0-9a-f]{1,16}(?:\+0x[0-9a-f]{1,8})?|[^@\s/:]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9.]+)?"
    rb"|(?:rsa|ecdsa|dsa|hmac)?-?sha-?[0-9]{1,3}[a-z0-9]{0,8}|(?:get|new|set|read|invoke|convertto|convertfrom)-[a-z]+"
)
"""Addresses, codes of LOINC behind their system, the version behind a request, marks in their escape, commands of PowerShell."""


def secret(record: Record, at: int, limit: int) -> int:
    """Take a secret: everything up to a blank, a quote or a semicolon."""
    match = _TOKENISH.match(record.data, at, min(limit, at + 2048))
    if match is None:
        return -1
    end = match.end()
    while end > at and record.data[end - 1] in b",.)]}&:":
        end -= 1
    ampersand = _PARAMETER.search(record.data, at + 1, end)
    if ampersand is not None:
        end = ampersand.start()
    word = record.lower[at:end]
    if (
        end - at < 3
        or (word.isdigit() and end - at < 4)
        or word[:1] == b"."
        or b"{" in word
        or NO_SECRET.fullmatch(word) is not None
        or HOME.match(word) is not None
        or _CLASS.match(word) is not None
        or _is_constant(record, record.data[at:end])
        or VARIABLE.fullmatch(record.data, at, end) is not None
        or (
            word.isalpha()
            and record.data[at - 1 : at] == b" "
            and record.lexicon.flags(word) & WORD
        )
        or word.strip(b"()<>[]") in record.lexicon.vocabulary["nothing"]
    ):
        return -1
    return end


def place(record: Record, at: int, limit: int) -> int:
    """Take the name of a place: up to four capitalised words, or small ones alone."""
    end = _end(_SMALL_WORDS, record.data, at, limit)
    return end if end > 0 else _end(_WORDS, record.data, at, limit)


_SMALL_STREET = re.compile(rb"\d{1,6}[a-z]?(?: [a-z0-9][a-z0-9.'-]{0,20}){2,6}")
_SMALL_UNIT = re.compile(rb",? ?(?:apt|unit|suite|ste|#)\.? ?#?[0-9]{1,5}[a-z]?(?![a-z0-9])")


def _small_street(record: Record, at: int, limit: int) -> int:
    """Return where a street in small letters ends: `54941 pearl way unit 12`; -1 if there is none."""
    match = _SMALL_STREET.match(record.data, at, limit)
    words = match.group().split(b" ") if match is not None else []
    streets = record.lexicon.vocabulary["streets"]
    last = max((n for n, word in enumerate(words[:6]) if word.strip(b".") in streets), default=0)
    if last < 2:  # a number, a name, a kind of street
        return -1
    end = at + len(b" ".join(words[: last + 1]))
    unit = _SMALL_UNIT.match(record.data, end, limit)
    return unit.end() if unit is not None else end


def address(record: Record, at: int, limit: int) -> int:
    """Take an address: to the end of the value, or of the line."""
    end = _end(_ADDRESS, record.data, at, limit)
    if end < 0:
        return -1
    if (small := _small_street(record, at, end)) > 0:
        return small
    cut = next(
        (
            found
            for found in _ADDRESS_ENDS.finditer(record.data, at + 5, end)
            if _SHORTENED.search(record.data, at, found.start()) is None
        ),
        None,
    )
    end = cut.end(1) if cut is not None and cut[1] else (cut.start() if cut is not None else end)
    text = record.data[at:end]
    letters = sum(map(len, text.translate(LETTERS).split()))
    if _STREETLIKE.match(text) is None:
        return -1
    return end if letters >= 3 and digits(text) and text[:1].isalnum() else -1


def user(record: Record, at: int, limit: int) -> int:
    """Take a login that may be a person's."""
    return logins.take_login(record, at, limit)


GUID = re.compile(rb"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?")
"""What software calls its own things by: a policy, a referral's message, a device's object."""


def _id(record: Record, at: int, limit: int) -> int:
    return identifier(record, at, limit)


def _written_id(record: Record, at: int, limit: int) -> int:
    return -1 if GUID.match(record.data, at, limit) else identifier(record, at, limit)


def _plan_id(record: Record, at: int, limit: int) -> int:
    if GUID.match(record.data, at, limit):
        return -1
    end = identifier(record, at, limit, digits_min=PLAN_DIGITS_MIN)
    suffix = _SUFFIX.match(record.data, end, limit) if end > 0 else None
    return end if suffix is None else suffix.end()


def _short_id(record: Record, at: int, limit: int) -> int:
    return identifier(record, at, limit, digits_min=1)


_NINE = re.compile(rb"\(?\d{3}\)?[-. /]{0,3}\d{2}[-. /]{0,3}\d{4}(?![\dA-Za-z])")
"""A social security number however it is parted."""


def _ssn(record: Record, at: int, limit: int) -> int:
    return max(_end(_NINE, record.data, at, limit), identifier(record, at, limit))


def _short_ssn(record: Record, at: int, limit: int) -> int:
    return max(_end(_NINE, record.data, at, limit), _short_id(record, at, limit))


def _short_written_id(record: Record, at: int, limit: int) -> int:
    return -1 if GUID.match(record.data, at, limit) else _short_id(record, at, limit)


TAKERS: dict[str, tuple[Kind, Taker]] = {
    "NAME": (Kind.NAME, people.take_name),
    "NAME_MAYBE": (Kind.NAME, people.take_name),
    "DATE": (Kind.DATE, date),
    "DATE_MAYBE": (Kind.DATE, date),
    "AGE90": (Kind.AGE90, age),
    "PHONE": (Kind.PHONE, phone),
    "FAX": (Kind.FAX, phone),
    "EMAIL": (Kind.EMAIL, email),
    "ADDRESS": (Kind.ADDRESS, address),
    "CITY": (Kind.CITY, place),
    "ZIP": (Kind.ZIP, postal),
    "SSN": (Kind.SSN, _ssn),
    "MRN": (Kind.MRN, _id),
    "HEALTH_PLAN": (Kind.HEALTH_PLAN, _plan_id),
    "ACCOUNT": (Kind.ACCOUNT, _written_id),
    "LICENSE": (Kind.LICENSE, _written_id),
    "VEHICLE": (Kind.VEHICLE, vehicle),
    "DEVICE": (Kind.DEVICE, device),
    "DEVICE_MAYBE": (Kind.DEVICE, _id),
    "URL": (Kind.URL, run),
    "IP": (Kind.IP, run),
    "BIOMETRIC": (Kind.BIOMETRIC, run),
    "PHOTO": (Kind.PHOTO, _photo),
    "OTHER_ID": (Kind.OTHER_ID, _written_id),
    "USERNAME": (Kind.USERNAME, user),
    "SECRET": (Kind.SECRET, secret),
}
SHORT: dict[str, Taker] = {
    "SSN": _short_ssn,
    "MRN": _short_id,
    **dict.fromkeys(("ACCOUNT", "LICENSE", "OTHER_ID"), _short_written_id),
    "VEHICLE": any_plate,
}
"""After a key with its mark, fewer digits are enough."""

"""Values that tell by their own form what they are, each with its validator."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from proto.phi import mails, places
from proto.phi.ages import is_of_thing
from proto.phi.archives import is_listed, of_itself
from proto.phi.checks import luhn, valid_ssn, valid_vin
from proto.phi.forms import SCANS
from proto.phi.lexicon import STREET, WORD
from proto.phi.logins import is_person_login
from proto.phi.record import LETTERS, Record, digits
from proto.phi.scan import SETS_MAX, Pattern, Spans
from proto.phi.takers import OTHER_AGE, SENTINELS, with_time
from proto.phi.values import Kind

_ALNUM = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_TIME_AFTER = re.compile(
    rb"[ T_+]{1,2}\d{1,2}[:.]\d{2}[:.]\d{2}|T\d{2}:\d{2}|T\d{4,6}|:\d{1,2}:\d{2}"
)
_YEAR = re.compile(
    rb"(?<!\d)(1[89]\d{2}|20\d{2})(?!\d{3})|(?<!\d)(1[89]\d{2}|20\d{2})(?=\d{4}(?!\d))"
)
_BIRTH_YEAR_MAX = 1999
_EPOCHS = frozenset({1970, 1601, 1900, 1899, 1980, 1904, 1858})
_FROM_AFAR = Pattern(
    r"(?:^|[ \[(=])([A-Za-z][A-Za-z0-9._-]{2,40})/([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}):[0-9]{2,5}\b"
)
Judge = Callable[[Record, int, int], None]


def read(record: Record) -> None:
    """Find every value whose own form tells what it is, context aside."""
    for name, scan, judge in _plan(record.shapes):
        if name == "street" and not record.every & STREET:
            continue
        for spans in scan(record.data):
            judge(record, *spans[0])


Plan = tuple[tuple[str, Callable[[bytes], Iterable[Spans]], Judge], ...]


@lru_cache(maxsize=SETS_MAX)
def _plan(shapes: frozenset[str]) -> Plan:
    """Return what to run, in order, where these shapes are."""
    return tuple(
        (name, SCANS[name].each, judge) for name, judge in _JUDGES.items() if name in shapes
    )


def read_carets(record: Record) -> None:
    """Find names between carets alone."""
    for spans in SCANS["caret"].each(record.data):
        _caret(record, *spans[0])


def read_old_days(record: Record) -> None:
    """Find days of birth that no cue announces: too old for a log, so the record is about people."""
    data = record.data
    if "date" in record.shapes and b"19" in data and _YEARS_OF_BIRTH.search(data) is not None:
        for start, end in record.days:
            if _YEARS_OF_BIRTH.search(data, start, end):
                _date(record, start, end)


_YEARS_OF_BIRTH = re.compile(rb"19[0-9]{2}")
_OLD_YEARS = re.compile(rb"1[89][0-9]{2}")
"""Without one of these no day is old; most addresses begin with 19 too."""


def read_in_context(record: Record) -> None:
    """Find what counts only in a record about people, or only when it is old."""
    shapes, data = record.shapes, record.data
    if "date" in shapes and (record.person or _OLD_YEARS.search(data) is not None):
        for start, end in record.days:
            _date(record, start, end)
    if "ip" in shapes and record.found:
        for spans in SCANS["ip"].each(data):
            _address(record, *spans[0])
    if "afar" in shapes:
        _afar(record)
    if "vin" in shapes and record.person:
        for spans in SCANS["vin"].each(data):
            if free(record, *spans[0]) and _mixed(data[slice(*spans[0])]):
                record.hit(
                    Kind.VEHICLE, *spans[0], "17 characters of a VIN in a record about people"
                )


DOTS_OF_HOSTS = 2


def _afar(record: Record) -> None:
    """Take who is connected from afar, and from where: `ann.lee/24.2.1.9:51022`."""
    for spans in _FROM_AFAR.each(record.data):
        login = record.data[slice(*spans[1])]
        if login.count(b".") < DOTS_OF_HOSTS and is_person_login(record, login):
            record.hit(Kind.USERNAME, *spans[1], "who is connected from afar")
            _address(record, *spans[2])


def free(record: Record, start: int, end: int, marks: bytes = b"") -> bool:
    """Whether a span is not the middle of something longer."""
    data = record.data
    before = data[start - 1] if start else 32
    after = data[end] if end < len(data) else 32
    if before in _ALNUM or after in _ALNUM or before in marks:
        return False
    if after in marks:
        beyond = data[end + 1] if end + 1 < len(data) else 32
        return beyond not in _ALNUM
    return True


def _digits_of(data: bytes) -> bytes:
    return bytes(byte for byte in data if 48 <= byte <= 57)


_SUFFIX = re.compile(rb"\.[A-Za-z][A-Za-z0-9]{1,4}(?![A-Za-z0-9])")


def _ssn(record: Record, start: int, end: int) -> None:
    ends_name = _SUFFIX.match(record.data, end) is not None  # W2_Parks_857-56-9641.pdf
    if not free(record, start, end, b"" if ends_name else b"-.:/_"):
        return
    if _MIXED_MARKS.search(record.data, start, end) is not None:
        return
    digits = _digits_of(record.data[start:end])
    if valid_ssn(digits):
        record.hit(Kind.SSN, start, end, "written like a social security number")


_MIXED_MARKS = re.compile(rb"\.[0-9]{2}/|/[0-9]{2}\.")
"""An address with the mask behind it, and what follows."""


def _phone(record: Record, start: int, end: int) -> None:
    data = record.data
    behind = end + (data[end : end + 1] in {b"x", b"X"})  # 268.504.9986x, 268.504.9986x12
    letter = start and data[start - 1] == COLON and _LETTER.search(data, max(0, start - 3), start)
    if not (
        free(record, start, end, b"-._" if letter else b"-.:_")
        or free(record, start, behind, b"-.:_")
    ) or (start and data[start - 1] == 47 and data[start : start + 1] != b"+"):
        return
    digits = _digits_of(data[start:end])
    if data[start : start + 1] != b"+":
        national = digits[-10:]
        if national[0] in b"01" or (national[3] in b"01" and not record.person):
            return
    further = _EXTENSION.match(data, end, end + 24)
    end = end if further is None else further.end()
    record.hit(Kind.PHONE, start, end, "written like a telephone number")


COLON = 58
_LETTER = re.compile(rb"(?:^|[ ,;|(/\[])[hHcCwWmMpPtTfF]:\Z")
"""Home, cell, work: `h:224-201-3347 c:(947)518-6643`."""
_EXTENSION = re.compile(
    rb"(?i);(?:ext|isub|postd)=[0-9.p-]{1,12}|,? ?(?:x|ext\.?|extension) ?:? ?[0-9]{1,6}(?![0-9A-Za-z])"
)
"""What is dialled beyond a number, as people and RFC 3966 write it."""


def _mbi(record: Record, start: int, end: int) -> None:
    value = record.data[start:end].upper().translate(None, b"- ")
    if free(record, start, end, b"-") and not _NO_MBI.intersection(value) and not value.isdigit():
        record.hit(Kind.HEALTH_PLAN, start, end, "the grammar of a Medicare number")


_NO_MBI = frozenset(b"SLOIBZ")


def _card(record: Record, start: int, end: int) -> None:
    digits = _digits_of(record.data[start:end])
    if free(record, start, end, b"-:.") and 14 <= len(digits) <= 19 and luhn(digits):
        record.hit(Kind.ACCOUNT, start, end, "groups of a card number with its check digit")


def _iban(record: Record, start: int, end: int) -> None:
    value = record.data[start:end].replace(b" ", b"").decode()
    number = "".join(str(int(character, 36)) for character in value[4:] + value[:4])
    if free(record, start, end) and len(value) >= 15 and int(number) % 97 == 1:
        record.hit(Kind.ACCOUNT, start, end, "an IBAN with its check digits")


def _mixed(value: bytes) -> bool:
    letters = len(value) - digits(value)
    return 3 <= letters <= 14 and value[-4:].isdigit()


def _vin(record: Record, start: int, end: int) -> None:
    value = record.data[start:end]
    if free(record, start, end, b"-_{.") and _mixed(value) and valid_vin(value.decode()):
        record.hit(Kind.VEHICLE, start, end, "a vehicle number with its check digit")


_UNIT = re.compile(
    rb"(?:[ ,]{1,3}(?:apt|apartment|suite|ste|unit|floor|fl|#|room|rm|bldg|lot)\.? ?#? ?[a-z0-9-]{1,8}(?![a-z0-9])){1,2}"
)
_CITY = re.compile(
    rb"[,;^ ]{1,4}((?:[A-Z][A-Za-z'.-]{1,30} ?){1,4}),? {0,2}([A-Z]{2})\b[ ,.]{0,3}(\d{5}(?:-\d{4})?)?"
)


_NUMBERED_ROADS = frozenset(b"highway hwy route road rd".split())
_ROAD = re.compile(rb" (?:no\.? ?)?[0-9]{1,4}[a-z]?(?![0-9a-z:./-])")
"""The number of a road: `8906 County Road 12`."""
_CAMELS = re.compile(rb"(?<![A-Z])(?!Mc|Mac|De|Di|Du|La|Le|Van)[A-Z][a-z]+[A-Z]")


def _street(record: Record, start: int, end: int) -> None:
    data, lower = record.data, record.lower
    if (
        not free(record, start, start + 1, b"-.:/\\")
        and start
        and data[start - 1] in _ALNUM | frozenset(b".:/\\-")
    ):
        return
    words = lower[start:end].split()
    streets = record.lexicon.vocabulary["streets"]
    stop = next((at for at in range(len(words) - 1, 1, -1) if words[at].strip(b".") in streets), 0)
    if not stop and len(words) > 1 and words[1] in _NUMBERED_ROADS:
        stop = 1 if _ROAD.match(lower, end) else 0
    if not stop or _CAMELS.search(data, start, end) is not None:
        return
    named = words[1:stop]
    flags = [record.lexicon.flags(word.strip(b".'")) for word in named if word.isalpha()]
    if (
        not record.person
        and all(flag & WORD and not flag & 16 for flag in flags)
        and len(words[0]) < 3
    ):
        return
    end = start + len(b" ".join(words[: stop + 1]))
    road = _ROAD.match(lower, end) if words[stop] in _NUMBERED_ROADS else None
    if road is not None:
        end = road.end()
    unit = _UNIT.match(lower, end, min(len(data), end + 30))
    if unit is not None:
        end = unit.end()
    record.hit(Kind.ADDRESS, start, end, "a number and a street")
    city = _CITY.match(data, end, min(len(data), end + 120))
    if city is not None and city[2].lower() in record.lexicon.vocabulary["states"]:
        record.hit(Kind.CITY, city.start(1), city.end(1), "the city after a street")
        if city[3]:
            record.hit(Kind.ZIP, city.start(3), city.end(3), "the ZIP code after a state")


def _pobox(record: Record, start: int, end: int) -> None:
    record.hit(Kind.ADDRESS, start, end, "a post office box")


def _age(record: Record, start: int, end: int) -> None:
    if is_of_thing(record.lower, start) or OTHER_AGE.match(record.data, end) is not None:
        return
    if free(record, start, end):
        record.hit(Kind.AGE90, start, end, "an age over 89")


_INFRA_CARET = frozenset(
    b"ADT ORU ORM ACK SIU DFT MDM VXU QRY RSP BAR MFN OML ORL RDE RDS PPR REF".split()
)
_CARET_LAST = re.compile(rb"[A-Za-z][A-Za-z'.-]*\Z")
_CARET_BEFORE = re.compile(rb"([A-Za-z][A-Za-z'.-]*) \Z")
_CARET_REST = re.compile(rb"(?:\^[A-Za-z'.-]*(?: [A-Z][A-Za-z'-]*(?=\^))*)+")
_CARET_DAY = re.compile(rb"(?:19|20)[0-9]{6}(?![0-9])")


def _caret(record: Record, start: int, end: int) -> None:
    """Take `LAST^FIRST^M`: of the words before the caret, those that can be of a last name."""
    data = record.data
    caret = data.index(b"^", start)
    last = _CARET_LAST.search(data, max(start, caret - 41), caret)
    rest = _CARET_REST.match(data, caret, min(len(data), caret + 120))
    if last is None or rest is None:
        return
    begin, stop = last.start(), rest.end()
    while (before := _CARET_BEFORE.search(data, max(start, begin - 42), begin)) is not None:
        word = before[1]
        if record.lexicon.flags(word.lower()) & WORD or word.isupper() != last.group().isupper():
            break
        begin = before.start()
    name = data[begin:stop].rstrip(b".-^")
    parts = [part for part in name.split(b"^") if part]
    if len(parts) < 2 or parts[0] in _INFRA_CARET or data[begin - 1 : begin].isalnum():
        return
    if data[stop : stop + 1].isdigit() and _CARET_DAY.match(data, stop) is None:
        return
    words = [word for part in parts for word in part.lower().translate(LETTERS).split()]
    if parts[-1] in _NO_PARTS:
        return
    if len(parts[0]) > 1 and any(not record.lexicon.flags(word) & WORD for word in words):
        record.hit(Kind.NAME, begin, begin + len(name), "parts of a name between carets")
    del end


_NO_PARTS = frozenset({b"LN", b"FS", b"XZ", b"REPLY", b"REAL", b"BATCH", b"QUERY", b"INQ", b"ACK"})
"""A code of LOINC, the end of a label's field in ZPL, what a laboratory's message asks."""
_USER_OPTION = re.compile(rb"(?i)[ \"']/(?:u|user):\Z")
_BUSES = frozenset(b"usb pci hid acpi root swd scsi display hdaudio bth storage usbstor".split())
"""What stands first in the ids of devices."""
_GUID = re.compile(rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def _account(record: Record, start: int, end: int) -> None:
    data = record.data
    domain, _, login = data[start:end].replace(b"\\\\", b"\\").partition(b"\\")
    optional = _USER_OPTION.search(data, max(0, start - 8), start) is not None
    if start and data[start - 1] in b"\\/:.$%" and not optional:
        return
    if data[end : end + 1] in {b"\\", b"/", b"&"} or domain.lower() in _BUSES:
        return
    if domain.upper().startswith((b"HK", b"SOFTWARE", b"SYSTEM", b"BUILTIN")) or domain.lower() in {
        b"authority",
        b"service",
    }:
        return
    if b"." in login and login.rpartition(b".")[2].lower() in _EXTENSIONS:
        return
    begin = end - len(login)
    if _ESCAPED.match(login) is None and is_person_login(record, login):
        record.hit(Kind.USERNAME, begin, end, "an account of a domain")


_ESCAPED = re.compile(rb"u[0-9a-f]{4}|" + _GUID.pattern)
"""A letter of another script, escaped in the middle of a word; what a program calls its own."""
_EXTENSIONS = frozenset(
    b"exe dll sys bat cmd ps1 log txt ini cfg conf config xml json dat db mdf ldf bak tmp lnk msi cs js py sql evtx cab".split()
)


def _profile(record: Record, start: int, end: int) -> None:
    data = record.data
    begin = max(data.rfind(b"\\", start, end), data.rfind(b"/", start, end)) + 1
    login = data[begin:end].rstrip(b".)]}")
    if is_person_login(record, login):
        record.hit(Kind.USERNAME, begin, begin + len(login), "a profile's folder")


def _date(record: Record, start: int, end: int) -> None:
    if not _stands_as_day(record.data, start, end) or record.data.startswith(SENTINELS, start):
        return
    value = record.data[start:end]
    match = _YEAR.search(value)
    year = int(match[1] or match[2]) if match else 0
    if match and year <= _BIRTH_YEAR_MAX and year not in _EPOCHS and len(value) >= 8:
        spelled = not value.isdigit() and not (value.count(b".") and not record.person)
        if record.person or (year >= 1910 and spelled):
            end = with_time(record.data, end)
            record.hit(Kind.DATE, start, end, "a date too old for a log")
    elif (
        record.person
        and not (value.count(b".") == 2 and not match)
        and not _stamp(record, start, end)
        and not (not record.found and of_itself(record, start, end))
    ):
        end = with_time(record.data, end)
        record.hit(Kind.DATE, start, end, "a day in a record about people")


_BORN_ON = re.compile(rb"(?i)(?:(?:^|[^a-z0-9])(?:b|d|born|dob|dod)\.|[(\[ ,;|\"'][mfux]/)\Z")
"""What stands before somebody's birth: `b.`, or the sex in `(M/09/28/1993)`."""


_SID = re.compile(rb"(?:^|[^A-Za-z0-9])S-\Z")
"""`S-1-5-18` is a system's own account."""


def _stands_as_day(data: bytes, start: int, end: int) -> bool:
    """Whether a day is not the middle of a version, a SID, a path of numbers."""
    before, after = data[start - 1 : start], data[end : end + 1]
    if before == b"-" and _SID.search(data, max(0, start - 3), start) is not None:
        return False
    if before.isalnum() or (
        before in _JOINTS
        and not (before == b"-" and data[start - 2 : start - 1].isalpha())
        and not (before in b"./" and _BORN_ON.search(data, max(0, start - 6), start))
    ):
        return False
    if after.isalnum():
        return after == b"T"
    beyond = data[end + 1 : end + 2]
    return not (after in _JOINTS and (beyond.isdigit() or (beyond.isalpha() and after in _PATHS)))


_PATHS = frozenset({b":", b"/"})
_JOINTS = frozenset({b"-", b".", b":", b"/"})
_FIELD_MARKS = frozenset(b"|^,~ _-'\"/\\")


_MIDNIGHT = re.compile(rb" 12:00:00 AM(?![0-9])")
"""What many programs write behind a day that has no time."""
_EPOCH_BEFORE = re.compile(rb"(?:^|\s)1[0-9]{9} \Z")
"""Seconds since 1970, which some logs write before the day."""


def _stamp(record: Record, start: int, end: int) -> bool:
    """Whether a day is a log's own: with a time to the second, or first in its line."""
    data = record.data
    if not data[:start].strip(b" [(<\"'") or (
        _TIME_AFTER.match(data, end, min(len(data), end + 12)) and not _MIDNIGHT.match(data, end)
    ):
        return True
    if data[start:end].isdigit() and (not start or data[start - 1] not in _FIELD_MARKS):
        return True
    if _EPOCH_BEFORE.search(data, max(0, start - 16), start) or is_listed(record, start):
        return True
    return bool(start) and data[start - 1 : start] == b"\n"


_PRIVATE = (b"10.", b"127.", b"192.168.", b"169.254.")


def _address(record: Record, start: int, end: int) -> None:
    if record.data.startswith(_PRIVATE, start) or not free(record, start, end, b".-"):
        return
    if start and record.data[start - 1] in b"=>" and record.data[end : end + 1] == b".":
        return
    parts = [int(part) for part in record.data[start:end].split(b".")]
    if (
        max(parts) > 255
        or parts[0] in {0, 10, 127}
        or parts[0] >= 224
        or parts[:2] in ([192, 168], [169, 254])
        or (parts[0] == 172 and 16 <= parts[1] <= 31)
    ):
        return
    if parts[:3] in ([192, 0, 2], [1, 1, 1], [8, 8, 8], [8, 8, 4]):
        return
    if _RELEASED.search(record.lower, max(0, start - RELEASED_CHARS_MAX), start) is not None:
        return
    record.hit(Kind.IP, start, end, "a public address in a record about people")


_RELEASED = re.compile(
    rb"(?:ver|build)[^\n]{0,8}\Z"
    rb"|(?:ver(?:s|sion)?|build|release|firmware|fw|rev(?:ision)?|updated?|upgraded?|patch|hotfix|driver|sdk|runtime|framework|setup|installer)"
    rb"[a-z]{0,6}[\"'\]]{0,2} {0,24}[:=]? {0,3}(?:(?:to|from) )?(?:[0-9.]{5,20} (?:to|->|=>) )?[\"'(\[]{0,2}v?\Z|[ (_-]v\Z"
)
"""What stands before a version of four parts."""
RELEASED_CHARS_MAX = 72


_JUDGES: dict[str, Judge] = {
    "ssn": _ssn, "phone": _phone, "email": mails.read_one, "mbi": _mbi, "card": _card, "iban": _iban, "vin": _vin, "street": _street,
    "pobox": _pobox, "zip": places.postal_code, "age": _age, "caret": _caret, "account": _account, "profile": _profile,
}  # fmt: skip

JUDGED = frozenset(_JUDGES)
"""The forms that are judged whatever else is in the record."""

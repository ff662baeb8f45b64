"""Cues of running text: what stands behind words that say what comes, without a mark between.

Words in a row count only as the tables' spoken cues, and only with a value of the right form.
"""

import re

from proto.phi import logins, people
from proto.phi.fitness import is_name, secretive
from proto.phi.keys import Told
from proto.phi.lexicon import CONTEXT, CUE, NAMEY, WORD
from proto.phi.record import Record, digits
from proto.phi.takers import GUID, PLAN_DIGITS_MIN, REACH, SENTINELS, TAKERS
from proto.phi.values import Kind

_SPOKEN = re.compile(
    rb"(?:[ ]{0,2}(?:#|no\.|no|number|num|nr|id|card|copy|is|was|of|on|to|for|at|the|from|ending|in|with|named|name|as|dr\.?|mr\.?|mrs\.?|ms\.?|"
    rb"patient|pt|user|member|value|code|called|last four|last 4|scanned|entered|recorded|verified|shows|reads|captured|now|still|has been|have been|changed|updated|set|given|listed|file|supplied|old|new|does not match|=|:|-|->|\(|\[|\"|'|<|/|,|\.)(?![a-z0-9])){0,5}[ #:(\"'<\[]{0,4}"
)
_FURTHER = re.compile(rb" ?(?:/|,|&|and|->) ?#?(?=[A-Za-z]{0,4}[0-9-]*\d{3})")
_NUMBERED = frozenset({Kind.MRN, Kind.DEVICE, Kind.ACCOUNT, Kind.OTHER_ID, Kind.HEALTH_PLAN})


def further(record: Record, kind: Kind, end: int, limit: int) -> int:
    """Take further numbers of a list: `serials A / B`, `charts 1, 2`."""
    while kind in _NUMBERED:
        more = _FURTHER.match(record.data, end, limit)
        stop = _spoken_id(record, more.end(), limit) if more else -1
        if more is None or stop < 0 or digits(record.data[more.end() : stop]) < 5:
            break
        record.hit(kind, more.end(), stop, f"after another {kind}")
        end = stop
    return end


def number_of_somebody(record: Record, value: int, limit: int) -> int:
    """Take a number where a key of people announced a name: `Patient: 736515`."""
    end = _spoken_id(record, value, limit)
    if end < 0 or digits(record.data[value:end]) < 6 or record.data[value : value + 2] == b"0x":
        return -1
    record.hit(Kind.MRN, value, end, "a number behind a cue of people")
    return end


_DEEDS = (
    b"opened by",
    b"owned by",
    b"created by",
    b"modified by",
    b"locked by",
    b"printed by",
    b"edited by",
    b"signed by",
    b"deleted by",
    b"submitted by",
    b"approved by",
    b"reviewed by",
    b"authored by",
    b"entered by",
    b"requested by",
    b"acknowledged by",
    b"faxed by",
    b"voided by",
    b"cosigned by",
    b"witnessed by",
    b"dispensed by",
    b"booked by",
    b"charted by",
)
_DONE = re.compile(rb"(?:[a-z](?:ed|eld|ent|iven|one|aken|een|ead|un|ade|ut|et)|[/|;]) by\Z")
_ENDS_LOGIN = re.compile(rb"[,;|)\]]|\.?(?:\s|$)")
"""What somebody did, or a field of its own for who did it; and what ends a login there."""
DOMAIN = re.compile(rb"[A-Za-z0-9._-]{1,60}\\{1,4}(?=[A-Za-z])|CN=|uid=|<(?=[a-z])")


def read_spoken(record: Record, told: Told, stop: int) -> int:
    """Take the value behind a cue of running text."""
    data = record.data
    match = _SPOKEN.match(record.lower, stop, min(len(data), stop + 60))
    value = match.end() if match else stop
    limit = min(len(data), value + REACH)
    newline = data.find(b"\n", value, limit)
    limit = newline if newline >= 0 else limit
    if value >= limit or value == stop or _is_listed(data, stop, value):
        return -1
    kind, taker = TAKERS[told.kind]
    if told.kind == "USERNAME":
        return _spoken_user(record, stop, value, limit)
    if told.kind == "LICENSE" and (state := _STATE.match(data, value, limit)) is not None:
        value = state.end()
    if told.kind in {"MRN", "HEALTH_PLAN", "ACCOUNT", "OTHER_ID"}:
        if told.kind != "MRN" and GUID.match(data, value, limit):
            return -1
        end = _spoken_id(record, value, limit)
    else:
        end = taker(record, value, limit)
    if end < 0:
        return _other_value(record, told, stop, value)
    if _is_of_machines(record, told, stop, (value, end)):
        return -1
    if not _has_form(record, told, value, end):
        return -1
    if kind is Kind.NAME and (
        _COLUMN.match(record.lower, value, end)
        or not _spoken_name(record, value, end)
        or _PROGRAM.match(data, end)
    ):
        return -1
    record.hit(kind, value, end, f"a cue before it says {kind}")
    return further(record, kind, end, limit)


_CLOSED = (b"'. ", b'". ')
"""The end of a quotation that was the end of its sentence: `for user 'guest'. Reason: …`."""
_NEXT_ELEMENT = re.compile(rb"[\"'], ?[\"']")
ELEMENT_CHARS_MAX = 40


def _is_listed(data: bytes, stop: int, value: int) -> bool:
    """Whether a cue ends a quoted element or sentence, and the value is of the next one."""
    if data.startswith(_CLOSED, stop):
        return True
    if _NEXT_ELEMENT.match(data, stop, value) is None:
        return False
    quote = data.rfind(data[stop : stop + 1], max(0, stop - ELEMENT_CHARS_MAX), stop)
    return b" " in data[quote + 1 : stop]


def _has_form(record: Record, told: Told, value: int, end: int) -> bool:
    """Whether a value is written as one of its class must be where only words announce it."""
    data = record.data
    if told.kind == "SECRET":
        return secretive(data[value:end]) and not any(
            (
                _NEXT_KEY.match(data, value, end),
                _HOST.fullmatch(data, value, end),
                _CALL.match(data, value, end),
            )
        )
    form = _FORMS.get(told.kind)
    return form is None or form.match(data, value, end) is not None


_GUID = re.compile(rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_FOR_WHOM = re.compile(rb" (?:for|from|of|user|on)[ (\[\"']{1,3}(?:user |the |at )?\Z")
"""Whose password it is, or whence it came, is not the password: `Bad password for admin1`."""
_IN_PATHS = frozenset({b"/", b"\\", b"?"})
_CUE = re.compile(rb"[A-Za-z0-9_.-]+\Z")


def _is_path(data: bytes, stop: int) -> bool:
    """Whether a cue with a blank behind is the end of a path: `/etc/passwd`."""
    if data[stop : stop + 1] != b" ":
        return False
    cue = _CUE.search(data, max(0, stop - CUE_CHARS_MAX), stop)
    return cue is not None and data[max(0, cue.start() - 1) : cue.start()] in _IN_PATHS


CUE_CHARS_MAX = 40
_NEXT_KEY = re.compile(rb"[A-Za-z_]{2,20}=")
_CALL = re.compile(rb"[A-Za-z_]{3,24}\(")
"""The type of a column, the call of a function."""
_FORMS = {
    "URL": re.compile(rb"(?:[a-z]{3,8}:/|/)[^\s]{6}"),
    "PHOTO": re.compile(rb"[^\s]*[0-9A-Za-z_]\.(?:jpe?g|png|gif|bmp|tiff?|heic|webp|dcm)"),
    "IP": re.compile(rb"[0-9a-fA-F.:]{7}"),
    "CITY": re.compile(rb"[A-Z]"),
    "BIOMETRIC": re.compile(rb"[A-Za-z0-9+/=]{40,}\Z"),
}
"""What a value begins with where only words announce it."""
_CASE = re.compile(rb"(?:^|[^a-z])(?:case|order|confirmation)\Z")
CASE_CHARS_MAX = 13
_VENDORS = frozenset(
    b"vendor vendors rma reseller toner cartridge cartridges lenovo meraki microsoft vmware fortinet"
    b" amazon staples cdw newegg ubiquiti netgear synology sonicwall poweredge proliant".split()
)


def _is_of_vendor(record: Record, stop: int) -> bool:
    """Whether a case or an order is one for equipment: its record names who makes or mends it.

    A bare `case 12345678 opened` may as well be a patient's, and a number that left cannot be
    called back, whereas a ticket's number that is gone costs a look into the ticket. Words that
    stand in records of patients too (printer, server, support, Dell) are therefore not enough.
    """
    return (
        not record.person
        and _CASE.search(record.lower, max(0, stop - CASE_CHARS_MAX), stop) is not None
        and not record.words.isdisjoint(_VENDORS)
    )


_INVOICE = re.compile(rb"(?:^|[^a-z])(?:invoice|inv)[a-z_ .#-]{0,8}\Z")
INVOICE_CHARS_MAX = 18
_BUYS = frozenset(b"vendor supplier reseller purchase procurement sku rma".split())
_GOODS = frozenset(
    b"po qty ship shipped shipping warranty unit units licenses seats tag tracking".split()
)
GOODS_MIN = 2


def is_of_purchase(record: Record, stop: int) -> bool:
    """Whether an invoice is one that the site pays: its record speaks of a vendor, or of goods."""
    if (
        record.person
        or _INVOICE.search(record.lower, max(0, stop - INVOICE_CHARS_MAX), stop) is None
    ):
        return False
    words = record.words
    return not words.isdisjoint(_BUYS) or len(words & _GOODS) >= GOODS_MIN


_COUNTS = re.compile(
    rb"(?:^|[^a-z])(?:order|case|script|exam|auth|study|confirmation)(?:[ _](?:number|no|num|id|#))?\Z"
)
COUNTS_CHARS_MAX = 24
SHORT_DIGITS_MAX = 5


def _is_counted(record: Record, stop: int, value: int, end: int) -> bool:
    """Whether a short number behind a word of machines too is a place in a row: `order number 2201`."""
    return (
        not record.person
        and digits(record.data[value:end]) <= SHORT_DIGITS_MAX
        and _COUNTS.search(record.lower, max(0, stop - COUNTS_CHARS_MAX), stop) is not None
    )


def _is_of_machines(record: Record, told: Told, stop: int, found: tuple[int, int]) -> bool:
    """Whether a number behind a cue is a page's, a sequence's, or a plan's of a database.

    And what stands behind a word for a secret may be whose it is, or stand behind a file's path.
    """
    data, (value, end) = record.data, found
    if told.kind == "SECRET":
        return _FOR_WHOM.search(record.lower, stop, value) is not None or _is_path(data, stop)
    if told.kind == "MRN" and b'","' in data[stop:value]:
        return _GUID.fullmatch(data, value, end) is not None  # another field of a row
    if told.kind == "OTHER_ID":
        return (
            _is_of_vendor(record, stop)
            or _is_counted(record, stop, value, end)
            or _UNITS.match(record.lower, end, end + UNIT_CHARS_MAX) is not None
        )
    if told.kind == "ACCOUNT":
        return is_of_purchase(record, stop)
    if told.kind == "PHONE":
        return data[value:end].isdigit() and data[stop - 7 : stop] == b" number"
    return told.kind == "HEALTH_PLAN" and digits(data[value:end]) < PLAN_DIGITS_MIN


_UNITS = re.compile(rb" ?(?:bytes?|octets?|packets?|frames?|[kmg]i?b|rows?|records?|ms)(?![a-z])")
UNIT_CHARS_MAX = 9
"""What a number counts, which is then no number of somebody's."""
_PAPERS = (b"policy", b"plan", b"coverage", b"insurance")
"""What has numbers and titles, but is nobody."""
_PROGRAM = re.compile(rb" (?:[a-z-]{3,12} )?(?:debugger|anti-?virus|daemon|plugin|codec)(?![a-z])")
"""What makes a title and a name a program's: Dr. Watson, Dr. Web."""
_COLUMN = re.compile(
    rb"(?:name|names|id|phone|address|dob|date|email|number|no|portal|list)(?![a-z])"
)
"""What follows a word for people where it is the name of a column: `Pt Name,Birth`."""
_HOST = re.compile(rb"[A-Z]{2,12}(?:-[A-Z]{1,8})?-?[0-9]{1,3}")
_STATE = re.compile(rb"[A-Z]{2} (?=[A-Z0-9-]*\d)")
_OF_STAFF = re.compile(
    rb"(?:Station|Call|Caller|Triage|Desk|Manager|Practitioner|Line|Schedule|Portal|Notes?|Review|Staff|Team|Educator|Aide|Intake|Visits?|On|Only|Phone|View|Tablet"
    rb"|Workstation|Office|Room|Lounge|Assistant|Anesthetist|Midwife|Coordinator|Supervisor|Shift|Float|Pool|Orders?|List|Letters?|Code|Key|ID|Name|Number|Login|Queue"
    rb"|Inbox|Tasks?|Server|Monitor|Alarm|Alert|Paging|Kiosk|Printer|App|Mobile|Dashboard|Roster|Staffing|Handoff|Worklist)(?![A-Za-z'-])"
)
"""What belongs to a role rather than names who has it: `Nurse Station`, `Doctor On Call`."""
_TITLED = re.compile(
    rb"[A-Z](?:[A-Za-z-]|'(?!s\b)){1,40}(?: [A-Z][a-z'-]{2,40})?(?![A-Za-z0-9_=\\/])"
)
_TITLE = re.compile(rb"(?:^|[^A-Za-z])(?:Dr|Mr|Mrs|Ms|Miss|Nurse|Doctor)\.?\Z")


def _is_of_people(record: Record, told: Told, stop: int) -> bool:
    """Whether a cue is a word for people: a member has a name, a policy has a title."""
    return told.kind != "HEALTH_PLAN" or not record.lower[max(0, stop - 9) : stop].endswith(_PAPERS)


def _other_value(record: Record, told: Told, stop: int, value: int) -> int:
    """Take a number where a name was announced, or a name where a number was."""
    data, limit = record.data, min(len(record.data), value + REACH)
    if told.kind in {"MRN", "NAME"} and (end := _small_in_quotes(record, value, limit)) > 0:
        return end
    if told.kind in {"MRN", "HEALTH_PLAN"}:
        end = people.take_name(record, value, limit)
        if end > 0 and not (_spoken_name(record, value, end) and _is_of_people(record, told, stop)):
            return -1
        if end > 0 and not _are_columns(record, value, end):
            record.hit(Kind.NAME, value, end, "a cue before a name")
        return end
    if told.kind == "DATE":
        return _number_of_a_visit(record, value, limit)
    if told.kind == "PHONE":
        return _called(record, value, limit)
    if told.kind != "NAME":
        return -1
    if _TITLE.search(data, max(0, stop - 9), stop) is not None:
        titled = _TITLED.match(data, value, limit)
        if titled is None or _PROGRAM.match(data, titled.end()) or _OF_STAFF.match(data, value):
            return -1
        record.hit(Kind.NAME, value, titled.end(), "a title before a name")
        return titled.end()
    end = _part_of_name(record, stop, value, limit)
    return number_of_somebody(record, value, limit) if end < 0 and told.person else end


def _are_columns(record: Record, value: int, end: int) -> bool:
    """Whether the next columns are listed: `Patient ID, DOB, Phone`."""
    words = record.data[value:end].replace(b",", b" ").split()
    return all(people.word_flags(record, word) & (CUE | CONTEXT) for word in words)


def _part_of_name(record: Record, stop: int, value: int, limit: int) -> int:
    """Take a word of machines that a cue says is a part of a name: `maiden name Sessions`."""
    called = _CALLED_SO.match(record.data, value, limit)
    if called is None or not _SAYS_NAME.search(record.lower, max(0, stop - 14), stop):
        return -1
    if not any(record.lexicon.names.weights(called.group().lower().decode())[:2]):
        return -1
    record.hit(Kind.NAME, value, called.end(), "what a cue says is a name's part")
    return called.end()


_SMALL_PAIR = re.compile(rb"([a-z][a-z'-]{1,30})(,?) ([a-z][a-z'-]{1,30})(?=[\"'])")


def _small_in_quotes(record: Record, value: int, limit: int) -> int:
    """Take both names in small letters, in quotes behind a cue: `patient 'price, wanjiru'`."""
    pair = _SMALL_PAIR.match(record.data, value, limit)
    if pair is None or record.data[value - 1 : value] not in _QUOTES:
        return -1
    weights, flags = record.lexicon.names.weights, record.lexicon.flags
    names = (pair[3], pair[1]) if pair[2] else (pair[1], pair[3])
    for place, name in enumerate(name.translate(None, b"'-") for name in names):
        if flags(name) and not weights(name.decode())[place]:
            return -1
    if not pair[2] and all(flags(name) & WORD for name in names):
        return -1
    record.hit(Kind.NAME, value, pair.end(), "small letters in quotes behind a cue")
    return pair.end()


_QUOTES = frozenset({b"'", b'"'})
_SAYS_NAME = re.compile(rb"(?:maiden|last|family|first|given|birth|sur) ?names?\Z")
_CALLED_SO = re.compile(rb"[A-Z][A-Za-z]{1,30}(?=[,;.)\"'\n]|$)")


def _called(record: Record, value: int, limit: int) -> int:
    """Take who is called: `call Anna Smith at`."""
    end = people.take_name(record, value, limit)
    if end < 0 or b" " not in record.data[value:end] or not is_name(record, value, end):
        return -1
    record.hit(Kind.NAME, value, end, "who is called")
    return end


def _number_of_a_visit(record: Record, value: int, limit: int) -> int:
    """Take a number where a day was announced: `visit # 406638199`."""
    end = _spoken_id(record, value, limit)
    if (
        end < 0
        or digits(record.data[value:end]) < 6
        or record.data[end - 1 :].startswith(b".")
        or record.data.startswith(SENTINELS, value)
    ):
        return -1
    record.hit(Kind.OTHER_ID, value, end, "a number behind a cue of a visit")
    return end


def _spoken_name(record: Record, start: int, end: int) -> bool:
    """Whether what stands behind a spoken cue is more than a lone abbreviation."""
    value = record.data[start:end]
    if len(value) > 4 or b"," in value or not value.isupper():
        return True
    return bool(record.lexicon.flags(value.lower()) & NAMEY)


def _spoken_user(record: Record, stop: int, value: int, limit: int) -> int:
    match = DOMAIN.match(record.data, value, min(limit, value + 64))
    begin = match.end() if match else value
    end = logins.take_login(record, begin, limit)
    if record.lower[value - 13 : value].endswith(b"invalid user "):
        return -1  # an account that does not exist
    if end < 0 or record.data[end : end + 1] in {b"(", b"/", b"[", b":"}:
        return -1
    if (
        record.data[value - 1 : value] == b"["
        or GUID.match(record.data, begin, end)
        or _is_path(record.data, stop)
    ):
        return -1
    agent = record.lower[stop - 3 : stop] == b" by"  # machines do things too
    said = record.lower[max(0, stop - 16) : stop]
    if (
        agent
        and not said.endswith(_DEEDS)
        and not (record.person and _DONE.search(said) and _ENDS_LOGIN.match(record.data, end))
        and not logins.is_person_login(record, record.data[begin:end], sure=True)
    ):
        return -1
    named = people.take_name(record, begin, limit)
    if named > end and b" " in record.data[begin:named] and is_name(record, begin, named):
        record.hit(Kind.NAME, begin, named, "a name where a login is expected")
        return named
    record.hit(Kind.USERNAME, begin, end, "a cue before it says USERNAME")
    return end


def _spoken_id(record: Record, value: int, limit: int) -> int:
    end = TAKERS["MRN"][1](record, value, limit)
    if end < 0:
        return -1
    text = record.data[value:end]
    after = record.data[end : end + 2]
    if digits(text) < 4 or text.count(b".") > 1 or (after[:1] == b":" and after != b": "):
        return -1
    return end

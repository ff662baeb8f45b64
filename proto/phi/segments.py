"""Formats whose places are fixed: HL7 v2, X12, DICOM dumps. Places are content (`segments.yaml`).

An HL7 field of a listed segment that is not among the places to keep goes, whatever it holds: an
allow-list. Components go one by one, so that the message stays a message.
"""

import re
from collections.abc import Iterator, Mapping

from proto.phi import fhir, observed, people
from proto.phi.record import LETTERS, Record, digits
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_SEGMENT = Pattern(r"(?:MSH|[A-Z][A-Z0-9]{2})\|[^\r\n\x0b\x1c]*")
_INNER = re.compile(rb"[^|^~&\\\r\n\x01]{1,400}")
_X12 = Pattern(r"(?:NM1|N[1-4]|PER|DMG|REF|DTP|DTM|CLM|CLP|SBR|TRN|PAT)\*[^~\r\n]*")
_ELEMENT = re.compile(rb"[^*~:^\r\n\x01]{1,200}")
_TAG = Pattern(r"\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)")
_TAG_VALUE = re.compile(
    rb"[^\[=\n]{0,60}?(?:\[([^\]\n]{1,200})\]|=\s?'([^'\n]{1,200})'|[:=] {0,4}\"?([^\"\n]{1,200}))|\s(?:[A-Z]{2}\s)?(?:[A-Z][A-Za-z' ]{3,40}:?\s)?([^\n]{1,120})$"
)
_DICOM_KEEP_PN = frozenset({b"0008,0070"})
_DICOM = {
    b"0010,0010": Kind.NAME, b"0010,1001": Kind.NAME, b"0010,1005": Kind.NAME, b"0010,1060": Kind.NAME,
    b"0008,0090": Kind.NAME, b"0008,1048": Kind.NAME, b"0008,1050": Kind.NAME, b"0008,1060": Kind.NAME,
    b"0008,1070": Kind.NAME, b"0032,1032": Kind.NAME, b"0040,a123": Kind.NAME, b"0010,2297": Kind.NAME,
    b"4008,0114": Kind.NAME, b"0040,0006": Kind.NAME, b"0008,009c": Kind.NAME, b"0008,1052": Kind.NAME,
    b"0010,0020": Kind.MRN, b"0010,1000": Kind.MRN, b"0010,1002": Kind.MRN,
    b"0010,0030": Kind.DATE, b"0010,0032": Kind.DATE, b"0008,0020": Kind.DATE, b"0008,0021": Kind.DATE,
    b"0008,0022": Kind.DATE, b"0008,0023": Kind.DATE, b"0008,002a": Kind.DATE, b"0040,0002": Kind.DATE,
    b"0038,0020": Kind.DATE, b"0038,0030": Kind.DATE, b"0040,0244": Kind.DATE, b"0010,21d0": Kind.DATE,
    b"0010,1010": Kind.AGE90, b"0010,1040": Kind.ADDRESS, b"0008,0081": Kind.ADDRESS, b"0008,0092": Kind.ADDRESS,
    b"0010,2154": Kind.PHONE, b"0008,0094": Kind.PHONE, b"0008,0050": Kind.OTHER_ID, b"0020,0010": Kind.OTHER_ID,
    b"0020,000d": Kind.OTHER_ID, b"0020,000e": Kind.OTHER_ID, b"0008,0018": Kind.OTHER_ID,
    b"0020,0052": Kind.OTHER_ID, b"0038,0010": Kind.OTHER_ID, b"0040,1001": Kind.OTHER_ID,
    b"0010,0021": Kind.OTHER_ID, b"0010,1090": Kind.OTHER_ID, b"0010,1080": Kind.OTHER_ID, b"0002,0003": Kind.OTHER_ID,
    b"0010,0050": Kind.HEALTH_PLAN, b"0018,1000": None, b"0010,4000": Kind.NAME, b"0010,21b0": Kind.NAME,
    b"0008,1155": Kind.OTHER_ID, b"0040,0009": Kind.OTHER_ID, b"0040,2016": Kind.OTHER_ID, b"0040,2017": Kind.OTHER_ID,
}  # fmt: skip
_ID_FIRST = re.compile(rb"[0-9A-Za-z-]{3,20}$")
TAG_CHARS_MAX = 400
_ORGANIZATION = frozenset(b"llc inc corp ltd pc pa hospital clinic".split())


def read(record: Record) -> None:
    """Find what stands at places that hold somebody's."""
    if "hl7" in record.shapes:
        _hl7(record)
    if "x12" in record.shapes:
        _x12(record)
    if "dicom" in record.shapes:
        _dicom(record)
    if "astm" in record.shapes:
        _astm(record)
    fhir.read(record, _DICOM)


_ASTM = Pattern(r"(?:^|[^A-Za-z0-9])([PO])\|[0-9]{1,3}\|([^\r\n\x02\x03\x17]*)")
_ASTM_NAME = re.compile(rb"(?:[^|]*\|){3}[A-Za-z][^|^]*\^[A-Za-z]")
_OF_PATIENT = {
    1: "MRN", 2: "MRN", 3: "MRN", 4: "NAME", 5: "NAME", 6: "DATE", 9: "ADDRESS", 11: "PHONE",
    12: "PERSON", 22: "DATE",
}  # fmt: skip
_OF_ORDER = {1: "OTHER_ID", 2: "OTHER_ID"}
ASTM_FIELDS = 34


def _astm(record: Record) -> None:
    """Read the patient and the specimen of an instrument's message (CLSI LIS2-A2, 7 and 8)."""
    about = False
    for spans in _ASTM.each(record.data):
        kept = dict.fromkeys(range(1, ASTM_FIELDS), "KEEP")
        if record.data[slice(*spans[1])] == b"P":
            about = _ASTM_NAME.match(record.data, *spans[2]) is not None
            kept.update(_OF_PATIENT)
        elif about:
            kept.update(_OF_ORDER)
        if about:
            record.person = True
            _fields(record, *spans[2], kept)


def _hl7(record: Record) -> None:
    tables = record.lexicon.policy.segments["hl7"]
    data, observations = record.data, False
    for spans in _SEGMENT.each(data):
        start, end = spans[0]
        name = data[start : start + 3].decode()
        if start and data[start - 1] not in b"\r\n\x0b\x1c >\"'" and name not in tables:
            continue
        table = tables.get(name)
        if name == "MSH":
            # Segments that a viewer glued together: MSH ends where the next one begins.
            table = None
            _control(record, start, end)
        for asked in _QUERIED.finditer(data, start, end) if name == "QPD" else ():
            _field(record, *asked.span(2), tables["PID"].get(int(asked[1]), "OTHER_ID"))
        if name == "OBX":
            observations = True
        if name[0] == "Z" and table is None:
            _of_site(record, start, end)
        if table is not None:
            record.person = True
            _fields(record, start + 4, end, table)
    if observations:
        observed.read(record)


def _control(record: Record, start: int, end: int) -> None:
    """Keep the message's own number, MSH-10: both sides look for it in their logs."""
    for _ in range(CONTROL_FIELD - 1):
        start = record.data.find(b"|", start, end) + 1
        if not start:
            return
    stop = record.data.find(b"|", start, end)
    stop = end if stop < 0 else stop
    if _NUMBER.fullmatch(record.data, start, stop):
        record.facts.append((start, stop))


CONTROL_FIELD = 10
_NUMBER = re.compile(
    rb"(?:[A-Za-z]{1,6}[-_.]?)?[0-9]{1,24}(?:[-_.:][0-9]{1,12}){0,3}"
    rb"|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}|[0-9A-Fa-f]{12,32}"
)
"""What counts messages: a number behind letters, or a GUID."""


_OF_SITE = re.compile(rb"Z[A-Z0-9]{2}\|[0-9]{1,2}\|")


_EQUIPMENT = re.compile(
    rb"(?i)(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}"
    rb"|(?:10|127|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}"
    rb"|(?:(?:fw|sw|rev|ver|version|firmware|software)[ .:]?|v)\d{1,4}(?:\.\d{1,5}){1,3}"
)
"""Hardware addresses, addresses of the site's own, and what a version says it is."""


_LONG_UID = re.compile(rb"(?<![0-9.])[0-2](?:\.[0-9]{1,39}){5,20}(?![0-9.])")
UID_DIGITS_MIN = 20
"""An object's own identifier has so many; a root or a class of objects has fewer."""


def _of_site(record: Record, start: int, end: int) -> None:
    """Take all of a numbered segment that a site made up: nothing says what may stay in it.

    Of others what names one study goes.
    """
    if _OF_SITE.match(record.data, start) is None:
        for uid in _LONG_UID.finditer(record.data, start, end):
            if digits(uid.group()) >= UID_DIGITS_MIN:
                record.hit(Kind.OTHER_ID, *uid.span(), "a study in a segment of the site's own")
        return
    record.person = True
    for piece in _INNER.finditer(record.data, start + 4, end):
        if len(piece.group().strip()) > 2 and _EQUIPMENT.fullmatch(piece.group()) is None:
            record.hit(Kind.OTHER_ID, *piece.span(), "in a segment of the site's own")


def _fields(record: Record, start: int, end: int, table: Mapping[int, str]) -> None:
    data, number = record.data, 0
    arrow = data.find(b" -> ", start, end)  # where a log says what became of what it shows
    end = end if arrow < 0 else arrow
    while start <= end:
        number += 1
        stop = data.find(b"|", start, end)
        stop = end if stop < 0 else stop
        kind = table.get(number, "OTHER_ID")
        if stop > start and kind == "KEEP":
            for day in _DAY.finditer(data, start, stop):
                record.hit(Kind.DATE, *day.span(), "a day in a segment about somebody")
        elif stop > start and kind == "CODE":
            record.facts.append((start, stop))
        elif stop > start:
            for day in _DAY.finditer(data, start, stop) if kind in _MAY_DATE else ():
                record.hit(Kind.DATE, *day.span(), "a day in a segment about somebody")
            glued = _GLUED.search(data[start:stop])
            _field(record, start, start + glued.start() if glued else stop, kind)
            if glued:  # the next segment, which something glued to this one
                name = data[start + glued.start() : stop].decode()
                table, number = record.lexicon.policy.segments["hl7"].get(name, {}), 0
        start = stop + 1


_QUERIED = re.compile(rb"@PID\.(\d{1,2})(?:\.\d{1,2})*\^([^~|\r\n]{1,200})")
"""A parameter of a query by demographics (IHE PDQ)."""
_MAY_DATE = frozenset({"OTHER_ID", "TEXT", "ACCOUNT", "PERSON"})
_DAY = re.compile(
    rb"(?<![A-Za-z0-9.])(?:19|20)\d{2}(?:0[1-9]|1[0-2])[0-3]\d(?:\d{4}|\d{6})?(?![A-Za-z0-9.])"
)
_GLUED = re.compile(
    rb"(?:PID|NK1|PV1|PV2|OBR|OBX|IN1|IN2|GT1|DG1|AL1|ORC|EVN|NTE|PD1|MRG|SCH|AIP)$"
)


def _field(record: Record, start: int, end: int, kind: str) -> None:
    data = record.data
    if data[start:end] == b'""' or kind in {"TEXT", "COUNTY", "ORGANIZATION"}:
        if kind == "COUNTY":
            record.hit(Kind.CITY, start, end, "its place in the segment")
        elif kind == "ORGANIZATION":
            record.hit(Kind.NAME, start, end, "its place in the segment")
        elif kind == "TEXT":
            _text(record, start, end)
        return
    for begin, stop in _repeats(data, start, end):
        _repeat(record, begin, stop, kind)


def _text(record: Record, start: int, end: int) -> None:
    """A field of free text: the names in it are found later; what is written as a number goes here."""
    data = record.data
    if b"^" in data[start:end] and people.take_name(record, start, end) > start + 3:
        taken = people.take_name(record, start, end)
        words = record.lower[start:taken].translate(LETTERS).split()
        if any(not record.lexicon.flags(word) & 1 for word in words):
            record.hit(Kind.NAME, start, taken, "a name in a field of text")


def _repeats(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start <= end:
        stop = data.find(b"~", start, end)
        stop = end if stop < 0 else stop
        if stop > start:
            yield start, stop
        start = stop + 1


def _repeat(record: Record, start: int, end: int, kind: str) -> None:
    data = record.data
    place = start
    number = 0
    while place <= end:
        number += 1
        stop = data.find(b"^", place, end)
        stop = end if stop < 0 else stop
        if stop > place:
            chosen = _component(data[place:stop], kind, number)
            if chosen is not None:
                _parts(record, place, stop, chosen)
        place = stop + 1


def _component(value: bytes, kind: str, number: int) -> Kind | None:
    """Return the class of one component of a field, None where it is a code that may stay."""
    if kind == "ADDRESS":
        return _ADDRESS_PARTS.get(number)
    if kind == "NAME":
        return Kind.NAME if number <= 6 and value.upper() not in _NAME_CODES else None
    if kind == "PERSON":
        if number == 1:
            return Kind.LICENSE if digits(value) else Kind.NAME
        return Kind.NAME if number <= 5 else None
    if kind in {"MRN", "ACCOUNT", "SSN", "OTHER_ID", "HEALTH_PLAN", "LICENSE"}:
        return Kind(kind) if number == 1 else None
    if kind == "PHONE":
        if number in {2, 3, 5, 8, 9}:
            return None
        return Kind.EMAIL if b"@" in value else Kind.PHONE
    return Kind(kind) if kind in _KINDS else Kind.OTHER_ID


_KINDS = frozenset(Kind)
_NAME_CODES = frozenset(
    {
        b"MD",
        b"DO",
        b"RN",
        b"NP",
        b"PA",
        b"L",
        b"JR",
        b"SR",
        b"II",
        b"III",
        b"DR",
        b"MR",
        b"MRS",
        b"MS",
    }
)
_ADDRESS_PARTS = {
    1: Kind.ADDRESS,
    2: Kind.ADDRESS,
    3: Kind.CITY,
    5: Kind.ZIP,
    8: Kind.ADDRESS,
    9: Kind.CITY,
    10: Kind.ADDRESS,
}


_OF_FIGURES = frozenset(
    {Kind.PHONE, Kind.FAX, Kind.ZIP, Kind.DATE, Kind.SSN, Kind.MRN, Kind.ACCOUNT}
)
_TEXT_BEHIND = re.compile(rb"(?<=[0-9]) (?!ext|int)[a-z]{2,12}[ =:]")
"""What a log goes on with behind a segment that it shows: `||8939822666 peer 10.0.0.9:104`."""


def _parts(record: Record, start: int, end: int, kind: Kind) -> None:
    text = _TEXT_BEHIND.search(record.data, start, end) if kind in _OF_FIGURES else None
    end = end if text is None else text.start()
    for begin in (start,):
        match = _INNER.match(record.data, begin, end)
        while match is not None:
            record.hit(kind, match.start(), match.end(), "its place in the segment")
            match = _INNER.match(record.data, match.end() + 1, end)


_ID_KINDS = {
    "SY": Kind.SSN, "34": Kind.SSN, "EI": Kind.OTHER_ID, "1L": Kind.HEALTH_PLAN, "1W": Kind.HEALTH_PLAN, "IG": Kind.HEALTH_PLAN,
    "6P": Kind.HEALTH_PLAN, "EA": Kind.MRN, "D9": Kind.OTHER_ID, "1K": Kind.OTHER_ID, "F8": Kind.OTHER_ID, "G1": Kind.OTHER_ID, "9F": Kind.OTHER_ID,
    "0B": Kind.LICENSE, "1G": Kind.LICENSE, "G2": Kind.LICENSE, "TJ": Kind.OTHER_ID, "0F": Kind.HEALTH_PLAN, "23": Kind.HEALTH_PLAN, "3H": Kind.OTHER_ID, "Y4": Kind.OTHER_ID, "EJ": Kind.MRN, "6R": Kind.OTHER_ID, "XZ": Kind.OTHER_ID,
}  # fmt: skip


_NEXT_X12 = re.compile(rb" (?=(?:NM1|N[1-4]|PER|DMG|REF|DTP|DTM|CLM|CLP|SBR|TRN|PAT)\*)")
"""Where the next segment begins in a line of them that something wrote with blanks between."""


def _x12(record: Record) -> None:
    for spans in _X12.each(record.data):
        start, end = spans[0]
        known = not start or record.data[start - 1] in b"~\r\n \"'|"  # else what IK3 speaks of
        for more in _NEXT_X12.finditer(record.data, start, end):
            if known:
                _x12_segment(record, start, more.start())
            start, known = more.end(), True
        if known:
            _x12_segment(record, start, end)


def _x12_segment(record: Record, start: int, end: int) -> None:
    tables = record.lexicon.policy.segments["x12"]
    elements = record.data[start:end].split(b"*")
    table = tables.get(elements[0].decode())
    if table is None:
        return
    record.person = True
    place = start
    for number, element in enumerate(elements):
        kind = table.get(number, "OTHER_ID")
        if number and element and kind != "KEEP":
            _x12_element(record, place, elements, number, kind)
        place += len(element) + 1


def _x12_element(record: Record, at: int, elements: list[bytes], number: int, kind: str) -> None:
    value = elements[number]
    before = elements[number - 1].decode("ascii", "replace")
    organization = elements[0] == b"NM1" and elements[2:3] == [b"2"]
    if (
        kind == "NAME"
        and organization
        and number == 3
        and elements[1] in {b"PR", b"41", b"40", b"85", b"77"}
    ):
        return
    if (
        elements[0] in {b"DTP", b"DTM"}
        and before not in {"D8", "RD8", "DT"}
        and elements[0] == b"DTP"
    ):
        return
    if kind == "PARTY_ID":
        chosen = {
            "MI": Kind.HEALTH_PLAN,
            "XX": Kind.LICENSE,
            "34": Kind.SSN,
            "PI": None,
            "46": None,
        }.get(before, Kind.OTHER_ID)
    elif kind == "REFERENCE":
        chosen = _ID_KINDS.get(before, Kind.OTHER_ID)
    elif kind == "CONTACT":
        chosen = {"EM": Kind.EMAIL, "FX": Kind.FAX}.get(before, Kind.PHONE)
    elif kind == "TEXT":
        chosen = None
    else:
        chosen = Kind(kind)
    if chosen is None:
        return
    for match in _ELEMENT.finditer(value):
        record.hit(chosen, at + match.start(), at + match.end(), "its place in the segment")


def _dicom(record: Record) -> None:
    data = record.data
    places = [(*spans[0], spans[1], spans[2]) for spans in _TAG.each(data)]
    for number, (start, value, group, element) in enumerate(places):
        tag = record.lower[slice(*group)] + b"," + record.lower[slice(*element)]
        end = data.find(b"\n", value, start + TAG_CHARS_MAX)
        end = min(len(data), start + TAG_CHARS_MAX) if end < 0 else end
        if number + 1 < len(places):
            end = min(end, places[number + 1][0])
        kind = _DICOM.get(tag)
        person = _PERSON.match(data, value, end) is not None and tag not in _DICOM_KEEP_PN
        if kind is None and not person:
            continue
        record.person = True
        _tag_value(record, kind or Kind.NAME, value, end)


AGE_TOLD_MAX = 89
_BARE = 3
"""From this group of a tag's value on, nothing says where it ends."""
_GOES_ON = re.compile(rb", (?=[a-z])")
_PERSON = re.compile(rb"\s{0,3}PN\b")


def shows_old_age(value: bytes) -> bool:
    """Whether an age string (DICOM PS3.5: nnnD, nnnW, nnnM, nnnY) is over 89 years."""
    return value[-1:] == b"Y" and value[:-1].isdigit() and int(value[:-1]) > AGE_TOLD_MAX


_AGES = re.compile(rb"(?<![0-9A-Za-z.])([0-9]{2,4}Y)(?![A-Za-z0-9])")


def _ages(record: Record, start: int, end: int) -> None:
    """Take every age over 89 that stands behind the tag of an age."""
    for age in _AGES.finditer(record.data, start, end):
        if shows_old_age(age[1]):
            record.hit(Kind.AGE90, *age.span(1), "the tag says whose it is")


def _tag_value(record: Record, kind: Kind, start: int, end: int) -> None:
    match = _TAG_VALUE.match(record.data[start:end])
    if match is None:
        return
    group = next(number for number in (1, 2, 3, 4) if match[number] is not None)
    value = match[group]
    if group >= _BARE:
        value = _GOES_ON.split(value.split(b"#")[0], maxsplit=1)[0].rstrip(b" ,;|")
    if value.strip(b" ()") and b"no value" not in value and b"\x01" not in value:
        begin = start + match.start(group)
        if kind is Kind.AGE90:
            _ages(record, start, end)
            return
        record.hit(kind, begin, begin + len(value), "the tag says whose it is")

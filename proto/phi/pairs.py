"""Keys and values that stand apart: labelled fields of CEF, pairs of Python, places of messages.

Here the key and the value are bound by a convention of the format rather than by a mark between
them: `cs1Label=MRN cs1=123`, `('lname', 'Park')`, `NM103 GAUTHIER`, `PID-5: SMITH^JOHN`. Beside
them stand the rows that databases show in their errors and parameters, which are data whole.
"""

import re

from proto.phi.fitness import fits
from proto.phi.keys import Told
from proto.phi.labels import take_user
from proto.phi.lexicon import SURE, WORD
from proto.phi.people import word_flags
from proto.phi.record import LETTERS, Record, digits
from proto.phi.scan import Pattern
from proto.phi.takers import TAKERS
from proto.phi.values import Kind

_LABEL = Pattern(
    r"\b(c[sn][1-6]|flexString[12]|deviceCustom[A-Za-z]{4,20}[1-6])Label=([^=]{1,60}?)(?: [A-Za-z0-9]{1,40}=|$)"
)
_FIELD = r"(?:^|[ |]){}=((?:[^=\\]|\\.){{1,200}}?)(?: [A-Za-z0-9]{{1,40}}=|$)"
_FIELDS = {
    name: Pattern(_FIELD.format(name))
    for name in [f"c{kind}{number}" for kind in "sn" for number in range(1, 7)]
}
_TUPLE = Pattern(
    r"[(\[] ?[\"']([A-Za-z_][A-Za-z0-9_ .]{1,40})[\"'] ?, ?[uN]?[\"']([^\"'\n]{1,200})[\"'] ?[)\]]"
)
_ELEMENT = Pattern(
    r"\b(NM10[3459]|DMG02|N301|N302|N401|N403|PER0[468]|REF02|SBR03|CLM01|CLP01)[\])]?[ :='\"(]{1,4}([^\s'\"(),;|~*]{2,60})"
)
_ELEMENTS = {
    b"NM103": Kind.NAME, b"NM104": Kind.NAME, b"NM105": Kind.NAME, b"NM109": Kind.HEALTH_PLAN, b"DMG02": Kind.DATE,
    b"N301": Kind.ADDRESS, b"N302": Kind.ADDRESS, b"N401": Kind.CITY, b"N403": Kind.ZIP, b"PER04": Kind.PHONE,
    b"PER06": Kind.PHONE, b"PER08": Kind.PHONE, b"REF02": Kind.OTHER_ID, b"SBR03": Kind.HEALTH_PLAN,
    b"CLM01": Kind.OTHER_ID, b"CLP01": Kind.OTHER_ID,
}  # fmt: skip
_PLACE = Pattern(
    r"\b([A-Z][A-Z0-9]{2})[-.]([0-9]{1,2})(?:[-.][0-9]{1,2})?(?: \([^)\n]{1,30}\))?(?:\"?[:=>]|\"| is| value| )[ '\"=:]{0,4}([^\s'\",;|)]{2,60}(?: [A-Z][^\s'\",;|)]{1,40})?)"
)
_PLACED = Pattern(
    r"[\"']((?i:pid|nk1|in1|gt1|pv1))[-_.]?([0-9]{1,2})[\"'] ?: ?[\[(]? ?[\"']([^\"'\n]{2,60})[\"'](?:, ?[\"']([^\"'\n]{2,40})[\"'])?"
)
"""A field as a program's own name for it: `'pid5': ['PETROV', 'IVAN']`."""
_PLACE_KINDS = {"PERSON": Kind.NAME, "COUNTY": Kind.CITY, "ORGANIZATION": Kind.NAME}
_ROW = Pattern(
    r"(?i)(?:duplicate entry '|key value is \(|row contains \(|truncated value: '|\)=\(|value: '|\(full row: |copy (?:[a-z_]{1,30}\.)?(?:patients?|members?|persons?|people|contacts?|guarantors?|subscribers?|appointments?|encounters?|clients?)\b[^\"\n]{0,24}: \")([^\n)'\"]{1,400}(?:'[A-Za-z][^\n)']{0,200})?)(?:'|\)|\"|$)"
)
_PARAMETER = Pattern(
    r"(?:[@$:][A-Za-z0-9_]{1,40} ?= ?[NE]?'|\b(?:bind|param|arg|parameter) ?[0-9]{1,2} ?[=:] ?[\"']|[ ,(][0-9]{1,2}=[\"'])([^\"'\n]{1,200})[\"']"
    r"|\b(?:bind|param|arg|parameter) ?[0-9]{1,2} ?[=:] ?([0-9]{6,12})\b"
    r"|\bset(?:N?String|Object|Date)\([0-9]{1,3}, ?\"([^\"\n\x01]{2,120})\""
    r"|\bbinding parameter \[[0-9]{1,3}\] as \[[A-Z_]{2,20}\] - \[([^\[\]\n\x01]{2,120})\]"
)
_SLOT = Pattern(
    r"(?i)[\"' ]?\b(?:start|end|starts_at|ends_at|start_?time|end_?time|when|slot|scheduled(?:_at|_for)?)[\"']?\s{0,2}[:=]\s{0,2}[\"']?([0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]{4,15}(?:Z|[+-][0-9:]{4,6})?)?)"
)
_NCPDP = Pattern(r"(?:^|[^0-9A-Za-z])[0-9]{3}-([A-Z][0-9A-Z]) ?[=:] ?[\"']?([^|;,\"'\s\x01]{2,60})")
_NCPDP_FIELDS = {
    b"C2": Kind.HEALTH_PLAN, b"C4": Kind.DATE, b"CA": Kind.NAME, b"CB": Kind.NAME, b"CC": Kind.NAME, b"CD": Kind.NAME,
    b"CM": Kind.ADDRESS, b"CN": Kind.CITY, b"CP": Kind.ZIP, b"CQ": Kind.PHONE, b"CY": Kind.MRN, b"D2": Kind.OTHER_ID,
    b"DB": Kind.LICENSE, b"DR": Kind.NAME, b"PM": Kind.PHONE, b"EN": Kind.OTHER_ID, b"N6": Kind.HEALTH_PLAN,
}  # fmt: skip
"""Fields of a claim of a pharmacy by their ids (NCPDP D.0)."""
_ARGUMENT = Pattern(
    r"\bARGS(?:_GET|_POST|_NAMES)?:([A-Za-z][A-Za-z0-9_.-]{1,40})[^\n]{0,160}?\[data \"([^\"\n\x01]{2,120})\""
)
"""An argument of a request as a firewall of the web reports it, and what it held."""
_ITS_KEY = re.compile(rb"[@$:][A-Za-z_]")
"""A parameter by its own name."""
_GUID = re.compile(rb"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?$")
_APART = re.compile(rb"[^,\t]+")


def read(record: Record) -> None:
    """Find values whose keys stand apart from them."""
    data = record.data
    if b"Label=" in data:
        _labelled(record)
    if b"', " in data or b'", ' in data or b"','" in data:
        _tuples(record)
    _claims(record)
    if any(map(data.__contains__, _ELEMENT_MARKS)):
        _elements(record)
    _placed(record)
    if any(map(data.__contains__, _PLACE_MARKS)):
        _places(record)
    if any(map(data.__contains__, _ROW_MARKS)):
        _rows(record)
    if record.person or _asks_for_somebody(record):
        parameters(record)


def _claims(record: Record) -> None:
    """Take the fields of a pharmacy's claim, and arguments that a firewall of the web reports."""
    data, keys = record.data, record.lexicon.policy.keys
    for spans in _NCPDP.each(data):
        if (kind := _NCPDP_FIELDS.get(data[slice(*spans[1])])) is not None:
            record.hit(kind, *spans[2], "the field of a pharmacy's claim")
    for spans in _ARGUMENT.each(data) if b"ARGS" in data else ():
        take(record, keys.told(data[slice(*spans[1])]), *spans[2])


def take(record: Record, told: Told | None, start: int, end: int) -> None:
    """Take a whole value if it can be of the class that its label tells."""
    if told is None:
        return
    if told.kind == "USERNAME":
        take_user(record, start, end)
    elif fits(record, told, start, end):
        record.hit(TAKERS[told.kind][0], start, end, "what its label says")


def _labelled(record: Record) -> None:
    data, keys = record.data, record.lexicon.policy.keys
    done: set[tuple[bytes, Told]] = set()
    for spans in _LABEL.each(data):
        name, told = data[slice(*spans[1])], keys.told(data[slice(*spans[2])])
        field = _FIELDS.get(name.decode("ascii"))
        if field is None or told is None or (name, told) in done:
            continue
        done.add((name, told))
        for found in field.each(data):
            take(record, told, *found[1])


def _tuples(record: Record) -> None:
    data, keys = record.data, record.lexicon.policy.keys
    for spans in _TUPLE.each(data):
        told = keys.told(data[slice(*spans[1])])
        if told is not None and keys.told(data[slice(*spans[2])]) is None:
            take(record, told, *spans[2])


_ELEMENT_MARKS = (
    b"NM10",
    b"DMG02",
    b"N30",
    b"N40",
    b"PER0",
    b"REF02",
    b"SBR03",
    b"CLM01",
    b"CLP01",
)
_PLACE_MARKS = (
    b"PID-",
    b"PID.",
    b"NK1-",
    b"NK1.",
    b"IN1-",
    b"IN1.",
    b"GT1-",
    b"PV1-",
    b"PV1.",
    b"GT1.",
    b"MRG-",
    b"MRG.",
    b"ORC-",
    b"ORC.",
    b"OBR-",
    b"OBR.",
)
_ROW_MARKS = (
    b"uplicate",
    b"row contains",
    b"COPY ",
    b"uncated value",
    b")=(",
    b"alue: '",
    b"row: ",
)


def _elements(record: Record) -> None:
    data = record.data
    for spans in _ELEMENT.each(data):
        kind = _ELEMENTS[data[slice(*spans[1])]]
        if kind not in {Kind.DATE, Kind.PHONE, Kind.ZIP} or digits(data[slice(*spans[2])]) >= 4:
            record.hit(kind, *spans[2], "the element it is named by")


def _places(record: Record) -> None:
    data = record.data
    tables = record.lexicon.policy.segments["hl7"]
    for spans in _PLACE.each(data):
        table = tables.get(data[slice(*spans[1])].decode("ascii"))
        place = table.get(int(data[slice(*spans[2])]), "KEEP") if table else "KEEP"
        value = data[slice(*spans[3])]
        if place in {"KEEP", "TEXT"} or (
            place not in {"NAME", "PERSON", "COUNTY"} and not digits(value)
        ):
            continue
        if value.islower() and not digits(value):
            continue  # "PID-5 is missing"
        kind = _PLACE_KINDS.get(place) or Kind(place)
        record.hit(kind, *spans[3], "the field it is named by")


def _placed(record: Record) -> None:
    tables = record.lexicon.policy.segments["hl7"]
    for spans in _PLACED.each(record.data):
        table = tables.get(record.data[slice(*spans[1])].decode("ascii").upper(), {})
        place = table.get(int(record.data[slice(*spans[2])]), "KEEP")
        named = place in {"NAME", "PERSON"}
        if place in {"KEEP", "TEXT"} or not (named or digits(record.data[slice(*spans[3])])):
            continue
        for span in spans[3 : 5 if named else 4]:
            if span[0] >= 0:
                record.hit(
                    _PLACE_KINDS.get(place) or Kind(place), *span, "the field it is named by"
                )


def _rows(record: Record) -> None:
    """Take the values of a row that an error shows."""
    data = record.data
    for spans in _ROW.each(data):
        start, end = spans[1]
        if _OWN_ID.search(record.lower, max(0, start - 16), start) and not _OF_PATIENTS.search(
            record.lower, max(0, start - OF_CHARS_MAX), start
        ):
            continue
        for match in _APART.finditer(data, start, end):
            begin, stop = match.span()
            while data[begin : begin + 1] in {b" ", b"'", b"N"} and begin < stop - 1:
                if data[begin : begin + 1] == b"N" and data[begin + 1 : begin + 2] != b"'":
                    break
                begin += 1
            if _tells(record, data[begin:stop].strip(b" '")):
                record.hit(Kind.NAME, begin, stop, "the value of a row in an error")


_OWN_ID = re.compile(
    rb"\((?:id|pk|uid|uuid|guid|oid|rowid|row_id|seq|version|rev|slug|hash|code|key)\)=\(\Z"
)
_OF_PATIENTS = re.compile(
    rb"patient|person|people|member|guarantor|subscriber|contact|user|staff|provider|customer|client"
)
"""Whose rows a number is of, in the name of the table or of its constraint."""
OF_CHARS_MAX = 160


def _tells(record: Record, value: bytes) -> bool:
    """Whether a value of a row can be somebody's: no small number, word of machines or GUID."""
    if len(value) < 2 or value.startswith(b"0x") or _GUID.match(value):
        return False
    if b"\x01" in value:
        return False
    count = digits(value)
    words = value.lower().translate(LETTERS).split()
    if not words:
        return count >= 5 and b"." not in value
    if value.lower() in record.lexicon.vocabulary["nothing"]:
        return False
    flags = [word_flags(record, word) for word in words]
    return any(not flag & WORD or flag & SURE for flag in flags) or count >= 6


_OF_SOMEBODY = frozenset(["NAME", "SSN", "MRN", "PHONE", "HEALTH_PLAN"])


def _asks_for_somebody(record: Record) -> bool:
    """Whether a statement with parameters names a column that identifies people."""
    data, tells = record.data, record.tells
    if b"= '" not in data and b"='" not in data:
        return bool(_BOUND_DAY.search(data))
    asked = (tells[run].written for run in record.runs if run in tells)
    return any(told is not None and told.kind in _OF_SOMEBODY for told in asked)


_BOUND_DAY = re.compile(rb"as \[DATE\] - \[|setDate\(")
"""A day that is bound without a time is of somebody's birth or visit."""


_COLUMN = Pattern(
    r"(?i)([a-z_][a-z0-9_.\"]{1,60})\"?\)? {0,2}(?:=|<>|~~?\*?|i?like) {0,2}(?:[a-z_]{2,12}\()?\$([0-9]{1,2})"
)
_VALUE = r"\${} ?= ?'([^'\n\x01]{{1,200}})'"
_VALUES = {number: Pattern(_VALUE.format(number)) for number in range(1, 21)}


def _bound(record: Record) -> None:
    """Take the parameters of a statement by the columns they are compared with: `last = $1`."""
    data, keys = record.data, record.lexicon.policy.keys
    done: set[tuple[int, Told]] = set()
    for spans in _COLUMN.each(data):
        told, number = keys.told(data[slice(*spans[1])]), int(data[slice(*spans[2])])
        value = _VALUES.get(number)
        if told is None or value is None or (number, told) in done:
            continue
        done.add((number, told))
        for found in value.each(data):
            take(record, told, *found[1])


def parameters(record: Record) -> None:
    """Take the parameters of a statement about people, and when somebody's visit is."""
    data, keys = record.data, record.lexicon.policy.keys
    if b"$1" in data:
        _bound(record)
    for spans in _PARAMETER.each(data):
        place = next(one for one in spans[1:] if one[0] >= 0)
        value = data[slice(*place)]
        if _ITS_KEY.match(key := data[spans[0][0] : place[0]]) and keys.is_fact(key):
            record.facts.append(place)
        elif _tells(record, value) or (value[:1].isupper() and value.isalpha()):
            record.hit(Kind.NAME, *place, "a parameter of a statement about people")
    if any(word in record.lower for word in (b"appointment", b"appt", b"visit", b"slot")):
        for spans in _SLOT.each(data):
            record.hit(Kind.DATE, *spans[1], "when a visit is")

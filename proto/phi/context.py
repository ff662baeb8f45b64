"""What counts only beside people: numbers that no cue announces, towns, years of birth, addresses.

Every rule here runs after the others and asks first whether the record is about people at all; a
record about machines costs one comparison.
"""

import re
from functools import partial

from proto.phi import beside, places, rows
from proto.phi.archives import is_listed
from proto.phi.lexicon import CONTEXT, CUE, FIRST, NAMEY, SURE, WORD
from proto.phi.pairs import parameters
from proto.phi.people import word_flags
from proto.phi.plans import plan
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

AGE_TOLD_MAX = 89
"""A year of birth that makes somebody older than this goes (45 CFR 164.514(b)(2)(i)(C))."""
YEAR_OF_RECORD = 2025
"""The year of a record that names none."""

SIX_COLONS_MIN, SIX_COLONS_MAX = 4, 7

LISTED_DIGITS_MIN = 5
QUERY_BYTES_MAX = 512
"""How far from a number the rest of its query is looked at."""

_IDS = Pattern(
    r"(?:^|[ (\[,;|:#/\\>\"'~=\t\n])((?:[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9]{3}-[0-9]{3}-[0-9]{3}"
    r"|(?:MR|MRN|PT|[A-Z])[0-9]{6,10}(?:-[0-9])?|[A-Z]{3}[0-9]{9}))(?:$|[ )\],;|\"'<~:\t\n.])"
)
_NO_IDS = re.compile(rb"(?:INC|CHG|REQ|PRB|TSK|TKT|MSG|EXT|LOT|KB)\d")
_CALLED = Pattern(
    r"(?i)(?:^|[ (\[,;|])(?:id|#|no\.?|number|subject|bar ?code|wristband|arm ?band|band|ref|reference|folio|record|authorized|authorised|for|vs|versus|against|keep|kept|delete|deleted|survivor|retired|into|exists as|duplicate of|dupe of|same as|enc|csn|clp|clm|emp|empl)[:# ]{0,2}([A-Z]{0,3}[0-9]{6,12}|[0-9]{2,3}-[0-9]{2,3}-[0-9]{2,3})(?:$|[ )\],;|.^\"'\r\n])"
)
_KEYED = Pattern(
    r"(?i)(?:^|[^a-z])(?:enc|encntr|vis|adm|epi|ord|spec|clm|accn|appt|apt|sched|stmt|stud)(?:_?(?:id|no|num))?[\"']?[=:#]{1,2} ?[\"']?([A-Z]{0,3}[0-9]{6,12})(?:$|[^0-9A-Za-z.:-])"
)
"""The number of a visit, a claim, an order behind the short key that programs have for it."""
_WORN = Pattern(
    r"(?i)\b(?:device|pump|pdm|glucometer|meter|monitor|implant|icd|pacemaker|cpap|cgm|sensor|transmitter|receiver|reader|recorder|processor|stimulator|neurostimulator|programmer|lead|valve|holter|controller|ventilator|concentrator|aids?|s/n|sn|serial|interrogated|paired|loaner)"
    r"(?:[ _]?id| no\.?| number|[ _]?serial| #| s/n:?| sn:?| [LR]| [a-z]{2,10})?(?: |[\"']? ?[:=] ?[\"']?)"
    r"([A-Z]{2,4}-?[0-9]{4,10}(?:-[0-9]{4,8})?[A-Z]?|[0-9]{2}[A-Z][0-9]{7})(?:$|[^A-Za-z0-9-])"
)
_ALSO_WORN = re.compile(
    rb"(?:,|;| /| and)? (?:L|R|left|right|LEFT|RIGHT):? ([A-Z]{2,4}-?[0-9]{4,10}(?:-[0-9]{4,8})?[A-Z]?)(?![A-Za-z0-9-])"
)
"""The other one of a pair, as hearing aids are worn."""
_EXTENSION = Pattern(r"<id\b[^<>]*\bextension=\"([^\"]{3,64})\"")
_RESOURCE = Pattern(
    r"\b(?:Patient|Practitioner|RelatedPerson|Person|Encounter|Coverage|Visit|Appointment|Claim|Referral)(?:/|\(id=)"
    r"([A-Za-z0-9-]{0,40}[0-9][A-Za-z0-9-]{2,40})(?:$|[^A-Za-z0-9-])"
)
_TEN = Pattern(
    r"(?i)(?:<|\b(?:src|dst|from|to|dest|dial|dialed|caller|callerid|clid|cid|tel|rcpt|ani|dnis|cli)[\"']?[=: ]{1,2}[\"'<+]?|\b(?:sip|tel|sips|callto):\+?)"
    r"(1?[2-9][0-9]{2}[2-9][0-9]{6})(?:$|[^0-9A-Za-z.:])"
)
_TRUNK = Pattern(
    r"(?i)\b(?:sip|pjsip|iax2|dahdi|local|trunk)/(?:[a-z0-9_.-]{1,40}/)?(1?[2-9][0-9]{2}[2-9][0-9]{6})(?:[,@/]|[_-][0-9a-z_-]{0,20}\.(?:wav|mp3|gsm|ogg|tiff?|pdf)|\.(?:wav|mp3|gsm|ogg))"
)
_RECORDED = Pattern(
    r"(?i)[/\\_-](1?[2-9][0-9]{2}[2-9][0-9]{6})(?:[_-][0-9a-z_-]{0,20}\.(?:wav|mp3|gsm|ogg|tiff?|pdf)|\.(?:wav|mp3|gsm|ogg))"
)
_CALLER = Pattern(
    r"(?i)[/\\_-]1?[2-9][0-9]{2}[2-9][0-9]{6}[_-]([a-z][a-z'-]{2,24}(?:[_-][a-z][a-z'-]{2,24})?)\.(?:wav|mp3|gsm|ogg)"
)
_CAR = Pattern(
    r"\b([A-Z]{2,3}[ -]?[0-9]{3,4}|[0-9][A-Z]{3}[0-9]{3}|[A-Z]{3}-[0-9]{4})\b[,:]? (?i:(?:a |on )?(?:(?:black|white|gray|grey|silver|red|blue|green|tan|gold|brown|orange|dark|light|old|new) ){0,2}(?:sedan|suv|truck|van|car|coupe|pickup|minivan|jeep|honda|toyota|ford|chevy|nissan|subaru|kia|hyundai|bmw|tesla|mazda|civic|accord|camry|corolla|altima|prius|rav4|outback|forester|elantra|sonata|jetta|passat|silverado|tahoe|wrangler|odyssey|sienna|highlander|equinox|malibu|impala|focus|fusion|mustang|charger|durango|sentra|rogue|tacoma|tundra))\b"
)
_GS1 = Pattern(
    r"(\(01\)[0-9]{14}(?:\((?:10|11|17|21|240)\)[0-9A-Za-z./-]{1,20}){1,4})(?:$|[^0-9A-Za-z])"
)
"""A unique device identifier in the form people read (21 CFR 830, GS1)."""
_SYSTEM = Pattern(
    r"(?i)/(?:mrn|ssn|mpi|patient-?ids?|chart|medrec|account)\|([A-Za-z0-9-]{4,24})(?:$|[^A-Za-z0-9-])"
)
_DAY_OF_NAME = Pattern(r"[A-Za-z\x01]_((?:19|20)[0-9]{6})(?:$|[^0-9])")
_MERGED = Pattern(
    r"(?i)\b(?:mwl|acquired|expected|got|actual|scanned|keep|kept|drop|dropped|survivor|surviving|retired?|retiring|merged?|merging|into|from|with|source|target|master|duplicate|dup|winner|loser|old|new|and|candidates?|src|dst|dest|losing|winning)[\"']?[ :=#\[]{1,2}[\"']?(?:of |chart |mrn |pt |#)?([A-Z]{0,2}[0-9]{6,12})\b"
)
_TAKEN_BY = Pattern(
    r"(?:: |\b(?:id|no|number|mrn|chart) )([A-Z]{0,3}[0-9]{6,10}) (?:already|belongs)\b"
)
_BORN = Pattern(
    r"(?i)\b(?:born(?: in)?|b\.|yob|birth year|year of birth|birthyear)[\"': =]{1,4}((?:18|19)[0-9]{2})\b"
)
_YEAR_ASKED = Pattern(
    r"(?i)[?&;](?:y|yr|year|by|byr|birthyr|dob_?y|dob_?year)=((?:18|19)[0-9]{2})(?:$|[^0-9])"
)
_YEAR = re.compile(rb"(?<!\d)20\d{2}(?!\d{5})")
_SIX = Pattern(r"(?i)(?:^|[^0-9a-z:])(2[0-9a-f]{3}(?::[0-9a-f]{0,4}){3,7})(?:$|[^0-9a-z:])")
_UID = Pattern(r"\b[12](?:\.[0-9]{1,39}){6,16}\b")
_UID_SAID = re.compile(rb"(?:study|series|instance|uid|sop)[^,;\n]{0,16}$")
_STANDARD_UID = b"1.2.840.10008"


def read(record: Record) -> None:
    """Find what a record about people holds besides what is announced."""
    shapes = record.shapes
    if record.found and record.data.count(b":") >= SIX_COLONS_MIN:
        _six(record)
    if not _ANYWHERE.isdisjoint(shapes):
        _everywhere(record)
    if record.person:
        for reader in _BESIDE_PEOPLE(shapes):
            reader(record)


_ANYWHERE = frozenset({"trunk", "car", "sql", "day", "labelled", "in_brackets"})


def _everywhere(record: Record) -> None:
    """Find what tells by what stands beside it, people about or not."""
    shapes, data = record.shapes, record.data
    if "trunk" in shapes:
        _calls(record)
    for spans in _CAR.each(data) if "car" in shapes else ():
        record.hit(Kind.VEHICLE, *spans[1], "a plate beside a car")
    if "worn" in shapes and not record.person:
        _worn(record)
    if "sql" in shapes:
        _of_statements(record)
    if "day" in shapes:
        _dated(record)
    if "labelled" in shapes:
        _days_of_names(record)
    if "in_brackets" in shapes:
        _numbered_names(record)


_ON_SOMEBODY = re.compile(
    rb"(?i)(?:pdm|pump|pacemaker|icd|cpap|cgm|stimulator|implant|aids?|glucometer|holter|transmitter|ventilator|concentrator)\b"
)


def _worn(record: Record) -> None:
    """Take the number of what people wear, whoever is spoken of."""
    for spans in _WORN.each(record.data):
        if _ON_SOMEBODY.search(record.data, spans[0][0], spans[1][0]) is not None:
            record.hit(Kind.DEVICE, *spans[1], "the number of what somebody wears")


def _calls(record: Record) -> None:
    for pattern in (_TRUNK, _RECORDED):
        for spans in pattern.each(record.data):
            record.hit(Kind.PHONE, *spans[1], "the number of a call")
    for spans in _CALLER.each(record.data):
        record.hit(Kind.NAME, *spans[1], "who is recorded, behind the number")


_NUMBERED_NAME = Pattern(
    r"\b([A-Z][a-z'-]{2,24} (?:[A-Z]\.|[A-Z][a-z'-]{1,23}[a-z])|[A-Z][A-Za-z'-]{1,24}, [A-Z][A-Za-z'-]{1,23}[A-Za-z]),? [(\[](?:#|(?i:mrn|id|pt|chart|pid)[:# ]{1,2})?([A-Z]{0,3}[0-9]{6,12}|[0-9]{3}-[0-9]{3}-[0-9]{3})[)\]]"
)


def _numbered_names(record: Record) -> None:
    """Take two words that a number in brackets follows: `Bayarmaa A. (92470144)`."""
    for spans in _NUMBERED_NAME.each(record.data):
        start, end = spans[1]
        words = [word for word in record.data[start:end].split() if word[1:2] != b"."]
        listed = words[0].endswith(b",")
        flags = [word_flags(record, word.rstrip(b",")) for word in words]
        named = flags[0] & FIRST and flags[0] & SURE and not flags[0] & WORD
        strange = not any(flag & (CUE | CONTEXT | WORD) and not flag & SURE for flag in flags)
        listed = listed and not all(flag & WORD for flag in flags)
        if named or strange or (listed and not any(flag & CONTEXT for flag in flags)):
            record.hit(Kind.NAME, start, end, "two words with a number behind")
            record.hit(Kind.MRN, *spans[2], "a number behind two words")


_ADDRESS = Kind.ADDRESS
_ALSO_ID = re.compile(rb", ?([A-Z]{0,2}[0-9]{6,10})(?=[\],; )]|$)")
_LONG = re.compile(rb" [0-9]{6}")


_FORMS_OF_NUMBERS = (
    ("ids", _IDS, Kind.MRN, "written like a record's number, beside people"),
    ("keyed_short", _KEYED, Kind.OTHER_ID, "a number under a clinic's short key, beside people"),
    ("called", _CALLED, Kind.MRN, "a number called so, beside people"),
    ("worn", _WORN, Kind.DEVICE, "a device's number, beside people"),
    ("resource", _RESOURCE, Kind.MRN, "the id of a person's resource"),
    ("gs1", _GS1, Kind.DEVICE, "a device's identifier with its production's, beside people"),
    ("system", _SYSTEM, Kind.MRN, "an identifier behind the system that gave it"),
    ("ten", _TEN, Kind.PHONE, "ten digits of a call, beside people"),
)


_OF_PAYMENT = re.compile(
    rb"(?:amount|approved|declined|terminal)[^\n]*[^a-z]ref(?:erence)?[:# ]{1,2}\Z"
)
"""A payment's own reference: a number of the terminal's, not of whoever paid."""
_OF_MESSAGE = re.compile(
    rb"(?:^|[^a-z])(?:(?:node|host|server|relay|gateway|mta|score|verdict|spool|srv|policy)[ =:]{1,2}[^ ]{1,40},?|message|msg|queue|mail|spool|transaction|trace|job) (?:id|ref|no\.?|#)[:# ]{0,2}\Z"
)
"""A number that a server gave what passed through it, whoever wrote it."""
_OF_TICKET = re.compile(
    rb"\]?(?: [|/-] |: | )\[?(?i:new|open|opened|closed|pending|resolved|assigned|escalated|in progress|on hold|reopened|waiting|p[1-5]|prio[a-z]*|sev[a-z]*-?[1-5]?|ticket|low|medium|high|urgent|critical)(?![A-Za-z])"
)
"""What follows the number of a ticket that a line begins with."""
_ALSO = {_IDS: _ALSO_ID, _WORN: _ALSO_WORN}
"""What goes on behind a number of some forms."""


def _numbers(record: Record, *, pattern: Pattern, kind: Kind, why: str) -> None:
    for start, end in pattern.values(record.data):
        if record.covered(start, end) or _NO_IDS.match(record.data, start):
            continue
        if pattern is _CALLED and (
            _OF_PAYMENT.search(record.lower, max(0, start - 60), start)
            or _OF_MESSAGE.search(record.lower, max(0, start - 60), start)
            or (_OF_TICKET.match(record.data, end) and not record.data[: start - 1].strip(b" ["))
        ):
            continue
        record.hit(kind, start, end, why)
        if kind is Kind.MRN and record.data[start - 1 : start] in beside.MARKS_NUMBER:
            beside.initialled(record, start)
        also = _ALSO.get(pattern)
        more = None if also is None else also.match(record.data, end)
        if more is not None:
            record.hit(kind, *more.span(1), why)


def _extensions(record: Record) -> None:
    if b"extension=" in record.data:
        for spans in _EXTENSION.each(record.data):
            record.hit(Kind.MRN, *spans[1], "the extension of an id (HL7 V3)")


_ASKED = Pattern(
    r"(?i)(?:^|[?&; ])(?:(?:set|get|sel|edit|view|show|open|cur)_?)?(?:pid|id|pt|pat|no|num|ref|key|uid|acct|rec|number|p|cid|oid|person|chartid|room|visit|v)=([A-Z]{0,3}[0-9]{5,12}|[0-9]{2,3}-[0-9]{2,3}-[0-9]{2,3})(?:[&; \"']|$)"
)


def _asked(record: Record) -> None:
    """Take the number of a query that asks for somebody by name, too: `?pid=4411223&ln=…`."""
    for spans in _ASKED.each(record.data):
        start, end = spans[1]
        if _asks_for_somebody(record, start, end):
            record.hit(Kind.MRN, start, end, "the number of a query that names somebody")


def _asks_for_somebody(record: Record, start: int, end: int) -> bool:
    """Whether the query around a value holds something of somebody."""
    data = record.data
    least, most = max(0, start - QUERY_BYTES_MAX), min(len(data), end + QUERY_BYTES_MAX)
    first = max(least - 1, data.rfind(b" ", least, start), data.rfind(b"?", least, start)) + 1
    stop = data.find(b" ", end, most)
    stop = most if stop < 0 else stop
    return data.find(b"&", first, stop) >= 0 and record.covered(first, stop)


_MEASURED = re.compile(
    rb"(?:^|[^a-z])(?:length|size|bytes?|checksum|crc(?:32)?|offset|pixels?|width|height|seq(?:uence)?|version|content-length|counts?|rows|sum)(?![a-z])"
)
"""What else is expected and not met: `pixel data length mismatch expected 930204`."""


def _merged(record: Record) -> None:
    """Take the numbers of charts that were put together: `kept 4411223, dropped 5511224`."""
    for spans in _TAKEN_BY.each(record.data):
        record.hit(Kind.MRN, *spans[1], "a number that is somebody's already")
    for spans in _MERGED.each(record.data):
        start, end = spans[1]
        measured = _MEASURED.search(record.lower, max(0, start - 48), start)
        if not record.covered(start, end) and record.data[end : end + 1] != b":" and not measured:
            record.hit(Kind.MRN, *spans[1], "a chart that was put together with another")


_LISTED = Pattern(
    r"(?:[\"'][^\"'\n]*[\"'] ?, ?){2,}(?:[\"'][^\"'\n]*[\"']|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})"
)
_ELEMENT = re.compile(rb"[\"']([^\"'\n]{0,80})[\"']")
_TOWN = re.compile(rb"[A-Z][A-Za-z'.-]{1,24}(?: [A-Z][A-Za-z'.-]{1,24}){0,3}\Z")
_WRITTEN_NAME = re.compile(rb"[A-Z][A-Za-z'-]{1,40}(?:[ ,]{1,2}[A-Z][A-Za-z'-]{1,40})?\Z")


def _in_lists(record: Record) -> None:
    """Take the rest of a row of which something is known: `"Case","Keanu","1985-08-11"`."""
    data = record.data
    if b"'," not in data and b'",' not in data:
        return
    homes = {end for _, end, kind, _ in record.found if kind is _ADDRESS}
    for spans in _LISTED.each(data):
        elements = [match.span(1) for match in _ELEMENT.finditer(data, *spans[0])]
        if not any(record.covered(start, end) for start, end in elements if end > start):
            continue
        for number, (start, end) in enumerate(elements):
            value = data[start:end]
            beside = elements[number - 1][1] in homes
            if end - start < 2 or (record.covered(start, end) and not beside):
                continue
            if beside and _TOWN.match(value):
                record.hit(Kind.CITY, start, end, "a town behind a street in a row")
            elif value.isdigit() and len(value) >= LISTED_DIGITS_MIN:
                record.hit(Kind.MRN, start, end, "a number in a row about somebody")
            elif _WRITTEN_NAME.match(value) and value.lower() not in _nothing(record):
                record.hit(Kind.NAME, start, end, "a name in a row about somebody")


_TWO_WORDS = re.compile(rb"[A-Z][A-Za-z'-]{1,40},? [A-Z][A-Za-z'-]{1,40}\Z")


def _of_statements(record: Record) -> None:
    for spans in _LISTED.each(record.data):
        elements = [match.span(1) for match in _ELEMENT.finditer(record.data, *spans[0])]
        _of_a_statement(record, elements)


_DATED = Pattern(
    r"([A-Z][A-Za-z'-]{2,40},? [A-Z][A-Za-z'-]{1,40})(?:, ?| \(| - | / |\|| b\. ?| DOB:? ?)([0-9]{1,2}/[0-9]{1,2}/(?:[0-9]{4}|[0-9]{2}))(?:[),;|\"' .]|$)"
)


def _dated(record: Record) -> None:
    """Take two words that a day written by people follows: `(Katalin Strong, 01/02/2019)`."""
    for spans in _DATED.each(record.data):
        start, end = spans[1]
        flags = [word_flags(record, word.strip(b",")) for word in record.data[start:end].split()]
        if record.covered(start, end) or any(flag & (CUE | CONTEXT) for flag in flags):
            continue
        if not all(flag & WORD for flag in flags):
            record.hit(Kind.NAME, start, end, "two words with a day behind")
            record.hit(Kind.DATE, *spans[2], "a day behind two words")


def _of_a_statement(record: Record, elements: list[tuple[int, int]]) -> None:
    """Take a full name among the values of a statement that names no columns."""
    for start, end in elements:
        value = record.data[start:end]
        if _TWO_WORDS.match(value) and not record.covered(start, end):
            flags = [word_flags(record, word.strip(b",")) for word in value.split()]
            listed = b"," in value and not all(flags)  # 'Lake, Nursultan'
            if listed or any(flag & NAMEY and not flag & WORD for flag in flags) or not any(flags):
                record.hit(Kind.NAME, start, end, "a name among a statement's values")


def _nothing(record: Record) -> frozenset[bytes]:
    return record.lexicon.vocabulary["nothing"]


_OF_QUERY = Pattern(
    r"(?i)\b(?:where|and|or|on) (?:[a-z_]{1,30}\.)?(?:pid|pat|patid|ptid|pt)[ ]?=[ ]?'?([0-9]{5,12})\b"
)
_LAST_FOUR = Pattern(
    r"(?i)\blast[ _-]?(?:4|four)(?: digits?)?(?: of (?:ssn|social|ss))?[\"']?(?: is|:|=|#)? ?[\"']?([0-9]{4})\b"
)


def _numbers_said(record: Record) -> None:
    """Take the number of a statement about somebody, and the last four of somebody's."""
    if "query" in record.shapes:
        for spans in _OF_QUERY.each(record.data):
            record.hit(Kind.MRN, *spans[1], "the number of a statement about somebody")
    if "four" in record.shapes:
        for spans in _LAST_FOUR.each(record.data):
            record.hit(Kind.SSN, *spans[1], "the last four of somebody's number")


_BEHIND = re.compile(rb" ([0-9]{6,12})(?:(?![0-9A-Za-z.:/-])|(?=\.[A-Za-z]{2,5}(?![A-Za-z0-9])))")


def _behind(record: Record) -> None:
    """Take a long number right behind a name or a day: `MOOR,ANN 08/24/1976 2855741038`."""
    if not record.found or _LONG.search(record.data) is None:
        return
    for start, end, kind, _ in list(record.found):
        del start
        match = _BEHIND.match(record.data, end) if kind in {Kind.NAME, Kind.DATE} else None
        if match is not None and not record.covered(*match.span(1)):
            record.hit(Kind.MRN, *match.span(1), "a number behind a name or a day")


_AGED = Pattern(
    r"(?:^|[ (,;:])(9[0-9]|1[01][0-9])(?:[MF]|(?: ?y\.?[/ ]?o\.?)? (?:female|male|woman|man|lady|gentleman))(?:[ ,;).]|$)"
)
_WARM = re.compile(rb"(?:^|[^a-z])(?:temp|fever|tmax|t)[a-z]{0,8}[ =:]{0,3}(?:of |was |is )?\Z")


def _aged(record: Record) -> None:
    for spans in _AGED.each(record.data):
        start, end = spans[1]
        if _WARM.search(record.lower, max(0, start - 20), start) is None:
            record.hit(Kind.AGE90, start, end, "an age over 89 with the sex behind")


def _born(record: Record) -> None:
    born = [spans[1] for spans in _BORN.each(record.data)]
    born += [
        spans[1] for spans in _YEAR_ASKED.each(record.data) if _asks_for_somebody(record, *spans[1])
    ]
    if not born:
        return
    year = max(map(int, _YEAR.findall(record.data)), default=YEAR_OF_RECORD)
    for start, end in born:
        if year - int(record.data[start:end]) > AGE_TOLD_MAX:
            record.hit(Kind.AGE90, start, end, "a year of birth that shows an age over 89")


_MONTH_DAY = Pattern(
    r"(?:^|[ (,\"'>])((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|January|February|March|April|June|July|August|September|October|November|December|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\.? (?:[0-3]?[0-9])(?:st|nd|rd|th)?)(?:$|[ .,;:)\"'<?!-])"
)


def _days_of_names(record: Record) -> None:
    """Take a day behind a name in the name of a file or a disk: `MOOR_20240102`."""
    for spans in _DAY_OF_NAME.each(record.data):
        at = spans[0][0]
        if record.data[at] == 1 or record.covered(at, at + 1):
            record.hit(Kind.DATE, *spans[1], "a day behind a name")


_LOGGED = re.compile(rb" ? ?\d{1,2}:\d{2}:\d{2}|:\d|\.\d| \d{4}")


def _month_days(record: Record) -> None:
    """Take a month and a day without a year: `see her on April 7`; a log's own stamp stays."""
    for spans in _MONTH_DAY.each(record.data):
        start, end = spans[1]
        if (
            start
            and record.found
            and not _LOGGED.match(record.data, end)
            and not record.covered(start, end)
            and not is_listed(record, start)
        ):
            record.hit(Kind.DATE, start, end, "a day in a record about people")


def _uids(record: Record) -> None:
    if b"uid" not in record.lower and b"study" not in record.lower:
        return
    for spans in _UID.each(record.data):
        start, end = spans[0]
        said = _UID_SAID.search(record.lower, max(0, start - 30), start)
        if said and not record.data.startswith(_STANDARD_UID, start):
            record.hit(Kind.OTHER_ID, start, end, "a study's identifier, beside people")


def _six(record: Record) -> None:
    for start, end in _SIX.values(record.data):
        value = record.data[start:end]
        if b"::" in value or value.count(b":") == SIX_COLONS_MAX:
            record.hit(Kind.IP, start, end, "a public address in a record about people")


_BESIDE_PEOPLE = plan(
    (
        *(
            (partial(_numbers, pattern=pattern, kind=kind, why=why), frozenset({form}))
            for form, pattern, kind, why in _FORMS_OF_NUMBERS
        ),
        (_extensions, frozenset()),
        (parameters, frozenset({"apart"})),
        (_asked, frozenset({"query"})),
        (_numbers_said, frozenset({"query", "four"})),
        (_merged, frozenset({"merged"})),
        (_behind, frozenset()),
        (_in_lists, frozenset()),
        (rows.read, frozenset()),
        (_born, frozenset({"born"})),
        (_aged, frozenset({"aged_sex"})),
        (_month_days, frozenset({"month"})),
        (places.near_people, frozenset()),
        (places.streets, frozenset()),
        (_uids, frozenset()),
    )
)
"""In the order of work, each with the forms that call for it; none are called for always."""
GATED = (
    *((form, (pattern,)) for form, pattern, *_ in _FORMS_OF_NUMBERS),
    ("trunk", (_TRUNK, _RECORDED, _CALLER)),
    ("car", (_CAR,)),
    ("query", (_ASKED, _OF_QUERY)),
    ("four", (_LAST_FOUR,)),
    ("labelled", (_DAY_OF_NAME,)),
    ("in_brackets", (_NUMBERED_NAME,)),
    ("born", (_BORN, _YEAR_ASKED)),
    ("aged_sex", (_AGED,)),
    ("month", (_MONTH_DAY,)),
    ("day", (_DATED,)),
)
"""Each gate with the patterns that are tried only when it is lit."""

"""Names and days that what people do with them tells: who was told, seen, entered or sent.

`told Ingrid the new`, `collected by D.P.`, `"Star T. Choi`, `Key: 7226751|KUOSKI|CAOIMHE`, `CSID
'Prince Family Care'`, `datetime.date(1931, 4, 17)`: no key stands before them. Each rule has its own
gate.
"""

from collections.abc import Callable

from proto.phi.lexicon import ALSO, CONTEXT, CUE, FIRST, NAMEY, SURE, WORD
from proto.phi.people import ends_a_name, word_flags
from proto.phi.plans import plan
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

BIRTH_YEAR_MAX = 1999

_TOLD = Pattern(
    r"(?:^|[^A-Za-z0-9_])(?i:told|texted|asked|e-?mailed|paged|phoned|contacted|notified|reminded|informed|helped|spoke (?:with|to)|talked (?:with|to)|talking to|met with|left (?:a )?(?:message|voicemail|vm) (?:for|with)|voicemail from|reminder (?:to|for)|removed?|add|added|invited?|enroll(?:ed)?|register(?:ed)?|discharged?|admit(?:ted)?|refer(?:red)?|book(?:ed)?|reschedul(?:e|ed)) "
    r"([A-Z][A-Za-z'-]{1,30})( [A-Z][A-Za-z'-]{1,30})?(?:$|[^A-Za-z0-9_\\/=@-])"
)
_INITIALS = Pattern(
    r"\b(?i:by|tech|initials?|init|initialled|initialed|patient|pt|rn|ma|per|cc|from) ([A-Z]\. ?[A-Z]\.?)(?:$|[^A-Za-z0-9])"
)
_MIDDLE = Pattern(
    r"(?:^|[^A-Za-z0-9_.\\/@-])([A-Z][A-Za-z'-]{1,30} [A-Z]\. [A-Z][A-Za-z'-]{1,30})(?:$|[^A-Za-z0-9_\\@])"
)
_TITLED_BEHIND = Pattern(
    r"(?:^|[^A-Za-z0-9.])((?:[A-Z]\. ){1,2}[A-Z][A-Za-z'-]{1,30}),? (?:MD|DO|DDS|DMD|DPM|OD|NP|PA|PA-C|RN|RDH|PhD|PharmD)(?:$|[^A-Za-z0-9])"
)
_PIPED = Pattern(
    r"(?:^|[^A-Za-z0-9_.-])([A-Z]{0,3}[0-9]{6,10}|[0-9]{3}-[0-9]{3}-[0-9]{3}|[0-9]{2}-[0-9]{2}-[0-9]{2}|[A-Z][0-9]{6,10}-[0-9])[|;~^]([A-Z][A-Za-z'-]{1,30})[|;~^]([A-Z][A-Za-z'-]{1,30})(?:$|[^A-Za-z0-9_.-])"
)
_CALLED_DAY = Pattern(
    r"(?i)(?:date|datetime|localdate\.of|datetime\.of|timestamp|date\.utc|make_date|datefromparts)\(((?:18|19|20)[0-9]{2}, ?[0-9]{1,2}, ?[0-9]{1,2})(?:, ?[0-9]{1,6}){0,4}(?:, ?[a-z_.=]{3,40})?\)"
)
"""A day as a call makes it: `datetime.date(1931, 4, 17)`, `LocalDate.of(1931, 4, 17)`."""
_KINDS_OF_CARE = (
    "family (?:med|medicine|medical|care|practice|health|dental|dentistry|physicians)|pediatrics|peds|orthopedics|ortho"
    "|dermatology|derm|dental|dentistry|orthodontics|oral surgery|endodontics|periodontics|internal medicine|medical(?: group| center| clinic| associates)?"
    "|clinic|cardiology|urology|neurology|ob-?gyn|women's health|eye care|eye center|vision|optometry|podiatry|chiropractic"
    "|physical therapy|rheumatology|gastroenterology|surgery|pharmacy|law|law firm|law office|llp|& (?:sons|associates)|and associates"
)
_PRACTICE = Pattern(
    r"(?:[\"'(:=>] ?|(?i:from|to|csid|tsid|for|at|of) )((?:[A-Z][A-Za-z'-]{1,30}(?:-| ?& ?| and | )){0,2}[A-Z][A-Za-z'-]{1,30}) "
    rf"(?i:{_KINDS_OF_CARE})(?:$|[^A-Za-z0-9_])"
)
_GREETED = Pattern(
    r"(?:[\"':>] ?|, )([A-Z][A-Za-z'-]{2,30})(?:[,!]| -) (?i:view|see|pay|reply|your|please|this|we|we're|you|confirm|thanks?|thank|don't|it's|time|our|click|tap|call|text|just|remember)\b"
)
"""Who is written to: `"Body": "Ann, reply C to confirm`."""
_ROLE = Pattern(
    r"(?i:\b(?:contact|customer|client|recipient|callee|party|attendee|invitee|payer|visitor|renter|name|person|driver|who|callerid)) ?[\"']([A-Z][A-Za-z'-]{1,30},? [A-Z][A-Za-z'-]{1,30})[\"']"
)
_PARSED = Pattern(
    r"(?i)\b(?:pars\w{0,8}|literal|input|value|string|key|entry|convert\w{0,6}|number|id)\b[^\"'\n]{0,40}[\"']([A-Z]{0,3}[0-9]{6,12}|[0-9]{3}-[0-9]{3}-[0-9]{3}|[0-9]{2}-[0-9]{2}-[0-9]{2})[\"']"
)


def _named(record: Record, flags: int) -> bool:
    """Whether a word can be a first name here: it surely is one, or may be where people are."""
    if flags & FIRST and flags & SURE and not flags & WORD:
        return True
    return record.person and bool(flags & (FIRST | ALSO)) and not flags & (CUE | CONTEXT)


def _told(record: Record) -> None:
    """Take whom somebody told, texted or met."""
    for spans in _TOLD.each(record.data):
        start, end = spans[1]
        if record.lower[start:end] in record.lexicon.vocabulary["accounts"]:
            continue
        if record.covered(start, end) or not _named(
            record, word_flags(record, _at(record, spans[1]))
        ):
            continue
        more = spans[2]
        if more[0] >= 0 and _could_be_last(record, (more[0] + 1, more[1])):
            end = more[1]
        record.hit(Kind.NAME, start, end, "somebody who was told")


def _at(record: Record, span: tuple[int, int]) -> bytes:
    return record.data[slice(*span)]


def _could_be_last(record: Record, span: tuple[int, int]) -> bool:
    """Whether a capitalised word behind a first name is a last name too."""
    word = _at(record, span)
    flags = word_flags(record, word)
    if flags & CONTEXT or not ends_a_name(record.data[span[1] : span[1] + 3]):
        return False
    return not flags & WORD or record.lexicon.names.weights(word.lower().decode())[1] > 0


def _initials(record: Record) -> None:
    for spans in _INITIALS.each(record.data) if record.person else ():
        record.hit(Kind.NAME, *spans[1], "the initials of who did it")


def _middles(record: Record) -> None:
    """Take a first and a last name with an initial between: `Star T. Choi`."""
    for spans in _MIDDLE.each(record.data):
        start, end = spans[1]
        words = _at(record, spans[1]).split()
        flags = [word_flags(record, word) for word in words[::2]]
        if any(flag & CONTEXT for flag in flags) or (flags[0] & CUE and not flags[0] & SURE):
            continue
        first, last = (
            record.lexicon.names.weights(word.translate(None, b"'-").lower().decode())
            for word in words[::2]
        )
        if (
            record.person
            or not flags[0] & flags[1] & WORD
            or (flags[0] & (ALSO | FIRST) and first[0] and last[1])
        ):
            record.hit(Kind.NAME, start, end, "a name with an initial in the middle")


def _titled_behind(record: Record) -> None:
    """Take an initial and a last name that what somebody is follows: `A. Washington MD`."""
    for spans in _TITLED_BEHIND.each(record.data):
        record.hit(Kind.NAME, *spans[1], "a name before what somebody is")


def _piped(record: Record) -> None:
    """Take a row of a number, a last and a first name: `7226751860|KUOSKI|CAOIMHE`."""
    for spans in _PIPED.each(record.data):
        flags = [word_flags(record, _at(record, span)) for span in spans[2:4]]
        sure = any(flag & NAMEY and flag & SURE and not flag & WORD for flag in flags)
        if not sure or any(
            flag & CONTEXT or (flag & WORD and not flag & (NAMEY | ALSO)) for flag in flags
        ):
            continue
        record.hit(Kind.MRN, *spans[1], "a number before names in a row")
        record.hit(Kind.NAME, *spans[2], "a name behind a number in a row")
        record.hit(Kind.NAME, *spans[3], "a name behind a number in a row")


def _called_days(record: Record) -> None:
    for spans in _CALLED_DAY.each(record.data):
        if record.person or int(record.data[spans[1][0] : spans[1][0] + 4]) <= BIRTH_YEAR_MAX:
            record.hit(Kind.DATE, *spans[1], "a day that a call makes")


def _practices(record: Record) -> None:
    """Take who a practice is named after: `CSID 'Prince Family Care'`."""
    weights = record.lexicon.names.weights
    for spans in _PRACTICE.each(record.data) if record.person else ():
        start, end = spans[1]
        words = [
            word for word in _at(record, spans[1]).replace(b"-", b" ").split() if len(word) > 2
        ]
        flags = [word_flags(record, word) for word in words]
        known = any(weights(word.lower().decode("ascii", "ignore"))[1] > 0 for word in words)
        if (
            words
            and not any(flag & (CUE | CONTEXT) for flag in flags)
            and (known or not any(flag & WORD for flag in flags))
        ):
            record.hit(Kind.NAME, start, end, "who a practice is named after")


def _greeted(record: Record) -> None:
    """Take who a message speaks to, by the first name alone."""
    for spans in _GREETED.each(record.data):
        flags = word_flags(record, _at(record, spans[1]))
        if not record.covered(*spans[1]) and (
            _named(record, flags) or (record.person and not flags)
        ):
            record.hit(Kind.NAME, *spans[1], "who a message speaks to")


def _roles(record: Record) -> None:
    """Take two words in quotes behind what somebody is: `contact "Zamur Link"`."""
    weights = record.lexicon.names.weights
    for spans in _ROLE.each(record.data):
        words = _at(record, spans[1]).replace(b",", b" ").split()
        flags = [word_flags(record, word) for word in words]
        known = [any(weights(word.lower().decode())[:2]) for word in words]
        if any(flag & CONTEXT for flag in flags) or record.covered(*spans[1]):
            continue
        strange = [not flag for flag in flags]
        sure = any(flag & NAMEY and not flag & WORD for flag in flags)
        if sure or (
            any(strange) and all(one or two for one, two in zip(strange, known, strict=True))
        ):
            record.hit(Kind.NAME, *spans[1], "two words in quotes behind what somebody is")


def _parsed(record: Record) -> None:
    for spans in _PARSED.each(record.data) if record.person else ():
        if not record.covered(*spans[1]):
            record.hit(Kind.MRN, *spans[1], "a number that was read, beside people")


_READERS: tuple[tuple[str, Callable[[Record], None]], ...] = (
    ("called_day", _called_days),
    ("piped", _piped),
    ("middle", _middles),
    ("titled_behind", _titled_behind),
    ("told", _told),
    ("practice", _practices),
    ("initials", _initials),
    ("greeted", _greeted),
    ("role", _roles),
    ("parsed", _parsed),
)
_PLAN = plan((look, frozenset({gate})) for gate, look in _READERS)
GATES = frozenset(gate for gate, _ in _READERS)
"""The forms that call for these."""
GATED = (
    ("called_day", (_CALLED_DAY,)),
    ("piped", (_PIPED,)),
    ("middle", (_MIDDLE,)),
    ("titled_behind", (_TITLED_BEHIND,)),
    ("told", (_TOLD,)),
    ("practice", (_PRACTICE,)),
    ("initials", (_INITIALS,)),
    ("greeted", (_GREETED,)),
    ("role", (_ROLE,)),
    ("parsed", (_PARSED,)),
)
"""Each gate with the patterns that are tried only when it is lit."""


def read(record: Record) -> None:
    """Find what company tells, each kind behind its gate."""
    for look in _PLAN(record.shapes):
        look(record)

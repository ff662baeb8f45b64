"""Values whose surroundings alone tell them: masked numbers, cars, templates, days beside names.

Each rule has its own gate; none needs a key, for the line has none: `(***-**-7510)`, `OBD dongle
W72…`, `CLOSE MATTEO F 03/11/2012`, `for Ann/Lee/1974-12-02/42256`.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from proto.phi.checks import luhn
from proto.phi.forms import SCANS
from proto.phi.lexicon import ALSO, CONTEXT, CUE, FIRST, NAMEY, SURE, WORD
from proto.phi.people import machine_camel, word_flags
from proto.phi.record import Record, digits
from proto.phi.scan import SETS_MAX, Pattern
from proto.phi.values import Kind

TEMPLATE_CHARS_MIN = 80
DIGESTS = frozenset({96, 128})
"""Hexadecimal digits of SHA-384 and SHA-512; those of shorter digests are no template's."""

_DAY = r"[0-9]{1,2}[/-][0-9]{1,2}[/-](?:[0-9]{4}|[0-9]{2})|[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MASKED = Pattern(
    r"(?:(?:\*{3}|[xX#]{3})[- ](?:\*{2}|[xX#]{2})[- ]|(?i:\b(?:ssn|social)\b[^\n]{0,40}?(?:\*{3,9}|x{3,9}|#{3,9})[- ]?))([0-9]{4})(?:$|[^0-9])"
)
_ENDS_IN = Pattern(
    r"(?i)\b(?:ssn|social)\b[^\n0-9]{0,30}?\b(?:ending|ends)(?: in| with)?[ :]{1,2}[*x.]{0,12}([0-9]{4})(?:$|[^0-9])"
)
_MASKED_JOINED = Pattern(
    r"(?:(?:\*{3}|[xX]{3})[- ]?(?:\*{2}|[xX]{2})[- ]?|#{3}-?#{2}-?)([0-9]{4})(?:$|[^0-9])"
)
"""What is masked as a number of social security is; machines pad ports and build numbers so too."""
_NUMBERED = re.compile(
    rb"(?:^|[^a-z])(?:ssn?|soc|social|tax(?:payer)?|itin|last (?:four|4|digits))(?:$|[^a-z])"
)
_ENDING = Pattern(
    r"(?i)\b(?:card|visa|mastercard|amex|discover|account|acct|debit|checking|savings|pan|cc)\b[^\n]{0,40}?(?:\b(?:ending|ends)(?: in| with)?[ :]{1,2}[*x.]{0,12}|\*{2,12}[ -]?|x{4,12}[ -]?)([0-9]{4})(?:$|[^0-9])"
)
_PAN = Pattern(r"(?:^|[^0-9A-Za-z.])([3-6][0-9]{14,15})(?:$|[^0-9A-Za-z.])")
_PAYS = re.compile(rb"card|visa|amex|payment|tender|stripe|merchant|(?:^|[^a-z])pan(?:$|[^a-z])")
_WORDS = r"[A-Z][A-Za-z'-]{1,30}"
_SEXED = Pattern(rf"\b({_WORDS},? {_WORDS}(?: [A-Z]\.?)?),? [(]?[MFUmf][)]?,? ({_DAY})(?:$|[^0-9])")
_LAST_FIRST = Pattern(
    rf"\b({_WORDS}, ?{_WORDS}(?: [A-Z]\.?)?)[ _]{{1,2}}\(?(?:DOB:? ?)?({_DAY})(?:$|[^0-9])"
)
_SLASHES = Pattern(rf"\b({_WORDS})/({_WORDS})[/ ]({_DAY}|[0-9]{{8}})(?:/([0-9]{{5}}))?(?:$|[^0-9])")
_QUOTED_DAY = Pattern(
    rf"[\"']({_WORDS})[\"'], ?[\"']({_WORDS})[\"'], ?[\"']({_DAY}|(?:19|20)[0-9]{{6}})[\"']"
)
_JOINED = Pattern(rf"\b({_WORDS}_{_WORDS})_([0-9]{{6,10}})(?:$|[^0-9A-Za-z])")
_COLON = Pattern(
    r"(?i)(?:^|[^a-z0-9_])(?:pt|patient|chart|mrn)[:#-]([0-9]{6,10})(?:$|[^0-9A-Za-z.])"
)
_SAID_OF = Pattern(
    rf"\b({_WORDS},? {_WORDS}(?: [A-Z]\.?)?),? [(\[]?(?:(?i:dob|d\.o\.b|born|mrn|ssn|chart)\b|b\. ?[0-9])"
)
_DOCUMENT = Pattern(
    rf"(?:^|[\"'\\/ ]|_)({_WORDS},? {_WORDS}|{_WORDS}_{_WORDS})(?: - | |_)([A-Za-z0-9#_. -]{{2,48}})\.(?i:pdf|docx?|jpe?g|png|tiff?|xlsx?|csv|txt|rtf|zip|dcm|heic)\b"
)
_OF_DOCUMENT = Pattern(
    rf"(?:^|[\"'\\/])([A-Za-z0-9#_. ]{{2,48}}) - ({_WORDS},? {_WORDS})\.(?i:pdf|docx?|jpe?g|png|tiff?|xlsx?|csv|txt|rtf|zip|dcm|heic)\b"
)
_PIECES = re.compile(rb"[A-Za-z0-9]+")
_SIP = Pattern(
    r"(?i)\b(?:sips?|tel|callto|sms):\+?(1?[2-9][0-9]{2}[2-9][0-9]{6})(?:$|[^0-9A-Za-z.:])"
)
_CALLER = Pattern(
    r"\"([A-Za-z][A-Za-z' .,-]{2,40})\" ?<(?:sips?:|tel:)?\+?(1?[2-9][0-9]{9})(?:$|[^0-9A-Za-z.])"
)
"""Who calls, by name and number (RFC 3261, a name-addr)."""
_FMR = Pattern(r"\b(Rk1S[A-Za-z0-9+/=]{20,})")
"""What a finger's record begins with in base64 (ISO/IEC 19794-2)."""
_LONG = Pattern(rf"(?:^|[^A-Za-z0-9+/])([A-Za-z0-9+/]{{{TEMPLATE_CHARS_MIN},}}={{0,2}})")
_ENROLLED = Pattern(
    r"(?i)\b(?:id|mrn|pid|subject|enrollee|person)=([A-Z]{0,3}[0-9][0-9-]{4,11}[0-9])(?:$|[^0-9A-Za-z-])"
)
_HEX = re.compile(rb"[0-9a-fA-F]+")
_PLATE_FORM = r"[A-Z]{2,3}[ -]?[0-9]{3,4}|[0-9][A-Z]{3}[0-9]{3}|[0-9]{3}[ -]?[A-Z]{3}|[A-Z]{1,3}[0-9]{1,3}[A-Z]{1,3}"
_PLATE = Pattern(
    r"(?i:\b(?:tag|plates?|plate ?text|lp|lpn|lic|license|read|reg|registration|vehicle|car|van|truck|suv|sedan|ocr|seen|saw|spotted|towed|permit|parked|for|of)\b[\"']?(?: (?:no\.?|number|#|is|was|plate|tag))?[\"':=# ]{1,4})"
    rf"({_PLATE_FORM})(?:$|[^A-Za-z0-9-])"
)
_COLOURED = Pattern(
    rf"(?:^|[ :=,\"'])({_PLATE_FORM}),? (?i:(?:a |on )?(?:silver|gr[ae]y|white|black|blue|red|green|tan|gold|brown|beige|maroon|yellow|orange|dark|light)) "
)
_BARE_PLATE = Pattern(
    r"(?:^|[ :=,(\"'])([0-9][A-Z]{3}[0-9]{3}|[A-Z]{3}[ -][0-9]{4})(?:$|[ ,;.)\"'])"
)
_QUOTED_PLATE = Pattern(rf"[\"']({_PLATE_FORM})[\"']")
_NO_PLATES = frozenset(
    b"KB CVE INC CHG REQ TKT PRB TSK EXT VLAN CAM POS ERR SQL HTTP LOT RFC ISO USB COM".split()
)
_LETTERS_OF_PLATE = re.compile(rb"[A-Z]+")
_FOLDER = Pattern(
    rf"[\\/]([A-Za-z][A-Za-z'-]{{1,30}},? {_WORDS}) [(]?#?([A-Z]{{0,2}}[0-9]{{6,10}})[)]?[\\/]"
)
_LISTED_FOLDER = Pattern(rf"[\\/]([A-Za-z][A-Za-z'-]{{1,30}}, {_WORDS})[\\/.]")
_OWN_FOLDER = Pattern(
    rf"(?i:[\\/](?:desktop|documents|downloads|onedrive|pictures|my documents|shared))[\\/]({_WORDS} {_WORDS})(?: [A-Za-z0-9#-]{{1,20}}){{0,4}}[\\/]"
)
_BARE_FOLDER = Pattern(rf"[\\/]({_WORDS} {_WORDS})[\\/]")
_WORDY_FILE = Pattern(
    rf"[\\/]({_WORDS} {_WORDS})(?: [a-z0-9#][a-z0-9_-]{{1,20}}){{1,4}}\.[A-Za-z0-9]{{2,4}}\b"
)


def _masked(record: Record) -> None:
    _last_four(record, _MASKED, Kind.SSN)
    _last_four(record, _ENDS_IN, Kind.SSN)
    _last_four(record, _ENDING, Kind.ACCOUNT)
    if record.person or _NUMBERED.search(record.lower) is not None:
        _last_four(record, _MASKED_JOINED, Kind.SSN)


def _last_four(record: Record, pattern: Pattern, kind: Kind) -> None:
    for spans in pattern.each(record.data):
        if not record.covered(*spans[1]):
            record.hit(kind, *spans[1], "the last four of a masked number")


def _cards(record: Record) -> None:
    if _PAYS.search(record.lower) is None:
        return
    for spans in _PAN.each(record.data):
        if luhn(record.data[slice(*spans[1])]):
            record.hit(Kind.ACCOUNT, *spans[1], "a card's number beside a word for paying")


_OUR_DAY = re.compile(rb"20[0-9]{2}[01][0-9][0-3][0-9]")


def _is_report(record: Record, words: tuple[int, int], number: tuple[int, int]) -> bool:
    """Whether two words of machines are joined with a day: `Price_List_20231114`."""
    parts = record.data[slice(*words)].split(b"_")
    return _OUR_DAY.fullmatch(record.data, *number) is not None and all(
        word_flags(record, part) & WORD and not word_flags(record, part) & SURE for part in parts
    )


def _joined(record: Record) -> None:
    for spans in _JOINED.each(record.data):
        if record.covered(*spans[1]) or (
            _could_name(record, *spans[1], sure=True) and not _is_report(record, spans[1], spans[2])
        ):
            record.hit(Kind.NAME, *spans[1], "two words joined with a number")
            record.hit(Kind.MRN, *spans[2], "a number joined to two words")


def _colons(record: Record) -> None:
    for spans in _COLON.each(record.data):
        record.hit(Kind.MRN, *spans[1], "a number joined to a word for people")


def _numbers_called(record: Record) -> None:
    for spans in _SIP.each(record.data):
        record.hit(Kind.PHONE, *spans[1], "the number of a call")


def _said_of(record: Record) -> None:
    """Take two words that a birth or a chart follows: `Hope Hand (DOB 09/16/1955`."""
    for spans in _SAID_OF.each(record.data):
        if not record.covered(*spans[1]) and _could_name(record, *spans[1]):
            record.hit(Kind.NAME, *spans[1], "a name with a birth or a chart behind")


def _documents(record: Record) -> None:
    """Take two words of a file's name that also says a kind of document."""
    kinds = record.lexicon.vocabulary["documents"]
    for pattern, name, rest in ((_DOCUMENT, 1, 2), (_OF_DOCUMENT, 2, 1)):
        for spans in pattern.each(record.data):
            said = {piece.lower() for piece in _PIECES.findall(record.data[slice(*spans[rest])])}
            own = {piece.lower() for piece in _PIECES.findall(record.data[slice(*spans[name])])}
            if kinds.isdisjoint(said) or not kinds.isdisjoint(own):
                continue
            if not record.covered(*spans[name]) and _could_name(record, *spans[name]):
                record.hit(Kind.NAME, *spans[name], "a name in the name of a document")


def _callers(record: Record) -> None:
    for spans in _CALLER.each(record.data):
        record.hit(Kind.PHONE, *spans[2], "the number of who calls")
        if b" " in record.data[slice(*spans[1])]:
            record.hit(Kind.NAME, *spans[1], "who calls, beside the number")


def _could_name(record: Record, start: int, end: int, *, sure: bool = False) -> bool:
    """Whether two words can be somebody's: none speaks of equipment or patients, one is a name."""
    words = record.data[start:end].replace(b",", b" ").replace(b"_", b" ").split()
    weights = record.lexicon.names.weights
    flags = [word_flags(record, word) for word in words if len(word.strip(b".")) > 1]
    if any(flag & CONTEXT for flag in flags) or any(
        flag & CUE and not flag & (ALSO | SURE) and not any(weights(word.lower().decode())[:2])
        for flag, word in zip(
            flags, (one for one in words if len(one.strip(b".")) > 1), strict=True
        )
    ):
        return False
    named = any(flag & NAMEY and not flag & WORD for flag in flags)
    return named or (not sure and any(not flag & WORD for flag in flags)) or _listed(record, words)


def _listed(record: Record, words: list[bytes]) -> bool:
    """Whether words of machines are, in their order, a last and a first name: `Root, Art`."""
    weights = record.lexicon.names.weights
    if len(words) < 2:
        return False
    one, two = (weights(word.strip(b".'").lower().decode()) for word in words[:2])
    return (one[1] > 0 and two[0] > 0) or (one[0] > 0 and two[1] > 0)


_TITLED_DAY = Pattern(
    r"[\"'][^\"'\n]{2,60}? ([A-Z][a-z'-]{1,24} [A-Z][A-Za-z'-]{1,24}) ([0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}|[0-9]{4}-[0-9]{2}-[0-9]{2})[\"']"
)
"""What a document is called after whom it is about: `"Superbill Itzel Post 08/14/2022"`."""


def _titled_days(record: Record) -> None:
    for spans in _TITLED_DAY.each(record.data):
        one, two = (word_flags(record, word) for word in record.data[slice(*spans[1])].split())
        first = one & FIRST and not one & (WORD | CUE | CONTEXT)
        strange = not one and two & NAMEY
        if (first and not two & CONTEXT) or (strange and not two & (CUE | CONTEXT)):
            record.hit(Kind.NAME, *spans[1], "a name before a day, in a title")
            record.hit(Kind.DATE, *spans[2], "a day behind a name, in a title")


def _named_days(record: Record) -> None:
    _titled_days(record)
    for pattern in (_SEXED, _LAST_FIRST):
        for spans in pattern.each(record.data):
            if not record.covered(*spans[1]) and _could_name(record, *spans[1]):
                record.hit(Kind.NAME, *spans[1], "a name with a day behind")
                record.hit(Kind.DATE, *spans[2], "a day behind a name")


def _quoted_days(record: Record) -> None:
    """Take a row of which the last and the first name and a day stand side by side."""
    for spans in _QUOTED_DAY.each(record.data):
        if _could_name(record, spans[1][0], spans[1][1]) or _could_name(record, *spans[2]):
            record.hit(Kind.NAME, *spans[1], "a name before a day in a row")
            record.hit(Kind.NAME, *spans[2], "a name before a day in a row")
            record.hit(Kind.DATE, *spans[3], "a day behind names in a row")


def _slashes(record: Record) -> None:
    """Take a name, a day and a ZIP code between slashes."""
    for spans in _SLASHES.each(record.data):
        if not _could_name(record, spans[1][0], spans[1][1]) and not _could_name(record, *spans[2]):
            continue
        record.hit(Kind.NAME, *spans[1], "a name before a day, between slashes")
        record.hit(Kind.NAME, *spans[2], "a name before a day, between slashes")
        record.hit(Kind.DATE, *spans[3], "a day behind a name, between slashes")
        if spans[4][0] >= 0:
            record.hit(Kind.ZIP, *spans[4], "a ZIP code behind a day, between slashes")


def _templates(record: Record) -> None:
    """Take what was measured of a body: by its own head, or as long text beside a word for it."""
    data = record.data
    for spans in _FMR.each(data) if b"Rk1S" in data else ():
        record.hit(Kind.BIOMETRIC, *spans[1], "the head of a finger's record")
    for spans in _ENROLLED.each(data):
        record.hit(Kind.MRN, *spans[1], "whose body was measured")
    for spans in _LONG.each(data):
        start, end = spans[1]
        digest = end - start in DIGESTS and _HEX.fullmatch(data, start, end) is not None
        if not digest and not record.covered(start, end) and digits(data[start:end]):
            record.hit(Kind.BIOMETRIC, start, end, "long text beside a word for a body's part")


def _cars(record: Record) -> None:
    """Take numbers of vehicles and plates in a record about vehicles."""
    data = record.data
    for spans in SCANS["vin"].each(data) if "vin" in record.shapes else ():
        start, end = spans[0]
        value = data[start:end]
        letters = len(value) - digits(value)
        joined = data[start - 1 : start].isalnum() or data[end : end + 1].isalnum()
        if 3 <= letters <= 15 and not joined and not record.covered(start, end):
            record.hit(Kind.VEHICLE, start, end, "17 characters of a VIN beside a vehicle")
    for pattern in (_PLATE, _QUOTED_PLATE, _COLOURED, _BARE_PLATE):
        for spans in pattern.each(data):
            letters_of = _LETTERS_OF_PLATE.search(data, *spans[1])
            if letters_of is None or letters_of.group() in _NO_PLATES:
                continue
            if record.taken is None or record.taken.find(0, *spans[1]) >= 0:
                record.hit(Kind.VEHICLE, *spans[1], "a plate in a record about vehicles")


def _folders_of_two(record: Record) -> None:
    """Take folders of two words, of which one is a name before it is a word: `/LEE ANAHERA/`."""
    for spans in _BARE_FOLDER.each(record.data):
        flags = [word_flags(record, word) for word in record.data[slice(*spans[1])].split()]
        sure = any(flag & NAMEY and flag & SURE and not flag & WORD for flag in flags)
        if sure and not any(flag & (CUE | CONTEXT) for flag in flags):
            record.hit(Kind.NAME, *spans[1], "a folder of two names")


def _folders(record: Record) -> None:
    """Take folders of two words with a number, or with a comma between: `/ortho/lee, Ann/`."""
    for spans in _FOLDER.each(record.data):
        if record.covered(*spans[1]) or _could_name(record, *spans[1]):
            record.hit(Kind.NAME, *spans[1], "a folder of somebody with a number")
            record.hit(Kind.MRN, *spans[2], "the number of somebody's folder")
    for spans in _LISTED_FOLDER.each(record.data):
        if machine_camel(record, record.data[slice(*spans[1])].rpartition(b" ")[2]):
            continue  # ValueSet/administrative-gender, CodeSystem/v2-0203
        if not record.covered(*spans[1]) and _could_name(record, *spans[1]):
            record.hit(Kind.NAME, *spans[1], "a folder of somebody")
    _folders_of_two(record)
    for spans in _OWN_FOLDER.each(record.data):
        if not record.covered(*spans[1]) and _could_name(record, *spans[1]):
            record.hit(Kind.NAME, *spans[1], "a folder of somebody")
    for spans in _WORDY_FILE.each(record.data):
        one, two = (word_flags(record, word) for word in record.data[slice(*spans[1])].split())
        sure = one & FIRST and one & SURE and not one & WORD
        last = two & NAMEY and not two & (WORD | CUE)
        if sure or (one & (FIRST | ALSO) and last):
            record.hit(Kind.NAME, *spans[1], "a file of somebody")


_READERS: tuple[tuple[str, Callable[[Record], None]], ...] = (
    ("masked", _masked),
    ("pan", _cards),
    ("named_day", _named_days),
    ("joined", _joined),
    ("quoted_day", _quoted_days),
    ("slashes", _slashes),
    ("body", _templates),
    ("cars", _cars),
    ("folder", _folders),
    ("colon", _colons),
    ("sip", _numbers_called),
    ("caller", _callers),
    ("said_of", _said_of),
    ("file", _documents),
)
GATES = frozenset(gate for gate, _ in _READERS)
"""The forms that call for these."""


def read(record: Record) -> None:
    """Find what the surroundings tell, each kind behind its gate."""
    for look in _plan(record.shapes):
        look(record)


@lru_cache(maxsize=SETS_MAX)
def _plan(shapes: frozenset[str]) -> tuple[Callable[[Record], None], ...]:
    """Return whom to ask, in order, where these shapes are."""
    return tuple(look for gate, look in _READERS if gate in shapes)


GATED = (
    ("colon", (_COLON,)),
    ("sip", (_SIP,)),
    ("caller", (_CALLER,)),
    ("said_of", (_SAID_OF,)),
    ("file", (_DOCUMENT, _OF_DOCUMENT)),
    ("masked", (_MASKED, _ENDS_IN, _ENDING, _MASKED_JOINED)),
    ("pan", (_PAN,)),
    ("named_day", (_SEXED, _LAST_FIRST, _TITLED_DAY)),
    ("joined", (_JOINED,)),
    ("quoted_day", (_QUOTED_DAY,)),
    ("slashes", (_SLASHES,)),
    ("body", (_FMR,)),
    ("folder", (_FOLDER, _LISTED_FOLDER, _WORDY_FILE, _OWN_FOLDER, _BARE_FOLDER)),
)
"""Each gate with the patterns that are tried only when it is lit."""

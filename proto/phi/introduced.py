"""What stands before words that are somebody's, and behind: `paged Ingrid`, `Ingrid Sol says`.

Machines do much to machines, and people to people. A preposition lets a sure name be one; only a
deed that is done to people lets a stranger's word be one, or two words that are names too.
"""

import re
from itertools import product

from proto.phi.lexicon import ALSO, CONTEXT, CUE, FIRST, LAST, LIKELY, NAMELIKE, SMALL, SURE, WORD
from proto.phi.namesakes import is_namesake
from proto.phi.record import Record
from proto.phi.values import Kind

NOBODY, MAYBE, SURELY = 0, 1, 2
"""How much the surroundings say that somebody is spoken of."""
BEFORE_CHARS_MAX = 40
AFTER_CHARS_MAX = 24
STRANGER_LETTERS_MIN = 4
ALONE_LETTERS_MIN = 3


def _phrases(*groups: str) -> frozenset[bytes]:
    """Return every phrase with one word of each group, `-` for none."""
    parts = product(*(group.split() for group in groups))
    return frozenset(" ".join(word for word in part if word != "-").encode() for part in parts)


_TO_PEOPLE = (
    _phrases(
        "admitted admitting discharged discharging roomed rooming triaged paged paging called calling phoned texted"
        " greeted thanked invited interviewed escorted met saw visitor visitors dear hello hey hi thanks regards sincerely"
        " welcome sorry attn attention cc i'm"
    )
    | _phrases(
        "speak spoke spoken speaking talk talked talking chat chatted meet met meeting call appointment interview",
        "with to",
    )
    | _phrases(
        "hand handed handing escalate escalated belong belongs belonging belonged given gave returned introduced apologized replied",
        "- over off back",
        "to",
    )
    | _phrases(
        "approved dictated requested reported reviewed signed cosigned countersigned locked edited opened created parked authored"
        " witnessed ordered collected returned entered verified checked printed scanned submitted cancelled canceled performed"
        " notarized interpreted supervised prescribed escorted drafted called acknowledged completed seen given drawn left written",
        "- in out off",
        "by",
    )
    | _phrases(
        "badge chart signature mother father wife husband sister brother parent parents supervisor assistant desk mailbox behalf",
        "of",
    )
    | _phrases("voicemail message letter referral note text fax faxed", "from to")
    | _phrases(
        "results result refill prescription appointment appt reminder birthday referral bloodwork training interpreter copay recall",
        "for of",
    )
    | _phrases("name this caller speaker", "is was")
    | _phrases("i", "am")
    | _phrases("check checked checking", "in out")
    | _phrases("logged signed log sign", "on in", "as")
    | _phrases("owner ownership", "- changed moved passed transferred", "to")
    | _phrases("assigned reassigned", "to from")
    | _phrases("covering standing stands stood", "- in", "for")
    | _phrases("thank", "you")
)
"""What is done to people, or said before their names."""
_JOINS = _phrases(
    "to for from by with of as about re via and ask tell let told asked notified informed reminded helped e-mailed emailed messaged"
)
_ACTS = (
    _phrases(
        "says said called calls cannot can't couldn't wants wanted asks asked needs arrived left forgot complains complained requests"
        " requested thinks refused declined no-showed discharged admitted paged roomed"
    )
    | _phrases("is", "out off away waiting here sick late asking locked")
    | _phrases("checked", "in out")
    | _phrases("would", "like")
    | _phrases(
        "from",
        "billing accounting reception hygiene scheduling radiology registration intake triage finance collections nursing"
        " housekeeping hr",
    )
)
"""What people do, behind their names."""
_DOES = _phrases(
    "has had was is will did does came comes went sent gave took got share shares works worked tried sees seen saw signs signed and"
)


_MOVES_ON = re.compile(
    rb" (?:to|for|from|by|with|of|as|about|re|via|and|or|at|on|in|after|before|since|until|but|who|that|when|if|again|today|tomorrow|tonight|now|then|please|twice|back|out|over|up|[0-9])\b|$|[^A-Za-z0-9 ]"
)
"""No noun follows that a word before would only tell more of: `for Chase gateway`."""
_ENDS = frozenset({b"", b" ", b",", b".", b";", b":", b")", b"!", b"?", b"'", b'"', b"\n", b"|"})
_GOES_ON = re.compile(
    rb"[.:,]?[ ]?[A-Z\x01\[(]|[.:,]?[0-9]| [0-9.]*[.:][0-9]|[.:][A-Za-z]| v[0-9]|'[a-z]{2}"
)


def before(record: Record, start: int) -> int:
    """Say how much what stands before a place lets somebody's name begin there."""
    lower = record.lower
    if lower[start - 1 : start] != b" ":
        return SURELY if start == 1 and lower[:1] == b"@" else NOBODY
    words = (
        lower[max(0, start - BEFORE_CHARS_MAX) : start]
        .replace(b":", b" ")
        .replace(b",", b" ")
        .split()[-3:]
    )
    phrase = b""
    found = NOBODY
    while words:
        word = words.pop()
        phrase = word.lstrip(_OPENS) + (b" " + phrase if phrase else b"")
        if phrase in _TO_PEOPLE:
            return SURELY
        if phrase in _JOINS:
            found = MAYBE
    return found


_CREDENTIALS = re.compile(
    rb",? (?:Jr\.?|Sr\.?|I{2,3}|IV|MD|RN|DDS|DMD|PhD|NP|PA-C|CRNA|LPN|RPh|PharmD|DVM|RDH|DPM|LCSW|CNM|FACS)(?![A-Za-z0-9_=-])"
)
"""What follows the names of clinicians, and of sons."""
_OPENS = b"\"'([<>|=;-"


def behind(record: Record, end: int) -> int:
    """Say how much what stands behind a place lets somebody's name end there."""
    if _CREDENTIALS.match(record.data, end) is not None:
        return SURELY
    if record.data[end : end + 1] != b" ":
        return NOBODY
    words = record.data[end : end + AFTER_CHARS_MAX].translate(None, b".,;:)").split(None, 2)[:2]
    if not words:
        return NOBODY
    if words[0] in _ACTS or b" ".join(words) in _ACTS:
        return SURELY
    return MAYBE if words[0] in _DOES else NOBODY


def around(record: Record, start: int, end: int) -> int:
    """Say how much both sides let these words be somebody's."""
    ahead = before(record, start)
    return ahead if ahead == SURELY else max(ahead, behind(record, end))


def read(record: Record) -> None:
    """Find single words that are somebody's by what is done to them, or what they do."""
    known, find, at = record.known, (b" " + record.apart + b" ").find, 0
    before = b""
    for run in record.runs:
        flags = known[run]
        if flags & SMALL:
            if before:
                _two_small(record, before, run)
            before = run
            continue
        before = b""
        if not flags & (LIKELY | NAMELIKE) or not run[:1].isupper() or not run.istitle():
            continue
        at = find(b" " + run + b" ", at)  # here the run begins, for a blank stands before all
        bare = run.rstrip(b".-")
        if bare.isalpha() and not record.covered(at, at + 1):
            _one(record, at, at + len(bare))


def _two_small(record: Record, one: bytes, two: bytes) -> None:
    """Take both names in small letters where somebody is spoken of: `admitted karen robinson`."""
    flags = record.lexicon.flags(one), record.lexicon.flags(two)
    for between in (b" ", b", "):
        start = record.data.find(one + between + two)
        end = start + len(one + between + two)
        if start < 0 or record.covered(start, end) or record.data[end : end + 1] in _NO_END:
            continue
        level = around(record, start, end)
        sure = any(flag & SURE for flag in flags)
        if (level and sure and all(flag & _NAMEY or not flag for flag in flags)) or (
            level == SURELY and min(len(one), len(two)) >= STRANGER_LETTERS_MIN
        ):
            record.hit(Kind.NAME, start, end, "somebody in small letters")


_NAMEY = FIRST | LAST
_NO_END = frozenset(b"=:\\/@._-("[at : at + 1] for at in range(9))


_LAWS = (b"law", b"algorithm", b"theorem", b"rule", b"method", b"test", b"formula", b"problem")
"""What is named after people whom everybody knows."""


def _one(record: Record, start: int, end: int) -> None:
    data = record.data
    if data[end : end + 1] not in _ENDS or _GOES_ON.match(data, end) is not None:
        return
    flags = record.lexicon.written(data[start:end])
    accounts = record.lexicon.vocabulary["accounts"]
    if flags & (CUE | CONTEXT) or record.lower[start:end] in accounts:
        return
    if flags & WORD and not (record.person and flags & (ALSO | FIRST)):
        return
    owner = data[end : end + 3] == b"'s " and data[end + 3 : end + 4].islower()
    if owner and flags & FIRST and flags & SURE and not flags & WORD:
        if not data.startswith(_LAWS, end + 3):
            record.hit(Kind.NAME, start, end, "whose something is")
        return
    level = around(record, start, end)
    if not level:
        return
    if flags & WORD and not (level == SURELY and _MOVES_ON.match(data, end)):
        return
    sure = bool(flags & FIRST and flags & SURE)
    if (sure and before(record, start) and _MOVES_ON.match(data, end)) or (
        level == SURELY and (flags & (FIRST | LAST) or end - start >= STRANGER_LETTERS_MIN)
    ):
        record.hit(Kind.NAME, start, end, "somebody to whom or by whom something is done")


def alone(record: Record) -> None:
    """Find single words that are first of all names, written as such, in a record about people."""
    data = record.data
    for word, flag in record.flagged(SURE):
        if flag & WORD or len(word) < ALONE_LETTERS_MIN:
            continue
        for at in record.places(word):
            end = at + len(word)
            if (
                data[at] > 90
                or data[at - 1 : at] not in _AHEAD
                or data[end : end + 1] not in _AFTER
                or _VERSION.match(data, end) is not None
                or (data[at:end].isupper() and _is_label(data, end, flag))
                or is_namesake(record, at, end)
            ):
                continue
            record.hit(Kind.NAME, at, end, "a name in a record about people")


_VALUE_BEHIND = re.compile(rb" {1,2}[+(]?[0-9\x01]")
_KEY_ENDS = re.compile(rb"\\{0,3}[\"'] ?:")


def _is_label(data: bytes, end: int, flag: int) -> bool:
    """Whether a word in capitals is a key rather than a name: `"DAI":`, `DEST +1-965…`."""
    return _KEY_ENDS.match(data, end) is not None or bool(
        flag & CUE and _VALUE_BEHIND.match(data, end)
    )


_VERSION = re.compile(rb" v?\d+\.\d| \x01")
_AHEAD = frozenset({b"", b" ", b"(", b"'", b'"', b",", b">", b"=", b"|", b"\n", b";", b":"})
_AFTER = frozenset({b"", b" ", b")", b"'", b'"', b",", b"<", b"|", b"\n", b";", b".", b"!", b"?"})

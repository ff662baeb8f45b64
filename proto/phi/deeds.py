"""Who does, is and belongs to whom: logins at fixed places, kin, ages that are said, families.

Logs of systems put an account at a fixed place (`Failed password for …`, `(…) CMD`), audit trails
put it before a verb. And once a name is known, the logins that are made of it are: `wilsonh` beside
`Haruto Wilson`.
"""

import re
from itertools import permutations

from proto.phi.lexicon import CONTEXT, CUE, FIRST, LAST, NAME_MIN, SURE, WORD
from proto.phi.logins import is_of_somebody
from proto.phi.people import take_name, word_flags
from proto.phi.record import LETTERS, Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

NAMES_MADE_MAX = 512
"""Names of one record that logins are looked for of."""
KIN_CHARS_MAX = 60
LOGIN_LETTERS_MIN = 4
NAME_LETTERS_MIN = 3

_ACCOUNT = Pattern(
    r"(?:(?:Failed|Accepted) [a-z/-]{2,40} for |failed for |Login (?:OK|incorrect)[^\n\[]{0,24}: \[|\bsudo(?:\[[0-9]{1,7}\])?: {1,4}|\bCRON\[[0-9]{1,7}\]: \(|\bsu(?:\[[0-9]{1,7}\])?: \([^)\n]{1,24}\) |\bsmbd(?:\[[0-9]{1,7}\])?: |session (?:opened|closed) for user |\bSubject: | (?:80|443|8080|8443) | identity(?:: |=| )['\"]|\b(?:imap|pop3|lmtp|submission|managesieve)(?:-login)?\(|\bsmbd_audit(?:\[[0-9]{1,7}\])?: |\b(?:[Uu]nlock|[Rr]eset|[Dd]isable|[Ee]nable|[Oo]ffboard|[Oo]nboard) )"
    r"([A-Za-z][A-Za-z0-9._-]{2,30})(?: from | : TTY=|\) CMD| on pts|@| \(ipv4:|\(uid=| by | Logon | tty=|\]| [0-9]{1,3}\.[0-9]|['\")|,;]| [a-z]|\.$|\. |$)"
)
_DOES = Pattern(
    r"(?:^|[ \t:>\]|;,-] ?)([a-z][a-z0-9._-]{2,30}) (?:viewed|opened|accessed|printed|reprinted|exported|signed|cosigned|co-signed|e-signed|edited|downloaded|unlocked|released|faxed|looked up|pulled up|searched for|broke (?:the )?glass|used break|unmasked|overrode|voided|merged|queried|logged (?:in|on|off|out)) "
)
_KIN = Pattern(
    r"(?i:\b(?:parent|child|kid|kiddo|grandma|grandpa|grandfather|aunt|uncle|guardian|caregiver|widow|stepmother|stepfather|roommate|neighbor)(?:'s name)? (?:of|is|named) )([A-Z])"
)
_SLASHED = Pattern(
    r"(?i:\b(?:name|holder|cardholder)[\"':= ]{1,3}|\^)([A-Z]{2,26}/[A-Z]{2,26})(?:$|[ ^,;\"'])"
)
"""A card's holder as the card says it (ISO/IEC 7813)."""
_FAMILY = Pattern(r"\b([A-Z][A-Za-z'-]{2,24}) (?:family|household)\b")
_AGE = Pattern(
    r"(?i:\b(?:is|turned|turns|turning) (?:now |already |almost |nearly )?)(9[0-9]|1[01][0-9])(?: (?:and|now|years|today|but|so|this|next|last|in|on|yesterday|tomorrow|recently|soon)\b|[,;!?)]|\.(?:\s|$)|$)"
)
_IS_SOMEBODY = re.compile(
    rb"(?:^|[^a-z])(?:he|she|patient|pt|mom|mother|dad|father|who|wife|husband) \Z"
)
_SOUGHT = Pattern(
    r"(?i:\b(?:[a-z]{0,2}grep|findstr|select-string|locate|mdfind|search(?:ed|ing|es)?|look(?:ed|ing|s)?[ -]?up)\b)[^\n\"'|]{0,40}[\"']([A-Z][A-Za-z'-]{1,30}),? ([A-Z][A-Za-z'-]{1,30})[\"']"
)
"""Whom somebody looks for, in quotes."""
GATED = (
    ("sought", (_SOUGHT,)),
    ("account", (_ACCOUNT,)),
    ("does", (_DOES,)),
    ("kin", (_KIN, _FAMILY)),
    ("aged", (_AGE,)),
    ("slashed", (_SLASHED,)),
)
"""Each gate with the patterns that are tried only when it is lit."""


def read(record: Record) -> None:
    """Find the accounts, kin and ages that only their place tells."""
    shapes = record.shapes
    for form, reader in _ANYWHERE:
        if form in shapes:
            reader(record)
    if record.person:
        _of_people(record, shapes)


def _of_people(record: Record, shapes: frozenset[str]) -> None:
    if "does" in shapes:
        for start, end in _DOES.values(record.data):
            login = record.data[start:end]
            if not record.covered(start, end) and is_of_somebody(record, login, strangers=False):
                record.hit(Kind.USERNAME, start, end, "who does something to a chart")
    if "slashed" in shapes:
        for spans in _SLASHED.each(record.data):
            record.hit(Kind.NAME, *spans[1], "the holder of a card")
    if "aged" in shapes:
        _ages(record)


_BY_HAND = re.compile(
    rb"(?:password|publickey|gssapi-with-mic|hostbased|keyboard-interactive[a-z/]*) for \Z"
)
_AT_TERMINAL = re.compile(rb" : TTY=(?:pts|tty)")


def _accounts(record: Record) -> None:
    data = record.data
    for start, end in _ACCOUNT.values(data):
        if record.covered(start, end):
            continue
        at_hand = _AT_TERMINAL.match(data, end) or (
            _BY_HAND.search(data, max(0, start - 30), start)
            and not data.startswith(b"invalid user", start)
        )
        strangers = record.person or at_hand is not None
        if is_of_somebody(record, data[start:end], strangers=strangers):
            record.hit(Kind.USERNAME, start, end, "the place of an account in a log")


def _sought(record: Record) -> None:
    for spans in _SOUGHT.each(record.data):
        _looked_for(record, spans[1], spans[2])


def _looked_for(record: Record, one: tuple[int, int], two: tuple[int, int]) -> None:
    """Take two words that are looked for, of which one is a name and the other can be one."""
    if record.covered(one[0], two[1]):
        return
    words = [record.data[slice(*span)] for span in (one, two)]
    flags = [word_flags(record, word) for word in words]
    weights = [
        record.lexicon.names.weights(word.lower().translate(None, b"'-").decode()) for word in words
    ]
    if any(flag & CONTEXT for flag in flags):
        return
    sure = [bool(flag & FIRST and flag & SURE and not flag & WORD) for flag in flags]
    fits = any(sure) and all(
        here or not flag or any(weight[:2])
        for here, flag, weight in zip(sure, flags, weights, strict=True)
    )
    if fits or (weights[0][0] >= NAME_MIN and weights[1][1] > 0):
        record.hit(Kind.NAME, one[0], two[1], "who is looked for")


def _kin(record: Record) -> None:
    for spans in _KIN.each(record.data):
        start = spans[1][0]
        end = take_name(record, start, min(len(record.data), start + KIN_CHARS_MAX))
        words = record.data[start:end].split() if end > start else []
        flags = [word_flags(record, word.strip(b",")) for word in words]
        if flags and not any(flag & (WORD | CUE | CONTEXT) and not flag & SURE for flag in flags):
            record.hit(Kind.NAME, start, end, "whose kin somebody is")
    for start, end in _FAMILY.values(record.data) if record.person else ():
        flag = word_flags(record, record.data[start:end])
        if not flag & (CUE | CONTEXT) and (flag & (SURE | LAST) or not flag & WORD):
            record.hit(Kind.NAME, start, end, "the name of a family")


def _ages(record: Record) -> None:
    for spans in _AGE.each(record.data):
        start = spans[0][0]
        back = 3 if record.data[start - 2 : start] == b", " else 2
        named = start >= back and record.covered(start - back, start)
        if named or _IS_SOMEBODY.search(record.lower, max(0, start - 12), start):
            record.hit(Kind.AGE90, *spans[1], "an age over 89 that is said of somebody")


def made_of_names(record: Record) -> None:
    """Take logins and files that are made of a name that was found: `wilsonh`, `moon_elizabeth`."""
    lower, seen = record.lower, 0
    for start, end, kind, _ in tuple(record.found):
        if kind is not Kind.NAME or seen >= NAMES_MADE_MAX:
            continue
        whole = lower[start:end].translate(LETTERS, b"-'")
        words = [word for word in whole.split() if len(word) >= NAME_LETTERS_MIN]
        if len(words) not in {2, 3}:
            continue
        seen += 1
        # What is made of them holds one of them once more.
        if max(map(lower.count, words)) > 1:
            for one, other in permutations(words, 2):
                for made in (
                    one[:1] + other,
                    one + other[:1],
                    one + b"." + other,
                    one + b"_" + other,
                ):
                    if len(made) >= LOGIN_LETTERS_MIN and made in lower:
                        _take_made(record, made)


def _take_made(record: Record, made: bytes) -> None:
    if record.lexicon.flags(made) & WORD:
        return
    for at in record.places(made):
        end = at + len(made)
        if record.taken is None or record.taken.find(0, at, end) >= 0:
            record.hit(Kind.USERNAME, at, end, "made of a name that was found")


_ANYWHERE = (("account", _accounts), ("kin", _kin), ("sought", _sought))
"""What is asked whether people are about or not, each with its gate."""

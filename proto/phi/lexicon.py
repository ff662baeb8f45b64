"""What each word of a record is: one number of flags a word, kept for the words that recur.

Records are cut into runs of key characters, digits read as dots, so that `KB5031356` and
`10.0.19045` are a few runs that recur. The flags of a run are those of its words together, with
what its words are beside each other: a key or a cue, a name, a stranger.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from proto.phi.keys import Told
from proto.phi.policy import Policy
from proto.phi.values import Names

WORD = 1
"""A word of machines or of plain English."""
CUE = 2
"""It may be, or be part of, a key or a cue."""
FIRST = 4
LAST = 8
SURE = 16
"""First of all a name."""
KNOWN = 32
"""Somebody of the site."""
CONTEXT = 64
"""It speaks of patients: the record is about people."""
ROOT = 128
"""A folder of people."""
BRAND = 256
"""A personal device, which people name after themselves."""
STREET = 512
ALSO = 1024
"""A word that is somebody's name too, where a cue says that a name comes."""
TELLS = 2048
"""Of a run: a key or a cue, or the first word of one."""
LIKELY = 4096
"""Of a run: a word in it is a name before it is a word of machines."""
STRANGER = 8192
"""Of a run: nothing is known of a word in it."""

SOMEBODY = 16384
"""Somebody of the site has this name, which may be an ordinary word too."""
NAMELIKE = 32768
"""Of a run: written as names are, and no word in it is one of machines."""
SMALL = 65536
"""Of a run: one word in small letters that can be spoken, and is no word of machines."""

EPONYM = 131072
"""Things are called after it: a device, a test, a scale, a rule, or a maker's."""
WORKPLACE = 262144
"""A kind of device that hosts are called after, beside who works at it."""

NOTABLE = SURE | KNOWN | ROOT | SOMEBODY | EPONYM
"""Words that are looked for where they stand."""

NAMEY = FIRST | LAST | KNOWN
_NO_NAME = WORD | CUE | CONTEXT
NAMELIKE_LETTERS_MIN = 3
NAME_MIN = 64
SURE_MIN = 128
ALSO_MIN = 20
WORD_MIN = 70
WORD_OF_NAMES_MIN = 130
"""What much text has, names of people included, is a word of its own only when it is more common."""
CACHE_MAX = 60_000
RUNS_MAX = 60_000
SPELLINGS_MAX = 8_192
WORD_LETTERS_MAX = 40
RUN_CHARS_MAX = 64
KEY_MARKS = b"-_."
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

RUNS = bytes(
    byte if byte in _LETTERS + KEY_MARKS else ord(".") if byte in b"0123456789" else ord(" ")
    for byte in range(256)
)
"""A table that leaves runs of key characters with their digits as dots, and blanks."""
WORDS = bytes(ord(chr(byte).lower()) if byte in _LETTERS else ord(" ") for byte in range(256))
"""A table that leaves lower-case letters and blanks."""

_CONTEXT = frozenset(
    b"patient patients pt mrn dob ssn chart charts guarantor subscriber beneficiary appointment appt"
    b" telehealth ems npi medicare medicaid birthdate dental prescription rx diagnosis hl7 fhir"
    b" demographics patname patid referral insurance patientname patientid radiology claim copay"
    b" adt oru pid born newborn yob implanted addendum hpi pacemaker denture colonoscopy biopsy surgery diagnosed"
    b" daughter husband wife mother grandmother granddaughter grandson stepson widow".split()
)
_TALK = frozenset(
    b"drive state level region site location unit room series command study error exit right size"
    b" result class change err ticket audit plan transaction trace subject".split()
)
"""Words of equipment that stand before people's keys too."""


_SPOKEN = (
    r"(?=[^AEIOUY]{0,3}[AEIOUY])(?:[B-DF-HJ-NP-TV-XZ]{0,4}[AEIOUY]){1,12}[B-DF-HJ-NP-TV-XZ]{0,3}"
)
_SMALL = r"(?:Mc|Mac|De|Di|Da|Du|La|Le|Van|Von|Fitz|O'?)?[A-Z][a-z]+"
_SPOKEN_SMALL = re.compile(
    rb"(?=[a-z]{3})(?=[^aeiouy]{0,3}[aeiouy])(?:[b-df-hj-np-tv-xz]{0,4}[aeiouy]){1,12}[b-df-hj-np-tv-xz]{0,3}\Z"
)
NAME_WRITTEN = re.compile(
    rf"(?:{_SMALL}(?:[-'_][A-Za-z][a-z]*){{0,3}}|{_SPOKEN}(?:[-'_]{_SPOKEN}){{0,3}})(?:\.[A-Za-z]{{2,4}})?\Z".encode()
)
"""Small letters behind a capital, or capitals that can be spoken: no abbreviation of machines."""
_PIECES = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class Tells(NamedTuple):
    """What a run tells that is a key, a cue, or the first word of one.

    Attributes:
        needle: the run between blanks.
        size: how long the run is.
        wanted: which of what may stand behind it lets it tell.
        plain: it is a key whole, and without digits.
        written: what it tells with a mark behind it.
        heard: what it tells when spoken.
        begins: whether phrases begin so.
    """

    needle: bytes
    size: int
    wanted: int
    plain: bool
    written: Told | None
    heard: Told | None
    begins: bool


SPEAKS, GOES_ON, WRITES, OPTION = 1, 2, 4, 8
"""What behind a run lets it tell: anything, a further word, a mark, the value of an option."""
Flagged = tuple[tuple[bytes, int], ...]
"""Words with their flags."""
Memory = tuple[dict[bytes, int], dict[bytes, Tells], dict[bytes, Flagged]]
"""Flags by run; of those that are keys or cues what they tell; the notable words in each."""


class Lexicon:
    """The words under one policy and one value of names."""

    __slots__ = (
        "eponyms",
        "equipment",
        "known_flags",
        "memory",
        "names",
        "numbers",
        "policy",
        "spellings",
        "vocabulary",
    )

    def __init__(self, policy: Policy, names: Names) -> None:
        """Begin with no word: a process pays for those that it meets."""
        self.policy = policy
        self.names = names
        self.numbers = names.has_numbers()
        self.vocabulary = policy.vocabulary.lists
        self.eponyms = _eponyms(self.vocabulary)
        self.known_flags: dict[bytes, int] = {}
        self.memory: Memory = ({}, {}, {})
        self.equipment: dict[bytes, bool] = {}
        self.spellings: dict[bytes, int] = {}

    def flags(self, word: bytes) -> int:
        """Return the flags of a lower-case word of ASCII letters."""
        found = self.known_flags.get(word)
        if found is not None:
            return found
        found = self._judge(word)
        if len(self.known_flags) >= CACHE_MAX:
            self.known_flags.clear()  # a process forgets the words it saw
        self.known_flags[word] = found
        return found

    def written(self, token: bytes) -> int:
        """Return the flags of a token as written; of a hyphenated one those of its parts together."""
        found = self.spellings.get(token)
        if found is None:
            lower = token.lower().replace(b"'", b"")
            found = self._together(lower) if b"-" in lower else self.flags(lower)
            if len(self.spellings) >= SPELLINGS_MAX:
                self.spellings.clear()
            self.spellings[token] = found
        return found

    def _together(self, lower: bytes) -> int:
        parts = [self.flags(part) for part in lower.split(b"-") if part]
        every = parts[0] if parts else 0
        some = every
        for part in parts[1:]:
            every &= part
            some |= part
        return (some & ~WORD) | (every & WORD)

    def learn(self, runs: Iterable[bytes]) -> Memory:
        """Judge those runs that are not known yet; return what is known, all of these included."""
        if len(self.memory[0]) >= RUNS_MAX:
            self.memory = ({}, {}, {})  # records under work keep what they began with
        memory = self.memory
        known = memory[0]
        for run in runs:
            if run not in known:
                known[run] = self._judge_run(run, memory)
        return memory

    def is_equipment(self, word: bytes) -> bool:
        """Whether a word before a key says that this is equipment's: `IPv4 Address`."""
        found = self.equipment.get(word)
        if found is None:
            words = self.policy.keys.words(word)
            found = len(words) == 1 and words[0] in self.policy.keys.infra and words[0] not in _TALK
            if len(self.equipment) >= CACHE_MAX:
                self.equipment.clear()
            self.equipment[word] = found
        return found

    def _judge_run(self, run: bytes, memory: Memory) -> int:
        every = 0
        _, tells, notable = memory
        for word in run.translate(WORDS).split():
            found = self.flags(word)
            every |= found
            if found & NOTABLE:
                notable[run] = (*notable.get(run, ()), (word, found))
            if not found:
                every |= STRANGER
            elif found & NAMEY and not is_plain(found):
                every |= LIKELY
            if not found & _NO_NAME and len(word) >= NAMELIKE_LETTERS_MIN:
                every |= NAMELIKE if NAME_WRITTEN.match(run.rstrip(KEY_MARKS)) else 0
                every |= SMALL if word == run and _SPOKEN_SMALL.match(run) else 0
        if every & CUE or self._cue_inside(run):
            key = key_of(run)
            info = self.policy.keys.info(key)
            if info is not None:
                written, heard, begins = info
                wanted = (SPEAKS if heard else 0) | (GOES_ON if begins else 0)
                wanted |= WRITES | OPTION if written else 0
                plain = key == run and b"." not in run
                needle = b" " + run + b" "
                tells[run] = Tells(needle, len(run), wanted, plain, written, heard, begins)
                every |= TELLS
        return every & ~WORD

    def _cue_inside(self, run: bytes) -> bool:
        """Whether a word that only capitals or full stops show may be a key: `KeepMRN`, `M.R.N.`."""
        if run.count(b".") > 1 and self.flags(run.translate(None, b".").lower()) & CUE:
            return True
        if run[1:].islower() or run.isupper():
            return False
        pieces = _PIECES.findall(run)
        return any(self.flags(piece.lower()) & CUE for piece in pieces)

    def _judge(self, word: bytes) -> int:
        if len(word) > WORD_LETTERS_MAX:
            return 0
        vocabulary, found = self.policy.vocabulary, 0
        text = word.decode("ascii")
        first, last, common = self.names.weights(text)
        if len(word) > 1:
            found |= (FIRST if first >= NAME_MIN else 0) | (LAST if last >= NAME_MIN else 0)
            found |= SURE if max(first, last) >= SURE_MIN else 0
            found |= KNOWN if self.names.known(text) else 0
            found |= SOMEBODY if self.names.somebody(text) else 0
        found |= ALSO if first >= ALSO_MIN else 0
        if (
            word in vocabulary.words
            or (common >= (WORD_OF_NAMES_MIN if first or last else WORD_MIN) and not found & SURE)
            or (len(word) <= 2 and not found & SURE)
        ):
            found |= WORD
        found |= CUE if self.policy.keys.is_cue(word) else 0
        found |= CONTEXT if word in _CONTEXT else 0
        found |= ROOT if word in vocabulary["roots"] else 0
        found |= BRAND if word in vocabulary["brands"] else 0
        found |= WORKPLACE if word in vocabulary["workplaces"] else 0
        found |= EPONYM if word in self.eponyms else 0
        return found | (STREET if word in vocabulary["streets"] else 0)


def _eponyms(lists: Mapping[str, frozenset[bytes]]) -> Mapping[bytes, frozenset[bytes]]:
    """Return what things are called after, each with the words that alone make it a thing."""
    found: dict[bytes, set[bytes]] = {
        word: set() for word in lists["eponyms"] | lists["makers"] | lists["zones"]
    }
    for pair in lists["companies"] | lists["called_after"]:
        word, _, behind = pair.partition(b"-")
        found.setdefault(word, set()).add(behind)
    return {word: frozenset(behind) for word, behind in found.items()}


def is_plain(flags: int) -> bool:
    """Whether a word is one of machines before it is a name."""
    return bool(flags & WORD and (flags & CUE or not flags & SURE))


def key_of(run: bytes) -> bytes:
    """Return what of a run can be a key: its end, where it is too long for one."""
    return run[-RUN_CHARS_MAX:].strip(KEY_MARKS)

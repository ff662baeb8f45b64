"""One record under work: its bytes, what its words are, and what was found so far."""

import re
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_

from proto.phi.documents import Value, json_values
from proto.phi.forms import SCANS
from proto.phi.lexicon import CONTEXT, RUNS, WORDS, Lexicon
from proto.phi.programs import in_mask, stands_for
from proto.phi.values import Kind

Found = tuple[int, int, Kind, str]

TAKEN = b"\x01"
"""The bytes of a token in a view."""
LETTERS = WORDS
"""A table that leaves lower-case letters and blanks."""
JOINT_MAX = 2
"""Between two facts in a list: a comma and a blank."""
ASKED_MAX = 32
"""Words that are looked for one by one; beyond, every word's places are noted once."""

_WORD = re.compile(rb"[a-z]+")

PEOPLE = frozenset(Kind) - {
    Kind.SECRET, Kind.USERNAME, Kind.HOST, Kind.HOST_PERSON, Kind.BLOB, Kind.EMAIL, Kind.DEVICE, Kind.IP, Kind.URL
}  # fmt: skip
"""Classes that a record about people alone has."""
GUESSED = frozenset(
    {Kind.NAME, Kind.MRN, Kind.CITY, Kind.DATE, Kind.OTHER_ID, Kind.VEHICLE, Kind.LICENSE}
)
"""Classes that are also told by what stands around a value: where its own key tells what it is,
that counts more."""


class Record:
    """The bytes of one view and the hits in them."""

    __slots__ = (
        "_asked",
        "_days",
        "_members",
        "_notable",
        "_standing",
        "_words",
        "apart",
        "data",
        "every",
        "facts",
        "found",
        "known",
        "lexicon",
        "lower",
        "maybe",
        "person",
        "runs",
        "shapes",
        "taken",
        "tells",
    )

    def __init__(self, data: bytes, lower: bytes, lexicon: Lexicon) -> None:
        """Begin with nothing found."""
        self.data = data
        self.lower = lower
        self.lexicon = lexicon
        self.found: list[Found] = []
        self.maybe: list[tuple[int, int]] = []
        self.facts: list[tuple[int, int]] = []
        self.taken: bytearray | None = None
        self.apart = data.translate(RUNS)
        self.runs = runs = self.apart.split()
        memory = lexicon.memory
        kinds = set(map(memory[0].get, runs))
        if None in kinds:
            memory = lexicon.learn(runs)
            kinds = set(map(memory[0].get, runs))
        self.known, self.tells, self._notable = memory
        self.every = every = reduce(or_, kinds, 0)
        self.shapes: frozenset[str] = frozenset()
        self.person = bool(every & CONTEXT) and not _is_of_machines(lower, runs, memory[0])
        self._asked = 0
        self._standing: dict[bytes, list[int]] | None = None
        self._words: frozenset[bytes] | None = None
        self._days: list[tuple[int, int]] | None = None
        self._members: list[Value] | None = None

    @property
    def words(self) -> frozenset[bytes]:
        """The lower-case words of letters in it."""
        if self._words is None:
            self._words = frozenset(self.lower.translate(LETTERS).split())
        return self._words

    def flagged(self, flags: int) -> Iterable[tuple[bytes, int]]:
        """Return the notable words that have one of these flags, each with all of its flags."""
        if not self.every & flags:
            return ()
        found = map(self._notable.get, self.runs)
        return {
            one[0]: one[1] for some in filter(None, found) for one in some if one[1] & flags
        }.items()

    @property
    def members(self) -> list[Value]:
        """The scalars of the JSON in it, from the first brace on."""
        if self._members is None:
            self._members = list(json_values(self.data, max(0, self.data.find(b"{"))))
        return self._members

    @property
    def days(self) -> list[tuple[int, int]]:
        """Where dates are written."""
        if self._days is None:
            self._days = [spans[0] for spans in SCANS["date"].each(self.data)]
        return self._days

    def hit(self, kind: Kind, start: int, end: int, why: str) -> None:
        """Note a span of this view; empty ones are nothing."""
        value = self.data[start:end]
        if TAKEN in value:
            bare = value.strip(TAKEN)  # a token stays as it is
            start += value.find(bare[:1])
            end, value = start + len(bare), bare
        if value[:4] == b"S-1-":
            return  # a SID stays, whatever stands before it
        if kind is Kind.NAME and _OF_MASKS.match(value) and in_mask(self.data, start, end):
            return
        if value and not value.isspace() and (kind is Kind.SECRET or not _is_none(value)):
            if self.facts and kind in GUESSED and self.is_fact(start, end):
                return
            self.found.append((start, end, kind, why))
            if self.taken is None:
                self.taken = bytearray(len(self.data))
            self.taken[start:end] = TAKEN * (end - start)
            if kind in PEOPLE:
                self.person = True

    def is_fact(self, start: int, end: int) -> bool:
        """Whether a span lies in what its own key says is equipment's, or in the key itself.

        It may reach into the next of a list.
        """
        held = [last for first, last in self.facts if first <= start < last]
        return any(
            end <= last
            or any(0 < one - last <= JOINT_MAX and end <= two for one, two in self.facts)
            for last in held
        )

    def covered(self, start: int, end: int) -> bool:
        """Whether the span touches what was found already."""
        return self.taken is not None and self.taken.find(1, start, end) >= 0

    @property
    def standing(self) -> dict[bytes, list[int]]:
        """Where each word of letters stands."""
        if self._standing is None:
            self._standing = {}
            for match in _WORD.finditer(self.lower):
                self._standing.setdefault(match.group(), []).append(match.start())
        return self._standing

    def places(self, word: bytes) -> Iterator[int]:
        """Yield where a word stands, bounded by what is no letter.

        Many words are looked for at once: one search for each would cost the square of the text.
        """
        self._asked += 1
        if self._asked > ASKED_MAX and word.isalpha():
            yield from self.standing.get(word, ())
            return
        lower, size = self.lower, len(word)
        at = lower.find(word)
        while at >= 0:
            end = at + size
            if not lower[at - 1 : at].isalpha() and not lower[end : end + 1].isalpha():
                yield at
            at = lower.find(word, end)


_OF_MACHINES = {
    b"rx": re.compile(rb"tx"),
    b"chart": re.compile(rb"(?:^|[^a-z])(?:helm|kube[a-z]*|grafana|argocd)(?:$|[^a-z])"),
    b"claim": re.compile(rb"(?:^|[^a-z])(?:pvc?|jwt|saml|oidc|audience|oauth2?)(?:$|[^a-z])"),
}
"""Words that speak of patients, each with what tells that here it is one of machines."""
_OF_PATIENTS = re.compile(
    rb"pid(?:[|^~\\]|[-.(][0-9]{1,2}(?![0-9])|[- ](?:segment|field)|\\{0,2}[\"']?[])]?(?: ?[=:#<>(]{1,2}| )[ \"'\\]{0,3}(?:[a-z-]{1,4})?[0-9]{2,3}-?[0-9]{2,3}-?[0-9]{2})"
)
"""A segment's name (HL7 v2) or a number longer than a process has: elsewhere `pid` is of one."""


def _is_of_machines(lower: bytes, runs: list[bytes], known: dict[bytes, int]) -> bool:
    """Whether what may speak of patients are words of machines: `rx` and `tx`, a process's `pid`."""
    if not any(map(lower.__contains__, _LOOKED_AT)):
        return False
    for word in {run.lower().strip(b"-_.") for run in runs if known[run] & CONTEXT}:
        if word == b"pid":
            if _OF_PATIENTS.search(lower) is not None:
                return False
            continue
        if word.startswith(b"pid_") and b"vid_" in lower:
            continue  # the product of a USB device
        if _QUEUE.fullmatch(word):
            continue
        tells = _OF_MACHINES.get(word.rstrip(b"s")) or (_LINKS if word.startswith(b"rx") else None)
        if tells is None or tells.search(lower) is None:
            return False
    return True


_LINKS = _OF_MACHINES[b"rx"]
_QUEUE = re.compile(rb"(?:adt|oru)[_-](?:in|out|inbound|outbound|queue|feed|q)")
"""Where messages about patients wait, whoever they are about."""
_LOOKED_AT = (*_OF_MACHINES, b"pid", b"adt", b"oru")


_MASKS = (b"0", b"9")
_MARKS = b" ()-/.:+"
MASK_DIGITS_MIN = 5


def _is_mask(value: bytes) -> bool:
    """Whether a value only shows how one is written, or stands for none: `999-99-9999`, `0000-00-00`."""
    figures = value.translate(None, _MARKS)
    return len(figures) >= MASK_DIGITS_MIN and not all(map(figures.strip, _MASKS))


def _is_none(value: bytes) -> bool:
    return (
        _is_mask(value)
        or (value[:1] in _OPENS and stands_for(value))
        or value in _FIELDS
        or (value[-1:] == b"X" and _TAXONOMY.fullmatch(value) is not None)
    )


_FIELDS = frozenset(
    b"MRN DOB SSN NPI LAST FIRST LASTNAME FIRSTNAME SUBSCRIBERID MEMBERID PATIENTID -> =>".split()
)
"""What a map of fields or a template has where a value will stand."""
_TAXONOMY = re.compile(rb"[1-4][0-9]{2}[0-9A-Z]{6}X")
"""A kind of provider (NUCC): `207Q00000X` is family medicine."""


_OF_MASKS = re.compile(
    rb"(?i)[\[{(<%#$]{0,2}(?:last|first|middle|full|given|family|sur|[lfm]?name|mi(?![a-z])|initials?|pre|suf|title|display|m\.?i)"
)
"""How the words begin that show in what order a name is written."""
_OPENS = frozenset(b"$:@?%#[({<\"'`"[at : at + 1] for at in range(12))


def digits(data: bytes) -> int:
    """Count the digits."""
    return len(data) - len(data.translate(None, b"0123456789"))

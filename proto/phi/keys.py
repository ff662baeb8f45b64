"""Which class a key, a column or a spoken cue tells: `patientLastName`, `PT_DOB`, "chart no".

A key is split into lower-case words: at separators, at changes of case, between letters and digits,
and, where words run together (`lastname`, `ptdob`), by the words that the tables know. The tables
are content (`rules/phi/keys.yaml`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from proto.phi.composed import Composed, Composition
from proto.phi.scan import Pattern

KEY_CHARS_MAX = 80
WORDS_MAX = 12
WORDS_SAID_MIN = 2
CACHE_MAX = 8192

_PIECES = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_INITIALS = re.compile(rb"(?<![A-Za-z.])(?:[A-Za-z]\.){2,6}[A-Za-z](?![A-Za-z])")
"""An abbreviation with its full stops: `D.O.B`, `m.r.n`."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """One class's phrases, each of words with single blanks between them."""

    anywhere: tuple[str, ...]
    whole: tuple[str, ...]
    person: tuple[str, ...]
    spoken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a key tells.

    Attributes:
        kind: the class's name; `NAME_MAYBE` is a name if the value reads like one.
        person: the key itself speaks of a person (patient, guarantor, subscriber).
    """

    kind: str
    person: bool


Info = tuple[Told | None, Told | None, bool] | None
"""What a run tells with a mark behind it, what it tells when spoken, whether phrases begin so."""


class Keys:
    """The tables, made ready to ask."""

    def __init__(
        self,
        classes: Mapping[str, Phrases],
        *,
        persons: tuple[str, ...],
        fillers: tuple[str, ...],
        infra: tuple[str, ...],
        facts: tuple[str, ...] = (),
        composed: tuple[Composed, ...] = (),
    ) -> None:
        """Index every phrase by its words."""
        self.persons = frozenset(word.encode() for word in persons)
        self.fillers = frozenset(word.encode() for word in fillers)
        self.infra = frozenset(word.encode() for word in infra)
        self._facts = self.infra | {word.encode() for word in facts}
        self.anywhere = _index(classes, "anywhere")
        self.whole = _index(classes, "whole")
        self.person = _index(classes, "person")
        self.spoken = _index(classes, "spoken")
        tables = (self.anywhere, self.whole, self.person, self.spoken)
        phrases = {phrase for table in tables for phrase in table}
        self.composition = Composition(
            composed, infra=self.infra, passed=self.persons | self.fillers
        )
        told = frozenset(word for phrase in phrases for word in phrase)
        self.atoms = told | self.composition.heads | self.composition.of
        self._known = self.atoms | self.persons | self.fillers | self.infra
        self._cues = told | self.persons | self.composition.of
        self._spoken_longest = max(map(len, self.spoken), default=1)
        self._told: dict[bytes, Told | None] = {}
        self._heard: dict[bytes, Told | None] = {}
        # One linear look tells whether a word can run together from known ones at all.
        joined = "|".join(sorted(word.decode() for word in self._known if len(word) > 1))
        self._together = Pattern(f"(?:{joined}){{2,6}}")
        self._first = self.composition.of | frozenset(
            phrase[0] for table in tables for phrase in table if len(phrase) > 1
        )

    def words(self, key: bytes) -> tuple[bytes, ...]:
        """Split a key into its lower-case words, at most `WORDS_MAX`."""
        if b"." in key:
            key = _INITIALS.sub(_without_stops, key[:KEY_CHARS_MAX])
        found: list[bytes] = []
        letter = b""  # LName, FName: a single letter belongs to what follows
        stop = 0
        for match in _PIECES.finditer(key[:KEY_CHARS_MAX]):
            word = match.group().lower()
            if match.start() - stop > 1:
                letter = b""  # s0-s0, of which digits are dots
            stop = match.end()
            if found and word.isdigit() and found[-1] + word in self.atoms:
                found[-1] += word  # last4, addr1
                continue
            if letter and letter + word in self._known:
                word = letter + word
                found.pop()
            letter = word if len(word) == 1 else b""
            if word in self._known or word.isdigit():
                found.append(word)
            else:
                found.extend(self._apart(word))
        named = [word for word in found if not word.isdigit()][:WORDS_MAX]
        bare = [word for word in named if word not in _WIDGETS]
        return tuple(bare or named)

    def told(self, key: bytes) -> Told | None:
        """Return what a key of `key: value` tells, None when it tells nothing of a person."""
        try:
            return self._told[key]
        except KeyError:
            told = self._tell(self.words(key))
        if len(self._told) >= CACHE_MAX:
            self._told.clear()
        self._told[key] = told
        return told

    def is_fact(self, key: bytes) -> bool:
        """Whether a key tells a fact about equipment: it speaks of such, and of nobody."""
        words = self.words(key)
        return (
            not self._facts.isdisjoint(words)
            and self.persons.isdisjoint(words)
            and self.told(key) is None
        )

    def info(self, run: bytes) -> Info:
        """Return all of a run of key characters at once; None when nothing begins with it."""
        words = self.words(run)
        told, kind = self._tell(words), self.spoken.get(words)
        heard = None if kind is None else Told(kind, not self.persons.isdisjoint(words))
        heard = heard or self._as_spoken(told, run, words)
        begins = not self._first.isdisjoint(words)
        return (told, heard, begins) if told or heard or begins else None

    def is_cue(self, word: bytes) -> bool:
        """Whether a lower-case word is, or runs together from, words of the tables."""
        if word in self._cues:
            return True
        if len(word) < 5 or len(word) > 40:
            return False
        if word.endswith(_SECRET_ENDS):
            return True
        if not self._together.whole(word):
            return False
        parts = self._apart(word)
        return len(parts) > 1 and any(part in self._cues for part in parts)

    def heard(self, key: bytes) -> Told | None:
        """Return what words of running text tell, all of them together."""
        try:
            return self._heard[key]
        except KeyError:
            words = self.words(key)
        kind = self.spoken.get(words)
        if kind == "NAME" and any(byte in b"0123456789" for byte in key):
            kind = None  # NURSE-19 is a machine
        told = None if kind is None else Told(kind, not self.persons.isdisjoint(words))
        told = told or self._as_spoken(self.told(key), key, words)
        if len(self._heard) >= CACHE_MAX:
            self._heard.clear()
        self._heard[key] = told
        return told

    def _as_spoken(self, told: Told | None, key: bytes, words: tuple[bytes, ...]) -> Told | None:
        """Return what a key of several known words tells without a mark: `chart number 12345`."""
        if (
            told is None
            or len(words) < WORDS_SAID_MIN
            or told.kind in _NOT_SAID
            or not _SAID_KEY(key)
            or not self._known.issuperset(words)
        ):
            return None
        return told

    def _tell(self, words: tuple[bytes, ...]) -> Told | None:
        if not words or words[:2] in _OF_SYSTEMS:
            return None
        person = not self.persons.isdisjoint(words)
        kind = (
            self.whole.get(words)
            or self._anywhere(words, person=person)
            or self.composition.kind(words)
        )
        if kind is None and not _LINKS.isdisjoint(words):
            bare = tuple(word for word in words if word not in _LINKS)
            kind = self._anywhere(bare, person=person) or self.composition.kind(bare)
        if kind is None:
            bare = tuple(word for word in words if word not in self.fillers)
            if person and self.infra.isdisjoint(words):
                kind = self._of_a_person(words, bare)
            if kind is None and bare != words and self.infra.isdisjoint(words):
                kind = self.whole.get(bare)
        if kind is None and words[-1] == b"by" and _is_deed(words[-2:-1]):
            kind = "USERNAME"
        if kind is None and words[-1] in _SHORT_SECRETS and _SERVICES.intersection(words[-3:-1]):
            kind = "SECRET"
        if kind is None or (
            kind == "SECRET" and (words[-1] in _ABOUT_SECRETS or b"public" in words)
        ):
            return None
        if kind == "FAX" and words[-1] in _OF_JOBS:
            return None
        return Told(kind, person)

    def _of_a_person(self, words: tuple[bytes, ...], bare: tuple[bytes, ...]) -> str | None:
        rest = tuple(word for word in bare if word not in self.persons)
        if rest:
            return self.person.get(rest) or self.person.get(rest[-1:]) or self.person.get(rest[:1])
        if bare != words and words[-1] in _NUMBERS:
            return "MRN"
        return self.whole.get(bare) or self.whole.get(bare[-1:])

    def _anywhere(self, words: tuple[bytes, ...], *, person: bool) -> str | None:
        for size in range(min(4, len(words)), 0, -1):
            for at in range(len(words) - size + 1):
                kind = self.anywhere.get(words[at : at + size])
                if kind is None:
                    continue
                # Equipment has addresses, cells, plates and pictures too.
                if size == 1 and not person and kind in _MAY_BE_INFRA:
                    rest = words[:at] + words[at + 1 :]
                    if not self.infra.isdisjoint(rest):
                        continue
                return kind
        return None

    def _apart(self, word: bytes) -> tuple[bytes, ...]:
        """Split words that run together; the word itself when it does not come out even."""
        if len(word) > 40 or len(word) < 4 or not self._together.whole(word):
            tail = next((one for one in _SECRET_ENDS if word.endswith(one) and word != one), b"")
            return (word[: -len(tail)], tail) if tail else (word,)
        # best[i]: the fewest known words that make up the first i letters
        best: list[tuple[bytes, ...] | None] = [()] + [None] * len(word)
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - 14), end):
                before = best[start]
                if before is None or len(before) > 4:
                    continue
                part = word[start:end]
                if part not in self._known or (len(part) < 2):
                    continue
                if best[end] is None or len(before) + 1 < len(best[end] or ()):
                    best[end] = (*before, part)
        return best[-1] or (word,)


_WIDGETS = frozenset({b"txt", b"lbl", b"tb", b"hf", b"ddl", b"dtp", b"chk"})
"""What programs for screens put before the names of their fields: `txtDOB`."""
_LINKS = frozenset({b"in", b"at", b"of", b"the", b"for", b"on", b"is", b"was", b"to", b"from"})
_SECRET_ENDS = (b"password", b"passwd", b"passphrase", b"apikey", b"secret", b"passwort")
"""What a run-together key of a secret ends with whatever is before: `PGPASSWORD`."""
_SHORT_SECRETS = frozenset({b"pass", b"pw", b"pwd", b"psk", b"passcode"})
_SERVICES = frozenset(
    b"smtp imap pop mail ftp sftp db sql mysql pg ldap http https proxy user login admin root app svc ssh vpn"
    b" wifi wlan ap snmp auth priv api redis mongo smb samba share nas backup archive zip pdf owner rdp vnc"
    b" ipmi bmc ilo idrac sip mqtt amqp broker repo keystore truststore ssl cert store bind sa service domain"
    b" become ansible sudo keytab ca client remote local host guest device router switch fw firewall pbx web portal ehr"
    b" pacs emr his ris lab report sync job task cron batch upload feed vendor join kiosk scanner printer camera nvr dvr radius restic borg new old temp default".split()
)
"""Before a short word for a password these make it one: `smtp_pass`."""
_ABOUT_SECRETS = frozenset(
    b"url uri endpoint type expires expiry expired expiration ttl lifetime length policy file path"
    b" name names count at status state required enabled authentication changed reset set last age"
    b" days attempts history complexity usage rotation issuer audience algorithm alg format size store"
    b" provider manager field label hint prompt kind scope date since until version vault ref time timestamp".split()
)
"""What ends a key that only speaks about a secret: `tokenUrl`, `passwordExpires`."""
_OF_SYSTEMS = frozenset({(b"ps", b"child"), (b"ps", b"parent"), (b"provider", b"guid")})
"""What PowerShell calls places of its drives, and who writes an event: `PSChildName`."""
_OF_JOBS = frozenset({b"id", b"job", b"jobid", b"queue", b"status"})
"""What ends a key of a fax that is sent, not of the number that it is sent to."""
_OF_THINGS = frozenset(
    b"caused triggered required replaced superseded blocked followed preceded divided sorted grouped ordered"
    b" indexed limited affected detected protected powered produced killed terminated quarantined mitigated"
    b" rejected encrypted compressed generated started stopped launched spawned loaded hosted managed provided"
    b" supported signed used referenced implemented derived multiplied emitted issued published enabled"
    b" covered filtered keyed named partitioned separated delimited backed implied inherited".split()
)
"""What things of machines do too, to each other: `caused_by`."""


def _is_deed(word: tuple[bytes, ...]) -> bool:
    """Whether before `by` stands what people do to a record: `validated_by`, `wheeled_by`."""
    return (
        bool(word)
        and len(word[0]) > DEED_LETTERS_MIN
        and (word[0].endswith((b"ed", b"ied")) and word[0] not in _OF_THINGS)
    )


DEED_LETTERS_MIN = 4
_NUMBERS = frozenset({b"id", b"no", b"num", b"number", b"nbr", b"code"})
_MAY_BE_INFRA = frozenset(
    [
        "ADDRESS",
        "CITY",
        "PHONE",
        "PHOTO",
        "VEHICLE",
        "DEVICE",
        "BIOMETRIC",
        "OTHER_ID",
        "ACCOUNT",
        "NAME",
        "LICENSE",
        "HEALTH_PLAN",
        "DATE",
        "URL",
    ]
)


_NOT_SAID = frozenset({"NAME_MAYBE", "DATE_MAYBE", "DEVICE_MAYBE"})
_SAID_KEY = re.compile(
    rb"(?:[A-Za-z]+|(?:[A-Za-z]\.){1,6}[A-Za-z])(?:\.?[ _-][A-Za-z]+)*\.?"
).fullmatch
"""What of keys can be said: words, not paths or hexadecimal digits."""


def _without_stops(initials: re.Match[bytes]) -> bytes:
    return initials.group().translate(None, b".").lower()


def _index(classes: Mapping[str, Phrases], table: str) -> dict[tuple[bytes, ...], str]:
    found: dict[tuple[bytes, ...], str] = {}
    for kind, phrases in classes.items():
        for phrase in getattr(phrases, table):
            words = tuple(word for word in re.sub(r"[^a-z0-9 ]", "", phrase).encode().split())
            found.setdefault(words, kind)
    return found

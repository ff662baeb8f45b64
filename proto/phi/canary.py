"""Canaries: patients who never were, planted every day where text comes from.

A canary's family name is seven syllables of which the last three check the first four, so whoever
holds some bytes can tell that a canary is in them, without a list and without knowing the site: the
hub does, and every appliance. The alternative, sending the hub keyed hashes of each site's canaries,
would have it hash every word that arrives under every site's key, and be blind whenever the lists
lag. A word of fourteen letters that alternate as these do is rare, and one that checks by chance
rarer by 2^18.

The form is public: a canary finds faults, not thieves. Who forges one rings an alarm and learns
nothing; the name and number of a real one are made from the appliance's own key.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from proto.phi.scan import Pattern

KEY_BYTES = 32
SOURCE_CHARS_MAX = 40

_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aeio"
_SYLLABLES = tuple(a + b for a in _CONSONANTS for b in _VOWELS)
_PLACES = {syllable: place for place, syllable in enumerate(_SYLLABLES)}
_FREE, _CHECKED = 4, 3
NAME_CHARS = 2 * (_FREE + _CHECKED)
_FORM = Pattern(rf"(?:[{_CONSONANTS}][{_VOWELS}]){{{_FREE + _CHECKED}}}")
_GIVEN = ("Anna", "David", "Emily", "James", "Laura", "Maria", "Peter", "Robert")
_CHECK_KEY = b"osiris canary"


@dataclass(frozen=True, slots=True)
class Canary:
    """A patient who never was.

    Attributes:
        family: as on paper, `Bodakifemolura`.
        mrn: ten digits.
        born: `1931-07-19`.
    """

    family: str
    given: str
    mrn: str
    born: str

    @property
    def values(self) -> tuple[bytes, ...]:
        """What no bytes that leave may hold, in lower case."""
        return self.family.lower().encode(), self.mrn.encode()

    def line(self) -> str:
        """Return a record of the patient as machines write them."""
        return f"Patient: {self.family}, {self.given} DOB: {self.born} MRN: {self.mrn}"

    def name(self) -> str:
        """Return the full name."""
        return f"{self.given} {self.family}"

    def label(self) -> str:
        """Return what somebody might call a device after the patient it stands with."""
        return f"pt {self.family}, {self.given}"


def canary(key: bytes, day: int, source: str) -> Canary:
    """Return the canary of a day in a source: the same one whenever it is asked for.

    Args:
        key: the appliance's own, `KEY_BYTES` random bytes; who lacks it cannot name its canaries.
        day: days since the epoch.
        source: where it is planted.

    Raises:
        ValueError: the key is too short.
    """
    if len(key) < KEY_BYTES:
        msg = f"a key of canaries has {KEY_BYTES} bytes"
        raise ValueError(msg)
    seed = hmac.digest(key, f"{day}\0{source}".encode(), "sha256")
    bits = int.from_bytes(seed[:8], "big")
    free = tuple(_SYLLABLES[bits >> (6 * place) & 63] for place in range(_FREE))
    born = int.from_bytes(seed[8:12], "big")
    return Canary(
        family="".join((*free, *_check(free))).capitalize(),
        given=_GIVEN[seed[12] % len(_GIVEN)],
        mrn=f"{int.from_bytes(seed[16:24], 'big') % 10**10:010}",
        born=f"{1930 + born % 60}-{1 + born // 60 % 12:02}-{1 + born // 720 % 28:02}",
    )


def places(lower: bytes) -> Iterator[tuple[int, int]]:
    """Yield where names of canaries, of whatever site, stand in lower-case bytes."""
    at = 0
    while True:
        found = next(iter(_FORM.each(lower, at)), None)
        if found is None:
            return
        start = found[0][0]
        # A name may begin one syllable later than what alternates with it does.
        at = start + 2
        if is_canary(lower[start : start + NAME_CHARS].decode("ascii")):
            yield start, start + NAME_CHARS
            at = start + NAME_CHARS


def is_canary(name: str) -> bool:
    """Whether a lower-case word is the family name of a canary."""
    syllables = tuple(name[at : at + 2] for at in range(0, len(name), 2))
    if len(syllables) != _FREE + _CHECKED or any(one not in _PLACES for one in syllables):
        return False
    return syllables[_FREE:] == _check(syllables[:_FREE])


def _check(free: tuple[str, ...]) -> tuple[str, ...]:
    digest = blake2b("".join(free).encode(), key=_CHECK_KEY, digest_size=4).digest()
    bits = int.from_bytes(digest, "big")
    return tuple(_SYLLABLES[bits >> (6 * place) & 63] for place in range(_CHECKED))

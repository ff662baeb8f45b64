"""What a token says about being somebody's name: general knowledge, and the people of this site.

Everything is asked with a folded token, and `fold` is the one way to fold: the engine, the
compiler of the gazetteer and the list of known people all use it, so that `Doležalová`,
`DOLEZALOVA` and `dolezalova`, `O'Brien` and `OBRIEN` are one token each.

The scale of `first` and `last`:

| weight | means |
|---|---|
| 0 | never seen as such a name |
| 1-63 | a word that is somebody's name too (may, bill, grant, page): never a name without a cue |
| 64-127 | a rare name, or one that is about as often a word: a name beside another name |
| 128-255 | a name first of all |

Known people are kept as keyed 64-bit hashes: who reads the memory learns nobody's name without the
device's key. A known name that is an ordinary word (Long, Young, Will) counts only together with
the other name of the same person; their numbers count alone, if they have `NUMBER_CHARS_MIN`
characters that matter, because a shorter one would be found in every counter and port.
"""

import csv
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from unicodedata import combining, normalize

from proto.errors import ConfigError
from proto.phi.gazetteer import Gazetteer

KEY_BYTES_MIN = 16
PEOPLE_MAX = 500_000
NAME_CHARACTERS_MAX = 120
NUMBER_CHARS_MIN = 6
KNOWN_TOKEN_LETTERS_MIN = 2
ORDINARY_NAME_WEIGHT_MAX = 63

# Letters that NFKD does not take apart, as the Census and passports write them.
_SPELLED = str.maketrans(
    {
        "\N{LATIN SMALL LETTER L WITH STROKE}": "l",
        "\N{LATIN SMALL LETTER O WITH STROKE}": "o",
        "\N{LATIN SMALL LETTER D WITH STROKE}": "d",
        "\N{LATIN SMALL LETTER ETH}": "d",
        "\N{LATIN SMALL LETTER THORN}": "th",
        "\N{LATIN SMALL LETTER SHARP S}": "ss",
        "\N{LATIN SMALL LETTER AE}": "ae",
        "\N{LATIN SMALL LIGATURE OE}": "oe",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "\N{LATIN SMALL LETTER H WITH STROKE}": "h",
        "\N{LATIN SMALL LETTER ENG}": "n",
        "\N{LATIN SMALL LETTER SCHWA}": "e",
    }
)
_FIRST_HEADERS = frozenset(
    {"first", "firstname", "fname", "given", "givenname", "forename", "preferred", "nickname"}
)
_LAST_HEADERS = frozenset({"last", "lastname", "lname", "surname", "family", "familyname"})
_NUMBER_HEADERS = frozenset(
    {"mrn", "mrnumber", "medicalrecordnumber", "medrecno", "recordnumber", "patientid", "patid",
     "patientnumber", "pid", "chart", "chartid", "chartno", "chartnumber", "account", "acct",
     "accountnumber", "memberid", "ssn"}
)  # fmt: skip
_NUMBER_PREFIXES = frozenset(
    {"", "mr", "mrn", "pt", "pid", "pat", "id", "chart", "acct", "no", "p"}
)
_PARTS = re.compile("['\N{RIGHT SINGLE QUOTATION MARK}-]")
_FULL_HEADERS = frozenset({"name", "fullname", "patient", "patientname", "displayname"})


def fold(token: str) -> str:
    """Return a token's lower-case letters without marks, hyphens, apostrophes and blanks."""
    if token.isascii():
        return token.lower() if token.isalpha() else "".join(filter(str.isalpha, token.lower()))
    spelled = token
    for _ in range(2):  # taking a letter apart may uncover a capital (Unicode 3.13, D146)
        spelled = normalize("NFKD", spelled.casefold().translate(_SPELLED))
    return "".join(letter for letter in spelled if letter.isalpha() and not combining(letter))


@dataclass(frozen=True, slots=True)
class KnownPeople:
    """The people of one site, as keyed hashes of folded names, pairs of them, and numbers."""

    key: bytes = b""
    tokens: "array[int]" = field(default_factory=lambda: array("Q"))
    pairs: "array[int]" = field(default_factory=lambda: array("Q"))
    numbers: "array[int]" = field(default_factory=lambda: array("Q"))
    count: int = 0

    def token(self, folded: str) -> bool:
        """Whether somebody here has this name."""
        return bool(self.tokens) and _has(self.tokens, _keyed(folded, self.key))

    def pair(self, one: str, other: str) -> bool:
        """Whether one person here has both names, in either order."""
        return bool(self.pairs) and _has(self.pairs, _keyed_pair(one, other, self.key))

    def number(self, number: str) -> bool:
        """Whether somebody here has this number, however it is written."""
        bare = bare_number(number)
        return len(bare) >= NUMBER_CHARS_MIN and _has(self.numbers, _keyed(bare, self.key))


NOBODY = KnownPeople()


@dataclass(frozen=True, slots=True)
class Names:
    """The one value that the engine asks about names."""

    gazetteer: Gazetteer
    people: KnownPeople = NOBODY

    def first(self, folded: str) -> int:
        """How surely a folded token is a first name, 0..255."""
        return self.gazetteer.weights(folded)[0]

    def last(self, folded: str) -> int:
        """How surely a folded token is a last name, 0..255."""
        return self.gazetteer.weights(folded)[1]

    def word(self, folded: str) -> int:
        """How common a folded token is as an English word, 0..255; 0 is no word at all."""
        return self.gazetteer.weights(folded)[2]

    def weights(self, folded: str) -> tuple[int, int, int]:
        """First, last and word weight with one look-up."""
        return self.gazetteer.weights(folded)

    def known(self, folded: str) -> bool:
        """Whether somebody of this site has this name and it is no ordinary word."""
        return self.people.token(folded) and not self._ordinary(folded)

    def somebody(self, folded: str) -> bool:
        """Whether somebody of this site has this name, be it an ordinary word or not."""
        return self.people.token(folded)

    def has_numbers(self) -> bool:
        """Whether numbers of this site's people are known at all."""
        return bool(self.people.numbers)

    def known_number(self, number: str) -> bool:
        """Whether somebody of this site has this record number."""
        return self.people.number(number)

    def known_pair(self, one: str, other: str) -> bool:
        """Whether one person of this site has both folded names, in either order."""
        return self.people.pair(one, other)

    def _ordinary(self, folded: str) -> bool:
        first, last, word = self.gazetteer.weights(folded)
        return word > 0 and max(first, last) <= ORDINARY_NAME_WEIGHT_MAX


@dataclass(frozen=True, slots=True)
class Listed:
    """One person of a list: names in any order, and record numbers."""

    names: tuple[str, ...]
    numbers: tuple[str, ...] = ()


def known_people(people: Iterable[Iterable[str] | Listed], key: bytes) -> KnownPeople:
    """Hash people, each as listed or as their names in any order, under the device's key.

    Raises:
        ConfigError: the key is too short, or there are too many people.
    """
    if len(key) < KEY_BYTES_MIN:
        msg = f"known people: the key has {len(key)} bytes, at least {KEY_BYTES_MIN} are needed"
        raise ConfigError(msg)
    tokens: set[int] = set()
    pairs: set[int] = set()
    numbers: set[int] = set()
    count = 0
    for count, one in enumerate(people, start=1):
        if count > PEOPLE_MAX:
            msg = f"known people: more than {PEOPLE_MAX}"
            raise ConfigError(msg)
        person = one if isinstance(one, Listed) else Listed(tuple(one))
        folded = sorted({token for name in person.names for token in _tokens(name)})
        tokens.update(_keyed(token, key) for token in folded)
        pairs.update(
            _keyed_pair(first, other, key)
            for at, first in enumerate(folded)
            for other in folded[at + 1 :]
        )
        bare = map(bare_number, person.numbers)
        numbers.update(_keyed(one, key) for one in bare if len(one) >= NUMBER_CHARS_MIN)
    return KnownPeople(key, _packed(tokens), _packed(pairs), _packed(numbers), count)


def listed_in_csv(text: str, *, where: str = "known people: line ") -> Iterator[Listed]:
    """Yield each person in a CSV that has a header.

    Columns are found by their headers (first, last, given, family, preferred, name, patient name;
    mrn, patient id, chart number and the like, in any case and spelling); others are not looked at.
    A full name may be written `Last, First` or `First Last`. `where` stands before the number of
    the line in errors.

    Raises:
        ConfigError: no column holds names, a line has more cells than the header, or a name is too
            long to be one.
    """
    rows = csv.reader(text.lstrip("\ufeff").splitlines(), strict=True)
    try:
        header = next(rows, [])
        names = _columns(header, _FIRST_HEADERS | _LAST_HEADERS | _FULL_HEADERS)
        numbers = _columns(header, _NUMBER_HEADERS)
        if not names:
            msg = f"{where}1: no column is called first, last, given, family or name"
            raise ConfigError(msg)
        for row in rows:
            place = f"{where}{rows.line_num}"
            if len(row) > len(header):
                msg = (
                    f"{place}: {len(row)} cells under {len(header)} headers: quote what has commas"
                )
                raise ConfigError(msg)
            person = Listed(_cells(row, names), _cells(row, numbers))
            if any(len(cell) > NAME_CHARACTERS_MAX for cell in (*person.names, *person.numbers)):
                msg = f"{place}: a name or number is too long"
                raise ConfigError(msg)
            if person.names or person.numbers:
                yield person
    except csv.Error as error:
        msg = f"{where}{rows.line_num}: {error}"
        raise ConfigError(msg) from error


def bare_number(number: str) -> str:
    """Return what of a number matters: no case, marks, leading zeros, nor a prefix as `MRN`."""
    lower = "".join(character for character in number.casefold() if character.isalnum())
    digits = lower.lstrip("abcdefghijklmnopqrstuvwxyz")
    if lower[: len(lower) - len(digits)] in _NUMBER_PREFIXES:
        lower = digits
    return lower.lstrip("0")


def _columns(header: list[str], wanted: frozenset[str]) -> list[int]:
    return [at for at, title in enumerate(header) if fold(title) in wanted]


def _cells(row: list[str], columns: list[int]) -> tuple[str, ...]:
    return tuple(row[at].strip() for at in columns if at < len(row) and row[at].strip())


def _tokens(name: str) -> Iterator[str]:
    """The folded tokens of a name: blanks and commas part them, a hyphen or apostrophe both ways."""
    for part in name.replace(",", " ").split():
        for piece in {part, *_PARTS.split(part)}:
            folded = fold(piece)
            if len(folded) >= KNOWN_TOKEN_LETTERS_MIN:
                yield folded


def _packed(hashes: set[int]) -> "array[int]":
    return array("Q", sorted(hashes))


def _keyed(text: str, key: bytes) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8, key=key[:64]).digest(), "big")


def _keyed_pair(one: str, other: str, key: bytes) -> int:
    return _keyed("\0".join(sorted((one, other))), key)


def _has(hashes: "array[int]", wanted: int) -> bool:
    at = bisect_left(hashes, wanted)
    return at < len(hashes) and hashes[at] == wanted

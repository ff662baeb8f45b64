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

Known people are kept as keyed 64-bit hashes: who reads the file learns nobody's name without the
device's key. A known name that is an ordinary word (Long, Young, Will) counts only together with
the other name of the same person.
"""

import csv
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
_FULL_HEADERS = frozenset({"name", "fullname", "patient", "patientname", "displayname"})


def fold(token: str) -> str:
    """Return a token's lower-case letters without marks, hyphens, apostrophes and blanks."""
    if token.isascii():
        return token.lower() if token.isalpha() else "".join(filter(str.isalpha, token.lower()))
    spelled = token.casefold().translate(_SPELLED)
    return "".join(
        letter
        for letter in normalize("NFKD", spelled)
        if letter.isalpha() and not combining(letter)
    )


@dataclass(frozen=True, slots=True)
class KnownPeople:
    """The people of one site, as keyed hashes of their folded names and of pairs of them."""

    key: bytes = b""
    tokens: "array[int]" = field(default_factory=lambda: array("Q"))
    pairs: "array[int]" = field(default_factory=lambda: array("Q"))

    def token(self, folded: str) -> bool:
        """Whether somebody here has this name."""
        return bool(self.tokens) and _has(self.tokens, _keyed(folded, self.key))

    def pair(self, one: str, other: str) -> bool:
        """Whether one person here has both names, in either order."""
        return bool(self.pairs) and _has(self.pairs, _keyed_pair(one, other, self.key))


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

    def known_pair(self, one: str, other: str) -> bool:
        """Whether one person of this site has both folded names, in either order."""
        return self.people.pair(one, other)

    def _ordinary(self, folded: str) -> bool:
        first, last, word = self.gazetteer.weights(folded)
        return word > 0 and max(first, last) <= ORDINARY_NAME_WEIGHT_MAX


def known_people(people: Iterable[Iterable[str]], key: bytes) -> KnownPeople:
    """Hash people, each given as their names in any order, under the device's key.

    Raises:
        ConfigError: the key is too short, or there are too many people.
    """
    if len(key) < KEY_BYTES_MIN:
        msg = f"known people: the key has {len(key)} bytes, at least {KEY_BYTES_MIN} are needed"
        raise ConfigError(msg)
    tokens: set[int] = set()
    pairs: set[int] = set()
    for count, names in enumerate(people, start=1):
        if count > PEOPLE_MAX:
            msg = f"known people: more than {PEOPLE_MAX}"
            raise ConfigError(msg)
        folded = sorted({token for name in names for token in _tokens(name)})
        tokens.update(_keyed(token, key) for token in folded)
        pairs.update(
            _keyed_pair(one, other, key)
            for at, one in enumerate(folded)
            for other in folded[at + 1 :]
        )
    return KnownPeople(key, array("Q", sorted(tokens)), array("Q", sorted(pairs)))


def people_in_csv(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the names of each person in a CSV that has a header.

    Columns are found by their headers (first, last, given, family, preferred, name, patient name
    and the like, in any case and spelling); others are not looked at. A full name may be written
    `Last, First` or `First Last`.

    Raises:
        ConfigError: no column holds names, or a name is too long to be one.
    """
    rows = csv.reader(text.lstrip("\ufeff").splitlines(), strict=True)
    try:
        columns = _name_columns(next(rows, []))
        for row in rows:
            names = tuple(row[at].strip() for at in columns if at < len(row) and row[at].strip())
            if any(len(name) > NAME_CHARACTERS_MAX for name in names):
                msg = f"known people: line {rows.line_num}: a name is too long"
                raise ConfigError(msg)
            if names:
                yield names
    except csv.Error as error:
        msg = f"known people: line {rows.line_num}: {error}"
        raise ConfigError(msg) from error


def _name_columns(header: list[str]) -> list[int]:
    wanted = _FIRST_HEADERS | _LAST_HEADERS | _FULL_HEADERS
    columns = [at for at, title in enumerate(header) if fold(title) in wanted]
    if not columns:
        msg = "known people: line 1: no column is called first, last, given, family or name"
        raise ConfigError(msg)
    return columns


def _tokens(name: str) -> Iterator[str]:
    """The folded tokens of a name: blanks and commas part them, and a hyphen both ways."""
    for part in name.replace(",", " ").split():
        for piece in {part, *part.split("-")}:
            folded = fold(piece)
            if len(folded) >= KNOWN_TOKEN_LETTERS_MIN:
                yield folded


def _keyed(text: str, key: bytes) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8, key=key[:64]).digest(), "big")


def _keyed_pair(one: str, other: str, key: bytes) -> int:
    return _keyed("\0".join(sorted((one, other))), key)


def _has(hashes: "array[int]", wanted: int) -> bool:
    at = bisect_left(hashes, wanted)
    return at < len(hashes) and hashes[at] == wanted

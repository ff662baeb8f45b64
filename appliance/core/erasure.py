"""Which values belong to one person, for erasing them: by the names, the numbers, the exact values.

It rather erases too much than too little: a value goes when it holds all of the person's names,
when it is made of nothing but some of them (a last name alone may be somebody else's too), when it
reads as a login of theirs, when one of their numbers stands in it, or when it is a value that was
given. What is encoded (base64, hex, %XX) is looked at decoded too.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import permutations
from unicodedata import normalize
from urllib.parse import unquote

from proto.errors import MalformedError
from proto.phi.names import fold
from proto.phi.values import Kind

NAMES_MAX = 8
VALUES_MAX = 32
LETTERS_MIN = 2
NUMBER_CHARS_MIN = 4
LAYERS_MAX = 3

_WORD = re.compile(r"[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}][^\W\d_]+)*")
_NUMBER = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_LEADING = re.compile(r"^[a-z]*0*")
_LOGINS = frozenset({Kind.USERNAME, Kind.EMAIL, Kind.HOST_PERSON})
_PLAIN = _LOGINS | {Kind.NAME}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be forgotten: folded names, bare numbers, normalised values."""

    names: frozenset[str]
    numbers: frozenset[str]
    values: frozenset[str]


def person(names: Iterable[str], numbers: Iterable[str], values: Iterable[str]) -> Person:
    """Return who is meant.

    Args:
        names: one full name, in any order, as words or as one text.
        numbers: record numbers and the like; what stands before the first significant digit does
            not count.
        values: exact values of any class: a telephone number, an address.

    Raises:
        MalformedError: nobody is named, or so little that it would fit everybody.
    """
    folded = frozenset(word for name in names for word in _words(name))
    bare = frozenset(_bare(number) for number in numbers)
    exact = frozenset(_normalised(value) for value in values)
    if not folded and not bare and not exact:
        msg = "name whom to forget: a name, a record number or a value"
        raise MalformedError(msg)
    if len(folded) > NAMES_MAX or len(bare) + len(exact) > VALUES_MAX:
        msg = f"at most {NAMES_MAX} names of one person and {VALUES_MAX} numbers and values"
        raise MalformedError(msg)
    if any(len(number) < NUMBER_CHARS_MIN for number in bare) or "" in exact:
        msg = f"a number needs at least {NUMBER_CHARS_MIN} characters after its leading zeros"
        raise MalformedError(msg)
    return Person(folded, bare, exact)


def belongs(whom: Person, kind: Kind, value: str) -> bool:
    """Whether a value of a class is the person's."""
    if _normalised(value) in whom.values:
        return True
    return any(_holds(whom, kind, layer) for layer in _layers(value, LAYERS_MAX))


def _holds(whom: Person, kind: Kind, text: str) -> bool:
    if whom.numbers:
        lower = text.casefold()
        pieces = {piece for run in _NUMBER.findall(lower) for piece in _pieces(run)}
        if any(_bare(piece) in whom.numbers for piece in pieces):
            return True
    if not whom.names:
        return False
    words = frozenset(_words(text))
    if whom.names <= words or words & _logins(whom.names):
        return True
    if kind in _LOGINS and len(words & whom.names) > 1:
        return True
    return kind in _PLAIN and bool(words) and words <= whom.names


def _pieces(run: str) -> Iterator[str]:
    """A run as it stands, without its marks, and its parts."""
    yield run
    yield run.replace("-", "").replace(".", "")
    yield from re.split("[.-]", run)


def _logins(names: frozenset[str]) -> frozenset[str]:
    pairs = permutations(names, 2)
    return frozenset(form for a, b in pairs for form in (a[0] + b, a + b[0], a + b))


def _words(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        folded = fold(match[0])
        if len(folded) >= LETTERS_MIN:
            yield folded


def _bare(number: str) -> str:
    lower = "".join(character for character in number.casefold() if character.isalnum())
    return _LEADING.sub("", lower) or lower


def _normalised(value: str) -> str:
    return " ".join(normalize("NFKC", value).casefold().split())


def _layers(text: str, depth: int) -> Iterator[str]:
    yield text
    if not depth:
        return
    unquoted = unquote(text)
    if unquoted != text:
        yield from _layers(unquoted, depth - 1)
    for raw in _decoded(text):
        for encoding in ("utf-8", "utf-16-le"):
            inner = raw.decode(encoding, "ignore")
            if inner and inner != text:
                yield from _layers(inner, depth - 1)


def _decoded(text: str) -> Iterator[bytes]:
    packed = "".join(text.split()).rstrip("=")
    if len(packed) < 2 * NUMBER_CHARS_MIN or not packed.isascii():
        return
    if _HEX.fullmatch(packed) is not None and len(packed) % 2 == 0:
        yield bytes.fromhex(packed)
    usual = packed.translate(_STANDARD)
    usual = usual[: len(usual) - (len(usual) % 4 == 1)]
    try:
        yield base64.b64decode(usual + "=" * (-len(usual) % 4), validate=True)
    except binascii.Error:
        return


_STANDARD = str.maketrans("-_", "+/")

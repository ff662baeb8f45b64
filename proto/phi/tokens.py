"""The tokens that stand where something was: `[CLASS-xxxxxxx]`.

Six base32 characters name the value in the vault; the seventh checks the class and the six, so that
a second scrubber lets a token be and text that only looks like one goes.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b

from proto.phi.scan import Pattern
from proto.phi.values import Kind

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
BODY_CHARS = 6
CHARS_MAX = 2 + 16 + 1 + BODY_CHARS + 1

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_FORM = re.compile(rf"\[([A-Z0-9_]{{2,16}})-([a-z2-7]{{{BODY_CHARS}}})([a-z2-7])\]")
_SCAN = Pattern(rf"\[[A-Z0-9_]{{2,16}}-[a-z2-7]{{{BODY_CHARS + 1}}}\]")
_KINDS = frozenset(Kind)


def check_character(kind: str, body: str) -> str:
    """Return the seventh character: a weighted sum over the class and the body."""
    total = sum(at * ord(letter) for at, letter in enumerate(kind, start=1))
    for at, letter in enumerate(body, start=1):
        total += (2 * at + 1) * _VALUES[letter]
    return ALPHABET[total % 32]


@lru_cache(maxsize=8192)
def make(kind: Kind, body: str) -> str:
    """Return the token of a class and six characters."""
    return f"[{kind.value}-{body}{check_character(kind.value, body)}]"


@lru_cache(maxsize=8192)
def is_token(text: str) -> bool:
    """Whether the whole text is a token of a known class whose check character is right."""
    match = _FORM.fullmatch(text)
    return (
        match is not None and match[1] in _KINDS and check_character(match[1], match[2]) == match[3]
    )


def places(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where whole, right tokens stand."""
    if b"]" not in data:
        return
    for spans in _SCAN.each(data):
        start, end = spans[0]
        if is_token(data[start:end].decode("ascii")):
            yield start, end


def kind_of(token: str) -> Kind:
    """Return a token's class."""
    return Kind(token[1 : token.index("-")])


class ThrowAwayVault:
    """A vault for one call that keeps nothing: the n-th new value gets the n-th body of a seed.

    Equal text gives equal output, and no token can be computed from the value it stands for.
    """

    __slots__ = ("_given",)

    def __init__(self) -> None:
        """Begin empty."""
        self._given: dict[tuple[Kind, str], str] = {}

    def body(self, kind: Kind, value: str) -> str:
        """Return the body of a value, the same one for the same value."""
        key = (kind, value)
        found = self._given.get(key)
        if found is None:
            found = self._given[key] = _body(len(self._given))
        return found

    def knows(self, token: str) -> bool:
        """Accept every well-formed token: there is nothing to look it up in."""
        return is_token(token)


def _body(number: int) -> str:
    if number < len(_FIRST_BODIES):
        return _FIRST_BODIES[number]
    return _seeded(number)


def _seeded(number: int) -> str:
    raw = blake2b(number.to_bytes(8, "big"), key=b"osiris throw-away vault", digest_size=8).digest()
    bits = int.from_bytes(raw, "big")
    return "".join(ALPHABET[(bits >> (5 * at)) & 31] for at in range(BODY_CHARS))


_FIRST_BODIES = tuple(_seeded(number) for number in range(256))

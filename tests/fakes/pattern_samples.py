"""Texts that a pattern matches, one at least for each of its alternatives.

Made from the pattern's own syntax tree, so that an alternative that is added is sampled without
anybody's remembering it. A class of characters gives a letter, a digit and a mark in turn, what may
be missing is missing once and present once, and every alternative is taken once with the rest of
the pattern at its plainest.
"""

import re
from collections.abc import Iterator, Sequence
from re import _constants as code  # type: ignore[attr-defined] # the tree has no public door
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from proto.phi.scan import Pattern

TASTES = ("axq7A9", "7q9axA", "A9aq7x", "-_+q7aA", ".:/ a7A", " 7aA-")
"""Which characters of a class are taken first."""
LENGTHS = (1, 2, 4, 12)
"""How many times, of those that a repeat allows beyond its least, one is tried."""

Node = tuple[Any, Any]


class Way(NamedTuple):
    """How samples are made: which characters come first; whether what may be missing is there."""

    taste: str
    full: bool


def samples(pattern: Pattern) -> Iterator[str]:
    """Yield texts that the pattern matches, with a blank around where it wants an edge."""
    tree = parser.parse(pattern.form)
    for way in (Way(taste, full) for taste in TASTES for full in (False, True)):
        for text in dict.fromkeys(_sequence(tree, way)):
            for placed in (text, f" {text} ", f"x {text}", f"\n{text}\n"):
                if pattern.found(placed.encode("latin-1")):
                    yield placed


def _sequence(nodes: Sequence[Node], way: Way) -> list[str]:
    """The plainest text, and one for each other choice at each place."""
    choices = [_choices(node, way) for node in nodes]
    plain = [some[0] for some in choices]
    texts = ["".join(plain)]
    for at, some in enumerate(choices):
        before, after = "".join(plain[:at]), "".join(plain[at + 1 :])
        texts.extend(before + other + after for other in some[1:])
    return texts


def _choices(node: Node, way: Way) -> list[str]:
    """Every text that is tried for one node, the plainest first."""
    kind, value = node
    if kind is code.BRANCH:
        return [text for branch in value[1] for text in _sequence(branch, way)]
    if kind is code.SUBPATTERN:
        return _sequence(value[-1], way)
    if kind in {code.MAX_REPEAT, code.MIN_REPEAT}:
        return _repeated(value, way)
    return [_one(kind, value, way.taste)]


def _one(kind: Any, value: Any, taste: str) -> str:  # noqa: ANN401 - the tree has no types
    if kind is code.LITERAL:
        return chr(value)
    if kind is code.NOT_LITERAL:
        return next(one for one in taste if ord(one) != value)
    if kind is code.IN:
        return _of_class(value, taste)
    if kind in {code.ANY, code.AT}:
        return taste[0] if kind is code.ANY else ""
    msg = f"no sample is known of {kind}"
    raise AssertionError(msg)


def _repeated(value: tuple[int, int, Any], way: Way) -> list[str]:
    least, most, nodes = value
    inner = _sequence(nodes, way)
    texts = [one * least for one in inner]
    more = [one * (least + over) for one in inner for over in LENGTHS if least + over <= most]
    return list(dict.fromkeys([*more, *texts] if way.full else [*texts, *more]))


def _of_class(items: Sequence[Node], taste: str) -> str:
    for one in taste + "".join(map(chr, range(32, 127))) + "\t\n\r":
        if _in_class(items, ord(one)):
            return one
    msg = f"no character is known of {items}"
    raise AssertionError(msg)


def _in_class(items: Sequence[Node], byte: int) -> bool:
    negated = items[0][0] is code.NEGATE
    found = any(_matches(item, byte) for item in items)
    return found is not negated


def _matches(item: Node, byte: int) -> bool:
    kind, value = item
    if kind is code.LITERAL:
        return bool(byte == value)
    if kind is code.RANGE:
        return bool(value[0] <= byte <= value[1])
    if kind is code.CATEGORY:
        letter = {code.CATEGORY_SPACE: r"\s", code.CATEGORY_DIGIT: r"\d", code.CATEGORY_WORD: r"\w"}
        return re.fullmatch(letter[value], chr(byte), re.ASCII) is not None
    return False

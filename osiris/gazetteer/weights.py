"""Turns counts of people and of words into the weights that the scrubber reads.

Two things decide. How many people have the name: a logarithm, from one in a hundred million up to
one in a thousand. And whether the name explains how often the token is written: `smith` is written
0.01 times a person who has it, `mark` 0.04, `grant` 0.4, `page` 2 and `may` 20 times. Up to
`NAME_RATIO` the token counts in full, from `WORD_RATIO` on it is a word that somebody is called.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log10

from proto.phi.names import fold

NAME_RATIO = 0.05
WORD_RATIO = 0.6
WORD_WEIGHT = 20
SHORT_NAME_WEIGHT_MAX = 90
SHORT_LETTERS = 2
LETTERS_MAX = 24
RARE = 0.36
PER_DECADE = 0.128
WORD_PER_DECADE = 48
MACHINE_WORD_WEIGHT = 160

Shares = Mapping[str, float]
Row = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Counted:
    """Shares per million: of people with a first name, with a last name, of words in running text.

    The keys are folded. `machine` are tokens of machine text that no frequency list of prose has
    (lan, nas, ehr): each is a word first of all, whoever is called so.
    """

    first: Shares
    last: Shares
    words: Shares
    machine: frozenset[str] = frozenset()


def per_million(counts: Iterable[tuple[str, float]], *, of: float) -> dict[str, float]:
    """Fold the tokens of (token, count) and return their counts per million of `of`."""
    shares: dict[str, float] = {}
    for token, count in counts:
        folded = fold(token)
        if 2 <= len(folded) <= LETTERS_MAX:  # noqa: PLR2004 - a letter alone is an initial
            shares[folded] = shares.get(folded, 0.0) + count / of * 1e6
    return shares


def highest(*several: Shares) -> Shares:
    """Join shares from several sources of one kind, the highest for each token."""
    joined: dict[str, float] = {}
    for shares in several:
        for token, share in shares.items():
            joined[token] = max(share, joined.get(token, 0.0))
    return joined


def weigh(counted: Counted) -> dict[str, Row]:
    """Return first, last and word weight (0..255) of every token that has one."""
    rows: dict[str, Row] = {}
    for token in {*counted.first, *counted.last, *counted.words, *counted.machine}:
        first = counted.first.get(token, 0.0)
        last = counted.last.get(token, 0.0)
        word = counted.words.get(token, 0.0)
        machine = token in counted.machine
        wordiness = 1.0 if machine else _wordiness(word, people=first + last)
        top = SHORT_NAME_WEIGHT_MAX if len(token) <= SHORT_LETTERS else 255
        rows[token] = (
            min(top, _name_weight(first, wordiness)),
            min(top, _name_weight(last, wordiness)),
            max(_word_weight(word), MACHINE_WORD_WEIGHT if machine else 0),
        )
    return rows


def _wordiness(word: float, *, people: float) -> float:
    """0 when the name explains the word, 1 when it does not at all."""
    if not word or not people:
        return 0.0
    steps = log10(word / people / NAME_RATIO) / log10(WORD_RATIO / NAME_RATIO)
    return min(1.0, max(0.0, steps))


def _name_weight(share: float, wordiness: float) -> int:
    if not share:
        return 0
    strength = min(1.0, max(0.3, RARE + PER_DECADE * (log10(share) + 2)))
    return round(255 * strength * (1 - wordiness) + min(WORD_WEIGHT, 255 * strength) * wordiness)


def _word_weight(share: float) -> int:
    """1 for a word of one in a hundred million, 48 more for each ten times as common."""
    return min(255, max(1, round(1 + WORD_PER_DECADE * (log10(share) + 2)))) if share else 0

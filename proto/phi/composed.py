"""Keys that no table lists: a head word with a word of what it is of makes the class.

Software prints more keys than a table holds: `patientRemoteIp`, `pump_sn`, `EncNum`, `scanned by`.
Their words are few: the head tells which kind of value stands there (a number, a day, a link), the
other words whose it is. The order of the two does not matter (`date implanted`, `id patient`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

WORDS_MAX = 6

_ABOUT = frozenset(
    b"type status count enabled required length valid flag format mismatch total missing version mask"
    b" reader label class size limit error state level source mode".split()
)
"""What ends a key that speaks about a value rather than gives it: `visitNumberFormat`."""


@dataclass(frozen=True, slots=True)
class Composed:
    """One class, by words of which a key has one of each.

    Attributes:
        kind: the class's name.
        heads: which kind of value it is.
        of: what it is of.
    """

    kind: str
    heads: frozenset[bytes]
    of: frozenset[bytes]


class Composition:
    """The entries in their order, ready to ask."""

    def __init__(
        self, entries: Sequence[Composed], *, infra: frozenset[bytes], passed: frozenset[bytes]
    ) -> None:
        """Keep the entries.

        Args:
            entries: the earlier wins.
            infra: words of equipment, which take a key back.
            passed: words of people, and those that say nothing: they never do.
        """
        self._entries = tuple(entries)
        self._infra = infra
        self._passed = passed
        self.heads = frozenset(word for one in entries for word in one.heads)
        self.of = frozenset(word for one in entries for word in one.of)

    def kind(self, words: tuple[bytes, ...]) -> str | None:
        """Return the class that a key's words make together, None when they make none."""
        if not 1 < len(words) <= WORDS_MAX or words[-1] in _ABOUT:
            return None
        for one in self._entries:
            if self._holds(one, words):
                return one.kind
        return None

    def _holds(self, one: Composed, words: tuple[bytes, ...]) -> bool:
        heads = [at for at, word in enumerate(words) if word in one.heads]
        of = [at for at, word in enumerate(words) if word in one.of]
        if not heads or not of or heads == of == heads[:1]:
            return False
        return not any(
            word in self._infra
            and word not in one.heads
            and word not in one.of
            and word not in self._passed
            for word in words
        )

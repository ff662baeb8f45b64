"""Linear-time patterns over bytes: the one place that speaks to RE2.

A record is scanned as ASCII bytes of the same length as its (folded) text, so offsets are indexes of
characters and nothing is encoded or counted twice. RE2 has no backtracking: time is linear in the
text whatever the text is.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Self

import re2

# The class behind `re2.compile`: its Match gives spans without building a match object each.
from re2 import _re2

Spans = list[tuple[int, int]]
"""A match: its span and its groups' spans; (-1, -1) is a group that took no part."""

Match = Callable[..., Spans]
"""RE2's own: from where to where of the bytes to look, and how."""

MEMORY_BYTES_MAX = 8 << 20
"""For each pattern; what RE2 cannot keep in it is worked out again."""

SETS_MAX = 8192

_WHOLE = _re2.RE2.Anchor.ANCHOR_BOTH
_UNANCHORED = _re2.RE2.Anchor.UNANCHORED


def _options() -> "re2.Options":
    options = re2.Options()
    options.max_mem = MEMORY_BYTES_MAX
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return options


class Pattern:
    """One pattern, compiled when it is first looked for: most records need few of them."""

    __slots__ = ("_match", "form")

    def __init__(self, pattern: str) -> None:
        """Note what is to be compiled."""
        self._match: Match = self._first_match
        self.form = pattern

    def _first_match(self, *asked: Any) -> Spans:  # noqa: ANN401 - as RE2's own
        """Compile, and match from now on by what was compiled.

        Raises:
            re2.error: RE2 refuses the pattern.
        """
        compiled = _re2.RE2(self.form.encode("latin-1"), _options())
        if not compiled.ok():
            raise re2.error(compiled.error())
        self._match = compiled.Match
        return self._match(*asked)

    def each(self, data: bytes, start: int = 0) -> Iterable[Spans]:
        """Return matches from left to right that do not overlap; empty ones end the search."""
        spans: Spans = self._match(_UNANCHORED, data, start, len(data))
        return self._further(data, spans, start) if spans[0][1] > start else ()

    def _further(self, data: bytes, spans: Spans, start: int) -> Iterator[Spans]:
        match, end = self._match, len(data)
        stop = spans[0][1]
        while stop > start:  # not -1, nor an empty match that would stand still
            yield spans
            if stop >= end:
                return
            spans = match(_UNANCHORED, data, stop, end)
            start, stop = stop, spans[0][1]

    def values(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield the spans of group 1, searching on from its end.

        What stands behind a value and shows where it ends may also stand before the next one.
        """
        match, end, start = self._match, len(data), 0
        while start < end:
            spans: Spans = match(_UNANCHORED, data, start, end)
            if spans[0][1] < 0 or spans[1][1] <= start:
                return
            yield spans[1]
            start = spans[1][1]

    def whole(self, data: bytes) -> bool:
        """Whether it matches all of the bytes."""
        return bool(self._match(_WHOLE, data, 0, len(data))[0][0] >= 0)

    def found(self, data: bytes) -> bool:
        """Whether it matches anywhere."""
        return bool(self._match(_UNANCHORED, data, 0, len(data))[0][0] >= 0)


class Sought(NamedTuple):
    """A pattern beside a few bytes that tell faster than it that it matches nowhere.

    Attributes:
        needs: one of them stands in the lower case of whatever the pattern matches.
        pattern: what is looked for where one of them stands.
    """

    needs: tuple[bytes, ...]
    pattern: Pattern

    @classmethod
    def of(cls, needs: str, form: str) -> Self:
        """Compile a form; `|` parts what it needs, and the empty text stands everywhere."""
        return cls(tuple(needs.encode("latin-1").split(b"|")), Pattern(form))


class Gate:
    """Many patterns at once: which of them match somewhere, in one pass."""

    __slots__ = ("_match", "_names", "_set")

    def __init__(self, patterns: dict[str, str]) -> None:
        """Compile every pattern under its name.

        Raises:
            re2.error: RE2 refuses one of them, or all of them together.
        """
        # The class behind `re2.Set`, for the reason given above.
        self._set = _re2.Set(_UNANCHORED, _options())
        for pattern in patterns.values():
            if self._set.Add(pattern.encode("latin-1")) < 0:
                msg = f"refused: {pattern}"
                raise re2.error(msg)
        if not self._set.Compile():
            msg = "too many patterns for one gate"
            raise re2.error(msg)
        self._match = self._set.Match
        self._names = tuple(patterns)

    def numbers(self, data: bytes) -> tuple[int, ...]:
        """Return the numbers of those that match, for `names`."""
        return tuple(self._match(data))

    def names(self, numbers: tuple[int, ...]) -> frozenset[str]:
        """Return the names of some by their numbers."""
        return frozenset(map(self._names.__getitem__, numbers))

    def lit(self, data: bytes) -> frozenset[str]:
        """Return the names of those that match."""
        return self.names(self.numbers(data))

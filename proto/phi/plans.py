"""Which readers a record calls for: worked out once for each set of forms, not once a record."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from proto.phi.record import Record
from proto.phi.scan import Pattern

PLANS_MAX = 1024
"""Sets of forms whose readers are kept, for one list of readers; the rest are worked out again."""

Gated = tuple[tuple[str, tuple[Pattern, ...]], ...]
"""Gates, each with the patterns that are tried only when it is lit."""
Reader = Callable[[Record], None]
Plan = Callable[[frozenset[str]], tuple[Reader, ...]]


def plan(readers: Iterable[tuple[Reader, frozenset[str]]]) -> Plan:
    """Return what tells the readers to ask, in their order, where some forms are.

    Args:
        readers: each with the forms that call for it; one that none calls for is always asked.
    """
    every = tuple(readers)

    @lru_cache(maxsize=PLANS_MAX)
    def wanted(forms: frozenset[str]) -> tuple[Reader, ...]:
        return tuple(read for read, gates in every if not gates or not gates.isdisjoint(forms))

    return wanted


def captured(record: Record, gated: Gated) -> Iterator[tuple[Pattern, int, int]]:
    """Yield what the groups of the patterns stand for whose gate is lit, and whose they are."""
    shapes = record.shapes
    for gate, patterns in gated:
        if gate in shapes:
            for pattern in patterns:
                for spans in pattern.each(record.data):
                    for start, end in spans[1:]:
                        if start >= 0:
                            yield pattern, start, end

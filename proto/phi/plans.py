"""Which readers a record calls for: worked out once for each set of forms, not once a record."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from proto.phi.record import Record

PLANS_MAX = 1024
"""Sets of forms whose readers are kept, for one list of readers; the rest are worked out again."""

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

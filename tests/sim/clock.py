"""What every simulated process is given: the run it is part of, its time and its randomness."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from proto.catalog.model import Content
from tests.fakes.clock import SeededEntropy
from tests.sim.trace import Trace

START_MS = 1_767_225_600_000
"""The first moment of 2026, when every run begins."""


@dataclass(frozen=True, slots=True)
class Common:
    """What all nodes of a run share."""

    seed: int
    trace: Trace
    content: Content
    on_crash: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SimClock:
    """A machine's time of day: virtual, and off by a constant."""

    skew_ms: int = 0

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return START_MS + self.skew_ms + round(asyncio.get_running_loop().time() * 1000)


def entropy_of(common: Common, name: str, lives: int) -> SeededEntropy:
    """Return the randomness of one start of one node."""
    return SeededEntropy(Random(f"{common.seed}:{name}:{lives}").getrandbits(63))  # noqa: S311 - a simulator is seeded

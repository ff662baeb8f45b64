"""The time of day and randomness, as a daemon has them; everything else takes them as arguments."""

import secrets
import time
from typing import Protocol


class Clock(Protocol):
    """The time of day. Waiting is asyncio's own sleep, which a simulator's loop makes virtual."""

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        ...


class Entropy(Protocol):
    """Randomness: `system_entropy` in a daemon, a seeded generator in a simulator."""

    def __call__(self, size_bytes: int, /) -> bytes:
        """Return this many random bytes."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


class SteadyClock:
    """A clock that nobody sets: for measuring how long something takes, never for a date."""

    def now_ms(self) -> int:
        """Return milliseconds since some moment in the past."""
        return time.monotonic_ns() // 1_000_000


class StartedClock:
    """The time of day at the start, and how long this process has run since: nobody sets it."""

    def __init__(self, day: Clock, steady: Clock) -> None:
        """Start now: `day` is read once, `steady` from now on."""
        self._steady = steady
        self._ahead_ms = day.now_ms() - steady.now_ms()

    def now_ms(self) -> int:
        """Return milliseconds since the epoch, if the clock was right at the start."""
        return self._ahead_ms + self._steady.now_ms()


def system_entropy(size_bytes: int, /) -> bytes:
    """Return random bytes from the operating system."""
    return secrets.token_bytes(size_bytes)


def seconds(clock: Clock) -> int:
    """Return whole seconds since the epoch, as statements carry them."""
    return clock.now_ms() // 1000

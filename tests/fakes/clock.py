"""Time and randomness that a test owns."""

import hashlib


class ManualClock:
    """`ports.Clock` that stands still until it is moved."""

    def __init__(self, now_ms: int = 1_767_225_600_000) -> None:
        """Start at `now_ms`; by default the first second of 2026."""
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return self._now_ms

    def advance(self, milliseconds: int) -> None:
        """Move forward, or backward as a machine's clock sometimes does."""
        self._now_ms += milliseconds


class SeededEntropy:
    """`ports.Entropy` that gives the same bytes for the same seed: SHAKE-256 over a counter."""

    def __init__(self, seed: int = 0) -> None:
        """Start the stream of `seed`."""
        self._seed = seed
        self._calls = 0

    def __call__(self, size_bytes: int, /) -> bytes:
        """Return the next bytes."""
        self._calls += 1
        return hashlib.shake_256(f"{self._seed}:{self._calls}".encode()).digest(size_bytes)

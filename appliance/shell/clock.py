"""The time of day and true randomness."""

import secrets
import time


class SystemClock:
    """`ports.Clock` by the system's clock."""

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


class SystemEntropy:
    """`ports.Entropy` by the kernel's generator."""

    def __call__(self, size_bytes: int, /) -> bytes:
        """Return this many random bytes."""
        return secrets.token_bytes(size_bytes)

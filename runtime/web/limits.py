"""Throttling sign-ins: by account and by address, with waits that double.

Pure: time is an argument. The first `FREE` failures cost nothing; each further one doubles the
wait. A success forgets the account's failures and leaves the address's: many accounts tried from
one place stay slow. A try that succeeded was no failure, however it was counted meanwhile.
Who failed in the future (a clock was set back) has not failed.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace

FREE = 5
WAIT_FIRST_MS = 1_000
WAIT_MAX_MS = 15 * 60_000
FORGET_AFTER_MS = 60 * 60_000
KEYS_MAX = 4096


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    last_ms: int

    def until_ms(self) -> int:
        """Return when the next try is looked at."""
        over = self.count - FREE
        if over < 0:
            return self.last_ms
        return self.last_ms + min(WAIT_FIRST_MS << min(over, 20), WAIT_MAX_MS)


class Throttle:
    """Failures by key, in memory and bounded: the one that failed longest ago goes first."""

    def __init__(self) -> None:
        """Start with no failures."""
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait_ms(self, *keys: str, now_ms: int) -> int:
        """Return how long a try for these keys must still wait; 0 is not at all."""
        found = (self._failures.get(key) for key in keys)
        waits = (one.until_ms() - now_ms for one in found if one and one.last_ms <= now_ms)
        return max(0, *waits, 0)

    def failed(self, *keys: str, now_ms: int) -> None:
        """Note a failure."""
        for key in keys:
            old = self._failures.pop(key, None)
            recent = old is not None and 0 <= now_ms - old.last_ms < FORGET_AFTER_MS
            self._failures[key] = _Failures(old.count + 1 if old and recent else 1, now_ms)
        while len(self._failures) > KEYS_MAX:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget an account's failures."""
        self._failures.pop(key, None)

    def take_back(self, key: str) -> None:
        """Count one failure less: the try was a success."""
        old = self._failures.get(key)
        if old is None or old.count == 1:
            self._failures.pop(key, None)
        else:
            self._failures[key] = replace(old, count=old.count - 1)

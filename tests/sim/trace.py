"""The trace of a run: one digest over everything that happened, and the lines if somebody asks."""

import hashlib
from collections.abc import Callable


class Trace:
    """Takes what happens in order. Two runs are the same run when their digests are equal."""

    def __init__(self, now_s: Callable[[], float], *, show: Callable[[str], None] | None) -> None:
        """Read the time from `now_s`; hand every line to `show` as well, when there is one."""
        self._now_s = now_s
        self._show = show
        self._hash = hashlib.sha256()
        self.lines = 0

    def note(self, who: str, what: str) -> None:
        """Take one line: who did what, now."""
        line = f"{self._now_s():.6f} {who} {what}\n"
        self._hash.update(line.encode())
        self.lines += 1
        if self._show is not None:
            self._show(line)

    @property
    def digest(self) -> str:
        """The hex SHA-256 of all lines so far."""
        return self._hash.hexdigest()

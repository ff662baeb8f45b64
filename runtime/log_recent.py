"""The newest lines of the log, kept in memory as they were written: scrubbed, and bounded.

What a process wrote is with the service manager's journal; this is for the process itself, which
need not be allowed to read that.
"""

import json
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from structlog.typing import EventDict

LINES_MAX: Final = 2000
LINE_CHARS_MAX: Final = 1000
LEVELS: Final = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `text` is its JSON as it was written, cut at `LINE_CHARS_MAX`."""

    at_ms: int
    level: str
    part: str
    text: str


class Recent:
    """A processor that keeps what passes; last in the chain but for the one that writes."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lines: deque[Line] = deque(maxlen=LINES_MAX)

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """Keep a line."""
        level, part = str(event.get("level", "info")), str(event.get("part", ""))
        told = json.dumps(event, ensure_ascii=False, default=str)[:LINE_CHARS_MAX]
        self._lines.append(Line(_at_ms(event), level, part, told))
        return event

    def lines(
        self, *, since_ms: int, level: str, parts: Collection[str] | None = None
    ) -> list[Line]:
        """Return lines of at least this level, oldest first; `parts` None is every part."""
        least = LEVELS.index(level)
        return [
            line
            for line in tuple(self._lines)  # another thread may write meanwhile
            if line.at_ms >= since_ms
            and LEVELS.index(line.level) >= least
            and (parts is None or line.part in parts)
        ]


def _at_ms(event: EventDict) -> int:
    """Return when the line was written, as its own time stamp says."""
    told = datetime.fromisoformat(str(event["timestamp"])).replace(tzinfo=UTC)
    return int(told.timestamp() * 1000)

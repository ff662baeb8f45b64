"""Words on a terminal: labels in one column, text in the other, and nothing of it in the wrong one.

A text that is longer than the screen goes on under itself: what somebody wrote never reaches the
column of the labels, so it cannot pass for a line of ours however wide the screen is.
"""

import shutil
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from proto.order_words import Line
from runtime.terminal import plain

WIDTH_MIN: Final = 60
WIDTH_MAX: Final = 100
_GAP: Final = "  "


def moment(seconds: int) -> str:
    """Return a time in UTC and in this machine's zone: people sign by their own clock."""
    try:
        here = datetime.fromtimestamp(seconds, UTC).astimezone()
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s after 1970 (no date)"
    there = here.astimezone(UTC)
    text = f"{there:%Y-%m-%d %H:%M:%S} UTC"
    return text if here.utcoffset() == there.utcoffset() else f"{text} ({here:%a %H:%M %Z})"


def width() -> int:
    """Return how many columns to use."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, WIDTH_MIN), WIDTH_MAX)


def laid_out(lines: Iterable[Line], *, columns: int) -> str:
    """Return lines as a terminal may show them, each text within its own column."""
    found = tuple(lines)
    left = max((len(line.label) for line in found), default=0)
    room = columns - left - len(_GAP)
    out: list[str] = []
    for line in found:
        label = plain(line.label).replace("\n", "\\n")
        text = plain(line.text).replace("\n", "\\n")
        for number, part in enumerate(_wrapped(text, room)):
            out.append(f"{'' if number else label:<{left}}{_GAP}{part}".rstrip())
    return "\n".join(out)


def _wrapped(text: str, room: int) -> list[str]:
    """Break at the last space that fits, else anywhere; wide letters take two columns."""
    parts: list[str] = []
    while _columns(text) > room:
        cut = _fitting(text, room)
        space = text.rfind(" ", 1, cut + 1)
        at = space if space > 0 else cut
        parts.append(text[:at])
        text = text[at:].removeprefix(" ")
    return [*parts, text]


def _fitting(text: str, room: int) -> int:
    """Return how many characters fit, at least one."""
    used = 0
    for place, char in enumerate(text):
        used += _columns(char)
        if used > room:
            return max(place, 1)
    return len(text)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1 for char in text)

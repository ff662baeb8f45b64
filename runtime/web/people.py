"""Times, counts and shares as people read them.

Every time is given in the site's time zone with the zone named. A share keeps its denominator, and
nothing out of nothing has no share at all: it is never shown as everything.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from proto.errors import ConfigError

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S
_UNITS = ((DAY_S, "day"), (HOUR_S, "hour"), (MINUTE_S, "minute"))
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def zone(name: str) -> tzinfo:
    """Return the time zone of this name ("America/New_York", "UTC").

    Raises:
        ConfigError: the machine's time zone data has no such name.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        msg = f"site.time_zone: no time zone is called {name!r:.60}"
        raise ConfigError(msg) from None


def at(ms: int, where: tzinfo) -> datetime:
    """Return a stored time (milliseconds since the epoch) in a zone."""
    return datetime.fromtimestamp(ms / 1000, where)


def clock_time(ms: int, where: tzinfo) -> str:
    """Return "10:42 AM EST"."""
    moment = at(ms, where)
    hour = moment.hour % 12 or 12
    return f"{hour}:{moment:%M} {'AM' if moment.hour < 12 else 'PM'} {moment.tzname()}"  # noqa: PLR2004 - noon


def date(ms: int, where: tzinfo) -> str:
    """Return "Nov 22, 2026"."""
    moment = at(ms, where)
    return f"{moment:%b} {moment.day}, {moment.year}"


def moment(ms: int, where: tzinfo) -> str:
    """Return "Nov 22, 2026, 10:42 AM EST"."""
    return f"{date(ms, where)}, {clock_time(ms, where)}"


def rfc3339(ms: int) -> str:
    """Return "2026-11-22T15:42:00Z", for machines that read the page."""
    return f"{at(ms, UTC):%Y-%m-%dT%H:%M:%SZ}"


def local_rfc3339(ms: int, where: tzinfo) -> str:
    """Return "2026-11-22T10:42:00-05:00", for a person's spreadsheet."""
    return at(ms, where).isoformat(timespec="seconds")


def start_of_day_ms(now_ms: int, where: tzinfo) -> int:
    """Return when today began in a zone, milliseconds since the epoch."""
    midnight = at(now_ms, where).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(midnight.timestamp() * 1000)


def end_of_day_ms(text: str, where: tzinfo) -> int | None:
    """Return the last millisecond of a day written "2026-12-31", or None for any other text."""
    if not _DATE.fullmatch(text):
        return None
    year, month, day = (int(part) for part in text.split("-"))
    try:
        last = datetime(year, month, day, 23, 59, 59, 999_000, tzinfo=where)
    except ValueError:
        return None
    return int(last.timestamp() * 1000)


def duration(seconds: int) -> str:
    """Return a length of time in its largest whole unit: "less than a minute", "3 hours"."""
    for size_s, name in _UNITS:
        if seconds >= size_s:
            return count(seconds // size_s, name)
    return "less than a minute"


def ago(ms: int, now_ms: int) -> str:
    """Return "just now", "3 minutes ago"; a time ahead of the clock is "in 2 days"."""
    seconds = (now_ms - ms) // 1000
    if abs(seconds) < MINUTE_S:
        return "just now"
    return f"{duration(seconds)} ago" if seconds > 0 else f"in {duration(-seconds)}"


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """Return the noun that fits a number."""
    return noun if number == 1 else nouns or f"{noun}s"


def count(number: int, noun: str, nouns: str | None = None) -> str:
    """Return "1 computer", "5 computers", "1,200 computers"."""
    return f"{number:,} {plural(number, noun, nouns)}"


def joined(parts: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return " and ".join([*([", ".join(parts[:-1])] if parts[:-1] else []), *parts[-1:]])


def percent(part: int, whole: int) -> str | None:
    """Return a whole percentage, rounded so that 100 % and 0 % mean all and none.

    Nothing out of nothing is None: there is no share to speak of.
    """
    if whole <= 0:
        return None
    share = round(100 * part / whole)
    if part < whole:
        share = min(share, 99)
    if part > 0:
        share = max(share, 1)
    return f"{share} %"


def share(part: int, whole: int) -> str:
    """Return "12 of 15 (80 %)", or "none to count yet" when there is nothing to divide by."""
    figure = percent(part, whole)
    return f"{part:,} of {whole:,} ({figure})" if figure else "none to count yet"

"""How an appliance is doing, as far as the hub can tell from hearing of it."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from central.core.settings import HubSettings


class Presence(StrEnum):
    """Whether an appliance is heard of, and whether what it says is of today."""

    ONLINE = "online"
    BLIND = "blind"
    LATE = "late"
    SILENT = "silent"
    NEVER = "never"


def presence(
    *, last_seen_ms: int | None, as_of_s: int, now_ms: int, settings: HubSettings
) -> Presence:
    """Return how an appliance stands.

    Online: heard of lately. Blind: heard of lately, but its oldest current finding is too old to
    speak for the site (`as_of_s`; 0 is "no finding yet", which is not blind). Late, silent: not
    heard of for longer than `late_after_s`, `silent_after_s`.
    """
    if last_seen_ms is None:
        return Presence.NEVER
    quiet_s = (now_ms - last_seen_ms) / 1000
    if quiet_s >= settings.silent_after_s:
        return Presence.SILENT
    if quiet_s >= settings.late_after_s:
        return Presence.LATE
    if as_of_s and now_ms / 1000 - as_of_s >= settings.findings_old_after_s:
        return Presence.BLIND
    return Presence.ONLINE


_WORST_FIRST = (
    Presence.SILENT,
    Presence.LATE,
    Presence.BLIND,
    Presence.NEVER,
    Presence.ONLINE,
)


def worst(found: Iterable[Presence]) -> Presence:
    """Return how a site stands: as its worst appliance; a site without one is `never`."""
    there = set(found)
    return next((one for one in _WORST_FIRST if one in there), Presence.NEVER)


def counts(found: Iterable[Presence]) -> dict[Presence, int]:
    """Return how many appliances stand in each way, every way listed."""
    counted = Counter(found)
    return {one: counted[one] for one in Presence}

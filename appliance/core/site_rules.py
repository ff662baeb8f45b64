"""What holds repairs back at a site: what its people set on the LAN, and what orders set.

The two are kept apart. No order changes what the LAN set, and of everything that is in force for a
check the most cautious holds; so an order can take back what an order did, and nothing more.

What an order set has an end date and ends by itself. Two people's order (tier 3) takes the place of
what orders said of the same thing before; one person's (tier 2) only adds to it, so that it can
shorten nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from appliance.core.order_gate.values import Window
from proto.catalog.model import Autonomy
from proto.invariants import require
from proto.orders.kinds import CAUTION, Setting

ALL: Final = "all"
"""Every check, or every target: said in a word, never by leaving it out."""

DAYS: Final = 7
MINUTES_OF_DAY: Final = 24 * 60
SPAN_MINUTES_MIN: Final = 15
_AHEAD_DAYS: Final = range(-2, DAYS + 2)
"""One that began two days ago may still be open at a clock change; the next is a week off."""


class Matter(StrEnum):
    """What an order can set."""

    AUTONOMY = "autonomy"
    HEALING = "healing"
    WAIVER = "waiver"


@dataclass(frozen=True, slots=True)
class Ordered:
    """One thing that an order set.

    Attributes:
        check: a check's id, or `ALL`.
        target: a target's id, or `ALL`; only a waiver names one.
        autonomy: the level, for `Matter.AUTONOMY`; a matter of healing means `OBSERVE`.
        until_ms: when it ends by itself.
        order: the order's sid, hex.
    """

    matter: Matter
    check: str
    target: str
    autonomy: Autonomy | None
    until_ms: int
    order: str

    def is_about(self, check: str) -> bool:
        """Tell whether it holds for a check."""
        return self.check in {check, ALL}

    def waives(self, target: str, check: str) -> bool:
        """Tell whether it waives a check on a target."""
        is_there = self.target in {target, ALL}
        return self.matter is Matter.WAIVER and is_there and self.is_about(check)

    def level(self) -> Autonomy | None:
        """Return how far it lets automation go; None when it says nothing of that."""
        return Autonomy.OBSERVE if self.matter is Matter.HEALING else self.autonomy


@dataclass(frozen=True, slots=True)
class Dial:
    """How far automation may go for one check now; `is_ordered`: because an order says so."""

    setting: Setting
    is_ordered: bool

    @property
    def autonomy(self) -> Autonomy:
        """The level."""
        return self.setting.autonomy


@dataclass(frozen=True, slots=True)
class SiteRules:
    """Everything that is in force at a moment.

    Attributes:
        lan: how far the LAN lets automation go: the configured level, or observe only.
        ordered: what orders set and has not ended.
        waived: the (target, check) pairs that people on the LAN waived.
        protected: the targets that nothing may change.
        window: None where no maintenance windows are set.
    """

    lan: Autonomy
    ordered: tuple[Ordered, ...] = ()
    waived: frozenset[tuple[str, str]] = frozenset()
    protected: frozenset[str] = frozenset()
    window: Window | None = None

    def dial(self, check: str) -> Dial:
        """Return how far automation may go for a check (`ALL`: for one that nothing names)."""
        said = [
            (level, one.until_ms // 1000)
            for one in self.ordered
            if one.is_about(check) and (level := one.level()) is not None
        ]
        least = min((level for level, _ in said), key=CAUTION.index, default=Autonomy.AUTO)
        if CAUTION.index(least) >= CAUTION.index(self.lan):
            return Dial(Setting(self.lan), is_ordered=False)
        until_s = max(until_s for level, until_s in said if level is least)
        return Dial(Setting(least, until_s), is_ordered=True)

    def is_waived(self, target: str, check: str) -> bool:
        """Tell whether a check is waived on a target, by the LAN or by an order."""
        is_ordered = any(one.waives(target, check) for one in self.ordered)
        return is_ordered or (target, check) in self.waived

    def settings(self) -> dict[str, Setting]:
        """Return the dial of every check that an order's setting names, by the check's id."""
        named = {one.check for one in self.ordered if one.level() is not None} - {ALL}
        return {check: self.dial(check).setting for check in sorted(named)}

    def waivers_until_s(self, checks: Iterable[str]) -> dict[str, int]:
        """Return the latest end of what orders waive, for each of these checks that has one.

        A waiver on one target counts as one of the check: ending it is for two people to order.
        """
        found: dict[str, int] = {}
        waivers = [one for one in self.ordered if one.matter is Matter.WAIVER]
        for check in checks if waivers else ():
            ends = [one.until_ms // 1000 for one in waivers if one.is_about(check)]
            if ends:
                found[check] = max(ends)
        return found


@dataclass(frozen=True, slots=True)
class Span:
    """A maintenance window that comes back every week, in the site's time zone.

    Attributes:
        days: the days of the week on which it begins, Monday is 0.
        start_min: minutes after midnight.
        length_min: how long it is open; it may end on the next day.
    """

    days: frozenset[int]
    start_min: int
    length_min: int

    def __post_init__(self) -> None:
        """Hold what every window must be."""
        require(bool(self.days) and self.days <= set(range(DAYS)), "a window has days of the week")
        require(0 <= self.start_min < MINUTES_OF_DAY, "a window begins within a day")
        is_sane = SPAN_MINUTES_MIN <= self.length_min <= MINUTES_OF_DAY
        require(is_sane, "a window lasts from a quarter of an hour to a day")


def window_at(spans: Iterable[Span], zone: tzinfo, *, now_s: int) -> Window | None:
    """Return whether a maintenance window is open, and when the next one begins.

    Windows are of the clock on the wall: one that begins in the hour which a clock change leaves
    out begins as if it had not been left out.
    """
    starts: list[tuple[int, int]] = []
    today = datetime.fromtimestamp(now_s, zone).date()
    for span in spans:
        for ahead in _AHEAD_DAYS:
            day = today + timedelta(days=ahead)
            if day.weekday() in span.days:
                hour, minute = divmod(span.start_min, 60)
                begin = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                start_s = int(begin.timestamp())
                starts.append((start_s, start_s + span.length_min * 60))
    if not starts:
        return None
    is_open = any(start_s <= now_s < end_s for start_s, end_s in starts)
    return Window(is_open, min(start_s for start_s, _ in starts if start_s > now_s))

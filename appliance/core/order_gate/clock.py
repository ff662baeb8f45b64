"""The floor clock: a time that was signed has passed, whatever the clock on the wall says.

now = max(clock, floor). The floor is the highest signed time that was verified, kept durable:

- an online key (a head, an order, a checkpoint) moves it at most to the appliance's own clock and a
  day: to the clock, not to the floor, so that many heads do not add up;
- further only the iat of a statement that people signed, or a person on the LAN;
- only a person on the LAN and a new trust root lower it, and both are put in evidence. A root
  lowers it no further than to what has surely passed (`passed_s`): whoever holds both the hub and
  the network's clock may keep a root back, set the clock to the days after it was made, and then
  show it, to have orders run that ended since.

The clock on the wall never moves it: a clock that was ahead for a while leaves nothing behind.

The floor only ends things: orders, grants, keys, metadata. It ends no waiver and nothing else that
holds repairs back, shortens no wait, empties no hourly budget, and makes nothing fresh: else
whoever holds an online key skips a time lock with one head, or has repaired a day sooner what
people waived. Waits are counted on the appliance's own clock (`Moment.clock_s`): the clock on the
wall as it was when the process started, and how long the process has run since. So

- setting the clock on the wall, forward or back, changes no wait of a running process;
- a process that starts begins every ring wait and time lock anew: how long the process before it
  waited was counted on a clock that may have been slow, as it often is after a boot, and the step
  to the right time is no time that passed. A start makes a wait longer and never shorter;
- what people put off to a date waits for that date by the clock on the wall as it was at the start;
- what an hour's budget was used for ages only while a process runs and counts it: at a start it is
  as old as when the process before was last seen (`aged`), whatever either clock said. So a start
  on a right clock frees nothing that was used on a slow one, and one on a clock that was set back
  holds nothing longer. The time that nothing ran does not count: a start makes an hour longer,
  never shorter. The refusals that brake orders are counted in the same way.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

ONLINE_AHEAD_S_MAX: Final = 86_400


@dataclass(frozen=True, slots=True)
class Floor:
    """The highest time, in seconds, that is known to have passed."""

    at_s: int = 0

    def now_s(self, clock_s: int) -> int:
        """Return the time by which orders are judged."""
        return max(clock_s, self.at_s)

    def after_online(self, signed_s: int, *, clock_s: int) -> "Floor":
        """Return the floor after an online key's statement of that time was verified."""
        return self._raised(min(signed_s, clock_s + ONLINE_AHEAD_S_MAX))

    def after_people(self, signed_s: int) -> "Floor":
        """Return the floor after a statement that people signed, of that iat, was verified."""
        return self._raised(signed_s)

    def set_by_person(self, to_s: int) -> "Floor":
        """Return the floor that a person on the LAN set, higher or lower."""
        return Floor(to_s)

    def after_root(self, created_s: int, *, clock_s: int, passed_s: int = 0) -> "Floor":
        """Return the floor after trust root N + 1: one that is ahead comes back to what is known.

        That is when the root was made, the clock on the wall, and what has surely passed: a root
        that was held back for long lowers no floor that is right.
        """
        return Floor(min(self.at_s, max(created_s, clock_s, passed_s)))

    def _raised(self, to_s: int) -> "Floor":
        return self if to_s <= self.at_s else Floor(to_s)


def passed_s(known_s: int, *, ran_s: int, signed_s: Iterable[int], clock_s: int) -> int:
    """Return a time that has surely passed, whatever a clock says that somebody set back.

    It is the newest date that people signed and that the clock on the wall had reached when it was
    looked at, and how long this appliance has run since. A date that people signed ahead of that
    clock is a slip of theirs, or the clock is wrong: it is not counted.

    Args:
        known_s: what was known to have passed.
        ran_s: how long the process has run since that was noted, by a clock that nobody sets.
        signed_s: when people say that they signed what is in force.
        clock_s: the clock on the wall.
    """
    reached = (one for one in signed_s if one <= clock_s)
    return max(known_s + ran_s, *reached, 0)


def aged(at_s: int, *, seen_s: int, own_s: int) -> int:
    """Return when something happened, by the own clock of a process that starts.

    Args:
        at_s: when, by the own clock of the process before.
        seen_s: what that clock said when it was last seen.
        own_s: the own clock of the process that starts.
    """
    return own_s - max(seen_s - at_s, 0)

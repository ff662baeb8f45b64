"""The running clock: what a rule's cooldown and every budget of repairs by rules are counted by.

It counts while the appliance runs, and nobody sets it. So

- a clock on the wall that is set, forward or back, frees nothing that was used and holds nothing
  longer: a cooldown is over when it was run through;
- the time that nothing ran does not count: a start makes a wait longer, never shorter. A process
  notes how far it came once a minute while something is counted; one that was cut off goes on from
  there;
- where it starts is no matter: it is compared with itself alone. It began at the time on the wall,
  or at the newest use that was counted by that before.

What people read, and when an incident is looked at again, is told on the clock on the wall: `lead`
ahead of this one. Where that clock was set, what waits moves along.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NOTED_EVERY_MS: Final = 60_000
STEP_MS: Final = 2_000
"""By how much two clocks may drift apart between two looks before one was set."""


@dataclass(slots=True)
class RunClock:
    """The running clock of one process.

    Attributes:
        at_ms: what it said last; None before the process read how far the one before it came.
        own_ms: what the process's own clock said then.
        noted_ms: how far the store knows that it came.
        wall_lead_ms: how far the clock on the wall was ahead of the process's own at the last look.
    """

    at_ms: int | None = None
    own_ms: int = 0
    noted_ms: int | None = None
    wall_lead_ms: int | None = None

    def begin(self, noted_ms: int | None, *, own_ms: int, first: Iterable[int]) -> None:
        """Go on from where the process before came.

        Args:
            noted_ms: how far that was; None where none noted anything.
            own_ms: the process's own clock.
            first: of these the latest is where the first process begins.
        """
        self.at_ms = max(first) if noted_ms is None else noted_ms
        self.own_ms, self.noted_ms = own_ms, noted_ms

    def now_ms(self, own_ms: int) -> int | None:
        """Return the time by this clock, None before it began; it never goes back."""
        if self.at_ms is None:
            return None
        self.at_ms += max(own_ms - self.own_ms, 0)
        self.own_ms = own_ms
        return self.at_ms

    def has_stepped(self, *, wall_ms: int, own_ms: int) -> bool:
        """Tell whether the clock on the wall was set since the last look, or this is the first."""
        before_ms = self.wall_lead_ms
        return before_ms is None or abs(wall_ms - own_ms - before_ms) >= STEP_MS

    def stepped_ms(self, *, wall_ms: int, own_ms: int) -> int | None:
        """Return by how much the clock on the wall was set since the last look.

        None at the first look of a process: nobody knows what became of it meanwhile.
        """
        lead_ms, before_ms = wall_ms - own_ms, self.wall_lead_ms
        if before_ms is None:
            self.wall_lead_ms = lead_ms
            return None
        if not self.has_stepped(wall_ms=wall_ms, own_ms=own_ms):
            return 0
        self.wall_lead_ms = lead_ms
        return lead_ms - before_ms

"""What the hub cannot lift: limits that people set on the LAN, and brakes that apply themselves.

- observe-only and protected hosts: nothing changes a target there, whoever signed;
- changes an hour: orders and rules have a budget each, so neither can starve the other;
- different targets an hour: the larger of 3 and a fifth of them, over orders and rules together;
- maintenance windows;
- three security refusals within ten minutes: no order above tier 0 until people clear it. Rules go
  on healing, so refusals cannot be used to switch healing off.

An order that is over a limit is refused; a repair by a rule waits (`core/gates.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appliance.core.order_gate.clock import aged
from appliance.core.order_gate.values import History
from proto.opinions import Clear
from proto.order_codes import REASONS, Code
from proto.orders.kinds import HOUR_S

REFUSALS_MAX: Final = 3
REFUSALS_WITHIN_S: Final = 600
TOUCHED_MIN: Final = 3
TOUCHED_PERCENT: Final = 20


@dataclass(frozen=True, slots=True)
class SecurityWatch:
    """Counts refusals that an honest hub never causes.

    Attributes:
        recent: the times of the last ones, at most three, seconds.
        held_since_s: since when orders are held back; None when they are not. It names the hold,
            so no two begin at the same second, whatever the clock says.
        cleared_s: the name of the newest hold that was cleared.
    """

    recent: tuple[int, ...] = ()
    held_since_s: int | None = None
    cleared_s: int = 0

    def aged(self, *, seen_s: int, own_s: int) -> "SecurityWatch":
        """Return the watch of a process that starts; see `clock.aged`."""
        recent = tuple(aged(one, seen_s=seen_s, own_s=own_s) for one in self.recent)
        return SecurityWatch(recent, self.held_since_s, self.cleared_s)

    def after(self, code: Code, *, now_s: int) -> "SecurityWatch":
        """Return the watch after a refusal."""
        if not REASONS[code].is_security:
            return self
        near = tuple(one for one in self.recent if now_s - one < REFUSALS_WITHIN_S)
        recent = (*near, now_s)[-REFUSALS_MAX:]
        is_held = self.held_since_s is None and len(recent) >= REFUSALS_MAX
        since_s = max(now_s, self.cleared_s + 1) if is_held else self.held_since_s
        return SecurityWatch(recent, since_s, self.cleared_s)

    def cleared(self, clear: Clear) -> "SecurityWatch":
        """Return the watch after people cleared a hold: this one, not another."""
        if clear.since != self.held_since_s:
            return self
        return SecurityWatch(cleared_s=max(self.cleared_s, clear.since))


def touched_max(targets: int) -> int:
    """Return how many different targets may be changed within an hour."""
    return max(TOUCHED_MIN, targets * TOUCHED_PERCENT // 100)


def blast_problem(targets: frozenset[str], history: History, *, known: int) -> str | None:
    """Return why changing these targets would touch too many within the hour, or None."""
    if targets <= history.touched:
        return None
    touched = len(history.touched | targets)
    if touched <= touched_max(known):
        return None
    return f"{touched} of {known} targets within the hour, {touched_max(known)} may be"


def blast_until_ms(target: str, touched_ms: Mapping[str, int], *, known: int) -> int:
    """Return when a rule may change this target, 0 for now.

    Args:
        target: the one to be changed.
        touched_ms: the targets that were changed within the hour -> when last.
        known: how many targets there are.
    """
    most = touched_max(known)
    if target in touched_ms or len(touched_ms) < most:
        return 0
    return sorted(touched_ms.values())[len(touched_ms) - most] + HOUR_S * 1000

"""What the hub cannot lift: limits that people set on the LAN, and brakes that apply themselves.

- observe-only and protected hosts: nothing changes a target there, whoever signed;
- changes an hour: orders and rules have a budget each, so neither can starve the other;
- different targets an hour: the larger of 3 and a fifth of them, over orders and rules together;
- maintenance windows;
- three security refusals within ten minutes: no order above tier 0 until people clear it. Rules go
  on healing, so refusals cannot be used to switch healing off.

Rules (L1) and plans (L2) pass here too, as candidates that nobody signed: `permit` lets them do
only what policy lets rules do.
"""

from dataclasses import dataclass
from typing import Final

from appliance.core.order_gate.values import (
    History,
    LanRules,
    Permitted,
    Refused,
    Waiting,
)
from proto.catalog.model import Autonomy, Runbook
from proto.opinions import Clear
from proto.order_codes import REASONS, Code
from proto.orders.kinds import CAUTION, is_grave

REFUSALS_MAX: Final = 3
REFUSALS_WITHIN_S: Final = 600
TOUCHED_MIN: Final = 3
TOUCHED_PERCENT: Final = 20


@dataclass(frozen=True, slots=True)
class SecurityWatch:
    """Counts refusals that an honest hub never causes.

    Attributes:
        recent: the times of the last ones, at most three, seconds.
        held_since_s: since when orders are held back; None when they are not.
    """

    recent: tuple[int, ...] = ()
    held_since_s: int | None = None

    def after(self, code: Code, *, now_s: int) -> "SecurityWatch":
        """Return the watch after a refusal."""
        if not REASONS[code].is_security:
            return self
        near = tuple(one for one in self.recent if now_s - one < REFUSALS_WITHIN_S)
        recent = (*near, now_s)[-REFUSALS_MAX:]
        is_held = self.held_since_s is None and len(recent) >= REFUSALS_MAX
        return SecurityWatch(recent, now_s if is_held else self.held_since_s)

    def cleared(self, clear: Clear) -> "SecurityWatch":
        """Return the watch after people cleared a hold: this one, not another."""
        return SecurityWatch() if clear.since == self.held_since_s else self


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


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a rule or a plan would do: nobody signed it.

    Attributes:
        check: the incident's check.
        targets_known: how many targets there are here.
    """

    target: str
    check: str
    runbook: Runbook
    targets_known: int


def permit(
    candidate: Candidate, *, rules: LanRules, history: History, now_s: int
) -> Permitted | Waiting | Refused:
    """Decide about a candidate of a rule or a plan, by the codes of orders."""
    problem = _set_on_lan(candidate, rules, now_s) or _spent(candidate, rules, history)
    if problem is not None:
        code, detail = problem
        return Refused(code, detail, None)
    if _level(candidate, rules) is Autonomy.WINDOW and rules.window and not rules.window.is_open:
        return Waiting(Code.MAINTENANCE_WINDOW, rules.window.opens_s, None, "for a window")
    return Permitted()


def _level(candidate: Candidate, rules: LanRules) -> Autonomy:
    setting = rules.checks.get(candidate.check, rules.site).autonomy
    return min(setting, candidate.runbook.autonomy, key=CAUTION.index)


def _set_on_lan(candidate: Candidate, rules: LanRules, now_s: int) -> tuple[Code, str] | None:
    if rules.is_observe_only:
        return Code.OBSERVE_ONLY, "the site observes only"
    if candidate.target in rules.protected:
        return Code.PROTECTED_HOST, candidate.target
    level = _level(candidate, rules)
    is_waived = rules.waived_until_s.get(candidate.check, 0) > now_s
    is_let = level is Autonomy.AUTO or (level is Autonomy.WINDOW and rules.window is not None)
    if is_waived or not is_let or is_grave(candidate.runbook):
        return Code.POLICY, f"{candidate.runbook.id} may go as far as {level}"
    return None


def _spent(candidate: Candidate, rules: LanRules, history: History) -> tuple[Code, str] | None:
    if history.by_rules >= rules.rules_per_hour:
        return Code.RATE_HOUR, f"{history.by_rules} changes by rules within the hour"
    blast = blast_problem(frozenset({candidate.target}), history, known=candidate.targets_known)
    return None if blast is None else (Code.BLAST_RADIUS, blast)

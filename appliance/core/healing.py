"""Healing: a pure state machine. Events go in, the new incident, commands and records come out.

Rules it keeps:

- Healed is reached only from verifying, by a compliant verdict of the check that the rule is for,
  probed in a session of its own. Nothing else is ever healed: not an exit status, not "no error".
- Capture comes before the first step, and its answer is journaled before the first step starts.
- A step that failed, or a verify that did not pass, leads to undo; an irreversible one to a person.
- What a crash or a lost connection left open has the outcome unknown. An unknown step is looked at
  again by the verify, never run again. An unknown undo goes to a person. Capture and verify only
  read, so they may be asked again, a bounded number of times.
- A step or an undo that never started changed nothing and may be tried later; but a login that was
  refused is not tried again, because accounts are locked after a few refusals.
- A script that was lost sight of may live on for a moment: `SETTLE_MS` pass before the verify.
- After `ATTEMPTS_MAX` attempts that were undone, a person takes over.

| state | event | next state | command |
|---|---|---|---|
| open | Begin | planned, or executing without a capture | capture, or step 0 |
| planned | Captured | executing | step 0 |
| planned | NotRun, Unknown | planned, later; then open | capture again |
| planned | Refused | open, later | |
| planned | Failed | escalated | |
| executing | StepDone | executing, or verifying after the last | next step, or verify |
| executing | NotRun, Refused at step 0 | open, later | |
| executing | Refused later | escalated | |
| executing | NotRun later, Failed | undoing, or escalated when irreversible | undo |
| executing | Unknown | verifying | verify |
| verifying | Verified compliant | healed | |
| verifying | Verified unknown, Unknown | verifying, later; then undoing | verify again |
| verifying | Refused | escalated | |
| verifying | Verified otherwise | undoing, or escalated when irreversible | undo |
| undoing | UndoDone | open with attempt + 1, or escalated | |
| undoing | NotRun | undoing, later; then escalated | undo again |
| undoing | Failed, Unknown, Refused | escalated | |
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from appliance.core.plan import Plan
from proto.evidence import Outcome, Result
from proto.findings import Verdict
from proto.incidents import Cause, Decided, Incident, State
from proto.invariants import require

ATTEMPTS_MAX = 2
READ_TRIES_MAX = 5
"""How often a capture or a verify that gave no answer is asked again."""

UNDO_TRIES_MAX = 20
RETRY_FIRST_MS = 2_000
RETRY_MAX_MS = 300_000
SETTLE_MS = 3_000
"""A script whose connection was lost is ended by its target within this time."""

REOPEN_MS = 60_000
"""How long an incident waits whose repair could not start, or was undone."""


class Kind(StrEnum):
    """What a command does on the target."""

    CAPTURE = "capture"
    STEP = "step"
    VERIFY = "verify"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Command:
    """Something to carry out once, on or after `not_before_ms`.

    `step` is the index of the step, or the number of the try (from 1) for the other kinds.
    """

    kind: Kind
    step: int
    not_before_ms: int


@dataclass(frozen=True, slots=True)
class Begin:
    """The gates let a repair start."""

    decided: Decided
    runbook: str


@dataclass(frozen=True, slots=True)
class Captured:
    """The capture answered."""


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step printed {"changed": ...}."""

    step: int


@dataclass(frozen=True, slots=True)
class Verified:
    """The re-check was judged; unknown when there was no answer."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class UndoDone:
    """The undo printed {"changed": ...}."""


@dataclass(frozen=True, slots=True)
class NotRun:
    """The command never started: no session could be opened. Nothing was changed by it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The target refused the login or sudo, or showed another host key: nothing ran."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The command ran and failed: an exit status, a timeout, an answer that is not one."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The command started and its result was never seen: a crash, or a connection lost in it."""


Event = Begin | Captured | StepDone | Verified | UndoDone | NotRun | Refused | Failed | Unknown


@dataclass(frozen=True, slots=True)
class Ended:
    """The repair ended this way; it becomes one heal leaf."""

    result: Result


@dataclass(frozen=True, slots=True)
class Move:
    """What an event led to."""

    incident: Incident
    command: Command | None = None
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What a transition looks at beside the incident and the event.

    `command` is the command that the event answers; None only for Begin.
    """

    plan: Plan
    now_ms: int
    command: Command | None = None


def advance(incident: Incident, event: Event, situation: Situation) -> Move:
    """Return what an event leads to.

    Raises:
        InvariantError: the event cannot happen in the incident's state.
    """
    transition = _TRANSITIONS.get((incident.state, type(event)))
    require(transition is not None, f"{incident.id}: {type(event).__name__} in {incident.state}")
    assert transition is not None  # noqa: S101 - for the type checker; require() has raised
    touched = replace(incident, updated_ms=situation.now_ms)
    return transition(touched, event, situation)


def retry_delay_ms(tries: int) -> int:
    """Return the wait after this many tries: doubling from two seconds to five minutes."""
    return min(RETRY_FIRST_MS << min(tries - 1, 20), RETRY_MAX_MS)


def wait_ms(not_before_ms: int, *, now_ms: int) -> int:
    """Return how long a command still waits, 0 when it is due.

    No command is ever told to wait longer than `RETRY_MAX_MS`: more than that is a clock that was
    set back, and must not hold a repair and its target until it has caught up.
    """
    return min(max(not_before_ms - now_ms, 0), RETRY_MAX_MS)


def action_outcome(outcomes: list[str | None]) -> Outcome:
    """Fold the outcomes of a repair's started steps into the action's one outcome."""
    if not outcomes:
        return Outcome.NOT_RUN
    if any(outcome is None or outcome == Outcome.UNKNOWN for outcome in outcomes):
        return Outcome.UNKNOWN
    return Outcome.FAILED if Outcome.FAILED in outcomes else Outcome.DONE


def _answered(situation: Situation) -> Command:
    require(situation.command is not None, "an answer without its command")
    assert situation.command is not None  # noqa: S101 - for the type checker
    return situation.command


def _begin(incident: Incident, event: Event, at: Situation) -> Move:
    assert isinstance(event, Begin)  # noqa: S101 - for the type checker; the table guarantees it
    has_capture = at.plan.capture is not None
    begun = replace(
        incident,
        state=State.PLANNED if has_capture else State.EXECUTING,
        decided=event.decided,
        runbook=event.runbook,
        cause=None,
        not_before_ms=0,
        verify_tries=0,
    )
    first = Command(Kind.CAPTURE, 1, at.now_ms) if has_capture else Command(Kind.STEP, 0, at.now_ms)
    return Move(begun, first)


def _captured(incident: Incident, _: Event, at: Situation) -> Move:
    return Move(replace(incident, state=State.EXECUTING), Command(Kind.STEP, 0, at.now_ms))


def _capture_again(incident: Incident, _: Event, at: Situation) -> Move:
    tries = _answered(at).step
    if tries < READ_TRIES_MAX:
        return Move(incident, Command(Kind.CAPTURE, tries + 1, at.now_ms + retry_delay_ms(tries)))
    return Move(_reopened(incident, at, Cause.CAPTURE_FAILED))


def _capture_failed(incident: Incident, _: Event, __: Situation) -> Move:
    return Move(_escalated(incident, Cause.CAPTURE_FAILED))


def _step_done(incident: Incident, event: Event, at: Situation) -> Move:
    assert isinstance(event, StepDone)  # noqa: S101 - for the type checker
    if event.step + 1 < len(at.plan.steps):
        return Move(incident, Command(Kind.STEP, event.step + 1, at.now_ms))
    return _to_verify(incident, event, at)


def _to_verify(incident: Incident, _: Event, at: Situation) -> Move:
    return Move(
        replace(incident, state=State.VERIFYING, verify_tries=1),
        Command(Kind.VERIFY, 1, at.now_ms),
    )


def _look_later(incident: Incident, _: Event, at: Situation) -> Move:
    return Move(
        replace(incident, state=State.VERIFYING, verify_tries=1),
        Command(Kind.VERIFY, 1, at.now_ms + SETTLE_MS),
    )


def _capture_refused(incident: Incident, _: Event, at: Situation) -> Move:
    return Move(_reopened(incident, at, None))


def _step_refused(incident: Incident, _: Event, at: Situation) -> Move:
    if _answered(at).step == 0:
        return Move(_reopened(incident, at, None))
    return Move(_escalated(incident, Cause.UNDO_FAILED), ended=Ended(Result.FAILED))


def _verify_refused(incident: Incident, _: Event, __: Situation) -> Move:
    return Move(_escalated(incident, Cause.OUTCOME_UNKNOWN), ended=Ended(Result.UNKNOWN))


def _step_not_run(incident: Incident, event: Event, at: Situation) -> Move:
    if _answered(at).step == 0:
        return Move(_reopened(incident, at, None))
    return _to_undo(incident, event, at)


def _verified(incident: Incident, event: Event, at: Situation) -> Move:
    assert isinstance(event, Verified)  # noqa: S101 - for the type checker
    if event.verdict is Verdict.COMPLIANT:
        return Move(replace(incident, state=State.HEALED, cause=None), ended=Ended(Result.HEALED))
    if event.verdict is Verdict.UNKNOWN:
        return _verify_again(incident, event, at)
    return _to_undo(incident, event, at)


def _verify_again(incident: Incident, event: Event, at: Situation) -> Move:
    tries = _answered(at).step
    if tries < READ_TRIES_MAX:
        again = Command(Kind.VERIFY, tries + 1, at.now_ms + retry_delay_ms(tries))
        return Move(replace(incident, verify_tries=tries + 1), again)
    return _to_undo(incident, event, at)


def _to_undo(incident: Incident, _: Event, at: Situation) -> Move:
    if at.plan.undo is None:
        return Move(_escalated(incident, Cause.OUTCOME_UNKNOWN), ended=Ended(Result.FAILED))
    return Move(replace(incident, state=State.UNDOING), Command(Kind.UNDO, 1, at.now_ms))


def _undo_again(incident: Incident, _: Event, at: Situation) -> Move:
    tries = _answered(at).step
    if tries < UNDO_TRIES_MAX:
        return Move(incident, Command(Kind.UNDO, tries + 1, at.now_ms + retry_delay_ms(tries)))
    return Move(_escalated(incident, Cause.UNDO_FAILED), ended=Ended(Result.FAILED))


def _undone(incident: Incident, _: Event, at: Situation) -> Move:
    if incident.attempt >= ATTEMPTS_MAX:
        return Move(_escalated(incident, Cause.ATTEMPTS_SPENT), ended=Ended(Result.UNDONE))
    next_attempt = replace(
        _reopened(incident, at, None), attempt=incident.attempt + 1, verify_tries=0
    )
    return Move(next_attempt, ended=Ended(Result.UNDONE))


def _undo_failed(incident: Incident, _: Event, __: Situation) -> Move:
    return Move(_escalated(incident, Cause.UNDO_FAILED), ended=Ended(Result.FAILED))


def _undo_unknown(incident: Incident, _: Event, __: Situation) -> Move:
    return Move(_escalated(incident, Cause.UNDO_UNKNOWN), ended=Ended(Result.UNKNOWN))


def _reopened(incident: Incident, at: Situation, cause: Cause | None) -> Incident:
    return replace(
        incident, state=State.OPEN, cause=cause, not_before_ms=at.now_ms + REOPEN_MS, verify_tries=0
    )


def _escalated(incident: Incident, cause: Cause) -> Incident:
    return replace(incident, state=State.ESCALATED, cause=cause, not_before_ms=0)


_TRANSITIONS: dict[tuple[State, type[Event]], Callable[[Incident, Event, Situation], Move]] = {
    (State.OPEN, Begin): _begin,
    (State.PLANNED, Captured): _captured,
    (State.PLANNED, NotRun): _capture_again,
    (State.PLANNED, Unknown): _capture_again,
    (State.PLANNED, Refused): _capture_refused,
    (State.PLANNED, Failed): _capture_failed,
    (State.EXECUTING, StepDone): _step_done,
    (State.EXECUTING, NotRun): _step_not_run,
    (State.EXECUTING, Refused): _step_refused,
    (State.EXECUTING, Failed): _to_undo,
    (State.EXECUTING, Unknown): _look_later,
    (State.VERIFYING, Verified): _verified,
    (State.VERIFYING, NotRun): _verify_again,
    (State.VERIFYING, Unknown): _verify_again,
    (State.VERIFYING, Refused): _verify_refused,
    (State.UNDOING, UndoDone): _undone,
    (State.UNDOING, NotRun): _undo_again,
    (State.UNDOING, Refused): _undo_failed,
    (State.UNDOING, Failed): _undo_failed,
    (State.UNDOING, Unknown): _undo_unknown,
}

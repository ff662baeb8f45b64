"""Healing as a state machine: every event in every state, and every life that events can make."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core import healing
from appliance.core.healing import (
    ATTEMPTS_MAX,
    READ_TRIES_MAX,
    UNDO_TRIES_MAX,
    Begin,
    Captured,
    Command,
    Event,
    Failed,
    Kind,
    NotRun,
    Refused,
    Situation,
    StepDone,
    UndoDone,
    Unknown,
    Verified,
    action_outcome,
    advance,
    retry_delay_ms,
)
from appliance.core.plan import Plan, Step
from proto.evidence import Outcome, Result
from proto.findings import Verdict
from proto.ids import IncidentId, SiteId, TargetId
from proto.incidents import IN_HAND, Cause, Decided, Incident, Severity, State
from proto.invariants import InvariantError

NOW_MS = 1_000_000
OPEN = Incident(
    id=IncidentId("i-aaaaaaaaaa"),
    site=SiteId("s-aaaaaaaaaa"),
    target=TargetId("t-aaaaaaaaaa"),
    check="lin.ssh.root_login",
    platform="linux",
    severity=Severity.HIGH,
    seen={"value": "yes"},
    state=State.OPEN,
    attempt=1,
    opened_ms=1,
    updated_ms=1,
)
BEGIN = Begin(Decided("rule", "l1.x"), "rb.x")
LIFE_MAX = 4 * (READ_TRIES_MAX * 2 + UNDO_TRIES_MAX + 8)
"""No life that ends may take more events than this: every wait is bounded."""


def plan(*, steps: int = 2, capture: bool = True, undo: bool = True) -> Plan:
    return Plan(
        rule="l1.x",
        runbook="rb.x",
        content="ab" * 32,
        as_root=True,
        variables={},
        capture="capture" if capture else None,
        steps=tuple(Step(f"s{n}", f"step {n}", 30) for n in range(steps)),
        undo="undo" if undo else None,
        timeout_s=30,
        verify="lin.ssh.root_login",
    )


PLANS = st.builds(plan, steps=st.integers(1, 4), capture=st.booleans(), undo=st.booleans())
ANSWERS: dict[Kind, list[Event]] = {
    Kind.CAPTURE: [Captured(), NotRun(), Refused(), Failed(), Unknown()],
    Kind.STEP: [StepDone(0), NotRun(), Refused(), Failed(), Unknown()],
    Kind.VERIFY: [*(Verified(verdict) for verdict in Verdict), NotRun(), Refused(), Unknown()],
    Kind.UNDO: [UndoDone(), NotRun(), Refused(), Failed(), Unknown()],
}
LEGAL: dict[State, set[type[Event]]] = {
    State.OPEN: {Begin},
    State.PLANNED: {Captured, NotRun, Refused, Failed, Unknown},
    State.EXECUTING: {StepDone, NotRun, Refused, Failed, Unknown},
    State.VERIFYING: {Verified, NotRun, Refused, Unknown},
    State.UNDOING: {UndoDone, NotRun, Refused, Failed, Unknown},
}
PENDING = {
    State.PLANNED: Kind.CAPTURE,
    State.VERIFYING: Kind.VERIFY,
    State.UNDOING: Kind.UNDO,
}
EVENTS: list[Event] = [
    BEGIN,
    Captured(),
    StepDone(0),
    Verified(Verdict.COMPLIANT),
    UndoDone(),
    NotRun(),
    Refused(),
    Failed(),
    Unknown(),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("state", State)
def test_an_event_is_a_legal_move_or_a_broken_invariant(state: State, event: Event) -> None:
    command = Command(PENDING.get(state, Kind.STEP), 1, 0)
    at = Situation(plan(), NOW_MS, command)
    incident = replace(OPEN, state=state)
    if type(event) in LEGAL.get(state, set()):
        assert advance(incident, event, at).incident.updated_ms == NOW_MS
    else:
        with pytest.raises(InvariantError, match=OPEN.id):
            advance(incident, event, at)


@settings(max_examples=300, deadline=None)
@given(plan=PLANS, data=st.data())
def test_every_life_ends_and_nothing_in_it_happens_out_of_turn(
    plan: Plan, data: st.DataObject
) -> None:
    """Draw every answer; the incident is begun again whenever it is open."""
    incident, move = OPEN, None
    started: list[Command] = []
    for _ in range(LIFE_MAX):
        if incident.state is State.OPEN:
            started = []
            move = advance(incident, BEGIN, Situation(plan, NOW_MS))
        elif incident.state in IN_HAND:
            assert move is not None
            assert move.command is not None, "in hand with nothing to do"
            command = move.command
            assert command not in started, "a command twice in one repair"
            started.append(command)
            event = data.draw(st.sampled_from(ANSWERS[command.kind]), label=str(command))
            if isinstance(event, StepDone):
                event = StepDone(command.step)
            before, move = incident, advance(incident, event, Situation(plan, NOW_MS, command))
            judge(before, event, move, started, plan)
        else:
            break
        incident = move.incident
        if incident.state is State.OPEN:
            assert incident.not_before_ms > NOW_MS, "an open incident waits before the next try"
            if move.ended is None and incident.attempt == 1:
                return  # nothing was changed: this may go on as long as the target is away
    assert incident.state in {State.HEALED, State.ESCALATED}


def judge(
    before: Incident, event: Event, move: healing.Move, started: list[Command], plan: Plan
) -> None:
    """Hold one move to what the module promises."""
    after = move.incident
    if after.state is State.HEALED:
        assert before.state is State.VERIFYING
        assert event == Verified(Verdict.COMPLIANT)
        assert move.ended == healing.Ended(Result.HEALED)
    kinds = [command.kind for command in started]
    if Kind.STEP in kinds and plan.capture:
        assert kinds.index(Kind.CAPTURE) < kinds.index(Kind.STEP)
    if isinstance(event, Unknown) and started[-1].kind is Kind.STEP:
        assert move.command is not None
        assert move.command.kind is Kind.VERIFY
        assert move.command.not_before_ms >= NOW_MS + healing.SETTLE_MS
    if isinstance(event, Unknown) and started[-1].kind is Kind.UNDO:
        assert (after.state, after.cause) == (State.ESCALATED, Cause.UNDO_UNKNOWN)
    if isinstance(event, Refused):
        assert move.command is None, "a refused login is never tried again"
    assert after.attempt <= ATTEMPTS_MAX
    assert (after.state in IN_HAND) == (move.command is not None)
    touched = any(command.kind is Kind.STEP for command in started[:-1])
    if after.state not in IN_HAND and touched:
        assert move.ended is not None, "a repair that touched its target leaves evidence"


@pytest.mark.parametrize(
    "event", [Failed(), Verified(Verdict.DRIFTED), Verified(Verdict.NOT_APPLICABLE)]
)
def test_what_cannot_be_undone_goes_to_a_person(event: Event) -> None:
    state = State.EXECUTING if isinstance(event, Failed) else State.VERIFYING
    at = Situation(plan(undo=False), NOW_MS, Command(Kind.STEP, 0, 0))
    move = advance(replace(OPEN, state=state), event, at)
    assert (move.incident.state, move.command) == (State.ESCALATED, None)
    assert move.ended == healing.Ended(Result.FAILED)


def test_the_last_attempt_that_was_undone_goes_to_a_person() -> None:
    last = replace(OPEN, state=State.UNDOING, attempt=ATTEMPTS_MAX)
    move = advance(last, UndoDone(), Situation(plan(), NOW_MS, Command(Kind.UNDO, 1, 0)))
    assert (move.incident.state, move.incident.cause) == (State.ESCALATED, Cause.ATTEMPTS_SPENT)
    assert move.ended == healing.Ended(Result.UNDONE)


def test_a_step_that_never_started_costs_no_attempt() -> None:
    executing = replace(OPEN, state=State.EXECUTING)
    move = advance(executing, NotRun(), Situation(plan(), NOW_MS, Command(Kind.STEP, 0, 0)))
    assert (move.incident.state, move.incident.attempt, move.ended) == (State.OPEN, 1, None)


def test_waits_double_up_to_five_minutes() -> None:
    waits = [retry_delay_ms(tries) for tries in range(1, 40)]
    assert waits[:3] == [2_000, 4_000, 8_000]
    assert waits == sorted(waits)
    assert waits[-1] == 300_000


@pytest.mark.parametrize(
    ("outcomes", "folded"),
    [
        ([], Outcome.NOT_RUN),
        (["done", "done"], Outcome.DONE),
        (["done", "failed"], Outcome.FAILED),
        (["done", None], Outcome.UNKNOWN),
        (["failed", "unknown"], Outcome.UNKNOWN),
    ],
)
def test_an_actions_outcome_is_its_worst_known_step(
    outcomes: list[str | None], folded: Outcome
) -> None:
    assert action_outcome(outcomes) is folded


def test_a_clock_set_back_holds_no_repair_for_longer_than_the_longest_pause() -> None:
    day_ms = 86_400_000
    assert healing.wait_ms(NOW_MS + healing.SETTLE_MS, now_ms=NOW_MS) == healing.SETTLE_MS
    assert healing.wait_ms(NOW_MS, now_ms=NOW_MS + day_ms) == 0
    assert healing.wait_ms(NOW_MS, now_ms=NOW_MS - day_ms) == healing.RETRY_MAX_MS

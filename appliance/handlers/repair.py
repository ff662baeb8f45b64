"""Carrying out one repair: each command once, its intent stored before and its result after.

Every turn of the loop is: read the one unfinished command -> mark it started -> carry it out ->
store its result, the new state and the next command in one transaction. What a crash left started
and unfinished is told to the state machine as unknown; it is never run a second time.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiosqlite

from appliance.core import healing, records
from appliance.core.healing import (
    Captured,
    Event,
    Failed,
    Kind,
    Move,
    NotRun,
    Refused,
    Situation,
    StepDone,
    UndoDone,
    Unknown,
    Verified,
)
from appliance.core.records import Ending, Seen
from appliance.core.schedule import REFUSED
from appliance.handlers.facts import facts_of
from appliance.handlers.line import Line, line_to
from appliance.handlers.probe import ask_anew, finding_of
from appliance.handlers.record import record_in, tell_turn
from appliance.handlers.run_time import note_run, run_ms
from appliance.handlers.telling import told_side
from appliance.handlers.wellness import raise_in
from appliance.handlers.work import Work
from appliance.ports import Script, ShellError
from appliance.store import evidence, incidents, journal, limits, targets
from appliance.store.health import Condition
from appliance.store.journal import Journaled, Repair
from proto.errors import MalformedError, NotFoundError
from proto.evidence import Outcome, Result
from proto.findings import Finding, Reason, Scalar, Verdict
from proto.ids import IncidentId
from proto.incidents import IN_HAND, Incident
from proto.invariants import require
from proto.judge import read_captured, read_changed, unknown

LOST = frozenset({Reason.UNREACHABLE})
"""Reasons a script that had started may have run to its end unseen."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What carrying out a command came to.

    Attributes:
        changed: what a step or an undo said of itself; None where it said nothing.
        finding: what a verify found; or that the target could not be logged into.
    """

    event: Event
    why: str = ""
    changed: bool | None = None
    captured: Mapping[str, Scalar] | None = None
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class InHand:
    """A repair under way, as stored."""

    incident: Incident
    repair: Repair
    pending: Journaled


async def carry(work: Work, incident_id: IncidentId, *, at_once: asyncio.Semaphore) -> None:
    """Carry a repair on until it is out of hand: healed, undone, or handed to a person.

    `at_once` bounds how many commands run at the same time; a repair that waits holds no place.
    """
    state = await _read(work, incident_id)
    while state is not None:
        if state.pending.is_started:
            await _store(work, state, Answer(Unknown(), "the appliance stopped while this ran"))
            state = await _read(work, incident_id)
            continue
        await _until(work, state.pending.command.not_before_ms)
        async with at_once, line_to(work, state.incident.target) as line:
            state = await _carry_in_a_row(work, state, line)


async def _carry_in_a_row(work: Work, state: InHand, line: Line) -> InHand | None:
    """Carry out the pending command and what follows it at once, on one line.

    A verify is carried out alone: it has a session of its own, and no line is open beside it.
    """
    while True:
        await _mark_started(work, state.pending)
        await _store(work, state, await _perform(work, state, line))
        following = await _read(work, state.incident.id)
        if following is None or not _continues(work, state.pending, following.pending):
            return following
        state = following


def _continues(work: Work, before: Journaled, after: Journaled) -> bool:
    is_due = after.command.not_before_ms <= work.clock.now_ms()
    return is_due and Kind.VERIFY not in {before.command.kind, after.command.kind}


async def _read(work: Work, incident_id: IncidentId) -> InHand | None:
    async with work.store.read() as conn:
        incident = await incidents.get(conn, work.scribe.site, incident_id)
        if incident is None or incident.state not in IN_HAND:
            return None
        repair = await journal.current_repair(conn, incident_id)
        pending = await journal.unfinished(conn, incident_id)
    require(repair is not None, f"{incident_id}: in hand without a repair")
    require(pending is not None, f"{incident_id}: in hand without a command")
    assert repair is not None  # noqa: S101 - for the type checker; require() has raised
    assert pending is not None  # noqa: S101 - for the type checker
    return InHand(incident, repair, pending)


async def _until(work: Work, at_ms: int) -> None:
    if wait_ms := healing.wait_ms(at_ms, now_ms=work.clock.now_ms()):
        await asyncio.sleep(wait_ms / 1000)


async def _mark_started(work: Work, pending: Journaled) -> None:
    async with work.store.write() as conn:
        await journal.mark_started(conn, pending.id, now_ms=work.clock.now_ms())


async def _perform(work: Work, state: InHand, line: Line) -> Answer:
    command, plan = state.pending.command, state.repair.plan
    match command.kind:
        case Kind.CAPTURE:
            return await _capture(work, state, line)
        case Kind.STEP:
            step = plan.steps[command.step]
            script = _script(state, step.script, timeout_s=step.timeout_s)
            return await _change(work, state, line, script, done=StepDone(command.step))
        case Kind.UNDO:
            script = _script(state, plan.undo or "", timeout_s=plan.timeout_s)
            return await _change(work, state, line, script, done=UndoDone())
        case Kind.VERIFY:
            return await _verify(work, state)


def _script(state: InHand, text: str, *, timeout_s: int) -> Script:
    plan = state.repair.plan
    return Script(
        text=text,
        variables={**plan.variables, **(state.repair.captured or {})},
        as_root=plan.as_root,
        timeout_s=timeout_s,
    )


async def _run(work: Work, state: InHand, line: Line, script: Script) -> tuple[int, bytes] | Answer:
    """Run a script on the repair's line; an Answer when it gave none."""
    try:
        ran = await line.run(script)
    except ShellError as error:
        if error.reason in REFUSED:
            return Answer(Refused(), str(error), finding=_no_way_in(work, state, error))
        if not line.sent:
            return Answer(NotRun(), str(error), finding=_no_way_in(work, state, error))
        return Answer(Unknown() if error.reason in LOST else Failed(), str(error))
    return ran.exit_status, ran.stdout


def _no_way_in(work: Work, state: InHand, error: ShellError) -> Finding | None:
    """Return the finding by which the schedule, and no repair, decides when to try again."""
    check = work.content().checks.get(state.repair.plan.verify)
    if check is None:
        return None
    judgement = unknown(error.reason, str(error))
    return finding_of(work, check, judgement, target=state.incident.target)


async def _capture(work: Work, state: InHand, line: Line) -> Answer:
    plan = state.repair.plan
    script = _script(state, plan.capture or "", timeout_s=plan.timeout_s)
    ran = await _run(work, state, line, script)
    if isinstance(ran, Answer):
        return ran
    try:
        captured = read_captured(exit_status=ran[0], stdout=ran[1])
    except MalformedError as error:
        return Answer(Failed(), str(error))
    return Answer(Captured(), captured=captured)


async def _change(work: Work, state: InHand, line: Line, script: Script, *, done: Event) -> Answer:
    ran = await _run(work, state, line, script)
    if isinstance(ran, Answer):
        return ran
    try:
        changed = read_changed(exit_status=ran[0], stdout=ran[1])
    except MalformedError as error:
        return Answer(Failed(), str(error))
    return Answer(done, changed=changed)


async def _verify(work: Work, state: InHand) -> Answer:
    check = work.content().checks.get(state.repair.plan.verify)
    if check is None:
        return Answer(Verified(Verdict.UNKNOWN), "the content no longer has the check")
    target = state.incident.target
    try:
        async with work.store.read() as conn:
            row = await targets.get(conn, target)
    except NotFoundError as error:
        return Answer(Verified(Verdict.UNKNOWN), str(error))
    judgement = await ask_anew(work, check, facts_of(work, row), target=target)
    finding = finding_of(work, check, judgement, target=target)
    event = Refused() if finding.reason in REFUSED else Verified(finding.verdict)
    return Answer(event, judgement.detail, finding=finding)


_OUTCOMES: dict[type[Event], Outcome] = {
    Failed: Outcome.FAILED,
    Unknown: Outcome.UNKNOWN,
    NotRun: Outcome.NOT_RUN,
    Refused: Outcome.NOT_RUN,
}


async def _store(work: Work, state: InHand, answer: Answer) -> None:
    """Store a command's result and what it leads to, in one transaction."""
    now_ms = work.clock.now_ms()
    situation = Situation(state.repair.plan, now_ms, state.pending.command)
    move = healing.advance(state.incident, answer.event, situation)
    async with work.store.write() as conn:
        await journal.finish(
            conn,
            state.pending.id,
            outcome=_OUTCOMES.get(type(answer.event), Outcome.DONE),
            changed=None if answer.changed is None else int(answer.changed),
            why=answer.why,
            now_ms=now_ms,
        )
        if answer.captured is not None:
            await journal.keep_captured(conn, state.repair, answer.captured)
        if (after := _verified(state, answer)) is not None:
            await journal.keep_after(conn, state.repair, journal.seen_in(after))
        await _store_move(conn, work, state, move=move, answer=answer)
    work.bells.uplink.ring()


def _verified(state: InHand, answer: Answer) -> Finding | None:
    return answer.finding if state.pending.command.kind is Kind.VERIFY else None


async def _store_move(
    conn: aiosqlite.Connection, work: Work, state: InHand, *, move: Move, answer: Answer
) -> None:
    if move.incident.state not in IN_HAND:
        await _end(conn, work, state, move=move, answer=answer)
    is_tried_again = isinstance(answer.event, NotRun) and move.incident.state in IN_HAND
    if answer.finding is not None and not is_tried_again:
        # Before the incident leaves the repair's hands: the episode must not judge it too.
        await record_in(conn, work, state.incident.target, [answer.finding])
    await incidents.put(conn, move.incident)
    if move.incident.state is not state.incident.state:
        await tell_turn(conn, work, move.incident, actor="appliance", note=answer.why)
    if move.command is not None:
        await journal.add_command(
            conn,
            state.incident.id,
            state.repair.run,
            command=move.command,
            now_ms=work.clock.now_ms(),
        )


async def _end(
    conn: aiosqlite.Connection, work: Work, state: InHand, *, move: Move, answer: Answer
) -> None:
    """Close the repair: its one leaf, the breaker, the journal."""
    now_ms = work.clock.now_ms()
    result = move.ended.result if move.ended else None
    leaf = None
    if result is not None:
        ending = await _ending(conn, work, state, answer=answer, result=result)
        draft = records.heal_draft(work.author(), state.incident, ending)
        leaf = (await evidence.append(conn, work.scribe, [draft]))[0]
        await _count(conn, work, state, result=result)
    else:
        plan, target = state.repair.plan, state.incident.target
        await limits.never_fired(conn, plan.rule, target, at_ms=state.repair.fired_ms)
    await journal.end_repair(conn, state.repair, result=result, leaf=leaf, now_ms=now_ms)


async def _ending(
    conn: aiosqlite.Connection, work: Work, state: InHand, *, answer: Answer, result: Result
) -> Ending:
    plan, check = state.repair.plan, state.incident.check
    outcomes, changed = await journal.step_outcomes(conn, state.repair)
    verified = _verified(state, answer)
    after = journal.seen_in(verified) if verified else state.repair.after
    return Ending(
        rule=plan.rule,
        order=plan.order,
        runbook=plan.runbook,
        content=plan.content,
        before=told_side(work, check, state.repair.before),
        after=told_side(work, check, after or Seen(Verdict.UNKNOWN, Reason.PROBE_FAILED, {})),
        outcome=healing.action_outcome(outcomes),
        changed=any(changed),
        steps=len(outcomes),
        result=result,
    )


async def _count(conn: aiosqlite.Connection, work: Work, state: InHand, *, result: Result) -> None:
    target, runbook = state.incident.target, state.repair.plan.runbook
    if result is Result.HEALED:
        await limits.healed(conn, target, runbook)
        return
    await note_run(conn, work)
    if await limits.not_healed(conn, target, runbook, now_ms=await run_ms(conn, work)):
        await raise_in(conn, work, Condition.BREAKER_OPEN, detail=f"{runbook} on {target}")

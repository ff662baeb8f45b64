"""The heal loop: open incidents pass the gates, and repairs run, one a target, some at once."""

import asyncio
from dataclasses import replace

import aiosqlite

from appliance.core import gates
from appliance.core.gates import Candidate, Escalate, Hold, Proceed, Ruling, Waive
from appliance.handlers.beginning import begin
from appliance.handlers.candidates import candidate_of, close_unasked, decided_by
from appliance.handlers.closing import close
from appliance.handlers.patience import room
from appliance.handlers.reconsider import Looked, reconsider
from appliance.handlers.record import tell_turn
from appliance.handlers.repair import carry
from appliance.handlers.run_time import pass_time, run_ms
from appliance.handlers.wellness import clear_condition
from appliance.handlers.work import Work
from appliance.store import decisions, incidents, limits
from appliance.store.health import Condition
from proto.errors import NoRoomError
from proto.ids import IncidentId
from proto.incidents import IN_HAND, Cause, Incident, State
from proto.invariants import require
from proto.rules.matcher import Decision

IDLE_S = 30.0
"""The longest sleep of the loop; a finding or a person wakes it sooner."""

QUIET = frozenset({Cause.TARGET_BUSY})
"""Causes too short-lived to be told as a turn."""


async def run(work: Work) -> None:
    """Resume what a stop left under way, then heal for ever."""
    hands: dict[IncidentId, asyncio.Task[None]] = {}
    looked: Looked = {}
    at_once = asyncio.Semaphore(work.settings.repairs_at_once)
    async with asyncio.TaskGroup() as group:
        while True:
            try:
                await consider(work, looked)
            except NoRoomError:
                work.bells.tidy.ring()  # the repairs under way wait by themselves
                await room(work)
            for incident in await _in_hand(work):
                if incident not in hands:
                    task = group.create_task(_carry(work, incident, at_once))
                    hands[incident] = task
                    task.add_done_callback(lambda _, gone=incident: hands.pop(gone, None))  # type: ignore[misc]
            await work.bells.heal.wait(await _idle_s(work))


async def _carry(work: Work, incident: IncidentId, at_once: asyncio.Semaphore) -> None:
    while True:
        try:
            await carry(work, incident, at_once=at_once)
        except NoRoomError:
            # What a command came to was not stored: it is looked at again, never run again.
            work.bells.tidy.ring()
            await room(work)
        else:
            break
    work.bells.heal.ring()  # the target is free for the next incident


async def _in_hand(work: Work) -> list[IncidentId]:
    async with work.store.read() as conn:
        rows = await incidents.due(conn, work.scribe.site, states=IN_HAND, now_ms=2**53)
    return [incident.id for incident in rows]


async def _idle_s(work: Work) -> float:
    async with work.store.read() as conn:
        next_ms = await incidents.next_due_ms(conn)
    if next_ms is None:
        return IDLE_S
    return min(max((next_ms - work.clock.now_ms()) / 1000, 0.05), IDLE_S)


async def consider(work: Work, looked: Looked | None = None) -> None:
    """Put every incident that is due before the gates.

    `looked` remembers on what ground those in a person's hands were last looked at.
    """
    await pass_time(work)
    await reconsider(work, {} if looked is None else looked)
    now_ms = work.clock.now_ms()
    async with work.store.read() as conn:
        waiting = await incidents.ready(conn, work.scribe.site, now_ms=now_ms)
        free = await incidents.waived_no_more(conn, work.scribe.site, now_ms=now_ms)
        open_breakers = await limits.open_breakers(conn, now_ms=await run_ms(conn, work))
    for incident in (*waiting, *free):
        async with work.store.write() as conn:
            await _consider_one(conn, work, incident.id)
        work.bells.uplink.ring()
    if not open_breakers:
        await clear_condition(work, Condition.BREAKER_OPEN)


async def _consider_one(conn: aiosqlite.Connection, work: Work, incident_id: IncidentId) -> None:
    """Read everything afresh inside the transaction that acts on it."""
    incident = await incidents.get(conn, work.scribe.site, incident_id)
    if incident is None or incident.state not in {State.OPEN, State.WAIVED}:
        return
    check = work.content().checks.get(incident.check)
    if check is None:
        await close_unasked(conn, work, incident)
        return
    if await decisions.is_off_limits_by_person(conn, incident.target):
        # A repair was under way when the device was put off limits; it has ended now.
        await close(conn, work, incident, cause=Cause.TARGET_REMOVED, note="off limits")
        return
    candidate, decision = await candidate_of(conn, work, incident, check=check)
    if incident.state is State.WAIVED:
        if not candidate.is_waived:
            await _reopen(conn, work, incident)
        return
    ruling = gates.rule_on(candidate, now_ms=work.clock.now_ms())
    await _act(conn, work, candidate, ruling=ruling, decision=decision)


async def _reopen(conn: aiosqlite.Connection, work: Work, incident: Incident) -> None:
    now_ms = work.clock.now_ms()
    opened = replace(incident, state=State.OPEN, cause=None, updated_ms=now_ms, not_before_ms=0)
    await incidents.put(conn, opened)
    await tell_turn(conn, work, opened, actor="appliance")
    work.bells.heal.ring()


async def _act(
    conn: aiosqlite.Connection,
    work: Work,
    candidate: Candidate,
    *,
    ruling: Ruling,
    decision: Decision,
) -> None:
    incident, now_ms = candidate.incident, work.clock.now_ms()
    match ruling:
        case Proceed():
            decided = decided_by(decision)
            require(decided is not None, f"{incident.id}: a repair without a rule")
            assert decided is not None  # noqa: S101 - for the type checker; require() has raised
            await begin(conn, work, candidate, ruling=ruling, decided=decided)
            return
        case Hold(cause=cause, until_ms=until_ms):
            after = replace(incident, cause=cause, not_before_ms=until_ms)
        case Escalate(cause=cause):
            after = replace(
                incident, state=State.ESCALATED, cause=cause, decided=decided_by(decision)
            )
        case Waive():
            after = replace(incident, state=State.WAIVED, cause=Cause.WAIVER)
    changed = (after.state, after.cause) != (incident.state, incident.cause)
    after = replace(after, updated_ms=now_ms) if changed else after
    if after != incident:
        await incidents.put(conn, after)
    if changed and after.cause not in QUIET:
        await tell_turn(conn, work, after, actor="appliance")

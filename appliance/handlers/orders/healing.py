"""healing: repair one incident with the runbook that the order names, and wait for its proof.

The gates are those of local healing, and the heal loop carries the repair: capture, steps, a
re-check in a session of its own, undo. What it came to is the order's outcome: done only when the
re-check passed. A finding that is too old is asked for again first.
"""

import asyncio
from dataclasses import replace
from typing import cast

import aiosqlite

from appliance.core.gates import Asked, Candidate, Hold, Proceed, Ruling, is_current, rule_on_order
from appliance.core.order_gate.names import OPEN
from appliance.core.order_gate.values import Accepted
from appliance.core.reconsider import reopened
from appliance.handlers.approach import refuse_held
from appliance.handlers.beginning import begin
from appliance.handlers.candidates import breaker_until_ms, candidate_of
from appliance.handlers.orders import Done
from appliance.handlers.run_drift import scan_target
from appliance.handlers.work import Work
from appliance.store import devices, incidents, journal, targets
from proto.catalog.model import Runbook
from proto.errors import ConflictError, NotFoundError
from proto.evidence import Result
from proto.ids import IncidentId
from proto.incidents import IN_HAND, Cause, Decided, Incident, State
from proto.orders.healing import Healing
from proto.phi.leaving import closed
from proto.receipts import Outcome

LOOK_EVERY_S = 0.2
CAUSES = tuple(cause.value for cause in Cause)
RESULTS = (*(result.value for result in Result), "not_run", "passed")
OUTCOMES = {Result.HEALED: Outcome.DONE, Result.UNKNOWN: Outcome.UNKNOWN}

A_PERSONS_ALONE = frozenset({Cause.UNDO_FAILED, Cause.UNDO_UNKNOWN, Cause.OUTCOME_UNKNOWN})
"""What state the target is in, somebody has to look at first: such an order needs a person."""

TRIED = A_PERSONS_ALONE | {Cause.ATTEMPTS_SPENT}
"""After these the next repair is one attempt more."""


class IncidentGoneError(ConflictError):
    """The incident is no longer one that a repair may begin on."""

    code = "incident_not_open"


async def run(work: Work, accepted: Accepted) -> Done:
    """Repair it.

    Raises:
        NotFoundError: the content no longer has the runbook or the check.
        IncidentGoneError: it was closed, waived, or is under repair by a rule.
        OffLimitsError: nobody may log in on the target.
    """
    wanted = cast("Healing", accepted.params)
    asked = Asked(
        accepted.read.sid, _runbook(work, wanted.runbook), wanted.params, bool(accepted.people)
    )
    incident = IncidentId(wanted.incident)
    while True:
        if await _has_passed(work, incident):
            return Done(Outcome.DONE, {"result": closed("passed", RESULTS)})
        ruling = await _try(work, incident, asked)
        if ruling != Hold(Cause.TARGET_BUSY, 0):
            break
        await asyncio.sleep(LOOK_EVERY_S)  # another repair has the target; the deadline bounds this
    if not isinstance(ruling, Proceed):
        return Done(Outcome.FAILED, {"why": closed(_why(ruling), CAUSES)})
    work.bells.heal.ring()
    return await _ended(work, incident, asked.sid)


def _runbook(work: Work, name: str) -> Runbook:
    runbook = work.content().runbooks.get(name)
    if runbook is None:
        msg = f"the content has no runbook {name}"
        raise NotFoundError(msg)
    return runbook


def _why(ruling: Ruling) -> str:
    return getattr(ruling, "cause", Cause.WAIVER).value


async def _has_passed(work: Work, incident_id: IncidentId) -> bool:
    """Ask the check again if its answer is too old; tell whether the incident is over by now."""
    async with work.store.read() as conn:
        incident = await _open(conn, work, incident_id)
        candidate = await _candidate(conn, work, incident)
        refuse_held(await devices.get(conn, incident.target))
        row = await targets.get(conn, incident.target)
    is_fresh = is_current(candidate.finding, candidate, now_ms=work.clock.now_ms())
    if not is_fresh and not candidate.history.is_busy:
        await scan_target(work, row, all_of_them=True, only=frozenset({incident.check}))
        async with work.store.read() as conn:
            after = await incidents.get(conn, work.scribe.site, incident_id)
        return after is not None and after.state is State.CLOSED and after.cause is Cause.PASSED
    return False


async def _open(conn: aiosqlite.Connection, work: Work, incident_id: IncidentId) -> Incident:
    incident = await incidents.get(conn, work.scribe.site, incident_id)
    if incident is None or incident.state not in OPEN:
        msg = f"{incident_id}: {incident.state.value if incident else 'unknown'}, not open"
        raise IncidentGoneError(msg)
    return incident


async def _candidate(conn: aiosqlite.Connection, work: Work, incident: Incident) -> Candidate:
    check = work.content().checks.get(incident.check)
    if check is None:
        msg = f"the content has no check {incident.check}"
        raise NotFoundError(msg)
    candidate, _ = await candidate_of(conn, work, incident, check=check)
    return candidate


async def _try(work: Work, incident_id: IncidentId, asked: Asked) -> Ruling:
    """Read everything afresh and begin the repair in one transaction, if the gates let it."""
    now_ms = work.clock.now_ms()
    async with work.store.write() as conn:
        incident = await _open(conn, work, incident_id)
        refuse_held(await devices.get(conn, incident.target))
        found = await _candidate(conn, work, incident)
        until_ms = await breaker_until_ms(conn, work, incident.target, runbook=asked.runbook)
        candidate = replace(found, history=replace(found.history, breaker_until_ms=until_ms))
        if incident.cause in A_PERSONS_ALONE and not asked.has_people:
            return Hold(incident.cause, 0)
        ruling = rule_on_order(candidate, asked, now_ms=now_ms)
        if isinstance(ruling, Proceed):
            opened = replace(candidate, incident=_reopened(incident, now_ms=now_ms))
            decided = Decided("order", asked.sid)
            await begin(conn, work, opened, ruling=ruling, decided=decided)
    return ruling


def _reopened(incident: Incident, *, now_ms: int) -> Incident:
    """Return an incident as the repair begins on it, taken back from a person if one had it."""
    more = 1 if incident.cause in TRIED and incident.state is State.ESCALATED else 0
    return replace(reopened(incident, now_ms=now_ms), attempt=incident.attempt + more)


async def _ended(work: Work, incident: IncidentId, sid: str) -> Done:
    """Wait until the repair is out of hand and say what it came to."""
    while True:
        async with work.store.read() as conn:
            now = await incidents.get(conn, work.scribe.site, incident)
            ending = await journal.ended_for(conn, incident, order=sid)
        if ending is not None and (now is None or now.state not in IN_HAND):
            break
        await asyncio.sleep(LOOK_EVERY_S)
    if ending.result is None:
        return Done(Outcome.FAILED, {"result": closed("not_run", RESULTS)})
    outcome = OUTCOMES.get(ending.result, Outcome.FAILED)
    leaf = {} if ending.leaf is None else {"leaf": ending.leaf}
    return Done(outcome, {"result": closed(ending.result.value, RESULTS), **leaf})

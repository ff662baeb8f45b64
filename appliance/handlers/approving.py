"""A person on the LAN lets the rule's repair of one incident run now.

Approved is what the page showed: the rule's repair, named with the content's digest. All gates but
the dial of autonomy stand: a waiver, observe-only, a protected host, a breaker or a limit holds
this repair as any other. A finding that is too old is asked for again first.
"""

from dataclasses import replace

import aiosqlite

from appliance.core.gates import (
    Candidate,
    Proceed,
    Ruling,
    is_current,
    offer_of,
    rule_on,
    waits_for_approval,
)
from appliance.core.reconsider import reopened
from appliance.handlers.approach import refuse_held
from appliance.handlers.beginning import begin
from appliance.handlers.candidates import candidate_of, decided_by
from appliance.handlers.closing import PERSON
from appliance.handlers.record import tell_turn
from appliance.handlers.run_drift import scan_target
from appliance.handlers.work import Work
from appliance.store import devices, incidents, targets
from proto.errors import ConflictError, NotFoundError
from proto.ids import IncidentId
from proto.incidents import Cause, Incident
from proto.rules.matcher import Decision
from runtime.web import words


class NotApprovableError(ConflictError):
    """The incident does not wait for anybody's approval, or something else holds its repair."""

    code = "not_approvable"


async def approve(work: Work, incident_id: IncidentId, *, shown: str, account: str) -> None:
    """Begin the repair that waits for a person; it is carried out and proved as any other.

    Args:
        work: the appliance.
        incident_id: an incident that waits for approval or for a maintenance window.
        shown: the repair that the person was shown, as `offer_of` names it.
        account: who approves; kept on the appliance, evidence says "person".

    Raises:
        NotFoundError: there is no such incident, or the content lost its check.
        NotApprovableError: it waits for nobody, the content is another by now, or another gate
            holds the repair; the message says which.
        OffLimitsError: nobody may log in on the target.
    """
    await _ask_again_if_old(work, incident_id)
    async with work.store.write() as conn:
        incident = await _waiting(conn, work, incident_id)
        refuse_held(await devices.get(conn, incident.target))
        candidate, decision = await _candidate(conn, work, incident)
        rule = decision.winner
        if rule is None or shown != offer_of(rule, content=work.content().digest):
            msg = "Another repair fits by now than was shown: read it again."
            raise NotApprovableError(msg)
        opened = replace(candidate, incident=reopened(incident, now_ms=work.clock.now_ms()))
        ruling = rule_on(opened, now_ms=work.clock.now_ms())
        await _begin(conn, work, opened, ruling=ruling, decision=decision, account=account)
    work.bells.heal.ring()
    work.bells.uplink.ring()


async def _begin(
    conn: aiosqlite.Connection,
    work: Work,
    candidate: Candidate,
    *,
    ruling: Ruling,
    decision: Decision,
    account: str,
) -> None:
    decided = decided_by(decision)
    if not isinstance(ruling, Proceed) or decided is None:
        cause = getattr(ruling, "cause", Cause.WAIVER)
        msg = f"Not repaired, and nothing was changed: {words.CAUSES[cause].sentence}"
        raise NotApprovableError(msg)
    note = f"{account}: approved {ruling.plan.runbook}"
    await tell_turn(conn, work, candidate.incident, actor=PERSON, note=note)
    await begin(conn, work, candidate, ruling=ruling, decided=decided)


async def _ask_again_if_old(work: Work, incident_id: IncidentId) -> None:
    async with work.store.read() as conn:
        incident = await _waiting(conn, work, incident_id)
        candidate, _ = await _candidate(conn, work, incident)
        row = await targets.get(conn, incident.target)
        refuse_held(await devices.get(conn, incident.target))
    is_fresh = is_current(candidate.finding, candidate, now_ms=work.clock.now_ms())
    if not is_fresh and not candidate.history.is_busy:
        await scan_target(work, row, all_of_them=True, only=frozenset({incident.check}))


async def _candidate(
    conn: aiosqlite.Connection, work: Work, incident: Incident
) -> tuple[Candidate, Decision]:
    check = work.content().checks.get(incident.check)
    if check is None:
        msg = f"the content has no check {incident.check}"
        raise NotFoundError(msg)
    candidate, decision = await candidate_of(conn, work, incident, check=check)
    return replace(candidate, is_approved=True), decision


async def _waiting(conn: aiosqlite.Connection, work: Work, incident_id: IncidentId) -> Incident:
    incident = await incidents.get(conn, work.scribe.site, incident_id)
    if incident is None:
        msg = f"there is no incident {incident_id!r:.40}"
        raise NotFoundError(msg)
    if not waits_for_approval(incident):
        msg = f"Incident {incident_id} does not wait for an approval ({incident.state.value})."
        raise NotApprovableError(msg)
    return incident

"""Looking again at escalated incidents whose ground has changed; `core/reconsider.py` decides.

On which ground an incident was last looked at is only remembered, not stored: after a restart each
is looked at once more, which changes nothing unless something has changed.
"""

from dataclasses import replace

import aiosqlite

from appliance.core.reconsider import Ground, reconsidered
from appliance.handlers.candidates import candidate_of, close_unasked, decided_by
from appliance.handlers.facts import facts_of
from appliance.handlers.record import tell_turn
from appliance.handlers.site_rules import site_rules
from appliance.handlers.work import Work
from appliance.store import incidents, journal, targets
from proto.ids import IncidentId
from proto.incidents import Incident, State

LOOKED_AGAIN = "the checks, the rules, the settings or the sign-in changed; looked at again"

Looked = dict[IncidentId, Ground]
"""Escalated incidents and the ground on which each was last looked at."""


async def reconsider(work: Work, looked: Looked) -> None:
    """Look again at each escalated incident whose ground is not the one in `looked`."""
    grounds = await _grounds(work)
    for incident, ground in grounds.items():
        if looked.get(incident) != ground:
            await _look(work, incident)
    looked.clear()
    looked.update(grounds)


async def _grounds(work: Work) -> Looked:
    async with work.store.read() as conn:
        rows = await incidents.escalated(conn)
        if not rows:
            return {}
        rules = await site_rules(conn, work)
        facts = {one.id: facts_of(work, one) for one in await targets.every(conn)}
    digest = work.content().digest
    return {
        one.incident: Ground(
            content=digest,
            autonomy=rules.dial(one.check).autonomy,
            facts=facts.get(one.target),
            seen=one.seen,
            has_window=rules.window is not None,
            is_protected=one.target in rules.protected,
        )
        for one in rows
    }


async def _look(work: Work, incident: IncidentId) -> None:
    async with work.store.read() as conn:
        if not await _turn(conn, work, incident, writes=False):
            return
    async with work.store.write() as conn:
        await _turn(conn, work, incident, writes=True)
    work.bells.uplink.ring()


async def _turn(
    conn: aiosqlite.Connection, work: Work, incident_id: IncidentId, *, writes: bool
) -> bool:
    """Tell whether the incident turns; with `writes` let it turn."""
    incident = await incidents.get(conn, work.scribe.site, incident_id)
    if incident is None or incident.state is not State.ESCALATED:
        return False
    check = work.content().checks.get(incident.check)
    if check is None:
        if writes:
            await close_unasked(conn, work, incident)
        return True
    candidate, decision = await candidate_of(conn, work, incident, check=check)
    repair = await journal.current_repair(conn, incident_id)
    tried = repair.plan if repair else None
    after = reconsidered(candidate, tried, now_ms=work.clock.now_ms())
    if after is not None and writes:
        if after.state is State.ESCALATED:
            after = replace(after, decided=decided_by(decision))
        await _store(conn, work, after)
    return after is not None


async def _store(conn: aiosqlite.Connection, work: Work, after: Incident) -> None:
    await incidents.put(conn, after)
    await tell_turn(conn, work, after, actor="appliance", note=LOOKED_AGAIN)

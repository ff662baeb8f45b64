"""Everything the gates look at about one incident, read in the transaction that acts on it."""

from dataclasses import replace

import aiosqlite

from appliance.core import gates
from appliance.core.gates import Candidate
from appliance.core.schedule import REFUSED
from appliance.handlers.facts import facts_of
from appliance.handlers.record import tell_turn
from appliance.handlers.site_rules import site_rules
from appliance.handlers.work import Work
from appliance.store import findings, incidents, limits, targets
from proto.catalog.model import Check
from proto.errors import NotFoundError
from proto.incidents import Cause, Decided, Incident, State
from proto.rules.matcher import Decision, decide, view_of


async def candidate_of(
    conn: aiosqlite.Connection, work: Work, incident: Incident, *, check: Check
) -> tuple[Candidate, Decision]:
    """Return an incident with all that the gates look at now, and how its rule was chosen."""
    now_ms = work.clock.now_ms()
    content = work.content()
    kept = await findings.of_target(conn, work.scribe.site, incident.target)
    decision = decide(content.rules, view_of(incident).fields())
    rule = decision.winner
    runbook = content.runbooks.get(rule.runbook_id) if rule and rule.runbook_id else None
    try:
        facts = facts_of(work, await targets.get(conn, incident.target))
    except NotFoundError:
        facts = None
    finding = kept.get(incident.check)
    rules = await site_rules(conn, work)
    dial = rules.dial(incident.check)
    candidate = Candidate(
        incident=incident,
        finding=finding.finding if finding else None,
        check=check,
        is_waived=rules.is_waived(incident.target, incident.check),
        rule=rule,
        runbook=runbook,
        facts=facts,
        site_autonomy=dial.autonomy,
        history=gates.History(
            fires_ms=await limits.fires_ms(conn, rule.id, incident.target, now_ms=now_ms)
            if rule
            else (),
            breaker_until_ms=await limits.breaker_until_ms(conn, incident.target, runbook.id)
            if runbook
            else 0,
            is_busy=incident.target in await incidents.busy_targets(conn),
            is_refused=any(one.finding.reason in REFUSED for one in kept.values()),
            budget_until_ms=await limits.budget_until_ms(
                conn, work.settings.budgets.rules_per_hour, now_ms=now_ms
            ),
            blast_until_ms=await limits.blast_until_ms(
                conn, incident.target, now_ms=now_ms, lead_ms=now_ms - work.own_s * 1000
            ),
        ),
        content=content.digest,
        is_protected=incident.target in rules.protected,
        is_held_by_order=dial.is_ordered,
        window=rules.window,
    )
    return candidate, decision


def decided_by(decision: Decision) -> Decided | None:
    """Return the rule that was chosen and those that lost to it; None when none matched."""
    if decision.winner is None:
        return None
    losers = tuple(loser.rule_id for loser in decision.losers)
    return Decided("rule", decision.winner.id, losers)


async def close_unasked(conn: aiosqlite.Connection, work: Work, incident: Incident) -> None:
    """Close an incident whose check the content no longer has: nothing will ever pass it."""
    now_ms = work.clock.now_ms()
    closed = replace(
        incident,
        state=State.CLOSED,
        cause=Cause.CHECK_GONE,
        closed_ms=now_ms,
        updated_ms=now_ms,
    )
    await incidents.put(conn, closed)
    await tell_turn(conn, work, closed, actor="appliance")

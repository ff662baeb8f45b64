"""Everything the gates look at about one incident, read in the transaction that acts on it."""

from dataclasses import dataclass, replace

import aiosqlite

from appliance.core.gates import Candidate, History
from appliance.core.schedule import REFUSED
from appliance.handlers.facts import facts_of
from appliance.handlers.record import tell_turn
from appliance.handlers.run_time import lead_ms, run_ms
from appliance.handlers.site_rules import site_rules
from appliance.handlers.work import Work
from appliance.store import findings, incidents, limits, targets
from proto.catalog.model import Check, Rule, Runbook
from proto.errors import NotFoundError
from proto.ids import TargetId
from proto.incidents import Cause, Decided, Incident, State
from proto.rules.matcher import Decision, decide, view_of


async def candidate_of(
    conn: aiosqlite.Connection, work: Work, incident: Incident, *, check: Check
) -> tuple[Candidate, Decision]:
    """Return an incident with all that the gates look at now, and how its rule was chosen."""
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
        history=await history_of(
            conn,
            work,
            Deed(incident.target, rule, runbook),
            is_refused=any(one.finding.reason in REFUSED for one in kept.values()),
        ),
        content=content.digest,
        is_protected=incident.target in rules.protected,
        is_held_by_order=dial.is_ordered,
        window=rules.window,
    )
    return candidate, decision


@dataclass(frozen=True, slots=True)
class Deed:
    """What may be done, and to which target."""

    target: TargetId
    rule: Rule | None
    runbook: Runbook | None


async def history_of(
    conn: aiosqlite.Connection, work: Work, deed: Deed, *, is_refused: bool
) -> History:
    """Return what happened before, counted by the running clock and told on the one on the wall."""
    run, lead = await run_ms(conn, work), await lead_ms(conn, work)
    target, rule = deed.target, deed.rule
    fires_ms = await limits.fires_ms(conn, rule.id, target, now_ms=run) if rule else ()
    most = work.settings.budgets.rules_per_hour
    budget_ms = await limits.budget_until_ms(conn, most, now_ms=run)
    own_lead = run - work.own_s * 1000
    blast_ms = await limits.blast_until_ms(conn, target, now_ms=run, lead_ms=own_lead)
    return History(
        fires_ms=tuple(at_ms + lead for at_ms in fires_ms),
        breaker_until_ms=await breaker_until_ms(conn, work, target, runbook=deed.runbook),
        is_busy=target in await incidents.busy_targets(conn),
        is_refused=is_refused,
        budget_until_ms=_on_wall(budget_ms, lead),
        blast_until_ms=_on_wall(blast_ms, lead),
    )


async def breaker_until_ms(
    conn: aiosqlite.Connection, work: Work, target: TargetId, *, runbook: Runbook | None
) -> int:
    """Return until when, on the clock on the wall, a runbook may not run on a target; 0 if it may.

    An order names the runbook itself: what is given here need not be a rule's.
    """
    if runbook is None:
        return 0
    until_ms = await limits.breaker_until_ms(conn, target, runbook.id)
    return _on_wall(until_ms, await lead_ms(conn, work))


def _on_wall(run_ms: int, lead: int) -> int:
    """Return a time of the running clock as one of the clock on the wall; 0 is none."""
    return run_ms + lead if run_ms else 0


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

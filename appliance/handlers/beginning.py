"""Beginning a repair that the gates let pass: plan, intent and firing in one transaction."""

from dataclasses import replace

import aiosqlite

from appliance.core import healing
from appliance.core.gates import Candidate, Proceed
from appliance.core.healing import Begin, Move, Situation
from appliance.handlers.record import tell_turn
from appliance.handlers.run_time import note_run, run_ms
from appliance.handlers.work import Work
from appliance.store import incidents, journal, limits
from proto.incidents import Decided
from proto.invariants import require


async def begin(
    conn: aiosqlite.Connection,
    work: Work,
    candidate: Candidate,
    *,
    ruling: Proceed,
    decided: Decided,
) -> None:
    """Begin the repair of an open incident; the heal loop carries it on."""
    incident, now_ms = candidate.incident, work.clock.now_ms()
    require(candidate.finding is not None, f"{incident.id}: a repair without a finding")
    assert candidate.finding is not None  # noqa: S101 - for the type checker; require() has raised
    move: Move = healing.advance(
        incident, Begin(decided, ruling.plan.runbook), Situation(ruling.plan, now_ms)
    )
    fired_ms = await run_ms(conn, work)
    begun = replace(move.incident, params=dict(ruling.params))
    run = await journal.start_repair(
        conn,
        begun,
        plan=ruling.plan,
        before=journal.seen_in(candidate.finding),
        now_ms=now_ms,
        fired_ms=fired_ms,
    )
    await incidents.put(conn, begun)
    await tell_turn(conn, work, begun, actor="appliance")
    require(move.command is not None, f"{incident.id}: begun without a command")
    assert move.command is not None  # noqa: S101 - for the type checker
    await journal.add_command(conn, begun.id, run, command=move.command, now_ms=now_ms)
    await limits.fired(conn, ruling.plan.rule, begun.target, now_ms=fired_ms)
    await note_run(conn, work)

"""The journal of repairs: intent before, result after.

A command is written in the transaction that decides it, marked started in one of its own before it
touches the target, and finished in the transaction that stores what it led to. After a crash, one
that was never started may be carried out; one that was started and not finished has the outcome
unknown.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import aiosqlite

from appliance.core import plan as plans
from appliance.core.healing import Command, Kind
from appliance.core.plan import Plan
from appliance.core.records import Seen
from proto.evidence import Outcome, Result
from proto.findings import Finding, Reason, Scalar, Verdict
from proto.ids import IncidentId
from proto.incidents import Incident


@dataclass(frozen=True, slots=True)
class Repair:
    """One start of a repair.

    Attributes:
        captured: the answer of the capture, once there is one.
        after: what the last verify said, once there was one.
        at_ms: when it was started.
        fired_ms: when its rule fired, by the running clock.
    """

    incident: IncidentId
    run: int
    attempt: int
    plan: Plan
    before: Seen
    captured: Mapping[str, Scalar] | None
    after: Seen | None
    at_ms: int
    fired_ms: int


@dataclass(frozen=True, slots=True)
class Journaled:
    """A command of a repair that is not finished."""

    id: int
    command: Command
    is_started: bool


def seen_in(finding: Finding) -> Seen:
    """Return what a finding says, as one side of a repair."""
    return Seen(finding.verdict, finding.reason, dict(finding.seen))


def _dump_side(side: Seen) -> str:
    return json.dumps({"verdict": side.verdict, "reason": side.reason, "seen": dict(side.seen)})


def _load_side(text: str) -> Seen:
    value = json.loads(text)
    reason = Reason(value["reason"]) if value["reason"] else None
    return Seen(Verdict(value["verdict"]), reason, value["seen"])


async def start_repair(
    conn: aiosqlite.Connection,
    incident: Incident,
    *,
    plan: Plan,
    before: Seen,
    now_ms: int,
    fired_ms: int,
) -> int:
    """Freeze a repair's plan and return its run number, from 1.

    `now_ms` is when it starts, on the clock on the wall; `fired_ms` by the running clock.
    """
    rows = list(
        await conn.execute_fetchall(
            "SELECT coalesce(max(run), 0) + 1 AS run FROM repairs WHERE incident = ?",
            (incident.id,),
        )
    )
    run = int(rows[0]["run"])
    await conn.execute(
        "INSERT INTO repairs (incident, run, attempt, check_id, rule, runbook, plan, content,"
        " before, at_ms, order_sid, fired_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            incident.id,
            run,
            incident.attempt,
            incident.check,
            plan.rule,
            plan.runbook,
            plans.dump(plan),
            plan.content,
            _dump_side(before),
            now_ms,
            plan.order or None,
            fired_ms,
        ),
    )
    return run


async def current_repair(conn: aiosqlite.Connection, incident: IncidentId) -> Repair | None:
    """Return the newest repair of an incident, or None."""
    rows = await conn.execute_fetchall(
        "SELECT * FROM repairs WHERE incident = ? ORDER BY run DESC LIMIT 1", (incident,)
    )
    for row in rows:
        return Repair(
            incident=incident,
            run=row["run"],
            attempt=row["attempt"],
            plan=plans.load(row["plan"]),
            before=_load_side(row["before"]),
            captured=json.loads(row["captured"]) if row["captured"] else None,
            after=_load_side(row["after"]) if row["after"] else None,
            at_ms=row["at_ms"],
            fired_ms=row["fired_ms"],
        )
    return None


async def keep_captured(
    conn: aiosqlite.Connection, repair: Repair, captured: Mapping[str, Scalar]
) -> None:
    """Store the capture's answer, before the first step."""
    await conn.execute(
        "UPDATE repairs SET captured = ? WHERE incident = ? AND run = ?",
        (json.dumps(dict(captured)), repair.incident, repair.run),
    )


async def keep_after(conn: aiosqlite.Connection, repair: Repair, after: Seen) -> None:
    """Store what a verify said."""
    await conn.execute(
        "UPDATE repairs SET after = ? WHERE incident = ? AND run = ?",
        (_dump_side(after), repair.incident, repair.run),
    )


async def end_repair(
    conn: aiosqlite.Connection,
    repair: Repair,
    *,
    result: Result | None,
    leaf: int | None,
    now_ms: int,
) -> None:
    """Store how a repair ended; None when it never changed anything."""
    await conn.execute(
        "UPDATE repairs SET result = ?, leaf = ?, done_ms = ? WHERE incident = ? AND run = ?",
        (result, leaf, now_ms, repair.incident, repair.run),
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """How a repair ended: `result` is None when it never changed anything, and has no leaf."""

    result: Result | None
    leaf: int | None


async def ended_for(
    conn: aiosqlite.Connection, incident: IncidentId, *, order: str
) -> Ended | None:
    """Return how the repair that an order asked for ended; None while it has not."""
    rows = await conn.execute_fetchall(
        "SELECT result, leaf FROM repairs WHERE incident = ? AND order_sid = ?"
        " AND done_ms IS NOT NULL",
        (incident, order),
    )
    for row in rows:
        return Ended(Result(row["result"]) if row["result"] else None, row["leaf"])
    return None


async def add_command(
    conn: aiosqlite.Connection,
    incident: IncidentId,
    run: int,
    *,
    command: Command,
    now_ms: int,
) -> None:
    """Write down the intent; the schema refuses the same command twice."""
    await conn.execute(
        "INSERT INTO commands (incident, run, kind, step, created_ms, not_before_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (incident, run, command.kind, command.step, now_ms, command.not_before_ms),
    )


async def unfinished(conn: aiosqlite.Connection, incident: IncidentId) -> Journaled | None:
    """Return the one command of an incident that has no result, or None."""
    rows = await conn.execute_fetchall(
        "SELECT * FROM commands WHERE incident = ? AND done_ms IS NULL ORDER BY id DESC LIMIT 1",
        (incident,),
    )
    for row in rows:
        command = Command(Kind(row["kind"]), row["step"], row["not_before_ms"])
        return Journaled(row["id"], command, row["started_ms"] is not None)
    return None


async def mark_started(conn: aiosqlite.Connection, command: int, *, now_ms: int) -> None:
    """Write down that a command is about to touch its target."""
    await conn.execute("UPDATE commands SET started_ms = ? WHERE id = ?", (now_ms, command))


async def finish(
    conn: aiosqlite.Connection,
    command: int,
    *,
    outcome: Outcome,
    changed: int | None,
    why: str,
    now_ms: int,
) -> None:
    """Write down a command's result; `changed` is 0 or 1 where its answer said so."""
    await conn.execute(
        "UPDATE commands SET done_ms = ?, outcome = ?, changed = ?, why = ? WHERE id = ?",
        (now_ms, None if outcome is Outcome.NOT_RUN else outcome, changed, why[:200], command),
    )


async def step_outcomes(
    conn: aiosqlite.Connection, repair: Repair
) -> tuple[list[str | None], list[int | None]]:
    """Return outcomes and changed flags of the repair's started steps, in order."""
    rows = list(
        await conn.execute_fetchall(
            "SELECT outcome, changed FROM commands WHERE incident = ? AND run = ? AND kind = 'step'"
            " AND started_ms IS NOT NULL AND NOT (done_ms IS NOT NULL AND outcome IS NULL)"
            " ORDER BY step",
            (repair.incident, repair.run),
        )
    )
    return [row["outcome"] for row in rows], [row["changed"] for row in rows]

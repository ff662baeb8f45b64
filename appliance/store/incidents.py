"""Incidents and their turns.

The schema holds what must never break: one live incident for a target and check, one repair at a
time on a target. Closed incidents are pruned after `KEPT_MS`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import aiosqlite

from proto.ids import IncidentId, SiteId, TargetId
from proto.incidents import IN_HAND, Cause, Decided, Incident, Severity, State

KEPT_MS = 90 * 86_400_000
DUE_MAX = 256


def _incident(row: aiosqlite.Row, site: SiteId) -> Incident:
    decided = None
    if row["decided_by"]:
        decided = Decided(row["decided_by"], row["decided_id"], tuple(json.loads(row["losers"])))
    return Incident(
        id=IncidentId(row["id"]),
        site=site,
        target=TargetId(row["target"]),
        check=row["check_id"],
        platform=row["platform"],
        severity=Severity(row["severity"]),
        seen=json.loads(row["seen"]),
        state=State(row["state"]),
        attempt=row["attempt"],
        opened_ms=row["opened_ms"],
        updated_ms=row["updated_ms"],
        decided=decided,
        runbook=row["runbook"],
        params=json.loads(row["params"]) if row["params"] else None,
        closed_ms=row["closed_ms"],
        cause=Cause(row["cause"]) if row["cause"] else None,
        not_before_ms=row["not_before_ms"],
        verify_tries=row["verify_tries"],
    )


async def put(conn: aiosqlite.Connection, incident: Incident) -> None:
    """Store an incident, new or changed."""
    decided = incident.decided
    await conn.execute(
        "INSERT INTO incidents (id, target, check_id, platform, severity, seen, state, attempt,"
        " opened_ms, updated_ms, decided_by, decided_id, losers, runbook, params, closed_ms,"
        " cause, not_before_ms, verify_tries)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, state = excluded.state,"
        " attempt = excluded.attempt, updated_ms = excluded.updated_ms,"
        " decided_by = excluded.decided_by, decided_id = excluded.decided_id,"
        " losers = excluded.losers, runbook = excluded.runbook, params = excluded.params,"
        " closed_ms = excluded.closed_ms, cause = excluded.cause,"
        " not_before_ms = excluded.not_before_ms, verify_tries = excluded.verify_tries",
        (
            incident.id,
            incident.target,
            incident.check,
            incident.platform,
            incident.severity,
            json.dumps(dict(incident.seen)),
            incident.state,
            incident.attempt,
            incident.opened_ms,
            incident.updated_ms,
            decided.by if decided else None,
            decided.id if decided else None,
            json.dumps(list(decided.losers) if decided else []),
            incident.runbook,
            json.dumps(dict(incident.params)) if incident.params is not None else None,
            incident.closed_ms,
            incident.cause,
            incident.not_before_ms,
            incident.verify_tries,
        ),
    )


async def get(conn: aiosqlite.Connection, site: SiteId, incident: IncidentId) -> Incident | None:
    """Return an incident, or None."""
    rows = await conn.execute_fetchall("SELECT * FROM incidents WHERE id = ?", (incident,))
    return next((_incident(row, site) for row in rows), None)


async def live_of_target(
    conn: aiosqlite.Connection, site: SiteId, target: TargetId
) -> dict[str, Incident]:
    """Return a target's incidents that are not closed, by check id."""
    rows = await conn.execute_fetchall(
        "SELECT * FROM incidents WHERE target = ? AND state <> 'closed'", (target,)
    )
    return {row["check_id"]: _incident(row, site) for row in rows}


_WORST_FIRST = """ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1
 WHEN 'medium' THEN 2 ELSE 3 END, opened_ms, id"""


async def due(
    conn: aiosqlite.Connection, site: SiteId, *, states: Iterable[State], now_ms: int
) -> list[Incident]:
    """Return incidents in these states whose wait is over: worst first, then oldest first."""
    wanted = sorted(states)
    marks = ",".join("?" * len(wanted))
    rows = await conn.execute_fetchall(
        f"SELECT * FROM incidents WHERE state IN ({marks}) AND not_before_ms <= ?"  # noqa: S608 - only question marks
        f" {_WORST_FIRST} LIMIT ?",
        (*wanted, now_ms, DUE_MAX),
    )
    return [_incident(row, site) for row in rows]


async def waiting_for(
    conn: aiosqlite.Connection, site: SiteId, *, check: str, target: str
) -> list[Incident]:
    """Return every incident of a check on a target that waits for a repair or for a person.

    "all" is every check, or every target. Unlike those that are due, these are all of them.
    """
    rows = await conn.execute_fetchall(
        "SELECT * FROM incidents WHERE state IN ('open', 'escalated')"
        " AND ?1 IN ('all', check_id) AND ?2 IN ('all', target) ORDER BY id",
        (check, target),
    )
    return [_incident(row, site) for row in rows]


_ON_A_FREE_TARGET = """state = 'open' AND (cause IS NOT 'target_busy' OR target NOT IN
 (SELECT target FROM incidents WHERE state IN ('planned', 'executing', 'verifying', 'undoing')))"""
"""One that was found to wait for its target is not looked at again before the target is free."""


async def ready(conn: aiosqlite.Connection, site: SiteId, *, now_ms: int) -> list[Incident]:
    """Return open incidents that the gates should look at now: worst first, then oldest first."""
    rows = await conn.execute_fetchall(
        f"SELECT * FROM incidents WHERE {_ON_A_FREE_TARGET} AND not_before_ms <= ?"  # noqa: S608 - a constant
        f" {_WORST_FIRST} LIMIT ?",
        (now_ms, DUE_MAX),
    )
    return [_incident(row, site) for row in rows]


async def waived_no_more(
    conn: aiosqlite.Connection, site: SiteId, *, now_ms: int
) -> list[Incident]:
    """Return waived incidents whose waiver is no longer in force."""
    rows = await conn.execute_fetchall(
        "SELECT * FROM incidents i WHERE state = 'waived' AND NOT EXISTS (SELECT 1 FROM waivers w"
        " WHERE w.target = i.target AND w.check_id = i.check_id AND w.ended_ms IS NULL"
        " AND w.until_ms > ?1) AND NOT EXISTS (SELECT 1 FROM ordered_settings o"
        " WHERE o.matter = 'waiver' AND o.target IN (i.target, 'all')"
        " AND o.check_id IN (i.check_id, 'all') AND o.ended_ms IS NULL AND o.until_ms > ?1)"
        " ORDER BY id LIMIT ?2",
        (now_ms, DUE_MAX),
    )
    return [_incident(row, site) for row in rows]


@dataclass(frozen=True, slots=True)
class Handed:
    """An incident in a person's hands; `seen` is its reported fields as stored."""

    incident: IncidentId
    target: TargetId
    check: str
    seen: str


async def escalated(conn: aiosqlite.Connection) -> list[Handed]:
    """Return every incident that was handed to a person, worst first."""
    rows = await conn.execute_fetchall(
        f"SELECT id, target, check_id, seen FROM incidents WHERE state = 'escalated' {_WORST_FIRST}"  # noqa: S608 - a constant
    )
    return [
        Handed(IncidentId(row["id"]), TargetId(row["target"]), row["check_id"], row["seen"])
        for row in rows
    ]


async def shift_waits(conn: aiosqlite.Connection, by_ms: int) -> None:
    """Let what waits wait as long as before, on a clock that was set by so much."""
    await conn.execute(
        "UPDATE incidents SET not_before_ms = max(not_before_ms + ?, 0)"
        " WHERE state = 'open' AND not_before_ms > 0",
        (by_ms,),
    )


async def wait_at_most(conn: aiosqlite.Connection, *, until_ms: int) -> None:
    """Let what waits be looked at again at a time, at the latest."""
    await conn.execute(
        "UPDATE incidents SET not_before_ms = ?1 WHERE state = 'open' AND not_before_ms > ?1",
        (until_ms,),
    )


async def next_due_ms(conn: aiosqlite.Connection) -> int | None:
    """Return when the next wait ends of those that wait for time, or None when none does."""
    rows = list(
        await conn.execute_fetchall(
            f"SELECT min(not_before_ms) AS due FROM incidents WHERE {_ON_A_FREE_TARGET}"  # noqa: S608 - a constant
        )
    )
    due_ms: int | None = rows[0]["due"]
    return due_ms


async def busy_targets(conn: aiosqlite.Connection) -> set[TargetId]:
    """Return the targets on which a repair is under way."""
    marks = ",".join("?" * len(IN_HAND))
    rows = await conn.execute_fetchall(
        f"SELECT target FROM incidents WHERE state IN ({marks})",  # noqa: S608 - only question marks
        sorted(IN_HAND),
    )
    return {TargetId(row["target"]) for row in rows}


async def add_turn(
    conn: aiosqlite.Connection,
    incident: Incident,
    *,
    at_ms: int,
    actor: str,
    note: str = "",
    leaf: int | None = None,
) -> None:
    """Write down that an incident came to its present state, for the pages."""
    await conn.execute(
        "INSERT INTO turns SELECT ?, coalesce(max(n), 0) + 1, ?, ?, ?, ?, ?, ? FROM turns"
        " WHERE incident = ?",
        (
            incident.id,
            at_ms,
            incident.state,
            incident.cause,
            actor,
            note,
            leaf,
            incident.id,
        ),
    )


async def prune(conn: aiosqlite.Connection, *, now_ms: int) -> None:
    """Drop incidents that closed more than `KEPT_MS` ago; their evidence stays in the log."""
    await conn.execute(
        "DELETE FROM incidents WHERE state = 'closed' AND closed_ms < ?", (now_ms - KEPT_MS,)
    )

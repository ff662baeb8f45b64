"""Incidents with their turns and repairs, as pages read them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from sqlite3 import Row

import aiosqlite

from appliance.store.views.values import fields, label
from proto.evidence import Result
from proto.findings import Reason, Scalar, Verdict
from proto.ids import IncidentId, TargetId
from proto.incidents import Cause, Decided, Severity, State

INCIDENTS_SHOWN_MAX = 200
TURNS_SHOWN_MAX = 200

_INCIDENTS = f"""
SELECT i.*, {label("d")} AS label,
  (SELECT result FROM repairs r WHERE r.incident = i.id ORDER BY r.run DESC LIMIT 1) AS result
FROM incidents i JOIN devices d ON d.id = i.target
"""  # noqa: S608 - only constants of this package are put together here


_HEALED = f"""
SELECT r.incident, i.target, {label("d")} AS label, r.check_id, r.result, r.at_ms, r.done_ms, r.leaf
FROM repairs r JOIN incidents i ON i.id = r.incident JOIN devices d ON d.id = i.target
WHERE r.done_ms >= ? AND r.result IS NOT NULL ORDER BY r.done_ms DESC LIMIT ?
"""  # noqa: S608 - only constants of this package are put together here

_IN_STATES = """
WHERE i.state IN (SELECT value FROM json_each(?)) ORDER BY i.updated_ms DESC, i.id LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident as pages list it.

    Attributes:
        label: how its device is called.
        result: how its last repair ended; None while there was none, or it has not ended.
    """

    id: IncidentId
    target: TargetId
    label: str
    check: str
    platform: str
    severity: Severity
    seen: Mapping[str, Scalar]
    state: State
    attempt: int
    opened_ms: int
    updated_ms: int
    closed_ms: int | None
    cause: Cause | None
    decided: Decided | None
    runbook: str | None
    params: Mapping[str, Scalar]
    not_before_ms: int
    result: Result | None


@dataclass(frozen=True, slots=True)
class TurnView:
    """A turn in an incident's life; `leaf` is the evidence leaf that records it."""

    at_ms: int
    state: State
    cause: Cause | None
    actor: str
    note: str
    leaf: int | None


@dataclass(frozen=True, slots=True)
class SideView:
    """What a check said before or after a repair."""

    verdict: Verdict
    reason: Reason | None
    seen: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class StepView:
    """One command of a repair: `kind` is capture, step, verify or undo."""

    kind: str
    step: int
    done_ms: int | None
    outcome: str | None
    changed: bool
    why: str


@dataclass(frozen=True, slots=True)
class RepairView:
    """One start of a repair, with what was so before and after it."""

    run: int
    attempt: int
    rule: str
    runbook: str
    before: SideView
    after: SideView | None
    result: Result | None
    at_ms: int
    done_ms: int | None
    leaf: int | None
    steps: tuple[StepView, ...] = ()


@dataclass(frozen=True, slots=True)
class HealedView:
    """A repair that was proved: for the lists of what was done."""

    incident: IncidentId
    target: TargetId
    label: str
    check: str
    result: Result
    at_ms: int
    done_ms: int
    leaf: int | None


def _incident(row: Row) -> IncidentView:
    decided = None
    if row["decided_by"] is not None:
        losers = tuple(str(name) for name in json.loads(row["losers"]))
        decided = Decided(row["decided_by"], row["decided_id"] or "", losers)
    return IncidentView(
        id=row["id"],
        target=row["target"],
        label=row["label"],
        check=row["check_id"],
        platform=row["platform"],
        severity=Severity(row["severity"]),
        seen=fields(row["seen"]),
        state=State(row["state"]),
        attempt=row["attempt"],
        opened_ms=row["opened_ms"],
        updated_ms=row["updated_ms"],
        closed_ms=row["closed_ms"],
        cause=Cause(row["cause"]) if row["cause"] else None,
        decided=decided,
        runbook=row["runbook"],
        params=fields(row["params"]),
        not_before_ms=row["not_before_ms"],
        result=Result(row["result"]) if row["result"] else None,
    )


async def incidents(
    connection: aiosqlite.Connection, *, states: frozenset[State]
) -> list[IncidentView]:
    """Return the 200 incidents in these states that turned last."""
    sql = _INCIDENTS + _IN_STATES
    wanted = json.dumps(sorted(states))
    rows = await connection.execute_fetchall(sql, (wanted, INCIDENTS_SHOWN_MAX))
    return [_incident(row) for row in rows]


async def incident(
    connection: aiosqlite.Connection, incident_id: IncidentId
) -> IncidentView | None:
    """Return one incident, or None."""
    sql = f"{_INCIDENTS} WHERE i.id = ?"
    rows = list(await connection.execute_fetchall(sql, (incident_id,)))
    return _incident(rows[0]) if rows else None


async def incidents_of(connection: aiosqlite.Connection, target: TargetId) -> list[IncidentView]:
    """Return the 200 incidents of a target that turned last."""
    sql = f"{_INCIDENTS} WHERE i.target = ? ORDER BY i.updated_ms DESC, i.id LIMIT ?"
    rows = await connection.execute_fetchall(sql, (target, INCIDENTS_SHOWN_MAX))
    return [_incident(row) for row in rows]


async def turns(connection: aiosqlite.Connection, incident_id: IncidentId) -> list[TurnView]:
    """Return the turns of an incident in the order in which they happened."""
    rows = await connection.execute_fetchall(
        "SELECT at_ms, state, cause, actor, note, leaf FROM turns WHERE incident = ?"
        " ORDER BY n LIMIT ?",
        (incident_id, TURNS_SHOWN_MAX),
    )
    return [
        TurnView(
            row["at_ms"],
            State(row["state"]),
            Cause(row["cause"]) if row["cause"] else None,
            row["actor"],
            row["note"],
            row["leaf"],
        )
        for row in rows
    ]


def _side(text: str | None) -> SideView | None:
    if text is None:
        return None
    value = json.loads(text)
    reason = value.get("reason")
    return SideView(
        Verdict(value["verdict"]), Reason(reason) if reason else None, value.get("seen") or {}
    )


async def repairs(connection: aiosqlite.Connection, incident_id: IncidentId) -> list[RepairView]:
    """Return the repairs of an incident in order, each with its commands."""
    commands = await connection.execute_fetchall(
        "SELECT run, kind, step, done_ms, outcome, changed, why FROM commands WHERE incident = ?"
        " ORDER BY id LIMIT ?",
        (incident_id, TURNS_SHOWN_MAX),
    )
    steps: dict[int, list[StepView]] = {}
    for row in commands:
        step = StepView(
            row["kind"],
            row["step"],
            row["done_ms"],
            row["outcome"],
            bool(row["changed"]),
            row["why"] or "",
        )
        steps.setdefault(row["run"], []).append(step)
    rows = await connection.execute_fetchall(
        "SELECT * FROM repairs WHERE incident = ? ORDER BY run LIMIT ?",
        (incident_id, TURNS_SHOWN_MAX),
    )
    return [_repair(row, tuple(steps.get(row["run"], ()))) for row in rows]


def _repair(row: Row, steps: tuple[StepView, ...]) -> RepairView:
    before = _side(row["before"]) or SideView(Verdict.UNKNOWN, None, {})
    return RepairView(
        run=row["run"],
        attempt=row["attempt"],
        rule=row["rule"],
        runbook=row["runbook"],
        before=before,
        after=_side(row["after"]),
        result=Result(row["result"]) if row["result"] else None,
        at_ms=row["at_ms"],
        done_ms=row["done_ms"],
        leaf=row["leaf"],
        steps=steps,
    )


async def healed_since(connection: aiosqlite.Connection, since_ms: int) -> list[HealedView]:
    """Return the repairs that ended since a time, newest first; at most 200."""
    rows = await connection.execute_fetchall(
        _HEALED,
        (since_ms, INCIDENTS_SHOWN_MAX),
    )
    return [
        HealedView(
            row["incident"],
            row["target"],
            row["label"],
            row["check_id"],
            Result(row["result"]),
            row["at_ms"],
            row["done_ms"],
            row["leaf"],
        )
        for row in rows
    ]

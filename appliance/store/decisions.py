"""What people decided about devices: who, when, why, and what was known then.

The newest decision on whether a device may be touched is the one that holds; earlier ones are its
history. A device keeps `DECISIONS_KEPT`; they go with their device.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import aiosqlite

from appliance.core.classify import Release
from appliance.core.reasons import plain_reason
from proto.ids import TargetId

DECISIONS_KEPT = 50

About = Mapping[str, str | list[str]]
"""What was known when something was decided."""


class Decided(StrEnum):
    """What a person decided."""

    OFF_LIMITS = "off_limits"
    RELEASED = "released"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision; `account` is who made it, `reason` what they said."""

    device: TargetId
    kind: Decided
    account: str
    reason: str
    about: About
    at_ms: int


async def add(conn: aiosqlite.Connection, decision: Decision) -> None:
    """Write a decision; the oldest of many goes.

    Raises:
        MalformedError: no reason, or one that is too long.
    """
    reason = plain_reason(decision.reason, "reason")
    await conn.execute(
        "INSERT INTO device_decisions SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3, ?4, ?5, ?6"
        " FROM device_decisions WHERE device = ?1",
        (
            decision.device,
            decision.kind,
            decision.account,
            reason,
            json.dumps(dict(decision.about)),
            decision.at_ms,
        ),
    )
    await conn.execute(
        "DELETE FROM device_decisions WHERE device = ?1 AND n <="
        " (SELECT max(n) FROM device_decisions WHERE device = ?1) - ?2"
        " AND n < (SELECT max(n) FROM device_decisions WHERE device = ?1 AND kind <> 'settled')",
        (decision.device, DECISIONS_KEPT),
    )


async def of_device(conn: aiosqlite.Connection, device: TargetId) -> list[Decision]:
    """Return the decisions about a device, newest first."""
    rows = await conn.execute_fetchall(
        "SELECT * FROM device_decisions WHERE device = ? ORDER BY n DESC", (device,)
    )
    return [_decision(row) for row in rows]


async def releases(
    conn: aiosqlite.Connection, only: TargetId | None = None
) -> dict[TargetId, Release]:
    """Return the releases that hold, of one device or of all."""
    rows = await conn.execute_fetchall(
        "SELECT * FROM device_decisions d WHERE kind = 'released' AND (?1 IS NULL OR device = ?1)"
        " AND n = (SELECT max(n) FROM device_decisions WHERE device = d.device"
        " AND kind <> 'settled')",
        (only,),
    )
    return {TargetId(row["device"]): _release(_decision(row)) for row in rows}


async def is_off_limits_by_person(conn: aiosqlite.Connection, device: TargetId) -> bool:
    """Tell whether the newest decision on whether a device may be touched is that it may not."""
    rows = await conn.execute_fetchall(
        "SELECT kind FROM device_decisions WHERE device = ? AND kind <> 'settled'"
        " ORDER BY n DESC LIMIT 1",
        (device,),
    )
    return any(row["kind"] == Decided.OFF_LIMITS for row in rows)


def _decision(row: aiosqlite.Row) -> Decision:
    return Decision(
        device=TargetId(row["device"]),
        kind=Decided(row["kind"]),
        account=row["account"],
        reason=row["reason"],
        about=json.loads(row["about"]),
        at_ms=row["at_ms"],
    )


def _release(decision: Decision) -> Release:
    return Release(
        signs=frozenset(decision.about["signs"]),
        macs=frozenset(decision.about["macs"]),
        because=str(decision.about["because"]),
        at_ms=decision.at_ms,
    )

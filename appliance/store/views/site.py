"""What holds for the site as a whole: waivers, conflicts, evidence, health and settings."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiosqlite

from appliance.core.identity import AttributeKind, shown_value
from appliance.store.db import Store
from appliance.store.health import Condition
from appliance.store.views.values import label
from proto.ids import TargetId

WAIVERS_SHOWN_MAX = 500
CONFLICTS_SHOWN_MAX = 200

_WAIVERS = f"""
SELECT w.*, coalesce({label("d")}, w.target) AS label
FROM waivers w LEFT JOIN devices d ON d.id = w.target
ORDER BY w.ended_ms IS NOT NULL, w.until_ms, w.id LIMIT ?
"""  # noqa: S608 - only constants of this package are put together here

_CONFLICTS = f"""
SELECT c.*, {label("d")} AS device_label, {label("o")} AS other_label
FROM device_conflicts c JOIN devices d ON d.id = c.device JOIN devices o ON o.id = c.other
WHERE c.settled_ms IS NULL ORDER BY c.at_ms, c.id LIMIT ?
"""  # noqa: S608 - only constants of this package are put together here


@dataclass(frozen=True, slots=True)
class WaiverView:
    """A dated, approved departure: open until `until_ms` unless a person ended it before."""

    id: int
    target: TargetId
    label: str
    check: str
    reason: str
    account: str
    created_ms: int
    until_ms: int
    ended_ms: int | None
    ended_by: str


@dataclass(frozen=True, slots=True)
class ConflictView:
    """Two devices that share an attribute which only one can have; a person decides."""

    id: int
    device: TargetId
    device_label: str
    other: TargetId
    other_label: str
    kind: str
    value: str
    at_ms: int

    @property
    def shown(self) -> str:
        """The value as people compare it."""
        return shown_value(AttributeKind(self.kind), self.value)


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """How far the evidence log goes and how much of it the hub holds and co-signed."""

    size: int
    acked: int
    cosigned: bool


@dataclass(frozen=True, slots=True)
class ConditionView:
    """A way to be unwell that holds now."""

    code: str
    since_ms: int
    detail: str


async def waivers(connection: aiosqlite.Connection) -> list[WaiverView]:
    """Return the waivers, those that still hold first; at most 500."""
    rows = await connection.execute_fetchall(
        _WAIVERS,
        (WAIVERS_SHOWN_MAX,),
    )
    return [
        WaiverView(
            row["id"],
            row["target"],
            row["label"],
            row["check_id"],
            row["reason"],
            row["account"],
            row["created_ms"],
            row["until_ms"],
            row["ended_ms"],
            row["ended_by"],
        )
        for row in rows
    ]


async def conflicts(connection: aiosqlite.Connection) -> list[ConflictView]:
    """Return the attributes that two devices claim, oldest first; at most 200."""
    rows = await connection.execute_fetchall(
        _CONFLICTS,
        (CONFLICTS_SHOWN_MAX,),
    )
    return [
        ConflictView(
            row["id"],
            row["device"],
            row["device_label"],
            row["other"],
            row["other_label"],
            row["kind"],
            row["value"],
            row["at_ms"],
        )
        for row in rows
    ]


async def evidence(connection: aiosqlite.Connection) -> EvidenceView:
    """Return how far the evidence log goes."""
    rows = await connection.execute_fetchall("SELECT size, acked_size, cosigned FROM evidence_head")
    row = next(iter(rows))
    return EvidenceView(row["size"], row["acked_size"], row["cosigned"] != "")


async def conditions(connection: aiosqlite.Connection) -> list[ConditionView]:
    """Return the ways in which the appliance is unwell, the longest first."""
    rows = await connection.execute_fetchall(
        "SELECT code, since_ms, detail FROM health ORDER BY since_ms, code"
    )
    return [ConditionView(row["code"], row["since_ms"], row["detail"]) for row in rows]


def now(store: Store) -> frozenset[Condition]:
    """Return what holds at this moment, stored or not: a full disk cannot store that it is."""
    return frozenset() if store.has_room() else frozenset({Condition.DISK_FULL})


async def meta(connection: aiosqlite.Connection) -> Mapping[str, str]:
    """Return the appliance's own settings and marks, by key."""
    rows = await connection.execute_fetchall("SELECT key, value FROM meta")
    return {row["key"]: row["value"] for row in rows}

"""Devices, findings and the counts of now, as pages and exports read them.

A finding older than its check's freshness is unknown with the reason stale; that rule stands once,
in `_CURRENT`, so a list, a page and a file can never disagree about it. A check that the active
content no longer has is stale too: nobody vouches for its verdict.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from sqlite3 import Row

import aiosqlite

from appliance.store.views.values import NEWEST, fields, label
from proto.findings import Reason, Scalar, Vantage, Verdict
from proto.ids import IncidentId, TargetId
from proto.inventory import DeviceClass, Platform

DEVICES_SHOWN_MAX = 2000
FINDINGS_SHOWN_MAX = 50_000

Freshness = Mapping[str, int]
"""For how long each check of the active content may be believed, seconds by check id."""


_CURRENT = """
WITH current AS (
  SELECT f.target, f.check_id, f.seen, f.at_ms, f.since_ms, f.vantage, f.content,
         f.verdict AS said, f.reason AS said_reason,
         f.at_ms < :now_ms - 1000 * coalesce(fresh.value, -1) AS stale
  FROM findings f
  LEFT JOIN json_each(:freshness) fresh ON fresh.key = f.check_id
), judged AS (
  SELECT target, check_id, seen, at_ms, since_ms, vantage, content, said,
         CASE WHEN stale THEN 'unknown' ELSE said END AS verdict,
         CASE WHEN stale AND said <> 'unknown' THEN 'stale' ELSE said_reason END AS reason
  FROM current
)
"""


_DEVICES = f"""
{_CURRENT}
SELECT d.id, d.class, d.off_limits, d.because, {label("d")} AS label, d.first_ms, d.last_ms,
       coalesce({NEWEST.format(device="d", kind="address")}, t.address, '') AS address,
       coalesce({NEWEST.format(device="d", kind="mac")}, '') AS mac,
       coalesce({NEWEST.format(device="d", kind="name")}, '') AS name,
       coalesce({NEWEST.format(device="d", kind="vendor")}, '') AS vendor,
       t.platform, t.login, t.os, t.os_version, t.added_ms,
       (SELECT json_group_object(verdict, n) FROM
         (SELECT verdict, count(*) AS n FROM judged j WHERE j.target = d.id GROUP BY verdict)
       ) AS verdicts,
       (SELECT max(at_ms) FROM findings f WHERE f.target = d.id AND f.verdict <> 'unknown'
       ) AS answered_ms,
       (SELECT count(*) FROM incidents i WHERE i.target = d.id AND i.state = 'escalated'
       ) AS escalated
FROM devices d
LEFT JOIN targets t ON t.id = d.id AND t.removed_ms IS NULL
"""  # noqa: S608 - only this module's constants are put together here


_FINDINGS = f"""
{_CURRENT}
SELECT j.target, j.check_id, j.verdict, j.reason, j.said, j.seen, j.at_ms, j.since_ms, j.vantage,
       j.content, {label("d")} AS label,
       (SELECT w.id FROM waivers w WHERE w.target = j.target AND w.check_id = j.check_id
          AND w.ended_ms IS NULL AND w.until_ms > :now_ms LIMIT 1) AS waiver,
       (SELECT i.id FROM incidents i WHERE i.target = j.target AND i.check_id = j.check_id
          AND i.state <> 'closed' LIMIT 1) AS incident
FROM judged j JOIN devices d ON d.id = j.target
"""  # noqa: S608 - only this module's constants are put together here


@dataclass(frozen=True, slots=True)
class TargetView:
    """What makes a device a target: how it is reached and what it said it is."""

    platform: Platform
    login: str
    os: str
    os_version: str
    added_ms: int


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device as pages list it.

    Attributes:
        label: what a person called it, else its name, its address or its id.
        off_limits: never connected to; `because` says why.
        target: None for a device that has no checks.
        verdicts: how many current findings there are of each verdict, stale ones as unknown.
        answered_ms: when a check last got an answer; None if never.
        escalated: how many of its incidents wait for a person.
    """

    id: TargetId
    device_class: DeviceClass
    off_limits: bool
    because: str
    label: str
    address: str
    mac: str
    name: str
    vendor: str
    first_ms: int
    last_ms: int
    target: TargetView | None
    verdicts: Mapping[Verdict, int]
    answered_ms: int | None
    escalated: int


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as it may be believed now.

    Attributes:
        verdict: what may be said now; `said` is what the answer said when it was read.
        since_ms: since when what was said holds.
        waiver: id of the waiver that covers it now.
        incident: id of its incident that is not closed.
    """

    target: TargetId
    label: str
    check: str
    verdict: Verdict
    reason: Reason | None
    said: Verdict
    seen: Mapping[str, Scalar]
    at_ms: int
    since_ms: int
    vantage: Vantage
    content: str
    waiver: int | None
    incident: IncidentId | None


@dataclass(frozen=True, slots=True)
class TodayView:
    """Counts for the one plain sentence; "today" began at the time the caller gave.

    Attributes:
        targets: those that are looked after; what a person put off limits is not.
        medical: of `targets`, those that look medical now: left alone until a person decides.
        checked: of `targets`, those that answered over SSH within the caller's last hour.
        healed: incidents with a proved repair today; `repairs` counts every repair that ended.
        escalated: incidents that wait for a person; `in_hand` are being repaired or about to be.
        oldest_ms: the time of the oldest answer that still counts.
    """

    targets: int
    checked: int
    devices: int
    off_limits: int
    verdicts: Mapping[Verdict, int]
    reasons: Mapping[Reason, int]
    healed: int
    repairs: int
    escalated: int
    in_hand: int
    waivers: int
    conflicts: int
    oldest_ms: int | None
    medical: int = 0


def _now(freshness: Freshness, now_ms: int) -> dict[str, object]:
    return {"freshness": json.dumps(dict(freshness)), "now_ms": now_ms}


def _device(row: Row) -> DeviceView:
    target = None
    if row["platform"] is not None:
        target = TargetView(
            Platform(row["platform"]), row["login"], row["os"], row["os_version"], row["added_ms"]
        )
    return DeviceView(
        id=row["id"],
        device_class=DeviceClass(row["class"]),
        off_limits=bool(row["off_limits"]),
        because=row["because"],
        label=row["label"],
        address=row["address"],
        mac=row["mac"],
        name=row["name"],
        vendor=row["vendor"],
        first_ms=row["first_ms"],
        last_ms=row["last_ms"],
        target=target,
        verdicts={Verdict(code): n for code, n in json.loads(row["verdicts"]).items()},
        answered_ms=row["answered_ms"],
        escalated=row["escalated"],
    )


async def devices(
    connection: aiosqlite.Connection, *, freshness: Freshness, now_ms: int
) -> list[DeviceView]:
    """Return the devices: targets first, then by label and address; at most 2,000."""
    sql = f"{_DEVICES} ORDER BY t.id IS NULL, lower(label), d.id LIMIT :max"
    values = _now(freshness, now_ms) | {"max": DEVICES_SHOWN_MAX}
    return [_device(row) for row in await connection.execute_fetchall(sql, values)]


async def device(
    connection: aiosqlite.Connection, target: TargetId, *, freshness: Freshness, now_ms: int
) -> DeviceView | None:
    """Return one device, or None."""
    values = _now(freshness, now_ms) | {"id": target}
    rows = list(await connection.execute_fetchall(f"{_DEVICES} WHERE d.id = :id", values))
    return _device(rows[0]) if rows else None


def _finding(row: Row) -> FindingView:
    return FindingView(
        target=row["target"],
        label=row["label"],
        check=row["check_id"],
        verdict=Verdict(row["verdict"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        said=Verdict(row["said"]),
        seen=fields(row["seen"]),
        at_ms=row["at_ms"],
        since_ms=row["since_ms"],
        vantage=Vantage(row["vantage"]),
        content=row["content"],
        waiver=row["waiver"],
        incident=row["incident"],
    )


async def findings(
    connection: aiosqlite.Connection, *, freshness: Freshness, now_ms: int
) -> list[FindingView]:
    """Return the current findings of every target, by device and check; at most 50,000."""
    sql = f"{_FINDINGS} ORDER BY lower(label), j.target, j.check_id LIMIT :max"
    values = _now(freshness, now_ms) | {"max": FINDINGS_SHOWN_MAX}
    return [_finding(row) for row in await connection.execute_fetchall(sql, values)]


async def findings_of(
    connection: aiosqlite.Connection, target: TargetId, *, freshness: Freshness, now_ms: int
) -> list[FindingView]:
    """Return the current findings of one target, by check."""
    sql = f"{_FINDINGS} WHERE j.target = :id ORDER BY j.check_id LIMIT :max"
    values = _now(freshness, now_ms) | {"id": target, "max": FINDINGS_SHOWN_MAX}
    return [_finding(row) for row in await connection.execute_fetchall(sql, values)]


_OFF_BY_PERSON = """
EXISTS (SELECT 1 FROM devices d WHERE d.id = t.id AND d.off_limits AND 'off_limits' =
  (SELECT kind FROM device_decisions x WHERE x.device = d.id AND x.kind <> 'settled'
   ORDER BY x.n DESC LIMIT 1))
"""
_LOOKED_AFTER = f"t.removed_ms IS NULL AND NOT {_OFF_BY_PERSON}"
_LOOKS_MEDICAL = f"""
SELECT d.id, {label("d")} AS label, d.because
FROM targets t JOIN devices d ON d.id = t.id
WHERE {_LOOKED_AFTER} AND d.off_limits
"""  # noqa: S608 - only constants of this package are put together here

_TODAY = f"""
{_CURRENT}
SELECT
  (SELECT count(*) FROM targets t WHERE {_LOOKED_AFTER}) AS targets,
  (SELECT count(*) FROM targets t WHERE {_LOOKED_AFTER} AND EXISTS
    (SELECT 1 FROM findings f WHERE f.target = t.id AND f.vantage = 'ssh' AND f.verdict <> 'unknown'
      AND f.at_ms >= :hour_ms)) AS checked,
  (SELECT count(*) FROM devices) AS devices,
  (SELECT count(*) FROM devices WHERE off_limits = 1) AS off_limits,
  (SELECT json_group_object(verdict, n) FROM
    (SELECT verdict, count(*) AS n FROM judged GROUP BY verdict)) AS verdicts,
  (SELECT json_group_object(reason, n) FROM
    (SELECT reason, count(*) AS n FROM judged WHERE reason IS NOT NULL GROUP BY reason)
  ) AS reasons,
  (SELECT count(DISTINCT incident) FROM repairs WHERE result = 'healed' AND done_ms >= :day_ms
  ) AS healed,
  (SELECT count(*) FROM repairs WHERE result IS NOT NULL AND done_ms >= :day_ms) AS repairs,
  (SELECT count(*) FROM incidents WHERE state = 'escalated') AS escalated,
  (SELECT count(*) FROM incidents WHERE state IN
    ('open', 'planned', 'executing', 'verifying', 'undoing')) AS in_hand,
  (SELECT count(*) FROM waivers WHERE ended_ms IS NULL AND until_ms > :now_ms) AS waivers,
  (SELECT count(*) FROM device_conflicts WHERE settled_ms IS NULL) AS conflicts,
  (SELECT count(*) FROM ({_LOOKS_MEDICAL})) AS medical,
  (SELECT min(at_ms) FROM judged WHERE verdict <> 'unknown') AS oldest_ms
"""  # noqa: S608 - only this module's constants are put together here


async def today(
    connection: aiosqlite.Connection,
    *,
    freshness: Freshness,
    now_ms: int,
    hour_ms: int,
    day_ms: int,
) -> TodayView:
    """Return the counts of now: `hour_ms` and `day_ms` are when the last hour and today began."""
    values = _now(freshness, now_ms) | {"hour_ms": hour_ms, "day_ms": day_ms}
    row = next(iter(await connection.execute_fetchall(_TODAY, values)))
    return TodayView(
        targets=row["targets"],
        checked=row["checked"],
        devices=row["devices"],
        off_limits=row["off_limits"],
        verdicts={Verdict(code): n for code, n in json.loads(row["verdicts"]).items()},
        reasons={Reason(code): n for code, n in json.loads(row["reasons"]).items()},
        healed=row["healed"],
        repairs=row["repairs"],
        escalated=row["escalated"],
        in_hand=row["in_hand"],
        waivers=row["waivers"],
        conflicts=row["conflicts"],
        medical=row["medical"],
        oldest_ms=row["oldest_ms"],
    )


@dataclass(frozen=True, slots=True)
class MedicalView:
    """A device that is looked after and looks medical now; `because` is the sign."""

    id: TargetId
    label: str
    because: str


async def medical_targets(connection: aiosqlite.Connection) -> list[MedicalView]:
    """Return the targets that the appliance itself put off limits: a person has to decide."""
    rows = await connection.execute_fetchall(f"{_LOOKS_MEDICAL} ORDER BY d.id")
    return [MedicalView(row["id"], row["label"], row["because"]) for row in rows]

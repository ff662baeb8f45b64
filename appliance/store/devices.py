"""Devices, what they are found by, the ports they were asked for, and what disagrees about them.

Written in batches: a discovery is a handful of statements, whatever the number of devices. `prune`
holds the bounds: `DEVICES_MAX` devices, `VALUES_KEPT` values of a kind and the ports of one round
each, and nothing that was not seen for `UNSEEN_MS`. A device that was put off limits is the last to
go, because what marks it may not be visible when it comes back.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import aiosqlite

from appliance.core.classify import Observed
from appliance.core.identity import Attribute, AttributeKind, Conflict
from appliance.core.inventory import PortSeen
from proto.errors import NotFoundError
from proto.ids import TargetId
from proto.inventory import DeviceClass

DEVICES_MAX = 4096
VALUES_KEPT = 8
UNSEEN_MS = 90 * 86_400_000
CONFLICTS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Device:
    """A device as stored.

    Attributes:
        because: why it is off limits; "" when it is not.
        label: what a person calls it, "" when nobody named it.
        attributes: newest first.
        ports: the last answer of every port that was asked.
    """

    id: TargetId
    device_class: DeviceClass
    is_off_limits: bool
    because: str
    label: str
    first_ms: int
    last_ms: int
    attributes: tuple[Attribute, ...]
    ports: Mapping[int, PortSeen]

    def values(self, kind: AttributeKind) -> tuple[str, ...]:
        """Return its values of a kind, newest first."""
        return tuple(a.value for a in self.attributes if a.kind is kind)

    @property
    def address(self) -> str:
        """Where it was seen last, "" when it has no address any more."""
        return next(iter(self.values(AttributeKind.ADDRESS)), "")

    def observed(self) -> Observed:
        """Return what a new round of asking begins with: nothing is asked yet in this round."""
        return Observed(
            vendors=self.values(AttributeKind.VENDOR),
            names=self.values(AttributeKind.NAME),
            asked=frozenset(),
            open=frozenset(port for port, seen in self.ports.items() if seen.is_open),
            marked=(self.because or "off limits") if self.is_off_limits else "",
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look tells of a device.

    Attributes:
        off_limits: why it may not be connected to, "" when it may.
    """

    id: TargetId
    device_class: DeviceClass
    off_limits: str
    attributes: Mapping[AttributeKind, str]


@dataclass(frozen=True, slots=True)
class PortAnswer:
    """What a connect to one port of a device said."""

    device: TargetId
    port: int
    is_open: bool


async def every(conn: aiosqlite.Connection) -> dict[TargetId, Device]:
    """Return all devices by id."""
    return await _read(conn, None)


async def get(conn: aiosqlite.Connection, device: TargetId) -> Device:
    """Return one device.

    Raises:
        NotFoundError: there is none with this id.
    """
    found = await _read(conn, device)
    if device not in found:
        msg = f"no device has the id {device}"
        raise NotFoundError(msg)
    return found[device]


async def _read(conn: aiosqlite.Connection, only: TargetId | None) -> dict[TargetId, Device]:
    attributes: dict[str, list[Attribute]] = {}
    for row in await conn.execute_fetchall(
        "SELECT * FROM device_attributes WHERE ?1 IS NULL OR device = ?1"
        " ORDER BY last_ms DESC, kind, value",
        (only,),
    ):
        attributes.setdefault(row["device"], []).append(_attribute(row))
    ports: dict[str, dict[int, PortSeen]] = {}
    for row in await conn.execute_fetchall(
        "SELECT * FROM device_ports WHERE ?1 IS NULL OR device = ?1", (only,)
    ):
        ports.setdefault(row["device"], {})[row["port"]] = PortSeen(
            bool(row["open"]), row["seen_ms"]
        )
    rows = await conn.execute_fetchall(
        "SELECT * FROM devices WHERE ?1 IS NULL OR id = ?1 ORDER BY id", (only,)
    )
    return {
        TargetId(row["id"]): Device(
            id=TargetId(row["id"]),
            device_class=DeviceClass(row["class"]),
            is_off_limits=bool(row["off_limits"]),
            because=row["because"],
            label=row["label"],
            first_ms=row["first_ms"],
            last_ms=row["last_ms"],
            attributes=tuple(attributes.get(row["id"], ())),
            ports=ports.get(row["id"], {}),
        )
        for row in rows
    }


def _attribute(row: aiosqlite.Row) -> Attribute:
    return Attribute(
        device=TargetId(row["device"]),
        kind=AttributeKind(row["kind"]),
        value=row["value"],
        first_ms=row["first_ms"],
        last_ms=row["last_ms"],
    )


async def upsert(conn: aiosqlite.Connection, seen: Sequence[Seen], *, at_ms: int) -> None:
    """Store what a look told, new devices and known ones; off limits is set here, never unset."""
    await conn.executemany(
        "INSERT INTO devices (id, class, off_limits, because, first_ms, last_ms)"
        " VALUES (?1, ?2, ?3 <> '', ?3, ?4, ?4)"
        " ON CONFLICT (id) DO UPDATE SET"
        " class = CASE WHEN off_limits THEN class ELSE excluded.class END,"
        " because = CASE WHEN off_limits THEN because ELSE excluded.because END,"
        " off_limits = max(off_limits, excluded.off_limits),"
        " last_ms = max(last_ms, excluded.last_ms)",
        [(one.id, one.device_class, one.off_limits, at_ms) for one in seen],
    )
    await conn.executemany(
        "INSERT INTO device_attributes VALUES (?1, ?2, ?3, ?4, ?4)"
        " ON CONFLICT (device, kind, value) DO UPDATE SET last_ms = max(last_ms, excluded.last_ms)",
        [
            (one.id, kind, value, at_ms)
            for one in seen
            for kind, value in one.attributes.items()
            if value
        ],
    )


async def forget_values(
    conn: aiosqlite.Connection, lost: Iterable[tuple[TargetId, AttributeKind, str]]
) -> None:
    """Drop values that now belong to another device."""
    await conn.executemany(
        "DELETE FROM device_attributes WHERE device = ? AND kind = ? AND value = ?", list(lost)
    )


async def record_ports(
    conn: aiosqlite.Connection, answers: Iterable[PortAnswer], *, at_ms: int
) -> None:
    """Store what connects said."""
    await conn.executemany(
        "INSERT INTO device_ports VALUES (?, ?, ?, ?) ON CONFLICT (device, port)"
        " DO UPDATE SET open = excluded.open, seen_ms = excluded.seen_ms",
        [(one.device, one.port, one.is_open, at_ms) for one in answers],
    )


async def record_conflicts(
    conn: aiosqlite.Connection, conflicts: Iterable[Conflict], *, at_ms: int
) -> None:
    """Store disagreements for a person to decide; one that is known keeps its date."""
    await conn.executemany(
        "INSERT INTO device_conflicts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(one.device, one.other, one.kind, one.value, at_ms) for one in conflicts],
    )


async def conflicts(conn: aiosqlite.Connection) -> list[Conflict]:
    """Return the disagreements that wait for a person, oldest first."""
    rows = await conn.execute_fetchall(
        "SELECT * FROM device_conflicts ORDER BY at_ms, device, other, kind, value"
    )
    return [
        Conflict(
            TargetId(row["device"]),
            TargetId(row["other"]),
            AttributeKind(row["kind"]),
            row["value"],
        )
        for row in rows
    ]


async def set_label(conn: aiosqlite.Connection, device: TargetId, label: str) -> None:
    """Name a device as a person calls it."""
    await conn.execute("UPDATE devices SET label = ? WHERE id = ?", (label, device))


async def unpin(conn: aiosqlite.Connection, device: TargetId) -> None:
    """Drop a device's host keys and the disagreements about them: nobody logs in on it now."""
    await conn.execute(
        "DELETE FROM device_attributes WHERE device = ? AND kind = 'host_key'", (device,)
    )
    await conn.execute(
        "DELETE FROM device_conflicts WHERE other = ? AND kind = 'host_key'", (device,)
    )


# A target, and a device with incidents, keeps its row.
_HELD = "SELECT id FROM targets UNION SELECT target FROM incidents"
_DELETE_UNSEEN = f"DELETE FROM devices WHERE off_limits = 0 AND last_ms < ? AND id NOT IN ({_HELD})"  # noqa: S608 - a constant
_DELETE_BEYOND = f"""
DELETE FROM devices WHERE id IN (
  SELECT id FROM devices WHERE id NOT IN ({_HELD}) ORDER BY off_limits, last_ms, id
  LIMIT max(0, (SELECT count(*) FROM devices) - ?))
"""  # noqa: S608 - a constant
_DELETE_OLD_VALUES = """
DELETE FROM device_attributes WHERE (device, kind, value) IN (
  SELECT device, kind, value FROM (
    SELECT device, kind, value, row_number() OVER
      (PARTITION BY device, kind ORDER BY last_ms DESC, value) AS place
    FROM device_attributes)
  WHERE place > ?)
"""
_DELETE_OLD_CONFLICTS = """
DELETE FROM device_conflicts WHERE (device, other, kind, value) IN (
  SELECT device, other, kind, value FROM device_conflicts ORDER BY at_ms DESC LIMIT -1 OFFSET ?)
"""


async def prune(
    conn: aiosqlite.Connection,
    *,
    now_ms: int,
    ports_kept: Collection[int],
    devices_max: int = DEVICES_MAX,
) -> None:
    """Hold the bounds of this module's tables; targets and devices with incidents stay.

    Args:
        conn: inside a transaction.
        now_ms: what `UNSEEN_MS` is counted from.
        ports_kept: the ports that are still asked; what is known of others is dropped.
        devices_max: how many devices are kept.
    """
    await conn.execute(_DELETE_UNSEEN, (now_ms - UNSEEN_MS,))
    await conn.execute(_DELETE_BEYOND, (devices_max,))
    await conn.execute(_DELETE_OLD_VALUES, (VALUES_KEPT,))
    await conn.execute(_DELETE_OLD_CONFLICTS, (CONFLICTS_MAX,))
    rows = await conn.execute_fetchall("SELECT DISTINCT port FROM device_ports")
    gone = [(row["port"],) for row in rows if row["port"] not in ports_kept]
    await conn.executemany("DELETE FROM device_ports WHERE port = ?", gone)

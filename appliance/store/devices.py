"""Devices, what they are found by, and the ports they were asked for.

Written in batches: a discovery is a handful of statements, whatever the number of devices. `prune`
holds the bounds: `DEVICES_MAX` devices, `VALUES_KEPT` values of a kind and the ports of one round
each, and nothing that was not seen for `UNSEEN_MS`. A device that was put off limits is the last to
go, because what marks it may not be visible when it comes back.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import aiosqlite

from appliance.core.classify import Observed, Release, waits_for_a_look
from appliance.core.identity import Attribute, AttributeKind
from appliance.core.inventory import PortSeen
from appliance.store import decisions
from proto.errors import NotFoundError
from proto.ids import TargetId
from proto.inventory import DeviceClass

DEVICES_MAX = 4096
VALUES_KEPT = 8
UNSEEN_MS = 90 * 86_400_000


WAITS = (
    "a person released it, and it has not been asked for its medical ports since; the next"
    " discovery does that, or remove the target and add it again"
)


@dataclass(frozen=True, slots=True)
class Device:
    """A device as stored.

    Attributes:
        because: why it is off limits; "" when it is not.
        label: what a person calls it, "" when nobody named it.
        attributes: newest first.
        ports: the last answer of every port that was asked.
        release: a person's word that it is not medical, None when nobody gave it.
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
    release: Release | None

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
            macs=frozenset(self.values(AttributeKind.MAC)),
            release=self.release,
        )

    @property
    def held(self) -> str:
        """Why nobody may log in on it now, "" when one may."""
        if self.is_off_limits:
            return f"off limits: {self.because}"
        return WAITS if self.waits_for_a_look else ""

    @property
    def waits_for_a_look(self) -> bool:
        """Whether it was released and must be asked for its medical ports before anything else."""
        asked_ms = {port: seen.seen_ms for port, seen in self.ports.items()}
        return waits_for_a_look(self.release, asked_ms)


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
    released = await decisions.releases(conn, only)
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
            release=released.get(TargetId(row["id"])),
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


async def take_value(
    conn: aiosqlite.Connection,
    kind: AttributeKind,
    value: str,
    *,
    device: TargetId,
    other: TargetId,
    at_ms: int,
) -> None:
    """Move a value from one device to another, as of now."""
    await forget_values(conn, [(other, kind, value)])
    await conn.execute(
        "INSERT INTO device_attributes VALUES (?1, ?2, ?3, ?4, ?4)"
        " ON CONFLICT (device, kind, value) DO UPDATE SET last_ms = max(last_ms, excluded.last_ms)",
        (device, kind, value, at_ms),
    )


async def mark(conn: aiosqlite.Connection, device: TargetId, *, because: str) -> None:
    """Put a device off limits; its class stays what it looked like."""
    await conn.execute(
        "UPDATE devices SET off_limits = 1, because = ? WHERE id = ?", (because, device)
    )


async def unmark(
    conn: aiosqlite.Connection, device: TargetId, *, device_class: DeviceClass
) -> None:
    """Let a device be connected to again; the release itself is a decision of its own."""
    await conn.execute(
        "UPDATE devices SET off_limits = 0, because = '', class = ? WHERE id = ?",
        (device_class, device),
    )


async def marks(conn: aiosqlite.Connection) -> dict[TargetId, str]:
    """Return why each device that is off limits is so."""
    rows = await conn.execute_fetchall("SELECT id, because FROM devices WHERE off_limits = 1")
    return {TargetId(row["id"]): row["because"] or "off limits" for row in rows}


async def held(conn: aiosqlite.Connection) -> dict[TargetId, str]:
    """Return the targets that nobody may log in on now, with why."""
    rows = await conn.execute_fetchall(
        "SELECT d.id FROM devices d JOIN targets t ON t.id = d.id WHERE t.removed_ms IS NULL AND"
        " (d.off_limits OR EXISTS (SELECT 1 FROM device_decisions x WHERE x.device = d.id"
        "  AND x.kind = 'released'))"
    )
    found = {}
    for row in rows:
        device = await get(conn, TargetId(row["id"]))
        if device.held:
            found[device.id] = device.held
    return found


async def set_label(conn: aiosqlite.Connection, device: TargetId, label: str) -> None:
    """Name a device as a person calls it."""
    await conn.execute("UPDATE devices SET label = ? WHERE id = ?", (label, device))


async def unpin(conn: aiosqlite.Connection, device: TargetId) -> None:
    """Drop a device's host keys: nobody logs in on it now."""
    await conn.execute(
        "DELETE FROM device_attributes WHERE device = ? AND kind = 'host_key'", (device,)
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
    rows = await conn.execute_fetchall("SELECT DISTINCT port FROM device_ports")
    gone = [(row["port"],) for row in rows if row["port"] not in ports_kept]
    await conn.executemany("DELETE FROM device_ports WHERE port = ?", gone)

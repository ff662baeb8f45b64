"""Appliances: who they are, when they were last heard of, and their latest full state."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from central.store.engine import upsert
from central.store.tables import appliances, full_states, targets
from proto.errors import NotFoundError
from proto.hub.check_in import FullState
from proto.ids import ApplianceId, SiteId
from proto.strict_json import b64_encode

NO_STATE = bytes(32)
NEVER_SEEN_SEQ = -1


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An appliance as it is kept."""

    site: SiteId
    appliance: ApplianceId
    ed25519: bytes
    x25519: bytes
    enrolled_ms: int
    confirmed_ms: int | None
    seq: int
    last_seen_ms: int | None
    as_of_s: int
    state: bytes
    next_s: int

    @property
    def public_key(self) -> str:
        """Its signing key as base64."""
        return b64_encode(self.ed25519)


@dataclass(frozen=True, slots=True)
class CheckInRow:
    """What one check-in changes; `state` is that of the last full state received.

    Attributes:
        key: the key that signed it: once another one counts it changes nothing any more.
    """

    site: SiteId
    appliance: ApplianceId
    seq: int
    seen_ms: int
    as_of_s: int
    state: bytes
    next_s: int
    full: FullState | None
    key: bytes


async def add(
    site: SiteId,
    connection: AsyncConnection,
    *,
    appliance: ApplianceId,
    ed25519: bytes,
    x25519: bytes,
    now_ms: int,
) -> None:
    """Add an appliance that just enrolled: not confirmed, never seen."""
    await connection.execute(
        insert(appliances).values(
            site_id=site,
            appliance_id=appliance,
            ed25519=ed25519,
            x25519=x25519,
            enrolled_ms=now_ms,
            seq=NEVER_SEEN_SEQ,
            as_of_s=0,
            state=NO_STATE,
            next_s=0,
        )
    )


def _enrolled(row: object) -> Enrolled:
    found = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001 - SQLAlchemy's public name for it
    return Enrolled(
        site=found["site_id"],
        appliance=found["appliance_id"],
        **{
            name: found[name]
            for name in Enrolled.__dataclass_fields__
            if name not in ("site", "appliance")
        },
    )


async def all_appliances(connection: AsyncConnection) -> list[Enrolled]:
    """Return the whole fleet, for the registry that is kept in memory."""
    return [_enrolled(row) for row in await connection.execute(select(appliances))]


async def find_by_key(connection: AsyncConnection, ed25519: bytes) -> Enrolled | None:
    """Return the appliance that holds this key, if any."""
    query = select(appliances).where(appliances.c.ed25519 == ed25519)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _enrolled(row)


async def find_by_id(connection: AsyncConnection, appliance: ApplianceId) -> Enrolled:
    """Return the appliance of this id, or raise `NotFoundError`."""
    query = select(appliances).where(appliances.c.appliance_id == appliance)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        msg = f"appliance: there is no {appliance}"
        raise NotFoundError(msg)
    return _enrolled(row)


async def confirm(
    site: SiteId,
    connection: AsyncConnection,
    *,
    appliance: ApplianceId,
    by: str,
    now_ms: int,
) -> None:
    """Note that a person compared the appliance's fingerprint; the first time counts."""
    await connection.execute(
        update(appliances)
        .where(
            appliances.c.site_id == site,
            appliances.c.appliance_id == appliance,
            appliances.c.confirmed_ms.is_(None),
        )
        .values(confirmed_ms=now_ms, confirmed_by=by)
    )


_CHECK_IN = (
    update(appliances)
    .where(
        appliances.c.site_id == bindparam("its_site"),
        appliances.c.appliance_id == bindparam("its_appliance"),
        appliances.c.seq < bindparam("its_seq"),
        appliances.c.ed25519 == bindparam("its_key"),
    )
    .values(
        seq=bindparam("its_seq"),
        last_seen_ms=bindparam("its_seen_ms"),
        as_of_s=bindparam("its_as_of_s"),
        state=bindparam("its_state"),
        next_s=bindparam("its_next_s"),
    )
)


async def record_check_ins(connection: AsyncConnection, rows: Sequence[CheckInRow]) -> None:
    """Store many check-ins, of any sites, in the order in which they came."""
    await connection.execute(
        _CHECK_IN,
        [
            {
                "its_site": row.site,
                "its_appliance": row.appliance,
                "its_seq": row.seq,
                "its_key": row.key,
                "its_seen_ms": row.seen_ms,
                "its_as_of_s": row.as_of_s,
                "its_state": row.state,
                "its_next_s": row.next_s,
            }
            for row in rows
        ],
    )
    for row in rows:
        if row.full is not None:
            await _keep_full(row.site, connection, row=row, full=row.full)


async def _keep_full(
    site: SiteId, connection: AsyncConnection, *, row: CheckInRow, full: FullState
) -> None:
    await upsert(
        connection,
        full_states,
        [
            {
                "site_id": site,
                "appliance_id": row.appliance,
                "body": full.to_bytes(),
                "received_ms": row.seen_ms,
            }
        ],
    )
    await connection.execute(
        update(targets)
        .where(targets.c.site_id == site, targets.c.appliance_id == row.appliance)
        .values(listed=False)
    )
    listed = [
        {
            "site_id": site,
            "appliance_id": row.appliance,
            "target": target,
            "platform": group.platform.value,
            "device_class": group.device_class.value,
            "listed": True,
        }
        for group in full.targets
        for target in group.ids
    ]
    await upsert(connection, targets, listed)


async def full_state(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId
) -> tuple[bytes, int] | None:
    """Return an appliance's latest full state and when it came, if it ever sent one."""
    query = select(full_states.c.body, full_states.c.received_ms).where(
        full_states.c.site_id == site, full_states.c.appliance_id == appliance
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else (row.body, row.received_ms)

"""The keys of appliances that renewed theirs: which counted from which leaf of evidence on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.ingest import KeyTurn
from central.core.refusals import KeyInUseError
from central.store.appliances import NEVER_SEEN_SEQ
from central.store.devices import NEVER_SENT_SEQ
from central.store.tables import appliance_keys, appliances, device_lists
from proto.appliance_keys import ENROLLED
from proto.ids import ApplianceId, SiteId


@dataclass(frozen=True, slots=True)
class KeysRow:
    """One of an appliance's keys.

    Attributes:
        leaf: the leaf of its evidence that names it; `ENROLLED` for the first.
        since_ms: when this hub took that leaf, or enrolled it.
    """

    leaf: int
    ed25519: bytes
    since_ms: int


async def all_turns(connection: AsyncConnection) -> Mapping[str, list[KeysRow]]:
    """Return every key of each appliance that renewed its keys, oldest first."""
    query = select(appliance_keys).order_by(appliance_keys.c.appliance_id, appliance_keys.c.leaf)
    found: dict[str, list[KeysRow]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.appliance_id, []).append(_row(row))
    return found


async def turns_of(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId
) -> list[KeysRow]:
    """Return every key of an appliance, oldest first; none while it has its first."""
    query = (
        select(appliance_keys)
        .where(appliance_keys.c.site_id == site, appliance_keys.c.appliance_id == appliance)
        .order_by(appliance_keys.c.leaf)
    )
    return [_row(row) for row in await connection.execute(query)]


def _row(row: Row[Any]) -> KeysRow:
    return KeysRow(row.leaf, row.ed25519, row.since_ms)


async def turn(
    site: SiteId,
    connection: AsyncConnection,
    *,
    appliance: ApplianceId,
    turn: KeyTurn,
    now_ms: int,
) -> None:
    """Let an appliance go on with other keys; the first time, its first ones are kept too.

    What stands on the former key alone ends: that a person compared it, and how far it counted.

    Raises:
        KeyInUseError: another appliance has this key, or had it.
    """
    await _require_free(connection, appliance=appliance, turn=turn)
    is_it = (appliances.c.site_id == site) & (appliances.c.appliance_id == appliance)
    is_kept = (appliance_keys.c.site_id == site) & (appliance_keys.c.appliance_id == appliance)
    is_list = (device_lists.c.site_id == site) & (device_lists.c.appliance_id == appliance)
    place = {"site_id": site, "appliance_id": appliance}
    if (await connection.execute(select(appliance_keys.c.leaf).where(is_kept))).first() is None:
        first = (await connection.execute(select(appliances).where(is_it))).one()
        keys = {"ed25519": first.ed25519, "x25519": first.x25519}
        row = {**place, **keys, "leaf": ENROLLED, "since_ms": first.enrolled_ms}
        await connection.execute(insert(appliance_keys).values(row))
    keys = {"ed25519": turn.ed25519.raw, "x25519": turn.x25519.raw}
    row = {**place, **keys, "leaf": turn.index, "since_ms": now_ms}
    await connection.execute(insert(appliance_keys).values(row))
    ended = {"confirmed_ms": None, "confirmed_by": None, "seq": NEVER_SEEN_SEQ}
    await connection.execute(update(appliances).where(is_it).values(keys | ended))
    await connection.execute(update(device_lists).where(is_list).values(seq=NEVER_SENT_SEQ))


async def _require_free(
    connection: AsyncConnection, *, appliance: ApplianceId, turn: KeyTurn
) -> None:
    """Look within the transaction: two appliances may name one key at the same time."""
    for table in (appliances, appliance_keys):
        is_others = (table.c.ed25519 == turn.ed25519.raw) & (table.c.appliance_id != appliance)
        if (await connection.execute(select(table.c.appliance_id).where(is_others))).first():
            msg = f"leaf {turn.index}: names a key that belongs to another appliance"
            raise KeyInUseError(msg)

"""The keys of appliances that renewed theirs: which counted from which leaf of evidence on."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.ingest import KeyTurn
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
        kept = KeysRow(row.leaf, row.ed25519, row.since_ms)
        found.setdefault(row.appliance_id, []).append(kept)
    return found


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
    """
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

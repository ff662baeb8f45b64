"""The mirror of each appliance's evidence log: leaves, details, the tree and cosigned heads."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.admission import KeptDetail
from central.core.ingest import Accepted, Held
from central.store.engine import insert_missing
from central.store.tables import checkpoints, details, heads, leaves
from proto.errors import ConflictError
from proto.ids import ApplianceId, SiteId
from proto.merkle import HASH_BYTES, Tree


class HeadMovedError(ConflictError):
    """Another writer moved the mirror's head meanwhile: nothing was stored."""

    code = "head_moved"


@dataclass(frozen=True, slots=True)
class Detail:
    """A detail that lies beside the log."""

    leaf: int
    part: str
    salt: bytes
    detail: str


async def load_tree(site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId) -> Tree:
    """Return the compact tree of what the hub holds; empty before the first leaf."""
    query = select(heads.c.size, heads.c.peaks).where(
        heads.c.site_id == site, heads.c.appliance_id == appliance
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return Tree()
    peaks = (
        row.peaks[start : start + HASH_BYTES] for start in range(0, len(row.peaks), HASH_BYTES)
    )
    return Tree(row.size, tuple(peaks))


async def load_held(
    site: SiteId,
    connection: AsyncConnection,
    *,
    appliance: ApplianceId,
    first: int,
    end: int,
    checkpoint_size: int,
) -> Held:
    """Return the hashes of the leaves [first, end) that are held, and the root at a size."""
    query = (
        select(leaves.c.hash)
        .where(
            leaves.c.site_id == site,
            leaves.c.appliance_id == appliance,
            leaves.c.leaf >= first,
            leaves.c.leaf < end,
        )
        .order_by(leaves.c.leaf)
    )
    hashes = [row.hash for row in await connection.execute(query)]
    root = await connection.scalar(
        select(checkpoints.c.root).where(
            checkpoints.c.site_id == site,
            checkpoints.c.appliance_id == appliance,
            checkpoints.c.size == checkpoint_size,
        )
    )
    return Held(hashes, root)


async def cosigned_note(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, size: int
) -> str | None:
    """Return the cosigned checkpoint at exactly this size, if there is one."""
    note: str | None = await connection.scalar(
        select(checkpoints.c.note).where(
            checkpoints.c.site_id == site,
            checkpoints.c.appliance_id == appliance,
            checkpoints.c.size == size,
        )
    )
    return note


async def add_leaves(
    site: SiteId,
    connection: AsyncConnection,
    *,
    appliance: ApplianceId,
    accepted: Accepted,
    kept: Collection[KeptDetail],
    now_ms: int,
) -> None:
    """Store accepted leaves and admitted details, and move the head by compare-and-set.

    Raises:
        HeadMovedError: the head is not where it was when the batch was judged.
    """
    if accepted.leaves:
        await _move_head(site, connection, appliance=appliance, accepted=accepted)
        await connection.execute(
            insert(leaves),
            [
                {
                    "site_id": site,
                    "appliance_id": appliance,
                    "leaf": one.index,
                    "envelope": one.envelope,
                    "hash": one.hash,
                    "kind": one.leaf.type,
                    "at_s": one.leaf.at,
                    "received_ms": now_ms,
                }
                for one in accepted.leaves
            ],
        )
    rows = [
        {
            "site_id": site,
            "appliance_id": appliance,
            "leaf": one.leaf,
            "part": one.part,
            "salt": one.salt,
            "detail": str(one.detail),
        }
        for one in kept
    ]
    await insert_missing(connection, details, rows)


async def _move_head(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, accepted: Accepted
) -> None:
    old_size = accepted.leaves[0].index
    values = {"size": accepted.tree.size, "peaks": b"".join(accepted.tree.peaks)}
    if old_size == 0:
        await insert_missing(
            connection,
            heads,
            [{"site_id": site, "appliance_id": appliance, "size": 0, "peaks": b""}],
        )
    moved = await connection.execute(
        update(heads)
        .where(heads.c.site_id == site, heads.c.appliance_id == appliance, heads.c.size == old_size)
        .values(**values)
    )
    if moved.rowcount != 1:
        msg = f"evidence: the head of {appliance} is no longer at {old_size}"
        raise HeadMovedError(msg)


async def add_checkpoint(
    site: SiteId,
    connection: AsyncConnection,
    *,
    appliance: ApplianceId,
    size: int,
    root: bytes,
    note: str,
    now_ms: int,
) -> None:
    """Store a cosigned head; the primary key refuses a second one at the same size."""
    await connection.execute(
        insert(checkpoints).values(
            site_id=site,
            appliance_id=appliance,
            size=size,
            root=root,
            note=note,
            cosigned_ms=now_ms,
        )
    )


async def leaf_envelopes(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, first: int, limit: int
) -> list[bytes]:
    """Return leaves exactly as the appliance sent them, in order."""
    query = (
        select(leaves.c.envelope)
        .where(
            leaves.c.site_id == site,
            leaves.c.appliance_id == appliance,
            leaves.c.leaf >= first,
        )
        .order_by(leaves.c.leaf)
        .limit(limit)
    )
    return [row.envelope for row in await connection.execute(query)]


async def details_of(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, leaf: int
) -> dict[str, Detail]:
    """Return a leaf's details by part."""
    query = select(details).where(
        details.c.site_id == site, details.c.appliance_id == appliance, details.c.leaf == leaf
    )
    return {
        row.part: Detail(row.leaf, row.part, row.salt, row.detail)
        for row in await connection.execute(query)
    }

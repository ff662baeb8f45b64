"""The order log of each site: leaves, the tree over them, signed checkpoints, who fetched how far.

The signer decides what stands in a log and signs its heads; this is the copy that is served. It
moves by compare-and-set, and no size has a second root.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.order_refusals import OrderLogForkError
from central.core.orders import OrderLeaf, WaitRow
from central.store.engine import insert_missing, upsert
from central.store.evidence import HeadMovedError
from central.store.order_tables import order_checkpoints as checkpoints
from central.store.order_tables import order_fetches as fetches
from central.store.order_tables import order_leaves as leaves
from central.store.order_tables import order_logs as logs
from central.store.order_tables import order_waits as waits
from proto.ids import ApplianceId, SiteId
from proto.merkle import HASH_BYTES, Tree


class SecondRootError(OrderLogForkError):
    """Two roots for one size of an order log: the signer or this store is not what it was."""


async def load_tree(site: SiteId, connection: AsyncConnection) -> Tree:
    """Return the compact tree of a site's order log; empty before the first order."""
    row = (await connection.execute(select(logs).where(logs.c.site_id == site))).one_or_none()
    if row is None:
        return Tree()
    peaks = (
        row.peaks[start : start + HASH_BYTES] for start in range(0, len(row.peaks), HASH_BYTES)
    )
    return Tree(row.size, tuple(peaks))


async def sizes(connection: AsyncConnection) -> dict[str, int]:
    """Return how many orders each site's log has."""
    rows = await connection.execute(select(logs.c.site_id, logs.c.size))
    return {row.site_id: row.size for row in rows}


async def append(
    site: SiteId,
    connection: AsyncConnection,
    *,
    new: Sequence[OrderLeaf],
    note: str,
    now_ms: int,
) -> Tree:
    """Append leaves and keep the checkpoint that covers exactly the log after them.

    Returns:
        The tree after them.

    Raises:
        HeadMovedError: the first is not the leaf that comes next.
        SecondRootError: another root is kept at this size.
    """
    tree = await load_tree(site, connection)
    if new:
        if new[0].index != tree.size:
            msg = f"orders: leaf {new[0].index} does not follow {tree.size} leaves of {site}"
            raise HeadMovedError(msg)
        tree = await _move(site, connection, tree=tree, new=new)
        rows = [
            {
                "site_id": site,
                "leaf": one.index,
                "sid": one.sid,
                "envelope": one.envelope,
                "hash": one.hash,
                "logged_ms": now_ms,
            }
            for one in new
        ]
        await connection.execute(insert(leaves), rows)
    await _keep_checkpoint(site, connection, tree=tree, note=note, now_ms=now_ms)
    return tree


async def _move(
    site: SiteId, connection: AsyncConnection, *, tree: Tree, new: Sequence[OrderLeaf]
) -> Tree:
    if tree.size == 0:
        await insert_missing(connection, logs, [{"site_id": site, "size": 0, "peaks": b""}])
    after = tree.extend(one.hash for one in new)
    moved = await connection.execute(
        update(logs)
        .where(logs.c.site_id == site, logs.c.size == tree.size)
        .values(size=after.size, peaks=b"".join(after.peaks))
    )
    if moved.rowcount != 1:
        msg = f"orders: the log of {site} is no longer at {tree.size}"
        raise HeadMovedError(msg)
    return after


async def _keep_checkpoint(
    site: SiteId, connection: AsyncConnection, *, tree: Tree, note: str, now_ms: int
) -> None:
    query = select(checkpoints.c.root).where(
        checkpoints.c.site_id == site, checkpoints.c.size == tree.size
    )
    held = await connection.scalar(query)
    if held is None:
        row = {"size": tree.size, "root": tree.root, "note": note, "signed_ms": now_ms}
        await connection.execute(insert(checkpoints), [{"site_id": site, **row}])
    elif held != tree.root:
        msg = f"orders: a second root at {tree.size} leaves of {site}"
        raise SecondRootError(msg)


async def newest_checkpoint(site: SiteId, connection: AsyncConnection) -> tuple[int, str] | None:
    """Return the size and the signed note of the newest checkpoint, if there is one."""
    query = (
        select(checkpoints.c.size, checkpoints.c.note)
        .where(checkpoints.c.site_id == site)
        .order_by(checkpoints.c.size.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else (row.size, row.note)


async def hashes(site: SiteId, connection: AsyncConnection) -> list[bytes]:
    """Return every leaf's hash in order: what proofs are made from."""
    query = select(leaves.c.hash).where(leaves.c.site_id == site).order_by(leaves.c.leaf)
    return [row.hash for row in await connection.execute(query)]


async def leaves_from(
    site: SiteId, connection: AsyncConnection, *, first: int, limit: int
) -> list[OrderLeaf]:
    """Return leaves in order, from `first` on."""
    query = (
        select(leaves)
        .where(leaves.c.site_id == site, leaves.c.leaf >= first)
        .order_by(leaves.c.leaf)
        .limit(limit)
    )
    return [
        OrderLeaf(row.leaf, row.sid, row.envelope, row.hash)
        for row in await connection.execute(query)
    ]


async def leaf_of(site: SiteId, connection: AsyncConnection, *, sid: bytes) -> OrderLeaf | None:
    """Return the leaf of an order, once it was logged."""
    query = select(leaves).where(leaves.c.site_id == site, leaves.c.sid == sid)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else OrderLeaf(row.leaf, row.sid, row.envelope, row.hash)


async def note_fetch(
    site: SiteId,
    connection: AsyncConnection,
    *,
    appliance: ApplianceId,
    size: int,
    asked_s: int,
    waiting: Collection[WaitRow],
    held_s: int | None = None,
    now_ms: int,
) -> None:
    """Keep how far an appliance's mirror is and what waits there, unless it is older news.

    `held_s` is since when it holds orders back, None while it does not.
    """
    mine = (fetches.c.site_id == site) & (fetches.c.appliance_id == appliance)
    last_s = await connection.scalar(select(fetches.c.asked_s).where(mine))
    if last_s is not None and last_s > asked_s:
        return
    base = {"site_id": site, "appliance_id": appliance}
    row = {**base, "size": size, "asked_s": asked_s, "at_ms": now_ms, "held_s": held_s}
    await upsert(connection, fetches, [row])
    await connection.execute(
        delete(waits).where(waits.c.site_id == site, waits.c.appliance_id == appliance)
    )
    rows = [{**base, "leaf": one.leaf, "code": one.code, "until_s": one.until_s} for one in waiting]
    await insert_missing(connection, waits, rows)

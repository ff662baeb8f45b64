"""Orders as people follow them: who signed, where it stands, what each appliance made of it.

A page of orders costs the same few queries however many there are.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.order_stage import AtAppliance, Stage, at_appliance, stage_of
from central.core.orders import Draft, ReceiptRow, WaitRow
from central.store.order_said import SaidAt, said_of
from central.store.order_tables import (
    order_approvals,
    order_fetches,
    order_leaves,
    order_opinions,
    order_receipts,
    order_waits,
)
from central.store.tables import appliance_keys, appliances
from central.store.tables import leaves as evidence_leaves
from proto.ids import ApplianceId, SiteId
from proto.order_codes import Code

Place = tuple[str, str]
"""A site and one of its appliances."""


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order's life.

    Attributes:
        approved: who signed it, by name.
        vetoed: which operators vetoed it.
        said: what people said of it at appliances, by those appliances' own signed statements.
        leaf: its place in the order log; None before it was logged.
        answers: one for each appliance that it is for, once it was logged.
        code: why it stands where it stands, where there is a reason.
    """

    draft: Draft
    approved: tuple[str, ...]
    vetoed: tuple[str, ...]
    said: tuple[SaidAt, ...]
    leaf: int | None
    logged_ms: int | None
    answers: tuple[AtAppliance, ...]
    stage: Stage
    code: str | None


@dataclass(frozen=True, slots=True)
class _Logged:
    """An order's place in the log, what stands there, and since when."""

    leaf: int
    hash: bytes
    logged_ms: int


@dataclass(frozen=True, slots=True)
class _Heard:
    """What was heard of some orders and their sites.

    Attributes:
        appliances: those of each site, and when each enrolled.
    """

    leaves: dict[tuple[str, bytes], _Logged]
    approved: dict[tuple[str, bytes], list[str]]
    vetoed: dict[tuple[str, bytes], list[str]]
    said: dict[tuple[str, bytes], list[SaidAt]]
    receipts: dict[tuple[str, str, int], list[ReceiptRow]]
    waits: dict[Place, list[WaitRow]]
    fetched: dict[Place, int]
    appliances: dict[str, list[tuple[ApplianceId, int]]]


async def views_of(
    connection: AsyncConnection, drafts: Sequence[Draft], *, now_s: int
) -> list[OrderView]:
    """Return the lives of some drafts, in their order."""
    if not drafts:
        return []
    heard = await _heard(connection, drafts)
    return [_view(draft, heard, now_s=now_s) for draft in drafts]


async def objectionable(connection: AsyncConnection, *, now_s: int) -> int:
    """Return how many orders run by themselves unless somebody vetoes them, in the whole fleet."""
    table = order_waits.c
    waits = (
        select(table.site_id, table.leaf)
        .where(table.code.in_([Code.RING_WAIT.value, Code.TIME_LOCK.value]), table.until_s > now_s)
        .distinct()
        .subquery()
    )
    return int((await connection.execute(select(func.count()).select_from(waits))).scalar_one())


async def receipt_envelopes(
    site: SiteId, connection: AsyncConnection, *, leaf: int
) -> list[tuple[ApplianceId, bytes]]:
    """Return the receipts for one leaf of the order log, exactly as the appliances signed them."""
    query = (
        select(evidence_leaves.c.appliance_id, evidence_leaves.c.envelope)
        .join(
            order_receipts,
            (order_receipts.c.site_id == evidence_leaves.c.site_id)
            & (order_receipts.c.appliance_id == evidence_leaves.c.appliance_id)
            & (order_receipts.c.seq == evidence_leaves.c.leaf),
        )
        .where(order_receipts.c.site_id == site, order_receipts.c.leaf == leaf)
        .order_by(evidence_leaves.c.appliance_id, evidence_leaves.c.leaf)
    )
    rows = await connection.execute(query)
    return [(ApplianceId(row.appliance_id), row.envelope) for row in rows]


async def renewal_envelopes(
    site: SiteId, connection: AsyncConnection, *, of: Collection[ApplianceId]
) -> list[tuple[ApplianceId, bytes, bytes]]:
    """Return every renewal of these appliances' keys: whose, the former key, the leaf as signed."""
    query = (
        select(appliance_keys.c.appliance_id, appliance_keys.c.ed25519, evidence_leaves.c.envelope)
        .outerjoin(
            evidence_leaves,
            (evidence_leaves.c.site_id == appliance_keys.c.site_id)
            & (evidence_leaves.c.appliance_id == appliance_keys.c.appliance_id)
            & (evidence_leaves.c.leaf == appliance_keys.c.leaf),
        )
        .where(appliance_keys.c.site_id == site, appliance_keys.c.appliance_id.in_(sorted(of)))
        .order_by(appliance_keys.c.appliance_id, appliance_keys.c.leaf)
    )
    rows = list(await connection.execute(query))
    return [
        (ApplianceId(row.appliance_id), before.ed25519, row.envelope)
        for before, row in pairwise(rows)
        if before.appliance_id == row.appliance_id and row.envelope is not None
    ]


def _view(draft: Draft, heard: _Heard, *, now_s: int) -> OrderView:
    site = draft.wish.site
    name = (site, draft.fixed.sid if draft.fixed else b"")
    logged = heard.leaves.get(name)
    approved = tuple(heard.approved.get(name, ()))
    answers: tuple[AtAppliance, ...] = ()
    leaf = logged_ms = None
    if logged is not None:
        leaf, logged_ms = logged.leaf, logged.logged_ms
        answers = tuple(
            _answer(one, site=site, logged=logged, heard=heard)
            for one in _addressed(draft, logged, heard)
        )
    stage, code = stage_of(draft, leaf=leaf, approved=len(approved), answers=answers, now_s=now_s)
    vetoed = tuple(heard.vetoed.get(name, ()))
    said = tuple(heard.said.get(name, ()))
    return OrderView(draft, approved, vetoed, said, leaf, logged_ms, answers, stage, code)


def _answer(one: ApplianceId, *, site: SiteId, logged: _Logged, heard: _Heard) -> AtAppliance:
    receipts = heard.receipts.get((site, one, logged.leaf), ())
    return at_appliance(
        one,
        leaf=logged.leaf,
        fetched=heard.fetched.get((site, one), 0),
        # A receipt for something else at this place says nothing of this order.
        receipts=[row for row in receipts if row.leaf_hash == logged.hash],
        waits=heard.waits.get((site, one), ()),
    )


def _addressed(draft: Draft, logged: _Logged, heard: _Heard) -> list[ApplianceId]:
    """Return who must answer: an appliance that enrolled later judges no order from before."""
    if draft.wish.appliance is not None:
        return [draft.wish.appliance]
    there = heard.appliances.get(draft.wish.site, ())
    return [one for one, enrolled_ms in there if enrolled_ms <= logged.logged_ms]


async def _heard(connection: AsyncConnection, drafts: Sequence[Draft]) -> _Heard:
    sites = sorted({draft.wish.site for draft in drafts})
    sids = [draft.fixed.sid for draft in drafts if draft.fixed]
    leaves = await _leaves(connection, sids)
    return _Heard(
        leaves=leaves,
        approved=await _approved(connection, sids),
        vetoed=await _vetoed(connection, sids),
        said=await said_of(connection, sids),
        receipts=await _receipts(connection, sites, {one.leaf for one in leaves.values()}),
        waits=await _waits(connection, sites),
        fetched=await _fetched(connection, sites),
        appliances=await _appliances(connection, sites),
    )


async def _leaves(
    connection: AsyncConnection, sids: Collection[bytes]
) -> dict[tuple[str, bytes], _Logged]:
    table = order_leaves.c
    query = select(table.site_id, table.sid, table.leaf, table.hash, table.logged_ms).where(
        table.sid.in_(sids)
    )
    rows = await connection.execute(query)
    return {(row.site_id, row.sid): _Logged(row.leaf, row.hash, row.logged_ms) for row in rows}


async def _approved(
    connection: AsyncConnection, sids: Collection[bytes]
) -> dict[tuple[str, bytes], list[str]]:
    table = order_approvals.c
    query = (
        select(table.site_id, table.sid, table.person)
        .where(table.sid.in_(sids))
        .order_by(table.given_ms, table.person)
    )
    found: defaultdict[tuple[str, bytes], list[str]] = defaultdict(list)
    for row in await connection.execute(query):
        found[(row.site_id, row.sid)].append(row.person)
    return found


async def _vetoed(
    connection: AsyncConnection, sids: Collection[bytes]
) -> dict[tuple[str, bytes], list[str]]:
    table = order_opinions.c
    query = (
        select(table.site_id, table.sid, table.person)
        .where(table.sid.in_(sids), table.kind == "veto")
        .order_by(table.said_ms, table.person)
    )
    found: defaultdict[tuple[str, bytes], list[str]] = defaultdict(list)
    for row in await connection.execute(query):
        found[(row.site_id, row.sid)].append(row.person)
    return found


async def _receipts(
    connection: AsyncConnection, sites: Collection[SiteId], leaves: Collection[int]
) -> dict[tuple[str, str, int], list[ReceiptRow]]:
    table = order_receipts.c
    query = select(order_receipts).where(table.site_id.in_(sites), table.leaf.in_(leaves))
    found: defaultdict[tuple[str, str, int], list[ReceiptRow]] = defaultdict(list)
    for row in await connection.execute(query):
        found[(row.site_id, row.appliance_id, row.leaf)].append(
            ReceiptRow(
                row.seq,
                row.kind,
                row.leaf,
                row.leaf_hash,
                row.sid,
                row.code,
                row.deadline_s,
                row.at_s,
            )
        )
    return found


async def _waits(
    connection: AsyncConnection, sites: Collection[SiteId]
) -> dict[Place, list[WaitRow]]:
    query = select(order_waits).where(order_waits.c.site_id.in_(sites))
    found: defaultdict[Place, list[WaitRow]] = defaultdict(list)
    for row in await connection.execute(query):
        found[(row.site_id, row.appliance_id)].append(WaitRow(row.leaf, row.code, row.until_s))
    return found


async def _fetched(connection: AsyncConnection, sites: Collection[SiteId]) -> dict[Place, int]:
    table = order_fetches.c
    query = select(table.site_id, table.appliance_id, table.size).where(table.site_id.in_(sites))
    rows = await connection.execute(query)
    return {(row.site_id, row.appliance_id): row.size for row in rows}


async def _appliances(
    connection: AsyncConnection, sites: Collection[SiteId]
) -> dict[str, list[tuple[ApplianceId, int]]]:
    table = appliances.c
    query = (
        select(table.site_id, table.appliance_id, table.enrolled_ms)
        .where(table.site_id.in_(sites))
        .order_by(table.enrolled_ms, table.appliance_id)
    )
    found: defaultdict[str, list[tuple[ApplianceId, int]]] = defaultdict(list)
    for row in await connection.execute(query):
        found[row.site_id].append((ApplianceId(row.appliance_id), row.enrolled_ms))
    return found

"""What is said about orders: receipts of appliances, opinions of people, sealed logins."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.orders import ReceiptRow
from central.store.engine import insert_missing
from central.store.order_tables import order_boxes as boxes
from central.store.order_tables import order_drafts as drafts
from central.store.order_tables import order_leaves as leaves
from central.store.order_tables import order_opinions as opinions
from central.store.order_tables import order_receipts as receipts
from proto.errors import RejectedError
from proto.hub.orders import BOXES_MAX, OPINIONS_MAX
from proto.ids import ApplianceId, SiteId

KEPT_MS: Final = 7 * 86_400_000
"""Longer than any order lives: afterwards no opinion on it and no login for it matters."""


HALF: Final = "half"
"""The kind of what is kept for a second person's signature, and delivered to nobody."""

PER_PERSON_MAX: Final = OPINIONS_MAX // 2
"""Opinions of one person that a site hears: nobody alone takes the places of all others."""


class TooManyWordsError(RejectedError):
    """A site has as many opinions, or an appliance as many sealed logins, as are delivered."""

    code = "words_full"


@dataclass(frozen=True, slots=True)
class Opinion:
    """A veto or the end of a hold, as an operator signed it.

    Attributes:
        kind: veto, clear, or half: the end of a hold that one operator signed so far.
        sid: the order that a veto stops.
        appliance: whose hold ends; None for what all appliances of the site must hear.
    """

    kind: str
    sid: bytes | None
    appliance: ApplianceId | None
    person: str
    envelope: bytes
    said_ms: int


async def add_receipts(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, rows: Sequence[ReceiptRow]
) -> list[ReceiptRow]:
    """Keep receipts that arrived in an appliance's evidence; each once.

    Returns:
        Those for something else than what stands at their place of the site's order log.
    """
    base = {"site_id": site, "appliance_id": appliance}
    await insert_missing(connection, receipts, [{**base, **asdict(row)} for row in rows])
    query = select(leaves.c.leaf, leaves.c.hash).where(
        leaves.c.site_id == site, leaves.c.leaf.in_({row.leaf for row in rows})
    )
    held = {row.leaf: row.hash for row in await connection.execute(query)} if rows else {}
    return [row for row in rows if held.get(row.leaf, row.leaf_hash) != row.leaf_hash]


async def add_opinion(site: SiteId, connection: AsyncConnection, *, opinion: Opinion) -> None:
    """Keep an opinion, once; a person's veto takes the place of their earlier one of that order.

    Raises:
        TooManyWordsError: the site, or this person there, has as many that matter as are delivered.
    """
    here = opinions.c.site_id == site
    digest = hashlib.sha256(opinion.envelope).digest()
    if await connection.scalar(select(opinions.c.kind).where(here, opinions.c.digest == digest)):
        return
    is_theirs = opinions.c.person == opinion.person
    is_same = is_theirs & (opinions.c.kind == "veto") & (opinions.c.sid == opinion.sid)
    if opinion.appliance is not None:
        # The half is done with when the whole is there; a newer half takes its place.
        is_same = is_same | (
            (opinions.c.kind == HALF) & (opinions.c.appliance_id == opinion.appliance)
        )
    is_old = opinions.c.said_ms < opinion.said_ms - KEPT_MS
    await connection.execute(delete(opinions).where(here, is_same | is_old))
    matter = here & _matters(opinion.said_ms // 1000)
    for who, which, most in (
        (site, matter, OPINIONS_MAX),
        (opinion.person, matter & is_theirs, PER_PERSON_MAX),
    ):
        query = select(func.count()).select_from(opinions).where(which)
        if int(await connection.scalar(query) or 0) >= most:
            msg = f"{who} has {most} vetoes and ends of holds at {site} that matter now"
            raise TooManyWordsError(msg)
    row = {
        "site_id": site,
        "digest": digest,
        "kind": opinion.kind,
        "sid": opinion.sid,
        "appliance_id": opinion.appliance,
        "person": opinion.person,
        "envelope": opinion.envelope,
        "said_ms": opinion.said_ms,
    }
    await insert_missing(connection, opinions, [row])


async def clears_of(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId
) -> set[bytes]:
    """Return the SHA-256 of each end of an appliance's hold that was verified and kept here."""
    query = select(opinions.c.digest).where(
        opinions.c.site_id == site, opinions.c.appliance_id == appliance, opinions.c.kind != HALF
    )
    return {row.digest for row in await connection.execute(query)}


def _matters(now_s: int) -> ColumnElement[bool]:
    """Say of an opinion that it is not about an order whose time is over."""
    is_over = exists().where(
        drafts.c.site_id == opinions.c.site_id,
        drafts.c.sid == opinions.c.sid,
        drafts.c.exp_s <= now_s,
    )
    return ~is_over


async def opinions_for(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, now_s: int
) -> list[bytes]:
    """Return the envelopes that an appliance must hear, oldest first."""
    is_for = or_(opinions.c.appliance_id.is_(None), opinions.c.appliance_id == appliance)
    query = (
        select(opinions.c.envelope)
        .where(opinions.c.site_id == site, is_for, opinions.c.kind != HALF, _matters(now_s))
        .order_by(opinions.c.said_ms, opinions.c.digest)
        .limit(OPINIONS_MAX)
    )
    return [row.envelope for row in await connection.execute(query)]


async def add_box(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, box: bytes, now_ms: int
) -> bytes:
    """Keep a login that was sealed to an appliance's own key, once; return its SHA-256.

    Raises:
        TooManyWordsError: the appliance has as many as are delivered.
    """
    mine = (boxes.c.site_id == site) & (boxes.c.appliance_id == appliance)
    await connection.execute(delete(boxes).where(mine, boxes.c.received_ms < now_ms - KEPT_MS))
    digest = hashlib.sha256(box).digest()
    if await connection.scalar(select(boxes.c.received_ms).where(mine, boxes.c.sha256 == digest)):
        return digest
    count = await connection.scalar(select(func.count()).select_from(boxes).where(mine))
    if int(count or 0) >= BOXES_MAX:
        msg = f"{appliance} has {BOXES_MAX} sealed logins within a week"
        raise TooManyWordsError(msg)
    row = {"sha256": digest, "box": box, "received_ms": now_ms}
    await insert_missing(connection, boxes, [{"site_id": site, "appliance_id": appliance, **row}])
    return digest


async def boxes_for(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId
) -> list[bytes]:
    """Return an appliance's sealed logins, oldest first."""
    query = (
        select(boxes.c.box)
        .where(boxes.c.site_id == site, boxes.c.appliance_id == appliance)
        .order_by(boxes.c.received_ms, boxes.c.sha256)
        .limit(BOXES_MAX)
    )
    return [row.box for row in await connection.execute(query)]

"""Drafts of orders and the approvals that people gave them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, case, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.orders import Approval, Draft, Fixed, Wish
from central.store.engine import upsert
from central.store.order_tables import order_approvals as approvals
from central.store.order_tables import order_drafts as drafts
from central.store.order_tables import order_leaves as leaves
from proto.envelope import Signature
from proto.errors import ConflictError, NotFoundError, RejectedError
from proto.ids import ApplianceId, SiteId
from proto.orders.kinds import OrderType, Tier

OPEN_MAX: Final = 512
"""Drafts of one site that are neither logged nor over."""

KEPT_MS: Final = 7 * 86_400_000
"""How long what was never logged is kept after its end."""


class TooManyDraftsError(RejectedError):
    """A site has as many open drafts as it may have."""

    code = "drafts_full"


class BodyFixedError(ConflictError):
    """A draft whose body is fixed gets no other."""

    code = "body_fixed"


_IS_LOGGED = exists().where(leaves.c.site_id == drafts.c.site_id, leaves.c.sid == drafts.c.sid)
_IS_OPEN = drafts.c.ended_ms.is_(None) & drafts.c.refused.is_(None) & ~_IS_LOGGED
_END_MS = case(
    (drafts.c.exp_s.is_(None), drafts.c.asked_ms + drafts.c.life_s * 1000),
    else_=drafts.c.exp_s * 1000,
)
"""As `Draft.end_ms`: without a body, the wish's own life bounds it."""


async def add_draft(site: SiteId, connection: AsyncConnection, *, draft: Draft) -> Draft:
    """Store a draft and return it; one that is there under this id is returned as it stands.

    Raises:
        TooManyDraftsError: the site has `OPEN_MAX` open ones whose time is not over.
    """
    found = await _one(connection, drafts.c.site_id == site, drafts.c.draft == draft.draft)
    if found is not None:
        return found
    await _purge(site, connection, now_ms=draft.asked_ms)
    has_time = draft.asked_ms < _END_MS
    query = (
        select(func.count()).select_from(drafts).where(drafts.c.site_id == site, _IS_OPEN, has_time)
    )
    if int(await connection.scalar(query) or 0) >= OPEN_MAX:
        msg = f"{site} has {OPEN_MAX} open drafts: approve, or withdraw some"
        raise TooManyDraftsError(msg)
    wish = draft.wish
    row = {
        "site_id": site,
        "draft": draft.draft,
        "batch": draft.batch,
        "appliance_id": wish.appliance,
        "order_type": wish.type.value,
        "params": json.dumps(wish.params),
        "tier": int(wish.tier),
        "people": wish.people,
        "life_s": wish.life_s,
        "not_before_s": wish.not_before_s,
        "reason": wish.reason,
        "asked_by": wish.by,
        "ask": draft.ask,
        "asked_ms": draft.asked_ms,
    }
    await connection.execute(insert(drafts), [row])
    return draft


async def _purge(site: SiteId, connection: AsyncConnection, *, now_ms: int) -> None:
    """Drop what was never logged and has been over for a week, with its approvals."""
    before_ms = now_ms - KEPT_MS
    is_over = (
        (drafts.c.ended_ms < before_ms)
        | (before_ms > _END_MS)
        | (drafts.c.refused.is_not(None) & (drafts.c.asked_ms < before_ms))
    )
    rows = await connection.execute(
        select(drafts.c.draft, drafts.c.sid).where(drafts.c.site_id == site, is_over, ~_IS_LOGGED)
    )
    for row in rows.all():
        await connection.execute(
            delete(approvals).where(approvals.c.site_id == site, approvals.c.sid == row.sid)
        )
        await connection.execute(
            delete(drafts).where(drafts.c.site_id == site, drafts.c.draft == row.draft)
        )


async def fix_body(site: SiteId, connection: AsyncConnection, *, draft: str, fixed: Fixed) -> None:
    """Keep the body that the signer built; it is never changed.

    Raises:
        BodyFixedError: the draft has a body, or there is no such draft.
    """
    done = await connection.execute(
        update(drafts)
        .where(drafts.c.site_id == site, drafts.c.draft == draft, drafts.c.sid.is_(None))
        .values(sid=fixed.sid, body=fixed.body, iat_s=fixed.iat_s, exp_s=fixed.exp_s)
    )
    if done.rowcount != 1:
        msg = f"draft {draft}: its body is fixed already, or it is not there"
        raise BodyFixedError(msg)


async def refuse(site: SiteId, connection: AsyncConnection, *, draft: str, code: str) -> None:
    """Note the signer's code for why it will not sign this."""
    await connection.execute(
        update(drafts).where(drafts.c.site_id == site, drafts.c.draft == draft).values(refused=code)
    )


async def withdraw(
    site: SiteId, connection: AsyncConnection, *, draft: str, by: str, now_ms: int
) -> None:
    """End a draft that was not logged.

    Raises:
        ConflictError: it was logged (only an order or a veto stops it then), or is over.
    """
    done = await connection.execute(
        update(drafts)
        .where(drafts.c.site_id == site, drafts.c.draft == draft, _IS_OPEN)
        .values(ended_by=by, ended_ms=now_ms)
    )
    if done.rowcount != 1:
        msg = f"draft {draft}: it was logged already, or is over"
        raise ConflictError(msg)


async def find_draft(site: SiteId, connection: AsyncConnection, *, draft: str) -> Draft:
    """Return a draft by its id, or raise `NotFoundError`."""
    found = await _one(connection, drafts.c.site_id == site, drafts.c.draft == draft)
    if found is None:
        msg = f"there is no draft {draft} at {site}"
        raise NotFoundError(msg)
    return found


async def find(site: SiteId, connection: AsyncConnection, *, sid: bytes) -> Draft:
    """Return the draft of an order's name, or raise `NotFoundError`."""
    found = await _one(connection, drafts.c.site_id == site, drafts.c.sid == sid)
    if found is None:
        msg = f"there is no order {sid.hex()} at {site}"
        raise NotFoundError(msg)
    return found


async def find_anywhere(connection: AsyncConnection, sid: bytes) -> Draft:
    """Return the draft of an order's name at whatever site, or raise `NotFoundError`."""
    found = await _one(connection, drafts.c.sid == sid)
    if found is None:
        msg = f"there is no order {sid.hex()}"
        raise NotFoundError(msg)
    return found


async def of_batch(connection: AsyncConnection, batch: str) -> list[Draft]:
    """Return what was asked for together, site by site."""
    return await _some(connection, drafts.c.batch == batch, limit=OPEN_MAX)


async def of_site(site: SiteId, connection: AsyncConnection, *, limit: int) -> list[Draft]:
    """Return a site's newest drafts, logged or not."""
    return await _some(connection, drafts.c.site_id == site, limit=limit)


async def newest(connection: AsyncConnection, limit: int) -> list[Draft]:
    """Return the fleet's newest drafts."""
    return await _some(connection, limit=limit)


async def open_of_site(site: SiteId, connection: AsyncConnection, *, now_s: int) -> list[Draft]:
    """Return what may still be logged, oldest first: not logged, withdrawn, refused or expired."""
    has_time = now_s * 1000 < _END_MS
    query = (
        select(drafts)
        .where(drafts.c.site_id == site, _IS_OPEN, has_time)
        .order_by(drafts.c.asked_ms, drafts.c.draft)
        .limit(OPEN_MAX)
    )
    return [_draft(row) for row in (await connection.execute(query)).mappings()]


async def sites_with_open(connection: AsyncConnection, *, now_s: int) -> list[SiteId]:
    """Return the sites that have drafts which may still be logged."""
    has_time = now_s * 1000 < _END_MS
    query = select(drafts.c.site_id).where(_IS_OPEN, has_time).distinct()
    return [SiteId(row.site_id) for row in await connection.execute(query)]


async def add_approval(
    site: SiteId, connection: AsyncConnection, *, sid: bytes, approval: Approval, now_ms: int
) -> None:
    """Keep a person's signature; a later one, as with a new key, takes the earlier one's place."""
    row = {
        "site_id": site,
        "sid": sid,
        "person": approval.person,
        "key_id": approval.signature.key_id,
        "signature": approval.signature.raw,
        "given_ms": now_ms,
    }
    await upsert(connection, approvals, [row], keep=["given_ms"])


async def approvals_of(site: SiteId, connection: AsyncConnection, *, sid: bytes) -> list[Approval]:
    """Return the signatures over an order's bytes, by name."""
    query = (
        select(approvals)
        .where(approvals.c.site_id == site, approvals.c.sid == sid)
        .order_by(approvals.c.person)
    )
    return [
        Approval(row.person, Signature(row.key_id, row.signature))
        for row in await connection.execute(query)
    ]


async def _one(connection: AsyncConnection, *where: ColumnElement[bool]) -> Draft | None:
    row = (await connection.execute(select(drafts).where(*where))).mappings().one_or_none()
    return None if row is None else _draft(row)


async def _some(
    connection: AsyncConnection, *where: ColumnElement[bool], limit: int
) -> list[Draft]:
    query = (
        select(drafts)
        .where(*where)
        .order_by(drafts.c.asked_ms.desc(), drafts.c.site_id, drafts.c.draft)
        .limit(limit)
    )
    found: Sequence[Mapping[Any, Any]] = (await connection.execute(query)).mappings().all()
    return [_draft(row) for row in found]


def _draft(row: Mapping[Any, Any]) -> Draft:
    appliance = row["appliance_id"]
    wish = Wish(
        site=SiteId(row["site_id"]),
        appliance=None if appliance is None else ApplianceId(appliance),
        type=OrderType(row["order_type"]),
        params=json.loads(row["params"]),
        tier=Tier(row["tier"]),
        people=row["people"],
        life_s=row["life_s"],
        not_before_s=row["not_before_s"],
        reason=row["reason"],
        by=row["asked_by"],
    )
    fixed = None
    if row["sid"] is not None:
        fixed = Fixed(row["sid"], row["body"], row["iat_s"], row["exp_s"])
    return Draft(
        draft=row["draft"],
        batch=row["batch"],
        wish=wish,
        asked_ms=row["asked_ms"],
        ask=row["ask"],
        fixed=fixed,
        refused=row["refused"],
        ended_by=row["ended_by"],
        ended_ms=row["ended_ms"],
    )

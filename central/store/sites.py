"""Sites and the claims by which their appliances enroll."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from central.store.tables import claims, sites
from proto.errors import NotFoundError
from proto.ids import ApplianceId, SiteId

CLAIM_KEPT_MS = 7 * 86_400 * 1000
"""How long an ended claim is kept for people to look at."""


@dataclass(frozen=True, slots=True)
class Site:
    """One customer place."""

    site: SiteId
    label: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim as stored: its secret is sealed, and None once the claim was used."""

    site: SiteId
    claim: bytes
    secret_sealed: bytes | None
    expires_ms: int
    used_by: ApplianceId | None
    proof_digest: bytes | None


async def add_site(site: SiteId, connection: AsyncConnection, *, label: str, now_ms: int) -> None:
    """Add a site."""
    await connection.execute(insert(sites).values(site_id=site, label=label, created_ms=now_ms))


async def find_site(site: SiteId, connection: AsyncConnection) -> Site:
    """Return a site, or raise `NotFoundError`."""
    row = (await connection.execute(select(sites).where(sites.c.site_id == site))).one_or_none()
    if row is None:
        msg = f"site: there is no {site}"
        raise NotFoundError(msg)
    return Site(SiteId(row.site_id), row.label, row.created_ms)


async def all_sites(connection: AsyncConnection) -> list[Site]:
    """Return every site by label."""
    rows = await connection.execute(select(sites).order_by(sites.c.label, sites.c.site_id))
    return [Site(SiteId(row.site_id), row.label, row.created_ms) for row in rows]


async def add_claim(
    site: SiteId,
    connection: AsyncConnection,
    *,
    claim: bytes,
    secret_sealed: bytes,
    now_ms: int,
    expires_ms: int,
) -> None:
    """Add a claim, and drop claims that ended more than a week ago."""
    await connection.execute(delete(claims).where(claims.c.expires_ms < now_ms - CLAIM_KEPT_MS))
    await connection.execute(
        insert(claims).values(
            site_id=site,
            claim=claim,
            secret_sealed=secret_sealed,
            created_ms=now_ms,
            expires_ms=expires_ms,
        )
    )


async def find_claim(connection: AsyncConnection, claim: bytes) -> ClaimRow | None:
    """Return a claim of any site: an appliance names the claim, and the claim names the site."""
    row = (await connection.execute(select(claims).where(claims.c.claim == claim))).one_or_none()
    if row is None:
        return None
    return ClaimRow(
        SiteId(row.site_id),
        row.claim,
        row.secret_sealed,
        row.expires_ms,
        row.used_by and ApplianceId(row.used_by),
        row.proof_digest,
    )


async def use_claim(
    site: SiteId,
    connection: AsyncConnection,
    *,
    claim: bytes,
    appliance: ApplianceId,
    proof_digest: bytes,
    now_ms: int,
) -> None:
    """Mark a claim used and erase its secret."""
    await connection.execute(
        update(claims)
        .where(claims.c.site_id == site, claims.c.claim == claim)
        .values(secret_sealed=None, used_by=appliance, used_ms=now_ms, proof_digest=proof_digest)
    )

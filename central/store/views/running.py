"""What each appliance of the fleet said last that it runs: one query, and one of the unwell."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from central.store.tables import appliances, conditions, full_states, reported_health, sites
from proto.hub.check_in import BODY_BYTES_MAX, FullState
from proto.ids import ApplianceId, SiteId


@dataclass(frozen=True, slots=True)
class RunningView:
    """One appliance.

    Attributes:
        label: what people call its site.
        full: its latest full state; None while it sent none.
        unwell: codes of what it reports of itself and of what the hub found, sorted.
    """

    site: SiteId
    label: str
    appliance: ApplianceId
    last_seen_ms: int | None
    as_of_s: int
    full: FullState | None
    unwell: tuple[str, ...]


async def running(connection: AsyncConnection) -> list[RunningView]:
    """Return every appliance, by its site's label."""
    unwell = await _unwell(connection)
    query = (
        select(
            appliances.c.site_id,
            sites.c.label,
            appliances.c.appliance_id,
            appliances.c.last_seen_ms,
            appliances.c.as_of_s,
            full_states.c.body,
        )
        .join(sites, sites.c.site_id == appliances.c.site_id)
        .outerjoin(
            full_states,
            (full_states.c.site_id == appliances.c.site_id)
            & (full_states.c.appliance_id == appliances.c.appliance_id),
        )
        .order_by(sites.c.label, appliances.c.site_id, appliances.c.enrolled_ms)
    )
    found: list[RunningView] = []
    for site, label, appliance, last_seen_ms, as_of_s, body in await connection.execute(query):
        full = body and FullState.from_bytes(body, "full state", size_bytes_max=BODY_BYTES_MAX)
        codes = unwell[site, appliance] | set(full.health if full else ())
        found.append(
            RunningView(
                site=SiteId(site),
                label=label,
                appliance=ApplianceId(appliance),
                last_seen_ms=last_seen_ms,
                as_of_s=as_of_s,
                full=full or None,
                unwell=tuple(sorted(codes)),
            )
        )
    return found


async def _unwell(connection: AsyncConnection) -> defaultdict[tuple[str, str], set[str]]:
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for table, is_so in (
        (reported_health, reported_health.c.ok.is_(False)),
        (conditions, conditions.c.cleared_ms.is_(None)),
    ):
        query = select(table.c.site_id, table.c.appliance_id, table.c.code).where(is_so)
        for site, appliance, code in await connection.execute(query):
            found[site, appliance].add(code)
    return found

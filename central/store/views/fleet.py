"""The fleet at a glance: one row a site, in a number of queries that does not grow with it."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Column, ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.fleet import Presence, presence, worst
from central.core.settings import HubSettings
from central.store.appliances import all_appliances
from central.store.sites import all_sites
from central.store.tables import conditions, findings, heals, incidents, targets
from proto.evidence import Result
from proto.findings import Verdict
from proto.ids import SiteId
from proto.incidents import State

HEALED_WITHIN_S = 86_400


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One site.

    Attributes:
        verdicts: how many current findings there are of each verdict, every verdict listed.
        open_incidents: incidents that are neither closed, healed nor waived.
        escalated: those of them that wait for a person.
        healed_lately: repairs proved in the last 24 hours.
        conditions: what the hub found wrong with the site's appliances and still stands.
        unconfirmed: appliances whose fingerprint no person compared yet.
        as_of_s: time of the oldest current finding of any appliance; 0 when there is none.
    """

    site: SiteId
    label: str
    presence: Presence
    appliances: int
    unconfirmed: int
    last_seen_ms: int | None
    as_of_s: int
    targets: int
    verdicts: Mapping[Verdict, int]
    open_incidents: int
    escalated: int
    healed_lately: int
    conditions: int


@dataclass(slots=True)
class _Boxes:
    """What is summed up over one site's appliances."""

    presences: list[Presence] = field(default_factory=list)
    unconfirmed: int = 0
    last_seen_ms: int | None = None
    as_of_s: int = 0


async def fleet(
    connection: AsyncConnection, *, settings: HubSettings, now_ms: int
) -> list[FleetRow]:
    """Return every site, by label."""
    boxes = await _boxes(connection, settings=settings, now_ms=now_ms)
    verdicts = await _counts(connection, findings.c.verdict)
    states = await _counts(connection, incidents.c.state)
    listed = await _totals(connection, targets.c.site_id, targets.c.listed.is_(True))
    standing = await _totals(connection, conditions.c.site_id, conditions.c.cleared_ms.is_(None))
    healed = await _totals(
        connection,
        heals.c.site_id,
        heals.c.result == Result.HEALED.value,
        heals.c.at_s >= now_ms // 1000 - HEALED_WITHIN_S,
    )
    return [
        FleetRow(
            site=site.site,
            label=site.label,
            presence=worst(boxes[site.site].presences),
            appliances=len(boxes[site.site].presences),
            unconfirmed=boxes[site.site].unconfirmed,
            last_seen_ms=boxes[site.site].last_seen_ms,
            as_of_s=boxes[site.site].as_of_s,
            targets=listed[site.site],
            verdicts={one: verdicts[site.site][one.value] for one in Verdict},
            open_incidents=sum(states[site.site][one.value] for one in NEEDING_WORK),
            escalated=states[site.site][State.ESCALATED.value],
            healed_lately=healed[site.site],
            conditions=standing[site.site],
        )
        for site in await all_sites(connection)
    ]


NEEDING_WORK = (State.OPEN, State.ESCALATED)
"""The states, of those that evidence tells, in which an incident is not dealt with."""


async def _boxes(
    connection: AsyncConnection, *, settings: HubSettings, now_ms: int
) -> defaultdict[str, _Boxes]:
    found: defaultdict[str, _Boxes] = defaultdict(_Boxes)
    for one in await all_appliances(connection):
        box = found[one.site]
        box.presences.append(
            presence(
                last_seen_ms=one.last_seen_ms,
                as_of_s=one.as_of_s,
                now_ms=now_ms,
                settings=settings,
            )
        )
        box.unconfirmed += one.confirmed_ms is None
        if one.last_seen_ms is not None:
            box.last_seen_ms = max(one.last_seen_ms, box.last_seen_ms or 0)
        if one.as_of_s:
            box.as_of_s = min(one.as_of_s, box.as_of_s or one.as_of_s)
    return found


async def _counts(
    connection: AsyncConnection, column: Column[str]
) -> defaultdict[str, Counter[str]]:
    """Count a fold table's rows by site and by one column's values."""
    site = column.table.c.site_id
    query = select(site, column, func.count()).group_by(site, column)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for site_id, value, count in await connection.execute(query):
        found[site_id][value] = count
    return found


async def _totals(
    connection: AsyncConnection, site: Column[str], *where: ColumnElement[bool]
) -> Counter[str]:
    query = select(site, func.count()).where(*where).group_by(site)
    return Counter({row[0]: row[1] for row in await connection.execute(query)})

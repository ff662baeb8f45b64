"""Reading and keeping the rows that an appliance's evidence folds to."""

from collections.abc import Collection, Iterator
from dataclasses import asdict
from itertools import islice
from typing import TypeVar

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.fold import Fold, Touched
from central.core.rows import FindingRow, HealRow, HealthRow, IncidentRow
from central.store.engine import insert_missing, upsert
from central.store.tables import findings, heals, incidents, reported_health, targets, turns
from proto.ids import ApplianceId, SiteId

IDS_PER_QUERY_MAX = 400

Row = TypeVar("Row", FindingRow, IncidentRow, HealRow, HealthRow)


async def load(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, touched: Touched
) -> Fold:
    """Return a fold that holds the stored rows which some leaves may change."""
    found = Fold()
    for part in _parts(touched.targets):
        query = select(findings).where(
            findings.c.site_id == site,
            findings.c.appliance_id == appliance,
            findings.c.target.in_(part),
        )
        for row in (await connection.execute(query)).mappings():
            kept = row_of(FindingRow, row)
            found.findings[kept.target, kept.check_id] = kept
    for part in _parts(touched.incidents):
        query = select(incidents).where(
            incidents.c.site_id == site,
            incidents.c.appliance_id == appliance,
            incidents.c.incident.in_(part),
        )
        for row in (await connection.execute(query)).mappings():
            one = row_of(IncidentRow, row)
            found.incidents[one.incident] = one
    return found


def row_of(kind: type[Row], row: object) -> Row:
    """Return a database row as the value of the same column names."""
    return kind(**{name: row[name] for name in kind.__dataclass_fields__})  # type: ignore[index]


def _parts(ids: Collection[str]) -> Iterator[list[str]]:
    ordered = iter(sorted(ids))
    while part := list(islice(ordered, IDS_PER_QUERY_MAX)):
        yield part


async def save(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, fold: Fold
) -> None:
    """Store what a fold changed."""
    base = {"site_id": site, "appliance_id": appliance}
    changed: list[tuple[Table, list[FindingRow] | list[IncidentRow] | list[HealthRow]]] = [
        (findings, [fold.findings[key] for key in sorted(fold.changed_findings)]),
        (incidents, [fold.incidents[key] for key in sorted(fold.changed_incidents)]),
        (reported_health, list(fold.health.values())),
    ]
    for table, rows in changed:
        await upsert(connection, table, [{**base, **asdict(row)} for row in rows])
    await insert_missing(connection, heals, [{**base, **asdict(row)} for row in fold.heals])
    await insert_missing(connection, turns, [{**base, **asdict(row)} for row in fold.turns])
    await insert_missing(
        connection,
        targets,
        [{**base, "target": target, "listed": False} for target in sorted(fold.targets)],
    )

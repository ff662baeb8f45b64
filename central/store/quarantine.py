"""Text that was not admitted: where it stood and what was seen in it, and none of the text."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.admission import SetAside
from central.store.engine import insert_missing
from central.store.tables import quarantine
from proto.ids import ApplianceId, SiteId

ROWS_MAX = 500
FORMS_CHARS_MAX = 500


@dataclass(frozen=True, slots=True)
class QuarantineView:
    """One text that was set aside."""

    appliance: ApplianceId
    what: str
    place: str
    forms: tuple[str, ...]
    size_bytes: int
    sha256: bytes
    at_ms: int


async def add(
    site: SiteId,
    connection: AsyncConnection,
    *,
    appliance: ApplianceId,
    aside: Collection[SetAside],
    now_ms: int,
) -> None:
    """Note what was set aside, and keep only the newest of this appliance."""
    rows = [
        {
            "site_id": site,
            "appliance_id": appliance,
            "sha256": one.sha256,
            "place": one.place,
            "what": one.what,
            "forms": " ".join(one.forms)[:FORMS_CHARS_MAX],
            "size_bytes": one.size_bytes,
            "at_ms": now_ms,
        }
        for one in list(aside)[:ROWS_MAX]
    ]
    await insert_missing(connection, quarantine, rows)
    its = (quarantine.c.site_id == site, quarantine.c.appliance_id == appliance)
    count = await connection.scalar(select(func.count()).select_from(quarantine).where(*its))
    if (count or 0) <= ROWS_MAX:
        return
    newest = select(quarantine.c.at_ms).where(*its).order_by(quarantine.c.at_ms.desc())
    oldest_kept = await connection.scalar(newest.limit(1).offset(ROWS_MAX - 1))
    await connection.execute(delete(quarantine).where(*its, quarantine.c.at_ms < oldest_kept))


async def of_site(
    site: SiteId, connection: AsyncConnection, *, limit: int
) -> tuple[QuarantineView, ...]:
    """Return what was set aside of a site, newest first."""
    query = (
        select(quarantine)
        .where(quarantine.c.site_id == site)
        .order_by(quarantine.c.at_ms.desc(), quarantine.c.place)
        .limit(limit)
    )
    return tuple(
        QuarantineView(
            ApplianceId(row.appliance_id),
            row.what,
            row.place,
            tuple(row.forms.split()),
            row.size_bytes,
            row.sha256,
            row.at_ms,
        )
        for row in await connection.execute(query)
    )

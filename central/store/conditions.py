"""What the hub found wrong with an appliance, and what it refused."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from central.store.engine import insert_missing
from central.store.tables import conditions, refusals
from proto.ids import ApplianceId, SiteId

REFUSALS_KEPT = 2000
MESSAGE_CHARS_MAX = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was refused; `unrecorded` counts refusals before it that there was no room to note."""

    site: SiteId | None
    appliance: ApplianceId | None
    path: str
    code: str
    message: str
    size_bytes: int
    digest: bytes
    at_ms: int
    unrecorded: int


async def raise_condition(
    site: SiteId,
    connection: AsyncConnection,
    *,
    appliance: ApplianceId,
    code: str,
    message: str,
    now_ms: int,
) -> None:
    """Raise a condition, or count it once more; one that was cleared begins anew."""
    where = (
        conditions.c.site_id == site,
        conditions.c.appliance_id == appliance,
        conditions.c.code == code,
    )
    shown = message[:MESSAGE_CHARS_MAX]
    await insert_missing(
        connection,
        conditions,
        [
            {
                "site_id": site,
                "appliance_id": appliance,
                "code": code,
                "message": shown,
                "since_ms": now_ms,
                "last_ms": now_ms,
                "times": 0,
            }
        ],
    )
    await connection.execute(
        update(conditions)
        .where(*where, conditions.c.cleared_ms.is_not(None))
        .values(since_ms=now_ms, cleared_ms=None, times=0)
    )
    await connection.execute(
        update(conditions)
        .where(*where)
        .values(message=shown, last_ms=now_ms, times=conditions.c.times + 1)
    )


async def clear_conditions(
    site: SiteId,
    connection: AsyncConnection,
    *,
    appliance: ApplianceId,
    codes: Collection[str],
    now_ms: int,
) -> None:
    """Clear conditions that a good message, or a person, ended."""
    await connection.execute(
        update(conditions)
        .where(
            conditions.c.site_id == site,
            conditions.c.appliance_id == appliance,
            conditions.c.code.in_(sorted(codes)),
            conditions.c.cleared_ms.is_(None),
        )
        .values(cleared_ms=now_ms)
    )


async def add_refusal(connection: AsyncConnection, refusal: Refusal) -> None:
    """Note a refusal and keep only the newest."""
    result = await connection.execute(
        insert(refusals)
        .values(
            site_id=refusal.site,
            appliance_id=refusal.appliance,
            path=refusal.path,
            code=refusal.code,
            message=refusal.message[:MESSAGE_CHARS_MAX],
            size_bytes=refusal.size_bytes,
            digest=refusal.digest,
            at_ms=refusal.at_ms,
            unrecorded=refusal.unrecorded,
        )
        .returning(refusals.c.number)
    )
    newest = result.scalar_one()
    await connection.execute(delete(refusals).where(refusals.c.number <= newest - REFUSALS_KEPT))


async def newest_refusals(connection: AsyncConnection, limit: int) -> list[Refusal]:
    """Return the newest refusals, newest first."""
    query = select(refusals).order_by(refusals.c.number.desc()).limit(limit)
    return [
        Refusal(
            row.site_id,
            row.appliance_id,
            row.path,
            row.code,
            row.message,
            row.size_bytes,
            row.digest,
            row.at_ms,
            row.unrecorded,
        )
        for row in await connection.execute(query)
    ]


async def count_refusals(connection: AsyncConnection) -> int:
    """Return how many refusals are kept."""
    found = await connection.scalar(select(func.count()).select_from(refusals))
    return int(found or 0)


async def standing(connection: AsyncConnection) -> list[tuple[ApplianceId, str, int]]:
    """Return every condition that stands, of any site: appliance, code and when last seen."""
    query = select(conditions.c.appliance_id, conditions.c.code, conditions.c.last_ms).where(
        conditions.c.cleared_ms.is_(None)
    )
    return [
        (ApplianceId(row.appliance_id), row.code, row.last_ms)
        for row in await connection.execute(query)
    ]

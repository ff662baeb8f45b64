"""What people said at appliances, as their evidence tells it; and who holds orders back.

A veto that a person gave at one appliance, of an order for the whole site, is told to the others.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.orders import SaidRow
from central.store.engine import insert_missing
from central.store.order_tables import order_drafts as drafts
from central.store.order_tables import order_fetches as fetches
from central.store.order_tables import order_opinions as opinions
from central.store.order_tables import order_words as words
from central.store.order_words import HALF
from proto.evidence import SaidBy, SaidWhat
from proto.hub.orders import OPINIONS_MAX
from proto.ids import ApplianceId, SiteId


@dataclass(frozen=True, slots=True)
class SaidAt:
    """A word at one appliance, for people: who said what, and when by its clock (seconds)."""

    appliance: ApplianceId
    what: str
    by_whom: str
    actor: str
    at_s: int


@dataclass(frozen=True, slots=True)
class HoldRow:
    """An appliance that holds orders back.

    Attributes:
        since_s: the hold's name: since when, by the appliance's own clock.
        told_ms: when it last said so.
        half: the end of this hold as one operator signed it; None before that.
    """

    site: SiteId
    appliance: ApplianceId
    since_s: int
    told_ms: int
    half: bytes | None


async def add_words(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, rows: Sequence[SaidRow]
) -> None:
    """Keep what an appliance's evidence tells of words; each once."""
    base = {"site_id": site, "appliance_id": appliance}
    await insert_missing(connection, words, [{**base, **asdict(row)} for row in rows])


async def said_of(
    connection: AsyncConnection, sids: Collection[bytes]
) -> dict[tuple[str, bytes], list[SaidAt]]:
    """Return what was said of some orders, by site and sid, oldest first."""
    query = select(words).where(words.c.sid.in_(sids)).order_by(words.c.at_s, words.c.appliance_id)
    found: dict[tuple[str, bytes], list[SaidAt]] = {}
    for row in await connection.execute(query):
        said = SaidAt(ApplianceId(row.appliance_id), row.what, row.by_whom, row.actor, row.at_s)
        found.setdefault((row.site_id, row.sid), []).append(said)
    return found


async def neighbours_vetoes(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, now_s: int
) -> list[tuple[ApplianceId, bytes]]:
    """Return the vetoes of other appliances' people that this one must hear, oldest first."""
    is_for_all = (drafts.c.site_id == words.c.site_id) & (drafts.c.sid == words.c.sid)
    query = (
        select(words.c.appliance_id, words.c.statement)
        .join(drafts, is_for_all)
        .where(
            words.c.site_id == site,
            words.c.appliance_id != appliance,
            words.c.what == SaidWhat.VETO,
            words.c.by_whom == SaidBy.LAN,
            drafts.c.appliance_id.is_(None),
            drafts.c.exp_s > now_s,
        )
        .order_by(words.c.at_s, words.c.appliance_id)
        .limit(OPINIONS_MAX)
    )
    rows = await connection.execute(query)
    return [(ApplianceId(row.appliance_id), row.statement) for row in rows]


async def holds(connection: AsyncConnection) -> list[HoldRow]:
    """Return the appliances that last said they hold orders back, by site."""
    query = (
        select(fetches)
        .where(fetches.c.held_s.is_not(None))
        .order_by(fetches.c.site_id, fetches.c.appliance_id)
    )
    halves = select(opinions).where(opinions.c.kind == HALF)
    half = {
        (row.site_id, row.appliance_id): row.envelope for row in await connection.execute(halves)
    }
    return [
        HoldRow(
            SiteId(row.site_id),
            ApplianceId(row.appliance_id),
            row.held_s,
            row.at_ms,
            half.get((row.site_id, row.appliance_id)),
        )
        for row in await connection.execute(query)
    ]

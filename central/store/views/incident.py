"""One incident: what was seen, what was done, what a re-check said, and where it is proved."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from central.store import devices
from central.store.tables import checkpoints, details, heals, incidents, turns
from central.store.views.site import IncidentLine, incident_line, read_detail
from proto.errors import NotFoundError
from proto.evidence import Outcome, Result, Turn
from proto.findings import Reason, Scalar, Verdict
from proto.ids import ApplianceId, IncidentId, SiteId
from proto.incidents import Cause

TURNS_SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class SideView:
    """What a check said before or after; `seen` is None when its detail was erased."""

    verdict: Verdict
    reason: Reason | None
    seen: Mapping[str, Scalar] | None


@dataclass(frozen=True, slots=True)
class HealView:
    """One repair.

    Attributes:
        leaf: its place in the appliance's evidence log.
        proved: a head over that leaf is cosigned by the hub.
        result: as the hub counts it: healed only with a passing re-check.
    """

    leaf: int
    at_s: int
    attempt: int
    rule: str
    runbook: str
    content: str
    before: SideView
    outcome: Outcome
    changed: bool
    after: SideView
    result: Result
    proved: bool


@dataclass(frozen=True, slots=True)
class TurnView:
    """One turn as the appliance told it; `actor` is a code, `leaf` its place in the log."""

    leaf: int
    at_s: int
    turn: Turn
    cause: Cause | None
    actor: str


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident and its repairs, oldest first.

    Attributes:
        called: what its target is called on its site, scrubbed; "" while that was not told.
    """

    line: IncidentLine
    called: str
    platform: str | None
    actor: str | None
    rule: str | None
    heals: tuple[HealView, ...]
    turns: tuple[TurnView, ...]


async def incident_view(
    site: SiteId, connection: AsyncConnection, *, incident: IncidentId
) -> IncidentView:
    """Return one incident of a site.

    Raises:
        NotFoundError: the site has no such incident.
    """
    query = select(incidents).where(incidents.c.site_id == site, incidents.c.incident == incident)
    row = (await connection.execute(query)).first()
    if row is None:
        msg = f"incident: {site} has no {incident}"
        raise NotFoundError(msg)
    appliance = ApplianceId(row.appliance_id)
    return IncidentView(
        line=incident_line(row),
        called=(await devices.called(site, connection)).get(row.target, ""),
        platform=row.platform,
        actor=row.actor,
        rule=row.rule,
        heals=await _heals(site, connection, appliance=appliance, incident=incident),
        turns=await _turns(site, connection, appliance=appliance, incident=incident),
    )


async def _turns(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, incident: IncidentId
) -> tuple[TurnView, ...]:
    query = (
        select(turns)
        .where(
            turns.c.site_id == site,
            turns.c.appliance_id == appliance,
            turns.c.incident == incident,
        )
        .order_by(turns.c.leaf)
        .limit(TURNS_SHOWN_MAX)
    )
    return tuple(
        TurnView(
            row.leaf, row.at_s, Turn(row.turn), Cause(row.cause) if row.cause else None, row.actor
        )
        for row in await connection.execute(query)
    )


async def _heals(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, incident: IncidentId
) -> tuple[HealView, ...]:
    query = (
        select(heals)
        .where(
            heals.c.site_id == site,
            heals.c.appliance_id == appliance,
            heals.c.incident == incident,
        )
        .order_by(heals.c.leaf)
    )
    rows = (await connection.execute(query)).all()
    seen_of = await _details(
        site, connection, appliance=appliance, leaves=[row.leaf for row in rows]
    )
    newest = await connection.scalar(
        select(checkpoints.c.size)
        .where(checkpoints.c.site_id == site, checkpoints.c.appliance_id == appliance)
        .order_by(checkpoints.c.size.desc())
        .limit(1)
    )
    return tuple(
        HealView(
            leaf=row.leaf,
            at_s=row.at_s,
            attempt=row.attempt,
            rule=row.rule,
            runbook=row.runbook,
            content=row.content,
            before=_side(row.before_verdict, row.before_reason, seen_of[row.leaf].get("before")),
            outcome=Outcome(row.outcome),
            changed=row.changed,
            after=_side(row.after_verdict, row.after_reason, seen_of[row.leaf].get("after")),
            result=Result(row.result),
            proved=row.leaf < (newest or 0),
        )
        for row in rows
    )


def _side(verdict: str, reason: str | None, detail: str | None) -> SideView:
    return SideView(Verdict(verdict), Reason(reason) if reason else None, read_detail(detail))


async def _details(
    site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId, leaves: list[int]
) -> defaultdict[int, dict[str, str]]:
    query = select(details.c.leaf, details.c.part, details.c.detail).where(
        details.c.site_id == site,
        details.c.appliance_id == appliance,
        details.c.leaf.in_(leaves),
    )
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for leaf, part, detail in await connection.execute(query):
        found[leaf][part] = detail
    return found

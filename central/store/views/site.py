"""One site: its appliances, its targets with their findings, its incidents."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.fleet import Presence, presence, worst
from central.core.settings import HubSettings
from central.store import devices
from central.store.sites import find_site
from central.store.tables import (
    appliances,
    checkpoints,
    conditions,
    details,
    findings,
    full_states,
    heads,
    incidents,
    reported_health,
    targets,
)
from central.store.views.fleet import NEEDING_WORK
from proto import strict_json
from proto.evidence import DETAIL_BYTES_MAX
from proto.findings import Reason, Scalar, Verdict
from proto.hub.check_in import BODY_BYTES_MAX, FullState
from proto.ids import ApplianceId, IncidentId, SiteId, TargetId
from proto.incidents import Cause, Severity, State
from proto.keys import PublicKey

INCIDENTS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ConditionView:
    """What the hub found wrong with an appliance; `times` is how often since it began."""

    code: str
    message: str
    since_ms: int
    last_ms: int
    times: int


@dataclass(frozen=True, slots=True)
class ApplianceView:
    """One appliance.

    Attributes:
        fingerprint: of its signing key, as its portal shows it.
        full: its latest full state; None while it sent none.
        held: leaves of its evidence log that the hub holds.
        cosigned_size: leaves under the newest head that the hub cosigned; 0 for none.
        unwell: codes of the conditions that it reports of itself, in its evidence or its state.
    """

    site: SiteId
    appliance: ApplianceId
    presence: Presence
    fingerprint: str
    enrolled_ms: int
    confirmed_ms: int | None
    last_seen_ms: int | None
    as_of_s: int
    full: FullState | None
    held: int
    cosigned_size: int
    cosigned_ms: int | None
    unwell: tuple[str, ...]
    conditions: tuple[ConditionView, ...]


@dataclass(frozen=True, slots=True)
class TargetView:
    """One target; platform and class are None until a full state names it.

    Attributes:
        called: what it is called on its site, scrubbed; "" while that was not told.
    """

    appliance: ApplianceId
    target: TargetId
    called: str
    platform: str | None
    device_class: str | None
    listed: bool
    verdicts: Mapping[Verdict, int]
    open_incidents: int


@dataclass(frozen=True, slots=True)
class FindingView:
    """A current finding; `seen` is None when its detail did not come or was erased."""

    appliance: ApplianceId
    target: TargetId
    check: str
    verdict: Verdict
    reason: Reason | None
    seen: Mapping[str, Scalar] | None
    at_s: int
    since_s: int


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """One incident in a list. Severity is None until its opening was seen."""

    site: SiteId
    appliance: ApplianceId
    incident: IncidentId
    target: TargetId
    check: str
    severity: Severity | None
    state: State
    cause: Cause | None
    attempt: int
    runbook: str | None
    result: str | None
    opened_s: int
    updated_s: int
    closed_s: int | None


@dataclass(frozen=True, slots=True)
class SiteView:
    """One site.

    Attributes:
        incidents: those that need work first, then the newest; at most 200.
        incidents_total: how many there are in all.
        called: what devices are called on the site, scrubbed, by id; not all have a name.
    """

    site: SiteId
    label: str
    created_ms: int
    presence: Presence
    appliances: tuple[ApplianceView, ...]
    targets: tuple[TargetView, ...]
    verdicts: Mapping[Verdict, int]
    incidents: tuple[IncidentLine, ...]
    incidents_total: int
    called: Mapping[str, str]


async def site_view(
    site: SiteId, connection: AsyncConnection, *, settings: HubSettings, now_ms: int
) -> SiteView:
    """Return one site.

    Raises:
        NotFoundError: there is no such site.
    """
    found = await find_site(site, connection)
    boxes = await appliance_views(site, connection, settings=settings, now_ms=now_ms)
    called = await devices.called(site, connection)
    rows = await _targets(site, connection, called)
    verdicts: Counter[Verdict] = Counter()
    for row in rows:
        verdicts.update(row.verdicts)
    total = await connection.scalar(
        select(func.count()).select_from(incidents).where(incidents.c.site_id == site)
    )
    return SiteView(
        site=site,
        label=found.label,
        created_ms=found.created_ms,
        presence=worst(box.presence for box in boxes),
        appliances=boxes,
        targets=rows,
        verdicts={one: verdicts[one] for one in Verdict},
        incidents=await incident_lines(site, connection, limit=INCIDENTS_SHOWN),
        incidents_total=int(total or 0),
        called=called,
    )


async def appliance_views(
    site: SiteId, connection: AsyncConnection, *, settings: HubSettings, now_ms: int
) -> tuple[ApplianceView, ...]:
    """Return a site's appliances, in the order in which they enrolled."""
    conditions_of = await _conditions(site, connection)
    unwell_of = await _unwell(site, connection)
    newest_of = await _newest_checkpoints(site, connection)
    query = (
        select(appliances, full_states.c.body, heads.c.size.label("held"))
        .outerjoin(
            full_states,
            (full_states.c.site_id == appliances.c.site_id)
            & (full_states.c.appliance_id == appliances.c.appliance_id),
        )
        .outerjoin(
            heads,
            (heads.c.site_id == appliances.c.site_id)
            & (heads.c.appliance_id == appliances.c.appliance_id),
        )
        .where(appliances.c.site_id == site)
        .order_by(appliances.c.enrolled_ms, appliances.c.appliance_id)
    )
    views: list[ApplianceView] = []
    for row in await connection.execute(query):
        full = row.body and FullState.from_bytes(
            row.body, "full state", size_bytes_max=BODY_BYTES_MAX
        )
        cosigned_size, cosigned_ms = newest_of.get(row.appliance_id, (0, None))
        views.append(
            ApplianceView(
                site=site,
                appliance=ApplianceId(row.appliance_id),
                presence=presence(
                    last_seen_ms=row.last_seen_ms,
                    as_of_s=row.as_of_s,
                    now_ms=now_ms,
                    settings=settings,
                ),
                fingerprint=PublicKey(row.ed25519).fingerprint(),
                enrolled_ms=row.enrolled_ms,
                confirmed_ms=row.confirmed_ms,
                last_seen_ms=row.last_seen_ms,
                as_of_s=row.as_of_s,
                full=full,
                held=row.held or 0,
                cosigned_size=cosigned_size,
                cosigned_ms=cosigned_ms,
                unwell=tuple(
                    sorted(unwell_of[row.appliance_id] | set(full.health if full else ()))
                ),
                conditions=tuple(conditions_of[row.appliance_id]),
            )
        )
    return tuple(views)


async def _conditions(
    site: SiteId, connection: AsyncConnection
) -> defaultdict[str, list[ConditionView]]:
    query = (
        select(conditions)
        .where(conditions.c.site_id == site, conditions.c.cleared_ms.is_(None))
        .order_by(conditions.c.since_ms)
    )
    found: defaultdict[str, list[ConditionView]] = defaultdict(list)
    for row in await connection.execute(query):
        found[row.appliance_id].append(
            ConditionView(row.code, row.message, row.since_ms, row.last_ms, row.times)
        )
    return found


async def _unwell(site: SiteId, connection: AsyncConnection) -> defaultdict[str, set[str]]:
    query = select(reported_health.c.appliance_id, reported_health.c.code).where(
        reported_health.c.site_id == site, reported_health.c.ok.is_(False)
    )
    found: defaultdict[str, set[str]] = defaultdict(set)
    for appliance, code in await connection.execute(query):
        found[appliance].add(code)
    return found


async def _newest_checkpoints(
    site: SiteId, connection: AsyncConnection
) -> dict[str, tuple[int, int]]:
    query = (
        select(
            checkpoints.c.appliance_id,
            func.max(checkpoints.c.size),
            func.max(checkpoints.c.cosigned_ms),
        )
        .where(checkpoints.c.site_id == site)
        .group_by(checkpoints.c.appliance_id)
    )
    return {appliance: (size, at_ms) for appliance, size, at_ms in await connection.execute(query)}


async def _targets(
    site: SiteId, connection: AsyncConnection, called: Mapping[str, str]
) -> tuple[TargetView, ...]:
    verdicts: defaultdict[tuple[str, str], Counter[Verdict]] = defaultdict(Counter)
    key = (findings.c.appliance_id, findings.c.target)
    query = (
        select(*key, findings.c.verdict, func.count())
        .where(findings.c.site_id == site)
        .group_by(*key, findings.c.verdict)
    )
    for appliance, target, verdict, count in await connection.execute(query):
        verdicts[appliance, target][Verdict(verdict)] = count
    its = (incidents.c.appliance_id, incidents.c.target)
    open_query = (
        select(*its, func.count())
        .where(
            incidents.c.site_id == site,
            incidents.c.state.in_([one.value for one in NEEDING_WORK]),
        )
        .group_by(*its)
    )
    open_of = {
        (appliance, target): count
        for appliance, target, count in await connection.execute(open_query)
    }
    rows = await connection.execute(
        select(targets)
        .where(targets.c.site_id == site)
        .order_by(targets.c.appliance_id, targets.c.target)
    )
    return tuple(
        TargetView(
            appliance=ApplianceId(row.appliance_id),
            target=TargetId(row.target),
            called=called.get(row.target, ""),
            platform=row.platform,
            device_class=row.device_class,
            listed=row.listed,
            verdicts={one: verdicts[row.appliance_id, row.target][one] for one in Verdict},
            open_incidents=open_of.get((row.appliance_id, row.target), 0),
        )
        for row in rows
    )


async def finding_views(
    site: SiteId, connection: AsyncConnection, *, target: TargetId | None = None
) -> tuple[FindingView, ...]:
    """Return the current findings of a site, or of one of its targets, with what was seen."""
    query = (
        select(findings, details.c.detail)
        .outerjoin(
            details,
            (details.c.site_id == findings.c.site_id)
            & (details.c.appliance_id == findings.c.appliance_id)
            & (details.c.leaf == findings.c.leaf)
            & (details.c.part == findings.c.part),
        )
        .where(findings.c.site_id == site)
        .order_by(findings.c.appliance_id, findings.c.target, findings.c.check_id)
    )
    if target is not None:
        query = query.where(findings.c.target == target)
    return tuple(
        FindingView(
            appliance=ApplianceId(row.appliance_id),
            target=TargetId(row.target),
            check=row.check_id,
            verdict=Verdict(row.verdict),
            reason=Reason(row.reason) if row.reason else None,
            seen=read_detail(row.detail),
            at_s=row.at_s,
            since_s=row.since_s,
        )
        for row in await connection.execute(query)
    )


def read_detail(text: str | None) -> Mapping[str, Scalar] | None:
    """Return a stored detail's fields; it was checked when it came."""
    if text is None:
        return None
    value = strict_json.loads(text.encode("utf-8"), size_bytes_max=DETAIL_BYTES_MAX)
    if not isinstance(value, dict):
        return None
    return {name: one for name, one in value.items() if isinstance(one, bool | int | str)}


async def incident_lines(
    site: SiteId, connection: AsyncConnection, *, limit: int
) -> tuple[IncidentLine, ...]:
    """Return a site's incidents: those that need work first, then the newest."""
    needing = case((incidents.c.state.in_([one.value for one in NEEDING_WORK]), 0), else_=1)
    query = (
        select(incidents)
        .where(incidents.c.site_id == site)
        .order_by(needing, incidents.c.updated_s.desc(), incidents.c.incident)
        .limit(limit)
    )
    return tuple(incident_line(row) for row in await connection.execute(query))


def incident_line(row: Row[Any]) -> IncidentLine:
    """Return an incident's row as a value."""
    return IncidentLine(
        site=SiteId(row.site_id),
        appliance=ApplianceId(row.appliance_id),
        incident=IncidentId(row.incident),
        target=TargetId(row.target),
        check=row.check_id,
        severity=Severity(row.severity) if row.severity else None,
        state=State(row.state),
        cause=Cause(row.cause) if row.cause else None,
        attempt=row.attempt,
        runbook=row.runbook,
        result=row.result,
        opened_s=row.opened_s,
        updated_s=row.updated_s,
        closed_s=row.closed_s,
    )

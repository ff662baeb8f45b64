"""A site: its appliances, targets, findings and incidents; and its tables as files."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from central import commands
from central.console.frame import (
    CONDITIONS,
    PRESENCES,
    Counts,
    believed,
    check_title,
    page,
    pairs,
    shipped,
    slices,
)
from central.core.fleet import Presence
from central.core.health import WORDS, Condition
from central.state import ConsoleVisit
from central.store.views.fleet import NEEDING_WORK
from central.store.views.site import (
    ApplianceView,
    FindingView,
    IncidentLine,
    SiteView,
    TargetView,
    finding_views,
    site_view,
)
from proto import ids
from proto.catalog.model import Content
from proto.errors import MalformedError, NotFoundError
from proto.evidence import Result
from proto.findings import Verdict
from proto.ids import SiteId
from proto.incidents import Severity, State
from proto.inventory import DeviceClass, Platform
from runtime.web import csv, people, words
from runtime.web.words import Words

SECTIONS = (Verdict.DRIFTED, Verdict.UNKNOWN, Verdict.COMPLIANT, Verdict.NOT_APPLICABLE)
_RANKS = {severity: rank for rank, severity in enumerate(words.SEVERITIES)}


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """What the hub found wrong, in words; `clears` when a person may say it is dealt with."""

    code: str
    words: Words
    since_ms: int
    times: int
    clears: bool


@dataclass(frozen=True, slots=True)
class ApplianceRow:
    """An appliance in words."""

    view: ApplianceView
    presence: Words
    unwell: list[Words]
    conditions: list[ConditionRow]


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A target in words; `standing` is "" while the appliance looks after it."""

    view: TargetView
    standing: str
    device_class: str
    platform: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident in words; `rank` 0 is the most severe."""

    line: IncidentLine
    needs_work: bool
    title: str
    severity: Words
    rank: int
    state: Words
    why: Words | None


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding in words; of an appliance that is not believed, the verdict is unknown."""

    view: FindingView
    title: str
    description: str
    verdict: Words
    was: Words | None
    reason: Words | None
    seen: list[tuple[str, str]]
    controls: list[tuple[str, str]]


async def show(visit: ConsoleVisit) -> Response:
    """Show one site."""
    content, view = await shipped(), await _view(visit)
    counts = believed(view.verdicts, view.presence)
    values = {
        "site": view,
        "presence": PRESENCES[view.presence],
        "counts": counts,
        "slices": slices(counts),
        "appliances": [_appliance(one) for one in view.appliances],
        "unconfirmed": sum(not one.confirmed_ms for one in view.appliances),
        "targets": _targets(view),
        "incidents": [incident_row(content, line) for line in view.incidents],
    }
    return page(visit, "site.html", values)


async def show_target(visit: ConsoleVisit) -> Response:
    """Show one target's findings and incidents."""
    content, view = await shipped(), await _view(visit)
    target = ids.parse_target_id(visit.request.path_params["target"], "address")
    row = next((row for row in _targets(view) if row.view.target == target), None)
    if row is None:
        msg = f"{view.site} has no target {target}"
        raise NotFoundError(msg)
    async with visit.app.hub.store.read() as connection:
        found = await finding_views(view.site, connection, target=target)
    presence = presence_of(view, row.view)
    rows = [_finding(content, finding, presence) for finding in found]
    values = {
        "site": view,
        "target": row,
        "presence": PRESENCES[presence],
        "slices": slices(row.counts),
        "sections": [
            (words.VERDICTS[verdict], chosen)
            for verdict in SECTIONS
            if (chosen := [one for one in rows if one.verdict is words.VERDICTS[verdict]])
        ],
        "incidents": [
            incident_row(content, line) for line in view.incidents if line.target == target
        ],
    }
    return page(visit, "target.html", values)


async def confirm(visit: ConsoleVisit) -> Response:
    """Note that a person compared an appliance's fingerprint with its portal."""
    site, appliance = await _appliance_of(visit)
    shown = visit.form.get("fingerprint", "")
    await commands.confirm_appliance(visit.app.hub, appliance, by=visit.person.person, shown=shown)
    return RedirectResponse(f"/sites/{site}", status_code=303)


async def clear(visit: ConsoleVisit) -> Response:
    """Note that a person dealt with what the hub found wrong with an appliance."""
    site, appliance = await _appliance_of(visit)
    code = visit.request.path_params["code"]
    if code not in set(Condition):
        msg = "There is no such condition."
        raise MalformedError(msg)
    await commands.clear_condition(visit.app.hub, appliance, Condition(code))
    return RedirectResponse(f"/sites/{site}", status_code=303)


async def _appliance_of(visit: ConsoleVisit) -> tuple[SiteId, ids.ApplianceId]:
    """Return the site and the appliance in the address; the one must belong to the other."""
    appliance = ids.parse_appliance_id(visit.request.path_params["appliance"], "address")
    view = await _view(visit)
    if not any(one.appliance == appliance for one in view.appliances):
        msg = f"{view.site} has no appliance {appliance}"
        raise NotFoundError(msg)
    return view.site, appliance


async def _view(visit: ConsoleVisit) -> SiteView:
    hub, site = visit.app.hub, site_of(visit)
    async with hub.store.read() as connection:
        return await site_view(site, connection, settings=hub.settings, now_ms=visit.now_ms)


def site_of(visit: ConsoleVisit) -> SiteId:
    """Return the site id in the address, or raise `MalformedError`."""
    return ids.parse_site_id(visit.request.path_params["site"], "address")


def presence_of(site: SiteView, target: TargetView) -> Presence:
    """Return how the appliance stands that looks after a target."""
    return next(
        (one.presence for one in site.appliances if one.appliance == target.appliance),
        Presence.NEVER,
    )


def _appliance(view: ApplianceView) -> ApplianceRow:
    return ApplianceRow(
        view=view,
        presence=PRESENCES[view.presence],
        unwell=[words.CONDITIONS.get(code, words.UNNAMED) for code in view.unwell],
        conditions=[
            ConditionRow(
                code=one.code,
                words=CONDITIONS.get(one.code, words.UNNAMED),
                since_ms=one.since_ms,
                times=one.times,
                clears=one.code in set(Condition) and not WORDS[Condition(one.code)].ends_by_itself,
            )
            for one in view.conditions
        ],
    )


def _targets(view: SiteView) -> list[TargetRow]:
    return [
        TargetRow(
            view=target,
            standing=_standing(target),
            device_class=words.CLASSES[DeviceClass(target.device_class)].label
            if target.device_class in set(DeviceClass)
            else "Not told yet",
            platform=words.PLATFORMS[Platform(target.platform)].label
            if target.platform in set(Platform)
            else "Not told yet",
            counts=believed(target.verdicts, presence_of(view, target)),
        )
        for target in view.targets
    ]


def _standing(view: TargetView) -> str:
    if view.listed:
        return ""
    return "Known from the network only" if view.platform is None else "No longer looked after"


def incident_row(content: Content, line: IncidentLine) -> IncidentRow:
    """Return an incident in words; one that was healed stays so called when it is closed."""
    healed = is_healed(line)
    return IncidentRow(
        line=line,
        needs_work=line.state in NEEDING_WORK,
        title=check_title(content, line.check),
        severity=words.SEVERITIES[line.severity] if line.severity else words.UNNAMED,
        rank=_RANKS[line.severity] if line.severity else _RANKS[Severity.LOW],
        state=words.RESULTS[Result.HEALED] if healed else words.STATES[line.state],
        why=words.CAUSES[line.cause] if line.cause and not healed else None,
    )


def is_healed(line: IncidentLine) -> bool:
    """Tell whether an incident is over because its last repair was proved."""
    return line.state in {State.HEALED, State.CLOSED} and line.result == Result.HEALED


def _finding(content: Content, view: FindingView, presence: Presence) -> FindingRow:
    check = content.checks.get(view.check)
    counted = believed({view.verdict: 1}, presence)
    is_doubted = counted.unknown == 1 and view.verdict is not Verdict.UNKNOWN
    return FindingRow(
        view=view,
        title=check_title(content, view.check),
        description=check.description if check else "",
        verdict=words.VERDICTS[Verdict.UNKNOWN if is_doubted else view.verdict],
        was=words.VERDICTS[view.verdict] if is_doubted else None,
        reason=words.REASONS[view.reason] if view.reason else None,
        seen=pairs(view.seen),
        controls=list(check.controls.items()) if check else [],
    )


_TARGET_COLUMNS = (
    "site",
    "appliance",
    "target",
    "called",
    "class",
    "platform",
    "listed",
    "drifted",
    "unknown",
    "compliant",
    "not applicable",
    "open incidents",
)


async def targets_csv(visit: ConsoleVisit) -> Response:
    """Give a site's targets as a file."""
    view = await _view(visit)
    table = [
        (
            view.site,
            row.view.appliance,
            row.view.target,
            row.view.called,
            row.view.device_class or "",
            row.view.platform or "",
            "yes" if row.view.listed else "no",
            row.counts.drifted,
            row.counts.unknown,
            row.counts.compliant,
            row.counts.not_applicable,
            row.view.open_incidents,
        )
        for row in _targets(view)
    ]
    return csv.download("osiris-targets.csv", _TARGET_COLUMNS, table)


_FINDING_COLUMNS = (
    "site",
    "appliance",
    "target",
    "check",
    "title",
    "verdict",
    "reason",
    "said",
    "told",
    "since",
    "seen",
    "supports",
)


async def findings_csv(visit: ConsoleVisit) -> Response:
    """Give a site's current findings as a file; what is not believed now is unknown there too."""
    content, view = await shipped(), await _view(visit)
    where = visit.app.pages.where
    presences = {one.appliance: one.presence for one in view.appliances}
    async with visit.app.hub.store.read() as connection:
        found = await finding_views(view.site, connection)
    table = []
    for finding in found:
        row = _finding(content, finding, presences.get(finding.appliance, Presence.NEVER))
        table.append(
            (
                view.site,
                finding.appliance,
                finding.target,
                finding.check,
                row.title,
                Verdict.UNKNOWN if row.was else finding.verdict,
                finding.reason or ("stale" if row.was else ""),
                finding.verdict,
                people.local_rfc3339(finding.at_s * 1000, where),
                people.local_rfc3339(finding.since_s * 1000, where),
                "; ".join(f"{name}: {value}" for name, value in row.seen),
                "; ".join(words.control_name(control) for control, _ in row.controls),
            )
        )
    return csv.download("osiris-findings.csv", _FINDING_COLUMNS, table)

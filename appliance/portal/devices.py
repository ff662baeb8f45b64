"""Devices: the list, one device with its findings and fix history, and both as files."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from appliance.portal.frame import CheckText, check_text, freshness, page, pairs
from appliance.portal.rows import incident_rows
from appliance.portal.state import PortalVisit
from appliance.store.views import incidents, inventory
from appliance.store.views.inventory import DeviceView, FindingView
from proto.catalog.model import Content
from proto.errors import NotFoundError
from proto.findings import Verdict
from proto.ids import TargetId, parse_target_id
from runtime.web import csv, people, words
from runtime.web.words import Words

SECTIONS = (Verdict.DRIFTED, Verdict.UNKNOWN, Verdict.COMPLIANT, Verdict.NOT_APPLICABLE)
"""In this order a device's findings are shown: what is wrong first."""


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding with everything in words; `until_ms` is how long it may be believed."""

    view: FindingView
    check: CheckText
    verdict: Words
    said: Words
    reason: Words | None
    vantage: Words
    seen: list[tuple[str, str]]
    until_ms: int


@dataclass(frozen=True, slots=True)
class Section:
    """The findings of one verdict, the most severe first."""

    verdict: Words
    rows: list[FindingRow]


async def show_list(visit: PortalVisit) -> Response:
    """Show every device."""
    views = await _devices(visit)
    values = {
        "devices": views,
        "classes": words.CLASSES,
        "verdicts": words.VERDICTS,
        "order": SECTIONS,
        "targets": sum(view.target is not None for view in views),
        "off_limits": sum(view.off_limits for view in views),
    }
    return page(visit, "devices.html", "/devices", values)


async def show_one(visit: PortalVisit) -> Response:
    """Show one device with its findings by severity and its fix history."""
    portal, content = visit.app, visit.app.content()
    target = target_of(visit)
    fresh = freshness(content)
    async with portal.store.read() as rows:
        device = await inventory.device(rows, target, freshness=fresh, now_ms=visit.now_ms)
        found = await inventory.findings_of(rows, target, freshness=fresh, now_ms=visit.now_ms)
        history = await incidents.incidents_of(rows, target)
    if device is None:
        msg = f"{target}: no such device"
        raise NotFoundError(msg)
    judged = sum(finding.verdict is not Verdict.NOT_APPLICABLE for finding in found)
    values = {
        "device": device,
        "device_class": words.CLASSES[device.device_class],
        "platform": words.PLATFORMS[device.target.platform] if device.target else None,
        "sections": sections(content, found),
        "judged": judged,
        "slices": [
            (
                words.VERDICTS[verdict].label,
                sum(finding.verdict is verdict for finding in found),
                words.VERDICTS[verdict].tone,
            )
            for verdict in (Verdict.COMPLIANT, Verdict.DRIFTED, Verdict.UNKNOWN)
        ],
        "history": incident_rows(content, history),
        "asked": visit.request.query_params.get("asked") == "1",
    }
    return page(visit, "device.html", "/devices", values)


def sections(content: Content, found: list[FindingView]) -> list[Section]:
    """Return findings by verdict, within a verdict by severity and title."""
    rows = sorted(
        (_row(content, finding) for finding in found),
        key=lambda row: (row.check.rank, row.check.title),
    )
    by_verdict = (
        Section(words.VERDICTS[verdict], [row for row in rows if row.view.verdict is verdict])
        for verdict in SECTIONS
    )
    return [section for section in by_verdict if section.rows]


def _row(content: Content, finding: FindingView) -> FindingRow:
    check = check_text(content, finding.check)
    return FindingRow(
        view=finding,
        check=check,
        verdict=words.VERDICTS[finding.verdict],
        said=words.VERDICTS[finding.said],
        reason=words.REASONS[finding.reason] if finding.reason else None,
        vantage=words.VANTAGES[finding.vantage],
        seen=pairs(finding.seen),
        until_ms=finding.at_ms + check.freshness_s * 1000,
    )


async def recheck(visit: PortalVisit) -> Response:
    """Ask every check of a device again."""
    target = target_of(visit)
    await visit.app.commands.recheck(target, account=visit.person.person)
    return RedirectResponse(f"/devices/{target}?asked=1", status_code=303)


def target_of(visit: PortalVisit) -> TargetId:
    """Return the device id in the address, or raise `MalformedError`."""
    return parse_target_id(visit.request.path_params["target"], "address")


async def _devices(visit: PortalVisit) -> list[DeviceView]:
    async with visit.app.store.read() as rows:
        return await inventory.devices(
            rows, freshness=freshness(visit.app.content()), now_ms=visit.now_ms
        )


_DEVICE_COLUMNS = (
    "device",
    "label",
    "class",
    "never touched",
    "platform",
    "address",
    "mac",
    "name",
    "vendor",
    "system",
    "first seen",
    "last seen",
    "last answer",
    "drifted",
    "unknown",
    "compliant",
    "not applicable",
)


async def devices_csv(visit: PortalVisit) -> Response:
    """Give every device as a file."""
    where = visit.app.pages.where
    table = [
        (
            view.id,
            view.label,
            view.device_class,
            "yes" if view.off_limits else "no",
            view.target.platform if view.target else "",
            view.address,
            view.mac,
            view.name,
            view.vendor,
            f"{view.target.os} {view.target.os_version}".strip() if view.target else "",
            people.local_rfc3339(view.first_ms, where),
            people.local_rfc3339(view.last_ms, where),
            people.local_rfc3339(view.answered_ms, where) if view.answered_ms else "",
            *(view.verdicts.get(verdict, 0) for verdict in SECTIONS),
        )
        for view in await _devices(visit)
    ]
    return csv.download("osiris-devices.csv", _DEVICE_COLUMNS, table)


_FINDING_COLUMNS = (
    "device",
    "label",
    "check",
    "title",
    "severity",
    "verdict",
    "reason",
    "read",
    "since",
    "seen",
    "supports",
    "incident",
    "waived",
)


async def findings_csv(visit: PortalVisit) -> Response:
    """Give every current finding as a file; one that is out of date is unknown there too."""
    content, where = visit.app.content(), visit.app.pages.where
    async with visit.app.store.read() as rows:
        found = await inventory.findings(rows, freshness=freshness(content), now_ms=visit.now_ms)
    table = []
    for finding in found:
        check = check_text(content, finding.check)
        table.append(
            (
                finding.target,
                finding.label,
                finding.check,
                check.title,
                check.severity.label,
                finding.verdict,
                finding.reason or "",
                people.local_rfc3339(finding.at_ms, where),
                people.local_rfc3339(finding.since_ms, where),
                "; ".join(f"{name}: {value}" for name, value in pairs(finding.seen)),
                "; ".join(words.control_name(control) for control, _ in check.controls),
                finding.incident or "",
                "yes" if finding.waiver else "no",
            )
        )
    return csv.download("osiris-findings.csv", _FINDING_COLUMNS, table)

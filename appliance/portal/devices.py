"""Devices: the list, one device with its findings and fix history, and both as files."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from appliance.core.identity import AttributeKind, shown_value
from appliance.handlers.settle import KINDS
from appliance.portal.frame import CheckText, check_text, freshness, page, pairs
from appliance.portal.rows import incident_rows
from appliance.portal.state import PortalVisit
from appliance.store import decisions, devices, lan_rules
from appliance.store.decisions import Decided, Decision
from appliance.store.views import incidents, inventory, site
from appliance.store.views.inventory import DeviceView, FindingView
from proto.catalog.model import Content
from proto.errors import NotFoundError
from proto.findings import Verdict
from proto.ids import TargetId, parse_target_id
from runtime.web import csv, people, words
from runtime.web.words import Tone, Words

DECISIONS = {
    Decided.OFF_LIMITS: Words("Put off limits", "From then on nothing connected to it.", Tone.INFO),
    Decided.RELEASED: Words("Released", "A person said that it is no medical device.", Tone.WARN),
    Decided.SETTLED: Words("Told apart", "A person said which device is which.", Tone.QUIET),
}
PLANTED = "planted by Osiris: if this row is seen outside, this file has left the site"
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
class Said:
    """What a page says first: what was just done, or why it was not."""

    tone: Tone
    title: str
    text: str


ASKED = Said(
    Tone.GOOD,
    "Asked",
    "The device is being checked again. Answers appear here as they come in; load the page again"
    " to see them.",
)


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """What a person decided about a device, in words; `facts` is what was known then."""

    view: Decision
    kind: Words
    facts: list[str]


@dataclass(frozen=True, slots=True)
class Section:
    """The findings of one verdict, the most severe first."""

    verdict: Words
    rows: list[FindingRow]


async def show_list(visit: PortalVisit) -> Response:
    """Show every device."""
    views = await _devices(visit)
    async with visit.app.store.read() as rows:
        mixed_up = await site.conflicts(rows)
    values = {
        "conflicts": mixed_up,
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
    said = ASKED if visit.request.query_params.get("asked") == "1" else None
    return await device_page(visit, target_of(visit), said=said)


async def device_page(
    visit: PortalVisit, target: TargetId, *, said: Said | None = None, status: int = 200
) -> Response:
    """Return the page of a device, with what was just done to it.

    Raises:
        NotFoundError: there is no such device.
    """
    portal, content = visit.app, visit.app.content()
    fresh = freshness(content)
    async with portal.store.read() as rows:
        device = await inventory.device(rows, target, freshness=fresh, now_ms=visit.now_ms)
        if device is None:
            msg = f"{target}: no such device"
            raise NotFoundError(msg)
        found = await inventory.findings_of(rows, target, freshness=fresh, now_ms=visit.now_ms)
        history = await incidents.incidents_of(rows, target)
        known = await devices.get(rows, target)
        decided = await decisions.of_device(rows, target)
        protected = target in await lan_rules.protected(rows)
        mixed_up = [one for one in await site.conflicts(rows) if target in {one.device, one.other}]
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
        "said": said,
        "waits": known.held if not device.off_limits else "",
        "decisions": [decision_row(one) for one in decided],
        "by_person": any(one.kind is Decided.OFF_LIMITS for one in _on_touching(decided)[:1]),
        "conflicts": mixed_up,
        "kinds": KINDS,
        "is_protected": protected,
    }
    return page(visit, "device.html", "/devices", values, status=status)


def _on_touching(decided: Sequence[Decision]) -> list[Decision]:
    return [one for one in decided if one.kind is not Decided.SETTLED]


def decision_row(decision: Decision) -> DecisionRow:
    """Return a person's decision in words."""
    about = decision.about
    facts: list[str] = []
    if decision.kind is Decided.RELEASED:
        signs = ", ".join(about["words"]) or "no sign that it is medical"
        facts = [f"Known then: {signs}.", f"It holds for {', '.join(about['macs']) or 'no card'}."]
    elif decision.kind is Decided.SETTLED:
        kind = AttributeKind(str(about["kind"]))
        shown = shown_value(kind, str(about["value"]))
        facts = [f"The {KINDS[kind]} {shown} belongs to {about['to']}."]
    return DecisionRow(decision, DECISIONS[decision.kind], facts)


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
    return csv.download("osiris-devices.csv", _DEVICE_COLUMNS, [*table, *_planted(visit)])


def _planted(visit: PortalVisit) -> list[tuple[str, ...]]:
    """Return the row of a patient who never was: where it turns up, this file has been."""
    planted = visit.app.live().export_canary
    if not planted:
        return []
    return [("no device", planted, PLANTED, *[""] * (len(_DEVICE_COLUMNS) - 3))]


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

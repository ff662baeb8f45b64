"""Limits: protected hosts and maintenance windows, and what orders set until a date."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from appliance.core.reasons import REASON_CHARS_MAX
from appliance.core.site_rules import DAYS, Matter, Ordered, Span
from appliance.handlers.site_rules import site_rules_at
from appliance.portal.asked import number_in
from appliance.portal.devices import target_of
from appliance.portal.frame import check_text, freshness, page
from appliance.portal.state import PortalVisit
from appliance.store import lan_rules, meta
from appliance.store.views import inventory
from proto.catalog.model import Autonomy, Content
from proto.errors import ConflictError, MalformedError
from proto.ids import parse_target_id

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS = (1, 2, 3, 4, 6, 8, 10, 12, 24)
"""The lengths that the form offers."""

LEVELS: Mapping[Autonomy, str] = {
    Autonomy.OBSERVE: "nothing is repaired",
    Autonomy.ALERT: "a person is told, and carries the repair out",
    Autonomy.APPROVE: "a person approves each repair",
    Autonomy.WINDOW: "repairs run in maintenance windows only",
    Autonomy.AUTO: "approved repairs run by themselves",
}
_START = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A maintenance window in words."""

    id: int
    days: str
    times: str
    account: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class OrderedRow:
    """What an order set, in one sentence; `order` is its sid."""

    sentence: str
    until_ms: int
    order: str


async def show(visit: PortalVisit) -> Response:
    """Show what is set; a link may choose the host that is to be protected."""
    filled = {"target": visit.request.query_params.get("target", "")[:40]}
    return await _show(visit, filled, {}, status=200)


async def protect(visit: PortalVisit) -> Response:
    """Protect a host, or say what is missing."""
    filled = {name: visit.form.get(name, "").strip() for name in ("target", "reason")}
    problems = {}
    if not 0 < len(filled["reason"]) <= REASON_CHARS_MAX:
        problems["reason"] = f"Say why, in at most {REASON_CHARS_MAX} characters."
    try:
        target = parse_target_id(filled["target"], "device")
    except MalformedError:
        problems["target"] = "Choose a device from the list."
    if problems:
        return await _show(visit, filled, problems, status=400)
    account = visit.person.person
    try:
        await visit.app.commands.protect(target, reason=filled["reason"], account=account)
    except ConflictError:
        problems["target"] = "This device is protected already."
        return await _show(visit, filled, problems, status=409)
    return RedirectResponse("/limits#protected", status_code=303)


async def unprotect(visit: PortalVisit) -> Response:
    """Let a host be changed again."""
    await visit.app.commands.unprotect(target_of(visit), account=visit.person.person)
    return RedirectResponse("/limits#protected", status_code=303)


async def add_window(visit: PortalVisit) -> Response:
    """Add a maintenance window, or say what is missing."""
    days = frozenset(day for day in range(DAYS) if visit.form.get(f"day_{day}") == "on")
    start = _START.fullmatch(visit.form.get("start", ""))
    hours = visit.form.get("hours", "")
    problems = {}
    if not days:
        problems["days"] = "Choose at least one day."
    if start is None:
        problems["start"] = "Give the time at which it begins, as 22:00."
    if hours not in {str(one) for one in HOURS}:
        problems["hours"] = "Choose a length from the list."
    filled = {"start": visit.form.get("start", "")[:5], "hours": hours[:2]}
    filled |= {f"day_{day}": "on" for day in days}
    if problems or start is None:
        return await _show(visit, filled, problems, status=400)
    span = Span(days, int(start[1]) * 60 + int(start[2]), int(hours) * 60)
    try:
        await visit.app.commands.add_window(span, account=visit.person.person)
    except ConflictError as error:
        return await _show(visit, filled, {"days": f"Not added: {error}."}, status=409)
    return RedirectResponse("/limits#windows", status_code=303)


async def remove_window(visit: PortalVisit) -> Response:
    """Remove a maintenance window."""
    number = number_in(visit.request.path_params["window"], "maintenance window")
    await visit.app.commands.remove_window(number, account=visit.person.person)
    return RedirectResponse("/limits#windows", status_code=303)


async def _show(
    visit: PortalVisit, filled: Mapping[str, str], problems: Mapping[str, str], *, status: int
) -> Response:
    portal, content = visit.app, visit.app.content()
    async with portal.store.read() as rows:
        protections = await lan_rules.protections(rows)
        windows = await lan_rules.windows(rows)
        devices = await inventory.devices(rows, freshness=freshness(content), now_ms=visit.now_ms)
        rules = await site_rules_at(rows, portal.site, now_ms=visit.now_ms)
        observe_only = await meta.get(rows, meta.Key.OBSERVE_ONLY) == "1"
    labels: dict[str, str] = {view.id: view.label for view in devices}
    held = {one.target for one in protections if one.ended_ms is None}
    values = {
        "protected": [one for one in protections if one.ended_ms is None],
        "labels": labels,
        "choices": [(view.id, view.label) for view in devices if view.id not in held],
        "windows": [window_row(one) for one in windows],
        "window": rules.window,
        "day_names": DAY_NAMES,
        "hours": HOURS,
        "ordered": [ordered_row(content, labels, one) for one in rules.ordered],
        "lan_level": LEVELS[rules.lan],
        "observe_only": observe_only,
        "filled": filled,
        "problems": problems,
        "reason_max": REASON_CHARS_MAX,
    }
    return page(visit, "limits.html", "/limits", values, status=status)


def window_row(kept: lan_rules.KeptWindow) -> WindowRow:
    """Return a window in words: which days, from when to when."""
    span = kept.span
    days = sorted(span.days)
    named = "Every day" if len(days) == DAYS else ", ".join(DAY_NAMES[day] for day in days)
    end_min = span.start_min + span.length_min
    later = " the next day" if end_min >= DAY_MIN else ""
    times = f"{_clock(span.start_min)} to {_clock(end_min % DAY_MIN)}{later}"
    return WindowRow(kept.id, named, times, kept.account, kept.created_ms)


DAY_MIN = 24 * 60


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def ordered_row(content: Content, labels: Mapping[str, str], one: Ordered) -> OrderedRow:
    """Return what an order set as a sentence."""
    check = "Every check" if one.check == "all" else check_text(content, one.check).title
    match one.matter:
        case Matter.AUTONOMY:
            said = f"{check}: {LEVELS[one.autonomy or Autonomy.OBSERVE]}"
        case Matter.HEALING:
            said = f"{check}: {LEVELS[Autonomy.OBSERVE]}"
        case Matter.WAIVER:
            where = "every device" if one.target == "all" else labels.get(one.target, one.target)
            said = f"{check}: waived on {where}"
    return OrderedRow(said, one.until_ms, one.order)

"""Waivers: dated departures that a person approved, and the form that adds one."""

from starlette.responses import RedirectResponse, Response

from appliance.core.reasons import REASON_CHARS_MAX
from appliance.portal.frame import check_text, freshness, page
from appliance.portal.state import PortalVisit
from appliance.store.views import inventory, site
from appliance.store.waivers import LENGTH_MAX_MS
from proto.errors import MalformedError, NotFoundError
from proto.ids import parse_target_id
from runtime.web import people

DAY_MS = people.DAY_S * 1000
FIELDS = ("target", "check", "reason", "until")


async def show_list(visit: PortalVisit) -> Response:
    """Show the waivers and the form; a link may fill in device and check."""
    query = visit.request.query_params
    filled = {name: query.get(name, "")[:REASON_CHARS_MAX] for name in FIELDS}
    return await _show(visit, filled, {}, status=200)


async def add(visit: PortalVisit) -> Response:
    """Add a waiver, or show the form again with what is wrong beside each field."""
    filled = {name: visit.form.get(name, "").strip() for name in FIELDS}
    until_ms = people.end_of_day_ms(filled["until"], visit.app.pages.where)
    problems = await _problems(visit, filled, until_ms)
    if problems or until_ms is None:
        return await _show(visit, filled, problems, status=400)
    await visit.app.commands.add_waiver(
        parse_target_id(filled["target"], "device"),
        filled["check"],
        reason=filled["reason"],
        until_ms=until_ms,
        account=visit.person.person,
    )
    return RedirectResponse("/waivers#holding", status_code=303)


async def end(visit: PortalVisit) -> Response:
    """End a waiver now."""
    text = visit.request.path_params["waiver"]
    if not text.isascii() or not text.isdigit() or len(text) > len(str(2**53)):
        msg = "there is no such waiver"
        raise NotFoundError(msg)
    await visit.app.commands.end_waiver(int(text), account=visit.person.person)
    return RedirectResponse("/waivers", status_code=303)


async def _problems(
    visit: PortalVisit, filled: dict[str, str], until_ms: int | None
) -> dict[str, str]:
    problems = {}
    if not await _is_target(visit, filled["target"]):
        problems["target"] = "Choose a device from the list."
    if filled["check"] not in visit.app.content().checks:
        problems["check"] = "Choose a check from the list."
    if not 0 < len(filled["reason"]) <= REASON_CHARS_MAX:
        problems["reason"] = f"Say why, in at most {REASON_CHARS_MAX} characters."
    if until_ms is None:
        problems["until"] = "Give a date as year-month-day, like 2026-12-31."
    elif not visit.now_ms < until_ms <= visit.now_ms + LENGTH_MAX_MS:
        problems["until"] = f"Choose a day from today up to {LENGTH_MAX_MS // DAY_MS} days ahead."
    return problems


async def _is_target(visit: PortalVisit, text: str) -> bool:
    try:
        target = parse_target_id(text, "device")
    except MalformedError:
        return False
    async with visit.app.store.read() as rows:
        device = await inventory.device(
            rows, target, freshness=freshness(visit.app.content()), now_ms=visit.now_ms
        )
    return device is not None and _has_checks(device)


async def _show(
    visit: PortalVisit, filled: dict[str, str], problems: dict[str, str], *, status: int
) -> Response:
    content, where = visit.app.content(), visit.app.pages.where
    async with visit.app.store.read() as rows:
        views = await site.waivers(rows)
        devices = await inventory.devices(rows, freshness=freshness(content), now_ms=visit.now_ms)
    # The last day that still ends within the longest time a waiver may run.
    last_ms = visit.now_ms + LENGTH_MAX_MS - DAY_MS
    values = {
        "holding": [view for view in views if _holds(view, visit.now_ms)],
        "ended": [view for view in views if not _holds(view, visit.now_ms)],
        "titles": {view.check: check_text(content, view.check).title for view in views},
        "targets": [(view.id, view.label) for view in devices if _has_checks(view)],
        "checks": sorted((check.title, check.id) for check in content.checks.values()),
        "filled": filled,
        "problems": problems,
        "reason_max": REASON_CHARS_MAX,
        "first_day": f"{people.at(visit.now_ms, where):%Y-%m-%d}",
        "last_day": f"{people.at(last_ms, where):%Y-%m-%d}",
    }
    return page(visit, "waivers.html", "/waivers", values, status=status)


def _has_checks(device: inventory.DeviceView) -> bool:
    return device.target is not None or bool(device.verdicts)


def _holds(view: site.WaiverView, now_ms: int) -> bool:
    return view.ended_ms is None and view.until_ms > now_ms

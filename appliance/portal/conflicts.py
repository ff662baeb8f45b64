"""Devices that were mixed up: the list, and one with what each answer would do."""

from starlette.responses import RedirectResponse, Response

from appliance.core.identity import shown_value
from appliance.core.reasons import REASON_CHARS_MAX
from appliance.handlers.settle import KINDS, called, choices
from appliance.portal.asked import number_in
from appliance.portal.frame import page
from appliance.portal.state import PortalVisit
from appliance.store import conflicts, devices
from appliance.store.views import site
from proto.errors import ConflictError
from proto.ids import parse_target_id


async def show_list(visit: PortalVisit) -> Response:
    """Show what waits for a person."""
    async with visit.app.store.read() as rows:
        waiting = await site.conflicts(rows)
    return page(visit, "conflicts.html", "/devices", {"conflicts": waiting, "kinds": KINDS})


async def show_one(visit: PortalVisit) -> Response:
    """Show one, with what each answer would do."""
    return await _show(visit, {}, status=200)


async def settle(visit: PortalVisit) -> Response:
    """Settle one as the person says, or say what is missing."""
    reason, to = visit.form.get("reason", "").strip(), visit.form.get("to", "")
    problems = {}
    if not to:
        problems["to"] = "Choose one of the two."
    if not 0 < len(reason) <= REASON_CHARS_MAX:
        problems["reason"] = f"Say why, in at most {REASON_CHARS_MAX} characters."
    if problems:
        return await _show(visit, problems, status=400)
    await visit.app.commands.settle(
        _number(visit),
        to=parse_target_id(to, "to"),
        reason=reason,
        account=visit.person.person,
    )
    return RedirectResponse("/conflicts", status_code=303)


def _number(visit: PortalVisit) -> int:
    return number_in(visit.request.path_params["conflict"], "device conflict")


async def _show(visit: PortalVisit, problems: dict[str, str], *, status: int) -> Response:
    async with visit.app.store.read() as rows:
        kept = await conflicts.get(rows, _number(visit))
        if kept.settled_ms is not None:
            msg = "This was settled already; the pages of the two devices say by whom."
            raise ConflictError(msg)
        one = kept.conflict
        names = {each: called(await devices.get(rows, each)) for each in (one.device, one.other)}
        offered = await choices(rows, kept)
    values = {
        "kept": kept,
        "kind": KINDS[one.kind],
        "shown": shown_value(one.kind, one.value),
        "names": names,
        "choices": offered,
        "problems": problems,
        "chosen": visit.form.get("to", ""),
        "reason": visit.form.get("reason", "")[:REASON_CHARS_MAX],
        "reason_max": REASON_CHARS_MAX,
    }
    return page(visit, "conflict.html", "/devices", values, status=status)

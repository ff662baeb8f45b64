"""What may be touched: putting a device off limits, and releasing one, each on its own page."""

from starlette.responses import RedirectResponse, Response

from appliance.core.identity import AttributeKind
from appliance.core.reasons import REASON_CHARS_MAX
from appliance.handlers.off_limits import known_signs, obstacle
from appliance.portal.devices import target_of
from appliance.portal.frame import freshness, page
from appliance.portal.state import PortalVisit
from appliance.store import devices
from appliance.store.views import inventory

SURE = "yes"


async def ask_off_limits(visit: PortalVisit) -> Response:
    """Ask for the reason to put a device off limits."""
    return await _ask(visit, "off_limits.html", {}, status=200)


async def put_off_limits(visit: PortalVisit) -> Response:
    """Put a device off limits, or say what is missing."""
    if problems := _reason_problem(visit):
        return await _ask(visit, "off_limits.html", problems, status=400)
    target = target_of(visit)
    await visit.app.commands.put_off_limits(
        target, reason=_reason(visit), account=visit.person.person
    )
    return RedirectResponse(f"/devices/{target}", status_code=303)


async def ask_release(visit: PortalVisit) -> Response:
    """Show what makes a device look medical, and ask whether it is."""
    return await _ask(visit, "release.html", {}, status=200)


async def release(visit: PortalVisit) -> Response:
    """Release a device, or say what is missing."""
    problems = _reason_problem(visit)
    if visit.form.get("sure") != SURE:
        problems["sure"] = "Say that you are sure: nobody else can know."
    if problems:
        return await _ask(visit, "release.html", problems, status=400)
    target = target_of(visit)
    await visit.app.commands.release(
        target,
        reason=_reason(visit),
        account=visit.person.person,
        shown=visit.form.get("signs", "").split(","),
    )
    return RedirectResponse(f"/devices/{target}#decisions", status_code=303)


def _reason(visit: PortalVisit) -> str:
    return visit.form.get("reason", "").strip()


def _reason_problem(visit: PortalVisit) -> dict[str, str]:
    if 0 < len(_reason(visit)) <= REASON_CHARS_MAX:
        return {}
    return {"reason": f"Say why, in at most {REASON_CHARS_MAX} characters."}


async def _ask(
    visit: PortalVisit, template: str, problems: dict[str, str], *, status: int
) -> Response:
    target = target_of(visit)
    fresh = freshness(visit.app.content())
    async with visit.app.store.read() as rows:
        known = await devices.get(rows, target)
        view = await inventory.device(rows, target, freshness=fresh, now_ms=visit.now_ms)
    signs = known_signs(known)
    values = {
        "device": view,
        "signs": signs,
        "codes": ",".join(sign.code for sign in signs),
        "macs": known.values(AttributeKind.MAC),
        "obstacle": obstacle(known),
        "problems": problems,
        "reason": visit.form.get("reason", "")[:REASON_CHARS_MAX],
        "reason_max": REASON_CHARS_MAX,
    }
    return page(visit, template, "/devices", values, status=status)

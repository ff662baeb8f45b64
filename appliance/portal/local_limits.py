"""What the command line may ask about limits: protected hosts and maintenance windows."""

from appliance.core.site_rules import DAYS, MINUTES_OF_DAY, SPAN_MINUTES_MIN, Span
from appliance.handlers.people import People
from appliance.handlers.site_rules import site_rules
from appliance.handlers.work import Work
from appliance.portal.asked import OPERATOR, Answer, Body, number_in, text_of
from appliance.portal.limits import ordered_row, window_row
from appliance.portal.state import PortalVisit
from appliance.store import devices, lan_rules
from proto import strict_json
from proto.ids import parse_target_id


async def show(work: Work, _: PortalVisit, __: Body) -> object:
    """List protected hosts and windows, whether one is open, and what orders set until when."""
    async with work.store.read() as conn:
        protections = await lan_rules.protections(conn)
        windows = await lan_rules.windows(conn)
        rules = await site_rules(conn, work)
        labels: dict[str, str] = {one.id: one.label for one in (await devices.every(conn)).values()}
    content = work.content()
    said = [(one, ordered_row(content, labels, one)) for one in rules.ordered]
    return {
        "protected": [
            {
                "target": one.target,
                "reason": one.reason,
                "account": one.account,
                "created_ms": one.created_ms,
            }
            for one in protections
            if one.ended_ms is None
        ],
        "windows": [
            {"id": one.id, "days": one.days, "times": one.times, "account": one.account}
            for one in map(window_row, windows)
        ],
        "ordered": [
            {
                "sentence": row.sentence,
                "matter": one.matter,
                "check": one.check,
                "target": one.target,
                "until_ms": one.until_ms,
                "order": one.order,
            }
            for one, row in said
        ],
        "window_open": rules.window.is_open if rules.window else None,
        "next_window_ms": rules.window.opens_s * 1000 if rules.window else None,
    }


async def protect(work: Work, _: PortalVisit, body: Body) -> object:
    """Protect a host."""
    target = parse_target_id(body.get("target"), "target")
    account = text_of(body, "account", default=OPERATOR)
    await People(work).protect(target, reason=text_of(body, "reason"), account=account)
    return {"protected": target}


async def unprotect(work: Work, visit: PortalVisit, body: Body) -> object:
    """Let a host be changed again."""
    target = parse_target_id(visit.request.path_params["target"], "target")
    await People(work).unprotect(target, account=text_of(body, "account", default=OPERATOR))
    return {"unprotected": target}


async def add_window(work: Work, _: PortalVisit, body: Body) -> object:
    """Add a maintenance window; `days` are numbers, Monday is 0."""
    days = strict_json.items(body.get("days"), "days", each=_day, low=1, high=DAYS)
    start_min = strict_json.integer(body.get("start_min"), "start_min", high=MINUTES_OF_DAY - 1)
    length_min = strict_json.integer(
        body.get("length_min"), "length_min", low=SPAN_MINUTES_MIN, high=MINUTES_OF_DAY
    )
    account = text_of(body, "account", default=OPERATOR)
    span = Span(frozenset(days), start_min, length_min)
    await People(work).add_window(span, account=account)
    return {}


def _day(value: object, where: str) -> int:
    return strict_json.integer(value, where, high=DAYS - 1)


async def remove_window(work: Work, visit: PortalVisit, body: Body) -> object:
    """Remove a maintenance window."""
    number = number_in(visit.request.path_params["window"], "maintenance window")
    account = text_of(body, "account", default=OPERATOR)
    await People(work).remove_window(number, account=account)
    return {"removed": number}


ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/api/limits", show),
    ("POST", "/api/limits/protected", protect),
    ("POST", "/api/limits/protected/{target}/end", unprotect),
    ("POST", "/api/limits/windows", add_window),
    ("POST", "/api/limits/windows/{window}/remove", remove_window),
)

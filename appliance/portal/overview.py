"""The first page: one sentence, the few numbers behind it, and what needs a person."""

from collections.abc import Sequence

from starlette.responses import Response

from appliance.handlers.settle import KINDS
from appliance.portal.frame import SEVERITY_ORDER, check_text, freshness, page
from appliance.portal.orders import objectionable
from appliance.portal.rows import done_rows, incident_rows
from appliance.portal.sentence import summary
from appliance.portal.state import PortalVisit
from appliance.store import meta, order_state
from appliance.store.health import Condition
from appliance.store.views import incidents, inventory, site
from appliance.store.views.incidents import IncidentView
from proto.evidence import Result
from proto.findings import Reason
from proto.incidents import IN_HAND, State
from runtime.web import people, words

SHOWN_MAX = 8
"""How many lines each list of the overview has; the rest is one link away."""


async def show(visit: PortalVisit) -> Response:
    """Show the overview."""
    portal, now_ms = visit.app, visit.now_ms
    content = portal.content()
    day_ms = people.start_of_day_ms(now_ms, portal.pages.where)
    async with portal.store.read() as rows:
        today = await inventory.today(
            rows,
            freshness=freshness(content),
            now_ms=now_ms,
            hour_ms=now_ms - people.HOUR_S * 1000,
            day_ms=day_ms,
        )
        waiting = await incidents.incidents(rows, states=frozenset({State.ESCALATED}))
        in_hand = await incidents.incidents(rows, states=IN_HAND | {State.OPEN})
        ended = await incidents.healed_since(rows, day_ms)
        conflicts = await site.conflicts(rows)
        medical = await inventory.medical_targets(rows)
        observe_only = await meta.get(rows, meta.Key.OBSERVE_ONLY) == "1"
        evidence = await site.evidence(rows)
        orders, orders_waiting = await objectionable(visit, rows, shown_max=SHOWN_MAX)
        held_s = (await order_state.load(rows)).watch.held_since_s
    proved = sum(repair.result is Result.HEALED for repair in ended)
    values = {
        "today": today,
        "summary": summary(today, observe_only=observe_only, orders=orders_waiting),
        "orders": orders,
        "orders_waiting": orders_waiting,
        "orders_held": words.CONDITIONS[Condition.ORDERS_HELD] if held_s is not None else None,
        "proved": proved,
        "reasons": _reasons(today),
        "waiting": incident_rows(content, _worst_first(waiting)[:SHOWN_MAX]),
        "waiting_more": max(today.escalated - SHOWN_MAX, 0),
        "in_hand": incident_rows(content, in_hand[:SHOWN_MAX]),
        "done": done_rows(content, ended[:SHOWN_MAX], evidence),
        "done_more": max(len(ended) - SHOWN_MAX, 0),
        "conflicts": conflicts[:SHOWN_MAX],
        "kinds": KINDS,
        "medical": medical[:SHOWN_MAX],
        "observe_only": observe_only,
        "disk_full": words.CONDITIONS[Condition.DISK_FULL] if site.now(portal.store) else None,
        "check_text": check_text,
        "identity": portal.identity,
    }
    return page(visit, "overview.html", "/", values)


def _worst_first(views: Sequence[IncidentView]) -> list[IncidentView]:
    """Return what a person should look at first; of one severity, what turned last."""
    return sorted(views, key=lambda view: SEVERITY_ORDER.index(view.severity))


def _reasons(today: inventory.TodayView) -> list[tuple[words.Words, int]]:
    found = [(words.REASONS[reason], today.reasons.get(reason, 0)) for reason in Reason]
    return sorted((pair for pair in found if pair[1]), key=lambda pair: -pair[1])

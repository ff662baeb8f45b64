"""Health: the hub, the evidence, the content, the appliance itself, and the observe-only switch."""

from starlette.responses import RedirectResponse, Response

from appliance.portal.frame import page
from appliance.portal.state import Live, PortalVisit
from appliance.portal.text import people_tone, withheld_rows
from appliance.store import meta, withheld
from appliance.store.views import site
from proto.errors import MalformedError
from runtime.web import words


async def show(visit: PortalVisit) -> Response:
    """Show how the appliance itself is."""
    portal = visit.app
    content = portal.content()
    async with portal.store.read() as rows:
        conditions = await site.conditions(rows)
        evidence = await site.evidence(rows)
        observe_only = await meta.get(rows, meta.Key.OBSERVE_ONLY) == "1"
        counts = await withheld.every(rows)
    told = {view.code for view in conditions}
    conditions += [
        site.ConditionView(code, visit.now_ms, "") for code in site.now(portal.store) - told
    ]
    troubles = [(words.CONDITIONS.get(view.code, words.UNNAMED), view) for view in conditions]
    live = portal.live()
    values = {
        "identity": portal.identity,
        "live": live,
        "withheld": withheld_rows(counts),
        "people_tone": people_tone(live.people, now_ms=visit.now_ms) if live.people else None,
        "evidence": evidence,
        "troubles": troubles,
        "development_trust": words.DEVELOPMENT_TRUST if is_development(visit, live) else None,
        "ended": _ended(live, now_ms=visit.now_ms),
        "content": content,
        "observe_only": observe_only,
    }
    return page(visit, "health.html", "/health", values)


def is_development(visit: PortalVisit, live: Live) -> bool:
    """Tell whether one person made every key that counts here."""
    if live.trusted is not None:
        return live.trusted.is_development
    return visit.app.identity.development_trust


def _ended(live: Live, *, now_ms: int) -> list[tuple[str, int]]:
    """Return which signatures have ended, with since when in milliseconds."""
    if live.trusted is None:
        return []
    ended = live.trusted.ended(now_s=now_ms // 1000)
    return [(part.value, end * 1000) for part, end in sorted(ended.items())]


async def observe_only(visit: PortalVisit) -> Response:
    """Set the site to observe only, or let repairs run again."""
    wanted = visit.form.get("observe_only")
    if wanted not in {"on", "off"}:
        msg = "The form does not say whether observe only is to be on or off."
        raise MalformedError(msg)
    await visit.app.commands.set_observe_only(on=wanted == "on", account=visit.person.person)
    return RedirectResponse("/health", status_code=303)

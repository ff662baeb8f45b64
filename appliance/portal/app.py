"""The portal as an ASGI application, one for each door."""

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette

from appliance.portal.routes import PAGES
from appliance.portal.state import Portal
from runtime.web import people
from runtime.web.access import Door, Entry, Serving, application
from runtime.web.templates import Pages

TEMPLATES = Path(__file__).parent / "templates"


def portal_pages(zone_name: str) -> Pages:
    """Return the portal's pages, with times in the site's time zone.

    Raises:
        ConfigError: no time zone is called so.
    """
    return Pages(TEMPLATES, people.zone(zone_name), zone_name)


def build(portal: Portal, door: Door, *, more: Sequence[Entry[Portal]] = ()) -> Starlette:
    """Return the portal's application for one door.

    `more` are the daemon's JSON commands (`Access.LOCAL`), which only the socket's door serves.
    """
    serving = Serving(
        app=portal,
        sessions=portal.accounts,
        pages=portal.pages,
        now_ms=portal.clock.now_ms,
        place=portal.identity.place,
    )
    return application((*PAGES, *more), door, serving)

"""What the command line may ask about the floor clock of this site's appliance."""

from dataclasses import asdict

from appliance.handlers import site_clock
from appliance.handlers.site_clock import ClockView
from appliance.handlers.work import Work
from appliance.portal.asked import Answer, Body, number_of, text_of
from appliance.portal.state import PortalVisit


async def show(work: Work, _: PortalVisit, __: Body) -> object:
    """Show how the clocks stand, and who set the floor."""
    return _plain(await site_clock.view(work))


async def set_clock(work: Work, _: PortalVisit, body: Body) -> object:
    """Set the floor clock, higher or lower."""
    account, reason = text_of(body, "account"), text_of(body, "reason")
    to_s = number_of(body, "to_s")
    return _plain(await site_clock.set_clock(work, to_s, account=account, reason=reason))


def _plain(found: ClockView) -> object:
    changes = [{**asdict(row), "salt": None} for row in found.changes]
    return {**asdict(found), "changes": changes}


ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/api/clock", show),
    ("POST", "/api/clock", set_clock),
)

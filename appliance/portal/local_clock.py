"""What the command line may ask about the floor clock of this site's appliance.

Setting it goes into evidence under a person's name, and lowered it gives new life to what people
signed long ago: the person's password is asked for, as where somebody's words are revealed.
"""

from dataclasses import asdict

from appliance.handlers import site_clock
from appliance.handlers.signing_in import signed_in
from appliance.handlers.site_clock import ClockView
from appliance.handlers.work import Work
from appliance.portal.asked import Answer, Body, asker_of, number_of
from appliance.portal.state import PortalVisit


async def show(work: Work, _: PortalVisit, __: Body) -> object:
    """Show how the clocks stand, and who set the floor."""
    return _plain(await site_clock.view(work))


async def set_clock(work: Work, _: PortalVisit, body: Body) -> object:
    """Set the floor clock, higher or lower."""
    asker, to_s = asker_of(body), number_of(body, "to_s")
    await signed_in(work, asker)
    found = await site_clock.set_clock(work, to_s, account=asker.account, reason=asker.reason)
    return _plain(found)


def _plain(found: ClockView) -> object:
    changes = [{**asdict(row), "salt": None} for row in found.changes]
    return {**asdict(found), "changes": changes}


ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/api/clock", show),
    ("POST", "/api/clock", set_clock),
)

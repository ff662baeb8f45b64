"""What the command line may ask about this appliance's own keys."""

from dataclasses import asdict

from appliance.handlers import own_keys
from appliance.handlers.work import Work
from appliance.portal.asked import OPERATOR, Answer, Body, text_of
from appliance.portal.state import PortalVisit


async def show(work: Work, _: PortalVisit, __: Body) -> object:
    """Show the keys that count now."""
    return asdict(await own_keys.view(work))


async def renew(work: Work, _: PortalVisit, body: Body) -> object:
    """Go on with other keys."""
    account = text_of(body, "account", default=OPERATOR)
    return asdict(await own_keys.renew(work, account=account))


ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/api/keys", show),
    ("POST", "/api/keys/renew", renew),
)

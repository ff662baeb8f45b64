"""What the command line may ask of what was held back at the door. Served at the socket alone."""

from appliance.handlers.held_back import forget_held_back
from appliance.handlers.work import Work
from appliance.portal.asked import Answer, Body
from appliance.portal.state import PortalVisit
from appliance.store import quarantine


async def list_held_back(work: Work, _: PortalVisit, __: Body) -> object:
    """List what was held back, without what it says."""
    async with work.store.read() as conn:
        return await quarantine.every(conn)


async def forget(work: Work, _: PortalVisit, __: Body) -> object:
    """Drop what was held back: a person has looked into it."""
    return {"forgotten": await forget_held_back(work)}


ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/api/held-back", list_held_back),
    ("POST", "/api/held-back/forget", forget),
)

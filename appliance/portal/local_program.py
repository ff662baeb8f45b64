"""What the command line may ask of the appliance's own program: which one runs, and to go back.

It is served at the Unix socket alone: no page and no order goes back to an older program.
"""

from appliance.handlers import own_program
from appliance.handlers.work import Work
from appliance.portal.asked import OPERATOR, Answer, Body, text_of
from appliance.portal.state import PortalVisit


async def show(work: Work, _: PortalVisit, __: Body) -> object:
    """Say which program runs, and which are there to go back to."""
    return await own_program.view(work)


async def back(work: Work, _: PortalVisit, body: Body) -> object:
    """Go back to an earlier program; the process starts itself again."""
    went = await own_program.go_back(
        work,
        to_packaged=body.get("packaged") is True,
        reason=text_of(body, "reason"),
        account=text_of(body, "account", default=OPERATOR),
    )
    return {"version": went.version, "digest": went.digest}


ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/api/program", show),
    ("POST", "/api/program/back", back),
)

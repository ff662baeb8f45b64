"""What this machine's administrator asks about the hub's keys; on the socket alone."""

from starlette.responses import JSONResponse, Response

from central import renewals
from central.api.operator import plain
from central.state import ConsoleVisit


async def list_keys(visit: ConsoleVisit) -> Response:
    """Answer with the signer's keys, and with what should be renewed by now."""
    hub = visit.app.hub
    rows = await renewals.key_rows(hub)
    return JSONResponse({"keys": plain(rows), "due": list(await renewals.notices(hub))})


async def renew(visit: ConsoleVisit) -> Response:
    """Have the key made that is to follow one of the signer's; made before, it is told again."""
    return JSONResponse(await renewals.renew(visit.app.hub, visit.request.path_params["kind"]))

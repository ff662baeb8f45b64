"""Opening a target's login: sealed in the store, opened for one session, kept nowhere."""

from appliance.handlers.work import Work
from appliance.ports import Login, ShellError
from appliance.store import targets
from proto.errors import NotFoundError
from proto.findings import Reason
from proto.ids import TargetId


async def login_of(work: Work, target: TargetId) -> Login:
    """Return how a target is logged into.

    Raises:
        ShellError: with reason no_credential, when the target or its credential is gone.
    """
    try:
        async with work.store.read() as conn:
            return await targets.login_of(conn, work.sealer, target)
    except NotFoundError as error:
        raise ShellError(Reason.NO_CREDENTIAL, str(error)) from error

"""Opening a target's login: sealed in the store, opened for one session, kept nowhere.

Every session is opened with a login from here, so a device that was put off limits is signed in to
by nobody from that moment on, whatever was planned for it.
"""

from appliance.handlers.work import Work
from appliance.ports import Login, ShellError
from appliance.store import devices, targets
from proto.errors import NotFoundError
from proto.findings import Reason
from proto.ids import TargetId


async def login_of(work: Work, target: TargetId) -> Login:
    """Return how a target is logged into.

    Raises:
        ShellError: with reason no_credential, when the target or its credential is gone, or when
            its device is held back.
    """
    try:
        async with work.store.read() as conn:
            if held := (await devices.get(conn, target)).held:
                msg = f"{target} is not signed in to: {held}"
                raise ShellError(Reason.NO_CREDENTIAL, msg)
            return await targets.login_of(conn, work.sealer, target)
    except NotFoundError as error:
        raise ShellError(Reason.NO_CREDENTIAL, str(error)) from error

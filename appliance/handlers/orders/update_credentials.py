"""update_credentials: a target's login is replaced by one that was sealed to this appliance.

The box came outside the log; the order names it by its digest. Opened, it must name the same target
as the order. The new login is tried, with the pinned host key, before the old one is dropped: one
that does not open the target changes nothing.
"""

from typing import cast

from appliance.core.order_gate.values import Accepted
from appliance.handlers import targets as target_handlers
from appliance.handlers.orders import Done
from appliance.handlers.work import Work
from appliance.ports import Credential, ShellError, Sudo
from appliance.store import opinions
from proto.errors import NotFoundError, RejectedError
from proto.findings import Reason
from proto.ids import TargetId
from proto.keys import SealError
from proto.orders.update_credentials import UpdateCredentials
from proto.phi.leaving import closed
from proto.receipts import Outcome
from proto.sealed_login import SealedLogin, open_box

REASONS = tuple(reason.value for reason in Reason)


class OtherTargetError(RejectedError):
    """The sealed login is for another target than the order names."""

    code = "other_target"


async def run(work: Work, accepted: Accepted) -> Done:
    """Try the new login, then keep it in place of the old one.

    Raises:
        NotFoundError: the box or the target is gone.
        SealError: the box was not sealed to this appliance, or was changed.
        OtherTargetError: the login in it is for another target.
        OffLimitsError: nobody may log in on the target.
    """
    wanted = cast("UpdateCredentials", accepted.params)
    login = await _opened(work, wanted)
    credential = Credential(login.private_key, login.password, login.sudo_password)
    try:
        found = await target_handlers.change_login(
            work, login.target, user=login.user, sudo=Sudo(login.sudo), credential=credential
        )
    except ShellError as error:
        return Done(Outcome.FAILED, {"why": closed(error.reason.value, REASONS)})
    async with work.store.write() as conn:
        await opinions.drop_box(conn, wanted.sealed_sha256)
    return Done(Outcome.DONE, {"is_root": found.is_root})


async def _opened(work: Work, wanted: UpdateCredentials) -> SealedLogin:
    async with work.store.read() as conn:
        box = await opinions.box(conn, wanted.sealed_sha256)
    if box is None:
        msg = f"no sealed login {wanted.sealed_sha256[:16]} is here"
        raise NotFoundError(msg)
    key = work.box_keys_now.get(wanted.sealed_to)
    if key is None:
        msg = f"the login was sealed to the key {wanted.sealed_to[:16]}, which opens nothing here"
        raise SealError(msg)
    login = open_box(box, key)
    if login.target != TargetId(wanted.target):
        msg = f"the sealed login is not for {wanted.target}"
        raise OtherTargetError(msg)
    return login

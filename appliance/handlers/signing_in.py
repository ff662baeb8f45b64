"""Who asks at the command line for what a named person alone may have: account and password.

The socket's permissions say that whoever asks runs on this machine as the appliance or root. They
do not say who it is; where a name goes into evidence, its password is asked for.
"""

from dataclasses import dataclass

from appliance.core.reasons import plain_reason
from appliance.handlers.work import Work
from appliance.store import accounts
from appliance.store.accounts import AccountTable
from proto.errors import RejectedError
from proto.secret import Secret
from runtime.web.passwords import matches


class SignInError(RejectedError):
    """No such account, or another password."""

    code = "sign_in"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and why."""

    account: str
    password: Secret
    reason: str


async def signed_in(work: Work, asker: Asker) -> str:
    """Return the code of who asks.

    Raises:
        MalformedError: no reason.
        SignInError: the account or its password is wrong, or it may not sign in.
    """
    plain_reason(asker.reason, "reason")
    kept = await AccountTable(work.store).password_of(asker.account)
    if not await matches(kept, asker.password):
        msg = "the account or its password is wrong: `osiris appliance user add` makes one"
        raise SignInError(msg)
    async with work.store.read() as conn:
        return await accounts.code_of(conn, asker.account)

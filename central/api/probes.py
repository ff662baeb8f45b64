"""Liveness and readiness, for whoever watches the daemon."""

from central.api.agent import Sender
from central.state import Hub
from central.store import migrate
from proto import strict_json
from proto.errors import UnreachableError


class NotReadyError(UnreachableError):
    """The store's schema is not this program's."""

    code = "not_ready"


async def alive(_hub: Hub, _body: bytes, _sender: Sender) -> bytes:
    """Answer that the process serves."""
    return strict_json.dumps({"alive": True})


async def ready(hub: Hub, _body: bytes, _sender: Sender) -> bytes:
    """Answer that the store is reached and at this program's schema.

    Raises:
        NotReadyError: it is not.
    """
    found = await migrate.current_revision(hub.store)
    wanted = migrate.head_revision()
    if found != wanted:
        msg = f"the store is at revision {found}, this program needs {wanted}"
        raise NotReadyError(msg)
    return strict_json.dumps({"ready": True, "revision": wanted})

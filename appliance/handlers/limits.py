"""What people on the LAN set for the whole site, and no order lifts: see `store/lan_rules.py`."""

from appliance.core.site_rules import Span
from appliance.handlers.work import Work
from appliance.store import devices, lan_rules
from proto.ids import TargetId


async def protect(work: Work, target: TargetId, *, reason: str, account: str) -> None:
    """Let nothing change a host from now on: no rule, no order.

    Raises:
        NotFoundError: there is no such device.
        ConflictError: it is protected already.
        MalformedError: no reason.
    """
    async with work.store.write() as conn:
        await devices.get(conn, target)
        now_ms = work.clock.now_ms()
        await lan_rules.protect(conn, target, reason=reason, account=account, now_ms=now_ms)
    work.bells.heal.ring()
    work.bells.orders.ring()


async def unprotect(work: Work, target: TargetId, *, account: str) -> None:
    """Let a host be changed again.

    Raises:
        NotFoundError: it is not protected.
    """
    async with work.store.write() as conn:
        now_ms = work.clock.now_ms()
        await lan_rules.unprotect(conn, target, account=account, now_ms=now_ms)
    work.bells.heal.ring()
    work.bells.orders.ring()


async def add_window(work: Work, span: Span, *, account: str) -> None:
    """Add a maintenance window.

    Raises:
        ConflictError: the same one is set, or too many are.
    """
    async with work.store.write() as conn:
        await lan_rules.add_window(conn, span, account=account, now_ms=work.clock.now_ms())
    work.bells.heal.ring()
    work.bells.orders.ring()


async def remove_window(work: Work, window: int) -> None:
    """Remove a maintenance window.

    Raises:
        NotFoundError: there is no such window.
    """
    async with work.store.write() as conn:
        await lan_rules.remove_window(conn, window)
    work.bells.heal.ring()
    work.bells.orders.ring()

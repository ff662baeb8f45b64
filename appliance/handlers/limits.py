"""What people on the LAN set for the whole site, and no order lifts: see `store/lan_rules.py`.

Each is one transaction with its evidence: who by the account's code, what and when. Why stays here.
"""

import aiosqlite

from appliance.core.saying import lan_draft
from appliance.core.site_rules import Span
from appliance.handlers.work import Work
from appliance.store import accounts, devices, evidence, lan_rules
from proto.evidence import LanAct, WaivedCheck
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
        await tell_set(conn, work, LanAct.PROTECTED, account=account, target=target)
    _heed(work)


async def unprotect(work: Work, target: TargetId, *, account: str) -> None:
    """Let a host be changed again.

    Raises:
        NotFoundError: it is not protected.
    """
    async with work.store.write() as conn:
        now_ms = work.clock.now_ms()
        await lan_rules.unprotect(conn, target, account=account, now_ms=now_ms)
        await tell_set(conn, work, LanAct.UNPROTECTED, account=account, target=target)
    _heed(work)


async def add_window(work: Work, span: Span, *, account: str) -> None:
    """Add a maintenance window.

    Raises:
        ConflictError: the same one is set, or too many are.
    """
    async with work.store.write() as conn:
        await lan_rules.add_window(conn, span, account=account, now_ms=work.clock.now_ms())
        await tell_set(conn, work, LanAct.WINDOW_ADDED, account=account, window=span)
    _heed(work)


async def remove_window(work: Work, window: int, *, account: str) -> None:
    """Remove a maintenance window.

    Raises:
        NotFoundError: there is no such window.
    """
    async with work.store.write() as conn:
        span = await lan_rules.remove_window(conn, window)
        await tell_set(conn, work, LanAct.WINDOW_REMOVED, account=account, window=span)
    _heed(work)


async def tell_set(
    conn: aiosqlite.Connection,
    work: Work,
    act: LanAct,
    *,
    account: str,
    target: TargetId | None = None,
    window: Span | None = None,
    waiver: WaivedCheck | None = None,
    program: str | None = None,
) -> None:
    """Put what a person set in evidence, in the caller's transaction."""
    actor = await accounts.actor_of(conn, account)
    draft = lan_draft(
        work.author(), act, actor, target=target, window=window, waiver=waiver, program=program
    )
    await evidence.append(conn, work.scribe, [draft])


def _heed(work: Work) -> None:
    work.bells.heal.ring()
    work.bells.orders.ring()
    work.bells.uplink.ring()

"""What people on the LAN may ask for: waivers, observe-only, what is looked after, what is not.

Each request is one transaction that also writes its evidence; who asked is kept on the appliance
and leaves it only as the account's code, or as the code "person".
"""

from collections.abc import Collection
from dataclasses import replace

import aiosqlite

from appliance.core import records
from appliance.core.reasons import plain_reason
from appliance.core.site_rules import Span
from appliance.handlers import limits, order_opinions
from appliance.handlers import targets as target_handlers
from appliance.handlers.approving import approve
from appliance.handlers.closing import PERSON, close, close_open
from appliance.handlers.off_limits import put_off_limits, release, require_free
from appliance.handlers.record import tell_turn
from appliance.handlers.run_drift import scan_target
from appliance.handlers.settle import settle
from appliance.handlers.targets import Found, Wanted
from appliance.handlers.waiting import Waiting, WaitingRoom
from appliance.handlers.work import Work
from appliance.store import devices, evidence, findings, health, incidents, meta, targets, waivers
from appliance.store.waivers import Waiver
from proto.errors import ConflictError, NotFoundError
from proto.evidence import LanAct, WaivedCheck
from proto.findings import Vantage
from proto.ids import IncidentId, TargetId
from proto.incidents import Cause, State
from proto.inventory import Platform
from runtime.log import logger

log = logger("portal")

CLOSABLE = frozenset({State.ESCALATED, State.WAIVED, State.HEALED})


class People:
    """The portal's commands, carried out by the daemon."""

    def __init__(self, work: Work) -> None:
        """Act on this appliance's store."""
        self._work = work
        self._waiting = WaitingRoom(work)

    async def add_waiver(
        self, target: TargetId, check: str, *, reason: str, until_ms: int, account: str
    ) -> None:
        """Accept a departure from a check until a time; its open incident is waived at once."""
        work = self._work
        if check not in work.content().checks:
            msg = f"waiver.check: there is no check {check!r:.80}"
            raise NotFoundError(msg)
        async with work.store.write() as conn:
            await devices.get(conn, target)
            added = await waivers.add(
                conn,
                target,
                check,
                reason=reason,
                account=account,
                now_ms=work.clock.now_ms(),
                until_ms=until_ms,
            )
            await self._tell_waiver(conn, LanAct.WAIVED, added, account=account)
            live = (await incidents.live_of_target(conn, work.scribe.site, target)).get(check)
            if live is not None and live.state in {State.OPEN, State.ESCALATED}:
                waived = replace(
                    live,
                    state=State.WAIVED,
                    cause=Cause.WAIVER,
                    updated_ms=work.clock.now_ms(),
                    not_before_ms=0,
                )
                await incidents.put(conn, waived)
                await tell_turn(conn, work, waived, actor=PERSON, note=f"{account}: {reason}")
        work.bells.uplink.ring()

    async def end_waiver(self, waiver: int, *, account: str) -> None:
        """End a waiver now; what it held is looked at again."""
        work = self._work
        async with work.store.write() as conn:
            ended = await waivers.end(conn, waiver, account=account, now_ms=work.clock.now_ms())
            await self._tell_waiver(conn, LanAct.WAIVER_ENDED, ended, account=account)
        work.bells.heal.ring()
        work.bells.uplink.ring()

    async def _tell_waiver(
        self, conn: aiosqlite.Connection, act: LanAct, waiver: Waiver, *, account: str
    ) -> None:
        said = WaivedCheck(check=waiver.check, until=waiver.until_ms // 1000)
        target = waiver.target
        await limits.tell_set(conn, self._work, act, account=account, target=target, waiver=said)

    async def set_observe_only(self, *, on: bool, account: str) -> None:
        """Stop all repairs of this site, or let them run again; what is under way is finished.

        The switch is told in evidence, and who turned it by the account's code, so that nobody
        turns healing off unseen.
        """
        work = self._work
        async with work.store.write() as conn:
            if (await meta.get(conn, meta.Key.OBSERVE_ONLY) == "1") is on:
                return
            await meta.put(conn, meta.Key.OBSERVE_ONLY, "1" if on else "0")
            condition, now_ms = health.Condition.OBSERVE_ONLY, work.clock.now_ms()
            if on:
                await health.raise_it(conn, condition, detail=f"by {account}", now_ms=now_ms)
            else:
                await health.clear(conn, condition)
            draft = records.health_draft(work.author(), condition, ok=not on)
            await evidence.append(conn, work.scribe, [draft])
            act = LanAct.OBSERVE_ONLY if on else LanAct.REPAIRS_ON
            await limits.tell_set(conn, work, act, account=account)
        work.bells.heal.ring()
        work.bells.uplink.ring()
        work.bells.check_in.ring()

    async def close_incident(self, incident: IncidentId, *, reason: str, account: str) -> None:
        """Close an incident that is in a person's hands."""
        said = plain_reason(reason, "reason")
        work = self._work
        async with work.store.write() as conn:
            found = await incidents.get(conn, work.scribe.site, incident)
            if found is None:
                msg = f"there is no incident {incident!r:.40}"
                raise NotFoundError(msg)
            if found.state not in CLOSABLE:
                msg = f"An incident that is {found.state.value} cannot be closed by hand."
                raise ConflictError(msg)
            await close(conn, work, found, cause=Cause.BY_PERSON, note=f"{account}: {said}")
        work.bells.uplink.ring()

    async def approve_repair(self, incident: IncidentId, *, shown: str, account: str) -> None:
        """Let the repair that waits for a person run now; see `approving.approve`."""
        await approve(self._work, incident, shown=shown, account=account)

    async def put_off_limits(self, target: TargetId, *, reason: str, account: str) -> None:
        """Put a device off limits; see `off_limits.put_off_limits`."""
        await put_off_limits(self._work, target, reason=reason, account=account)

    async def release(
        self, target: TargetId, *, reason: str, account: str, shown: Collection[str]
    ) -> None:
        """Let a device be connected to again; see `off_limits.release`."""
        await release(self._work, target, reason=reason, account=account, shown=shown)

    async def settle(self, conflict: int, *, to: TargetId, reason: str, account: str) -> None:
        """Say whose a value is; see `settle.settle`."""
        await settle(self._work, conflict, to=to, reason=reason, account=account)

    async def look_at_target(self, wanted: Wanted, *, account: str) -> str:
        """Get the host key of a machine that is to be looked after; return the ticket.

        Nothing is stored: what was asked for waits in memory for the account's word.

        Raises:
            OsirisError: as `targets.look`.
        """
        shown = await target_handlers.look(self._work, wanted.address, wanted.port)
        return self._waiting.put(wanted, shown, account=account)

    def waiting_target(self, ticket: str, *, account: str) -> Waiting:
        """Return what waits under a ticket; see `WaitingRoom.look`."""
        return self._waiting.look(ticket, account=account)

    def forget_target(self, ticket: str, *, account: str) -> None:
        """Forget what waits under a ticket; see `WaitingRoom.look`."""
        self._waiting.take(ticket, account=account)

    async def add_target(self, ticket: str, *, account: str) -> Found:
        """Add what waits under a ticket: the account has confirmed its host key.

        Raises:
            NotFoundError: nothing waits under it.
            OsirisError: as `targets.add`; the ticket is spent all the same, so that a wrong
                password is tried once.
        """
        return await target_handlers.add(self._work, self._waiting.take(ticket, account=account))

    async def test_target(self, target: TargetId) -> Found:
        """Log in on a target anew; see `targets.test`."""
        return await target_handlers.test(self._work, target)

    async def veto_order(self, order: str, *, reason: str, account: str) -> None:
        """Stop a waiting order; see `order_opinions.veto`."""
        await order_opinions.veto(self._work, order, reason=reason, account=account)

    async def consent_to_order(self, order: str, *, account: str) -> None:
        """Let a waiting order run without its time lock; see `order_opinions.consent`."""
        await order_opinions.consent(self._work, order, account=account)

    async def end_order_hold(self, since_s: int, *, account: str) -> None:
        """End a hold on orders; see `order_opinions.end_hold`."""
        await order_opinions.end_hold(self._work, since_s, account=account)

    async def protect(self, target: TargetId, *, reason: str, account: str) -> None:
        """Protect a host from every change; see `limits.protect`."""
        await limits.protect(self._work, target, reason=reason, account=account)

    async def unprotect(self, target: TargetId, *, account: str) -> None:
        """Let a host be changed again; see `limits.unprotect`."""
        await limits.unprotect(self._work, target, account=account)

    async def add_window(self, span: Span, *, account: str) -> None:
        """Add a maintenance window; see `limits.add_window`."""
        await limits.add_window(self._work, span, account=account)

    async def remove_window(self, window: int, *, account: str) -> None:
        """Remove a maintenance window; see `limits.remove_window`."""
        await limits.remove_window(self._work, window, account=account)

    async def remove_target(self, target: TargetId, *, account: str) -> None:
        """End a target: its login goes, what was open over that login is closed.

        Raises:
            ConflictError: a repair is under way on it; it must end first.
        """
        work = self._work
        async with work.store.write() as conn:
            if target in await incidents.busy_targets(conn):
                msg = "A repair is under way on this target. Try again when it has ended."
                raise ConflictError(msg)
            await target_handlers.remove_in(conn, work, target)
            await close_open(conn, work, target, note=account, but=Platform.NETWORK)
            await findings.forget(conn, target, vantage=Vantage.SSH)
        work.bells.uplink.ring()

    async def recheck(self, target: TargetId, *, account: str) -> None:
        """Ask every check of a target again now.

        Raises:
            OffLimitsError: nobody may log in on it.
        """
        del account
        await require_free(self._work, target)
        async with self._work.store.read() as conn:
            row = await targets.get(conn, target)
        await scan_target(self._work, row, all_of_them=True)

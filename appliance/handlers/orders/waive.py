"""waive: a dated departure from a check on some targets, or the end of what orders waived.

An order of one person only adds to what is waived. One of two takes the place of what orders waived
within what it names; where a wider waiver holds, nothing is changed and the answer says so. Waivers
of people on the LAN are theirs, and stay.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import cast

import aiosqlite

from appliance.core.order_gate.values import Accepted
from appliance.core.site_rules import ALL, Matter, Ordered, SiteRules
from appliance.handlers.orders import Done
from appliance.handlers.record import tell_turn
from appliance.handlers.site_rules import site_rules
from appliance.handlers.work import Work
from appliance.store import incidents, ordered
from proto.errors import ConflictError, NotFoundError
from proto.incidents import Cause, State
from proto.orders.kinds import Tier
from proto.orders.waive import Waive
from proto.receipts import Outcome

ACTOR = "order"
"""What evidence says of who waived an incident; the note names the order."""


class WiderWaiverError(ConflictError):
    """A waiver of an order covers more than this order names: it is not cut to pieces."""

    code = "wider_waiver"


async def run(work: Work, accepted: Accepted) -> Done:
    """Waive, or end a waiver.

    Raises:
        WiderWaiverError: what is to be ended or shortened is part of a wider waiver.
        NotFoundError: there is nothing of an order to end.
    """
    wanted, sid = cast("Waive", accepted.params), accepted.read.sid
    on = (ALL,) if wanted.on == ALL else tuple(wanted.on)
    now_ms = work.clock.now_ms()
    ended = waived = 0
    async with work.store.write() as conn:
        if accepted.tier is Tier.DANGEROUS:
            ended = await _end(conn, work, wanted.check, on, by=sid)
        if wanted.until:
            for target in on:
                one = Ordered(Matter.WAIVER, wanted.check, target, None, wanted.until * 1000, sid)
                await ordered.add(conn, one, now_ms=now_ms)
            waived = await _waive_live(conn, work, await site_rules(conn, work), sid=sid)
        elif not ended:
            msg = f"no order waives {wanted.check} there"
            raise NotFoundError(msg)
    work.bells.heal.ring()
    work.bells.uplink.ring()
    return Done(Outcome.DONE, {"ended": ended, "incidents": waived})


async def _end(
    conn: aiosqlite.Connection, work: Work, check: str, on: Collection[str], *, by: str
) -> int:
    """End what orders waived within check and targets; return how many waivers that were."""
    now_ms = work.clock.now_ms()
    held = [one for one in await ordered.in_force(conn, now_ms=now_ms) if _meets(one, check, on)]
    within = {(one.check, one.target) for one in held if _is_within(one, check, on)}
    if len({(one.check, one.target) for one in held}) != len(within):
        msg = f"an order waives more than {check} on what is named; name all of it"
        raise WiderWaiverError(msg)
    return sum(
        [
            await ordered.end(conn, Matter.WAIVER, check=of, target=target, by=by, now_ms=now_ms)
            for of, target in sorted(within)
        ]
    )


def _meets(one: Ordered, check: str, on: Collection[str]) -> bool:
    is_check = ALL in {one.check, check} or one.check == check
    is_target = one.target == ALL or ALL in on or one.target in on
    return one.matter is Matter.WAIVER and is_check and is_target


def _is_within(one: Ordered, check: str, on: Collection[str]) -> bool:
    return (check in {ALL, one.check}) and (ALL in on or one.target in on)


async def _waive_live(conn: aiosqlite.Connection, work: Work, rules: SiteRules, *, sid: str) -> int:
    """Waive the incidents that wait, for a repair or for a person; return how many."""
    now_ms, count = work.clock.now_ms(), 0
    mine = [one for one in rules.ordered if one.order == sid and one.matter is Matter.WAIVER]
    for one in mine:
        site = work.scribe.site
        found = await incidents.waiting_for(conn, site, check=one.check, target=one.target)
        for live in found:
            waived = replace(
                live, state=State.WAIVED, cause=Cause.WAIVER, updated_ms=now_ms, not_before_ms=0
            )
            await incidents.put(conn, waived)
            await tell_turn(conn, work, waived, actor=ACTOR, note=f"order {sid}")
        count += len(found)
    return count

"""One target judged, healed and proved while somebody waits for it.

The heal loop does the repairs, here as always; this only asks every check, wakes the loop, and says
how the target's incidents ended.
"""

import asyncio
from dataclasses import dataclass

from appliance.handlers.run_drift import scan_target
from appliance.handlers.work import Work
from appliance.store import incidents, targets
from appliance.store.views import incidents as views
from proto.errors import UnreachableError
from proto.ids import IncidentId, TargetId
from proto.incidents import IN_HAND, Cause, State

WITHIN_S = 600.0
LOOK_EVERY_S = 0.2
WAITS_LONG = frozenset(
    {
        Cause.OBSERVE_ONLY,
        Cause.COOLDOWN,
        Cause.DAILY_LIMIT,
        Cause.HOURLY_BUDGET,
        Cause.BLAST_RADIUS,
        Cause.HELD_BY_ORDER,
        Cause.PROTECTED_HOST,
        Cause.WINDOW_CLOSED,
        Cause.BREAKER_OPEN,
        Cause.RULE_IGNORES,
        Cause.STALE_FINDING,
    }
)
"""Causes for which nobody should sit and wait."""


@dataclass(frozen=True, slots=True)
class Healed:
    """How one incident of the target stands now.

    Attributes:
        leaf: the evidence leaf of its last repair, None while there was none.
    """

    incident: IncidentId
    check: str
    state: State
    cause: Cause | None
    leaf: int | None


async def heal_now(work: Work, target: TargetId) -> list[Healed]:
    """Ask a target everything, let the loop repair what it may, and return how it ended.

    Raises:
        NotFoundError: there is no such target.
        UnreachableError: repairs are still under way after ten minutes.
    """
    async with work.store.read() as conn:
        row = await targets.get(conn, target)
    await scan_target(work, row, all_of_them=True)
    work.bells.heal.ring()
    end_ms = work.clock.now_ms() + int(WITHIN_S * 1000)
    while await _is_moving(work, target):
        if work.clock.now_ms() > end_ms:
            msg = f"{target}: repairs are still under way; look again with `osiris site incidents`"
            raise UnreachableError(msg)
        await asyncio.sleep(LOOK_EVERY_S)
    return await _standing(work, target)


async def _is_moving(work: Work, target: TargetId) -> bool:
    async with work.store.read() as conn:
        live = await incidents.live_of_target(conn, work.scribe.site, target)
    return any(
        one.state in IN_HAND or (one.state is State.OPEN and one.cause not in WAITS_LONG)
        for one in live.values()
    )


async def _standing(work: Work, target: TargetId) -> list[Healed]:
    async with work.store.read() as conn:
        live = await incidents.live_of_target(conn, work.scribe.site, target)
        found = []
        for _, incident in sorted(live.items()):
            repairs = await views.repairs(conn, incident.id)
            leaf = repairs[-1].leaf if repairs else None
            found.append(Healed(incident.id, incident.check, incident.state, incident.cause, leaf))
    return found

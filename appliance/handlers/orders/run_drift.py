"""run_drift: ask the checks that the order names again, now, on the targets that it names.

A device that nobody may log in on is left alone; so is a target that refused the last login, for as
long as the schedule leaves it alone: no order locks an account.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from appliance.core import schedule
from appliance.core.order_gate.values import Accepted
from appliance.handlers.approach import OffLimitsError
from appliance.handlers.off_limits import require_free
from appliance.handlers.orders import Done
from appliance.handlers.run_drift import scan_target
from appliance.handlers.work import Work
from appliance.store import findings, targets
from appliance.store.targets import Target
from proto.findings import Verdict
from proto.ids import TargetId
from proto.orders.run_drift import RunDrift
from proto.receipts import Outcome


@dataclass(slots=True)
class _Count:
    looked_at: int = 0
    off_limits: int = 0
    held_back: int = 0


async def run(work: Work, accepted: Accepted) -> Done:
    """Ask them, some targets at once; say how many answers of each verdict there are now."""
    wanted = cast("RunDrift", accepted.params)
    only = None if wanted.checks == "all" else frozenset(wanted.checks)
    async with work.store.read() as conn:
        every = await targets.every(conn)
    named = every if wanted.on == "all" else [one for one in every if one.id in set(wanted.on)]
    count, at_once = _Count(), asyncio.Semaphore(work.settings.scans_at_once)
    async with asyncio.TaskGroup() as group:
        for target in named:
            group.create_task(_look(work, target, only, count, at_once))
    told = {"targets": len(named), "looked_at": count.looked_at}
    left = {"off_limits": count.off_limits, "held_back": count.held_back}
    verdicts = await _verdicts(work, [one.id for one in named], only)
    is_done = count.looked_at == len(named)
    return Done(Outcome.DONE if is_done else Outcome.FAILED, {**told, **left, **verdicts})


async def _look(
    work: Work,
    target: Target,
    only: frozenset[str] | None,
    count: _Count,
    at_once: asyncio.Semaphore,
) -> None:
    async with at_once:
        try:
            await require_free(work, target.id)
        except OffLimitsError:
            count.off_limits += 1
            return
        if await _is_held(work, target.id):
            count.held_back += 1
            return
        await scan_target(work, target, all_of_them=True, only=only)
        count.looked_at += 1


async def _is_held(work: Work, target: TargetId) -> bool:
    now_ms = work.clock.now_ms()
    async with work.store.read() as conn:
        kept = await findings.of_target(conn, work.scribe.site, target)
    last = (one.finding for one in kept.values())
    return schedule.held_until_ms(last, now_ms=now_ms) > now_ms


async def _verdicts(
    work: Work, named: Collection[TargetId], only: frozenset[str] | None
) -> dict[str, int]:
    found = dict.fromkeys((verdict.value for verdict in Verdict), 0)
    async with work.store.read() as conn:
        for target in named:
            kept = await findings.of_target(conn, work.scribe.site, target)
            for check, one in kept.items():
                if only is None or check in only:
                    found[one.finding.verdict.value] += 1
    return found

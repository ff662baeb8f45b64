"""The scan loop: every target is asked what is due, a bounded number at once."""

import asyncio

from appliance.handlers.run_drift import scan_target
from appliance.handlers.run_time import follow_wall
from appliance.handlers.work import Work
from appliance.store import devices, targets
from appliance.store.targets import Target


async def run(work: Work) -> None:
    """Scan what is due, for ever."""
    while True:
        wait_s = await scan_due(work)
        await work.bells.scan.wait(wait_s)


async def scan_due(work: Work) -> float:
    """Scan every target that has checks due and return how many seconds to wait for the next.

    A target that is held back is left alone, and its findings with it.
    """
    await follow_wall(work)
    async with work.store.read() as conn:
        held = await devices.held(conn)
        known = [target for target in await targets.every(conn) if target.id not in held]
    at_once = asyncio.Semaphore(work.settings.scans_at_once)

    async def bounded(target: Target) -> int:
        async with at_once:
            return await scan_target(work, target)

    async with asyncio.TaskGroup() as group:
        scans = [group.create_task(bounded(target)) for target in known]
    now_ms = work.clock.now_ms()
    next_ms = min((scan.result() for scan in scans), default=now_ms + 3_600_000)
    return min(max((next_ms - now_ms) / 1000, 0.1), float(work.settings.scan_tick_s))

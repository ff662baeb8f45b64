"""Keeping everything bounded: old rows go, evidence last, and a full disk is said in time."""

import asyncio
import shutil
from pathlib import Path

from appliance.handlers.wellness import clear_condition, raise_condition
from appliance.handlers.work import Work
from appliance.store import evidence, findings, incidents, targets, waivers
from appliance.store.health import Condition

EVERY_S = 600.0
FREE_BYTES_MIN = 256 * 1024 * 1024


async def run(work: Work, directory: Path) -> None:
    """Prune and look at the disk, for ever."""
    while True:
        await prune(work)
        await watch_disk(work, directory)
        await asyncio.sleep(EVERY_S)


async def prune(work: Work) -> None:
    """Drop what its table's owner no longer keeps."""
    now_ms = work.clock.now_ms()
    async with work.store.write() as conn:
        await findings.prune(conn, work.content().checks)
        await incidents.prune(conn, now_ms=now_ms)
        await waivers.prune(conn, now_ms=now_ms)
        await targets.prune(conn, now_ms=now_ms)
        await evidence.prune(conn, now_s=now_ms // 1000)


async def watch_disk(work: Work, directory: Path) -> None:
    """Raise a condition while the disk that holds the store is nearly full."""
    free_bytes = shutil.disk_usage(directory).free
    if free_bytes < FREE_BYTES_MIN:
        detail = f"{free_bytes // 1024 // 1024} MiB are free at {directory}"
        await raise_condition(work, Condition.DISK_LOW, detail=detail)
    else:
        await clear_condition(work, Condition.DISK_LOW)

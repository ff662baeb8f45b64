"""Raising and clearing health conditions: stored, told in evidence, and said once."""

import aiosqlite

from appliance.core import records
from appliance.handlers.work import Work
from appliance.store import evidence, health
from appliance.store.health import Condition
from runtime.log import logger

log = logger("health")


async def raise_condition(work: Work, condition: Condition, *, detail: str) -> None:
    """Raise a condition; `detail` is for people on the site and never leaves it."""
    async with work.store.write() as conn:
        new = await raise_in(conn, work, condition, detail=detail)
    if new:
        work.bells.uplink.ring()
        log.warning("unwell", condition=condition.value)


async def raise_in(
    conn: aiosqlite.Connection, work: Work, condition: Condition, *, detail: str
) -> bool:
    """Raise a condition in the caller's transaction; return True when it did not hold before."""
    new = await health.raise_it(conn, condition, detail=detail, now_ms=work.clock.now_ms())
    if new:
        draft = records.health_draft(work.author(), condition, ok=False)
        await evidence.append(conn, work.scribe, [draft])
    return new


async def clear_condition(work: Work, condition: Condition) -> None:
    """Clear a condition, if it holds."""
    async with work.store.read() as conn:
        if condition not in await health.raised(conn):
            return
    async with work.store.write() as conn:
        held = await clear_in(conn, work, condition)
    if held:
        tell_well(work, condition)


async def clear_in(conn: aiosqlite.Connection, work: Work, condition: Condition) -> bool:
    """Clear a condition in the caller's transaction; return True when it held.

    Whoever calls it says so with `tell_well` once that is durable.
    """
    held = await health.clear(conn, condition)
    if held:
        draft = records.health_draft(work.author(), condition, ok=True)
        await evidence.append(conn, work.scribe, [draft])
    return held


def tell_well(work: Work, condition: Condition) -> None:
    """Say that a condition no longer holds."""
    work.bells.uplink.ring()
    log.info("well again", condition=condition.value)

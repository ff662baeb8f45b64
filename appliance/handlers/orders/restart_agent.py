"""restart_agent: the appliance's own program ends and is started again, by itself.

The run lets repairs in hand end first, for as long as the order says, writes down that the stop is
this order's, and asks for it; it never returns. After the start `resume` says how it ended: done
when the mark is there, unknown when the process ended for another reason before.
"""

import asyncio
from typing import Never, cast

from appliance.core.order_gate.values import Accepted
from appliance.handlers.orders import Done
from appliance.handlers.work import Work
from appliance.store import incidents, meta
from proto.orders.restart_agent import RestartAgent
from proto.phi.leaving import closed
from proto.receipts import Intent, Outcome

LOOK_EVERY_S = 0.2


async def run(work: Work, accepted: Accepted) -> Never:
    """Drain, mark and ask for the restart; only the stop of the process ends this."""
    wanted = cast("RestartAgent", accepted.params)
    await drain(work, wanted.drain_s)
    async with work.store.write() as conn:
        await meta.put(conn, meta.Key.RESTART_ORDER, accepted.read.sid)
    work.bells.restart.ring()
    await asyncio.Future()
    raise AssertionError


async def drain(work: Work, drain_s: int) -> None:
    """Let repairs in hand end, for as long as this at most."""
    end_ms = work.clock.now_ms() + drain_s * 1000
    while await _is_busy(work):
        if work.clock.now_ms() >= end_ms:
            break
        await asyncio.sleep(LOOK_EVERY_S)


async def _is_busy(work: Work) -> bool:
    async with work.store.read() as conn:
        return bool(await incidents.busy_targets(conn))


async def resume(work: Work, intent: Intent) -> Done:
    """Say after a start how the order ended."""
    async with work.store.read() as conn:
        is_ours = await meta.get(conn, meta.Key.RESTART_ORDER) == intent.order
    outcome = Outcome.DONE if is_ours else Outcome.UNKNOWN
    return Done(outcome, {"version": closed(work.version, (work.version,))})

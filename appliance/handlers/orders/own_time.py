"""The hour of the budgets over a start: what was used keeps its age.

A process notes what its own clock says, at its start and each `SEEN_EVERY_S` while something was
used that is not an hour old. The next one takes it from there; see `core/order_gate/clock.py`.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Final

from appliance.handlers.work import Work
from appliance.store import order_state, orders
from proto.errors import NoRoomError
from proto.orders.kinds import HOUR_S

SEEN_EVERY_S: Final = 60


async def begin_time(work: Work) -> None:
    """Take over the ages from the process before, by the clock of this one."""
    own_s = work.own_s
    async with work.store.write() as conn:
        seen_s = await order_state.seen(conn)
        if seen_s is None:
            seen_s = await orders.newest_counted_s(conn)
        if seen_s is not None:
            await orders.age(conn, seen_s=seen_s, own_s=own_s)
            state = await order_state.load(conn)
            watch = state.watch.aged(seen_s=seen_s, own_s=own_s)
            if watch != state.watch:
                await order_state.save(conn, replace(state, watch=watch))
        await order_state.see(conn, own_s)


async def note_time(work: Work) -> None:
    """Note what the own clock says, as long as there is something that ages by it.

    With no room for it, what was used stays young.
    """
    async with work.store.read() as conn:
        seen_s = await order_state.seen(conn)
        used_s = await orders.newest_counted_s(conn) or 0
        refused_s = max((await order_state.load(conn)).watch.recent, default=0)
    is_old = seen_s is not None and max(used_s, refused_s) < seen_s - HOUR_S
    if is_old:
        return
    with suppress(NoRoomError):
        async with work.store.write() as conn:
            await order_state.see(conn, work.own_s)

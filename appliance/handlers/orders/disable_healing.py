"""disable_healing: no repair begins, for one check or all, until a date. Looking goes on."""

from typing import cast

from appliance.core.order_gate.values import Accepted
from appliance.core.site_rules import ALL, Matter, Ordered
from appliance.handlers.orders import Done
from appliance.handlers.work import Work
from appliance.store import incidents, ordered
from proto.orders.disable_healing import DisableHealing
from proto.receipts import Outcome


async def run(work: Work, accepted: Accepted) -> Done:
    """Stop repairs; what is under way is brought to its end, and counted in the answer."""
    wanted, sid = cast("DisableHealing", accepted.params), accepted.read.sid
    now_ms = work.clock.now_ms()
    one = Ordered(Matter.HEALING, wanted.check, ALL, None, wanted.until * 1000, sid)
    async with work.store.write() as conn:
        ended = await ordered.end(conn, Matter.HEALING, check=wanted.check, by=sid, now_ms=now_ms)
        await ordered.add(conn, one, now_ms=now_ms)
        under_way = len(await incidents.busy_targets(conn))
    work.bells.heal.ring()
    work.bells.check_in.ring()
    return Done(Outcome.DONE, {"ended": ended, "under_way": under_way})

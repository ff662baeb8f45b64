"""set_policy: how far repairs may go by themselves, for one check or the site, until a date.

What the LAN set is not touched: the most cautious of everything holds, and the answer says it.
"""

from typing import cast

from appliance.core.order_gate.values import Accepted
from appliance.core.site_rules import ALL, Matter, Ordered
from appliance.handlers.orders import Done
from appliance.handlers.site_rules import site_rules
from appliance.handlers.work import Work
from appliance.store import ordered
from proto.catalog.model import Autonomy
from proto.orders.kinds import Tier
from proto.orders.set_policy import SetPolicy
from proto.phi.leaving import closed
from proto.receipts import Outcome

LEVELS = tuple(level.value for level in Autonomy)


async def run(work: Work, accepted: Accepted) -> Done:
    """Set it; an order of two people takes the place of what orders said of the same thing."""
    wanted, sid = cast("SetPolicy", accepted.params), accepted.read.sid
    now_ms, ended = work.clock.now_ms(), 0
    one = Ordered(Matter.AUTONOMY, wanted.check, ALL, wanted.autonomy, wanted.until * 1000, sid)
    async with work.store.write() as conn:
        if accepted.tier is Tier.DANGEROUS:
            ended = await ordered.end(
                conn, Matter.AUTONOMY, check=wanted.check, by=sid, now_ms=now_ms
            )
        await ordered.add(conn, one, now_ms=now_ms)
        holds = (await site_rules(conn, work)).dial("" if wanted.check == ALL else wanted.check)
    work.bells.heal.ring()
    work.bells.check_in.ring()
    return Done(Outcome.DONE, {"holds": closed(holds.autonomy.value, LEVELS), "ended": ended})

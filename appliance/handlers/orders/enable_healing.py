"""enable_healing: end what orders of `disable_healing` began. What the LAN set stays."""

from typing import cast

from appliance.core.order_gate.values import Accepted
from appliance.core.site_rules import ALL, Matter
from appliance.handlers.orders import Done
from appliance.handlers.site_rules import site_rules
from appliance.handlers.work import Work
from appliance.store import ordered
from proto.orders.enable_healing import EnableHealing
from proto.receipts import Outcome


async def run(work: Work, accepted: Accepted) -> Done:
    """End them; it has failed when healing is still stopped, by an order for every check."""
    wanted, sid = cast("EnableHealing", accepted.params), accepted.read.sid
    check = None if wanted.check == ALL else wanted.check
    async with work.store.write() as conn:
        ended = await ordered.end(
            conn, Matter.HEALING, check=check, by=sid, now_ms=work.clock.now_ms()
        )
        rules = await site_rules(conn, work)
    named = "" if check is None else check
    is_still = any(one.matter is Matter.HEALING and one.is_about(named) for one in rules.ordered)
    work.bells.heal.ring()
    work.bells.check_in.ring()
    outcome = Outcome.FAILED if is_still else Outcome.DONE
    return Done(outcome, {"ended": ended, "still_stopped": is_still})

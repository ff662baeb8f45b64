"""cancel: an order that still waits never runs. What runs or ran is not touched."""

from typing import cast

from appliance.core.order_gate.values import Accepted
from appliance.handlers.orders import Done
from appliance.handlers.work import Work
from appliance.store import opinions
from appliance.store.opinions import OpinionKind
from proto.orders.cancel import Cancel
from proto.receipts import Outcome


async def run(work: Work, accepted: Accepted) -> Done:
    """Say of the order that it is cancelled; the gate refuses it when it looks again, at once."""
    wanted = cast("Cancel", accepted.params)
    async with work.store.write() as conn:
        is_new = await opinions.add(
            conn,
            wanted.order,
            OpinionKind.CANCEL,
            by=accepted.read.sid,
            statement=None,
            at_s=work.clock.now_ms() // 1000,
        )
    work.bells.orders.ring()
    return Done(Outcome.DONE, {"was_cancelled_before": not is_new})

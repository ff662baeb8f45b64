"""force_checkin: check in at once with the full state, and say whether the hub answered."""

import asyncio

from appliance.core.order_gate.values import Accepted
from appliance.handlers.orders import Done
from appliance.handlers.work import Work
from proto.receipts import Outcome

WITHIN_S = 90.0


async def run(work: Work, _: Accepted) -> Done:
    """Wake the check-in loop and wait until it has told the hub everything."""
    contact = work.contact
    before, contact.wants_full = contact.told_full, True
    work.bells.check_in.ring()
    try:
        async with asyncio.timeout(WITHIN_S):
            while contact.told_full == before:  # an earlier ring may still be heard
                await work.bells.told.wait(WITHIN_S)
    except TimeoutError:
        contact.wants_full = False
    has_answered = contact.told_full != before
    outcome = Outcome.DONE if has_answered else Outcome.FAILED
    return Done(outcome, {"hub_answered": has_answered})

"""sync_promoted_rule: a rule that the promoted delegation signed acts here from now on.

The gate has held it against the release's rules; it is held against them again whenever the content
changes, and stops acting when it no longer fits or is no longer listed.
"""

from typing import cast

from appliance.core.order_gate.values import Accepted
from appliance.handlers.orders import Done
from appliance.handlers.work import Work
from appliance.store import promoted_rules
from proto.errors import NotFoundError
from proto.orders.sync_promoted_rule import SyncPromotedRule
from proto.receipts import Outcome


async def run(work: Work, accepted: Accepted) -> Done:
    """Take the rule up.

    Raises:
        NotFoundError: this appliance has no signed content.
    """
    wanted = cast("SyncPromotedRule", accepted.params)
    if work.promoted is None:
        msg = "this appliance has no signed content to take a rule from"
        raise NotFoundError(msg)
    async with work.store.write() as conn:
        await promoted_rules.take(
            conn,
            wanted.rule,
            sha256=wanted.content_sha256,
            order=accepted.read.sid,
            now_ms=work.clock.now_ms(),
        )
        taken = await promoted_rules.taken(conn)
    work.promoted.take(taken)
    rule = work.content().rules.get(wanted.rule)
    is_active = rule is not None and rule.is_promoted
    for bell in (work.bells.scan, work.bells.heal, work.bells.check_in):
        bell.ring()
    return Done(Outcome.DONE if is_active else Outcome.FAILED, {"active": is_active})

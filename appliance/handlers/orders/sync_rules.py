"""sync_rules: ask the repository for the current content now, instead of with the next check-in.

Nothing is taken on the order's word: the same metadata, signatures and rings decide as always.
"""

from typing import cast

from appliance.core.order_gate.values import Accepted
from appliance.handlers.orders import Done
from appliance.handlers.work import Work
from proto.errors import NotFoundError
from proto.orders.sync_rules import SyncRules
from proto.phi.leaving import Leaving, closed
from proto.receipts import Outcome


async def run(work: Work, accepted: Accepted) -> Done:
    """Ask, and say which content is in force now; failed when the named file is not current.

    Raises:
        NotFoundError: no repository is pinned here.
        UnreachableError: the hub does not answer.
        ContentRefusedError: what it offers is not taken.
    """
    wanted = cast("SyncRules", accepted.params)
    if work.fetch_content is None:
        msg = "no repository of signed content is pinned here"
        raise NotFoundError(msg)
    before = work.content().digest
    await work.fetch_content()
    trusted, now = work.trusted(), work.content().digest
    is_current = trusted is not None and wanted.content_sha256 in trusted.files
    told: dict[str, Leaving] = {"content": closed(now, (now,)), "changed": now != before}
    told["current"] = is_current
    return Done(Outcome.DONE if is_current else Outcome.FAILED, told)

"""view_logs: the newest lines of the appliance's own log, scrubbed once more, as one text.

The lines are those that this process wrote and still has in mind (`runtime.log_recent`): they were
scrubbed when they were written. What does not fit in an answer is left out, oldest first, and the
answer says how much that was.
"""

from collections.abc import Sequence
from typing import cast

from appliance.core.order_gate.values import Accepted
from appliance.handlers.orders import Done
from appliance.handlers.scrubber import Source
from appliance.handlers.work import Work
from proto.evidence import DETAIL_BYTES_MAX, detail_of
from proto.orders.view_logs import ViewLogs
from proto.phi.leaving import Leaving
from proto.receipts import Outcome
from runtime.log import RECENT
from runtime.log_recent import Line

PARTS = {
    "scan": frozenset({"scan", "discover", "greet"}),
    "heal": frozenset({"heal", "repair"}),
    "uplink": frozenset({"uplink", "check_in", "devices"}),
    "orders": frozenset({"orders"}),
    "portal": frozenset({"portal", "sign-in", "serve"}),
    "agents": frozenset({"agents"}),
}
"""The part that an order names -> the parts that lines are written by; "appliance" is all."""


async def run(work: Work, accepted: Accepted) -> Done:
    """Tell the newest lines that fit."""
    wanted = cast("ViewLogs", accepted.params)
    lines = RECENT.lines(
        since_ms=work.clock.now_ms() - wanted.since_s * 1000,
        level=wanted.level,
        parts=PARTS.get(wanted.part),
    )
    newest = lines[-wanted.lines :]
    while True:
        told = _told(work, newest, left_out=len(lines) - len(newest))
        if not newest or len(str(detail_of(told)).encode()) <= DETAIL_BYTES_MAX:
            return Done(Outcome.DONE, told)
        newest = newest[len(newest) // 2 + 1 :]


def _told(work: Work, lines: Sequence[Line], *, left_out: int) -> dict[str, Leaving]:
    text = work.scrubber.scrub("\n".join(line.text for line in lines), source=Source.LOG)
    return {"lines": len(lines), "left_out": left_out, "text": text}

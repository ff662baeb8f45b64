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
from proto.phi.leaving import Leaving, closed
from proto.receipts import Outcome
from runtime.log import RECENT
from runtime.log_recent import Line

Told = dict[str, Leaving]

PARTS = {
    "discovery": frozenset({"discover"}),
    "uplink": frozenset({"uplink", "check_in", "devices"}),
    "orders": frozenset({"orders"}),
    "portal": frozenset({"portal", "sign-in", "serve"}),
    "scrubbing": frozenset({"scrubbing"}),
    "health": frozenset({"health", "tidy"}),
}
"""The part that an order names -> the parts that lines are written by; "appliance" is all."""

CHARS_MAX = 2 * DETAIL_BYTES_MAX
"""Most that is scrubbed at once: scrubbing rarely makes text half as long."""
_WHY = ("withheld",)


async def run(work: Work, accepted: Accepted) -> Done:
    """Tell the newest lines that fit; failed when they cannot be scrubbed now."""
    wanted = cast("ViewLogs", accepted.params)
    lines = RECENT.lines(
        since_ms=work.clock.now_ms() - wanted.since_s * 1000,
        level=wanted.level,
        parts=PARTS.get(wanted.part),
    )
    newest = _within(CHARS_MAX, lines[-wanted.lines :])
    while True:
        text = "\n".join(line.text for line in newest)
        found = work.scrubber.result(text, source=Source.LOG)
        if found.withheld is not None:
            return Done(Outcome.FAILED, {"why": closed("withheld", _WHY)})
        left_out = len(lines) - len(newest)
        told: Told = {"lines": len(newest), "left_out": left_out, "text": found.text}
        if not newest or len(str(detail_of(told)).encode()) <= DETAIL_BYTES_MAX:
            return Done(Outcome.DONE, told)
        newest = newest[len(newest) // 2 + 1 :]


def _within(chars_max: int, lines: Sequence[Line]) -> Sequence[Line]:
    """Return the newest lines that together have no more characters than this."""
    left, first = chars_max, len(lines)
    while first > 0 and len(lines[first - 1].text) < left:
        first -= 1
        left -= len(lines[first].text) + 1
    return lines[first:]

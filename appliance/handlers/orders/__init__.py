"""What each order does on this appliance: one module a type, called with what the gate accepted.

A handler is called after its intent receipt is durable, at most once, and is cut off at the order's
deadline. What it returns becomes the result receipt: the outcome, and what it tells, which leaves
the site beside the log. A handler that raises an error of `proto.errors` has the outcome "failed";
one that was cut off by a crash or by its deadline has the outcome "unknown". Any other error ends
the process, as everywhere. It is never called again for that order.

A type that ends only when the process has been started again (`Resume`) leaves its intent open: its
`Run` waits to be stopped, and after the start its `Resume` says how it ended.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from appliance.core.order_gate.values import Accepted
from appliance.handlers.work import Work
from proto.phi.leaving import Leaving
from proto.receipts import Intent, Outcome


@dataclass(frozen=True, slots=True)
class Done:
    """How a run ended, and what of it leaves: closed values and scrubbed text, by name.

    Text is scrubbed by the handler, once (`Work.scrubber`), or is of a closed list
    (`proto.phi.leaving.closed`).
    """

    outcome: Outcome
    told: Mapping[str, Leaving] = field(default_factory=dict)


Run = Callable[[Work, Accepted], Awaitable[Done]]
"""Carries an order out."""

Resume = Callable[[Work, Intent], Awaitable[Done]]
"""Says after a start how an order ended whose run the stop of the process was part of."""

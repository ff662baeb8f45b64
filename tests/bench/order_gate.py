"""How fast the order gate is in memory: from a leaf's bytes to a verdict and the ledger's row.

    python tests/bench/order_gate.py

The bar is 10,000 orders a second on one core that is free. The time of one order is also given in
PyNaCl verifications of one signature, measured in the same run: it says what the gate adds to the
one thing that it cannot do without. On a busy machine both figures are too high.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from appliance.core.order_gate import gate  # noqa: E402 - found by the line above
from appliance.core.order_gate.ledger import Ledger  # noqa: E402
from appliance.core.order_gate.values import Accepted, Delivery, Refused  # noqa: E402
from proto import envelope, merkle  # noqa: E402
from proto.envelope import Kind  # noqa: E402
from proto.keys import Threshold  # noqa: E402
from proto.order import LogPlace  # noqa: E402
from proto.orders.kinds import OrderType  # noqa: E402
from tests.bench.rows import Row, table  # noqa: E402
from tests.unit.order_world import (  # noqa: E402
    EARLIER_LEAVES,
    SITUATION,
    TRUST,
    OrderLog,
    body,
    key,
    signed,
)

ORDERS = 5
ROUNDS = 400
"""Many short rounds, of which the best counts: what else runs here disturbs some of them."""
EARLIER = 1000
"""Leaves in the log beside them, so that proofs are as long as in a year's log of a site."""

BAR_PER_S = 10_000
KINDS = {
    "tier 0, one signature": (OrderType.RUN_DRIFT, ()),
    "tier 1, one signature, its rule matched": (OrderType.HEALING, ()),
    "tier 2, two signatures": (OrderType.UPDATE_AGENT, ("ada",)),
}


def deliveries(order_type: OrderType, people: tuple[str, ...]) -> tuple[OrderLog, list[Delivery]]:
    """Log many orders after the earlier leaves, each with its proof to the newest head."""
    log = OrderLog()
    first = len(log.leaves)
    for n in range(ORDERS):
        log.append(signed(body(order_type, nonce=f"{n:032x}"), *people))
    for n in range(EARLIER):
        log.append(b"another leaf %d" % n)
    hashes = log.hashes()
    nodes = merkle.nodes_over_leaves(hashes)
    size = len(hashes)
    return log, [
        Delivery(log.leaves[n], n, merkle.inclusion_proof(n, size, nodes))
        for n in range(first, first + ORDERS)
    ]


def through_the_gate(given: list[Delivery], *, head: LogPlace, root_then: bytes) -> None:
    """Read, ask the ledger, judge and write the row, as the store does in SQL."""
    ledger, shown = Ledger(), merkle.Shown(head.size, head.root)
    for delivery in given:
        found = gate.read(delivery, head=head, trust=TRUST, shown=shown)
        if isinstance(found, Refused):
            raise SystemExit(found.detail)
        view = ledger.view(found.sid, found.order.nonce, root_then=root_then)
        situation = SITUATION.about(view, history=SITUATION.history, said=SITUATION.said)
        verdict = gate.judge(found, situation)
        if not isinstance(verdict, Accepted):
            raise SystemExit(verdict.detail)
        ledger.put(verdict.entry)


def best_s(work: Callable[[], None]) -> float:
    """Return the fastest of some rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def verify_s(leaf: bytes) -> float:
    """Return the time of one verification over the same signed bytes."""
    opened = envelope.open_envelope(leaf, kind=Kind.ORDER, trust=Threshold(TRUST.ring))
    message = envelope.pae(Kind.ORDER, opened.body)
    signature = key("order").sign(message)
    public = key("order").public

    def work() -> None:
        for _ in range(ORDERS):
            public.accepts(signature, message)

    return best_s(work) / ORDERS


def rows() -> list[Row]:
    """Measure each kind of order."""
    found = []
    for what, (order_type, people) in KINDS.items():
        log, given = deliveries(order_type, people)
        head, root_then = log.place(), log.place(EARLIER_LEAVES).root
        work = partial(through_the_gate, given, head=head, root_then=root_then)
        one_s = best_s(work) / ORDERS
        ratio = one_s / verify_s(given[0].leaf)
        per_s = round(1 / one_s)
        said = f"{per_s}/s, {one_s * 1e6:.0f} us, {ratio:.1f} verifications"
        bar = f">= {BAR_PER_S}/s" if not people else ""
        found.append(Row(f"order gate, {what}", bar, said, per_s >= BAR_PER_S if bar else None))
    return found


if __name__ == "__main__":
    sys.stdout.write(table(rows()) + "\n")

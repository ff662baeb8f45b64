"""How fast orders pass the gate with their durable transaction: SQLite, synchronous=FULL.

    python tests/bench/order_store.py

Counted is everything from the mirrored log on: leaves and proofs read, bytes verified, verdicts,
ledger rows, signed intent receipts in the evidence log, and the commit. Up to 256 leaves share a
transaction (group commit): nothing runs before its own is durable. The second row is one order a
transaction, as a quiet site has it.

The processor's time of one order, on all threads, is also given in verifications of one signature:
it holds on a busy machine too, and leaves out what the disk takes for a commit.
"""

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from appliance.handlers.orders.gating import BATCH_MAX, gate_orders  # noqa: E402 - found by the line above
from appliance.handlers.work import Work  # noqa: E402
from proto.grants import PER_HOUR_MAX, Trust  # noqa: E402
from runtime.sqlite import threaded  # noqa: E402
from tests.bench.order_gate import verify_s  # noqa: E402
from tests.bench.rows import Row, table  # noqa: E402
from tests.unit.discovery_site import NoHub  # noqa: E402
from tests.unit.order_site import ABILITIES, FOOTING, Site, mirror  # noqa: E402
from tests.unit.order_world import authority_set, body, grant, grant_set, grants, signed  # noqa: E402

ORDERS = 2 * BATCH_MAX
SINGLE = 40
ROUNDS = 3
BAR_PER_S = 2_000


@dataclass(frozen=True, slots=True)
class Took:
    """What one order took, seconds: on the clock, and of the processor."""

    wall_s: float
    cpu_s: float

    def told(self, verification_s: float) -> str:
        """Say it to a person."""
        return f"{1 / self.wall_s:.0f}/s, {self.cpu_s / verification_s:.1f} verifications of CPU"


async def _gate(work: Work, *, orders: int, hands: int) -> Took:
    """Gate that many orders, at most `hands` in a transaction; return what each took."""
    busy = Trust(authority_set(), grant_set(grants(grant(per_hour=PER_HOUR_MAX))))
    footing = replace(FOOTING, trust=busy)
    left, began, began_cpu = orders, time.perf_counter(), time.process_time()
    while left > 0:
        gated = await gate_orders(work, footing, abilities=ABILITIES, hands=hands)
        if not gated.accepted:
            msg = "an order was not accepted"
            raise SystemExit(msg)
        left -= len(gated.accepted)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    return Took(wall_s / orders, cpu_s / orders)


async def _round(orders: int, *, hands: int) -> Took:
    """Gate a fresh appliance's orders; return what each took."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "appliance.db")
        work = await site.start(threaded, NoHub())
        try:
            await mirror(site, work)
            for number in range(orders):
                site.log.append(signed(body(nonce=f"{number:032x}")))
            await mirror(site, work)
            return await _gate(work, orders=orders, hands=hands)
        finally:
            await work.store.close()


def rows() -> list[Row]:
    """Measure both; the best of some rounds counts."""
    verification_s = verify_s(signed(body()))
    grouped, single = _best(ORDERS, hands=ORDERS), _best(SINGLE, hands=1)
    return [
        Row(
            "order gate with its durable transaction",
            f">= {BAR_PER_S}/s",
            grouped.told(verification_s),
            1 / grouped.wall_s >= BAR_PER_S,
        ),
        Row("- one order a transaction", "", single.told(verification_s), None),
    ]


def _best(orders: int, *, hands: int) -> Took:
    """Return the least of either time in some rounds."""
    took = [asyncio.run(_round(orders, hands=hands)) for _ in range(ROUNDS)]
    return Took(min(one.wall_s for one in took), min(one.cpu_s for one in took))


if __name__ == "__main__":
    sys.stdout.write(table(rows()) + "\n")

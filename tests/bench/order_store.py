"""How fast orders pass the gate with their durable transaction: SQLite, synchronous=FULL.

    python tests/bench/order_store.py

Counted is everything from the mirrored log on: leaves and proofs read, bytes verified, verdicts,
ledger rows, signed intent receipts in the evidence log, and the commit. Up to 256 leaves share a
transaction (group commit): nothing runs before its own is durable. The second row is one order a
transaction, as a quiet site has it.
"""

import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from appliance.handlers.orders.gating import BATCH_MAX, gate_orders  # noqa: E402 - found by the line above
from appliance.handlers.work import Work  # noqa: E402
from proto.grants import PER_HOUR_MAX, Trust  # noqa: E402
from runtime.sqlite import threaded  # noqa: E402
from tests.bench.rows import Row, table  # noqa: E402
from tests.unit.discovery_site import NoHub  # noqa: E402
from tests.unit.order_site import ABILITIES, FOOTING, Site, mirror  # noqa: E402
from tests.unit.order_world import authority_set, body, grant, grant_set, grants, signed  # noqa: E402

ORDERS = 2 * BATCH_MAX
SINGLE = 40
ROUNDS = 3
BAR_PER_S = 2_000


async def _gate(work: Work, *, orders: int, hands: int) -> float:
    """Gate that many orders, at most `hands` in a transaction; return the seconds it took."""
    busy = Trust(authority_set(), grant_set(grants(grant(per_hour=PER_HOUR_MAX))))
    footing = replace(FOOTING, trust=busy)
    left, began = orders, time.perf_counter()
    while left > 0:
        gated = await gate_orders(work, footing, abilities=ABILITIES, hands=hands)
        if not gated.accepted:
            msg = "an order was not accepted"
            raise SystemExit(msg)
        left -= len(gated.accepted)
    return time.perf_counter() - began


async def _round(orders: int, *, hands: int) -> float:
    """Gate a fresh appliance's orders; return how many a second."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "appliance.db")
        work = await site.start(threaded, NoHub())
        try:
            await mirror(site, work)
            for number in range(orders):
                site.log.append(signed(body(nonce=f"{number:032x}")))
            await mirror(site, work)
            return orders / await _gate(work, orders=orders, hands=hands)
        finally:
            await work.store.close()


def rows() -> list[Row]:
    """Measure both; the best of some rounds counts."""
    grouped = max(asyncio.run(_round(ORDERS, hands=ORDERS)) for _ in range(ROUNDS))
    single = max(asyncio.run(_round(SINGLE, hands=1)) for _ in range(ROUNDS))
    return [
        Row(
            "order gate with its durable transaction",
            f">= {BAR_PER_S}/s",
            f"{grouped:.0f}/s",
            grouped >= BAR_PER_S,
        ),
        Row("- one order a transaction", "", f"{single:.0f}/s", None),
    ]


if __name__ == "__main__":
    sys.stdout.write(table(rows()) + "\n")

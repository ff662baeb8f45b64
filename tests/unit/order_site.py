"""An appliance that takes orders: a real store, the real gate, and a hub's log to mirror.

A `Site` outlives its processes: the file, the keys, the clock, the hub's log, and what was run.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.core.order_gate.values import Accepted, Footing
from appliance.handlers.orders import Done, Run
from appliance.handlers.orders.gating import Gated, gate_orders, orders_origin
from appliance.handlers.orders.running import carry_out
from appliance.handlers.work import HubTrust, Work
from appliance.ports import HubTransport
from appliance.store import order_log, orders
from appliance.store.db import Store
from appliance.store.evidence import Scribe
from appliance.store.orders import Row
from proto import merkle, note
from proto.evidence import Leaf, open_leaf
from proto.ids import ApplianceId
from proto.keys import Holder, KeyRing, Threshold, trust_one
from proto.note import Checkpoint
from proto.order_log import BATCH_LEAVES_MAX, Batch, follow
from proto.orders.kinds import OrderType
from proto.receipts import Outcome, Receipt
from runtime.sqlite import Connect
from tests.fakes.clock import ManualClock, SeededEntropy
from tests.fakes.scanner import FakeScanner
from tests.fakes.scrubbing import scrubber_over
from tests.fakes.sealer import FakeSealer
from tests.fakes.shell import FakeShell
from tests.fakes.tls import FakeTlsProbe
from tests.unit.core_values import CONTENT, SITE
from tests.unit.cut_process import Process
from tests.unit.discovery_site import NoHub, settings
from tests.unit.order_world import APPLIANCE, FILE, NOW, TRUST, OrderLog, body, key, signed

ORIGIN = "hub.example"
FOOTING = Footing(trust=TRUST, files=frozenset({FILE}), expires_s=NOW + 20 * 86_400, ring=0)
ABILITIES = frozenset(OrderType)
HANDS = 8


@dataclass
class Site:
    """What outlives a process.

    Attributes:
        path: the store's file.
        ran: how often each order ran, by sid.
        ends: how a run of a type ends, where it is not simply done.
    """

    path: Path
    log: OrderLog = field(default_factory=OrderLog)
    clock: ManualClock = field(default_factory=ManualClock)
    entropy: SeededEntropy = field(default_factory=SeededEntropy)
    sealer: FakeSealer = field(default_factory=FakeSealer)
    ran: Counter[str] = field(default_factory=Counter)
    ends: dict[OrderType, Run] = field(default_factory=dict)
    nonces: int = 0

    def order(
        self,
        order_type: OrderType = OrderType.RUN_DRIFT,
        *people: str,
        **changes: Any,  # noqa: ANN401 - JSON
    ) -> int:
        """Log an order, drafted on the log as it is now, and return its leaf."""
        self.nonces += 1
        made = {"nonce": f"{self.nonces:032x}", "prev": self.log.place().as_text()} | changes
        return self.log.append(signed(body(order_type, **made), *people))

    def runs(self, process: Process | None = None) -> Mapping[OrderType, Run]:
        """Return what runs orders: it counts them, and ends as `ends` says."""

        async def count(work: Work, accepted: Accepted) -> Done:
            if process is not None:
                process.happens("before run")
            self.ran[accepted.read.sid] += 1
            await asyncio.sleep(0)
            end = self.ends.get(accepted.read.order.type)
            done = Done(Outcome.DONE) if end is None else await end(work, accepted)
            if process is not None:
                process.happens("after run")
            return done

        return dict.fromkeys(OrderType, count)

    async def start(self, connect: Connect, hub: HubTransport) -> Work:
        """Open the store and wire one process to it."""
        now_ms = self.clock.now_ms()
        store = await Store.open(self.path, now_ms=now_ms, connect=connect)
        scrubber = await scrubber_over(
            store, sealer=self.sealer, entropy=self.entropy, clock=self.clock
        )
        own = key("appliance")
        origin = f"{ORIGIN}/site/{SITE}/evidence/{APPLIANCE}"
        work = Work(
            settings=settings(()),
            store=store,
            content=lambda: CONTENT,
            scribe=Scribe(SITE, ApplianceId(APPLIANCE), origin, own),
            clock=self.clock,
            entropy=self.entropy,
            shell=FakeShell({}),
            scanner=FakeScanner([]),
            tls=FakeTlsProbe({}),
            sealer=self.sealer,
            scrubber=scrubber,
            hub=hub,
            trust=HubTrust(Threshold(KeyRing((Holder("hub", key("head").public),))), ()),
            version="0",
        )
        work.word.is_level = True
        work.word.answered_s = now_ms // 1000
        return work

    def checkpoint(self, size: int | None = None, *, signer: str = "log") -> bytes:
        """Return the hub's signed checkpoint of its log."""
        place = self.log.place(size)
        origin = f"{ORIGIN}/site/{SITE}/orders"
        made = Checkpoint(origin=origin, size=place.size, root=place.root)
        return note.sign_checkpoint(made, signer=key(signer))

    def batch(self, first: int) -> Batch:
        """Return what the hub sends to a mirror of `first` leaves."""
        end = min(first + BATCH_LEAVES_MAX, len(self.log.leaves))
        nodes = merkle.nodes_over_leaves(self.log.hashes())
        proof = merkle.consistency_proof(end, len(self.log.leaves), nodes)
        return Batch(first, tuple(self.log.leaves[first:end]), self.checkpoint(), proof)


@asynccontextmanager
async def alive(
    site: Site,
    watch: Callable[[Process, str], None] = lambda _, __: None,
    *,
    hub: HubTransport | None = None,
) -> AsyncIterator[tuple[Work, Process]]:
    """Run a process until it is done with, or cut off."""
    process = Process(watch)
    try:
        yield await site.start(process.connect, hub or NoHub()), process
    finally:
        await process.bury()


async def enrolled_site(folder: Path) -> Site:
    """Return a site whose appliance saw the log when it was enrolled: its leaves are history."""
    site = Site(folder / "appliance.db")
    async with alive(site) as (work, _):
        await mirror(site, work)
    return site


async def mirror(site: Site, work: Work) -> None:
    """Bring the mirror up to the hub's log."""
    origin = orders_origin(work)
    async with work.store.write() as conn:
        held = await order_log.held(conn, origin)
        while held.mirror.tree.size < len(site.log.leaves):
            first = held.mirror.tree.size
            batch = site.batch(first)
            after = follow(held.mirror, batch, log_keys=(key("log").public,))
            await order_log.advance(
                conn,
                held,
                after,
                leaves=batch.leaves,
                checkpoint=batch.checkpoint,
                now_ms=site.clock.now_ms(),
            )
            held = await order_log.held(conn, origin)


async def gate(work: Work, *, hands: int = HANDS, footing: Footing = FOOTING) -> Gated:
    """Put what is new, and what waits, before the gate."""
    return await gate_orders(work, footing, abilities=ABILITIES, hands=hands)


async def take(site: Site, work: Work, process: Process | None = None) -> Gated:
    """Mirror, gate and run once, as the loop does in one turn."""
    await mirror(site, work)
    gated = await gate(work)
    runs = site.runs(process)
    for accepted in gated.accepted:
        await carry_out(work, accepted, runs[accepted.read.order.type])
    return gated


async def row(work: Work, index: int) -> Row:
    """Return a leaf's row, which must be there."""
    async with work.store.read() as conn:
        found = await orders.get(conn, index)
    assert found is not None, f"leaf {index} has no row"
    return found


async def leaves(work: Work) -> list[Leaf]:
    """Return the evidence log's leaves, each verified."""
    trust = trust_one("appliance", work.scribe.key.public)
    async with work.store.read() as conn:
        rows = await conn.execute_fetchall("SELECT leaf FROM evidence ORDER BY idx")
    return [open_leaf(one["leaf"], trust) for one in rows]


async def receipts(work: Work) -> list[Receipt]:
    """Return all receipts, in order."""
    return [one for one in await leaves(work) if isinstance(one, Receipt)]

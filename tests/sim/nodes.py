"""The simulated processes: a hub and appliances, each the real code over real SQLite files.

A node outlives its lives: the files, the keys and the identity stay, everything else is built anew
at each start, as a service manager would.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance.core.order_gate.values import Accepted
from appliance.core.settings import Budgets, Settings, Site
from appliance.core.trusted import Trusted
from appliance.handlers.orders import Done, Run
from appliance.handlers.orders.table import RUNS
from appliance.handlers.scrubber import Scrubber
from appliance.handlers.work import HubTrust, Work
from appliance.store.db import Store
from appliance.store.evidence import Scribe
from appliance.tasks import check_in, heal, orders, scan, uplink
from central.api.machine_routes import MACHINE_ROUTES
from central.api.raw import Machines
from central.core.admission import closed_fields
from central.core.settings import HubSettings
from central.operators import OrderDesk
from central.state import Hub, load_registry
from central.store.check_ins import CheckInGroups
from central.store.engine import open_store
from central.store.migrate import migrate
from central.store.registry import Registry
from proto.catalog.model import Autonomy
from proto.ids import ApplianceId, SiteId
from proto.keys import SigningKey
from proto.phi import default_names, default_policy
from proto.phi.admission import Looker
from runtime.log import logger
from tests.fakes.hub import ORIGIN, HubSecrets, InProcessHub
from tests.fakes.hub_link import HubLink, Network
from tests.fakes.scanner import FakeScanner
from tests.fakes.scrubbing import scrubber_over
from tests.fakes.sealer import FakeSealer
from tests.fakes.target_world import Target, TargetShell
from tests.fakes.tls import FakeTlsProbe
from tests.sim.clock import Common, SimClock, entropy_of
from tests.sim.life import Life
from tests.sim.signer_node import SignerNode

CHECK_IN_S = 600
FREE_BYTES = 10**12
ORDERS_PER_HOUR = 3
"""Few enough that the limit is met in most runs."""


SETTINGS = Settings(
    site=Site(("192.0.2.0/24",), ("192.0.2.1",), "UTC", Autonomy.AUTO),
    networks=(),
    address="192.0.2.2",
    discovery_s=3600,
    scan_tick_s=120,
    scans_at_once=4,
    repairs_at_once=2,
    check_in_s=CHECK_IN_S,
    budgets=Budgets(orders_per_hour=ORDERS_PER_HOUR),
)

OnOrder = Callable[["ApplianceNode", Accepted], None]


@dataclass(slots=True)
class HubNode:
    """The hub."""

    common: Common
    path: Path
    secrets: HubSecrets
    signer: SignerNode
    name: str = "hub"
    lives: int = 0
    life: Life | None = None
    serving: InProcessHub | None = None

    async def start(self) -> None:
        """Begin a new life; returns when it serves, or was killed on the way."""
        self.lives += 1
        life = Life("hub", self.common.trace, on_crash=self.common.on_crash)
        self.life = life
        ready = asyncio.Event()
        life.spawn(self._main(life, ready), is_service=True)
        await _first(ready, life.killed)

    async def _main(self, life: Life, ready: asyncio.Event) -> None:
        store = open_store(f"sqlite:///{self.path}", connect=life.connect())
        life.closes.append(store.close)
        await migrate(store)
        entropy = entropy_of(self.common, "hub", self.lives)
        trust_at = self.signer.people.trust_at
        hub = Hub(
            origin=ORIGIN,
            root=self.secrets.root,
            claims=self.secrets.claims,
            signer=self.signer.link(),
            desk=OrderDesk(lambda now_s: trust_at(now_s).authority, self.common.content.runbooks),
            store=store,
            registry=Registry(ORIGIN),
            check_ins=CheckInGroups(store),
            settings=HubSettings(check_in_s=CHECK_IN_S),
            looker=Looker(default_policy(), default_names()),
            closed=closed_fields(self.common.content),
            clock=SimClock(),
            entropy=entropy,
            log=logger("hub"),
        )
        await load_registry(hub)
        self.serving = InProcessHub(hub, Machines(hub, MACHINE_ROUTES))
        ready.set()
        await hub.check_ins.run()

    def serve(self, path: str, body: bytes) -> asyncio.Task[tuple[int, bytes]] | None:
        """Take a request from the network."""
        if self.life is None or not self.life.is_alive or self.serving is None:
            return None
        return self.life.spawn(self.serving.request("POST", path, body), is_service=False)

    async def kill(self) -> None:
        """End the present life."""
        if self.life is not None:
            self.life.kill()
            self.serving = None
            await self.life.bury()


@dataclass(frozen=True, slots=True)
class Identity:
    """What an appliance keeps for good."""

    site: SiteId
    appliance: ApplianceId
    origin: str
    key: SigningKey


@dataclass(slots=True)
class ApplianceNode:
    """One appliance and the targets that it looks after."""

    common: Common
    name: str
    path: Path
    identity: Identity
    trust: HubTrust
    trusted: Trusted
    network: Network
    sent: Callable[[str, bytes], None]
    on_order: OnOrder
    on_done: Callable[["ApplianceNode"], None]
    targets: list[Target] = field(default_factory=list)
    sealer: FakeSealer = field(default_factory=FakeSealer)
    skew_ms: int = 0
    lives: int = 0
    life: Life | None = None
    work: Work | None = None

    async def start(self) -> None:
        """Begin a new life; returns when its loops run, or it was killed on the way."""
        self.lives += 1
        life = Life(self.name, self.common.trace, on_crash=self.common.on_crash)
        self.life = life
        ready = asyncio.Event()
        life.spawn(self._main(life, ready), is_service=True)
        await _first(ready, life.killed)

    async def _main(self, life: Life, ready: asyncio.Event) -> None:
        clock = SimClock(self.skew_ms)
        store = await Store.open(
            self.path,
            now_ms=clock.now_ms(),
            connect=life.connect(),
            free_bytes=lambda: FREE_BYTES,
        )
        life.closes.append(store.close)
        scrubber = await self._scrubber(store, clock)
        work = self._work(life, store, clock, scrubber)
        self.work = work
        ready.set()
        async with asyncio.TaskGroup() as group:
            for loop in (scan.run, heal.run, check_in.run, uplink.run):
                group.create_task(loop(work))
            group.create_task(orders.run(work, self._means()))
            group.create_task(_restart(work, life))

    def _means(self) -> orders.Means:
        """Return what carries orders out: `on_order` hears of each first, `on_done` after it."""

        def heard(run: Run) -> Run:
            async def told(work: Work, accepted: Accepted) -> Done:
                self.on_order(self, accepted)
                done = await run(work, accepted)
                self.on_done(self)
                return done

            return told

        return replace(orders.HERE, runs={name: heard(run) for name, run in RUNS.items()})

    async def _scrubber(self, store: Store, clock: SimClock) -> Scrubber:
        entropy = entropy_of(self.common, f"{self.name}:tokens", self.lives)
        return await scrubber_over(store, sealer=self.sealer, entropy=entropy, clock=clock)

    def _work(self, life: Life, store: Store, clock: SimClock, scrubber: Scrubber) -> Work:
        me = self.identity
        return Work(
            settings=SETTINGS,
            store=store,
            content=lambda: self.common.content,
            scribe=Scribe(me.site, me.appliance, me.origin, me.key),
            clock=clock,
            entropy=entropy_of(self.common, self.name, self.lives),
            shell=TargetShell(self.targets, require_alive=life.require_alive),
            scanner=FakeScanner([]),
            tls=FakeTlsProbe({}),
            sealer=self.sealer,
            scrubber=scrubber,
            hub=HubLink(self.network, me.key, self.sent, life.require_alive),
            trust=self.trust,
            version="sim",
            trusted=lambda: self.trusted,
        )

    async def kill(self) -> None:
        """End the present life."""
        if self.life is not None:
            self.life.kill()
            self.work = None
            await self.life.bury()


async def _restart(work: Work, life: Life) -> None:
    """End the process when an order asks for it: whoever keeps it starts it again."""
    while not await work.bells.restart.wait(CHECK_IN_S):
        pass
    life.kill()


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()

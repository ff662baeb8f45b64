"""The simulated processes: a hub and appliances, each the real code over real SQLite files.

A node outlives its lives: the files, the keys and the identity stay, everything else is built anew
at each start, as a service manager would.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from appliance.core.settings import Settings, Site
from appliance.handlers.scrubber import Scrubber
from appliance.handlers.work import HubTrust, Work
from appliance.store.db import Store
from appliance.store.evidence import Scribe
from appliance.tasks import check_in, heal, scan, uplink
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
from proto.catalog.model import Autonomy, Content
from proto.ids import ApplianceId, SiteId
from proto.keys import SigningKey
from proto.phi import default_names, default_policy
from proto.phi.admission import Looker
from runtime.log import logger
from tests.fakes.clock import SeededEntropy
from tests.fakes.hub import ORIGIN, HubSecrets, InProcessHub, no_trust, signer_beside
from tests.fakes.hub_link import HubLink, Network
from tests.fakes.scanner import FakeScanner
from tests.fakes.scrubbing import scrubber_over
from tests.fakes.sealer import FakeSealer
from tests.fakes.target_world import Target, TargetShell
from tests.fakes.tls import FakeTlsProbe
from tests.sim.life import Life
from tests.sim.trace import Trace

START_MS = 1_767_225_600_000
"""The first moment of 2026, when every run begins."""

CHECK_IN_S = 600
FREE_BYTES = 10**12

SETTINGS = Settings(
    site=Site(("192.0.2.0/24",), ("192.0.2.1",), "UTC", Autonomy.AUTO),
    networks=(),
    address="192.0.2.2",
    discovery_s=3600,
    scan_tick_s=120,
    scans_at_once=4,
    repairs_at_once=2,
    check_in_s=CHECK_IN_S,
)


@dataclass(frozen=True, slots=True)
class Common:
    """What all nodes of a run share."""

    seed: int
    trace: Trace
    content: Content
    on_crash: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SimClock:
    """A machine's time of day: virtual, and off by a constant."""

    skew_ms: int = 0

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return START_MS + self.skew_ms + round(asyncio.get_running_loop().time() * 1000)


def entropy_of(common: Common, name: str, lives: int) -> SeededEntropy:
    """Return the randomness of one start of one node."""
    return SeededEntropy(Random(f"{common.seed}:{name}:{lives}").getrandbits(63))  # noqa: S311 - a simulator is seeded


@dataclass(slots=True)
class HubNode:
    """The hub."""

    common: Common
    path: Path
    secrets: HubSecrets
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
        with signer_beside(
            self.path, secrets=self.secrets, clock=SimClock(), entropy=entropy
        ) as signer:
            hub = Hub(
                origin=ORIGIN,
                root=self.secrets.root,
                claims=self.secrets.claims,
                signer=signer,
                desk=OrderDesk(lambda now_s: no_trust(now_s).authority, {}),
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
    network: Network
    sent: Callable[[str, bytes], None]
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
        )

    async def kill(self) -> None:
        """End the present life."""
        if self.life is not None:
            self.life.kill()
            self.work = None
            await self.life.bury()


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()

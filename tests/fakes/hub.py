"""A real hub inside the test's process: the same code over real SQLite, reached without sockets.

What is posted to `InProcessHub` goes through the hub's own ASGI application.
It can lose a request, lose a reply, deliver twice, or be away, because networks do.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select

from central.api.machine_routes import MACHINE_ROUTES
from central.api.raw import Machines
from central.commands import add_site, new_claim
from central.core.order_refusals import NoTrustError
from central.core.settings import HubSettings
from central.core.signing import ClaimKey
from central.operators import OrderDesk
from central.signer.fresh import Repository
from central.signer.keys import OnlineKeys
from central.signer.ledger import Ledger
from central.signer.signer import Signer
from central.signer_link import SignerLink
from central.state import Hub, load_registry
from central.store.check_ins import CheckInGroups
from central.store.engine import open_store
from central.store.migrate import migrate
from central.store.registry import Registry
from proto.claim import ClaimCode, parse_claim_code
from proto.errors import RejectedError, UnreachableError
from proto.grants import Trust
from proto.hub.enroll import PATH_ENROLL
from proto.ids import SiteId
from proto.keys import SEED_BYTES, SigningKey
from proto.phi import default_names, default_policy
from proto.phi.admission import Looker
from proto.trust_root import TrustRoot, fingerprint, open_first, sign_root
from runtime import sqlite
from runtime.clock import Clock, Entropy
from runtime.log import logger
from runtime.sqlite import Connect
from tests.fakes.box import Box
from tests.fakes.clock import ManualClock, SeededEntropy

ORIGIN = "https://hub.example:8443"
ROOT_LIFE_S = 365 * 86_400


class Fault(StrEnum):
    """What the network does to one exchange."""

    REQUEST_LOST = "request_lost"
    REPLY_LOST = "reply_lost"
    TWICE = "twice"


@dataclass(frozen=True, slots=True)
class HubSecrets:
    """A hub's keys and its trust root, the same for every start of one hub."""

    root_key: SigningKey
    keys: OnlineKeys
    claims: ClaimKey
    root: bytes


TrustAt = Callable[[int], Trust]


def no_trust(_now_s: int) -> Trust:
    """Be a hub whose people made no ceremony: nothing can be ordered."""
    msg = "there is no authority"
    raise NoTrustError(msg)


@contextmanager
def signer_beside(
    store: Path,
    *,
    secrets: HubSecrets,
    clock: Clock,
    entropy: Entropy,
    trust: TrustAt = no_trust,
) -> Iterator[SignerLink]:
    """Run a hub's signer in this very process, over a file beside the hub's store.

    The same frames go both ways as through the socket.
    """
    with closing(sqlite.plain(store.with_suffix(".signer"), read_only=False)) as ledger:
        signer = Signer(
            secrets.keys,
            Ledger(ledger),
            hub_origin=ORIGIN,
            trust=trust,
            repository=Repository.of(store.parent, pinned=None),
            clock=clock,
            entropy=entropy,
        )

        async def talk(frame: bytes) -> bytes:
            return signer.answer(frame)

        yield SignerLink(talk)


def make_secrets(entropy: Entropy, *, now_s: int, origin: str = ORIGIN) -> HubSecrets:
    """Make a hub's keys and sign its trust root."""
    root_key, head, log = (SigningKey(entropy(SEED_BYTES)) for _ in range(3))
    root = TrustRoot(
        version=1,
        hub_origin=origin,
        root_key=root_key.public,
        head_keys=(head.public,),
        log_keys=(log.public,),
        created=now_s,
        expires=now_s + ROOT_LIFE_S,
    )
    claims = ClaimKey(entropy(32))
    online = {"order": SigningKey(entropy(SEED_BYTES)), "head": head, "log": log}
    keys = OnlineKeys({kind: (key,) for kind, key in online.items()})
    return HubSecrets(root_key, keys, claims, sign_root(root, root_key))


@dataclass(slots=True)
class InProcessHub:
    """A hub and the way to it.

    Attributes:
        faults: what happens to the next exchanges, first first; empty is a good network.
        away: while true nothing gets through.
    """

    hub: Hub
    app: Machines
    faults: list[Fault] = field(default_factory=list)
    away: bool = False

    async def post(self, path: str, body: bytes) -> bytes:
        """Send a request; the errors of `ports.HubTransport.send`."""
        fault = self.faults.pop(0) if self.faults else None
        if self.away or fault is Fault.REQUEST_LOST:
            msg = "hub: no answer"
            raise UnreachableError(msg)
        if fault is Fault.TWICE:
            await self.request("POST", path, body)
        status, answer = await self.request("POST", path, body)
        if fault is Fault.REPLY_LOST:
            msg = "hub: the answer was lost"
            raise UnreachableError(msg)
        return _judged(status, answer)

    async def get(self, path: str) -> bytes:
        """Return what the hub serves at a path."""
        return _judged(*await self.request("GET", path, b""))

    async def request(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Pass one request through the hub's application; return its status and body."""
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": []}
        await self.app(scope, receive, send)
        return sent[0]["status"], b"".join(one["body"] for one in sent[1:])

    async def claim(self, label: str = "Clinic") -> tuple[SiteId, ClaimCode]:
        """Add a site and return a claim code for it."""
        site = await add_site(self.hub, label)
        return site, parse_claim_code(await new_claim(self.hub, site))


def _judged(status: int, answer: bytes) -> bytes:
    if status == 200:
        return answer
    said = f"status {status}: {answer[:200]!r}"
    if status >= 500:
        raise UnreachableError(said)
    raise RejectedError(said)


@asynccontextmanager
async def running_hub(
    path: Path,
    *,
    clock: Clock,
    entropy: Entropy,
    secrets: HubSecrets,
    settings: HubSettings | None = None,
    connect: Connect | None = None,
    url: str | None = None,
    trust: TrustAt = no_trust,
) -> AsyncIterator[InProcessHub]:
    """Run a hub over the store at `path` (or `url`) until the block ends, and its signer."""
    store = open_store(url or f"sqlite:///{path}", connect=connect)
    await migrate(store)
    with signer_beside(path, secrets=secrets, clock=clock, entropy=entropy, trust=trust) as signer:
        hub = Hub(
            origin=ORIGIN,
            root=secrets.root,
            claims=secrets.claims,
            signer=signer,
            desk=OrderDesk(lambda now_s: trust(now_s).authority, {}),
            store=store,
            registry=Registry(ORIGIN),
            check_ins=CheckInGroups(store),
            settings=settings or HubSettings(),
            looker=Looker(default_policy(), default_names()),
            closed={},
            clock=clock,
            entropy=entropy,
            log=logger("hub"),
        )
        await load_registry(hub)
        worker = asyncio.create_task(hub.check_ins.run())
        try:
            yield InProcessHub(hub, Machines(hub, MACHINE_ROUTES))
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
            await store.close()


@dataclass(slots=True)
class Trial:
    """What a test of the hub needs: the hub, its root, and time and randomness that it owns."""

    net: InProcessHub
    root: TrustRoot
    clock: ManualClock
    entropy: SeededEntropy
    secrets: HubSecrets
    path: Path

    @property
    def now_s(self) -> int:
        """The time in seconds."""
        return self.clock.now_ms() // 1000

    async def box(self, label: str = "Clinic") -> Box:
        """Return an appliance that enrolled at a new site."""
        _, code = await self.net.claim(label)
        box = Box.make(self.entropy)
        answer = await self.net.post(PATH_ENROLL, box.enroll_request(code, now_s=self.now_s))
        box.enrolled(answer, self.root)
        return box

    async def count(self, table: Table) -> int:
        """Return how many rows a table has."""
        async with self.net.hub.store.read() as connection:
            return int(await connection.scalar(select(func.count()).select_from(table)) or 0)


@asynccontextmanager
async def trial(
    path: Path, *, url: str | None = None, trust: TrustAt = no_trust
) -> AsyncIterator[Trial]:
    """Run a fresh hub for one test."""
    clock, entropy = ManualClock(), SeededEntropy()
    secrets = make_secrets(entropy, now_s=clock.now_ms() // 1000)
    root = open_first(secrets.root, pinned=fingerprint(secrets.root))
    store = path / "hub.db"
    async with running_hub(
        store, clock=clock, entropy=entropy, secrets=secrets, url=url, trust=trust
    ) as net:
        yield Trial(net, root, clock, entropy, secrets, store)

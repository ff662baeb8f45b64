"""A hub's files, its signer and an appliance that all go on while keys are rotated.

The hub is set up by its own command, with a development trust: every person is there. The signer is
the real one over the real files, the content job takes in what people publish, and the appliance
verifies content, follows the log and gates orders with its own code. Nothing is started anew.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance.core.order_gate.values import Accepted, Footing
from appliance.core.trusted import Part, read_set
from appliance.handlers.orders.gating import gate_orders, orders_origin
from appliance.handlers.orders.running import carry_out
from appliance.handlers.work import Work
from appliance.shell.content_source import AbsentError
from appliance.tasks import order_talk
from central import config as configuration
from central import setup
from central.core import signer_place
from central.core.orders import Wish
from central.jobs.content import ContentJob
from central.repository import HubRepository, tell_renewed
from central.signer.fresh import Repository
from central.signer.keys import load_keys
from central.signer.ledger import Ledger
from central.signer.signer import Signer
from central.signer.trust import OwnTrust
from central.signer_link import SignerLink
from proto import note, strict_json
from proto.envelope import Kind, open_envelope, parse, sign
from proto.errors import RejectedError
from proto.hub.check_in import NOTHING_ACKNOWLEDGED, Head
from proto.hub.orders import OrdersReply, OrdersRequest
from proto.hub.outgoing import Outgoing, wire
from proto.keys import PublicKey, SigningKey, trust_one
from proto.keysets import Role
from proto.orders.kinds import OrderType
from proto.release_keys import tuf_key_id
from runtime import sqlite
from runtime.clock import system_entropy
from runtime.log import logger
from tests.fakes.clock import ManualClock, SeededEntropy
from tests.unit import order_world
from tests.unit.content_world import Reader
from tests.unit.order_site import ABILITIES, HANDS, Site, alive
from tests.unit.order_world import APPLIANCE, body, having, key
from tests.unit.reference_set import as_files, whole_texts
from tests.unit.signer_world import BOX, SITE, wish

CONTENT = as_files(whole_texts())
ORIGIN = "https://hub.example"
HOUR_S = 3600


@dataclass(frozen=True)
class Served:
    """What the hub serves, read from where it lies."""

    directory: Path
    now_s: int

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes; see `appliance.shell.content_source.Source`."""
        path = self.directory / name
        if not path.is_file():
            raise AbsentError(name)
        yield path.read_bytes()


@dataclass
class Hub:
    """`ports.HubTransport` of the hub: every answer's signatures are the signer's."""

    link: SignerLink
    clock: ManualClock

    async def send(self, message: Outgoing, /) -> bytes:
        """Answer a question for orders."""
        assert isinstance(message, OrdersRequest)
        raw = wire(message, signer=key("appliance")).body
        trust = trust_one("appliance", key("appliance").public)
        opened = open_envelope(raw, kind=Kind.ORDERS, trust=trust)
        asked = OrdersRequest.from_bytes(opened.body, "", size_bytes_max=10**6)
        stand = await self.link.hear(SITE, BOX, appliances=(BOX,), checkpoint=asked.checkpoint)
        leaves, checkpoint = await self.link.leaves(SITE, first=asked.size)
        now_s = self.clock.now_ms() // 1000
        head = Head(challenge=asked.challenge, time=now_s, state=NOTHING_ACKNOWLEDGED, next_s=60)
        return OrdersReply(
            first=asked.size,
            leaves=tuple(one.envelope.decode() for one in leaves),
            checkpoint=checkpoint if stand.size else None,
            proof=(),
            head=(await self.link.head(head.to_bytes())).decode(),
            opinions=(),
            boxes=(),
            wanted=stand.wanted,
        ).to_bytes()


@dataclass
class Rotation:
    """Everything that runs.

    Attributes:
        link: to the signer.
        work: the appliance.
    """

    config: configuration.Config
    clock: ManualClock
    link: SignerLink
    job: ContentJob
    site: Site
    work: Work
    reader: Reader
    logged: list[bytes] = field(default_factory=list)

    @property
    def repository(self) -> HubRepository:
        """The hub's repository."""
        return HubRepository(self.config.state_dir)

    @property
    def now_s(self) -> int:
        """The time in seconds."""
        return self.clock.now_ms() // 1000

    def pass_time(self, seconds: int) -> None:
        """Let time pass for everybody."""
        self.clock.advance(seconds * 1000)

    async def renew(self, *kinds: str) -> None:
        """Do what `osiris hub keys renew` does; nobody has named the new key yet."""
        for kind in kinds:
            await self.link.renew(kind)
        tell_renewed(self.repository, await self.link.keys(), await self.link.vouchers())

    async def publish(self) -> None:
        """Have people name the hub's newest keys: what a development trust does of itself."""
        await setup.init(self.config, clock=self.clock, entropy=system_entropy, content=CONTENT)

    async def take_in(self) -> None:
        """Let the hub take in what was published, or renew what ends."""
        assert await self.job.look() == ""

    def fetch_content(self) -> None:
        """Let the appliance ask for content."""
        served = Served(self.repository.place.directory, self.now_s)
        self.reader.look(served)  # type: ignore[arg-type]  # a source with the time

    def versions(self) -> tuple[int, int, int]:
        """Return which root, release and grants the appliance holds."""
        assert self.reader.held is not None
        found = self.reader.held.versions
        return found[Part.ROOT], found[Part.RELEASE], found[Part.GRANTS]

    @property
    def footing(self) -> Footing:
        """What the appliance's gate stands on: the content that it verified last."""
        assert self.reader.held is not None
        found = read_set(self.reader.held)
        assert found.trust is not None
        return Footing(found.trust, frozenset(), found.expires_s, ring=0)

    async def order(self, **changes: object) -> bytes:
        """Draft an order and have it signed and logged; return its name."""
        made: Wish = wish(OrderType.RUN_DRIFT, **changes)
        fixed = await self.link.draft(made)
        await self.link.log(fixed.sid, [])
        self.logged.append(fixed.sid)
        return fixed.sid

    async def hear(self) -> None:
        """Let the appliance follow the log; every signature in the answer must count."""
        assert await order_talk.hear(self.work, self.footing)

    async def carry_out(self) -> dict[str, str]:
        """Let the appliance gate and run what it has heard of; return what was refused: why."""
        gated = await gate_orders(self.work, self.footing, abilities=ABILITIES, hands=HANDS)
        runs = self.site.runs()
        for accepted in gated.accepted:
            await carry_out(self.work, accepted, runs[accepted.read.order.type])
        async with self.work.store.read() as conn:
            rows = await conn.execute_fetchall("SELECT sid, code FROM orders WHERE code <> ''")
        return {_hex(row["sid"]): str(row["code"]) for row in rows}

    async def turn(self) -> dict[str, str]:
        """Do what an appliance does between two check-ins."""
        self.fetch_content()
        await self.hear()
        return await self.carry_out()

    def key(self, kind: str) -> SigningKey:
        """Return the former key of a kind, as somebody copies it who takes the hub."""
        return setup.Place(self.config.state_dir).signing_key(kind)

    async def signed_by(self, sid: bytes) -> int:
        """Return which of the two order keys signed an order: 0 the former, 1 the next."""
        leaves, _ = await self.link.leaves(SITE, first=0)
        (leaf,) = (one for one in leaves if one.sid == sid)
        held = [one.key_id for one in (await self.link.keys())["order"]]
        (key_id,) = parse(leaf.envelope).key_ids
        return held.index(key_id)

    async def which_signs(self, kind: str) -> int:
        """Return which key of a kind signs now: 0 is the former, 1 the next."""
        held = (await self.link.keys())[kind]
        if kind == "timestamp":
            data = self.repository.place.read(Role.TIMESTAMP, 0)
            said = json.loads(data)
            (one,) = said["signatures"]
            return [tuf_key_id(key) for key in held].index(one["keyid"])
        if kind == "log":
            _, text = await self.link.leaves(SITE, first=0)
            origin = orders_origin(self.work)
            return next(
                place for place, key in enumerate(held) if _opens(text.encode(), origin, key)
            )
        head = Head(
            challenge=strict_json.b64_encode(bytes(16)),
            time=self.now_s,
            state=NOTHING_ACKNOWLEDGED,
            next_s=60,
        )
        (key_id,) = parse(await self.link.head(head.to_bytes())).key_ids
        return [key.key_id for key in held].index(key_id)

    def verdict_on(self, signer: SigningKey) -> str:
        """Return what the appliance's gate says of an order that only this key signed, now."""
        made = body(iat=self.now_s, not_before=self.now_s, exp=self.now_s + HOUR_S)
        leaf = sign(Kind.ORDER, strict_json.dumps(made), signer)
        now = having("moment", now_s=self.now_s, clock_s=self.now_s, answered_s=self.now_s)
        verdict = order_world.verdict_on(leaf, replace(now, trust=self.footing.trust))
        return "accepted" if isinstance(verdict, Accepted) else str(verdict.code)

    def ran(self, sid: bytes) -> int:
        """Return how often an order ran."""
        return self.site.ran[sid.hex()]


def _opens(text: bytes, origin: str, key: PublicKey) -> bool:
    try:
        note.open_checkpoint(text, origin=origin, log_keys=(key,))
    except RejectedError:
        return False
    return True


def _hex(value: bytes | str) -> str:
    return value.hex() if isinstance(value, bytes) else value


@asynccontextmanager
async def rotating(directory: Path) -> AsyncIterator[Rotation]:
    """Run a hub's signer and an appliance of its site until the block ends."""
    clock = ManualClock()
    (directory / "hub").mkdir()
    file = directory / "hub.toml"
    state = directory / "hub" / "state"
    text = configuration.as_toml(origin=ORIGIN, state_dir=state, host="127.0.0.1", port=443)
    file.write_text(text, "utf-8")
    config = configuration.read(file)
    await setup.init(config, clock=clock, entropy=system_entropy, content=CONTENT)
    with closing(sqlite.plain(state / signer_place.LEDGER, read_only=False)) as ledger:
        root = setup.load_root(setup.Place(state))[1]
        signer = Signer(
            load_keys(state),
            Ledger(ledger),
            hub_origin=root.hub_origin,
            trust=OwnTrust(state, pinned=root.content_root),
            repository=Repository.of(state, pinned=root.content_root),
            clock=clock,
            entropy=SeededEntropy(9),
        )

        async def talk(frame: bytes) -> bytes:
            return signer.answer(frame)

        link = SignerLink(talk)
        site = Site(directory / "appliance.db", clock=clock)
        async with alive(site, hub=Hub(link, clock)) as (work, _):
            assert work.scribe.appliance == APPLIANCE
            first_root = HubRepository(state).place.read(Role.ROOT, 1)
            made = Rotation(
                config=config,
                clock=clock,
                link=link,
                job=ContentJob(state, link, clock=clock, log=logger("hub")),
                site=site,
                work=work,
                reader=Reader(directory / "tuf", first_root),
            )
            await made.turn()
            yield made

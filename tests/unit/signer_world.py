"""A signer over a file of a test's own, with the keys and people of `order_world`."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from central.core.order_signing import Rates
from central.core.orders import Approval, Fixed, OrderLeaf, Wish
from central.core.signer_place import SIGNER_KEYS
from central.signer.fresh import Repository
from central.signer.keys import OnlineKeys
from central.signer.ledger import Ledger
from central.signer.signer import Signer
from central.signer_link import SignerLink, Talk
from proto.envelope import Kind, signature_of
from proto.grants import Trust
from proto.ids import ApplianceId, SiteId
from proto.order_log import Batch, Mirror, follow, origin_of
from proto.orders.kinds import OrderType, Tier
from proto.orders.registry import kind_of
from runtime import sqlite
from tests.fakes.clock import ManualClock, SeededEntropy
from tests.unit import core_values, order_world
from tests.unit.order_world import key

HUB_ORIGIN = "https://hub.example:8443"
SITE = SiteId(core_values.SITE)
BOX = ApplianceId(order_world.APPLIANCE)
OTHER_BOX = ApplianceId(order_world.OTHER_APPLIANCE)
ORIGIN = origin_of("hub.example:8443", SITE)
LOG_KEYS = (key("log").public,)

Open = Callable[[Path], sqlite3.Connection]


def opened(path: Path) -> sqlite3.Connection:
    """Open the ledger's file as the process does."""
    return sqlite.plain(path, read_only=False)


@dataclass
class SignerWorld:
    """A signer that can be ended and begun again; its file is all that stays."""

    path: Path
    trust: Trust = order_world.TRUST
    rates: Rates = field(default_factory=Rates)
    keys: OnlineKeys = field(
        default_factory=lambda: OnlineKeys({kind: (key(kind),) for kind in SIGNER_KEYS})
    )
    clock: ManualClock = field(default_factory=ManualClock)
    entropy: SeededEntropy = field(default_factory=SeededEntropy)
    open: Open = opened
    talk: Talk = field(init=False)
    _connection: sqlite3.Connection | None = None

    def start(self, *, hears: bool = True) -> SignerLink:
        """Begin a signer's process, in which the site's one appliance has spoken, or not."""
        self.end()
        self._connection = self.open(self.path)
        signer = Signer(
            self.keys,
            Ledger(self._connection),
            hub_origin=HUB_ORIGIN,
            trust=lambda _now_s: self.trust,
            repository=Repository.of(self.path.parent, pinned=None),
            clock=self.clock,
            entropy=self.entropy,
            rates=self.rates,
        )

        async def talk(frame: bytes) -> bytes:
            return signer.answer(frame)

        self.talk = talk
        if hears:
            frame = b'{"op":"hear","site":"%b","appliance":"%b","appliances":["%b"],' % (
                SITE.encode(),
                BOX.encode(),
                BOX.encode(),
            )
            signer.answer(frame + b'"checkpoint":null}')
        return SignerLink(talk)

    def end(self) -> None:
        """End it as a kill would: what was not committed is gone."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def now_s(self) -> int:
        """The time in seconds."""
        return self.clock.now_ms() // 1000


def wish(order_type: OrderType = OrderType.RUN_DRIFT, **changes: object) -> Wish:
    """Return a wish for the site's appliance, for as many people as its type needs."""
    tier = kind_of(order_type).tier
    made: dict[str, object] = {
        "site": SITE,
        "appliance": BOX,
        "type": order_type,
        "params": order_world.PARAMS.get(order_type, {}),
        "tier": tier,
        "people": {Tier.CHANGE: 1, Tier.DANGEROUS: 2}.get(tier, 0),
        "life_s": 3600,
        "not_before_s": 0,
        "reason": "asked for in a test",
        "by": "ada",
    }
    return Wish(**(made | changes))  # type: ignore[arg-type]


def approval(name: str, body: bytes) -> Approval:
    """Return a person's signature over a body."""
    return Approval(name, signature_of(Kind.ORDER, body, signer=key(name)))


async def order(link: SignerLink, *people: str, of: Wish | None = None) -> tuple[OrderLeaf, str]:
    """Draft an order, have people sign it, and have it logged."""
    fixed: Fixed = await link.draft(of or wish())
    return await link.log(fixed.sid, [approval(name, fixed.body) for name in people])


def mirrored(leaves: Sequence[OrderLeaf], checkpoint: str) -> Mirror:
    """Follow a log as an appliance does; raises when the leaves do not lead to the checkpoint."""
    envelopes = tuple(leaf.envelope for leaf in leaves)
    batch = Batch(0, envelopes, checkpoint.encode("utf-8"))
    return follow(Mirror(ORIGIN), batch, log_keys=LOG_KEYS)

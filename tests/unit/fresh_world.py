"""A signer over a repository on the disk, and a hub that may ask it anything and write anywhere."""

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from central.core.order_refusals import NoTrustError
from central.core.order_signing import Rates
from central.core.signer_place import SIGNER_KEYS
from central.core.signer_talk import AskFresh, Fresh
from central.signer.fresh import Repository
from central.signer.keys import OnlineKeys
from central.signer.ledger import Ledger
from central.signer.signer import Signer
from central.signer_link import SignerLink
from proto.grants import Trust
from proto.keysets import Role
from runtime import sqlite
from runtime.repository.freshness import Freshened, finish, take_in
from runtime.repository.layout import Place
from runtime.repository.saying import FreshPublics, Said
from tests.fakes.clock import ManualClock, SeededEntropy
from tests.fakes.repository import RepositoryWorld


def _no_orders(_now_s: int) -> Trust:
    msg = "no orders here"
    raise NoTrustError(msg)


@dataclass
class FreshWorld:
    """A repository whose first root is pinned, and the signer's file.

    Attributes:
        world: the repository and everybody's keys.
        keys: what the signer holds.
    """

    directory: Path
    rates: Rates = field(default_factory=Rates)
    clock: ManualClock = field(default_factory=ManualClock)
    entropy: SeededEntropy = field(default_factory=lambda: SeededEntropy(7))
    world: RepositoryWorld = field(init=False)
    keys: OnlineKeys = field(init=False)

    def __post_init__(self) -> None:
        """Publish the first of everything; nothing is taken in yet."""
        now_s = self.clock.now_ms() // 1000
        self.world = RepositoryWorld(self.directory / "hub", now_s=now_s)
        self.keys = OnlineKeys({kind: (self.world.online[kind],) for kind in SIGNER_KEYS})
        self.world.publish_first()
        self.pinned = hashlib.sha256(self.world.incoming.read(Role.ROOT, 1)).digest()

    @contextmanager
    def signer(self) -> Iterator[SignerLink]:
        """Run the signer for a while; its file stays."""
        both = Place(self.world.incoming.directory, beneath=self.world.place)
        path = self.directory / "signer.db"
        with closing(sqlite.plain(path, read_only=False)) as connection:
            signer = Signer(
                self.keys,
                Ledger(connection),
                hub_origin="https://hub.example:8443",
                trust=_no_orders,
                repository=Repository(both, self.pinned),
                clock=self.clock,
                entropy=self.entropy,
                rates=self.rates,
            )

            async def talk(frame: bytes) -> bytes:
                return signer.answer(frame)

            yield SignerLink(talk)

    @property
    def now_s(self) -> int:
        """The time in seconds."""
        return self.clock.now_ms() // 1000

    async def take_in(self, link: SignerLink) -> Freshened:
        """Let the hub take in what was published, and have it said to be current."""
        place, incoming = self.world.place, self.world.incoming.directory
        held = await link.keys()
        publics = FreshPublics(held["snapshot"], held["timestamp"])
        taken = take_in(place, incoming, publics, now_s=self.now_s)
        listed = taken.wanted.listed
        told = await link.fresh(
            asking(taken.wanted.root, **{role.value: one for role, one in listed.items()})
        )
        texts = {Role.SNAPSHOT: told.snapshot_document, Role.TIMESTAMP: told.timestamp_document}
        documents = {role: text.encode() for role, text in texts.items() if text is not None}
        said = Said(taken.wanted.root, told.snapshot, told.timestamp, listed, documents)
        return finish(place, incoming, taken, said)


def asking(root: int, *, release: int = 0, grants: int = 0, promoted: int = 0) -> AskFresh:
    """Return the question which content is current."""
    return AskFresh(root=root, release=release, grants=grants, promoted=promoted)


def nothing_new(told: Fresh) -> bool:
    """Tell whether an answer holds no signature."""
    return told.snapshot_document is None and told.timestamp_document is None

"""A content repository as a development trust makes it, and what people could do with its keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proto.keys import SEED_BYTES, Holder, SigningKey
from proto.keysets import Role
from runtime.repository import development
from runtime.repository.documents import (
    COMPACT,
    Making,
    RootPlan,
    add_signatures,
    make_root,
    make_targets,
    parse,
)
from runtime.repository.freshness import Freshened, freshen
from runtime.repository.hub_keys import HubKeys
from runtime.repository.layout import Place
from runtime.repository.saying import FreshKeys
from tests.fakes.clock import SeededEntropy
from tests.unit.reference_set import as_files, whole_texts

NOW_S = 1_790_000_000
HUB_KEYS = ("snapshot", "timestamp", "promoted", "order", "head", "log")


@dataclass
class RepositoryWorld:
    """A repository, the directory that publications come by, and everybody's private keys.

    Attributes:
        place: what a hub serves as `/content/`.
        incoming: what is published lies here until the hub takes it in.
    """

    directory: Path
    now_s: int = NOW_S
    content: Mapping[str, bytes] = field(default_factory=lambda: as_files(whole_texts()))
    entropy: SeededEntropy = field(default_factory=SeededEntropy)

    def __post_init__(self) -> None:
        """Make the keys."""
        self.place = Place(self.directory / "content")
        self.incoming = Place(self.directory / "incoming", is_durable=False)
        self.people = dict(development.make_people(self.entropy))
        self.online = {name: self.key() for name in HUB_KEYS}
        self.former: dict[str, tuple[SigningKey, ...]] = {}

    def key(self) -> SigningKey:
        """Return another private key."""
        return SigningKey(self.entropy(SEED_BYTES))

    @property
    def hub(self) -> HubKeys:
        """The public halves of the hub's online keys."""
        return HubKeys(
            "https://hub.example:8443",
            vouched={},
            **{name: key.public for name, key in self.online.items()},
        )

    @property
    def fresh_keys(self) -> FreshKeys:
        """The hub's keys of freshness, and those that they followed."""
        held = [
            (*self.former.get(name, ()), self.online[name]) for name in ("snapshot", "timestamp")
        ]
        return FreshKeys(*held)

    def first(self) -> Freshened:
        """Publish the first release and let the hub take it in."""
        self.publish_first()
        return self.take_in()

    def publish_first(self) -> None:
        """Publish the first release."""
        development.publish_first(
            self.incoming, self.people, self.hub, self.content, now_s=self.now_s
        )

    def take_in(self) -> Freshened:
        """Let the hub do its half."""
        return freshen(self.place, self.incoming.directory, self.fresh_keys, now_s=self.now_s)

    def release(self, version: int, content: Mapping[str, bytes] | None = None) -> None:
        """Publish a release, whole and signed."""
        if content is not None:
            self.content = content
        development.publish_release(
            self.incoming, self.people, self.hub, self.content, version=version, now_s=self.now_s
        )

    def publish_what_is_due(self, content: Mapping[str, bytes]) -> None:
        """Publish what is half over or is of other content, as `osiris hub init` does again."""
        self.content = content
        over = Place(self.incoming.directory, beneath=self.place, is_durable=False)
        development.publish_what_is_due(over, self.people, self.hub, self.content, now_s=self.now_s)

    def holders(self, role: Role) -> tuple[Holder, ...]:
        """Return who holds a role's keys."""
        return tuple(
            Holder(person, key.public)
            for (its_role, person), key in self.people.items()
            if its_role is role
        )

    def root_plan(self, **changed: object) -> RootPlan:
        """Return who the next root names: the same as now, but for what is given."""
        plan: dict[str, Any] = {
            "root": self.holders(Role.ROOT),
            "release": self.holders(Role.RELEASE),
            "snapshot": (self.online["snapshot"].public,),
            "timestamp": (self.online["timestamp"].public,),
            "is_development": True,
        }
        return RootPlan(**{**plan, **changed})

    def root(self, version: int, *signers: SigningKey, plan: RootPlan | None = None) -> None:
        """Publish a root that these keys signed."""
        making = Making.of(Role.ROOT, version, now_s=self.now_s)
        document = make_root(plan or self.root_plan(), making)
        self.incoming.write(Role.ROOT, version, add_signatures(document, signers))

    def resign(self, role: Role, version: int, *signers: SigningKey) -> None:
        """Publish a document of this role, as it is, under other signatures."""
        source = Place(self.incoming.directory, beneath=self.place)
        document = make_targets({}, Making.of(role, version, now_s=self.now_s))
        if source.newest(role) >= version:
            document = unsigned(source.read(role, version))
        self.incoming.metadata(role, version).unlink(missing_ok=True)
        self.incoming.write(role, version, add_signatures(document, signers))


def unsigned(data: bytes) -> bytes:
    """Return a document without its signatures."""
    document = parse(data, "document")
    document.signatures.clear()
    return document.to_bytes(COMPACT)

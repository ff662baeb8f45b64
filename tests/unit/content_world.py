"""A repository of release content, its people and whoever attacks it, for tests of its readers.

Every document is made and signed by the project's own writer over python-tuf, so that an attack
differs from an honest repository in nothing but the attack.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from appliance.core.trusted import Carrier, SignedSet
from appliance.shell.content_source import AbsentError
from appliance.shell.content_verify import Asked, verify
from proto import strict_json
from proto.catalog.load import content_digest
from proto.keys import Holder, SigningKey
from proto.keysets import DAY_S, ROLES, Role
from proto.release_keys import (
    AUTHORITY_TARGET,
    CONTENT_PREFIX,
    GRANTS_TARGET,
    POLICY_TARGET,
)
from runtime.repository.documents import (
    DelegationPlan,
    Making,
    RootPlan,
    add_signatures,
    described,
    make_root,
    make_snapshot,
    make_targets,
    make_timestamp,
)
from runtime.repository.layout import digest_of, metadata_name
from tests.unit import order_world as orders
from tests.unit.order_world import NOW, key

SITE = "s-aaaaaaaaaa"
ROOTS = ("root-1", "root-2", "root-3")
RELEASERS = ("rel-1", "rel-2", "rel-3")
OPERATORS = ("ada", "bea")
CONTENT = {"checks/linux/one.yaml": b"id: one\n", "l1/linux/two.yaml": b"id: two\n"}
NEWER = CONTENT | {"checks/linux/one.yaml": b"id: one more\n"}


def holders(names: Iterable[str]) -> tuple[Holder, ...]:
    """Return who holds the keys of these names; `ada/2` is the second key of ada."""
    return tuple(Holder(name.partition("/")[0], key(name).public) for name in names)


def keys_of(names: Iterable[str]) -> list[SigningKey]:
    """Return the private keys of these names."""
    return [key(name) for name in names]


@dataclass(slots=True)
class Repository:
    """A hub's repository as its files by name; a test changes what it likes.

    Attributes:
        now_s: when what is published next is made.
        asked: the names that were asked for, in order.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    now_s: int = NOW
    asked: list[str] = field(default_factory=list)
    current: dict[Role, int] = field(default_factory=dict)
    plan: RootPlan = field(
        default_factory=lambda: RootPlan(
            root=holders(ROOTS),
            release=holders(RELEASERS),
            snapshot=(key("snapshot").public,),
            timestamp=(key("timestamp").public,),
        )
    )

    def chunks(self, name: str) -> Iterator[bytes]:
        """Be a source; see `appliance.shell.content_source.Source`."""
        self.asked.append(name)
        if name not in self.files:
            raise AbsentError(name)
        yield self.files[name]

    def document(self, role: Role, version: int = 0) -> bytes:
        """Return a document of the repository, the newest by default."""
        return self.files[_name(role, version or self.current.get(role, 0))]

    def put(self, role: Role, version: int, data: bytes) -> None:
        """Put a document there, and take it for the current one."""
        self.files[_name(role, version)] = data
        self.current[role] = version

    def root(self, version: int, *signers: str, plan: RootPlan | None = None) -> bytes:
        """Publish a root, signed by whom a test likes; return its bytes."""
        self.plan = plan or self.plan
        made = make_root(self.plan, Making.of(Role.ROOT, version, now_s=self.now_s))
        self.put(Role.ROOT, version, add_signatures(made, keys_of(signers or ROOTS[:2])))
        return self.document(Role.ROOT)

    def release(
        self,
        version: int,
        content: Mapping[str, bytes] = CONTENT,
        *,
        signers: Iterable[str] = RELEASERS[:2],
        operators: Iterable[str] = OPERATORS,
        more: Mapping[str, bytes] | None = None,
        **changes: Mapping[str, Any],
    ) -> None:
        """Publish a release of some content; `authority` and `policy` change members of these."""
        targets = {f"{CONTENT_PREFIX}{path}": data for path, data in content.items()}
        targets[AUTHORITY_TARGET] = authority(version, self.now_s, changes.get("authority", {}))
        targets[POLICY_TARGET] = policy(version, content, self.now_s, changes.get("policy", {}))
        targets |= more or {}
        plan = DelegationPlan(holders(operators), key("promoted").public)
        self._targets(Role.RELEASE, version, targets, signers, plan=plan)

    def grants(
        self,
        version: int,
        *,
        signers: Iterable[str] = OPERATORS,
        more: Mapping[str, bytes] | None = None,
        **changes: int,
    ) -> None:
        """Publish grants."""
        life = {"version": version, "created": self.now_s, "expires": self.now_s + 10 * DAY_S}
        grant = orders.grant(not_before=self.now_s, not_after=self.now_s + 5 * DAY_S)
        data = strict_json.dumps(orders.grants(grant, **(life | changes)))
        self._targets(Role.GRANTS, version, {GRANTS_TARGET: data, **(more or {})}, signers)

    def promoted(self, version: int, rules: Mapping[str, bytes], *signers: str) -> None:
        """Publish promoted rules by path."""
        self._targets(Role.PROMOTED, version, rules, signers or ("ada", "promoted"))

    def _targets(
        self,
        role: Role,
        version: int,
        files: Mapping[str, bytes],
        signers: Iterable[str],
        *,
        plan: DelegationPlan | None = None,
    ) -> None:
        made = make_targets(
            {path: described(path, data) for path, data in files.items()},
            Making.of(role, version, now_s=self.now_s),
            delegations=plan,
        )
        for path, data in files.items():
            directory, slash, name = path.rpartition("/")
            self.files[f"targets/{directory}{slash}{digest_of(data)}.{name}"] = data
        self.put(role, version, add_signatures(made, keys_of(signers)))

    def snapshot(self, version: int, *signers: str) -> None:
        """Say which documents belong together."""
        listed: dict[Role, bytes] = {
            role: self.document(role)
            for role in (Role.RELEASE, Role.GRANTS, Role.PROMOTED)
            if role in self.current
        }
        made = make_snapshot(listed, Making.of(Role.SNAPSHOT, version, now_s=self.now_s))
        self.put(Role.SNAPSHOT, version, add_signatures(made, keys_of(signers or ("snapshot",))))

    def timestamp(self, version: int, *signers: str, life_s: int | None = None) -> None:
        """Say that the snapshot is current."""
        making = Making.of(Role.TIMESTAMP, version, now_s=self.now_s)
        if life_s is not None:
            making = replace(making, life_s=life_s)
        made = make_timestamp(self.document(Role.SNAPSHOT), making)
        self.put(Role.TIMESTAMP, version, add_signatures(made, keys_of(signers or ("timestamp",))))

    def say_current(self, version: int) -> None:
        """Write a snapshot and a timestamp of this version."""
        self.snapshot(version)
        self.timestamp(version)


def _name(role: Role, version: int) -> str:
    return f"metadata/{metadata_name(role, version)}"


def authority(version: int, now_s: int, changes: Mapping[str, Any]) -> bytes:
    """Return an authority file."""
    made = orders.authority(
        version=version,
        created=now_s,
        expires=now_s + 60 * DAY_S,
        people=[orders.person(name) for name in OPERATORS],
    )
    return strict_json.dumps({**made, **changes})


def policy(
    version: int, content: Mapping[str, bytes], now_s: int, changes: Mapping[str, Any]
) -> bytes:
    """Return a policy file: one ring, at once."""
    made: dict[str, Any] = {
        "v": 1,
        "version": version,
        "created": now_s,
        "expires": now_s + ROLES[Role.RELEASE].life_s,
        "rings": [{"name": "all", "after_s": 0, "sites": "all"}],
        "rollout": {"content": content_digest(content), "started": now_s, "is_halted": False},
        "download_hosts": [],
    }
    return strict_json.dumps({**made, **changes})


def honest(now_s: int = NOW) -> Repository:
    """Return a repository that holds: root 1, release 1, grants 1."""
    made = Repository(now_s=now_s)
    made.root(1)
    made.release(1)
    made.grants(1)
    made.say_current(1)
    return made


@dataclass(slots=True)
class Reader:
    """An appliance's client with a disk of its own."""

    home: Path
    first_root: bytes
    held: SignedSet | None = None
    runs: str = "00" * 32

    def look(self, repository: Repository, *, now_s: int | None = None) -> SignedSet:
        """Look at a repository, and hold what it offers."""
        asked = Asked(
            home=self.home,
            first_root=self.first_root,
            held=self.held,
            site=SITE,
            runs=self.runs,
            at_hand={},
            carrier=Carrier.HUB,
            now_s=repository.now_s if now_s is None else now_s,
        )
        self.held = verify(asked, repository)
        return self.held


def reader_of(repository: Repository, home: Path) -> Reader:
    """Return a client that was enrolled at a repository."""
    return Reader(home, repository.document(Role.ROOT, 1))

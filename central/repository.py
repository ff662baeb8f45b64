"""The hub's content repository: where it lies, how it is first made, and how it is kept fresh.

```
content/metadata content/targets      what is served as `/content/`
incoming/metadata incoming/targets    what people published and the hub has not taken in yet
development/<person>.<role>.key       a development trust's people, all of them; else not there
trust/hub-keys.json                   the public halves of the online keys, for a ceremony
```

python-tuf is loaded only when there is something to write.
"""

import asyncio
import fcntl
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from central.core.signer_place import NEXT
from central.core.signer_talk import AskFresh, AskPromote, Fresh
from proto import strict_json
from proto.errors import ConfigError, MalformedError, NotFoundError, OsirisError
from proto.grants import GrantSet
from proto.keys import PublicKey, SigningKey
from proto.keysets import DAY_S, Role
from proto.release_keys import GRANTS_TARGET, Life, read_life, read_root
from runtime.clock import Clock, Entropy, seconds
from runtime.repository.hub_keys import FILE_BYTES_MAX, KINDS, HubKeys, Voucher
from runtime.repository.layout import METADATA_BYTES_MAX, Place, read_bounded, write_whole

if TYPE_CHECKING:
    from runtime.repository.freshness import Taken

ReadKey = Callable[[str], SigningKey | None]
"""Gives one of the hub's private keys by its name, None where there is none."""


class Signing(Protocol):
    """Whoever holds the keys of freshness: the signer, or a person's command while none runs."""

    async def keys(self) -> Mapping[str, tuple[PublicKey, ...]]:
        """Return the public keys by kind: the former, and the next if one is to follow."""
        ...

    async def fresh(self, ask: AskFresh) -> Fresh:
        """Say which content is current."""
        ...

    async def promote(self, ask: AskPromote) -> bytes:
        """Sign the hub's half of promoted rules that an operator signed."""
        ...


@dataclass(frozen=True, slots=True)
class HubRepository:
    """The repository of a hub whose state directory this is."""

    state_dir: Path

    @property
    def place(self) -> Place:
        """What is served."""
        return Place(self.state_dir / "content")

    @property
    def incoming(self) -> Path:
        """Where people publish to."""
        return self.state_dir / "incoming"

    @property
    def people(self) -> Path:
        """Where a development trust's people keep their keys."""
        return self.state_dir / "development"

    @property
    def hub_keys(self) -> Path:
        """What a ceremony needs of this hub."""
        return self.state_dir / "trust" / "hub-keys.json"

    def first_root(self) -> bytes | None:
        """Return the first root's bytes, None while there is no repository."""
        try:
            return self.place.read(Role.ROOT, 1)
        except NotFoundError:
            return None

    def content_root(self) -> bytes | None:
        """Return the SHA-256 that the trust root names, and a claim code pins through it."""
        root = self.first_root()
        return None if root is None else hashlib.sha256(root).digest()

    def holds_people(self) -> bool:
        """Whether a development trust's people keep their keys here."""
        return self.people.exists()

    def is_development(self, *, pinned: bytes | None) -> bool:
        """Whether one person holds every key, as the root that the trust root pins says itself.

        A trust of several people is one that shows such a root; without it nothing is claimed.
        """
        data = self.first_root()
        if data is None or hashlib.sha256(data).digest() != pinned:
            return True
        said = strict_json.loads(data, size_bytes_max=METADATA_BYTES_MAX, where="root")
        signed = said.get("signed") if isinstance(said, dict) else None
        return read_root(signed if isinstance(signed, dict) else {}).is_development

    def waits(self) -> bool:
        """Whether somebody published something that was not taken in yet."""
        return bool(self.waiting())

    def waiting(self) -> frozenset[tuple[str, int]]:
        """Return the documents that were published and not taken in yet, and when they came."""
        found = set()
        for path in (self.incoming / "metadata").glob("*.json"):
            # What is gone by now was taken in meanwhile.
            with suppress(FileNotFoundError):
                found.add((path.name, path.lstat().st_mtime_ns))
        return frozenset(found)

    def is_stale(self, *, now_s: int) -> bool:
        """Whether the timestamp is half over, or its time lies ahead of the clock."""
        life = self.life_of(Role.TIMESTAMP)
        if life is None:
            return False
        half = life.created + (life.expires - life.created) // 2
        return now_s >= half or now_s < life.created - DAY_S

    def life_of(self, role: Role) -> Life | None:
        """Return the life of the newest document of a role, None where there is none.

        Raises:
            RejectedError: the file does not hold what it should.
        """
        signed = self._signed(role)
        return None if signed is None else read_life(signed, role)

    def grants_end_s(self) -> int | None:
        """Return when the hub's order key first may do less, in seconds, None where there are none.

        What a former key may do beside the next one ends, and nobody misses it.

        Raises:
            RejectedError: a file does not hold what it should.
            IntegrityError: it holds other bytes than its name says.
        """
        signed = self._signed(Role.GRANTS)
        if signed is None:
            return None
        try:
            digest = str(signed["targets"][GRANTS_TARGET]["hashes"]["sha256"])
        except (KeyError, TypeError):
            msg = f"{self.place.directory}: the grants name no {GRANTS_TARGET}"
            raise MalformedError(msg) from None
        grants = GrantSet.from_bytes(self.place.read_target(GRANTS_TARGET, digest)).document
        ends: dict[tuple[object, object], int] = {}
        for one in grants.grants:
            what = (one.types, one.sites)
            ends[what] = max(ends.get(what, 0), one.not_after)
        return min((grants.expires, *ends.values()))

    def _signed(self, role: Role) -> Mapping[str, Any] | None:
        version = self.place.newest(role)
        file = self.place.metadata(role, version)
        if role is not Role.TIMESTAMP and not version:
            return None
        try:
            data = read_bounded(file, size_bytes_max=METADATA_BYTES_MAX)
        except NotFoundError:
            return None
        said = strict_json.loads(data, size_bytes_max=METADATA_BYTES_MAX, where=str(file))
        signed = said.get("signed") if isinstance(said, dict) else None
        return signed if isinstance(signed, dict) else {}


def tell_keys(repository: HubRepository, origin: str, read_key: ReadKey) -> HubKeys:
    """Write the public halves of the online keys down for a ceremony, and return them.

    Raises:
        ConfigError: a key is missing.
    """
    newest: dict[str, PublicKey] = {}
    vouched: dict[str, Voucher] = {}
    for name in KINDS:
        key, following = read_key(name), read_key(f"{name}.{NEXT}")
        if key is None:
            msg = f"{repository.state_dir}: the key {name} is missing"
            raise ConfigError(msg)
        newest[name] = (following or key).public
        if following is not None:
            vouched[name] = Voucher.of(name, key, following.public)
    return _tell(repository, HubKeys(origin=origin, vouched=vouched, **newest))


def tell_renewed(
    repository: HubRepository,
    keys: Mapping[str, tuple[PublicKey, ...]],
    vouchers: Mapping[str, Voucher],
) -> HubKeys:
    """Write the newest public keys of the signer down for a ceremony, and return all of them.

    Args:
        repository: the hub's.
        keys: the signer's by kind, the newest last.
        vouchers: what its former keys say of those that are to follow.

    Raises:
        NotFoundError: `osiris hub init` wrote none down before.
    """
    data = read_bounded(repository.hub_keys, size_bytes_max=FILE_BYTES_MAX)
    known = HubKeys.from_bytes(data.strip())
    newest = {name: getattr(known, name) for name in KINDS}
    newest |= {kind: held[-1] for kind, held in keys.items()}
    return _tell(repository, HubKeys(known.origin, vouched=vouchers, **newest))


def _tell(repository: HubRepository, keys: HubKeys) -> HubKeys:
    write_whole(repository.hub_keys, keys.to_bytes() + b"\n", is_durable=True)
    return keys


async def make_development(
    repository: HubRepository,
    keys: HubKeys,
    signing: Signing,
    *,
    content: Mapping[str, bytes],
    clock: Clock,
    entropy: Entropy,
) -> None:
    """Make a development trust and publish this content under it; renew what ends within half.

    What is there and holds is left as it is, so this may be asked for again after a crash, when
    grants end, when the hub has a new key, or with the content of a newer program.

    Raises:
        ConfigError: a key or a file cannot be made or read.
    """
    from runtime.repository import development  # noqa: PLC0415 - loads python-tuf

    now_s = seconds(clock)
    people = development.keep_people(repository.people, now_s=now_s, entropy=entropy)
    incoming = Place(repository.incoming, beneath=repository.place, is_durable=False)
    development.publish_what_is_due(incoming, people, keys, content, now_s=now_s)
    problem = await freshen(repository, signing, now_s=now_s)
    if problem:
        msg = f"{repository.incoming}: cannot be taken in: {problem}"
        raise ConfigError(msg)


async def freshen(repository: HubRepository, signing: Signing, *, now_s: int) -> str:
    """Take in what people published and have said what is current; return what does not hold.

    Files are read, checked and written on a thread. One process at a time does it.
    """
    try:
        async with _alone(repository.state_dir):
            keys = await signing.keys()
            refused = await _countersign(repository, signing, keys)
            taken = await asyncio.to_thread(_take_in, repository, keys, now_s)
            wanted = taken.wanted.listed
            ask = AskFresh(
                root=taken.wanted.root,
                release=wanted.get(Role.RELEASE, 0),
                grants=wanted.get(Role.GRANTS, 0),
                promoted=wanted.get(Role.PROMOTED, 0),
            )
            told = await signing.fresh(ask)
            await asyncio.to_thread(_finish, repository, taken, told)
    except OsirisError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename}: {error.strerror}: it must be the hub's own user's"
    return refused or taken.problem


async def _countersign(
    repository: HubRepository, signing: Signing, keys: Mapping[str, tuple[PublicKey, ...]]
) -> str:
    """Have the hub's half of promoted rules signed that wait for it; return what does not hold.

    What is refused lies there as it was published, and is not taken in: nothing else waits for it.
    """
    try:
        ask = await asyncio.to_thread(_to_promote, repository, keys.get(Role.PROMOTED, ()))
        if ask is not None:
            signed = await signing.promote(ask)
            path = Place(repository.incoming).metadata(Role.PROMOTED, ask.promoted)
            await asyncio.to_thread(write_whole, path, signed, is_durable=True)
    except OsirisError as error:
        return str(error)
    return ""


def _to_promote(repository: HubRepository, keys: tuple[PublicKey, ...]) -> AskPromote | None:
    """Return what to ask for; what was signed and is served already is taken from there."""
    from runtime.repository import promoting  # noqa: PLC0415 - loads python-tuf

    incoming = Place(repository.incoming, beneath=repository.place)
    version = max(Place(repository.incoming).versions(Role.PROMOTED), default=0)
    if not version:
        return None
    data = incoming.read(Role.PROMOTED, version)
    if not promoting.lacks_hub(data, keys):
        return None
    if repository.place.metadata(Role.PROMOTED, version).exists():
        served = repository.place.read(Role.PROMOTED, version)
        if promoting.says_the_same(data, served):
            write_whole(
                Place(repository.incoming).metadata(Role.PROMOTED, version), served, is_durable=True
            )
            return None
    return AskPromote(
        root=incoming.newest(Role.ROOT),
        release=incoming.newest(Role.RELEASE),
        promoted=version,
    )


def _take_in(
    repository: HubRepository, keys: Mapping[str, tuple[PublicKey, ...]], now_s: int
) -> "Taken":
    from runtime.repository import freshness, saying  # noqa: PLC0415 - loads python-tuf

    publics = saying.FreshPublics(keys[Role.SNAPSHOT], keys[Role.TIMESTAMP])
    return freshness.take_in(repository.place, repository.incoming, publics, now_s=now_s)


def _finish(repository: HubRepository, taken: "Taken", told: Fresh) -> None:
    from runtime.repository import freshness, saying  # noqa: PLC0415 - loads python-tuf

    texts = {Role.SNAPSHOT: told.snapshot_document, Role.TIMESTAMP: told.timestamp_document}
    documents = {role: text.encode() for role, text in texts.items() if text is not None}
    wanted = taken.wanted
    said = saying.Said(wanted.root, told.snapshot, told.timestamp, wanted.listed, documents)
    freshness.finish(repository.place, repository.incoming, taken, said)


@dataclass(frozen=True, slots=True)
class OwnSigning:
    """`Signing` by the key files themselves: what a person's command does while no signer runs."""

    repository: HubRepository
    read_key: ReadKey
    clock: Clock

    def _held(self, role: Role) -> tuple[SigningKey, ...]:
        held = (self.read_key(role.value), self.read_key(f"{role.value}.{NEXT}"))
        return tuple(key for key in held if key is not None)

    async def keys(self) -> Mapping[str, tuple[PublicKey, ...]]:
        """Return the public keys; see `Signing.keys`."""
        roles = (Role.SNAPSHOT, Role.TIMESTAMP, Role.PROMOTED)
        return {role.value: tuple(key.public for key in self._held(role)) for role in roles}

    async def fresh(self, ask: AskFresh) -> Fresh:
        """Say which content is current; see `Signing.fresh`."""
        return await asyncio.to_thread(self._say, ask)

    async def promote(self, ask: AskPromote) -> bytes:
        """Sign the hub's half of promoted rules; see `Signing.promote`."""
        return await asyncio.to_thread(self._promote, ask)

    def _promote(self, ask: AskPromote) -> bytes:
        from runtime.repository import promoting  # noqa: PLC0415 - loads python-tuf

        wanted = {Role.ROOT: ask.root, Role.RELEASE: ask.release, Role.PROMOTED: ask.promoted}
        both = Place(self.repository.incoming, beneath=self.repository.place)
        held = self._held(Role.PROMOTED)
        return promoting.countersigned(both, held, wanted, now_s=seconds(self.clock))

    def _say(self, ask: AskFresh) -> Fresh:
        from runtime.repository import saying  # noqa: PLC0415 - loads python-tuf

        listed = {Role.RELEASE: ask.release, Role.GRANTS: ask.grants, Role.PROMOTED: ask.promoted}
        said = saying.say_current(
            Place(self.repository.incoming, beneath=self.repository.place),
            saying.FreshKeys(self._held(Role.SNAPSHOT), self._held(Role.TIMESTAMP)),
            saying.Wanted(ask.root, {role: one for role, one in listed.items() if one}),
            now_s=seconds(self.clock),
        )
        return told_of(said.snapshot, said.timestamp, said.documents)


def told_of(snapshot: int, timestamp: int, documents: Mapping[Role, bytes]) -> Fresh:
    """Return what was said, as it is told."""
    told = {role: data.decode("utf-8") for role, data in documents.items()}
    return Fresh(
        snapshot=snapshot,
        timestamp=timestamp,
        snapshot_document=told.get(Role.SNAPSHOT),
        timestamp_document=told.get(Role.TIMESTAMP),
    )


@asynccontextmanager
async def _alone(state_dir: Path) -> AsyncIterator[None]:
    """Keep out another process that would write the repository: `init` beside the daemon."""
    with (state_dir / "content.lock").open("ab") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield

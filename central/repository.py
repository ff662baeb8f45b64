"""The hub's content repository: where it lies, how it is first made, and how it is kept fresh.

```
content/metadata content/targets      what is served as `/content/`
incoming/metadata incoming/targets    what people published and the hub has not taken in yet
development/<person>.<role>.key       a development trust's people, all of them; else not there
trust/hub-keys.json                   the public halves of the online keys, for a ceremony
```

python-tuf is loaded only when there is something to write.
"""

import fcntl
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from proto import strict_json
from proto.errors import ConfigError, MalformedError, NotFoundError, OsirisError
from proto.grants import GrantSet
from proto.keys import SigningKey
from proto.keysets import DAY_S, Role
from proto.release_keys import GRANTS_TARGET, Life, read_life, read_root
from runtime.clock import Clock, Entropy, seconds
from runtime.repository.hub_keys import HubKeys
from runtime.repository.layout import METADATA_BYTES_MAX, Place, read_bounded, write_whole

ONLINE: Final = ("snapshot", "timestamp", "promoted", "order", "head", "log")
"""The hub's online keys that a repository names, each in `keys/<name>.key`."""

ReadKey = Callable[[str], SigningKey]
"""Gives one of `ONLINE` by its name."""


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
        """Return when the first of the hub's grants ends, in seconds, None where there is none.

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
        return min((grants.expires, *(one.not_after for one in grants.grants)))

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
    """Write the public halves of the online keys down for a ceremony, and return them."""
    keys = HubKeys(origin=origin, **{name: read_key(name).public for name in ONLINE})
    write_whole(repository.hub_keys, keys.to_bytes() + b"\n", is_durable=True)
    return keys


def make_development(
    repository: HubRepository,
    keys: HubKeys,
    read_key: ReadKey,
    *,
    content: Mapping[str, bytes],
    clock: Clock,
    entropy: Entropy,
) -> None:
    """Make a development trust and publish this content under it; renew what ends within half.

    What is there and holds is left as it is, so this may be asked for again after a crash, when
    grants end, or with the content of a newer program.

    Raises:
        ConfigError: a key or a file cannot be made or read.
    """
    from runtime.repository import development  # noqa: PLC0415 - loads python-tuf

    now_s = seconds(clock)
    people = development.keep_people(repository.people, now_s=now_s, entropy=entropy)
    incoming = Place(repository.incoming, beneath=repository.place, is_durable=False)
    development.publish_what_is_due(incoming, people, keys, content, now_s=now_s)
    problem = freshen(repository, read_key, now_s=now_s)
    if problem:
        msg = f"{repository.incoming}: cannot be taken in: {problem}"
        raise ConfigError(msg)


def freshen(repository: HubRepository, read_key: ReadKey, *, now_s: int) -> str:
    """Take in what people published and renew what ends; return what does not hold, "" for none.

    A caller that serves runs it on a thread: it reads, writes and checks files. One process at a
    time does it.
    """
    from runtime.repository import freshness  # noqa: PLC0415 - loads python-tuf

    try:
        with _alone(repository.state_dir):
            keys = freshness.FreshKeys(read_key("snapshot"), read_key("timestamp"))
            found = freshness.freshen(repository.place, repository.incoming, keys, now_s=now_s)
    except OsirisError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename}: {error.strerror}: it must be the hub's own user's"
    return found.problem


@contextmanager
def _alone(state_dir: Path) -> Iterator[None]:
    """Keep out another process that would write the repository: `init` beside the daemon."""
    with (state_dir / "content.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""The keys that only the signer's process holds, and how each goes over to the next.

```
keys/<kind>.key        the key that signs
keys/<kind>.next.key   the one that is to follow it, once people have named it
```

A next key is made here, and its private half never leaves. People name it in what they sign: a
grant, the authority, or a root. Which of the two signs is `central.signer.in_force`'s. When the
former counts no longer and another is to follow, the next takes its file, and then the other is
made: a disk that fails between the two leaves one key, and asking again goes on from there. Nothing
is ended or begun by whoever asks: people's signatures do both.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from central.core import signer_place
from central.core.signer_place import SIGNER_KEYS
from proto.errors import ConfigError, MalformedError
from proto.keys import SEED_BYTES, PublicKey, SigningKey
from runtime.durable import sync_directory
from runtime.private import read_seed
from runtime.repository.hub_keys import Voucher
from runtime.tls import write_private

Held = tuple[SigningKey, ...]
HELD_MAX: Final = 2


class Keep(Protocol):
    """Makes each step of a kind's keys durable before it counts."""

    def succeed(self, kind: str) -> None:
        """Let the next key take the place of its former, which has ended; again changes nothing.

        Raises:
            ConfigError: it cannot be written.
        """

    def follow(self, kind: str, seed: bytes) -> None:
        """Keep the seed of a next key, instead of one that nobody was told.

        Raises:
            ConfigError: it cannot be written.
        """


class KeptNowhere:
    """Keeps nothing: the keys are as long-lived as this process."""

    def succeed(self, kind: str) -> None:
        """Keep nothing."""

    def follow(self, kind: str, seed: bytes) -> None:
        """Keep nothing."""


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The keys' files below a hub's state directory."""

    state_dir: Path

    def succeed(self, kind: str) -> None:
        """Let the next key's file take its former's place."""
        former, following = self.of(kind), self.of(kind, follows=True)
        with _told(former):
            if following.exists():
                following.replace(former)
            sync_directory(former.parent)

    def follow(self, kind: str, seed: bytes) -> None:
        """Write the next key's file."""
        following = self.of(kind, follows=True)
        with _told(following):
            write_private(following, seed)

    def of(self, kind: str, *, follows: bool = False) -> Path:
        """Return the file of a kind's key, or of the one that is to follow it."""
        return self.state_dir / signer_place.key_file(kind, follows=follows)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror}"
        raise ConfigError(msg) from error


class OnlineKeys:
    """One key of each kind, or two while the second is to follow the first."""

    def __init__(self, held: Mapping[str, Held], *, keep: Keep | None = None) -> None:
        """Hold these keys, by kind; `keep` makes every change durable."""
        self._held = {kind: tuple(keys) for kind, keys in held.items()}
        self._keep = keep or KeptNowhere()

    def of(self, kind: str) -> Held:
        """Return the keys of a kind, the former first; none of a kind that is not held."""
        return self._held.get(kind, ())

    def publics(self) -> dict[str, tuple[PublicKey, ...]]:
        """Return every kind's public keys, the former first."""
        return {kind: tuple(key.public for key in keys) for kind, keys in self._held.items()}

    def vouchers(self) -> dict[str, Voucher]:
        """Return what each former key says of the one that is to follow it."""
        return {
            kind: Voucher.of(kind, keys[0], keys[1].public)
            for kind, keys in self._held.items()
            if len(keys) == HELD_MAX
        }

    def renew(
        self, kind: str, *, counting: Collection[bytes], entropy: Callable[[int], bytes]
    ) -> PublicKey:
        """Return the public key that is to follow, made now unless one is under way.

        Args:
            kind: one of `SIGNER_KEYS`.
            counting: the public bytes of the keys that count now.
            entropy: randomness for a new key.

        Raises:
            MalformedError: there is no such kind.
            ConfigError: it cannot be written; ask again.
        """
        held = self.of(kind)
        if not held:
            msg = f"keys: {kind!a:.40}: one of {', '.join(SIGNER_KEYS)}"
            raise MalformedError(msg)
        counts = [key.public.raw in counting for key in held]
        if len(held) == HELD_MAX and counts != [False, True]:
            return held[-1].public
        if len(held) == HELD_MAX:
            self._keep.succeed(kind)
            self._held[kind] = held[-1:]
        seed = entropy(SEED_BYTES)
        self._keep.follow(kind, seed)
        self._held[kind] = (held[-1], SigningKey(seed))
        return self._held[kind][-1].public


def load_keys(state_dir: Path) -> OnlineKeys:
    """Return the online keys of a hub.

    Raises:
        ConfigError: one is missing, or others may read it.
    """
    held: dict[str, Held] = {}
    files = KeyFiles(state_dir)
    for kind in SIGNER_KEYS:
        key = SigningKey(read_seed(files.of(kind)))
        following = files.of(kind, follows=True)
        held[kind] = (key, SigningKey(read_seed(following))) if following.exists() else (key,)
    return OnlineKeys(held, keep=files)

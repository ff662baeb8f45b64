"""The keys that only the signer's process holds, and how each goes over to the next.

```
keys/<kind>.key        the key that signs
keys/<kind>.next.key   the one that is to follow it, once people have named it
```

A next key is made here, and its private half never leaves. People name it in what they sign: a
grant, the authority, or a root. Which of the two signs is `central.signer.in_force`'s. When the
former counts no longer and another is to follow, the next takes its file. Nothing is ended or begun
by whoever asks: people's signatures do both.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final, Protocol

from central.core import signer_place
from central.core.signer_place import SIGNER_KEYS
from proto.errors import ConfigError, MalformedError
from proto.keys import SEED_BYTES, PublicKey, SigningKey
from runtime.tls import write_private

Held = tuple[SigningKey, ...]
HELD_MAX: Final = 2


class Keep(Protocol):
    """Makes the seed of a kind's next key durable."""

    def __call__(self, kind: str, seed: bytes, /, *, has_ended: bool) -> None:
        """Keep it; where the former `has_ended`, the next of before takes its place first."""
        ...


def _kept_nowhere(_kind: str, _seed: bytes, /, *, has_ended: bool) -> None:
    """Keep nothing: the keys are as long-lived as this process."""


class OnlineKeys:
    """One key of each kind, or two while the second is to follow the first."""

    def __init__(self, held: Mapping[str, Held], *, keep: Keep = _kept_nowhere) -> None:
        """Hold these keys, by kind; `keep` makes every change durable."""
        self._held = {kind: tuple(keys) for kind, keys in held.items()}
        self._keep = keep

    def of(self, kind: str) -> Held:
        """Return the keys of a kind, the former first; none of a kind that is not held."""
        return self._held.get(kind, ())

    def publics(self) -> dict[str, tuple[PublicKey, ...]]:
        """Return every kind's public keys, the former first."""
        return {kind: tuple(key.public for key in keys) for kind, keys in self._held.items()}

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
        """
        held = self.of(kind)
        if not held:
            msg = f"keys: {kind!a:.40}: one of {', '.join(SIGNER_KEYS)}"
            raise MalformedError(msg)
        counts = [key.public.raw in counting for key in held]
        if len(held) == HELD_MAX and counts != [False, True]:
            return held[-1].public
        seed = entropy(SEED_BYTES)
        self._keep(kind, seed, has_ended=len(held) == HELD_MAX)
        self._held[kind] = (held[-1], SigningKey(seed))
        return self._held[kind][-1].public


def load_keys(state_dir: Path) -> OnlineKeys:
    """Return the online keys of a hub.

    Raises:
        ConfigError: one is missing, or others may read it.
    """
    held: dict[str, Held] = {}
    for kind in SIGNER_KEYS:
        key = SigningKey(_seed(state_dir / signer_place.key_file(kind)))
        following = state_dir / signer_place.key_file(kind, follows=True)
        held[kind] = (key, SigningKey(_seed(following))) if following.exists() else (key,)

    def keep(kind: str, seed: bytes, /, *, has_ended: bool) -> None:
        following = state_dir / signer_place.key_file(kind, follows=True)
        if has_ended:
            following.replace(state_dir / signer_place.key_file(kind))
        write_private(following, seed)

    return OnlineKeys(held, keep=keep)


def _seed(path: Path) -> bytes:
    try:
        mode, raw = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    if mode & 0o077:
        msg = f"{path}: others may read this key: chmod 600 {path}"
        raise ConfigError(msg)
    if len(raw) != SEED_BYTES:
        msg = f"{path}: must hold {SEED_BYTES} bytes"
        raise ConfigError(msg)
    return raw

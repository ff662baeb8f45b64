"""The appliance's own private keys as files, and how each goes over to the next.

```
keys/<kind>.key          the key that signs, or that logins are sealed to
keys/<kind>.next.key     made for a renewal that is not in the evidence log yet
keys/<kind>.former.key   the one before: for a hub, or a store, put back to an earlier day
keys/<kind>.former2.key  and those before that, `ports.FORMERS_MAX` in all
```

Which of them counts is not said by their names but by the store (`store/own_keys.py`). A crash
between two of the files leaves every key that may count in one of them, and `succeed` goes on.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from appliance.ports import FORMERS_MAX, Entropy, OwnHeld, OwnPrivate
from proto.errors import ConfigError
from proto.keys import SEED_BYTES, PublicKey, SealingKey, SealingPublicKey, SigningKey
from runtime.durable import sync_directory
from runtime.private import read_seed
from runtime.tls import write_private

SIGNING: Final = "signing"
SEALING: Final = "sealing"
_FORMERS: Final = (".former", *(f".former{place}" for place in range(2, FORMERS_MAX + 1)))

Key = TypeVar("Key", SigningKey, SealingKey)


@dataclass(frozen=True, slots=True)
class OwnKeyFiles:
    """`ports.OwnKeyKeeper` over the files of a directory."""

    directory: Path
    entropy: Entropy

    def held(self) -> OwnPrivate:
        """Return every key that is here, by what its file is called."""
        return OwnPrivate(self._held(SIGNING, SigningKey), self._held(SEALING, SealingKey))

    def follow(self) -> tuple[SigningKey, SealingKey]:
        """Return the next keys, made on first use."""
        seeds: list[bytes] = []
        for kind in (SIGNING, SEALING):
            path = self._file(kind, ".next")
            with _told(path):
                if not path.exists():
                    write_private(path, self.entropy(SEED_BYTES))
            seeds.append(read_seed(path))
        return SigningKey(seeds[0]), SealingKey(seeds[1])

    def succeed(self, signing: PublicKey, sealing: SealingPublicKey) -> None:
        """Let the next keys take their formers' files, where they are these; else do nothing."""
        for kind, raw in ((SIGNING, signing.raw), (SEALING, sealing.raw)):
            current, following = self._file(kind), self._file(kind, ".next")
            if not following.exists() or _public(kind, read_seed(following)) != raw:
                continue
            with _told(current):
                self._keep_former(kind)
                following.replace(current)
                sync_directory(self.directory)

    def _keep_former(self, kind: str) -> None:
        """Let the current key be the newest of the formers too.

        The oldest is written first, and what stands twice counts once: cut off anywhere, every key
        is in one of the files, and doing it again does the rest.
        """
        seeds = [read_seed(self._file(kind)), *self._formers(kind)]
        kept = list(dict.fromkeys(seeds))[:FORMERS_MAX]
        for which, seed in reversed(list(zip(_FORMERS, kept, strict=False))):
            write_private(self._file(kind, which), seed)

    def _formers(self, kind: str) -> list[bytes]:
        files = (self._file(kind, which) for which in _FORMERS)
        return list(dict.fromkeys(read_seed(file) for file in files if file.exists()))

    def _held(self, kind: str, make: Callable[[bytes], Key]) -> OwnHeld[Key]:
        current, following = read_seed(self._file(kind)), self._file(kind, ".next")
        return OwnHeld(
            make(current),
            tuple(make(seed) for seed in self._formers(kind) if seed != current),
            make(read_seed(following)) if following.exists() else None,
        )

    def _file(self, kind: str, which: str = "") -> Path:
        return self.directory / f"{kind}{which}.key"


def _public(kind: str, seed: bytes) -> bytes:
    return SigningKey(seed).public.raw if kind == SIGNING else SealingKey(seed).public.raw


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror}"
        raise ConfigError(msg) from error

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

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from appliance.core.keeping import Keeping
from appliance.ports import FORMERS_MAX, Entropy, OwnHeld, OwnPrivate
from appliance.shell.key_files import FORMERS, NEXT, SEALING, SIGNING, KeyFiles
from proto.keys import SEED_BYTES, PublicKey, SealingKey, SealingPublicKey, SigningKey

Key = TypeVar("Key", SigningKey, SealingKey)


@dataclass(frozen=True, slots=True)
class OwnKeyFiles:
    """`ports.OwnKeyKeeper` over the files of a directory."""

    files: KeyFiles
    entropy: Entropy

    @property
    def keeping(self) -> Keeping:
        """How they are kept."""
        return self.files.keeping

    def held(self) -> OwnPrivate:
        """Return every key that is here, by what its file is called."""
        return OwnPrivate(self._held(SIGNING, SigningKey), self._held(SEALING, SealingKey))

    def follow(self) -> tuple[SigningKey, SealingKey]:
        """Return the next keys, made on first use."""
        seeds: list[bytes] = []
        for kind in (SIGNING, SEALING):
            following = _file(kind, NEXT)
            if not self.files.has(following):
                self.files.make(following, self.entropy(SEED_BYTES))
            seeds.append(self.files.read(following))
        return SigningKey(seeds[0]), SealingKey(seeds[1])

    def succeed(self, signing: PublicKey, sealing: SealingPublicKey) -> None:
        """Let the next keys take their formers' files, where they are these; else do nothing.

        A sealed key opens under its own file's name alone, so it is written anew and not renamed.
        """
        for kind, raw in ((SIGNING, signing.raw), (SEALING, sealing.raw)):
            current, following = _file(kind), _file(kind, NEXT)
            if not self.files.has(following):
                continue
            seed = self.files.read(following)
            if _public(kind, seed) != raw:
                continue
            if self.files.read(current) != seed:  # else cut off before the next one's file went
                self._keep_former(kind)
                self.files.put(current, seed)
            self.files.drop(following)

    def _keep_former(self, kind: str) -> None:
        """Let the current key be the newest of the formers too.

        The oldest is written first, and what stands twice counts once: cut off anywhere, every key
        is in one of the files, and doing it again does the rest.
        """
        seeds = [self.files.read(_file(kind)), *self._formers(kind)]
        kept = list(dict.fromkeys(seeds))[:FORMERS_MAX]
        for which, seed in reversed(list(zip(FORMERS, kept, strict=False))):
            self.files.put(_file(kind, which), seed)

    def _formers(self, kind: str) -> list[bytes]:
        names = (_file(kind, which) for which in FORMERS)
        return list(dict.fromkeys(self.files.read(name) for name in names if self.files.has(name)))

    def _held(self, kind: str, make: Callable[[bytes], Key]) -> OwnHeld[Key]:
        current, following = self.files.read(_file(kind)), _file(kind, NEXT)
        seed = self.files.read(following) if self.files.has(following) else current
        return OwnHeld(
            make(current),
            tuple(make(one) for one in self._formers(kind) if one != current),
            make(seed) if seed != current else None,
        )


def _file(kind: str, which: str = "") -> str:
    return f"{kind}{which}.key"


def _public(kind: str, seed: bytes) -> bytes:
    return SigningKey(seed).public.raw if kind == SIGNING else SealingKey(seed).public.raw

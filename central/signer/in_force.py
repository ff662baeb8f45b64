"""Which of the signer's keys signs now: people's documents say it, and nobody who asks.

Where two keys of one kind count, orders, heads and checkpoints are signed by the former until the
next has counted here for an hour: sites ask for new content with every check-in, so by then they
know it too. Until the former ends, what it signed goes on counting.
What ended with the authority goes on being known: a hub whose people are late still answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from central.core import order_signing
from central.core.order_refusals import (
    GrantAbsentError,
    NoTrustError,
    SignerRefusal,
    TrustEndedError,
)
from central.core.signer_place import HEAD_KEY, LOG_KEY, ORDER_KEY
from central.signer.fresh import Repository
from central.signer.keys import OnlineKeys
from proto.grants import Trust
from proto.keys import PublicKey, SigningKey
from proto.keysets import Role, TimedKey
from proto.order import Order

SETTLED_S: Final = 3600
"""No appliance that hears of this hub waits longer for its next check-in."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The keys, and who says which of them counts.

    Attributes:
        trust: returns authority and grants as they are at a second, or raises `NoTrustError`.
        repository: whose roots name the keys of freshness, and whose release the promoted one.
        seen: since when, in seconds, this process has known each key to count, by public bytes.
    """

    keys: OnlineKeys
    trust: Callable[[int], Trust]
    repository: Repository
    seen: dict[bytes, int] = field(default_factory=dict)

    def known(self, now_s: int) -> Trust | None:
        """Return what people said last, even if it has ended; None before they said anything."""
        try:
            return self.trust(now_s)
        except TrustEndedError as error:
            return error.known
        except NoTrustError:
            return None

    def head(self, now_s: int) -> SigningKey:
        """Return the key that signs answers to check-ins."""
        return self._chosen(HEAD_KEY, now_s)

    def log(self, now_s: int) -> SigningKey:
        """Return the key that signs checkpoints."""
        return self._chosen(LOG_KEY, now_s)

    def log_keys(self, now_s: int) -> tuple[PublicKey, ...]:
        """Return every log key that signed here: a copy may carry a signature of a former one."""
        known = self.known(now_s)
        listed = () if known is None else (one.holder.key for one in known.authority.log_keys)
        own = (key.public for key in self.keys.of(LOG_KEY))
        return tuple({key.raw: key for key in (*own, *listed)}.values())

    def order(self, order: Order, trust: Trust, *, now_s: int) -> SigningKey:
        """Return the order key that signs an order: its grant covers the order whole.

        Raises:
            SignerRefusal: none does; the code is that of the first key that has a grant at all.
        """
        refusals: list[SignerRefusal] = []
        for key in self._in_turn(ORDER_KEY, now_s):
            try:
                order_signing.covering_grant(order, trust, key=key)
            except SignerRefusal as error:
                refusals.append(error)
            else:
                return key
        granted = [one for one in refusals if not isinstance(one, GrantAbsentError)]
        raise (granted or refusals)[0]

    def _chosen(self, kind: str, now_s: int) -> SigningKey:
        return self._in_turn(kind, now_s)[0]

    def _in_turn(self, kind: str, now_s: int) -> Sequence[SigningKey]:
        """Return the keys of a kind, the one that should sign first."""
        held, counting = self.keys.of(kind), self._listed(kind, now_s)
        for raw in counting:
            self.seen.setdefault(raw, now_s)
        settled = [key for key in held if now_s - self.seen.get(key.public.raw, now_s) >= SETTLED_S]
        # Known to count for long enough, the newest first; then those that count, the former first.
        known = [key for key in reversed(settled) if key.public.raw in counting]
        fit = [key for key in held if key.public.raw in counting]
        return tuple({key.public.raw: key for key in (*known, *fit, *held)}.values())

    def has_grant(self, trust: Trust) -> bool:
        """Tell whether any grant names an order key that is held."""
        return any(key.public.raw in trust.grants.by_key for key in self.keys.of(ORDER_KEY))

    def renew(self, kind: str, *, now_s: int, entropy: Callable[[int], bytes]) -> PublicKey:
        """Return the public key that is to follow the one of a kind; see `OnlineKeys.renew`."""
        if kind in {Role.SNAPSHOT, Role.TIMESTAMP, Role.PROMOTED}:
            counting = self.repository.named(Role(kind), now_s=now_s)
        else:
            counting = self._listed(kind, now_s)
        return self.keys.renew(kind, counting=counting, entropy=entropy)

    def _listed(self, kind: str, now_s: int) -> frozenset[bytes]:
        """Return the public bytes of the keys of a kind that count now, as people last said."""
        known = self.known(now_s)
        if known is None:
            return frozenset()
        if kind == ORDER_KEY:
            return frozenset(
                raw
                for raw, grants in known.grants.by_key.items()
                if any(one.not_before <= now_s < one.not_after for one in grants)
            )
        keys = known.authority.head_keys if kind == HEAD_KEY else known.authority.log_keys
        return frozenset(_raw(one) for one in keys if one.counts_at(now_s))


def _raw(key: TimedKey) -> bytes:
    return key.holder.key.raw

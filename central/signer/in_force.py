"""Which of the signer's keys signs now: people's documents say it, and nobody who asks.

Where two keys of one kind count, orders, heads and checkpoints are signed by the former: a site
that has not read of the next one yet takes it, and one that has takes it too, until its time is
over.
What ended with the authority goes on being known: a hub whose people are late still answers.
"""

from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class InForce:
    """The keys, and who says which of them counts.

    Attributes:
        trust: returns authority and grants as they are at a second, or raises `NoTrustError`.
        repository: whose roots name the keys of freshness.
    """

    keys: OnlineKeys
    trust: Callable[[int], Trust]
    repository: Repository

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
        return self.keys.in_force(HEAD_KEY, self._listed(HEAD_KEY, now_s))

    def log(self, now_s: int) -> SigningKey:
        """Return the key that signs checkpoints."""
        return self.keys.in_force(LOG_KEY, self._listed(LOG_KEY, now_s))

    def log_keys(self, now_s: int) -> tuple[PublicKey, ...]:
        """Return every log key that signed here: a copy may carry a signature of a former one."""
        known = self.known(now_s)
        listed = () if known is None else (one.holder.key for one in known.authority.log_keys)
        own = (key.public for key in self.keys.of(LOG_KEY))
        return tuple({key.raw: key for key in (*own, *listed)}.values())

    def order(self, order: Order, trust: Trust) -> SigningKey:
        """Return the order key whose grant covers an order whole.

        Raises:
            SignerRefusal: none does; the code is that of the newest key that has a grant at all.
        """
        refusals: list[SignerRefusal] = []
        for key in self.keys.of(ORDER_KEY):
            try:
                order_signing.covering_grant(order, trust, key=key)
            except SignerRefusal as error:
                refusals.append(error)
            else:
                return key
        granted = [one for one in refusals if not isinstance(one, GrantAbsentError)]
        raise (granted or refusals)[-1]

    def has_grant(self, trust: Trust) -> bool:
        """Tell whether any grant names an order key that is held."""
        return any(key.public.raw in trust.grants.by_key for key in self.keys.of(ORDER_KEY))

    def renew(self, kind: str, *, now_s: int, entropy: Callable[[int], bytes]) -> PublicKey:
        """Return the public key that is to follow the one of a kind; see `OnlineKeys.renew`."""
        if kind in {Role.SNAPSHOT, Role.TIMESTAMP}:
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
            grants = known.grants.document.grants
            live = {PublicKey.from_b64(one.key).raw for one in grants if now_s < one.not_after}
            return frozenset(live)
        keys = known.authority.head_keys if kind == HEAD_KEY else known.authority.log_keys
        return frozenset(_raw(one) for one in keys if one.counts_at(now_s))


def _raw(key: TimedKey) -> bytes:
    return key.holder.key.raw

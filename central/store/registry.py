"""The fleet in memory: each appliance's verified key and where its check-ins stand.

A check-in is judged without a query. The registry is loaded before anything is served and changed
only beside the store, by the one process that serves; the store is what survives.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from central.core.health import Condition
from central.core.ingest import KeyTurn
from central.core.signing import evidence_origin
from central.store.appliance_keys import KeysRow
from central.store.appliances import Enrolled
from proto.appliance_keys import OVERLAP_S, KeyHistory, Turn
from proto.hub.devices import NOTHING_HELD
from proto.ids import ApplianceId, SiteId
from proto.keys import KeyRing, PublicKey, Threshold


@dataclass(slots=True)
class Known:
    """One appliance.

    Attributes:
        keys: which of its keys signed which leaf of its evidence.
        turned_ms: when this hub took the last renewal of them; 0 before the first.
        origin: the origin line of its evidence checkpoints.
        seq: its last check-in's number.
        state: that of the last full state received.
        device_list: digest of what is held of its list of devices.
        raised: conditions it is known to be in, and when they were last written.
        told_size: how many leaves it was told are here, where that was more than there are.
        evidence: held while a batch of its evidence, or a page of devices, is judged and stored.
    """

    site: SiteId
    appliance: ApplianceId
    keys: KeyHistory
    origin: str
    seq: int
    state: bytes
    last_seen_ms: int | None
    as_of_s: int
    device_list: str = NOTHING_HELD
    raised: dict[Condition, int] = field(default_factory=dict)
    told_size: int = 0
    turned_ms: int = 0
    evidence: asyncio.Lock = field(default_factory=asyncio.Lock)

    def keys_at(self, now_ms: int) -> tuple[PublicKey, ...]:
        """Return whose signatures on a request count: for a while the former key's too."""
        is_former_good = now_ms < self.turned_ms + OVERLAP_S * 1000
        return self.keys.keys[-2:] if is_former_good else (self.keys.current,)

    def keys_after(self, turns: Iterable[KeyTurn]) -> KeyHistory:
        """Return which of its keys counts where, after these renewals."""
        more = (Turn(one.index, one.ed25519) for one in turns)
        return KeyHistory((*self.keys.turns, *more))

    def trust_at(self, now_ms: int) -> Threshold:
        """Return its keys as who must have signed a request."""
        return Threshold(KeyRing.of(self.appliance, *self.keys_at(now_ms)))


class Registry:
    """Every enrolled appliance, by key id and by id; and how each site's orders stand.

    Attributes:
        orders: how many orders a site's log has, where there are any.
        untold: sites whose appliances are asked to say how far their copy of the log is.
        order_turns: held while a step is taken for a site's orders.
    """

    def __init__(self, hub_origin: str) -> None:
        """Start empty; `hub_origin` begins every log's name."""
        self._hub_origin = hub_origin
        self._by_key: dict[str, Known] = {}
        self._by_id: dict[str, Known] = {}
        self.orders: dict[str, int] = {}
        self.untold: set[str] = set()
        self.order_turns: dict[str, asyncio.Lock] = {}

    def __len__(self) -> int:
        """Return how many appliances are enrolled."""
        return len(self._by_id)

    def add(self, enrolled: Enrolled, turns: Sequence[KeysRow] = ()) -> Known:
        """Add an appliance, or return the one that is there.

        Args:
            enrolled: its row.
            turns: its keys, oldest first; none while it has its first.
        """
        there = self._by_id.get(enrolled.appliance)
        if there is not None:
            return there
        kept = tuple(Turn(row.leaf, PublicKey(row.ed25519)) for row in turns)
        keys = KeyHistory(kept) if kept else KeyHistory.of(PublicKey(enrolled.ed25519))
        known = Known(
            enrolled.site,
            enrolled.appliance,
            keys,
            evidence_origin(self._hub_origin, enrolled.site, enrolled.appliance),
            enrolled.seq,
            enrolled.state,
            enrolled.last_seen_ms,
            enrolled.as_of_s,
            turned_ms=turns[-1].since_ms if turns else 0,
        )
        for key in keys.keys:
            self._by_key[key.key_id] = known
        self._by_id[enrolled.appliance] = known
        return known

    def turn(self, known: Known, turns: Iterable[KeyTurn], *, now_ms: int) -> None:
        """Let an appliance go on with other keys, after the store does."""
        for one in turns:
            known.keys = known.keys_after((one,))
            known.turned_ms = now_ms
            self._by_key[one.ed25519.key_id] = known

    def by_key_ids(self, key_ids: Collection[str], *, now_ms: int) -> Known | None:
        """Return the appliance that one of these key ids hints at, if that key counts now."""
        for known in filter(None, map(self._by_key.get, key_ids)):
            if not {key.key_id for key in known.keys_at(now_ms)}.isdisjoint(key_ids):
                return known
        return None

    def holder_of(self, key: PublicKey) -> Known | None:
        """Return whose key this is, or was."""
        known = self._by_key.get(key.key_id)
        return known if known is not None and key in known.keys.keys else None

    def by_id(self, appliance: str) -> Known | None:
        """Return the appliance of this id."""
        return self._by_id.get(appliance)

    def of_site(self, site: SiteId) -> list[Known]:
        """Return a site's appliances."""
        return [one for one in self._by_id.values() if one.site == site]

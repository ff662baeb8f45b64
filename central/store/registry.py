"""The fleet in memory: each appliance's verified key and where its check-ins stand.

A check-in is judged without a query. The registry is loaded before anything is served and changed
only beside the store, by the one process that serves; the store is what survives.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from central.core.health import Condition
from central.core.signing import evidence_origin
from central.store.appliances import Enrolled
from proto.hub.devices import NOTHING_HELD
from proto.ids import ApplianceId, SiteId
from proto.keys import PublicKey, Threshold, trust_one


@dataclass(slots=True)
class Known:
    """One appliance.

    Attributes:
        trust: its key, as whose signature counts for it.
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
    key: PublicKey
    trust: Threshold
    origin: str
    seq: int
    state: bytes
    last_seen_ms: int | None
    as_of_s: int
    device_list: str = NOTHING_HELD
    raised: dict[Condition, int] = field(default_factory=dict)
    told_size: int = 0
    evidence: asyncio.Lock = field(default_factory=asyncio.Lock)


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

    def add(self, enrolled: Enrolled) -> Known:
        """Add an appliance, or return the one that is there."""
        there = self._by_id.get(enrolled.appliance)
        if there is not None:
            return there
        key = PublicKey(enrolled.ed25519)
        known = Known(
            enrolled.site,
            enrolled.appliance,
            key,
            trust_one(enrolled.appliance, key),
            evidence_origin(self._hub_origin, enrolled.site, enrolled.appliance),
            enrolled.seq,
            enrolled.state,
            enrolled.last_seen_ms,
            enrolled.as_of_s,
        )
        self._by_key[key.key_id] = known
        self._by_id[enrolled.appliance] = known
        return known

    def by_key_ids(self, key_ids: Iterable[str]) -> Known | None:
        """Return the appliance that one of these key ids hints at."""
        return next((self._by_key[one] for one in key_ids if one in self._by_key), None)

    def by_id(self, appliance: str) -> Known | None:
        """Return the appliance of this id."""
        return self._by_id.get(appliance)

    def of_site(self, site: SiteId) -> list[Known]:
        """Return a site's appliances."""
        return [one for one in self._by_id.values() if one.site == site]

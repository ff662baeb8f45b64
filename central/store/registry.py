"""The fleet in memory: each appliance's verified key and where its check-ins stand.

A check-in is judged without a query. The registry is loaded before anything is served and changed
only beside the store, by the one process that serves; the store is what survives.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from central.core.box_ages import BoxKeys
from central.core.health import Condition
from central.core.ingest import KeyTurn
from central.core.signing import evidence_origin
from central.store.appliance_keys import KeysRow
from central.store.appliances import NEVER_SEEN_SEQ, Enrolled
from proto.appliance_keys import KeyHistory, Turn
from proto.hub.devices import NOTHING_HELD
from proto.ids import ApplianceId, SiteId
from proto.keys import PublicKey, Threshold, trust_one


@dataclass(slots=True)
class Known:
    """One appliance.

    Attributes:
        keys: which of its keys signed which leaf of its evidence.
        since_ms: when this hub took the last renewal of them, or enrolled it.
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
    since_ms: int = 0
    evidence: asyncio.Lock = field(default_factory=asyncio.Lock)

    def trust(self) -> Threshold:
        """Return its key of now as who must have signed a request.

        A former key counts for none: until its renewal was heard of an appliance signs with both.
        """
        return trust_one(self.appliance, self.keys.current)

    def keys_after(self, turns: Iterable[KeyTurn]) -> KeyHistory:
        """Return which of its keys counts where, after these renewals."""
        more = (Turn(one.index, one.ed25519) for one in turns)
        return KeyHistory((*self.keys.turns, *more))


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
        keys = _history(turns) if turns else KeyHistory.of(PublicKey(enrolled.ed25519))
        known = Known(
            enrolled.site,
            enrolled.appliance,
            keys,
            evidence_origin(self._hub_origin, enrolled.site, enrolled.appliance),
            enrolled.seq,
            enrolled.state,
            enrolled.last_seen_ms,
            enrolled.as_of_s,
            since_ms=turns[-1].since_ms if turns else enrolled.enrolled_ms,
        )
        for key in keys.keys:
            self._by_key[key.key_id] = known
        self._by_id[enrolled.appliance] = known
        return known

    def turn(self, known: Known, turns: Iterable[KeyTurn], *, now_ms: int) -> None:
        """Let an appliance go on with other keys, after the store does.

        Its check-ins are counted anew: whoever had the former key may have counted far ahead.
        """
        for one in turns:
            known.keys, known.since_ms = known.keys_after((one,)), now_ms
            known.seq = NEVER_SEEN_SEQ
            self._by_key[one.ed25519.key_id] = known

    def know(self, known: Known, turns: Sequence[KeysRow]) -> None:
        """Take an appliance's keys as the store has them, which is what counts.

        Whoever stored a renewal may not have heard that it was: the store's connection ended.
        """
        if turns and turns[-1].leaf != known.keys.turns[-1].leaf:
            known.keys, known.since_ms = _history(turns), turns[-1].since_ms
            known.seq = NEVER_SEEN_SEQ
            self._by_key.update((key.key_id, known) for key in known.keys.keys)

    def by_key_ids(self, key_ids: Collection[str]) -> Known | None:
        """Return the appliance that one of these key ids hints at, if that key counts now."""
        for known in filter(None, map(self._by_key.get, key_ids)):
            if known.keys.current.key_id in key_ids:
                return known
        return None

    def holder_of(self, key: PublicKey) -> Known | None:
        """Return whose key this is, or was, or has the same id: one id is looked up as one key."""
        return self._by_key.get(key.key_id)

    def by_id(self, appliance: str) -> Known | None:
        """Return the appliance of this id."""
        return self._by_id.get(appliance)

    def keys_since(self) -> list[BoxKeys]:
        """Return since when each appliance has its keys."""
        return [
            BoxKeys(
                one.appliance,
                one.since_ms // 1000,
                None if one.last_seen_ms is None else one.last_seen_ms // 1000,
            )
            for one in self._by_id.values()
        ]

    def of_site(self, site: SiteId) -> list[Known]:
        """Return a site's appliances."""
        return [one for one in self._by_id.values() if one.site == site]


def _history(turns: Sequence[KeysRow]) -> KeyHistory:
    return KeyHistory(tuple(Turn(row.leaf, PublicKey(row.ed25519)) for row in turns))

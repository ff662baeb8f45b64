"""The scrubber of a running appliance: the one policy, the names, the vault, and what was withheld.

`scrub` is synchronous and waits for nothing: names and tokens are in memory. What it gives may be
stored at once, because tokens ride along with the next transaction, whatever it is for. Who sends
it without having stored anything since awaits `settle` first: a token that left this device can be
revealed here after a kill at any point. (A line of the log is written on this device; its tokens
are stored with the next transaction, at the latest a second later.)

It fails closed. Without the compiled names, with a list of known people that could not be read, or
while the vault can keep nothing more because the disk is full, a token stands in place of the whole
record. Each such record is counted by source and reason, and people are shown the counts.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum

import aiosqlite

from appliance.store import withheld
from appliance.store.db import Store
from appliance.store.vault import Vault
from appliance.store.withheld import Count
from proto.phi import Names, Policy, Result, Scrubbed, ThrowAwayVault, Withheld
from proto.phi.engine import withhold
from proto.phi.framing import Frame, Framer, Record
from proto.phi.streams import scrub_framed
from runtime.clock import Clock

COUNTS_WAITING_MAX = 200
NO_ROOM = "the disk is full and no token could be kept"

Key = tuple[str, str]
"""Source and reason."""


class Source(StrEnum):
    """Where text comes from, as people are told it."""

    ANSWERS = "answers of targets"
    DEVICE_NAMES = "names of devices"
    LABELS = "labels given by people"
    REASONS = "reasons given by people"
    LOG = "the appliance's own log"
    CRASHES = "crash reports"
    OTHER = "other text"


class Scrubber:
    """Scrubs text of any source; one a process."""

    def __init__(
        self, policy: Policy, names: Names | None, vault: Vault, *, store: Store, clock: Clock
    ) -> None:
        """Scrub under a policy, with names (None withholds everything) and a vault.

        The store takes what was counted along with every transaction from now on.
        """
        self._policy = policy
        self._names = names
        self._vault = vault
        self._store = store
        self._clock = clock
        self._counts: dict[Key, Count] = {}
        self._lock = threading.Lock()
        store.carry(self)

    @property
    def policy(self) -> Policy:
        """What is scrubbed."""
        return self._policy

    @property
    def names(self) -> Names | None:
        """What is known about names; None while everything is withheld."""
        return self._names

    @property
    def vault(self) -> Vault:
        """Where tokens are kept."""
        return self._vault

    def use_names(self, names: Names | None) -> None:
        """Scrub with other names from now on."""
        self._names = names

    def scrub(self, text: str, *, source: Source | str = Source.OTHER) -> Scrubbed:
        """Scrub one whole record; it never raises for what the text holds."""
        return self.result(text, source=source).text

    def result(self, text: str, *, source: Source | str = Source.OTHER) -> Result:
        """Scrub one whole record and say what was found in it."""
        return self.record(Record(text), source=source)

    def record(self, record: Record, *, source: Source | str) -> Result:
        """Scrub one framed record; one that was too long to be framed is withheld unseen."""
        if self._vault.is_full:
            found = withhold(record.text, NO_ROOM, vault=ThrowAwayVault())
        else:
            found = scrub_framed(record, policy=self._policy, names=self._names, vault=self._vault)
        if found.withheld is not None:
            self._count(str(source), found.withheld)
        return found

    def framed(self, source: Source | str, frame: Frame) -> "Framed":
        """Return what scrubs a stream of this source, record by record, however it is cut."""
        return Framed(self, source, frame)

    async def settle(self) -> None:
        """Make every token given so far, and every count, survive a kill.

        Raises:
            NoRoomError: the disk is full; text scrubbed since the last transaction must wait.
        """
        if self._counts or not self._vault.is_settled:
            async with self._store.write():
                pass  # what waits rides along

    async def board(self, conn: aiosqlite.Connection) -> Callable[[], None]:
        """Store the counts within a transaction; see `store.db.Rider`."""
        with self._lock:
            counts = dict(self._counts)
        await withheld.add(conn, counts.values())
        return lambda: self._counted(counts)

    def _counted(self, stored: Mapping[Key, Count]) -> None:
        with self._lock:
            for key, one in stored.items():
                since = self._counts[key].count - one.count
                if since:
                    self._counts[key] = replace(self._counts[key], count=since)
                else:
                    del self._counts[key]

    def _count(self, source: str, why: Withheld) -> None:
        now_ms = self._clock.now_ms()
        with self._lock:
            key = (source, why.reason)
            if key not in self._counts and len(self._counts) >= COUNTS_WAITING_MAX:
                key = (Source.OTHER.value, withheld.OTHER)
            new = Count(*key, 1, first_ms=now_ms, last_ms=now_ms, sha256=why.sha256)
            before = self._counts.get(key)
            if before is not None:
                new = replace(new, count=before.count + 1, first_ms=before.first_ms)
            self._counts[key] = new


class Framed:
    """One stream of a source on its way through the scrubber."""

    def __init__(self, scrubber: Scrubber, source: Source | str, frame: Frame) -> None:
        """Begin at the start of a stream."""
        self._scrubber = scrubber
        self._source = source
        self._framer = Framer(frame, record_chars_max=scrubber.policy.record_chars_max)

    def feed(self, piece: bytes) -> Iterator[Scrubbed]:
        """Take the next bytes; yield every record that is whole now."""
        for record in self._framer.feed(piece):
            yield self._scrubber.record(record, source=self._source).text

    def end(self) -> Iterator[Scrubbed]:
        """Yield what the end of the stream makes whole."""
        for record in self._framer.end():
            yield self._scrubber.record(record, source=self._source).text

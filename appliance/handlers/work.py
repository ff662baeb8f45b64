"""What the tasks work with: the store, the ports and the ids, wired once in `appliance/main.py`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from appliance.core.box_keys import BoxKeys
from appliance.core.records import Author
from appliance.core.run_clock import RunClock
from appliance.core.sentry import Sentry
from appliance.core.settings import Settings
from appliance.core.trusted import Trusted
from appliance.handlers.device_words import DeviceWords
from appliance.handlers.promoted import Promoted
from appliance.handlers.scrubber import Scrubber
from appliance.ports import (
    Clock,
    Entropy,
    HubTransport,
    OwnKeyKeeper,
    Programs,
    Scanner,
    Sealer,
    Shell,
    TlsProbe,
)
from appliance.store.db import Store
from appliance.store.evidence import Scribe
from proto.catalog.model import Content
from proto.keys import SealingKey, Threshold
from proto.note import NoteKey
from runtime.clock import seconds


class HubWord(Protocol):
    """What of the hub's statements counts, now."""

    @property
    def heads(self) -> Threshold:
        """Who must have signed a head; raises `MalformedError` while nobody's key counts."""
        ...

    @property
    def cosigners(self) -> tuple[NoteKey, ...]:
        """Who may cosign this appliance's evidence checkpoints."""
        ...


@dataclass(frozen=True, slots=True)
class HubTrust:
    """What of the hub's statements counts, from the pinned trust root.

    Attributes:
        heads: who must have signed a head.
        cosigners: who may cosign this appliance's evidence checkpoints.
    """

    heads: Threshold
    cosigners: tuple[NoteKey, ...]


@dataclass(slots=True)
class Word:
    """What the hub said in this process: of this, nothing that counts may outlive a restart.

    Attributes:
        answered_s: when a head last answered a challenge of ours, on the appliance's own clock.
        is_level: the hub said that it holds no more of our evidence than we do; until then this
            disk may be one that was put back.
        floor_s: the floor clock as it was last read from the store, where it outlives this.
        counted_s: up to when, on the appliance's own clock, this process counted that it runs.
    """

    answered_s: int | None = None
    is_level: bool = False
    floor_s: int = 0
    counted_s: int | None = None


@dataclass(slots=True)
class Contact:
    """When the hub answered, for people and for whoever waits for it: it changes as that happens.

    Attributes:
        told_full: how often the hub took the full state.
        wants_full: the next check-in tells the full state, whatever the hub holds.
    """

    since_ms: int | None = None
    seen_ms: int | None = None
    told_full: int = 0
    wants_full: bool = False

    def met(self, now_ms: int) -> None:
        """The hub answered."""
        self.since_ms = now_ms if self.since_ms is None else self.since_ms
        self.seen_ms = now_ms

    def lost(self) -> None:
        """The hub did not answer."""
        self.since_ms = None


class Bell:
    """Wakes one waiting loop; ringing while it works makes its next wait return at once."""

    def __init__(self) -> None:
        """Start silent."""
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the loop, now or at its next wait."""
        self._rung.set()

    async def wait(self, timeout_s: float) -> bool:
        """Wait for the bell, at most this long; return True when it rang."""
        try:
            async with asyncio.timeout(max(timeout_s, 0)):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


@dataclass(frozen=True, slots=True)
class Bells:
    """One bell for each loop that others can wake.

    `restart` asks for the program's own restart; `told` says that the hub took the full state;
    `ask` waits beside `uplink` for a turn of it: the hub may hold less than it once said. So does
    `ask_orders` beside `orders`: the hub has something to say of them.
    """

    scan: Bell = field(default_factory=Bell)
    discover: Bell = field(default_factory=Bell)
    greet: Bell = field(default_factory=Bell)
    heal: Bell = field(default_factory=Bell)
    uplink: Bell = field(default_factory=Bell)
    ask: Bell = field(default_factory=Bell)
    check_in: Bell = field(default_factory=Bell)
    content: Bell = field(default_factory=Bell)
    tidy: Bell = field(default_factory=Bell)
    orders: Bell = field(default_factory=Bell)
    restart: Bell = field(default_factory=Bell)
    told: Bell = field(default_factory=Bell)
    ask_orders: Bell = field(default_factory=Bell)


@dataclass(frozen=True, slots=True)
class Work:
    """Everything a task needs, and nothing it may change.

    Attributes:
        content: gives the active content set; it is swapped whole or not at all.
        trusted: gives whose word counts for orders; None before the first signed set.
        version: the program's own version, for the hub.
        sentry: takes the last look at what leaves; the door to the hub has the same one.
        device_words: the list of devices as it may leave.
        box_keys: this appliance's X25519 keys, which open logins that were sealed to it.
        own_keys: keeps its private keys; None where they are nobody's to renew.
        promoted: what `content` gives, where promoted rules can be in it.
        fetch_content: asks the repository now; None where none is pinned.
        own_clock: what orders wait by: `StartedClock` in a daemon. None is `clock`.
        run_clock: what repairs by rules are counted by.
        programs: this appliance's own program; None where it is nobody's to change.
    """

    settings: Settings
    store: Store
    content: Callable[[], Content]
    scribe: Scribe
    clock: Clock
    entropy: Entropy
    shell: Shell
    scanner: Scanner
    tls: TlsProbe
    sealer: Sealer
    scrubber: Scrubber
    hub: HubTransport
    trust: HubWord
    version: str
    trusted: Callable[[], Trusted | None] = lambda: None
    sentry: Sentry = field(default_factory=Sentry)
    device_words: DeviceWords = field(default_factory=DeviceWords)
    bells: Bells = field(default_factory=Bells)
    contact: Contact = field(default_factory=Contact)
    word: Word = field(default_factory=Word)
    box_keys: BoxKeys | None = None
    own_keys: OwnKeyKeeper | None = None
    promoted: Promoted | None = None
    fetch_content: Callable[[], Awaitable[None]] | None = None
    own_clock: Clock | None = None
    run_clock: RunClock = field(default_factory=RunClock)
    programs: Programs | None = None

    @property
    def own_ms(self) -> int:
        """The appliance's own clock, milliseconds; see `own_s`."""
        return (self.own_clock or self.clock).now_ms()

    @property
    def own_s(self) -> int:
        """The appliance's own clock, seconds, which no signed time moves: what orders wait by."""
        return self.own_ms // 1000

    @property
    def box_keys_now(self) -> Mapping[str, SealingKey]:
        """The keys that open sealed logins now, by the hex SHA-256 of their public halves."""
        return self.box_keys.open_now(seconds(self.clock)) if self.box_keys else {}

    def author(self) -> Author:
        """Return who writes evidence now."""
        return Author(
            self.scribe.site, self.scribe.appliance, self.clock.now_ms(), salts=self.entropy
        )

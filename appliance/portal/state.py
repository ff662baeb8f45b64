"""What the portal is given: it reads the store, and asks for changes by `Commands` alone."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from appliance.core.box_keys import BoxKeys
from appliance.core.keeping import Keeping
from appliance.core.settings import Site
from appliance.core.site_rules import Span
from appliance.core.trusted import Trusted
from appliance.handlers.known_people import PeopleList
from appliance.handlers.library import Origin
from appliance.handlers.targets import Found, Wanted
from appliance.handlers.waiting import Waiting
from appliance.ports import Clock
from appliance.store.db import Store
from appliance.store.evidence import Scribe
from proto.catalog.model import Content
from proto.ids import ApplianceId, IncidentId, SiteId, TargetId
from proto.keys import SealingPublicKey
from runtime.web.access import Visit
from runtime.web.sessions import Accounts
from runtime.web.templates import Pages


class Commands(Protocol):
    """Changes that people ask for; the daemon's one writer carries them out.

    Every method raises `NotFoundError` or `ConflictError` with a sentence for the person when
    what was asked cannot be done; one that reaches out to a machine also `TargetError` and
    `UnreachableError`. `account` is who asked.
    """

    async def add_waiver(
        self, target: TargetId, check: str, *, reason: str, until_ms: int, account: str
    ) -> None:
        """Accept a departure from a check until a time."""
        ...

    async def end_waiver(self, waiver: int, *, account: str) -> None:
        """End a waiver now."""
        ...

    async def set_observe_only(self, *, on: bool, account: str) -> None:
        """Stop all repairs of this site, or let them run again."""
        ...

    async def close_incident(self, incident: IncidentId, *, reason: str, account: str) -> None:
        """Close an incident that was handed to a person."""
        ...

    async def approve_repair(self, incident: IncidentId, *, shown: str, account: str) -> None:
        """Let the repair run now that waits for a person; `shown` names what the page showed."""
        ...

    async def recheck(self, target: TargetId, *, account: str) -> None:
        """Ask every check of a target again as soon as possible."""
        ...

    async def put_off_limits(self, target: TargetId, *, reason: str, account: str) -> None:
        """Put a device off limits at once."""
        ...

    async def release(
        self, target: TargetId, *, reason: str, account: str, shown: Collection[str]
    ) -> None:
        """Let a device be connected to again; `shown` are the codes of the signs on the page."""
        ...

    async def settle(self, conflict: int, *, to: TargetId, reason: str, account: str) -> None:
        """Say whose a value is that two devices showed."""
        ...

    async def look_at_target(self, wanted: Wanted, *, account: str) -> str:
        """Get the host key of a machine that is to be looked after; return a ticket for it."""
        ...

    def waiting_target(self, ticket: str, *, account: str) -> Waiting:
        """Return what waits under a ticket, without its secrets."""
        ...

    def forget_target(self, ticket: str, *, account: str) -> None:
        """Forget what waits under a ticket."""
        ...

    async def add_target(self, ticket: str, *, account: str) -> Found:
        """Add what waits under a ticket; the ticket is spent."""
        ...

    async def test_target(self, target: TargetId) -> Found:
        """Log in on a target anew."""
        ...

    async def veto_order(self, order: str, *, reason: str, account: str) -> None:
        """Stop a waiting order; the password was asked for again."""
        ...

    async def consent_to_order(self, order: str, *, account: str) -> None:
        """Let a waiting order run without its time lock; the password was asked for again."""
        ...

    async def end_order_hold(self, since_s: int, *, account: str) -> None:
        """End the hold on orders that began then; the password was asked for again."""
        ...

    async def protect(self, target: TargetId, *, reason: str, account: str) -> None:
        """Let nothing change a host from now on."""
        ...

    async def unprotect(self, target: TargetId, *, account: str) -> None:
        """Let a host be changed again."""
        ...

    async def add_window(self, span: Span, *, account: str) -> None:
        """Add a maintenance window."""
        ...

    async def remove_window(self, window: int, *, account: str) -> None:
        """Remove a maintenance window."""
        ...

    async def remove_target(self, target: TargetId, *, account: str) -> None:
        """Stop looking after a target: its credential goes, its history stays."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this appliance is.

    Attributes:
        place: what the pages call the site: its label, else its id.
        scribe: holds the signing key, which may be renewed while this runs.
        box_keys: hold the key that logins are sealed to, which may be renewed too.
        keeping: how the private keys are kept.
        hub: the hub's address, "" while not enrolled.
        first_root: the first root that the enrollment pinned, hex; "" where it pinned none.
        development_trust: whether one person made the hub's keys, on one machine.
    """

    site: SiteId
    appliance: ApplianceId
    place: str
    scribe: Scribe
    box_keys: BoxKeys
    hub: str
    version: str
    development_trust: bool
    keeping: Keeping
    first_root: str = ""

    @property
    def fingerprint(self) -> str:
        """The signing key's fingerprint, exactly as the hub's console shows it."""
        return self.scribe.key.public.fingerprint()

    @property
    def sealing(self) -> SealingPublicKey:
        """The key that logins for this appliance are sealed to."""
        return self.box_keys.key.public


@dataclass(frozen=True, slots=True)
class Live:
    """What only the running daemon knows.

    Attributes:
        hub_since_ms: since when the hub has answered without a break; None while it does not.
        hub_seen_ms: when the hub answered last; None if it never did.
        people: the list of known people in use; None when none is configured.
        canaries_ms: when the canaries were last planted; 0 while they never were.
        export_canary: the patient who never was that stands in today's exported files.
        origin: where the content in force comes from.
        trusted: whose word counts; None before the first signed set.
        program: says whose word put the program here.
    """

    hub_since_ms: int | None
    hub_seen_ms: int | None
    people: PeopleList | None = None
    canaries_ms: int = 0
    export_canary: str = ""
    origin: Origin = Origin.PROGRAM
    trusted: Trusted | None = None
    program: str = ""


@dataclass(frozen=True, slots=True)
class Portal:
    """Everything the pages need, as one value."""

    store: Store
    commands: Commands
    accounts: Accounts
    clock: Clock
    content: Callable[[], Content]
    live: Callable[[], Live]
    identity: Identity
    pages: Pages
    site: Site
    scribe: Scribe

    @property
    def place(self) -> str:
        """What the pages call the site."""
        return self.identity.place


PortalVisit = Visit[Portal]

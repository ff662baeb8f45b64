"""The hub as one value: what every route, command and job is given."""

from dataclasses import dataclass
from pathlib import Path

from central.core.admission import Closed
from central.core.health import Condition
from central.core.settings import HubSettings
from central.core.signing import ClaimKey
from central.operators import OrderDesk
from central.signer_link import SignerLink
from central.store import appliance_keys, appliances, conditions, devices, order_log, orders
from central.store.check_ins import CheckInGroups
from central.store.engine import Store
from central.store.registry import Registry
from proto.phi.admission import Looker
from runtime.clock import Clock, Entropy
from runtime.log import Log
from runtime.web.access import Visit
from runtime.web.sessions import Accounts
from runtime.web.templates import Pages


@dataclass(frozen=True, slots=True)
class Hub:
    """Everything the hub's routes need.

    Attributes:
        origin: the hub's address as the trust root names it, https://host[:port].
        root: the trust root's envelope, exactly as it is pinned.
        claims: seals the secrets of unused claims.
        signer: the way to the process that holds the keys that sign.
        desk: what operators' asks are held against.
        registry: the fleet in memory; `load_registry` fills it before serving.
        check_ins: makes check-ins durable; its worker must be running.
        looker: looks again at text that arrives.
        closed: values that are no free text, by check and field.
        content: the directory of the content repository that is served, None without one.
        trust: "development" where one person made every key, else "people".
    """

    origin: str
    root: bytes
    claims: ClaimKey
    signer: SignerLink
    desk: OrderDesk
    store: Store
    registry: Registry
    check_ins: CheckInGroups
    settings: HubSettings
    looker: Looker
    closed: Closed
    clock: Clock
    entropy: Entropy
    log: Log
    content: Path | None = None
    trust: str = "development"

    @property
    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return self.clock.now_ms()


async def load_registry(hub: Hub) -> None:
    """Read the fleet and its standing conditions into memory."""
    async with hub.store.read() as connection:
        fleet = await appliances.all_appliances(connection)
        turns = await appliance_keys.all_turns(connection)
        raised = await conditions.standing(connection)
        lists = await devices.all_digests(connection)
        hub.registry.orders.update(await order_log.sizes(connection))
        # What was complete when the last process ended goes on with the site's next word.
        now_s = hub.now_ms // 1000
        hub.registry.untold.update(await orders.sites_with_open(connection, now_s=now_s))
    for one in fleet:
        hub.registry.add(one, turns.get(one.appliance, ()))
    for appliance, digest in lists:
        known = hub.registry.by_id(appliance)
        if known is not None:
            known.device_list = digest
    for appliance, code, last_ms in raised:
        known = hub.registry.by_id(appliance)
        if known is not None and code in set(Condition):
            known.raised[Condition(code)] = last_ms


@dataclass(frozen=True, slots=True)
class Console:
    """What the console's pages and the operators' routes are given.

    Attributes:
        place: what the pages call this hub.
    """

    hub: Hub
    accounts: Accounts
    pages: Pages
    place: str


ConsoleVisit = Visit[Console]

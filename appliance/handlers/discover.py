"""One discovery: who is there, what each is, what may be asked, and what the answers mean.

The order is the safeguard. The sweep connects to nothing; what it tells (MAC, vendor) is stored and
judged before any connect. The medical ports are asked alone, and what they said is stored before
anything else is asked of that device. `core/classify.next_ports` alone says what may be asked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import aiosqlite

from appliance.core.classify import (
    MEDICAL_PORTS,
    Observed,
    device_class,
    next_ports,
    off_limits,
)
from appliance.core.identity import AttributeKind, Identified, Sighting, identify
from appliance.core.inventory import inventory_checks, judge_ports, wanted_ports
from appliance.handlers.facts import facts_of, facts_of_device
from appliance.handlers.record import record_in
from appliance.handlers.work import Work
from appliance.ports import SeenHost, SeenPorts
from appliance.store import conflicts, devices, meta, targets
from appliance.store.devices import Device, PortAnswer, Seen
from appliance.store.targets import Target
from proto.catalog.model import Check
from proto.findings import Finding, Vantage
from proto.ids import ENTROPY_BYTES, TargetId, new_target_id
from proto.inventory import DeviceClass

ROUNDS_MAX = 3
"""Medical ports, those of them that stayed unanswered, the rest."""

ADDRESSES_AT_ONCE = 256
TARGETS_IN_A_TRANSACTION = 64


NOTHING = Observed((), (), frozenset(), frozenset(), "")
"""What is known of a device before it is met."""


@dataclass(frozen=True, slots=True)
class Met:
    """A device was seen; told for each as soon as it is known."""

    device: TargetId
    address: str
    vendor: str
    device_class: DeviceClass
    off_limits: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A device answered for some ports."""

    device: TargetId
    address: str
    open: tuple[int, ...]
    device_class: DeviceClass
    off_limits: str


Tell = Callable[[Met | Asked], None]
"""Who wants to watch a discovery."""


@dataclass(frozen=True, slots=True)
class DiscoverySummary:
    """What a discovery came to.

    Attributes:
        seen: devices that the sweep saw; `new` of them for the first time.
        off_limits: of those, how many may not be connected to.
        asked: how many answered for their ports.
        left_out: hosts beyond `devices.DEVICES_MAX`, not looked at.
        conflicts: disagreements that wait for a person, of this sweep or earlier.
        findings: how many checks were judged.
    """

    seen: int
    new: int
    off_limits: int
    asked: int
    left_out: int
    conflicts: int
    findings: int


@dataclass(slots=True)
class _Host:
    """A device while it is being asked."""

    device: TargetId
    address: str
    observed: Observed
    is_new: bool
    answered: dict[int, bool] = field(default_factory=dict)

    def seen(self, attributes: Mapping[AttributeKind, str]) -> Seen:
        reason = off_limits(self.observed) or ""
        return Seen(self.device, device_class(self.observed), reason, attributes)

    def hear(self, answer: SeenPorts) -> None:
        closed = frozenset(answer.asked) - frozenset(answer.open)
        self.observed = replace(
            self.observed,
            asked=self.observed.asked | frozenset(answer.asked),
            open=(self.observed.open - closed) | frozenset(answer.open),
        )
        # What a medical port said is said for ever.
        self.observed = replace(self.observed, marked=off_limits(self.observed) or "")
        self.answered |= {port: port in answer.open for port in answer.asked}


def _watch_nothing(_: Met | Asked) -> None:
    """Nobody watches."""


async def discover_once(work: Work, tell: Tell = _watch_nothing) -> DiscoverySummary:
    """Sweep the configured networks, ask what may be asked, store it, and judge it.

    Raises:
        ConfigError: a network is none, or the content asks for too many ports.
        UnreachableError, MalformedError: as `ports.Scanner`; nothing of the failed part is stored.
        IntegrityError: the appliance is outside the world it was given.
    """
    wanted = wanted_ports(work.content().checks.values())
    networks = work.settings.networks
    swept = await work.scanner.sweep(networks) if networks else []
    first: dict[str, SeenHost] = {}
    for host in swept:
        first.setdefault(host.address, host)
    hosts = await _meet(work, list(first.values())[: devices.DEVICES_MAX], tell=tell)
    for _ in range(ROUNDS_MAX):
        if not await _ask(work, hosts, wanted=wanted, tell=tell):
            break
    waiting = await _tidy(work, ports_kept={*wanted, *MEDICAL_PORTS})
    found = await _judge(work, hosts)
    await _record(work, found)
    return DiscoverySummary(
        seen=len(hosts),
        new=sum(host.is_new for host in hosts),
        off_limits=sum(off_limits(host.observed) is not None for host in hosts),
        asked=sum(bool(host.answered) for host in hosts),
        left_out=max(0, len(first) - devices.DEVICES_MAX),
        conflicts=waiting,
        findings=len(found),
    )


async def place(
    conn: aiosqlite.Connection, work: Work, sightings: Sequence[Sighting]
) -> tuple[Identified, dict[TargetId, Device]]:
    """Say whose these sightings are, with what is known of all devices; nothing is written."""
    known = await devices.every(conn)
    attributes = (attribute for device in known.values() for attribute in device.attributes)

    def new_id() -> TargetId:
        return new_target_id(work.entropy(ENTROPY_BYTES))

    return identify(attributes, sightings, new_id=new_id), known


async def keep(
    conn: aiosqlite.Connection, identified: Identified, *, seen: Sequence[Seen], now_ms: int
) -> None:
    """Write who was identified, who lost what to whom, and what disagrees."""
    await devices.forget_values(conn, identified.lost)
    await devices.upsert(conn, seen, at_ms=now_ms)
    await conflicts.record(conn, identified.conflicts, at_ms=now_ms)


def sighting_of(host: SeenHost, *, host_key: str = "") -> Sighting:
    """Return what a sweep saw of a host."""
    return Sighting(host.address, host.mac, host.vendor, host.name, host_key)


def observe(before: Observed, sighting: Sighting) -> Observed:
    """Put together what was known of a device and what was just seen of it."""
    vendors = (sighting.vendor, *before.vendors) if sighting.vendor else before.vendors
    names = (sighting.name, *before.names) if sighting.name else before.names
    # A look without a MAC is kept as one: a release does not hold for what it may have seen.
    return replace(before, vendors=vendors, names=names, macs=before.macs | {sighting.mac})


async def _meet(work: Work, swept: Sequence[SeenHost], *, tell: Tell) -> list[_Host]:
    """Store who was seen; a device with several addresses is asked at the first."""
    sightings = [sighting_of(host) for host in swept]
    hosts: dict[TargetId, _Host] = {}
    async with work.store.write() as conn:
        identified, known = await place(conn, work, sightings)
        seen: list[Seen] = []
        for placed in identified.placed:
            device, sighting = placed.device, placed.sighting
            if device not in hosts:
                before = known[device].observed() if device in known else NOTHING
                is_new = device not in known
                hosts[device] = _Host(device, sighting.address, before, is_new=is_new)
            hosts[device].observed = observe(hosts[device].observed, sighting)
            seen.append(hosts[device].seen(placed.attributes))
        await keep(conn, identified, seen=seen, now_ms=work.clock.now_ms())
        addresses = {placed.sighting.address: placed.device for placed in identified.placed}
        await _follow(conn, hosts, addresses=addresses)
    for host in hosts.values():
        vendor = next(iter(host.observed.vendors), "")
        reason = off_limits(host.observed) or ""
        tell(Met(host.device, host.address, vendor, device_class(host.observed), reason))
    return list(hosts.values())


async def _follow(
    conn: aiosqlite.Connection,
    hosts: Mapping[TargetId, _Host],
    *,
    addresses: Mapping[str, TargetId],
) -> None:
    """Let targets follow their devices to new addresses; one with several is asked at its own."""
    moved: dict[TargetId, str] = {}
    for target in await targets.every(conn):
        host = hosts.get(target.id)
        if host is None:
            continue
        if addresses.get(target.address) == target.id:
            host.address = target.address
        else:
            moved[target.id] = host.address
    await targets.moved(conn, moved)


async def _ask(work: Work, hosts: Sequence[_Host], *, wanted: Sequence[int], tell: Tell) -> bool:
    """Ask each device what it may be asked next; return False when nothing was left to ask."""
    groups: dict[tuple[int, ...], dict[str, _Host]] = {}
    for host in hosts:
        if ports := next_ports(host.observed, wanted):
            groups.setdefault(ports, {})[host.address] = host
    for ports, group in sorted(groups.items()):
        addresses = list(group)
        for start in range(0, len(addresses), ADDRESSES_AT_ONCE):
            await _heed(work, list(group.values()))
            chunk = [
                address
                for address in addresses[start : start + ADDRESSES_AT_ONCE]
                if not group[address].observed.marked
            ]
            answers = await work.scanner.connect(chunk, ports)
            heard = {group[answer.address].device: answer for answer in answers}
            for answer in answers:
                group[answer.address].hear(answer)
            await _store_answers(work, [group[address] for address in chunk], heard=heard)
            _tell_answers(tell, group, answers)
    return bool(groups)


async def _heed(work: Work, hosts: Sequence[_Host]) -> None:
    """Learn what a person put off limits since the sweep: it is asked nothing more."""
    async with work.store.read() as conn:
        marks = await devices.marks(conn)
    for host in hosts:
        if because := marks.get(host.device):
            host.observed = replace(host.observed, marked=because)


async def _store_answers(
    work: Work, hosts: Sequence[_Host], *, heard: Mapping[TargetId, SeenPorts]
) -> None:
    now_ms = work.clock.now_ms()
    async with work.store.write() as conn:
        await devices.upsert(
            conn, [host.seen({}) for host in hosts if host.device in heard], at_ms=now_ms
        )
        await devices.record_ports(
            conn,
            [
                PortAnswer(device, port, is_open=port in answer.open)
                for device, answer in heard.items()
                for port in answer.asked
            ],
            at_ms=now_ms,
        )


def _tell_answers(tell: Tell, group: Mapping[str, _Host], answers: Sequence[SeenPorts]) -> None:
    for answer in answers:
        host = group[answer.address]
        reason = off_limits(host.observed) or ""
        kind = device_class(host.observed)
        tell(Asked(host.device, host.address, answer.open, kind, reason))


async def _tidy(work: Work, *, ports_kept: set[int]) -> int:
    """Hold the tables' bounds, remember when this was, and count what waits for a person."""
    now_ms = work.clock.now_ms()
    async with work.store.write() as conn:
        await targets.prune(conn, now_ms=now_ms)
        await devices.prune(conn, now_ms=now_ms, ports_kept=ports_kept)
        await meta.put(conn, meta.Key.LAST_DISCOVERY_MS, str(now_ms))
        await conflicts.prune(conn)
        return len(await conflicts.waiting(conn))


async def _judge(work: Work, hosts: Sequence[_Host]) -> list[Finding]:
    """Judge the inventory checks of every device that answered and may be connected to."""
    content = work.content()
    checks = inventory_checks(content.checks.values())
    async with work.store.read() as conn:
        known = await devices.every(conn)
        logins = {target.id: target for target in await targets.every(conn)}
    return [
        _finding(work, check, known[host.device], login=logins.get(host.device))
        for host in hosts
        if host.answered and off_limits(host.observed) is None and _is_free(known, host.device)
        for check in checks
    ]


def _is_free(known: Mapping[TargetId, Device], device: TargetId) -> bool:
    return device in known and not known[device].is_off_limits


def _finding(work: Work, check: Check, device: Device, *, login: Target | None) -> Finding:
    facts = facts_of(work, login) if login else facts_of_device(work, device)
    judged = judge_ports(check, device.ports, facts=facts, now_ms=work.clock.now_ms())
    return Finding(
        site=work.scribe.site,
        target=device.id,
        check=check.id,
        verdict=judged.judgement.verdict,
        reason=judged.judgement.reason,
        seen=dict(judged.judgement.seen),
        at_ms=judged.at_ms,
        vantage=Vantage.SCAN,
        content=work.content().digest,
    )


async def _record(work: Work, found: Sequence[Finding]) -> None:
    """Hand the findings on, many devices in one transaction."""
    by_target: dict[TargetId, list[Finding]] = {}
    for finding in found:
        by_target.setdefault(finding.target, []).append(finding)
    order = list(by_target)
    for start in range(0, len(order), TARGETS_IN_A_TRANSACTION):
        async with work.store.write() as conn:
            for target in order[start : start + TARGETS_IN_A_TRANSACTION]:
                await record_in(conn, work, target, by_target[target])
    if found:
        work.bells.heal.ring()
        work.bells.uplink.ring()

"""Putting a run together: the hub, the appliances, enrolled over real bytes, and their targets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random

from appliance.handlers.work import HubTrust
from appliance.ports import Sudo
from appliance.store import devices
from appliance.store import targets as target_rows
from appliance.store.db import Store
from appliance.store.devices import Seen
from proto.catalog.load import load
from proto.catalog.model import Content
from proto.hub.enroll import PATH_ENROLL
from proto.ids import ENTROPY_BYTES, ApplianceId, SiteId, TargetId, new_target_id
from proto.inventory import DeviceClass, Facts, Platform
from proto.note import Algorithm, NoteKey
from proto.trust_root import TrustRoot, fingerprint, open_first
from runtime.content import read_installed
from runtime.sqlite import inline
from tests.fakes.box import Box
from tests.fakes.hub import make_secrets
from tests.fakes.hub_link import Faults, Network
from tests.fakes.shell import credential
from tests.fakes.target_world import (
    Op,
    Safeguard,
    Target,
    index_of,
    new_target,
    runbooks_of,
    safeguard_of,
)
from tests.sim.nodes import (
    SETTINGS,
    START_MS,
    ApplianceNode,
    Common,
    HubNode,
    Identity,
    entropy_of,
)

APPLIANCES = 3
TARGETS_EACH = 4
CHECKS = 4
"""How many of the catalogue's checks a run has; another seed has others."""

SKEW_MAX_MS = 60_000
HOST_KEY = "ssh-ed25519 AAAA-of-{}"
CREDENTIAL = credential(key="the key that opens every target")

OnChange = Callable[[Target, Op], str]
OnSent = Callable[[ApplianceId, str, bytes], None]


@dataclass(slots=True)
class World:
    """Everything there is in a run."""

    common: Common
    chance: Random
    hub: HubNode
    appliances: list[ApplianceNode]

    @property
    def nodes(self) -> list[ApplianceNode | HubNode]:
        """Every process."""
        return [*self.appliances, self.hub]

    @property
    def targets(self) -> list[Target]:
        """Every target of every appliance."""
        return [target for one in self.appliances for target in one.targets]


@cache
def catalogue() -> Content:
    """Return the content that the package ships."""
    return load(read_installed())


def facts_of(target: str, address: str) -> Facts:
    """Return the facts of a simulated target, as the appliance will put them together."""
    return Facts(
        target_id=TargetId(target),
        target_platform=Platform.LINUX,
        target_os="debian",
        target_os_version="12",
        target_class=DeviceClass.SERVER,
        target_login="osiris",
        target_address=address,
        appliance_id=ApplianceId("a-aaaaaaaaaa"),
        appliance_address=SETTINGS.address,
        site_admin_networks=SETTINGS.site.admin_networks,
        site_ntp_servers=SETTINGS.site.ntp_servers,
        site_time_zone=SETTINGS.site.time_zone,
    )


def guards_of(content: Content, facts: Facts) -> dict[str, Safeguard]:
    """Return a good safeguard for every check whose examples say how it looks good and drifted."""
    scripts = [check for check in content.checks.values() if check.probe.script]
    runbooks = runbooks_of(content, [check.id for check in scripts])
    made = {check.id: safeguard_of(check, runbooks.get(check.id), facts) for check in scripts}
    return {name: guard for name, guard in made.items() if guard is not None}


def content_of(chance: Random) -> Content:
    """Return the shipped content with only some of its checks, drawn by chance."""
    whole = catalogue()
    known = sorted(guards_of(whole, facts_of("t-aaaaaaaaaa", "10.0.0.1")))
    chosen = chance.sample(known, CHECKS)
    return replace(whole, checks={name: whole.checks[name] for name in sorted(chosen)})


async def build(common: Common, folder: Path, *, on_change: OnChange, on_sent: OnSent) -> World:
    """Make the hub, enroll the appliances and give them their targets; only the hub is started."""
    chance = Random(f"{common.seed}:world")  # noqa: S311 - a simulator is seeded
    secrets = make_secrets(entropy_of(common, "keys", 0), now_s=START_MS // 1000)
    hub = HubNode(common, folder / "hub.db", secrets)
    await hub.start()
    trust = trust_of(open_first(secrets.root, pinned=fingerprint(secrets.root)))
    appliances = []
    for number in range(APPLIANCES):
        identity = await _enroll(common, hub, number)
        node = ApplianceNode(
            common,
            f"appliance-{number}",
            folder / f"appliance-{number}.db",
            identity,
            trust,
            Network(Random(f"{common.seed}:network:{number}"), hub.serve, Faults()),  # noqa: S311 - as above
            _about(identity.appliance, on_sent),
            skew_ms=chance.randint(-SKEW_MAX_MS, SKEW_MAX_MS),
        )
        await _add_targets(common, node, number, on_change=on_change)
        appliances.append(node)
    return World(common, chance, hub, appliances)


def trust_of(root: TrustRoot) -> HubTrust:
    """Return whose statements an appliance believes, as it does itself."""
    name = root.hub_origin.removeprefix("https://")
    cosigners = tuple(NoteKey(name, key, Algorithm.COSIGNATURE) for key in root.log_keys)
    return HubTrust(root.heads(), cosigners)


def _about(appliance: ApplianceId, on_sent: OnSent) -> Callable[[str, bytes], None]:
    return lambda path, body: on_sent(appliance, path, body)


async def _enroll(common: Common, hub: HubNode, number: int) -> Identity:
    assert hub.serving is not None
    _, code = await hub.serving.claim(f"Clinic {number}")
    box = Box.make(entropy_of(common, f"box-{number}", 0))
    request = box.enroll_request(code, now_s=START_MS // 1000)
    answer = await hub.serving.post(PATH_ENROLL, request)
    root = open_first(hub.secrets.root, pinned=fingerprint(hub.secrets.root))
    box.enrolled(answer, root)
    return Identity(SiteId(box.site), ApplianceId(box.appliance), box.origin, box.key)


async def _add_targets(
    common: Common, node: ApplianceNode, number: int, *, on_change: OnChange
) -> None:
    """Give an appliance its targets, in its store and in the world."""
    entropy = entropy_of(common, f"targets-{number}", 0)
    scripts = index_of(common.content, common.content.checks)
    store = await Store.open(node.path, now_ms=START_MS, connect=inline)
    for place in range(TARGETS_EACH):
        name = new_target_id(entropy(ENTROPY_BYTES))
        target = _target(common, name, f"10.{number}.0.{place + 10}", scripts, on_change)
        node.targets.append(target)
        await _store_target(store, node, target)
    await store.close()


def _target(
    common: Common,
    name: TargetId,
    address: str,
    scripts: Mapping[str, Op],
    on_change: OnChange,
) -> Target:
    chance = Random(f"{common.seed}:{address}")  # noqa: S311 - a simulator is seeded
    guards = guards_of(common.content, facts_of(name, address))
    for guard in guards.values():
        guard.stubborn = chance.random() < 0.1
        if chance.random() < 0.4:
            guard.drift = chance.randrange(len(guard.drifted))
    return new_target(
        name,
        address=address,
        host_key=HOST_KEY.format(address),
        credential=CREDENTIAL,
        scripts=scripts,
        guards=guards,
        chance=chance,
        on_change=on_change,
    )


async def _store_target(store: Store, node: ApplianceNode, target: Target) -> None:
    row = target_rows.Target(
        id=target.id,
        platform=Platform.LINUX,
        address=target.address,
        port=22,
        login="osiris",
        sudo=Sudo.NOPASSWD,
        host_key=target.host.host_key,
        os="debian",
        os_version="12",
        device_class=DeviceClass.SERVER,
        label="",
        added_ms=START_MS,
    )
    async with store.write() as conn:
        await devices.upsert(conn, [Seen(target.id, DeviceClass.SERVER, "", {})], at_ms=START_MS)
        await target_rows.add(conn, node.sealer, row, credential=target.credential)

"""Putting a run together: the hub, the appliances, enrolled over real bytes, and their targets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random

from appliance.handlers.work import HubTrust
from appliance.ports import Sudo
from appliance.store import devices
from appliance.store import targets as target_rows
from appliance.store.db import Store
from appliance.store.devices import Seen
from central.commands import new_claim
from proto.catalog.load import load
from proto.catalog.model import Content
from proto.claim import ClaimCode, parse_claim_code
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
from tests.sim.clock import START_MS, Common, entropy_of
from tests.sim.nodes import SETTINGS, ApplianceNode, HubNode, Identity, OnOrder
from tests.sim.people import OperatorsKeys, operators
from tests.sim.signer_node import SignerNode

SITES = (2, 1)
"""How many appliances each site has; the first site is a canary, the second in a later ring."""

TARGETS_EACH = 4
CHECKS = 4
"""How many of the catalogue's checks a run has; another seed has others."""

SKEW_MAX_MS = 60_000
ACCOUNT = "ana"
ACCOUNT_CODE = "p-aaaaaaaaaa"
"""Who is at the portals, and how evidence names them."""

HOST_KEY = "ssh-ed25519 AAAA-of-{}"
CREDENTIAL = credential(key="the key that opens every target")

OnChange = Callable[[Target, Op], str]
OnSent = Callable[[ApplianceId, str, bytes], None]


@dataclass(slots=True)
class World:
    """Everything there is in a run.

    Attributes:
        put_back: the processes whose disk was put back to an earlier day.
    """

    common: Common
    chance: Random
    people: OperatorsKeys
    signer: SignerNode
    hub: HubNode
    appliances: list[ApplianceNode]
    put_back: set[str] = field(default_factory=set)

    @property
    def nodes(self) -> list[ApplianceNode | HubNode | SignerNode]:
        """Every process."""
        return [*self.appliances, self.hub, self.signer]

    @property
    def sites(self) -> list[SiteId]:
        """Every site."""
        return sorted({one.identity.site for one in self.appliances})

    def of_site(self, site: str) -> list[ApplianceNode]:
        """Return the appliances of a site."""
        return [one for one in self.appliances if one.identity.site == site]

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


@dataclass(frozen=True, slots=True)
class Ears:
    """Who is told of what happens, at once: `watch.Watch` and whoever makes trouble."""

    on_change: OnChange
    on_sent: OnSent
    on_order: OnOrder
    on_done: Callable[[ApplianceNode], None]


async def build(common: Common, folder: Path, ears: Ears) -> World:
    """Make hub and signer, enroll the appliances and give them their targets.

    Only hub and signer are started. The first two appliances are of one site.
    """
    chance = Random(f"{common.seed}:world")  # noqa: S311 - a simulator is seeded
    secrets = make_secrets(entropy_of(common, "keys", 0), now_s=START_MS // 1000)
    people = operators(secrets, since_s=START_MS // 1000)
    signer = SignerNode(common, folder / "signer.db", secrets, people)
    hub = HubNode(common, folder / "hub.db", secrets, signer)
    await signer.start()
    await hub.start()
    identities = await _enrolled(common, hub)
    trusted = people.trusted(canaries=[identities[0].site])
    trust = trust_of(open_first(secrets.root, pinned=fingerprint(secrets.root)))
    appliances = []
    for number, identity in enumerate(identities):
        node = ApplianceNode(
            common,
            f"appliance-{number}",
            folder / f"appliance-{number}.db",
            identity,
            trust,
            trusted,
            Network(Random(f"{common.seed}:network:{number}"), hub.serve, Faults()),  # noqa: S311 - as above
            _about(identity.appliance, ears.on_sent),
            ears.on_order,
            ears.on_done,
            skew_ms=chance.randint(-SKEW_MAX_MS, SKEW_MAX_MS),
        )
        await _add_targets(common, node, number, on_change=ears.on_change)
        appliances.append(node)
    return World(common, chance, people, signer, hub, appliances)


def trust_of(root: TrustRoot) -> HubTrust:
    """Return whose statements an appliance believes, as it does itself."""
    name = root.hub_origin.removeprefix("https://")
    cosigners = tuple(NoteKey(name, key, Algorithm.COSIGNATURE) for key in root.log_keys)
    return HubTrust(root.heads(), cosigners)


def _about(appliance: ApplianceId, on_sent: OnSent) -> Callable[[str, bytes], None]:
    return lambda path, body: on_sent(appliance, path, body)


async def _enrolled(common: Common, hub: HubNode) -> list[Identity]:
    """Enroll every appliance, as many at a site as `SITES` says."""
    assert hub.serving is not None
    made: list[Identity] = []
    for place, size in enumerate(SITES):
        site, first = await hub.serving.claim(f"Clinic {place}")
        codes = [first]
        while len(codes) < size:
            codes.append(parse_claim_code(await new_claim(hub.serving.hub, site)))
        for code in codes:
            made.append(await _enroll(common, hub, code, number=len(made)))
    return made


async def _enroll(common: Common, hub: HubNode, code: ClaimCode, *, number: int) -> Identity:
    assert hub.serving is not None
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
    async with store.write() as conn:
        await conn.execute(
            "INSERT INTO accounts (name, password_hash, created_ms, code) VALUES (?, '', ?, ?)",
            (ACCOUNT, START_MS, ACCOUNT_CODE),
        )
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

"""A small site for tests of discovery and targets: a real store and the real catalogue loader."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.core.settings import Settings, Site
from appliance.handlers.work import HubTrust, Work
from appliance.ports import Scanner, Shell
from appliance.store import devices, findings
from appliance.store.db import Store
from appliance.store.devices import Device
from appliance.store.evidence import Scribe
from appliance.store.findings import Kept
from proto.catalog.load import load
from proto.catalog.model import Autonomy, Content
from proto.errors import UnreachableError
from proto.hub.outgoing import Outgoing
from proto.ids import ApplianceId, SiteId, TargetId
from proto.keys import SEED_BYTES, Holder, KeyRing, SigningKey, Threshold
from tests.fakes.clock import ManualClock, SeededEntropy
from tests.fakes.scrubbing import scrubber_over
from tests.fakes.sealer import FakeSealer
from tests.fakes.tls import FakeTlsProbe
from tests.unit.reference_set import as_files, whole_texts

TELNET = "net.port.telnet"
SITE = SiteId("s-aaaaaaaaaa")


class NoHub:
    """`ports.HubTransport` of an appliance whose hub is away."""

    async def send(self, message: Outgoing) -> bytes:
        """Refuse to carry anything; see `ports.HubTransport.send`."""
        msg = f"a {type(message).__name__} goes nowhere"
        raise UnreachableError(msg)


@dataclass(frozen=True)
class SmallSite:
    """An appliance's work, and the clock that moves it."""

    work: Work
    clock: ManualClock

    async def devices(self) -> dict[TargetId, Device]:
        """Return what is stored of devices."""
        async with self.work.store.read() as conn:
            return await devices.every(conn)

    async def at(self, address: str) -> Device:
        """Return the device that is at an address now."""
        (found,) = [one for one in (await self.devices()).values() if one.address == address]
        return found

    async def findings(self, target: TargetId) -> dict[str, Kept]:
        """Return a device's findings by check."""
        async with self.work.store.read() as conn:
            return await findings.of_target(conn, SITE, target)


def content() -> Content:
    """Return the reference set and a check that asks whether telnet (23, 2323) is open."""
    return load(as_files(whole_texts()))


def settings(networks: tuple[str, ...]) -> Settings:
    """Return settings for these networks."""
    return Settings(
        site=Site(("10.0.0.0/24",), (), "UTC", Autonomy.AUTO),
        networks=networks,
        address="10.0.0.1",
        discovery_s=900,
        scan_tick_s=5,
        scans_at_once=4,
        repairs_at_once=2,
        check_in_s=60,
    )


@asynccontextmanager
async def small_site(
    folder: Path, *, scanner: Scanner, shell: Shell, networks: tuple[str, ...] = ("10.0.0.0/24",)
) -> AsyncIterator[SmallSite]:
    """Open a site on a store in `folder`."""
    clock, entropy = ManualClock(), SeededEntropy()
    key = SigningKey(entropy(SEED_BYTES))
    checked, sealer = content(), FakeSealer()
    store = await Store.open(folder / "appliance.db", now_ms=clock.now_ms())
    try:
        scrubber = await scrubber_over(store, sealer=sealer, entropy=entropy, clock=clock)
        yield SmallSite(
            Work(
                settings=settings(networks),
                store=store,
                content=lambda: checked,
                scribe=Scribe(SITE, ApplianceId("a-aaaaaaaaaa"), "test/log", key),
                clock=clock,
                entropy=entropy,
                shell=shell,
                scanner=scanner,
                tls=FakeTlsProbe({}),
                sealer=sealer,
                scrubber=scrubber,
                hub=NoHub(),
                trust=HubTrust(Threshold(KeyRing((Holder("hub", key.public),))), ()),
                version="0",
            ),
            clock,
        )
    finally:
        await store.close()

"""What only a real network can show: a discovery with real nmap leaves medical devices alone."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.classify import MEDICAL_PORTS
from appliance.handlers import targets
from appliance.handlers.approach import OffLimitsError
from appliance.handlers.discover import discover_once
from appliance.handlers.targets import Wanted
from appliance.ports import Credential, ShellError, Sudo
from appliance.shell.nmap import RETRIES_MAX
from osiris.demo.hosts import Touches, medical_box, touches
from osiris.demo.lab import LabHost
from osiris.demo.world import World
from proto.findings import Reason, Verdict
from proto.inventory import DeviceClass
from proto.secret import Secret
from tests.e2e.daemons import until
from tests.lab.forwarded_shell import ForwardedShell
from tests.lab.scan_in_world import WorldScanner
from tests.unit.discovery_site import TELNET, SmallSite, small_site

LISTED_MAC = "44:4b:5d:00:00:01"
"""Of GE Healthcare."""

UNLISTED_MAC = "f8:bc:12:00:00:01"
"""Of a maker of ordinary computers, as many medical devices have inside."""

LISTENING = "00000000:0068 00000000:0000 0A"
"""Port 104 on every address, as the kernel lists it."""

TELNET_OPEN = "setsid python3 -m http.server 23 >/dev/null 2>&1 </dev/null &"


@contextmanager
def box(world: World, name: str, octet: int, mac: str) -> Iterator[str]:
    """Start a medical box and wait until it listens; gives its address.

    It is looked at from inside: a connection to it would be written down among what a test counts.
    """
    address = f"{world.network}.{octet}"
    world.start(medical_box(name, address, mac))
    try:
        until(lambda: LISTENING in world.exec(name, ["cat", "/proc/net/tcp"]).output, name)
        yield address
    finally:
        world.stop(name)


@pytest.fixture
def listed(world: World) -> Iterator[str]:
    with box(world, "listed", 231, LISTED_MAC) as address:
        yield address


@pytest.fixture
def unlisted(world: World) -> Iterator[str]:
    with box(world, "unlisted", 232, UNLISTED_MAC) as address:
        yield address


@pytest.fixture
async def site(world: World, tmp_path: Path) -> AsyncIterator[SmallSite]:
    async with small_site(
        tmp_path,
        scanner=WorldScanner(world),
        shell=ForwardedShell(world),
        # Where these boxes are: the rest of the /24 takes time.
        networks=(f"{world.network}.224/27",),
    ) as opened:
        yield opened


def since(world: World, name: str, before: Touches) -> Touches:
    now = touches(world, name)
    return Touches(
        now.packets[len(before.packets) :],
        now.connections - before.connections,
        now.received_bytes - before.received_bytes,
    )


def wanted(host: LabHost, host_key: str) -> Wanted:
    key = Credential(Secret(host.key.private.read_text()), None, None)
    return Wanted(host.address, 22, host.login, Sudo.NOPASSWD, key, host_key, "")


async def test_a_device_of_a_medical_vendor_sees_no_packet_of_a_discovery(
    site: SmallSite, world: World, listed: str
) -> None:
    before = touches(world, "listed")
    found = await discover_once(site.work)
    assert found.off_limits == 1
    assert (await site.at(listed)).device_class is DeviceClass.MEDICAL
    assert since(world, "listed", before) == Touches((), 0, 0)


async def test_a_device_that_speaks_dicom_sees_three_ports_in_one_look_and_no_byte(
    site: SmallSite, world: World, unlisted: str
) -> None:
    before = touches(world, "unlisted")
    await discover_once(site.work)
    seen = since(world, "unlisted", before)
    assert {port for _, port in seen.packets} == set(MEDICAL_PORTS)
    assert 1 <= seen.connections <= 1 + RETRIES_MAX  # the second where the first answer was late
    assert seen.received_bytes == 0
    device = await site.at(unlisted)
    assert device.because == "port 104 is open: DICOM"
    assert await site.findings(device.id) == {}

    after = touches(world, "unlisted")
    site.clock.advance(900_000)
    assert (await discover_once(site.work)).new == 0
    assert since(world, "unlisted", after) == Touches((), 0, 0)


async def test_a_medical_device_cannot_be_added(
    site: SmallSite, world: World, listed: str, unlisted: str
) -> None:
    before = touches(world, "listed")
    with pytest.raises(OffLimitsError, match="GE"):
        await targets.look(site.work, listed, 22)
    with pytest.raises(OffLimitsError, match="DICOM"):
        await targets.look(site.work, unlisted, 22)
    assert since(world, "listed", before) == Touches((), 0, 0)


async def test_what_a_host_offers_is_found_and_judged(site: SmallSite, host: LabHost) -> None:
    settings = replace(site.work.settings, networks=(f"{host.address}/32",))
    work = replace(site.work, settings=settings)
    await discover_once(work)
    device = await site.at(host.address)
    assert device.ports[22].is_open
    assert (await site.findings(device.id))[TELNET].finding.verdict is Verdict.COMPLIANT

    host.sh(TELNET_OPEN)
    host.world.wait_ready([(host.address, 23)])
    site.clock.advance(900_000)
    assert (await discover_once(work)).new == 0
    assert (await site.findings(device.id))[TELNET].finding.verdict is Verdict.DRIFTED


async def test_a_real_host_is_added_tested_and_removed(site: SmallSite, host: LabHost) -> None:
    shown = await targets.look(site.work, host.address, 22)
    said = host.sh("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").output
    assert shown.fingerprint in said
    found = await targets.add(site.work, wanted(host, shown.fingerprint))
    assert (found.os, found.os_version, found.name) == ("debian", "12", host.name)
    assert found.is_root
    assert (await targets.test(site.work, found.target)) == found
    await targets.remove(site.work, found.target)
    assert await targets.every(site.work) == []


async def test_a_login_that_is_refused_adds_nothing(
    site: SmallSite, host: LabHost, tmp_path: Path
) -> None:
    shown = await targets.look(site.work, host.address, 22)
    wrong = replace(
        wanted(host, shown.host_key), credential=Credential(None, Secret(str(tmp_path)), None)
    )
    with pytest.raises(ShellError) as refused:
        await targets.add(site.work, wrong)
    assert refused.value.reason is Reason.AUTH_REFUSED
    assert await targets.every(site.work) == []

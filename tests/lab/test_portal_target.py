"""Looking after a computer from the portal: a real sshd, a real scan, a real key."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.classify import MEDICAL_PORTS
from appliance.core.identity import fingerprint
from appliance.handlers.discover import discover_once
from appliance.handlers.off_limits import known_signs, release
from appliance.store import devices, targets
from osiris.demo.hosts import medical_box, touches
from osiris.demo.lab import LabHost
from osiris.demo.world import World
from tests.e2e.portal_world import PortalWorld, portal_world
from tests.e2e.test_portal_pages import csrf, words_of
from tests.lab.forwarded_shell import ForwardedShell
from tests.lab.scan_in_world import WorldScanner
from tests.unit.discovery_site import content as reference

LISTED_MAC = "44:4b:5d:00:00:02"
"""Of GE Healthcare."""


@pytest.fixture
async def portal(world: World, tmp_path: Path) -> AsyncIterator[PortalWorld]:
    async with portal_world(
        tmp_path, scanner=WorldScanner(world), shell=ForwardedShell(world)
    ) as made:
        yield made


async def test_a_person_compares_the_key_adds_the_computer_tries_it_and_lets_it_go(
    portal: PortalWorld, host: LabHost
) -> None:
    shown = host.sh("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").output.split()[1]
    async with portal.signed_in() as client:
        form = {
            "csrf": await csrf(client),
            "address": host.address,
            "port": "22",
            "user": host.login,
            "sudo": "nopasswd",
            "label": "The records server",
        }
        key = {"key_file": ("id_ed25519", host.key.private.read_bytes())}
        first = await client.post("/targets/add", data=form, files=key)
        assert first.status_code == 303
        place = first.headers["location"]
        asked = await client.get(place)
        added = await client.post(place, data={"csrf": form["csrf"]})
        async with portal.store.read() as conn:
            (target,) = await targets.every(conn)
        tried = await client.post(f"/devices/{target.id}/test", data={"csrf": form["csrf"]})
        await client.post(f"/devices/{target.id}/remove", data={"csrf": form["csrf"]})
        gone = await client.post(f"/devices/{target.id}/test", data={"csrf": form["csrf"]})
    assert shown in asked.text
    assert "runs debian 12; it can become root" in words_of(added.text)
    assert (fingerprint(target.host_key), target.label) == (shown, "The records server")
    assert "The sign-in works" in tried.text
    assert gone.status_code == 404


async def test_a_wrong_key_is_tried_once_and_leaves_nothing_behind(
    portal: PortalWorld, host: LabHost
) -> None:
    make = "rm -f /tmp/k; ssh-keygen -q -t ed25519 -N '' -f /tmp/k; cat /tmp/k"
    stranger = str(host.sh(make).output)
    async with portal.signed_in() as client:
        form = {
            "csrf": await csrf(client),
            "address": host.address,
            "port": "22",
            "user": host.login,
            "sudo": "nopasswd",
            "label": "",
            "key": stranger.replace("\n", "\r\n"),
        }
        first = await client.post("/targets/add", data=form)
        refused = await client.post(first.headers["location"], data={"csrf": form["csrf"]})
    assert refused.status_code == 409
    assert "refused the login" in words_of(refused.text)
    for line in stranger.splitlines()[1:-1]:
        assert line not in refused.text
    async with portal.store.read() as conn:
        assert await targets.every(conn) == []


async def test_a_scanner_that_was_released_by_mistake_sees_three_ports_and_is_left_alone(
    portal: PortalWorld, world: World
) -> None:
    """The worst that a wrong word does: its DICOM port is greeted once, without a byte."""
    address = f"{world.network}.233"
    world.start(medical_box("scanner", address, LISTED_MAC))
    try:
        world.wait_ready([(address, 104)])
        seen = replace(portal.work.settings, networks=(f"{address}/32",))
        work = replace(portal.work, settings=seen, content=reference)
        await discover_once(work)
        async with portal.store.read() as conn:
            (device,) = (await devices.every(conn)).values()
        assert device.is_off_limits
        before = touches(world, "scanner")
        shown = [sign.code for sign in known_signs(device)]
        await release(work, device.id, reason="a printer", account="maria", shown=shown)
        for _ in range(2):
            portal.clock.advance(900_000)
            await discover_once(work)
        after = touches(world, "scanner")
        async with portal.store.read() as conn:
            device = await devices.get(conn, device.id)
    finally:
        world.stop("scanner")
    assert device.because == "port 104 is open: DICOM"
    assert {port for _, port in after.packets[len(before.packets) :]} == set(MEDICAL_PORTS)
    assert after.connections - before.connections == 1
    assert after.received_bytes == before.received_bytes

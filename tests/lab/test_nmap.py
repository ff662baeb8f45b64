"""What only a real nmap in a real network can show about the scanner."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.shell.nmap import NmapScanner
from appliance.shell.world_guard import WorldGuard, current_netns
from osiris.demo.world import World
from proto.errors import IntegrityError, UnreachableError
from tests.lab import boxes
from tests.lab.scan_in_world import WorldScanner

pytestmark = pytest.mark.lab

END_S = 10
# Tells what goes to a box: protocol, destination port and length of each TCP and UDP packet.
WATCH = """
import socket, struct
every_frame = 3
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(every_frame))
print("ready", flush=True)
while True:
    frame = s.recv(65535)
    p = frame[14:]
    if frame[12:14] != bytes([8, 0]) or p[16:20] != socket.inet_aton("ADDRESS"):
        continue
    if p[9] in (6, 17):
        head = (p[0] & 15) * 4
        total, port = struct.unpack(">H", p[2:4])[0], struct.unpack(">H", p[head + 2:head + 4])[0]
        own = (p[head + 12] >> 4) * 4 if p[9] == 6 else 0
        print("tcp" if p[9] == 6 else "udp", port, total - head - own, flush=True)
"""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with boxes.boxes() as started:
        yield started


async def test_a_scan_sends_no_byte_to_a_device_and_asks_only_the_listed_ports(
    world: World,
) -> None:
    """A device that chokes on an unexpected byte must not get one: connections and nothing else."""
    # The bridge carries every frame; 10.77.0.1, where nmap runs, stands on it.
    watch = world.popen(
        ["python3", "-u", "-c", WATCH.replace("ADDRESS", boxes.DEVICE)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert watch.stdout is not None
        assert watch.stdout.readline() == "ready\n"
        scanner = WorldScanner(world)
        await scanner.sweep([boxes.NETWORK])
        await scanner.connect([boxes.DEVICE], [104, 2575, 11112])
    finally:
        watch.terminate()
        said, _ = watch.communicate(timeout=END_S)
    seen = [line.split() for line in said.splitlines()]
    assert {(kind, int(port)) for kind, port, _ in seen} == {
        ("tcp", 104),
        ("tcp", 2575),
        ("tcp", 11112),
    }
    assert {int(payload) for _, _, payload in seen} == {0}


async def test_outside_its_world_the_scanner_sends_nothing() -> None:
    scanner = NmapScanner(WorldGuard("4:1"))
    with pytest.raises(IntegrityError, match="neither scans nor connects"):
        await scanner.sweep([boxes.NETWORK])
    with pytest.raises(IntegrityError, match="neither scans nor connects"):
        await scanner.connect([boxes.SERVER], [22])


async def test_inside_a_world_another_world_is_refused(world: World) -> None:
    with pytest.raises(IntegrityError, match=current_netns()):
        await WorldScanner(world, netns=current_netns()).sweep([boxes.NETWORK])


async def test_a_missing_nmap_names_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.shell.nmap.ENVIRONMENT", {"PATH": str(tmp_path)})
    with pytest.raises(UnreachableError, match="apt-get install nmap"):
        await NmapScanner(WorldGuard(None)).connect(["127.0.0.1"], [9])


def _stand_in(directory: Path, script: str) -> dict[str, str]:
    """Put a program named nmap first in a PATH of its own."""
    program = directory / "nmap"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{directory}:/usr/bin:/bin"}


async def test_an_nmap_that_fails_is_told_with_what_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = _stand_in(tmp_path, "echo 'route_dst_netlink: no route' >&2; exit 1")
    monkeypatch.setattr("appliance.shell.nmap.ENVIRONMENT", environment)
    with pytest.raises(UnreachableError, match="no route"):
        await NmapScanner(WorldGuard(None)).connect(["127.0.0.1"], [9])


async def test_a_cancelled_scan_leaves_no_nmap_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "pid"
    environment = _stand_in(tmp_path, f"echo $$ > {note}.new; mv {note}.new {note}; exec sleep 99")
    monkeypatch.setattr("appliance.shell.nmap.ENVIRONMENT", environment)
    task = asyncio.create_task(NmapScanner(WorldGuard(None)).connect(["127.0.0.1"], [9]))
    async with asyncio.timeout(END_S):
        while not note.exists():  # noqa: ASYNC110 - another process makes the file
            await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)

"""A clinic of a few real Debian hosts with a real hub and a real appliance, for tests of faults."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from central import config as hub_config
from central import setup as hub_setup
from osiris.demo import lab, rootfs
from osiris.demo.free_port import free_port
from osiris.demo.hosts import KERNEL_SETTINGS, base_prepare
from osiris.demo.lab import LabHost, LoginKey
from osiris.demo.world import HostSpec, World
from runtime.clock import SystemClock, system_entropy
from tests.e2e.clinic_scene_content import LOG, PLACE, Lamp, texts, write
from tests.e2e.daemons import Daemon, Launcher, launcher_of, until

HUB_PORT_INSIDE = 9443
PORTAL_PORT_INSIDE = 8443
SSH_PORT = 22

SETTLED_WITHIN_S = 180.0
"""A repair that was undone is tried again after a minute."""

OPEN_STATES = ("open", "planned", "executing", "verifying", "undoing")
"""States in which an incident still has somewhere to go by itself."""

IN_HAND = ("planned", "executing", "verifying", "undoing")


@dataclass(slots=True)
class Clinic:
    """What runs, and where its state lies."""

    world: World
    hosts: list[LabHost]
    hub: Daemon
    appliance: Daemon
    directory: Path
    state: Path

    def add_targets(self) -> dict[str, LabHost]:
        """Add every host with its key pinned; return them by target id."""
        found: dict[str, LabHost] = {}
        for host in self.hosts:
            shown = host.sh("cat /etc/ssh/ssh_host_ed25519_key.pub").output
            body = {
                "address": host.address,
                "port": SSH_PORT,
                "user": host.login,
                "sudo": "nopasswd",
                "private_key": host.key.private.read_text(),
                "host_key": " ".join(shown.split()[:2]),
                "label": host.name,
            }
            found[self.appliance.ask("POST", "/api/targets", body)["target"]] = host
        return found

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Read the appliance's store, as it lies on the disk."""
        return read_rows(self.state / "osiris.db", sql, *values)

    def hub_rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Read the hub's store, as it lies on the disk."""
        return read_rows(self.directory / "hub" / "hub.db", sql, *values)

    def count(self, sql: str, *values: object) -> int:
        """Return the one number that a query of the appliance's store gives."""
        (row,) = self.rows(sql, *values)
        return int(next(iter(row.values())))

    def in_hand(self) -> int:
        """Count the repairs under way."""
        return self.count(f"SELECT count(*) FROM incidents WHERE state IN {IN_HAND}")  # noqa: S608 - constants

    def unsettled(self) -> int:
        """Count the incidents that still have somewhere to go by themselves."""
        return self.count(f"SELECT count(*) FROM incidents WHERE state IN {OPEN_STATES}")  # noqa: S608 - constants

    def conditions(self) -> set[str]:
        """Return what the appliance says is wrong with it."""
        return set(self.appliance.ask("GET", "/api/status")["health"])

    def until_settled(self, incidents: int) -> None:
        """Wait until so many incidents have been opened and each has come to its rest."""

        def is_settled() -> bool:
            opened = self.count("SELECT count(*) FROM incidents")
            return opened >= incidents and not self.unsettled()

        until(is_settled, f"{incidents} incidents settled", within_s=SETTLED_WITHIN_S)

    def assert_evidence_arrived(self) -> int:
        """Require that the log as it is now is sound, and the hub's mirror its very bytes.

        Returns:
            How many leaves there were to arrive.
        """
        size = self.count("SELECT size FROM evidence_head")
        acked = "SELECT acked_size FROM evidence_head"
        until(lambda: self.count(acked) >= size, f"the hub acknowledged {size} leaves")
        sound = self.appliance.ask("POST", "/api/evidence/verify", {})
        assert sound["leaves"] >= size
        assert sound["cosigned"]
        theirs = self.hub_rows("SELECT leaf, envelope FROM leaves ORDER BY leaf")
        ours = self.rows("SELECT idx, leaf FROM evidence ORDER BY idx")
        assert [row["idx"] for row in ours] == list(range(len(ours)))
        assert [row["leaf"] for row in theirs] == list(range(len(theirs)))
        assert size <= len(theirs) <= len(ours)
        # What a full disk made the appliance give up is with the hub alone, and its hash here.
        differ = [
            mine["idx"]
            for mine, mirrored in zip(ours, theirs, strict=False)
            if mine["leaf"] not in {None, mirrored["envelope"]}
        ]
        assert not differ
        return size


def read_rows(path: Path, sql: str, *values: object) -> list[dict[str, Any]]:
    """Read a SQLite file that a daemon may be writing."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(sql, values)]
    finally:
        connection.close()


def require_lab() -> Path:
    """Return the root file system; skip, or fail where it must not be missing, without a lab."""
    if reason := lab.obstacle():
        if lab.must_run():
            pytest.fail(f"the lab must run here and cannot: {reason}")
        pytest.skip(f"no lab: {reason}")
    return rootfs.ensure(lambda _line: None)


@dataclass(frozen=True, slots=True)
class House:
    """How a clinic is set up where it is not an ordinary one.

    Attributes:
        hub: sets a hub up and starts it.
        state: the appliance's state directory.
        content: what the appliance is configured to run, below `content_dir`; None for what it
            gets from its hub.
        limits: further lines of the section of its configuration.
    """

    hub: "Callable[[ExitStack, Path], Daemon] | None" = None
    state: Path | None = None
    content: Mapping[str, str] | None = None
    limits: str = ""


@contextmanager
def clinic(
    directory: Path, lamps: tuple[Lamp, ...], *, hosts: int, state: Path | None = None
) -> Iterator[Clinic]:
    """Start hosts, a hub and an enrolled appliance that is not running yet.

    `state` is the appliance's state directory where it is not to be an ordinary one.
    """
    with clinic_of(directory, House(state=state, content=texts(lamps)), hosts=hosts) as made:
        yield made


@contextmanager
def clinic_of(directory: Path, house: House, *, hosts: int) -> Iterator[Clinic]:
    """Start hosts, a hub and an enrolled appliance that is not running yet, as the house says."""
    rootfs_file = require_lab()
    state = house.state or directory / "appliance"
    with ExitStack() as stack:
        hub = (house.hub or start_hub)(stack, directory)
        world = stack.enter_context(World(rootfs_file))
        running = _hosts(world, lab.make_key(directory), hosts)
        appliance = _enrolled(stack, world, hub, directory, replace(house, state=state))
        yield Clinic(world, running, hub, appliance, directory, state)


def _hosts(world: World, key: LoginKey, count: int) -> list[LabHost]:
    specs = [
        HostSpec(
            f"h{number}",
            f"{world.network}.{100 + number}",
            f"02:00:00:00:00:{number:02x}",
            prepare=base_prepare(key.public),
            sysctls=KERNEL_SETTINGS,
        )
        for number in range(1, count + 1)
    ]
    world.start_all(specs)
    world.wait_ready([(spec.address, SSH_PORT) for spec in specs], timeout_s=lab.READY_TIMEOUT_S)
    return [LabHost(world, spec.name, spec.address, key) for spec in specs]


def start_hub(stack: ExitStack, directory: Path, *, origin: str = "") -> Daemon:
    """Set a hub up and start it; by default it is known by its address inside a world."""
    path = hub_file(directory, origin=origin)
    asyncio.run(hub_setup.init(hub_config.read(path), clock=SystemClock(), entropy=system_entropy))
    return serve_hub(stack, path)


def hub_file(directory: Path, *, origin: str = "") -> Path:
    """Write the configuration of a hub that is not set up yet; return where."""
    port = free_port()
    path = directory / "hub.toml"
    path.write_text(
        hub_config.as_toml(
            origin=origin.format(port=port) or f"https://10.77.0.1:{HUB_PORT_INSIDE}",
            state_dir=directory / "hub",
            host="127.0.0.1",
            port=port,
        )
        + "\n[fleet]\ncheck_in_s = 5\n"
    )
    return path


def serve_hub(stack: ExitStack, path: Path) -> Daemon:
    """Start a hub that is set up."""
    log = path.with_name("hub.log")
    hub = Daemon(
        launcher_of("central.main"), path, path.with_name("hub") / "hub.sock", "/local/status", log
    )
    stack.callback(hub.end)
    hub.start()
    return hub


def _enrolled(
    stack: ExitStack,
    world: World,
    hub: Daemon,
    directory: Path,
    house: House,
) -> Daemon:
    bridge = f"{world.network}.1"
    to_hub = world.forward(
        (bridge, HUB_PORT_INSIDE),
        ("127.0.0.1", hub_config.read(hub.config).file.listen.port),
        inward=True,
    )
    stack.callback(to_hub.close)
    state, content = house.state, ""
    assert state is not None
    if house.content is not None:
        content = f'content_dir = "{write(directory / "content", house.content)}"\n'
    path = directory / "appliance.toml"
    path.write_text(
        f'state_dir = "{state}"\naddress = "{bridge}"\ntpm = "off"\n{content}\n'
        f'[site]\nlabel = "Faults"\n\n[portal]\nhost = "{bridge}"\nport = {PORTAL_PORT_INSIDE}\n'
        'names = ["127.0.0.1"]\n\n'
        f"[limits]\n{house.limits or 'check_in_s = 5'}\nscan_tick_s = 2\n\n"
        f'[world]\nnetns = "{world.netns_id}"\n'
    )
    claim = hub.ask("POST", "/local/sites", {"label": "Faults"})["claim_code"]
    launcher = Launcher("appliance.main", world.popen)
    stack.callback(launcher.close)
    log = directory / "appliance.log"
    launcher.enroll(claim, path, directory / "enroll.log")
    return Daemon(launcher, path, state / "osiris.sock", "/api/status", log)


def lamp_log(host: LabHost) -> list[tuple[str, str, str, str]]:
    """Return what scripts said on a target: ("begin" or "end", lamp, step or "undo", token)."""
    lines = host.sh(f"cat {LOG} 2>/dev/null || true").output.split("\n")
    return [(a, b, c, d) for a, b, c, d in (line.split() for line in lines if line)]


def lit(host: LabHost) -> set[str]:
    """Return the lamps that are lit on a target."""
    return set(host.sh(f"ls {PLACE} 2>/dev/null || true").output.split()) - {"log"}


def quietly(call: Callable[[], object]) -> None:
    """Do something for a process that may be gone by now."""
    with suppress(OSError):
        call()

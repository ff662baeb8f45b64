"""The signer as a process: killed again and again it forks nothing, and only it has the keys."""

import asyncio
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from central import config as configuration
from central import setup
from central.core.order_signing import Rates
from central.core.orders import OrderLeaf, Wish
from central.core.signer_place import SIGNER_KEYS
from central.signer_link import SignerLink, SocketTalk
from osiris.demo.free_port import free_port
from proto.envelope import Kind, signature_of
from proto.errors import ConfigError, UnreachableError
from proto.hub import enroll
from proto.ids import ApplianceId, SiteId
from proto.keysets import Role
from proto.order_log import Batch, Mirror, follow, origin_of
from proto.orders.kinds import OrderType, Tier
from runtime import keyfile
from runtime.clock import SystemClock, system_entropy
from runtime.repository import development
from tests.fakes.hub_process import ROOT, HubProcess, write_config
from tests.unit.reference_set import as_files, whole_texts

SITE, BOX = SiteId("s-aaaaaaaaaa"), ApplianceId("a-aaaaaaaaaa")
KILLS = 3
LIFE_S_MAX = 0.3
ORDERS_MAX = Rates().site - 20
PERSON = development.PEOPLE[0]


@dataclass
class SignerProcess:
    """A hub's signer alone, over a development trust as `osiris hub init` makes it."""

    hub: HubProcess
    running: subprocess.Popen[bytes] | None = None
    leaves: dict[int, OrderLeaf] = field(default_factory=dict)
    checkpoint: str | None = None

    @property
    def place(self) -> setup.Place:
        """The hub's files."""
        return setup.Place(self.hub.config.state_dir)

    def start(self) -> None:
        """Start it; a socket that a killed one left is taken away first."""
        self.place.signer_socket.unlink(missing_ok=True)
        directory = str(self.hub.config.state_dir)
        command = [sys.executable, "-m", "central.signer", "--state-dir", directory]
        self.running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """Kill it as a power cut would."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            self.running = None

    @asynccontextmanager
    async def link(self) -> AsyncIterator[SignerLink]:
        """Give the way to it, once it answers."""
        talk = SocketTalk(self.place.signer_socket)
        try:
            link = SignerLink(talk)
            await self._until_it_answers(link)
            yield link
        finally:
            await talk.close()

    async def _until_it_answers(self, link: SignerLink) -> None:
        end_s = time.monotonic() + 60
        while True:
            try:
                await link.answers()
            except UnreachableError:
                assert time.monotonic() < end_s, "the signer does not start"
                assert self.running is not None
                assert self.running.poll() is None, "the signer ended by itself"
                await asyncio.sleep(0.02)
            else:
                return

    def person_key(self) -> keyfile.KeyFile:
        """Return the key file of one of the development trust's people."""
        return keyfile.read(self.place.repository.people / f"{PERSON}.{Role.OPERATOR.value}.key")

    def keep(self, told: OrderLeaf, checkpoint: str) -> None:
        """Keep what was told: the same place is never told differently."""
        assert self.leaves.setdefault(told.index, told) == told
        self.checkpoint = checkpoint

    def mirrored(self) -> Mirror:
        """Follow everything that was told as an appliance does."""
        origin = origin_of(self.hub.root.hub_origin.removeprefix("https://"), SITE)
        assert self.checkpoint is not None
        envelopes = tuple(self.leaves[index].envelope for index in sorted(self.leaves))
        batch = Batch(0, envelopes, self.checkpoint.encode())
        return follow(Mirror(origin), batch, log_keys=self.hub.root.log_keys)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HubProcess:
    """Set a hub up once, with a small set of content; tests work on copies."""
    directory = tmp_path_factory.mktemp("made")
    file = write_config(directory, free_port())
    config = configuration.read(file)
    content = as_files(whole_texts())
    asyncio.run(setup.init(config, clock=SystemClock(), entropy=system_entropy, content=content))
    return HubProcess(file, config, config.file.listen.port)


@contextmanager
def copied(made: HubProcess, to: Path) -> Iterator[HubProcess]:
    shutil.copytree(made.config.state_dir, to / "state")
    file = write_config(to, made.port)
    hub = HubProcess(file, configuration.read(file), made.port)
    try:
        yield hub
    finally:
        hub.kill()


@pytest.fixture
def signer(made: HubProcess, tmp_path: Path) -> Iterator[SignerProcess]:
    with copied(made, tmp_path) as hub:
        process = SignerProcess(hub)
        try:
            yield process
        finally:
            process.kill()


def wish(tier: Tier = Tier.OBSERVE, people: int = 0) -> Wish:
    return Wish(SITE, BOX, OrderType.FORCE_CHECKIN, {}, tier, people, 3600, 0, "a test", "me")


async def order_until_killed(process: SignerProcess, told: list[bytes]) -> None:
    """Draft and log orders until the signer is gone; `told` keeps the names of what was drafted."""
    with suppress(UnreachableError):
        async with process.link() as link:
            await link.hear(SITE, BOX, appliances=(BOX,), checkpoint=process.checkpoint)
            for sid in told:
                process.keep(*await link.log(sid, []))
            while len(told) < ORDERS_MAX:
                fixed = await link.draft(wish())
                told.append(fixed.sid)
                process.keep(*await link.log(fixed.sid, []))


async def test_a_signer_killed_again_and_again_logs_each_order_once_in_one_log(
    signer: SignerProcess,
) -> None:
    """What it was asked for when it died is asked for again, and is the same leaf or a first."""
    moments = random.Random(time.time_ns())  # noqa: S311 - moments, not secrets
    names: list[bytes] = []
    for _ in range(KILLS):
        signer.start()
        async with signer.link() as link:
            await link.status()  # what it verifies once for all is not what is measured here
        ordering = asyncio.create_task(order_until_killed(signer, names))
        await asyncio.sleep(moments.uniform(0, LIFE_S_MAX))
        signer.kill()
        await ordering
    signer.start()
    assert names, "it lived long enough to draft something"
    async with signer.link() as link:
        await link.hear(SITE, BOX, appliances=(BOX,), checkpoint=signer.checkpoint)
        for sid in names:
            signer.keep(*await link.log(sid, []))
        logged, newest = await link.leaves(SITE, first=0)
    signer.checkpoint = newest
    assert [one.sid for one in logged] == [signer.leaves[n].sid for n in sorted(signer.leaves)]
    assert {one.sid for one in logged} == set(names)
    assert signer.mirrored().tree.size == len(names)


async def test_the_people_of_the_repository_sign_and_nobody_else(signer: SignerProcess) -> None:
    """The authority comes from the repository, by way of its roots; and the socket is private."""
    signer.start()
    async with signer.link() as link:
        status = await link.status()
        assert (status.authority, status.grants, status.problem) == (1, 1, "")
        assert signer.place.signer_socket.stat().st_mode & 0o777 == 0o600
        await link.hear(SITE, BOX, appliances=(BOX,), checkpoint=None)
        fixed = await link.draft(wish(Tier.CHANGE, people=1))
        key = signer.person_key().open(None)
        signature = signature_of(Kind.ORDER, fixed.body, signer=key)
        assert await link.person_of(fixed.sid, signature) == PERSON


async def test_what_somebody_puts_into_the_served_repository_changes_nothing(
    signer: SignerProcess,
) -> None:
    """The serving process may write there: a root that is not the pinned one is not believed."""
    root = signer.place.repository.place.metadata(Role.ROOT, 1)
    root.write_bytes(root.read_bytes().replace(b"\n", b" \n", 1) + b" ")
    signer.start()
    async with signer.link() as link:
        assert "pins" in (await link.status()).problem


async def test_a_hub_takes_no_other_process_for_the_signer_that_it_started(
    signer: SignerProcess,
) -> None:
    """That of a hub which was killed may answer a moment longer, and then cut questions off."""
    signer.start()
    async with signer.link():
        assert signer.running is not None
        path = signer.place.signer_socket
        async with SocketTalk(path, process=signer.running.pid) as talk:
            await SignerLink(talk).answers()
        async with SocketTalk(path, process=os.getpid()) as talk:
            for _ in range(2):
                with pytest.raises(UnreachableError):
                    await SignerLink(talk).answers()


def test_the_hub_serves_without_the_keys_that_sign(signer: SignerProcess) -> None:
    """They are gone from the disk before it starts: whatever it signs, the signer signed."""
    hub = signer.hub
    with hub.file.open("a") as file:
        file.write("\n[signer]\nembedded = false\n")
    signer.start()

    async def wait() -> None:
        async with signer.link():
            pass

    asyncio.run(wait())
    for name in SIGNER_KEYS:
        signer.place.key(name).unlink()
    hub.start()
    with hub.client() as client:
        assert client.get("/healthz").status_code == 200
        assert client.get(enroll.PATH_ROOT).status_code == 200


def test_a_signer_that_lacks_a_key_ends_the_hubs_start_with_its_reason(
    signer: SignerProcess,
) -> None:
    signer.place.key("order").unlink()
    process = signer.hub.spawn()
    _, said = process.communicate(timeout=60)
    assert process.returncode == ConfigError.exit_status
    assert b"order.key" in said

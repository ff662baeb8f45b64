"""The demo's scene: a hub, a clinic in a world of its own, and the appliance inside that world.

Everything lies in one directory that is removed at the end. A scene that was killed leaves that
directory behind and nothing else; the next start removes it, because nobody holds its lock.
"""

import asyncio
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central import config as hub_config
from central import setup as hub_setup
from osiris.demo import hosts, neglect
from osiris.demo.free_port import free_port
from osiris.demo.world import World, WorldError
from proto.errors import OsirisError, UnreachableError
from runtime.clock import SystemClock, system_entropy
from runtime.tls import write_private
from runtime.web.passwords import MADE_ENTROPY_BYTES, make_password

PREFIX = "osiris-demo-"
HUB_PORT_INSIDE = 9443
PORTAL_PORT_INSIDE = 8443
READY_WITHIN_S = 30.0
END_WITHIN_S = 10.0
ACCOUNT = "demo"

Say = Callable[[str], None]


class DemoError(OsirisError):
    """The demo could not be set up; the message says which part and why."""

    code = "demo"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where people can look, and with which first account."""

    portal: str
    console: str
    account: str
    password: str


@dataclass(slots=True)
class Scene:
    """A running demo. Use it as a context manager.

    Attributes:
        neglected: host -> the checks that it drifts from.
        content_dir: another content set than the one that is shipped.
    """

    rootfs: Path
    say: Say
    network: str = "10.77.0"
    neglected: Mapping[str, Sequence[str]] = field(default_factory=lambda: neglect.NEGLECT)
    content_dir: Path | None = None
    directory: Path = field(init=False)
    world: World = field(init=False)
    addresses: Addresses = field(init=False)
    site: str = field(init=False)
    targets: dict[str, str] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)
    _host_keys: dict[str, str] = field(default_factory=dict)
    _clients: dict[Path, httpx.Client] = field(default_factory=dict)
    _watched: dict[str, "subprocess.Popen[Any]"] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Set everything up; on a failure nothing stays.

        Three things are slow and wait for each other only at the end: the hub starts, the hosts
        boot, and the appliance is enrolled.
        """
        with self._stack:
            self.directory = self._stack.enter_context(_directory())
            # Ended after the world, whose end makes whoever still waits for a host give up.
            hands = self._stack.enter_context(ThreadPoolExecutor(len(hosts.LINUX_HOSTS)))
            hub_port = self._start_hub()
            self.world = self._stack.enter_context(World(self.rootfs, network=self.network))
            booting = hands.submit(self._boot)
            self._until(lambda: self.hub("GET", "/local/status") is not None, "the hub")
            self.say(f"hub on 127.0.0.1:{hub_port}")
            self._enroll(hub_port)
            self.say(booting.result())
            neglecting = hands.map(self._drift, hosts.LINUX_HOSTS)
            self._start_appliance(hub_port)
            self._host_keys = dict(neglecting)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Take everything down again."""
        self._stack.close()

    @property
    def bridge(self) -> str:
        """The appliance's address in the world."""
        return f"{self.network}.1"

    @property
    def appliance_config(self) -> Path:
        """The appliance's configuration file."""
        return self.directory / "appliance.toml"

    def _start_hub(self) -> int:
        port = free_port()
        origin = f"https://{self.bridge}:{HUB_PORT_INSIDE}"
        path = self.directory / "hub.toml"
        path.write_text(
            hub_config.as_toml(
                origin=origin, state_dir=self.directory / "hub", host="127.0.0.1", port=port
            )
            + '\n[console]\nname = "Demo hub"\n\n[fleet]\ncheck_in_s = 5\n'
        )
        asyncio.run(
            hub_setup.init(hub_config.read(path), clock=SystemClock(), entropy=system_entropy)
        )
        self._process("hub", ["-m", "central", "--config", str(path)])
        return port

    def _boot(self) -> str:
        """Start every host and wait until each can be logged in on; say what came of it."""
        began = time.monotonic()
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        write_private(self.directory / "login.key", private)
        self.world.start_all(hosts.clinic(public.decode(), {}, network=self.network))
        self.world.wait_ready(hosts.ready_ports(self.network))
        return (
            f"clinic of {len(hosts.LINUX_HOSTS)} Linux hosts and a CT scanner"
            f" in {time.monotonic() - began:.1f} s ({self.world.describe()})"
        )

    def _drift(self, host: str) -> tuple[str, str]:
        """Neglect a host; return its name and the host key that it shows."""
        checks = self.neglected.get(host, ())
        text = "\n".join(f"( {neglect.script(check)}\n) >/dev/null" for check in checks)
        done = self.world.exec(host, ["sh", "-eu"], stdin=text.encode())
        if done.exit_status != 0:
            msg = f"{host} did not drift as it should: {done.output[-400:]}"
            raise DemoError(msg)
        shown = self.world.exec(host, ["cat", "/etc/ssh/ssh_host_ed25519_key.pub"]).output
        return host, " ".join(shown.split()[:2])

    def _enroll(self, hub_port: int) -> None:
        self._stack.enter_context(
            _closing(
                self.world.forward(
                    (self.bridge, HUB_PORT_INSIDE), ("127.0.0.1", hub_port), inward=True
                )
            )
        )
        self.appliance_config.write_text(self._appliance_toml())
        added = self.hub("POST", "/local/sites", {"label": "Demo clinic"})
        self.site, code = added["site"], added["claim_code"]
        # The appliance's verbs alone: all of `osiris` would load the hub's half too.
        verbs = "from appliance.cli import appliance; appliance()"
        enrolled = self.world.popen(
            [sys.executable, "-c", verbs, "enroll", code, "--config", str(self.appliance_config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        output, _ = enrolled.communicate(timeout=READY_WITHIN_S)
        if enrolled.returncode != 0:
            msg = f"the appliance was not enrolled: {output.strip()}"
            raise DemoError(msg)

    def _start_appliance(self, hub_port: int) -> None:
        argv = ["-m", "appliance", "--config", str(self.appliance_config)]
        self._process("appliance", argv, world=self.world)
        self._until(lambda: self.appliance("GET", "/api/status") is not None, "the appliance")
        self._open_pages(hub_port)
        self.say("appliance enrolled and watching")

    def _appliance_toml(self) -> str:
        content = f'content_dir = "{self.content_dir}"\n' if self.content_dir else ""
        return (
            f'state_dir = "{self.directory / "appliance"}"\n{content}'
            f'address = "{self.bridge}"\ntpm = "off"\n\n'
            '[site]\nlabel = "Demo clinic"\n'
            f'admin_networks = ["{self.network}.0/24"]\nntp_servers = ["{self.bridge}"]\n\n'
            f'[discovery]\nnetworks = ["{self.network}.0/24"]\ninterval_s = 15\n\n'
            f'[portal]\nhost = "{self.bridge}"\nport = {PORTAL_PORT_INSIDE}\n'
            'names = ["127.0.0.1"]\n\n'
            "[limits]\ncheck_in_s = 5\n\n"
            f'[world]\nnetns = "{self.world.netns_id}"\n'
        )

    def _open_pages(self, hub_port: int) -> None:
        password = make_password(system_entropy(MADE_ENTROPY_BYTES)).reveal()
        self.appliance("POST", "/api/accounts", {"name": ACCOUNT, "password": password})
        self.hub("POST", "/local/users", {"name": ACCOUNT, "password": password})
        portal = self._stack.enter_context(
            _closing(
                self.world.forward(
                    ("127.0.0.1", 0), (self.bridge, PORTAL_PORT_INSIDE), inward=False
                )
            )
        )
        self.addresses = Addresses(
            portal=f"https://127.0.0.1:{portal.port}",
            console=f"https://127.0.0.1:{hub_port}",
            account=ACCOUNT,
            password=password,
        )

    def add_targets(self) -> None:
        """Add every Linux host, its host key pinned as the host itself shows it."""
        private = (self.directory / "login.key").read_text()

        def add(name: str, place: tuple[str, int]) -> tuple[str, str]:
            body = {
                "address": place[0],
                "port": place[1],
                "user": hosts.LOGIN,
                "sudo": "nopasswd",
                "private_key": private,
                "host_key": self._host_keys[name],
                "label": name,
            }
            return self.appliance("POST", "/api/targets", body)["target"], name

        with ThreadPoolExecutor(len(hosts.LINUX_HOSTS)) as hands:
            places = hosts.ready_ports(self.network)
            self.targets |= hands.map(add, hosts.LINUX_HOSTS, places)

    def appliance(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Ask the appliance through its socket."""
        return self._ask(self.directory / "appliance" / "osiris.sock", method, path, body=body)

    def hub(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Ask the hub through its socket."""
        return self._ask(self.directory / "hub" / "hub.sock", method, path, body=body)

    def _ask(self, socket: Path, method: str, path: str, *, body: dict[str, Any] | None) -> Any:  # noqa: ANN401 - JSON
        if socket not in self._clients:
            transport = httpx.HTTPTransport(uds=str(socket))
            client = httpx.Client(transport=transport, base_url="http://osiris", timeout=60)
            self._clients[socket] = self._stack.enter_context(client)
        answer = self._clients[socket].request(method, path, json=body)
        if answer.is_error:
            msg = f"{path}: {answer.text[:300]}"
            raise DemoError(msg)
        return answer.json()

    def _process(self, name: str, args: list[str], *, world: World | None = None) -> None:
        """Start a daemon whose log lies in the scene's directory, and end it with the scene.

        It dies with the demo even when the demo is killed: the kernel sends it SIGKILL then. A
        Ctrl-C of the terminal is for the demo alone, which ends its daemons in order.
        """
        log = self._stack.enter_context((self.directory / f"{name}.log").open("wb"))
        argv = [sys.executable, *args]
        apart: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": log,
            "stderr": log,
            "start_new_session": True,
        }
        if world is None:
            bound = ["setpriv", "--pdeathsig", "KILL", *argv]
            process = subprocess.Popen(bound, **apart)  # noqa: S603 - our own program
        else:
            process = world.popen(argv, **apart)
        self._stack.callback(_end, process)
        self._watched[name] = process

    def pid(self, daemon: str) -> int:
        """Return the process id of the "hub" or of the "appliance"."""
        return self._watched[daemon].pid

    def check_alive(self) -> None:
        """Raise `DemoError` with the end of its log when a daemon has stopped."""
        for name, process in self._watched.items():
            if process.poll() is not None:
                log = (self.directory / f"{name}.log").read_text("utf-8", "replace")
                msg = f"the {name} stopped with status {process.returncode}: {log[-800:]}"
                raise DemoError(msg)

    def _until(self, is_ready: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end:
            self.check_alive()
            with suppress(httpx.HTTPError, UnreachableError, OSError):
                if is_ready():
                    return
            time.sleep(0.05)
        msg = f"{what} did not answer within {READY_WITHIN_S:.0f} s"
        raise DemoError(msg)


def _end(process: "subprocess.Popen[Any]") -> None:
    process.terminate()
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _closing(forward: Any) -> Iterator[Any]:  # noqa: ANN401 - a Forward
    try:
        yield forward
    finally:
        forward.close()


@contextmanager
def _directory() -> Iterator[Path]:
    """Make the scene's directory, locked while it is in use; remove those nobody holds."""
    sweep()
    path = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = os.open(path / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def sweep() -> int:
    """Remove the directories of scenes that were killed; return how many there were."""
    found = 0
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if path.is_symlink() or path.stat().st_uid != os.geteuid():
                continue
            descriptor = os.open(path / "lock", os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
                found += 1
            finally:
                os.close(descriptor)
    return found


__all__ = ["Addresses", "DemoError", "Scene", "WorldError", "sweep"]

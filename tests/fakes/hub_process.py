"""A hub as a process of its own over a state directory of its own."""

import asyncio
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from central import config as configuration
from central import setup
from central.config import Config
from osiris.demo.free_port import free_port
from proto.trust_root import TrustRoot
from runtime import tls
from runtime.clock import SystemClock, system_entropy
from tests.e2e.daemons import Daemon, launcher_of, until

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class HubProcess:
    """A hub that was set up; `start` and `kill` as often as a test likes."""

    file: Path
    config: Config
    port: int
    daemon: Daemon = field(init=False)

    def __post_init__(self) -> None:
        """Have the daemon started from the tests' launcher."""
        self.daemon = Daemon(
            launcher_of("central.main"),
            self.file,
            self.config.state_dir / "hub.sock",
            "/local/status",
            self.file.with_name("hub.log"),
        )

    @property
    def origin(self) -> str:
        """Where it serves."""
        return self.config.file.origin

    @property
    def root(self) -> TrustRoot:
        """Its trust root."""
        return setup.load_root(setup.Place(self.config.state_dir))[1]

    def context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts this hub."""
        authority = setup.Place(self.config.state_dir).tls / tls.CA_CERT
        return tls.client_context(authority.read_text("ascii"))

    def client(self) -> httpx.Client:
        """Return a client that trusts this hub."""
        return httpx.Client(
            base_url=self.origin, verify=self.context(), timeout=20.0, trust_env=False
        )

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the daemon's process as people do, without waiting for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "central", "--config", str(self.file)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
        )

    def start(self) -> None:
        """Start the daemon and return once it accepts connections."""
        self.daemon.start(wait=False)
        until(self._accepts, "the hub accepts connections")

    def kill(self) -> None:
        """Kill the daemon as a power cut would."""
        self.daemon.end()

    def stop(self) -> int:
        """Ask the daemon to stop and return its exit status."""
        return self.daemon.stop() if self.daemon.pid else 0

    def _accepts(self) -> bool:
        self.daemon.require_alive()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def write_config(directory: Path, port: int) -> Path:
    """Write a configuration as `osiris hub init` does, and return where."""
    file = directory / "hub.toml"
    text = configuration.as_toml(
        origin=f"https://127.0.0.1:{port}",
        state_dir=directory / "state",
        host="127.0.0.1",
        port=port,
    )
    file.write_text(text, "utf-8")
    return file


@contextmanager
def hub_process(directory: Path) -> Iterator[HubProcess]:
    """Set a hub up, not started; whatever runs at the end is killed."""
    port = free_port()
    file = write_config(directory, port)
    config = configuration.read(file)
    asyncio.run(setup.init(config, clock=SystemClock(), entropy=system_entropy))
    made = HubProcess(file, config, port)
    try:
        yield made
    finally:
        made.kill()

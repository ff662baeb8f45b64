"""A hub and an appliance as real processes on this machine's loopback, without any target.

The appliance has no network to discover, so it connects to its hub and to nothing else.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osiris.demo.free_port import free_port
from tests.e2e.clinic_scene import read_rows, start_hub
from tests.e2e.daemons import Daemon, launcher_of


@dataclass(slots=True)
class Pair:
    """Both daemons; the appliance is enrolled and not running yet."""

    hub: Daemon
    appliance: Daemon
    directory: Path

    @property
    def hub_store(self) -> Path:
        """The hub's database."""
        return self.directory / "hub" / "hub.db"

    def status(self) -> dict[str, Any]:
        """Return what the appliance says of itself."""
        found: dict[str, Any] = self.appliance.ask("GET", "/api/status")
        return found

    def grow(self, leaves: int) -> None:
        """Let the appliance write at least this many leaves: somebody turns its switch."""
        is_on = self.status()["observe_only"]
        for _ in range(leaves):
            is_on = not is_on
            self.appliance.ask("POST", "/api/observe-only", {"on": is_on})

    def hub_rows(self, sql: str) -> list[dict[str, Any]]:
        """Read the hub's store."""
        return read_rows(self.hub_store, sql)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Read the appliance's store."""
        return read_rows(self.directory / "appliance" / "osiris.db", sql)


@contextmanager
def pair(directory: Path, *, tpm: str = "off") -> Iterator[Pair]:
    """Start a hub, and enroll an appliance with it, on a machine with this TPM."""
    with ExitStack() as stack:
        hub = start_hub(stack, directory, origin="https://127.0.0.1:{port}")
        state = directory / "appliance"
        path = directory / "appliance.toml"
        path.write_text(
            f'state_dir = "{state}"\naddress = "127.0.0.1"\ntpm = "{tpm}"\n\n'
            '[site]\nlabel = "Pair"\n\n'
            f'[portal]\nhost = "127.0.0.1"\nport = {free_port()}\n\n[limits]\ncheck_in_s = 5\n'
        )
        claim = hub.ask("POST", "/local/sites", {"label": "Pair"})["claim_code"]
        launcher, log = launcher_of("appliance.main"), directory / "appliance.log"
        launcher.enroll(claim, path, directory / "enroll.log")
        appliance = Daemon(launcher, path, state / "osiris.sock", "/api/status", log)
        stack.callback(appliance.end)
        yield Pair(hub, appliance, directory)

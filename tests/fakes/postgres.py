"""A throw-away PostgreSQL server for tests: its own directory, a Unix socket, no network."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "postgresql"
_VERSIONS = Path("/usr/lib/postgresql")
_ACCOUNT = "postgres"


@dataclass(slots=True)
class Postgres:
    """A running server."""

    binaries: Path
    directory: Path
    _made: int = 0

    def new_url(self) -> str:
        """Return the URL of a fresh, empty database."""
        self._made += 1
        name = f"trial_{self._made}"
        _run(self.binaries / "createdb", "-h", str(self.directory), name)
        return f"postgresql://{_owner()}@/{name}?host={self.directory}"


def find_binaries() -> Path | None:
    """Return where the server's programs are, or None when there is no server."""
    found = sorted(_VERSIONS.glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def _owner() -> str:
    """Return who runs the server: it refuses to be root."""
    return _ACCOUNT if os.geteuid() == 0 else os.environ.get("USER", "osiris")


def _run(program: Path, *arguments: str) -> None:
    command = [str(program), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", _ACCOUNT, "--", *command]
    subprocess.run(command, check=True, capture_output=True, cwd="/")


@contextmanager
def running(binaries: Path) -> Iterator[Postgres]:
    """Run a server until the block ends."""
    with tempfile.TemporaryDirectory(prefix="osiris-pg-") as made:
        directory = Path(made)
        if os.geteuid() == 0:
            shutil.chown(directory, _ACCOUNT)
        data = directory / "data"
        _run(binaries / "initdb", "-D", str(data), "-A", "trust", "-U", _owner(), "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={directory} -c fsync=off"
        _run(
            binaries / "pg_ctl",
            *("-D", str(data), "-o", options, "-l", str(directory / "log"), "-w", "start"),
        )
        try:
            yield Postgres(binaries, directory)
        finally:
            _run(binaries / "pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")

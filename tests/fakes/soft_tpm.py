"""A real TPM 2.0 in software: swtpm behind a Unix socket, for what `systemd-creds` speaks to.

A kernel's /dev/tpmrm0 takes away what a process leaves in the TPM when it ends. Behind a socket
nobody does, and after three sessions the TPM is full: switch it off and on before the next.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pytest

from appliance.ports import Tpm
from appliance.shell.tpm import PROGRAM, PROGRAMS, TIMEOUT_S, SystemdCreds
from proto.secret import Secret
from tests.e2e.daemons import until

NEEDED = (PROGRAM, "swtpm")
GOES_OFF_WITHIN_S = 1.0
SHUTDOWN_CLEAR = bytes.fromhex("80010000000c000001450000")
"""TPM2_Shutdown(TPM_SU_CLEAR), from the TPM 2.0 Library, part 3."""

TCTI = "libtss2-tcti-swtpm.so.0"


def require_soft_tpm() -> None:
    """Skip, naming the install command; with root or CI a missing one is a failure."""
    missing = [name for name in NEEDED if shutil.which(name, path=PROGRAMS) is None]
    if not missing and any(Path("/usr/lib").glob(f"*/{TCTI}*")):
        return
    words = "no software TPM: python -m osiris.packages install tpm softtpm"
    if os.geteuid() == 0 or os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


class SoftTpm:
    """One machine's TPM, with what it keeps when it is off."""

    def __init__(self, directory: Path) -> None:
        """Keep its state in this directory; it is off."""
        self.directory = directory
        self.socket = directory / "s"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def device(self) -> str:
        """What the setting `tpm` names it."""
        return f"swtpm:path={self.socket}"

    def real(self, *, timeout_s: float = TIMEOUT_S) -> SystemdCreds:
        """Return the appliance's own way to it."""
        program = shutil.which(PROGRAM, path=PROGRAMS)
        assert program is not None
        return SystemdCreds(program, self.device, timeout_s)

    def on(self) -> Self:
        """Switch it on."""
        argv = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.directory}"]
        argv += ["--server", f"type=unixio,path={self.socket}"]
        argv += ["--ctrl", f"type=unixio,path={self.socket}.ctrl"]
        argv += ["--flags", "not-need-init,startup-clear"]
        self._process = subprocess.Popen(
            argv, env={"PATH": PROGRAMS}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: self.socket.exists() and self._control.exists(), "the TPM is on")
        return self

    @property
    def _control(self) -> Path:
        return Path(f"{self.socket}.ctrl")

    def off(self) -> None:
        """Switch it off as a kernel does, which tells it so: else it takes it for an attack."""
        if self._process is not None:
            self._shut_down()
            self._process.kill()
            self._process.wait()
            self._process = None
        for path in (self.socket, self._control):
            path.unlink(missing_ok=True)

    def _shut_down(self) -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(GOES_OFF_WITHIN_S)
            line.connect(str(self.socket))
            line.sendall(SHUTDOWN_CLEAR)
            line.recv(64)

    def cycle(self) -> None:
        """Switch it off and on again: the machine starts anew."""
        self.off()
        self.on()

    def clear(self) -> None:
        """Have it forget all it ever was."""
        self.off()
        for path in self.directory.glob("tpm2-*"):
            path.unlink()
        self.on()

    def hang(self) -> None:
        """Have it answer nothing any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)


class Rested:
    """A software TPM that is switched off and on before whatever it is asked."""

    def __init__(self, soft: SoftTpm) -> None:
        """Ask this one."""
        self._soft = soft

    def seal(self, secret: Secret, *, name: str) -> bytes:
        """Return sealed bytes; see `ports.Tpm.seal`."""
        return self._next().seal(secret, name=name)

    def unseal(self, sealed: bytes, *, name: str) -> Secret:
        """Return the secret; see `ports.Tpm.unseal`."""
        return self._next().unseal(sealed, name=name)

    def _next(self) -> Tpm:
        self._soft.cycle()
        return self._soft.real()


@contextmanager
def soft_tpm() -> Iterator[SoftTpm]:
    """Give a TPM that is on; the path of a socket is short, so not below a test's directory."""
    with tempfile.TemporaryDirectory(prefix="tpm-") as directory:
        made = SoftTpm(Path(directory))
        try:
            yield made.on()
        finally:
            made.off()

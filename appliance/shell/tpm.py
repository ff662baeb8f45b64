"""`ports.Tpm`: this machine's TPM through `systemd-creds`, and whether there is one to use.

What is sealed passes through pipes only: it is never an argument and never lies in a file.

Sealed to PCR 23 alone. It is the one that TCG's PC Client profile leaves to applications: zero
after each start, extended by neither firmware, boot loader nor kernel, and root may set it back. So
an update of any of them locks nobody out. To no PCR at all systemd 252 seals, and does not unseal.
"""

import base64
import binascii
import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.core.keeping import AUTO, OFF, How, Keeping
from appliance.ports import Tpm, TpmError
from proto.errors import ConfigError
from proto.secret import Secret

DEVICE: Final = Path("/dev/tpmrm0")
PROGRAM: Final = "systemd-creds"
PROGRAMS: Final = "/usr/bin:/bin:/run/current-system/sw/bin"
TIMEOUT_S: Final = 20.0
REAPED_WITHIN_S: Final = 2.0
PCR: Final = 23
ANSWER_BYTES_MAX: Final = 16 * 1024
SAID_CHARS_MAX: Final = 200

SEALED: Final = Keeping(How.TPM)

_BY_TPM_ALONE: Final = bytes.fromhex("0c7cc07b117645919c4b0bea08bc20fe")
"""How a credential begins that a TPM alone opens: CRED_AES256_GCM_BY_TPM2_HMAC of systemd."""

_ENVIRONMENT: Final = {"PATH": PROGRAMS, "LC_ALL": "C.UTF-8", "TSS2_LOG": "all+none"}


@dataclass(frozen=True, slots=True)
class SystemdCreds:
    """Seals and unseals with one TPM; `ports.Tpm`.

    Attributes:
        program: the path of systemd-creds, of systemd 252 or later.
        device: the TPM, as its `--tpm2-device` takes it.
    """

    program: str
    device: str
    timeout_s: float = TIMEOUT_S

    def seal(self, secret: Secret, *, name: str) -> bytes:
        """Return sealed bytes; see `ports.Tpm.seal`."""
        how = ("encrypt", "--with-key=tpm2", f"--tpm2-pcrs={PCR}")
        sealed = self._run(*how, given=secret.reveal_bytes(), name=name)
        _require_by_tpm(sealed)
        return sealed

    def unseal(self, sealed: bytes, *, name: str) -> Secret:
        """Return the secret; see `ports.Tpm.unseal`."""
        _require_by_tpm(sealed)
        return Secret(self._run("decrypt", given=sealed, name=name))

    def _run(self, *how: str, given: bytes, name: str) -> bytes:
        where = (f"--name={name}", f"--tpm2-device={self.device}", "-", "-")
        try:
            process = subprocess.Popen(  # noqa: S603 - a fixed program, no shell, names of ours
                (self.program, *how, *where),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_ENVIRONMENT,
            )
        except OSError as error:
            msg = f"{self.program}: cannot be run: {error.strerror}"
            raise TpmError(msg) from error
        answer, said = self._ended(process, given)
        if process.returncode != 0:
            raise TpmError(_last_line(said))
        if len(answer) > ANSWER_BYTES_MAX:
            msg = f"{self.program} answered more than {ANSWER_BYTES_MAX} bytes"
            raise TpmError(msg)
        return answer

    def _ended(self, process: "subprocess.Popen[bytes]", given: bytes) -> tuple[bytes, bytes]:
        """Return what a process printed; one that a TPM keeps waiting is not waited for."""
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(given, timeout=self.timeout_s)
        # Raised here and not in a handler: the timeout's own error holds what was printed.
        process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):  # a driver that hangs keeps it even so
            process.wait(REAPED_WITHIN_S)
        msg = f"the TPM at {self.device} did not answer within {self.timeout_s:g} s"
        raise TpmError(msg)


def _require_by_tpm(sealed: bytes) -> None:
    """Refuse what opens without the TPM: systemd-creds opens that too, with no more than a word."""
    try:
        begins = base64.b64decode(sealed.split(b"\n", 1)[0][:24], validate=True)
    except binascii.Error:
        begins = b""
    if not begins.startswith(_BY_TPM_ALONE):
        msg = "these bytes are not what a TPM sealed"
        raise TpmError(msg)


def _last_line(said: bytes) -> str:
    lines = said.decode("ascii", "replace").strip().splitlines()
    line = "".join(letter for letter in lines[-1] if letter.isprintable()) if lines else ""
    return line[:SAID_CHARS_MAX] or "systemd-creds failed and said nothing"


@dataclass(frozen=True, slots=True)
class Found:
    """The TPM that is to be used.

    Attributes:
        tpm: None where there is none to use; `keeping` says why.
        is_named: the configuration names it, so keys are not kept without it.
    """

    tpm: Tpm | None
    keeping: Keeping
    is_named: bool = False


def find_tpm(setting: str, *, device: Path = DEVICE, programs: str = PROGRAMS) -> Found:
    """Return the TPM that a setting means; nothing is run and no TPM is spoken to.

    Raises:
        ConfigError: the setting names one, and what talks to it is not installed.
    """
    if setting == OFF:
        return Found(None, Keeping(How.OFF))
    if setting == AUTO and not device.exists():
        return Found(None, Keeping(How.NO_TPM))
    if setting == AUTO and not os.access(device, os.R_OK | os.W_OK):
        return Found(None, Keeping(How.NOT_ALLOWED))
    program = shutil.which(PROGRAM, path=programs)
    if program is not None:
        named = setting != AUTO
        return Found(SystemdCreds(program, setting if named else str(device)), SEALED, named)
    if setting == AUTO:
        return Found(None, Keeping(How.NO_PROGRAM))
    msg = f"tpm: {setting}: {PROGRAM} is not installed: python -m osiris.packages install tpm"
    raise ConfigError(msg)

"""Starting processes for a service: detached, as its user, and waited for as its type says."""

import grp
import os
import pwd
import select
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from osiris.demo.world.standin.state import DIRECTORY
from osiris.demo.world.standin.units import Command, Unit, environment_of, expand

LOG = Path("/var/log/osiris-stand-in.log")
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
READY_TIMEOUT_S = 20.0
COMMAND_TIMEOUT_S = 60.0
POLL_S = 0.01
NOT_RUN = 203
"""systemd's exit status for a command that could not be executed."""

KEPT_DIRECTORIES = {
    "RuntimeDirectory": Path("/run"),
    "StateDirectory": Path("/var/lib"),
    "LogsDirectory": Path("/var/log"),
    "CacheDirectory": Path("/var/cache"),
}


class FailedError(Exception):
    """A command of a unit failed; the message is for the person at the keyboard."""


def environment(unit: Unit, main_pid: int = 0) -> dict[str, str]:
    """What a unit's commands find set."""
    found = {"PATH": SEARCH, "LANG": "C.UTF-8", **environment_of(unit)}
    return {**found, "MAINPID": str(main_pid)} if main_pid else found


def make_directories(unit: Unit) -> None:
    """Make the directories a service asks for, owned by its user."""
    for key, parent in KEPT_DIRECTORIES.items():
        mode = int(unit.one("Service", f"{key}Mode", "0755"), 8)
        for name in " ".join(unit.all("Service", key)).split():
            path = parent / name
            path.mkdir(parents=True, exist_ok=True)
            user = unit.one("Service", "User")
            if user:
                account = pwd.getpwnam(user)
                os.chown(path, account.pw_uid, account.pw_gid)
            path.chmod(mode)


def _become(unit: Unit) -> None:
    user, group = unit.one("Service", "User"), unit.one("Service", "Group")
    if not user:
        return
    account = pwd.getpwnam(user)
    gid = grp.getgrnam(group).gr_gid if group else account.pw_gid
    os.initgroups(user, gid)
    os.setgid(gid)
    os.setuid(account.pw_uid)


def spawn(
    unit: Unit, wanted: Command, found: Mapping[str, str], *, stdio: int | None = None
) -> int:
    """Start a command in a session of its own; returns its pid.

    Args:
        unit: whose user and umask it gets.
        wanted: the Exec line.
        found: its environment.
        stdio: descriptor for stdin and stdout (a connection); None for /dev/null and the log.
    """
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        for number in (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        _connect(stdio)
        os.chdir("/")
        os.umask(int(unit.one("Service", "UMask", "0022"), 8))
        if not wanted.as_root:
            _become(unit)
        words = expand(wanted.words, found)
        os.execve(words[0], words, dict(found))  # noqa: S606 - the unit's own command, no shell
    except (OSError, LookupError, ValueError) as error:
        os.write(2, f"{unit.name}: {wanted.words}: {error}\n".encode())
    finally:
        os._exit(NOT_RUN)


def _connect(stdio: int | None) -> None:
    log = os.open(LOG, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o640)
    inlet = os.open(os.devnull, os.O_RDONLY) if stdio is None else stdio
    outlet = log if stdio is None else stdio
    for number, fd in enumerate((inlet, outlet, log)):
        os.dup2(fd, number)
    os.closerange(3, 256)


def ended(pid: int) -> int | None:
    """A child's exit status, None while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def run(unit: Unit, wanted: Command, found: Mapping[str, str]) -> None:
    """Run a command to its end.

    Raises:
        FailedError: it failed and may not, or took too long.
    """
    pid = spawn(unit, wanted, found)
    deadline_s = time.monotonic() + COMMAND_TIMEOUT_S
    while (status := ended(pid)) is None:
        if time.monotonic() > deadline_s:
            os.kill(pid, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            break
        time.sleep(POLL_S)
    if status and not wanted.may_fail:
        msg = f"{wanted.words[0]} ended with status {status}; see {LOG}"
        raise FailedError(msg)


def start_notifying(unit: Unit, wanted: Command, found: Mapping[str, str]) -> int:
    """Start a Type=notify command and wait for its READY=1; returns its main pid.

    Raises:
        FailedError: it ended or did not say so in time.
    """
    DIRECTORY.mkdir(exist_ok=True)
    path = DIRECTORY / f"{unit.name}.notify"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind(str(path))
        path.chmod(0o666)
        pid = spawn(unit, wanted, {**found, "NOTIFY_SOCKET": str(path)})
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline_s:
            if select.select([inbox], [], [], POLL_S)[0]:
                said = inbox.recv(4096).decode(errors="replace").splitlines()
                if "READY=1" in said:
                    return pid
            if (status := ended(pid)) is not None:
                msg = f"the service ended with status {status}; see {LOG}"
                raise FailedError(msg)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    msg = f"the service was not ready within {READY_TIMEOUT_S:g} s"
    raise FailedError(msg)


def pid_from(path: Path) -> int:
    """The main pid a forking service has written to its PIDFile.

    Raises:
        FailedError: it wrote none in time.
    """
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline_s:
        with suppress(OSError, ValueError):
            return int(path.read_text())
        time.sleep(POLL_S)
    msg = f"the service wrote no pid to {path}"
    raise FailedError(msg)

"""PID 1 of a host under the stand-in: start what is enabled, then reap for ever."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from osiris.demo.world.standin import launch, service, state
from osiris.demo.world.standin.launch import FailedError
from osiris.demo.world.standin.units import NoSuchUnitError, load

TARGETS = ("sysinit", "sockets", "timers", "multi-user")
STARTED = ("service", "socket", "timer")
# /run/nologin is for systemd-user-sessions to remove, which is not here.
TMPFILES = ("--create", "--boot", "--exclude-prefix=/dev", "--exclude-prefix=/run/nologin")
EARLY = (
    ("/bin/systemd-machine-id-setup",),
    ("/bin/systemd-tmpfiles", *TMPFILES),
    ("/lib/systemd/systemd-sysctl",),
)
WANTED = Path("/etc/systemd/system")


def enabled() -> list[str]:
    """The units that somebody enabled; they are started without an order."""
    names = [
        path.name for target in TARGETS for path in (WANTED / f"{target}.target.wants").glob("*")
    ]
    return [name for name in dict.fromkeys(names) if name.rpartition(".")[2] in STARTED]


def main() -> NoReturn:
    """Boot the host, then be the parent of whatever has lost its own."""
    state.DIRECTORY.mkdir(exist_ok=True)
    for early in EARLY:
        subprocess.run(  # noqa: S603 - Debian's own early steps
            early, check=False, capture_output=True, stdin=subprocess.DEVNULL
        )
    # One process a unit: a service's own start may wait for it to be ready.
    starters = {os.fork() or _start_and_exit(name) for name in enabled()}
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    while True:
        starters = _reap(starters)
        if not starters and not state.BOOTED.exists():
            state.BOOTED.touch()
        signal.sigwait([signal.SIGCHLD])


def _reap(starters: set[int]) -> set[int]:
    with suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            starters = starters - {pid}
    return starters


def _start_and_exit(name: str) -> NoReturn:
    try:
        unit = load(name)
        if not unit.masked:
            service.start(unit)
    except (FailedError, NoSuchUnitError) as error:
        with launch.LOG.open("a") as log:
            log.write(f"{name}: {error}\n")
    finally:
        os._exit(0)

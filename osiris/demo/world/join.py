"""Entering what runs already: a host (for a command in it) or the world's network (for ours)."""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from osiris.demo.world import fakeids, host
from osiris.demo.world.stage import Stage
from osiris.demo.world.syscalls import die_with_parent, setns
from osiris.demo.world.values import WorldError

KINDS = ("net", "uts", "ipc", "pid", "cgroup", "mnt")
NOT_RUN = 127


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command runs: a host's PID 1, as the world numbers it, and its control group."""

    pid: int
    group: Path | None


def run(stage: Stage, place: Place | None, argv: Sequence[str], fds: Sequence[int]) -> NoReturn:
    """Become the command `argv`, with `fds` as stdin, stdout and stderr; None means the world.

    A process group of its own, so that a deadline can end whatever it has started.
    """
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        host.forget_signals()
        os.setsid()
        for number, fd in enumerate(fds):
            os.dup2(fd, number)
        if place is not None:
            _enter_host(place)
        if stage.mode == "single":
            fakeids.pretend_id_changes()
        os.execvpe(argv[0], list(argv), host.environment())  # noqa: S606 - no shell is wanted
    except (OSError, WorldError) as error:
        os.write(2, f"{argv[0]}: {error}\n".encode())
    finally:
        os._exit(NOT_RUN)


def _enter_host(place: Place) -> None:
    if place.group is not None:
        _join_group(place.group)
    namespaces = [os.open(f"/proc/{place.pid}/ns/{kind}", os.O_RDONLY) for kind in KINDS]
    for namespace in namespaces:
        setns(namespace)
        os.close(namespace)
    # A PID namespace takes in children only.
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    os.chdir("/")


def _join_group(group: Path) -> None:
    """Join the host's control group, where systemd lets a stranger in."""
    for inner in (group / "init.scope", group):
        try:
            (inner / "cgroup.procs").write_text("0")
        except OSError:
            continue  # not there before systemd has started, or closed to processes
        return


def enter_network(caller: int, user: int | None, network: int, argv: Sequence[str]) -> NoReturn:
    """Become `argv`, a program of the machine's own file system, in a world's network.

    Args:
        caller: pid of the process that starts us; without it we do not run.
        user: descriptor of the world's user namespace, None when root need not enter it.
        network: descriptor of the world's network namespace.
        argv: the program and its arguments.
    """
    die_with_parent()
    if os.getppid() != caller:
        os._exit(NOT_RUN)  # it ended before the line above could take effect
    if user is not None:
        setns(user)
        os.close(user)
    setns(network)
    os.close(network)
    os.execvp(argv[0], list(argv))  # noqa: S606 - no shell is wanted

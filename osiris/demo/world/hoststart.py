"""Starting a host: the processes and pipes around it, seen from PID 1 of the world.

```
PID 1 of the world -- forks --> a go-between -- forks --> the host's first process
        ^                         makes the link into       prepares its root, then
        |                         the host's network        becomes PID 1 of the host
        '--- one status pipe: lines of JSON from both; closed by the last exec ---'
```
"""

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from osiris.demo.world import commands, host
from osiris.demo.world.stage import Stage
from osiris.demo.world.syscalls import Namespace, unshare
from osiris.demo.world.values import HostSpec, WorldError
from osiris.demo.world.wire import Message

GO = b"+"
PIPE_BYTES = 512
OWN_KINDS = Namespace.MOUNT | Namespace.PID | Namespace.UTS | Namespace.IPC | Namespace.CGROUP


@dataclass(frozen=True, slots=True)
class HostPlan:
    """Where a host of this specification will live; `number` names its end of the link."""

    spec: HostSpec
    number: int
    directory: Path
    group: Path | None


@dataclass(frozen=True, slots=True)
class Said:
    """What a status pipe told: the host's PID 1, and whether it runs or why not."""

    pid: int
    running: bool
    error: str


def plan(stage: Stage, message: Message, *, number: int) -> HostPlan:
    """Read a start request."""
    argv = message["argv"]
    spec = HostSpec(
        name=message["name"],
        address=message["address"],
        mac=message["mac"],
        prepare=message["prepare"],
        argv=tuple(argv) if argv is not None else None,
        sysctls=message["sysctls"],
    )
    group = stage.host_group(spec.name) if spec.argv is None else None
    return HostPlan(spec, number, stage.host_directory(spec.name), group)


def understand(said: bytes) -> Said:
    """Read the lines of a status pipe that has closed."""
    told: dict[str, object] = {}
    for line in said.splitlines():
        told |= json.loads(line)
    error = str(told.get("error", "" if "running" in told else "it ended before its PID 1 ran"))
    return Said(int(str(told.get("pid", 0))), not error, error)


def begin(stage: Stage, wanted: HostPlan) -> int:
    """Fork off a host's start; returns the reading end of its status pipe."""
    wanted.directory.mkdir(parents=True)
    reader, writer = os.pipe()
    if os.fork() == 0:
        _go_between(stage, wanted, writer)
    os.close(writer)
    return reader


def _tell(status: int, **what: object) -> None:
    os.write(status, json.dumps(what).encode() + b"\n")


def _go_between(stage: Stage, wanted: HostPlan, status: int) -> NoReturn:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        os.setsid()
        _redirect(wanted.directory / "log")
        if wanted.group is not None:
            wanted.group.mkdir(exist_ok=True)
            (wanted.group / "cgroup.procs").write_text("0")
        unshare(OWN_KINDS)
        ready_read, ready_write = os.pipe()
        go_read, go_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ready_read)
            os.close(go_write)
            _first_process(stage, wanted, status, (ready_write, go_read))
        os.close(ready_write)
        _tell(status, pid=pid)
        if os.read(ready_read, 1) == GO:
            port = f"v{wanted.number}"
            # Our children are in the host's PID namespace already, where its first process is 1.
            commands.ip(
                f"link add {port} type veth peer name eth0 address {wanted.spec.mac} netns 1",
                f"link set {port} master br0 up",
            )
            os.write(go_write, GO)
    except (OSError, WorldError) as error:
        _tell(status, error=str(error))
    finally:
        os._exit(0)


def _redirect(log: Path) -> None:
    null = os.open("/dev/null", os.O_RDONLY)
    fd = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    os.dup2(null, 0)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(null)
    os.close(fd)


def _first_process(stage: Stage, wanted: HostPlan, status: int, pipes: tuple[int, int]) -> NoReturn:
    ready, go = pipes
    try:
        unshare(Namespace.NET)
        os.write(ready, GO)
        if os.read(go, 1) == GO:
            argv = host.furnish(stage, wanted.spec, wanted.directory)
            host.forget_signals()
            _tell(status, running=True)
            os.execve(argv[0], argv, host.environment())  # noqa: S606 - PID 1 of the host
    except (OSError, WorldError) as error:
        _tell(status, error=str(error))
    finally:
        os._exit(1)

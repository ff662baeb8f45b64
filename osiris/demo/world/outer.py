"""The two processes between the caller and PID 1 of a world.

```
caller -- starts --> outer -- forks --> middle -- forks --> PID 1 of the world
                       |                  |
                       |                  '- enters the user namespace, drops to the world's root,
                       |                     then enters the other namespaces
                       '- keeps the caller's ids: maps the middle one's ids, makes the control
                          group, waits, and removes the group
```
The lifeline is the socket: when the caller's end closes, PID 1 ends and the kernel ends the rest.
The death signal is used only from outer to middle to PID 1; towards the caller it would fire when
the caller's starting THREAD ends.
"""

import os
import signal
import socket
from typing import NoReturn

from osiris.demo.world import cgroup, idmap, init, stage, wire
from osiris.demo.world.syscalls import (
    Namespace,
    die_with_parent,
    stay_dumpable,
    unshare,
)
from osiris.demo.world.values import WorldConfig, WorldError

READY = b"u"


def outer(config: WorldConfig, end: socket.socket) -> NoReturn:
    """Bring up a world, wait for its end and remove its control group."""
    ready_read, ready_write = os.pipe()
    go_read, go_write = os.pipe()
    middle_pid = os.fork()
    if middle_pid == 0:
        os.close(ready_read)
        os.close(go_write)
        _end_with(end, lambda: _middle(config, end, ready_write, go_read))
    os.close(ready_write)
    os.close(go_read)
    group = None
    try:
        if os.read(ready_read, 1) == READY:
            idmap.write(config.mode, middle_pid)
            place = cgroup.place(config.mode) if config.init == "systemd" else None
            if place is not None:
                group = cgroup.make(place, middle_pid, idmap.owner(config.mode))
            os.write(go_write, b"g" if group else b"-")
    except (OSError, WorldError) as error:
        wire.send(end, {"error": f"ids: {error}"})
        os.kill(middle_pid, signal.SIGKILL)
    end.close()
    _, status = os.waitpid(middle_pid, 0)
    if group:
        cgroup.remove(group)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _end_with(end: socket.socket, work: "init.Work") -> NoReturn:
    """Run a child's work; tell the caller why it ended if it was an error of the system."""
    try:
        work()
    except (OSError, WorldError) as error:
        wire.send(end, {"error": str(error)})
    finally:
        os._exit(1)


def _middle(config: WorldConfig, end: socket.socket, ready: int, go: int) -> None:
    die_with_parent()
    if config.mode == "root":
        stage.show_whole_kernel()
    unshare(Namespace.USER)
    os.write(ready, READY)
    answer = os.read(go, 1)
    if not answer:
        return
    os.close(ready)
    os.close(go)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    if config.mode != "single":
        os.setgroups([])
    # Changing ids cleared both of these.
    die_with_parent()
    stay_dumpable()
    kinds = Namespace.MOUNT | Namespace.PID | Namespace.UTS | Namespace.IPC | Namespace.CGROUP
    unshare(kinds | Namespace.NET if config.network else kinds)
    pid = os.fork()
    if pid == 0:
        die_with_parent()
        _end_with(end, lambda: init.main(config, end, has_group=answer == b"g"))
    wire.send(end, {"pid": pid})
    end.close()
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)

"""PID 1 of a world: it starts, enters and stops hosts for the caller, and reaps.

It never waits for one thing only: a host that starts and a command that runs are remembered, and
answered when they end. When the caller's end of the socket closes it exits, and the kernel ends
every process, mount and link of the world with it.
"""

import os
import selectors
import shutil
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from osiris.demo.world import cgroup, hoststart, join, stage, wire
from osiris.demo.world.stage import Stage
from osiris.demo.world.values import WorldConfig, WorldError
from osiris.demo.world.wire import Message

Work = Callable[[], object]

WAKE_BYTES = 4096
LOG_TAIL_CHARS = 4000


@dataclass(slots=True)
class _Host:
    """A host as PID 1 of the world knows it; `pid` is its PID 1 once that is known."""

    name: str
    directory: Path
    group: Path | None
    pid: int = 0
    stop_requests: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Starting:
    """A host that is being prepared: what its status pipe has said so far."""

    host: _Host
    request: int
    said: bytes = b""


def main(config: WorldConfig, end: socket.socket, *, has_group: bool) -> NoReturn:
    """Become PID 1 of the world: build the stage, say so, then serve until the caller goes."""
    built = stage.build(config, has_group=has_group)
    told = {"init": built.init, "overlay": built.overlay, "base": str(built.base)}
    told |= {"scratch": str(built.scratch)}
    wire.send(end, {"ready": True, **told})
    _Init(built, end).serve()
    _clear(built)
    os._exit(0)


def _clear(built: Stage) -> None:
    """End everything, then remove the hosts' control groups: some belong to ids only we have."""
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    if built.init == "systemd":
        for group in stage.GROUP.iterdir():
            if group.is_dir() and group.name != stage.OWN_GROUP:
                cgroup.remove(group)


class _Init:
    """The loop and what it remembers."""

    def __init__(self, built: Stage, end: socket.socket) -> None:
        self._stage = built
        self._end = end
        self._hosts: dict[str, _Host] = {}
        self._commands: dict[int, int] = {}
        self._started = 0
        self._selector = selectors.DefaultSelector()
        self._alive = True

    def serve(self) -> None:
        """Answer requests until the lifeline breaks."""
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(wake_write)
        self._selector.register(self._end, selectors.EVENT_READ, self._on_request)
        self._selector.register(wake_read, selectors.EVENT_READ, lambda: self._on_child(wake_read))
        while self._alive:
            for key, _ in self._selector.select():
                key.data()

    def _reply(self, request: int, message: Message, fds: tuple[int, ...] = ()) -> None:
        wire.send(self._end, {"request": request, **message}, fds)

    def _on_request(self) -> None:
        received = wire.receive(self._end)
        if received is None:
            self._alive = False
            return
        message, fds = received
        request = int(message["request"])
        try:
            self._carry_out(request, message, fds)
        except (OSError, WorldError) as error:
            self._reply(request, {"error": str(error)})
        finally:
            for fd in fds:
                os.close(fd)

    def _carry_out(self, request: int, message: Message, fds: list[int]) -> None:
        match message["do"]:
            case "start":
                self._start(request, message)
            case "exec":
                self._exec(request, message, fds)
            case "kill":
                self._kill(request, int(message["of"]))
            case "stop":
                self._stop(request, str(message["name"]))
            case "socket":
                with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as fresh:
                    self._reply(request, {}, (fresh.fileno(),))
            case "log":
                self._reply(request, {"log": self._log_tail(str(message["name"]))})
            case unknown:
                msg = f"a world cannot {unknown!r}"
                raise WorldError(msg)

    def _host(self, name: str) -> _Host:
        try:
            return self._hosts[name]
        except KeyError:
            msg = f"no host {name!r} runs in this world"
            raise WorldError(msg) from None

    def _log_tail(self, name: str) -> str:
        log = self._stage.host_directory(name) / "log"
        return log.read_text(errors="replace")[-LOG_TAIL_CHARS:] if log.exists() else ""

    def _start(self, request: int, message: Message) -> None:
        name = str(message["name"])
        if name in self._hosts:
            msg = f"a host {name!r} runs already"
            raise WorldError(msg)
        self._started += 1
        plan = hoststart.plan(self._stage, message, number=self._started)
        status = hoststart.begin(self._stage, plan)
        host = self._hosts[name] = _Host(name, plan.directory, plan.group)
        starting = _Starting(host, request)
        self._selector.register(
            status, selectors.EVENT_READ, lambda: self._on_status(status, starting)
        )

    def _on_status(self, status: int, starting: _Starting) -> None:
        """Read a starting host's pipe; its end means PID 1 runs, or that it never will."""
        data = os.read(status, WAKE_BYTES)
        starting.said += data
        if data:
            return
        self._selector.unregister(status)
        os.close(status)
        said = hoststart.understand(starting.said)
        host = starting.host
        host.pid = said.pid
        if said.running and Path(f"/proc/{said.pid}").exists():
            self._reply(starting.request, {"pid": said.pid})
            return
        log = self._log_tail(host.name)
        self._forget(host)
        why = said.error or "its PID 1 ended at once"
        self._reply(starting.request, {"error": f"host {host.name!r}: {why}\n{log}".strip()})

    def _exec(self, request: int, message: Message, fds: list[int]) -> None:
        name = message["name"]
        host = self._host(str(name)) if name is not None else None
        place = join.Place(host.pid, host.group) if host else None
        argv = [str(word) for word in message["argv"]]
        pid = os.fork()
        if pid == 0:
            join.run(self._stage, place, argv, fds)
        self._commands[pid] = request

    def _kill(self, request: int, of: int) -> None:
        for pid, running in self._commands.items():
            if running == of:
                os.killpg(pid, signal.SIGKILL)
        self._reply(request, {})

    def _stop(self, request: int, name: str) -> None:
        host = self._host(name)
        if not host.pid:
            msg = f"host {name!r} is still starting"
            raise WorldError(msg)
        host.stop_requests.append(request)
        os.kill(host.pid, signal.SIGKILL)

    def _on_child(self, wake: int) -> None:
        with suppress(BlockingIOError):  # woken twice for one batch of children
            os.read(wake, WAKE_BYTES)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._ended(pid, os.waitstatus_to_exitcode(status))

    def _ended(self, pid: int, exit_status: int) -> None:
        if pid in self._commands:
            self._reply(self._commands.pop(pid), {"exit_status": exit_status})
            return
        for host in list(self._hosts.values()):
            if host.pid == pid:
                self._forget(host)

    def _forget(self, host: _Host) -> None:
        """Drop what a host leaves; the kernel has ended its processes, mounts and link."""
        self._hosts.pop(host.name, None)
        if host.group is not None:
            cgroup.remove(host.group)
        shutil.rmtree(host.directory, ignore_errors=True)
        for request in host.stop_requests:
            self._reply(request, {})

"""A world, seen by the one who made it."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from osiris.demo.world import cgroup, idmap, wire
from osiris.demo.world.forward import BACKLOG, Address, Forward
from osiris.demo.world.inside import NO_DESCRIPTOR
from osiris.demo.world.link import Link
from osiris.demo.world.probe import INSIDE, probe
from osiris.demo.world.values import Done, HostSpec, Init, Mode, WorldConfig, WorldError

OUTPUT_BYTES_MAX = 4 * 1024 * 1024
CONNECT_TIMEOUT_S = 3.0
WAIT_PAUSE_S = 0.02
END_TIMEOUT_S = 10.0
START_TIMEOUT_S = 120.0
UNPACK_TIMEOUT_S = 120.0
"""Generous: a loaded machine with two cores unpacks in under a second."""


class World:
    """A private network of hosts that never changes the machine and leaves nothing on it.

    Use it as a context manager. When the process that made it ends, however it ends, the kernel
    removes every process, mount and link of the world.
    """

    def __init__(
        self,
        rootfs: Path | None,
        *,
        network: str | None = "10.77.0",
        mode: Mode | None = None,
        init: Init | None = None,
        overlay: bool = True,
    ) -> None:
        """Make a world and unpack the root file system its hosts share.

        Args:
            rootfs: a tar.zst as `osiris.demo.rootfs` builds; None for a world without hosts.
            network: first three octets of the world's /24; its bridge is .1. None keeps the
                caller's network, for a world without hosts.
            mode: another way to map ids than `probe` finds best.
            init: "stand-in" to do without systemd where it could run.
            overlay: False to give each host a copy, as kernels before 6.6 need.

        Raises:
            WorldError: this machine allows no world, or it could not be made; the message says
                why.
        """
        found = probe()
        self.mode: Mode = mode or found.mode
        self.reason = found.reason if self.mode == found.mode else f"mode {mode}, as asked"
        self.network = network
        self._refuse_harm()
        sweep(self.mode)
        self._fds: list[int] = []
        self._forwards: list[Forward] = []
        self._closed = False
        config = WorldConfig(self.mode, network, init or found.init, overlay)
        own, theirs = wire.pair()
        self._link = Link(own)
        with theirs:
            self._outer = self._start_outer(config, theirs)
        with ExitStack() as failed:
            failed.callback(self.close)
            self._join()
            if rootfs is not None:
                self._unpack(rootfs)
            failed.pop_all()

    def _refuse_harm(self) -> None:
        if self.mode == "none":
            raise WorldError(self.reason)
        if self.mode != "root" and idmap.is_real_root():
            msg = f"real root may not make a {self.mode} world: its root would be the machine's"
            raise WorldError(msg)

    def _start_outer(self, config: WorldConfig, end: socket.socket) -> "subprocess.Popen[bytes]":
        arguments = ["outer", str(end.fileno()), json.dumps(asdict(config))]
        return subprocess.Popen(  # noqa: S603 - this interpreter and a program of ours
            [sys.executable, "-I", "-S", str(INSIDE), *arguments],
            pass_fds=[end.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _join(self) -> None:
        """Wait until the world stands; keep hold of its namespaces while its PID 1 surely lives."""
        pid, ready = 0, None
        while not pid or ready is None:
            message = self._link.receive()
            pid = message.get("pid", pid)
            ready = message if "ready" in message else ready
        self.pid = pid
        self.init: Init = ready["init"]
        self.overlay: bool = ready["overlay"]
        for kind in ("user", "net"):
            self._fds.append(os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC))
        self._base: str = ready["base"]
        self.scratch: str = ready["scratch"]
        found = os.fstat(self._fds[1])
        self.netns_id = f"{found.st_dev}:{found.st_ino}"
        self._link.begin()

    def _unpack(self, rootfs: Path) -> None:
        """Unpack through a pipe: the world's ids need not be able to read the path."""
        owners = "--no-same-owner" if self.mode == "single" else "--numeric-owner"
        # Devices cannot be made in a user namespace; each host gets its own /dev.
        tar = ["tar", "-C", self._base, owners, "--exclude=./dev/*", "-xf", "-"]
        with (
            _memory("output") as said,
            subprocess.Popen(  # noqa: S603 - a fixed command on a path of ours
                ["zstd", "-dcq", str(rootfs)],  # noqa: S607 - found by probe on PATH
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
            ) as source,
        ):
            pipe = source.stdout.fileno() if source.stdout else subprocess.DEVNULL
            status = self.work(tar, (pipe, said, said), timeout_s=UNPACK_TIMEOUT_S)
            output = os.pread(said, OUTPUT_BYTES_MAX, 0).decode(errors="replace")
        if status or source.returncode:
            msg = f"cannot unpack {rootfs}: {output.strip() or 'zstd failed'}"
            raise WorldError(msg)

    def describe(self) -> str:
        """One plain sentence on how this world is made, for people."""
        init = "real systemd" if self.init == "systemd" else "our stand-in for systemd"
        shared = "one shared root file system" if self.overlay else "a root file system each"
        return f"{self.reason}; hosts run {init} over {shared}, network {self.network}.0/24"

    def start(self, spec: HostSpec) -> None:
        """Start a host; returns when its PID 1 runs.

        Raises:
            WorldError: its preparation failed or it could not be made; the message ends with the
                host's log.
        """
        request = {"do": "start", **asdict(spec)}
        self._link.ask(request).reply(START_TIMEOUT_S)

    def start_all(self, specs: Iterable[HostSpec]) -> None:
        """Start hosts at once; returns when the PID 1 of each runs."""
        asked = [self._link.ask({"do": "start", **asdict(spec)}) for spec in specs]
        for one in asked:
            one.reply(START_TIMEOUT_S)

    def stop(self, name: str) -> None:
        """Cut a host's power: nothing in it is asked, everything of it is gone on return."""
        self._link.ask({"do": "stop", "name": name}).reply(END_TIMEOUT_S)

    def log(self, name: str) -> str:
        """The end of what a host's preparation and PID 1 have printed."""
        return str(self._link.ask({"do": "log", "name": name}).reply(END_TIMEOUT_S).message["log"])

    def exec(
        self, name: str, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60
    ) -> Done:
        """Run a command as root inside a host (not over SSH).

        Raises:
            WorldError: there is no such host, or the command was ended after `timeout_s` seconds.
        """
        return self._run(name, argv, stdin, timeout_s)

    def _run(self, name: str | None, argv: Sequence[str], stdin: bytes, timeout_s: float) -> Done:
        with _memory("stdin") as source, _memory("output") as sink:
            os.write(source, stdin)
            os.lseek(source, 0, os.SEEK_SET)
            status = self._status_of(name, argv, (source, sink, sink), timeout_s)
            return Done(status, os.pread(sink, OUTPUT_BYTES_MAX, 0).decode(errors="replace"))

    def work(self, argv: Sequence[str], fds: tuple[int, int, int], *, timeout_s: float) -> int:
        """Run a command of the machine's file system as the world's root, outside any host.

        Args:
            argv: the command.
            fds: its stdin, stdout and stderr; the world's ids need not be able to open them.
            timeout_s: after so many seconds it is ended.

        Returns:
            Its exit status.

        Raises:
            WorldError: it was ended.
        """
        return self._status_of(None, argv, fds, timeout_s)

    def _status_of(
        self, name: str | None, argv: Sequence[str], fds: tuple[int, int, int], timeout_s: float
    ) -> int:
        asked = self._link.ask({"do": "exec", "name": name, "argv": list(argv)}, fds)
        try:
            return int(asked.reply(timeout_s).message["exit_status"])
        except TimeoutError:
            self._link.ask({"do": "kill", "of": asked.number}).reply(END_TIMEOUT_S)
            msg = f"{name or 'world'}: {argv[0]} was ended after {timeout_s:g} s"
            raise WorldError(msg) from None

    def popen(self, argv: Sequence[str], **options: Any) -> "subprocess.Popen[Any]":  # noqa: ANN401 - Popen's own
        """Start a program of the machine's own file system in the world's network.

        As an ordinary user it is root of the world's user namespace too, so it may use raw
        sockets there; its files stay the user's. It dies with the thread that starts it, so only
        the main thread may.

        Raises:
            WorldError: called from another thread.
        """
        if threading.current_thread() is not threading.main_thread():
            msg = "start programs from the main thread: they die with the thread that started them"
            raise WorldError(msg)
        user, network = self._fds
        enter_user = NO_DESCRIPTOR if self.mode == "root" else str(user)
        enter = ["enter", str(os.getpid()), enter_user, str(network)]
        return subprocess.Popen(  # noqa: S603 - the caller's own program
            [sys.executable, "-I", "-S", str(INSIDE), *enter, *argv],
            pass_fds=(user, network, *options.pop("pass_fds", ())),
            **options,
        )

    def _fresh_socket(self) -> socket.socket:
        """A fresh TCP socket that belongs to the world's network and can be used from here."""
        reply = self._link.ask({"do": "socket"}).reply(END_TIMEOUT_S)
        return socket.socket(fileno=reply.fds[0])

    def connect(self, to: Address, *, timeout_s: float = CONNECT_TIMEOUT_S) -> socket.socket:
        """Connect to an address in the world.

        Raises:
            OSError: nobody answers there.
        """
        fresh = self._fresh_socket()
        with ExitStack() as failed:
            failed.callback(fresh.close)
            fresh.settimeout(timeout_s)
            fresh.connect(to)
            fresh.settimeout(None)
            failed.pop_all()
        return fresh

    def listen(self, at: Address) -> socket.socket:
        """Listen on an address of the world."""
        fresh = self._fresh_socket()
        with ExitStack() as failed:
            failed.callback(fresh.close)
            fresh.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            fresh.bind(at)
            fresh.listen(BACKLOG)
            failed.pop_all()
        return fresh

    def forward(self, listen: Address, to: Address, *, inward: bool) -> Forward:
        """Carry TCP over the world's border.

        Args:
            listen: where to listen; port 0 picks one, see `Forward.port`.
            to: where connections go.
            inward: True to listen in the world and connect on the machine (the appliance's way to
                the hub); False to listen on the machine and connect in the world (the portal).
        """
        if inward:
            made = Forward(
                self.listen(listen),
                lambda: socket.create_connection(to, timeout=None),
            )
        else:
            made = Forward(
                socket.create_server(listen, backlog=BACKLOG),
                lambda: self._dial(to),
            )
        self._forwards.append(made)
        return made

    def _dial(self, to: Address) -> socket.socket:
        try:
            return self.connect(to)
        except WorldError as error:
            raise ConnectionRefusedError(str(error)) from error

    def wait_ready(self, addresses: Sequence[Address], *, timeout_s: float = 30) -> None:
        """Wait until each (address, port) accepts a connection from inside the world.

        Raises:
            WorldError: one did not within `timeout_s` seconds; the message names it.
        """
        deadline_s = time.monotonic() + timeout_s
        with ThreadPoolExecutor(max_workers=max(1, len(addresses))) as pool:
            list(pool.map(lambda address: self._wait_for(address, deadline_s), addresses))

    def _wait_for(self, address: Address, deadline_s: float) -> None:
        while True:
            try:
                self.connect(address).close()
            except OSError as error:
                if time.monotonic() > deadline_s:
                    msg = f"{address[0]}:{address[1]} did not answer in time: {error}"
                    raise WorldError(msg) from error
                time.sleep(WAIT_PAUSE_S)
            else:
                return

    def close(self) -> None:
        """End the world and wait until it is gone; may be called twice."""
        if self._closed:
            return
        self._closed = True
        for forward in self._forwards:
            forward.close()
        self._link.close()
        try:
            self._outer.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._outer.kill()
            self._outer.wait()
        for fd in self._fds:
            os.close(fd)

    def __enter__(self) -> Self:
        """The world itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


@contextmanager
def _memory(name: str) -> Iterator[int]:
    """A file in memory, as a descriptor: whoever it is handed to may open it again by /dev/fd."""
    fd = os.memfd_create(f"world-{name}")
    try:
        yield fd
    finally:
        os.close(fd)


def sweep(mode: Mode) -> list[Path]:
    """Remove what killed worlds left: empty control groups, the only thing there can be."""
    place = cgroup.place(mode)
    return cgroup.sweep(place, time.time()) if place is not None else []

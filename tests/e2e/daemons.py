"""The two daemons as real processes, to be killed at any moment and started again quickly.

A launcher has the program's modules loaded and forks a daemon from them: what runs is the daemon's
own `main`, in a process of its own, without the seconds that loading takes at each start.
"""

import atexit
import ctypes
import functools
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import httpx

from proto.phi import scrub_text

HERE = Path(__file__).parent
PAUSE_S = 0.02
READY_WITHIN_S = 60.0
PR_SET_PDEATHSIG = 1
MANAGER = ("NOTIFY_SOCKET", "WATCHDOG_USEC")
"""What a service manager says to what it starts, see sd_notify(3)."""

Popen = Callable[..., "subprocess.Popen[str]"]


class DaemonError(Exception):
    """A daemon did not do what it should; the message ends with its log."""


def until(
    is_so: Callable[[], bool],
    what: str,
    *,
    within_s: float = READY_WITHIN_S,
    pause_s: float = PAUSE_S,
) -> None:
    """Wait until something holds of another process, looking again after each pause.

    Raises:
        DaemonError: it did not in time.
    """
    end_s = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > end_s:
            msg = f"not within {within_s:.0f} s: {what}"
            raise DaemonError(msg)
        time.sleep(pause_s)


class Launcher:
    """Starts daemons of one kind; they die with it, however it ends."""

    def __init__(self, module: str, popen: Popen = subprocess.Popen) -> None:
        """Load `module`, whose `main` is the daemon, in a process that `popen` starts."""
        self._process = popen(
            [sys.executable, "-m", "tests.e2e.daemons", module],
            cwd=HERE.parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, config: Path, log: Path) -> int:
        """Start a daemon under the service manager of now, and return its process."""
        return self.ask(
            "start", str(config), str(log), *(os.environ.get(name, "") for name in MANAGER)
        )

    def wait(self, pid: int) -> int:
        """Wait until a process ended, and return how."""
        return self.ask("wait", str(pid))

    def enroll(self, claim: str, config: Path, log: Path) -> None:
        """Have `osiris appliance enroll` done as a process of its own.

        Raises:
            DaemonError: it failed.
        """
        argv = [claim, "--config", str(config)]
        if self.wait(self.ask("enroll", str(log), *argv)) != 0:
            msg = f"enroll: {log.read_text('utf-8', 'replace')[-2000:]}"
            raise DaemonError(msg)

    def ask(self, *words: str) -> int:
        """Ask for a number: the process that was started, or how one ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it, and with it whatever it started."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


@functools.cache
def launcher_of(module: str) -> Launcher:
    """Return the one launcher of a module for all tests of this process, on its own network."""
    made = Launcher(module)
    atexit.register(made.close)
    return made


@dataclass(slots=True)
class Daemon:
    """One daemon that can be killed and started again on the same state.

    Attributes:
        socket: the daemon's Unix socket.
        status: a path that answers there once the daemon serves.
    """

    launcher: Launcher
    config: Path
    socket: Path
    status: str
    log: Path
    pid: int = 0
    starts: int = field(default=0)

    def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it answers."""
        self.pid = self.launcher.start(self.config, self.log)
        self.starts += 1
        if wait:
            until(self.answers, f"{self.config.name} answers")

    def answers(self) -> bool:
        """Tell whether it answers through its socket; raise with its log when it has ended."""
        try:
            self.ask("GET", self.status)
        except (httpx.HTTPError, OSError):
            self.require_alive()
            return False
        return True

    def require_alive(self) -> None:
        """Return if the process is there, or raise `DaemonError` with its log."""
        if not self.is_alive():
            msg = f"{self.config.name} ended by itself: {self.said()[-2000:]}"
            raise DaemonError(msg)

    def is_alive(self) -> bool:
        """Tell whether the process is there."""
        state = Path(f"/proc/{self.pid}/stat")
        try:
            return state.read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    def kill(self) -> None:
        """Kill it as the machine's power would; nothing in it is asked."""
        os.kill(self.pid, signal.SIGKILL)
        self._await()

    def stop(self) -> int:
        """Ask it to end and return its exit status."""
        os.kill(self.pid, signal.SIGTERM)
        return self._await()

    def end(self) -> None:
        """Kill it if it runs: what the test began ends with it."""
        if self.pid:
            self.kill()

    def _await(self) -> int:
        pid, self.pid = self.pid, 0
        return self.launcher.wait(pid)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Ask through the socket and return the JSON answer.

        Raises:
            OSError: nobody listens.
            httpx.HTTPError: nobody answers, or the answer is a refusal.
        """
        # httpx leaves its socket open where nobody listens.
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.connect(str(self.socket))
        transport = httpx.HTTPTransport(uds=str(self.socket))
        with httpx.Client(transport=transport, base_url="http://osiris", timeout=60) as client:
            answer = client.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()

    def said(self) -> str:
        """Return what it has logged in all its lives."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""


def _become(main: Callable[[], int | None], argv: list[str], log: str) -> NoReturn:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(sink, number)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    sys.argv = argv
    status = 70
    try:
        status = main() or 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _start(module: str, config: str, log: str, *manager: str) -> NoReturn:
    for name, value in zip(MANAGER, manager, strict=True):
        os.environ.pop(name, None)
        if value:
            os.environ[name] = value
    _become(importlib.import_module(module).main, [module, "--config", config], log)


def _enroll(log: str, *argv: str) -> NoReturn:
    verbs = importlib.import_module("appliance.cli").appliance
    _become(verbs, ["osiris appliance", "enroll", *argv], log)


def _load(module: str) -> None:
    """Load what a daemon loads, and what it would load at its first work."""
    importlib.import_module(module)
    if module.startswith("appliance"):
        importlib.import_module("appliance.cli")
    scrub_text("ready")
    httpx.Client(verify=False).close()  # noqa: S501 - it connects to nothing


def launch(module: str) -> None:
    """Start and await processes as lines of standard input say."""
    _load(module)
    for line in sys.stdin:
        verb, *words = json.loads(line)
        number = _waited(int(words[0])) if verb == "wait" else os.fork()
        if number == 0 and verb == "start":
            _start(module, *words)
        if number == 0 and verb == "enroll":
            _enroll(*words)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


def _waited(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    launch(sys.argv[1])

"""Starting, stopping and reloading units."""

import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from osiris.demo.world.standin import launch, state
from osiris.demo.world.standin.launch import FailedError
from osiris.demo.world.standin.units import Unit, command, load

STOP_TIMEOUT_S = 5.0
POLL_S = 0.01
SESSIONS_MAX = 100


def unmet_condition(unit: Unit) -> str:
    """A condition that keeps the unit from starting, "" when there is none.

    Only the two kinds that matter here are read: a host of a world is a container.
    """
    for value in unit.all("Unit", "ConditionPathExists"):
        wanted = not value.startswith("!")
        if Path(value.lstrip("!")).exists() is not wanted:
            return f"ConditionPathExists={value}"
    for value in unit.all("Unit", "ConditionVirtualization"):
        is_container = value.lstrip("!") in ("yes", "true", "container")
        if is_container is value.startswith("!"):
            return f"ConditionVirtualization={value}"
    return ""


def start(unit: Unit) -> None:
    """Start a unit that is not active.

    Raises:
        FailedError: it is masked, or one of its commands failed (it is then `failed`).
    """
    if unit.masked:
        msg = f"Unit {unit.name} is masked."
        raise FailedError(msg)
    if state.recall(unit.name).active == "active" or unmet_condition(unit):
        return
    try:
        pid = _start(unit)
    except (FailedError, OSError) as error:
        state.remember(unit.name, "failed")
        raise FailedError(str(error)) from error
    oneshot = unit.one("Service", "Type") == "oneshot"
    gone = oneshot and not unit.flag("Service", "RemainAfterExit")
    state.remember(unit.name, "inactive" if gone else "active", pid)


def _start(unit: Unit) -> int:
    if unit.kind == "socket":
        return _listen(unit)
    if unit.kind != "service":
        return 0
    launch.make_directories(unit)
    found = launch.environment(unit)
    for line in unit.all("Service", "ExecStartPre"):
        launch.run(unit, command(line), found)
    pid = _main_process(unit, found)
    for line in unit.all("Service", "ExecStartPost"):
        launch.run(unit, command(line), launch.environment(unit, pid))
    return pid


def _main_process(unit: Unit, found: dict[str, str]) -> int:
    """Start ExecStart as the unit's type says; returns the main pid, 0 for none."""
    commands = [command(line) for line in unit.all("Service", "ExecStart")]
    if not commands:
        msg = f"{unit.name} has no ExecStart"
        raise FailedError(msg)
    match unit.one("Service", "Type", "simple"):
        case "oneshot":
            for one in commands:
                launch.run(unit, one, found)
            return 0
        case "forking":
            launch.run(unit, commands[0], found)
            file = unit.one("Service", "PIDFile")
            return launch.pid_from(Path(file)) if file else 0
        case "notify" | "notify-reload":
            return launch.start_notifying(unit, commands[0], found)
        case _:
            return launch.spawn(unit, commands[0], found)


def stop(unit: Unit) -> None:
    """Stop a unit: its ExecStop, then its main process and (as KillMode says) its session."""
    kept = state.recall(unit.name)
    if kept.active != "active":
        state.forget_failed(unit.name)
        return
    for line in unit.all("Service", "ExecStop"):
        with suppress(FailedError):
            launch.run(unit, command(line), launch.environment(unit, kept.pid))
    only_main = unit.one("Service", "KillMode") in ("process", "none")
    members = [kept.pid] if only_main else state.session_members(kept.pid)
    _end([pid for pid in members if pid])
    state.remember(unit.name, "inactive")


def _end(pids: list[int]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        while any(state.start_time(pid) for pid in pids):
            if time.monotonic() > deadline_s:
                break
            time.sleep(POLL_S)
        else:
            return


def can_reload(unit: Unit) -> bool:
    """Whether the unit says how to reload it."""
    return bool(unit.all("Service", "ExecReload"))


def reload(unit: Unit) -> None:
    """Have a running service read its configuration again.

    Raises:
        FailedError: it does not run, cannot reload, or the command failed.
    """
    kept = state.recall(unit.name)
    if kept.active != "active":
        msg = f"{unit.name} is not active, cannot reload."
        raise FailedError(msg)
    if not can_reload(unit):
        msg = f"{unit.name} has no ExecReload: job type reload is not applicable."
        raise FailedError(msg)
    for line in unit.all("Service", "ExecReload"):
        launch.run(unit, command(line), launch.environment(unit, kept.pid))


def _listen(unit: Unit) -> int:
    """Serve a socket unit with Accept=yes, a process a connection; returns the listener's pid."""
    if not unit.flag("Socket", "Accept"):
        msg = f"{unit.name}: this stand-in serves sockets with Accept=yes only"
        raise FailedError(msg)
    listeners = [_open_listener(value) for value in unit.all("Socket", "ListenStream")]
    if len(listeners) != 1:
        msg = f"{unit.name}: this stand-in serves one ListenStream"
        raise FailedError(msg)
    session = load(f"{unit.name.removesuffix('.socket')}@.service")
    pid = os.fork()
    if pid == 0:
        _serve(listeners[0], session)
    listeners[0].close()
    return pid


def _open_listener(value: str) -> socket.socket:
    if value.startswith("/"):
        listener = socket.socket(socket.AF_UNIX)
        Path(value).unlink(missing_ok=True)
        listener.bind(value)
        listener.listen()
        return listener
    address, _, port = value.rpartition(":")
    return socket.create_server(
        (address.strip("[]") or "::", int(port)),
        family=socket.AF_INET6 if not address or "[" in address else socket.AF_INET,
        dualstack_ipv6=not address,
    )


def _serve(listener: socket.socket, session: Unit) -> NoReturn:
    """Accept for ever; sessions share this process's lifetime only by our stop."""
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        found = launch.environment(session)
        wanted = command(session.one("Service", "ExecStart"))
        running: set[int] = set()
        while True:
            connection, _ = listener.accept()
            running = {pid for pid in running if launch.ended(pid) is None}
            if len(running) < SESSIONS_MAX:
                running.add(launch.spawn(session, wanted, found, stdio=connection.fileno()))
            connection.close()
    finally:
        os._exit(1)

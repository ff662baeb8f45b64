"""The verbs of the stand-in's systemctl; whatever is not here goes to the real one, offline."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from osiris.demo.world.standin import boot, service, state
from osiris.demo.world.standin.launch import FailedError
from osiris.demo.world.standin.units import NoSuchUnitError, Unit, full_name, load

REAL = "/usr/bin/systemctl"
OFFLINE = "SYSTEMD_OFFLINE"
WITH_VALUE = ("-p", "--property", "-t", "--type", "--state", "-n", "-o")
NOT_ACTIVE = 3
NOT_FOUND = 5
BOOT_POLL_S = 0.02
BOOT_TIMEOUT_S = 60.0
NOW = {"enable": "start", "disable": "stop", "mask": "stop"}


class Options:
    """A command line: flags, options with their values, the verb and its units."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Tell words from options; `--key=value` and `-p value` are the same to us."""
        self.flags: set[str] = set()
        self.values: dict[str, list[str]] = {}
        words: list[str] = []
        waiting = ""
        for argument in arguments:
            if waiting:
                self.values.setdefault(waiting, []).append(argument)
                waiting = ""
            elif argument in WITH_VALUE:
                waiting = argument
            elif argument.startswith("--") and "=" in argument:
                key, _, value = argument.partition("=")
                self.values.setdefault(key, []).append(value)
            elif argument.startswith("-"):
                self.flags.add(argument)
            else:
                words.append(argument)
        self.verb = words[0] if words else "list-units"
        self.names = [full_name(word) for word in words[1:]]

    @property
    def quiet(self) -> bool:
        """Whether nothing is to be said on success."""
        return bool(self.flags & {"-q", "--quiet"})


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _restart(unit: Unit) -> None:
    service.stop(unit)
    service.start(unit)


def _is_active(unit: Unit) -> bool:
    return state.recall(unit.name).active == "active"


def _try_restart(unit: Unit) -> None:
    if _is_active(unit):
        _restart(unit)


def _reload_or_restart(unit: Unit) -> None:
    if _is_active(unit) and service.can_reload(unit):
        service.reload(unit)
    else:
        _restart(unit)


def _try_reload_or_restart(unit: Unit) -> None:
    if _is_active(unit):
        _reload_or_restart(unit)


CHANGES: dict[str, Callable[[Unit], None]] = {
    "start": service.start,
    "stop": service.stop,
    "restart": _restart,
    "reload": service.reload,
    "try-restart": _try_restart,
    "condrestart": _try_restart,
    "reload-or-restart": _reload_or_restart,
    "try-reload-or-restart": _try_reload_or_restart,
    "force-reload": _reload_or_restart,
}


def change(verb: str, names: Sequence[str]) -> int:
    """Do something to units; the exit status is systemctl's."""
    worst = 0
    for name in names:
        try:
            CHANGES[verb](load(name))
        except NoSuchUnitError:
            _complain(f"Failed to {verb} {name}: Unit {name} not found.")
            worst = NOT_FOUND
        except (FailedError, OSError) as error:
            _complain(f"Failed to {verb} {name}: {error}")
            worst = worst or 1
    return worst


def _state_of(name: str) -> state.Remembered:
    try:
        return state.recall(load(name).name)
    except NoSuchUnitError:
        return state.recall(name)


def is_active(options: Options) -> int:
    """Print each unit's state; 0 when one of them is active, as systemctl does."""
    states = [_state_of(name).active for name in options.names]
    if not options.quiet:
        _say("\n".join(states))
    return 0 if "active" in states else NOT_ACTIVE


def is_failed(options: Options) -> int:
    """Print each unit's state; 0 when one of them has failed."""
    states = [_state_of(name).active for name in options.names]
    if not options.quiet:
        _say("\n".join(states))
    return 0 if "failed" in states else 1


def _facts(name: str) -> dict[str, str]:
    kept = _state_of(name)
    facts = {
        "Id": name,
        "LoadState": "not-found",
        "ActiveState": kept.active,
        "SubState": {"active": "running" if kept.pid else "exited"}.get(kept.active, "dead"),
        "MainPID": str(kept.pid),
        "UnitFileState": "",
        "FragmentPath": "",
        "NeedDaemonReload": "no",
    }
    try:
        unit = load(name)
    except NoSuchUnitError:
        return facts
    facts["Id"] = unit.name
    facts["LoadState"] = "masked" if unit.masked else "loaded"
    facts["FragmentPath"] = str(unit.path)
    facts["Description"] = unit.one("Unit", "Description", unit.name)
    facts["UnitFileState"] = _unit_file_state(unit.name)
    return facts


def _unit_file_state(name: str) -> str:
    done = subprocess.run(  # noqa: S603 - a fixed command and the name of a unit that exists
        [REAL, "is-enabled", name],
        env={**os.environ, OFFLINE: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def show(options: Options) -> int:
    """Print properties of units, all that the stand-in knows or those asked for."""
    asked = ",".join(options.values.get("-p", []) + options.values.get("--property", []))
    wanted = [key for key in asked.split(",") if key]
    for name in options.names:
        facts = _facts(name)
        for key in wanted or list(facts):
            value = facts.get(key, "")
            _say(value if "--value" in options.flags else f"{key}={value}")
    return 0


def status(options: Options) -> int:
    """Print a unit's state in a few lines."""
    worst = 0
    for name in options.names:
        facts = _facts(name)
        _say(f"{facts['Id']} - {facts.get('Description', '')} (stand-in for systemd)")
        _say(
            f"     Loaded: {facts['LoadState']} ({facts['FragmentPath']}; {facts['UnitFileState']})"
        )
        _say(f"     Active: {facts['ActiveState']} ({facts['SubState']})")
        worst = worst or (0 if facts["ActiveState"] == "active" else NOT_ACTIVE)
    return worst


def cat(options: Options) -> int:
    """Print a unit's files, drop-ins after it."""
    for name in options.names:
        try:
            files = load(name).files
        except NoSuchUnitError:
            _complain(f"No files found for {name}.")
            return 1
        for file in files:
            _say(f"# {file}\n{file.read_text(errors='replace')}")
    return 0


def list_units(options: Options) -> int:
    """Print the units that were touched: the failed ones only when asked so."""
    only_failed = "--failed" in options.flags or "failed" in options.values.get("--state", [])
    wanted = "failed" if only_failed else "active"
    found = {name: kept for name, kept in state.known().items() if kept.active == wanted}
    for name, kept in found.items():
        _say(f"{name} loaded {kept.active} {'running' if kept.pid else 'exited'} {name}")
    if "--no-legend" not in options.flags:
        _say(f"{len(found)} loaded units listed.")
    return 0


def is_system_running(options: Options) -> int:
    """Print starting, running or degraded; with --wait, after the boot has ended."""
    deadline_s = time.monotonic() + (BOOT_TIMEOUT_S if "--wait" in options.flags else 0)
    while not state.BOOTED.exists() and time.monotonic() < deadline_s:
        time.sleep(BOOT_POLL_S)
    failed = any(kept.active == "failed" for kept in state.known().values())
    done = "degraded" if failed else "running"
    found = done if state.BOOTED.exists() else "starting"
    _say(found)
    return 0 if found == "running" else 1


def reset_failed(options: Options) -> int:
    """Take back that units have failed: those named, or all."""
    for name in options.names or list(state.known()):
        state.forget_failed(name)
    return 0


QUESTIONS: dict[str, Callable[[Options], int]] = {
    "cat": cat,
    "is-active": is_active,
    "is-failed": is_failed,
    "is-system-running": is_system_running,
    "list-units": list_units,
    "reset-failed": reset_failed,
    "show": show,
    "status": status,
    "daemon-reload": lambda _options: 0,
    "daemon-reexec": lambda _options: 0,
}


def _real(arguments: Sequence[str]) -> NoReturn:
    os.execve(REAL, [REAL, *arguments], {**os.environ, OFFLINE: "1"})  # noqa: S606 - no shell


def main(arguments: list[str]) -> int:
    """Be systemctl, or PID 1 when started as such."""
    if arguments == ["--as-init"]:
        boot.main()
    options = Options(arguments)
    if options.verb in QUESTIONS and "--version" not in options.flags:
        return QUESTIONS[options.verb](options)
    if options.verb in CHANGES:
        return change(options.verb, options.names)
    if "--now" in options.flags and options.verb in NOW:
        return _with_now(options, arguments)
    return _real(arguments)


def _with_now(options: Options, arguments: Sequence[str]) -> int:
    """Enable, disable or mask with the real one, then start or stop here."""
    kept = [argument for argument in arguments if argument != "--now"]
    # A masked unit can no longer be read, so what stops it comes first.
    before = change("stop", options.names) if options.verb == "mask" else 0
    code = os.spawnve(os.P_WAIT, REAL, [REAL, *kept], {**os.environ, OFFLINE: "1"})  # noqa: S606 - no shell
    if code or options.verb == "mask":
        return code or before
    return change(NOW[options.verb], options.names)

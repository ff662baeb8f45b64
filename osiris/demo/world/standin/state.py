"""What the stand-in remembers of a unit: a small file below /run, and what /proc says."""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

DIRECTORY = Path("/run/osiris-stand-in")
BOOTED = DIRECTORY / "booted"
FIELD_SESSION = 3
FIELD_START_TIME = 19
"""Positions in /proc/PID/stat after the command's name."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """How a unit stood when it was last touched.

    Attributes:
        active: "active", "inactive" or "failed".
        pid: its main process, 0 when it has none (a finished oneshot, a target, a timer).
        started: that process's start time in clock ticks, so that a recycled pid is not its.
    """

    active: str = "inactive"
    pid: int = 0
    started: int = 0


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    fields = text.rpartition(")")[2].split()
    return [] if fields[0] == "Z" else fields


def start_time(pid: int) -> int:
    """When a process started, in clock ticks; 0 when it is gone or a zombie."""
    fields = _stat(pid)
    return int(fields[FIELD_START_TIME]) if fields else 0


def session_members(pid: int) -> list[int]:
    """Every process in the session of `pid`: what a service is, without control groups."""
    fields = _stat(pid)
    if not fields:
        return []
    session = fields[FIELD_SESSION]
    return [other for other in _processes() if _stat(other)[FIELD_SESSION:][:1] == [session]]


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def remember(unit: str, active: str, pid: int = 0) -> None:
    """Write down how a unit stands."""
    DIRECTORY.mkdir(exist_ok=True)
    kept = Remembered(active, pid, start_time(pid) if pid else 0)
    path = DIRECTORY / f"{unit}.json"
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(asdict(kept)))
    fresh.rename(path)


def recall(unit: str) -> Remembered:
    """How a unit stands now: one whose main process has ended is no longer active."""
    try:
        kept = Remembered(**json.loads((DIRECTORY / f"{unit}.json").read_text()))
    except FileNotFoundError:
        return Remembered()
    if kept.active == "active" and kept.pid and start_time(kept.pid) != kept.started:
        return Remembered("inactive")
    return kept


def known() -> dict[str, Remembered]:
    """Every unit that was ever touched."""
    names = [path.name.removesuffix(".json") for path in DIRECTORY.glob("*.json")]
    return {name: recall(name) for name in sorted(names)}


def forget_failed(unit: str) -> None:
    """Take back that a unit has failed."""
    if recall(unit).active == "failed":
        with contextlib.suppress(FileNotFoundError):
            (DIRECTORY / f"{unit}.json").unlink()

"""The control group a world needs for real systemd: found, handed over, removed.

Root makes one below the top of the cgroup2 tree and gives it to the world's root id. A user can
only use a group that was delegated to it (`systemd-run --user --scope -p Delegate=yes`). Without
either, Linux hosts get the stand-in for systemd.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

from osiris.demo.world.values import Mode

PREFIX = "osiris-world-"
OWNED = ("cgroup.procs", "cgroup.threads", "cgroup.subtree_control")
LEFTOVER_AGE_S = 2.0
REMOVE_TRIES = 100
REMOVE_PAUSE_S = 0.02


def _tree() -> Path | None:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount_point, kind = line.split()[:3]
        if kind == "cgroup2":
            return Path(mount_point)
    return None


def _own_group() -> str | None:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            return line[3:].strip()
    return None


def place(mode: Mode) -> Path | None:
    """The group below which a world of this mode may have its own; None when there is none."""
    tree, own = _tree(), _own_group()
    if tree is None or own is None:
        return None
    if mode == "root":
        return tree if os.access(tree, os.W_OK) else None
    group = tree / own.lstrip("/")
    if own == "/" or not os.access(group, os.W_OK):
        return None
    return group if os.access(group / "cgroup.procs", os.W_OK) else None


def make(parent: Path, pid: int, owner: int) -> Path | None:
    """Make the group of the world whose first process is `pid` and move it there.

    Returns:
        The group, or None when the machine refuses in spite of what `place` saw.
    """
    group = parent / f"{PREFIX}{pid}"
    try:
        group.mkdir()
        if group.stat().st_uid != owner:
            os.chown(group, owner, owner)
            for name in OWNED:
                if (group / name).exists():
                    os.chown(group / name, owner, owner)
        (group / "cgroup.procs").write_text(str(pid))
    except OSError:
        remove(group)
        return None
    return group


def remove(group: Path) -> bool:
    """Remove a group and those below it, waiting for processes that are just ending.

    Returns:
        Whether it is gone.
    """
    for _ in range(REMOVE_TRIES):
        for inner, _, _ in os.walk(group, topdown=False):
            with suppress(OSError):  # still populated: the next round sees it
                Path(inner).rmdir()
        if not group.exists():
            return True
        time.sleep(REMOVE_PAUSE_S)
    return False


def sweep(parent: Path, now_s: float) -> list[Path]:
    """Remove the empty groups of worlds that were killed; returns what is gone.

    A group younger than `LEFTOVER_AGE_S` may belong to a world that is just starting.
    """
    removed = []
    for group in parent.glob(f"{PREFIX}*"):
        try:
            old = now_s - group.stat().st_mtime > LEFTOVER_AGE_S
            empty = "populated 0" in (group / "cgroup.events").read_text()
        except OSError:
            continue  # removed by its owner meanwhile
        if old and empty and remove(group):
            removed.append(group)
    return removed

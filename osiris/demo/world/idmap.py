"""Which ids a world has, and what they are outside.

Root gives a world 65,536 ids that belong to nobody on the machine; a user with subordinate ids
gives those; any other user has only its own.
"""

import os
import pwd
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from osiris.demo.world import commands
from osiris.demo.world.values import Mode, WorldError

WORLD_IDS = 65_536
ROOT_BASE = 0x6C00_0000
"""First id of a world made by real root: far above what Debian hands out to users."""

PROC = Path("/proc")
SYS = Path("/sys")
ALL_IDS = 0xFFFF_FFFF
SUBORDINATE_IDS_MIN = 60_000


@dataclass(frozen=True, slots=True)
class IdRange:
    """`count` ids from `first` on."""

    first: int
    count: int


def _own_map() -> tuple[int, int, int]:
    inside, outside, count = Path("/proc/self/uid_map").read_text().split()[:3]
    return int(inside), int(outside), int(count)


def is_real_root() -> bool:
    """Whether uid 0 here is uid 0 of the kernel, whose writes reach the whole machine."""
    return os.geteuid() == 0 and _own_map() == (0, 0, ALL_IDS)


def root_base() -> int | None:
    """The first id root may give to a world: one that nobody uses; None if it has too few."""
    if os.geteuid() != 0:
        return None
    inside, _, count = _own_map()
    if inside <= ROOT_BASE and inside + count >= ROOT_BASE + WORLD_IDS:
        return ROOT_BASE
    return inside + WORLD_IDS if count >= 2 * WORLD_IDS else None


def subordinate(file: Path) -> IdRange | None:
    """This user's range in /etc/subuid or /etc/subgid, None when there is none that suffices."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    own = {str(os.getuid())}
    with suppress(KeyError):  # a uid without a name, as containers have
        own.add(pwd.getpwuid(os.getuid()).pw_name)
    for line in lines:
        name, _, numbers = line.strip().partition(":")
        first, _, count = numbers.partition(":")
        if name in own and count.isdecimal() and int(count) >= SUBORDINATE_IDS_MIN:
            return IdRange(int(first), min(int(count), WORLD_IDS - 1))
    return None


def subordinate_ranges() -> tuple[IdRange, IdRange] | None:
    """The user's subordinate uids and gids, None unless both suffice."""
    users = subordinate(Path("/etc/subuid"))
    groups = subordinate(Path("/etc/subgid"))
    return (users, groups) if users and groups else None


def owner(mode: Mode) -> int:
    """The uid outside that root of the world is."""
    base = root_base() if mode == "root" else os.getuid()
    if base is None:
        msg = "this root has too few ids to give a world its own"
        raise WorldError(msg)
    return base


def write(mode: Mode, pid: int) -> None:
    """Map the ids of `pid`, which has just entered a user namespace of its own.

    Raises:
        WorldError: newuidmap or newgidmap refused.
        OSError: the kernel refused.
    """
    process = Path("/proc") / str(pid)
    ranges = subordinate_ranges()
    if mode == "root":
        for kind in ("uid_map", "gid_map"):
            (process / kind).write_text(f"0 {owner(mode)} {WORLD_IDS}\n")
    elif mode == "subuid" and ranges:
        for command, own, extra in zip(
            ("newuidmap", "newgidmap"), (os.getuid(), os.getgid()), ranges, strict=True
        ):
            numbers = ("0", str(own), "1", "1", str(extra.first), str(extra.count))
            commands.run([command, str(pid), *numbers])
    else:
        (process / "setgroups").write_text("deny")
        (process / "uid_map").write_text(f"0 {os.getuid()} 1")
        (process / "gid_map").write_text(f"0 {os.getgid()} 1")

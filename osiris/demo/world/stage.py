"""What a world is made of before its first host: a private file system, control group and bridge.

The world's own tmpfs covers a directory that every Linux has, in a mount namespace of its own, so
nothing is created on the machine and nothing can be left behind.
"""

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from osiris.demo.world import commands
from osiris.demo.world.idmap import PROC, SYS
from osiris.demo.world.syscalls import (
    INERT,
    MountFlag,
    Namespace,
    make_mounts_private,
    mount,
    unshare,
)
from osiris.demo.world.values import Init, Mode, WorldConfig

GROUP = Path("/sys/fs/cgroup")
OWN_GROUP = "osiris.init"
"""The group of the world's own processes, a name that no host can have."""

COVERED = (Path("/mnt"), Path("/srv"), Path("/media"), Path("/tmp"))  # noqa: S108 - mounted over
TMPFS_OPTIONS = "mode=755,size=75%"


@dataclass(frozen=True, slots=True)
class Stage:
    """A built world, as its PID 1 uses it.

    Attributes:
        mode: how ids are mapped.
        network: first three octets of the /24, None in a workshop.
        init: what PID 1 of a Linux host is here.
        overlay: whether hosts share one file system below their own changes.
        top: the world's tmpfs.
    """

    mode: Mode
    network: str | None
    init: Init
    overlay: bool
    top: Path

    @property
    def base(self) -> Path:
        """Where the unpacked root file system lies."""
        return self.top / "base"

    @property
    def scratch(self) -> Path:
        """Room for work in the world itself."""
        return self.top / "scratch"

    @property
    def gateway(self) -> str:
        """The bridge's address."""
        return f"{self.network}.1"

    def host_directory(self, name: str) -> Path:
        """What a host keeps outside its own root: its changes and its log."""
        return self.top / "hosts" / name

    def host_group(self, name: str) -> Path | None:
        """The host's control group; None where hosts run the stand-in."""
        return GROUP / name if self.init == "systemd" else None


def show_whole_kernel() -> None:
    """Give ourselves a proc and a sysfs without the masks a container puts on them.

    A user namespace may not mount its own while the ones it sees are masked; real root can mount
    clean ones first, here in a mount namespace of our own.
    """
    unshare(Namespace.MOUNT)
    make_mounts_private()
    for kind, target in (("proc", PROC), ("sysfs", SYS)):
        with suppress(OSError):  # unmasked, or forbidden: mounting the world's own will tell
            mount(kind, target, kind=kind, flags=INERT)


def build(config: WorldConfig, *, has_group: bool) -> Stage:
    """Build the world around this process, which is its PID 1.

    Raises:
        OSError: the kernel refused a mount.
        WorldError: the bridge could not be made.
    """
    make_mounts_private()
    top = next(path for path in COVERED if path.is_dir())
    mount("tmpfs", top, kind="tmpfs", flags=MountFlag.NO_DEV, options=TMPFS_OPTIONS)
    _write_to(top / "log")
    mount("proc", PROC, kind="proc", flags=INERT)
    if config.network:
        # Only who owns a network may mount what shows it.
        mount("sysfs", SYS, kind="sysfs", flags=INERT | MountFlag.READ_ONLY)
        _build_network(config.network)
    if has_group:
        mount("cgroup2", GROUP, kind="cgroup2", flags=INERT)
        (GROUP / OWN_GROUP).mkdir()
        (GROUP / OWN_GROUP / "cgroup.procs").write_text("0")
    for name in ("base", "hosts", "scratch"):
        (top / name).mkdir()
    return Stage(
        mode=config.mode,
        network=config.network,
        init="systemd" if has_group else "stand-in",
        overlay=config.overlay and _has_user_attributes(top),
        top=top,
    )


def _write_to(log: Path) -> None:
    """Send what this process prints to the world's log."""
    sys.stdout.flush()
    fd = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o644)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)


def _build_network(network: str) -> None:
    commands.ip(
        "link set lo up",
        "link add br0 type bridge",
        f"addr add {network}.1/24 dev br0",
        "link set br0 up",
    )
    for family in ("arptables", "iptables", "ip6tables"):
        switch = PROC / "sys/net/bridge" / f"bridge-nf-call-{family}"
        if switch.exists():
            switch.write_text("0")


def _has_user_attributes(top: Path) -> bool:
    """Whether this tmpfs holds user.* attributes (since Linux 6.6), which an overlay needs."""
    try:
        os.setxattr(top, "user.osiris", b"1")
    except OSError:
        return False
    return True

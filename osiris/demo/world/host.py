"""The inside of a host: its file system, its devices, its settings, and what becomes its PID 1."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from osiris.demo.world import commands, fakeids
from osiris.demo.world.stage import Stage
from osiris.demo.world.standin import STAND_IN_INIT, install
from osiris.demo.world.syscalls import (
    INERT,
    MountFlag,
    bind,
    detach,
    make_mounts_private,
    mount,
    pivot_root,
    set_host_name,
)
from osiris.demo.world.values import HostSpec, WorldError

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {
    "ptmx": "pts/ptmx",
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
# Visible in every network namespace, yet a switch of the whole kernel that cannot be turned back.
ALWAYS_COVERED = {"net.netfilter.nf_hooks_lwtunnel": "0"}
TTY_GROUP = 5
SYSTEMD = ("/sbin/init",)


def environment() -> dict[str, str]:
    """What PID 1 of a host, its preparation and commands run in it find set."""
    return {
        "PATH": commands.SBIN,
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "TERM": "linux",
        "container": "osiris",
    }


def furnish(stage: Stage, spec: HostSpec, directory: Path) -> list[str]:
    """Turn this process's new namespaces into the host, up to its PID 1.

    Returns:
        The command that becomes PID 1.

    Raises:
        OSError: the kernel refused a mount.
        WorldError: the preparation failed; its output is in the host's log.
    """
    make_mounts_private()
    commands.ip(
        "link set lo up",
        f"addr add {spec.address}/24 dev eth0",
        "link set eth0 up",
        f"route add default via {stage.gateway}",
    )
    set_host_name(spec.name)
    root = _root(stage, directory)
    _kernel_file_systems(root)
    _devices(stage, root)
    is_linux = spec.argv is None
    if is_linux:
        (root / "dev/console").touch()
        bind(Path("/dev/null"), root / "dev/console")
        if stage.init == "systemd":
            mount("cgroup2", root / "sys/fs/cgroup", kind="cgroup2", flags=INERT)
        else:
            install(root)
    _settings(root, directory, spec.sysctls)
    _enter(root)
    if stage.mode == "single":
        fakeids.pretend_id_changes()
    _prepare(spec)
    if spec.argv is not None:
        return list(spec.argv)
    return list(SYSTEMD if stage.init == "systemd" else STAND_IN_INIT)


def _root(stage: Stage, directory: Path) -> Path:
    root = directory / "root"
    if not stage.overlay:
        commands.run(["cp", "-a", str(stage.base), str(root)])
        bind(root, root)  # pivot_root wants a mount point
        return root
    for name in ("root", "upper", "work"):
        (directory / name).mkdir()
    layers = f"lowerdir={stage.base},upperdir={directory}/upper,workdir={directory}/work,userxattr"
    mount("overlay", root, kind="overlay", options=layers)
    return root


def _kernel_file_systems(root: Path) -> None:
    quiet = MountFlag.NO_SUID | MountFlag.NO_DEV
    mount("proc", root / "proc", kind="proc", flags=INERT)
    mount("sysfs", root / "sys", kind="sysfs", flags=INERT | MountFlag.READ_ONLY)
    mount("tmpfs", root / "dev", kind="tmpfs", flags=MountFlag.NO_SUID, options="mode=755")
    mount("tmpfs", root / "run", kind="tmpfs", flags=quiet, options="mode=755")
    mount("tmpfs", root / "tmp", kind="tmpfs", flags=quiet, options="mode=1777")


def _devices(stage: Stage, root: Path) -> None:
    dev = root / "dev"
    for name in DEVICES:
        (dev / name).touch()
        bind(Path("/dev") / name, dev / name)
    for name in ("pts", "shm"):
        (dev / name).mkdir()
    options = "newinstance,ptmxmode=0666,mode=620"
    if stage.mode != "single":
        options += f",gid={TTY_GROUP}"
    flags = MountFlag.NO_SUID | MountFlag.NO_EXEC
    mount("devpts", dev / "pts", kind="devpts", flags=flags, options=options)
    quiet = MountFlag.NO_SUID | MountFlag.NO_DEV
    mount("tmpfs", dev / "shm", kind="tmpfs", flags=quiet, options="mode=1777")
    for name, target in LINKS.items():
        (dev / name).symlink_to(target)


def _settings(root: Path, directory: Path, sysctls: Mapping[str, str]) -> None:
    """Set what is this network namespace's; cover what belongs to the whole kernel."""
    covers = directory / "covers"
    covers.mkdir()
    for key, value in {**sysctls, **ALWAYS_COVERED}.items():
        entry = root / "proc/sys" / key.replace(".", "/")
        if not entry.exists():
            continue
        if key.startswith("net.") and key not in ALWAYS_COVERED:
            entry.write_text(value + "\n")
            continue
        cover = covers / key
        cover.write_text(value + "\n")
        bind(cover, entry)


def _enter(root: Path) -> None:
    os.chdir(root)
    old = Path("run/.old")
    old.mkdir()
    pivot_root(".", str(old))
    os.chroot(".")
    os.chdir("/")
    detach(Path("/run/.old"))
    Path("/run/.old").rmdir()


def _prepare(spec: HostSpec) -> None:
    if not spec.prepare:
        return
    done = subprocess.run(  # noqa: S603 - the preparation is the caller's own text
        ["/bin/sh", "-eu", "-c", spec.prepare], env=environment(), check=False
    )
    if done.returncode:
        msg = f"its preparation ended with status {done.returncode}"
        raise WorldError(msg)


def forget_signals() -> None:
    """Undo what Python ignores, so that what runs next has the signals it would have elsewhere."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)

"""What this machine allows: the mode of a world, or the reason why there can be none."""

import functools
import os
import subprocess
import sys
from pathlib import Path

from osiris.demo.world import cgroup, commands, fakeids, idmap
from osiris.demo.world.stage import show_whole_kernel
from osiris.demo.world.syscalls import INERT, Namespace, make_mounts_private, mount, unshare
from osiris.demo.world.values import Init, Mode, Probe

MESSAGE_BYTES_MAX = 1000
INSIDE = Path(__file__).with_name("inside.py")


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


@functools.cache
def _refusal() -> str:
    """Try the namespaces of a world in a process of its own; returns what was said, "" for yes."""
    tried = subprocess.run(  # noqa: S603 - this interpreter and a program of ours
        [sys.executable, "-I", "-S", str(INSIDE), "try"],
        capture_output=True,
        text=True,
        check=False,
    )
    return tried.stdout.strip() or tried.stderr.strip()


def try_namespaces() -> str:
    """Enter the namespaces of a world, for good; returns what the kernel refused, "" for nothing.

    Each step is tried: Ubuntu's AppArmor lets the user namespace pass and denies the next, and in
    a container that masks /proc only real root can go on to mount its own.
    """
    try:
        if idmap.root_base() is not None:
            show_whole_kernel()
        unshare(Namespace.USER)
        unshare(Namespace.MOUNT | Namespace.NET | Namespace.PID)
        make_mounts_private()
        return _try_proc()
    except OSError as error:
        return str(error)


def _try_proc() -> str:
    """Mount proc in a child, the first process of the new PID namespace."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            mount("proc", idmap.PROC, kind="proc", flags=INERT)
        except OSError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    said = os.read(reader, MESSAGE_BYTES_MAX).decode()
    os.waitpid(pid, 0)
    return said


def _causes(refusal: str) -> list[str]:
    causes = []
    if _read("/proc/sys/user/max_user_namespaces") == "0":
        causes.append("sysctl user.max_user_namespaces is 0")
    if os.geteuid() != 0:
        if _read("/proc/sys/kernel/unprivileged_userns_clone") == "0":
            causes.append("sysctl kernel.unprivileged_userns_clone is 0")
        if _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
            causes.append("AppArmor keeps user namespaces from ordinary users; run as root")
    if "Seccomp:\t2" in _read("/proc/self/status"):
        causes.append(
            "a seccomp filter is on; a container needs --privileged or seccomp=unconfined"
        )
    if "on /proc" in refusal:
        causes.append("parts of /proc are masked, as in a container; run as root there")
    return causes


def _obstacle() -> str:
    if sys.platform != "linux":
        return "a world needs Linux"
    if packages := commands.missing():
        return f"missing Debian packages: {' '.join(packages)}"
    if refusal := _refusal():
        causes = "; ".join(_causes(refusal))
        return f"the kernel refuses a world: {refusal}" + (f" ({causes})" if causes else "")
    return ""


def _mode() -> tuple[Mode, str]:
    if obstacle := _obstacle():
        return "none", obstacle
    if idmap.root_base() is not None:
        return "root", "root, which gives the world ids that belong to nobody"
    if idmap.subordinate_ranges() and commands.find("newuidmap") and commands.find("newgidmap"):
        return "subuid", "an ordinary user with subordinate ids"
    if not fakeids.supported():
        return "none", "one id only, and pretended id changes exist for x86_64 only; install uidmap"
    return "single", "an ordinary user with one id (package uidmap and /etc/subuid lift this)"


def probe() -> Probe:
    """Find out, by trying, what this machine can do for a world."""
    mode, reason = _mode()
    init: Init = "stand-in"
    if mode in ("root", "subuid") and cgroup.place(mode) is not None:
        init = "systemd"
    return Probe(mode, reason, init)

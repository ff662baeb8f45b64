"""What this machine allows: the mode of a world, or the reason why there can be none."""

import os
import sys
from pathlib import Path

from osiris.demo.world import cgroup, commands, fakeids, idmap
from osiris.demo.world.syscalls import Namespace, unshare
from osiris.demo.world.values import Init, Mode, Probe

MESSAGE_BYTES_MAX = 1000


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _refusal() -> str:
    """Try the namespaces of a world in a child; returns what the kernel said, "" for yes.

    Both steps are tried: Ubuntu's AppArmor lets the user namespace pass and denies the next.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            unshare(Namespace.USER)
            unshare(Namespace.MOUNT | Namespace.NET | Namespace.PID)
        except OSError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    message = os.read(reader, MESSAGE_BYTES_MAX).decode()
    os.close(reader)
    os.waitpid(pid, 0)
    return message


def _causes() -> list[str]:
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
    return causes


def _obstacle() -> str:
    if sys.platform != "linux":
        return "a world needs Linux"
    if packages := commands.missing():
        return f"missing Debian packages: {' '.join(packages)}"
    if refusal := _refusal():
        causes = _causes()
        return f"no user namespace: {refusal}" + (f" ({'; '.join(causes)})" if causes else "")
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

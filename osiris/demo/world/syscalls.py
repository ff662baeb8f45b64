"""The Linux calls that Python 3.11 lacks, each raising OSError that names what was tried."""

import ctypes
import os
import signal
from enum import IntFlag
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
)

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
MNT_DETACH = 2


class Namespace(IntFlag):
    """The CLONE_NEW* flags of unshare(2)."""

    MOUNT = 0x0002_0000
    CGROUP = 0x0200_0000
    UTS = 0x0400_0000
    IPC = 0x0800_0000
    USER = 0x1000_0000
    PID = 0x2000_0000
    NET = 0x4000_0000


class MountFlag(IntFlag):
    """The MS_* flags of mount(2) that a world uses."""

    NONE = 0
    READ_ONLY = 1
    NO_SUID = 2
    NO_DEV = 4
    NO_EXEC = 8
    BIND = 4096
    RECURSIVE = 16384
    PRIVATE = 1 << 18


INERT = MountFlag.NO_SUID | MountFlag.NO_DEV | MountFlag.NO_EXEC


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(namespaces: Namespace) -> None:
    """Move this process (for PID: its next child) into new namespaces of the kinds given."""
    _check(_libc.unshare(int(namespaces)), f"unshare {namespaces!r}")


def setns(descriptor: int) -> None:
    """Enter the namespace that an open descriptor names."""
    _check(_libc.setns(descriptor, 0), "setns")


def mount(
    source: str,
    target: Path,
    *,
    kind: str | None = None,
    flags: MountFlag = MountFlag.NONE,
    options: str | None = None,
) -> None:
    """Mount `source` on `target`; `kind` is the file system's type, None for binds."""
    _check(
        _libc.mount(
            source.encode(),
            os.fsencode(target),
            kind.encode() if kind else None,
            int(flags),
            options.encode() if options else None,
        ),
        f"mount {kind or 'bind'} {source} on {target} ({options or 'no options'})",
    )


def bind(source: Path, target: Path) -> None:
    """Make `source` appear at `target` too, with whatever is mounted below it."""
    mount(str(source), target, flags=MountFlag.BIND | MountFlag.RECURSIVE)


def make_mounts_private() -> None:
    """Stop mounts made from here on from spreading to where this mount namespace came from."""
    mount("none", Path("/"), flags=MountFlag.RECURSIVE | MountFlag.PRIVATE)


def detach(target: Path) -> None:
    """Unmount lazily: gone from the tree now, released when the last user has left."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def pivot_root(new_root: str, put_old: str) -> None:
    """Swap the root of this mount namespace; the old one appears at `put_old`."""
    _check(_libc.pivot_root(new_root.encode(), put_old.encode()), "pivot_root")


def set_host_name(name: str) -> None:
    """Set the name of this UTS namespace."""
    encoded = name.encode()
    _check(_libc.sethostname(encoded, len(encoded)), "sethostname")


def die_with_parent() -> None:
    """Have the kernel kill this process when the THREAD that started it ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0), "prctl PDEATHSIG")


def stay_dumpable() -> None:
    """Let our own user open /proc/PID/ns again; changing ids had taken that away."""
    _check(_libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl DUMPABLE")


def filter_system_calls(program: bytes, instructions: int) -> None:
    """Install a seccomp filter; inherited by every child and over exec.

    PR_SET_NO_NEW_PRIVS is not set, so that sudo keeps working: the caller holds CAP_SYS_ADMIN in
    its user namespace, which is the kernel's other condition.
    """

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    block = Program(instructions, program)
    _check(
        _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(block), 0, 0),
        "prctl SECCOMP",
    )

"""Pretended id changes, for a world in which only one id is mapped.

With one id, setgroups is forbidden and every other user or group does not exist, so sshd, dpkg,
useradd and install stop at their first chown or setgroups. A seccomp filter answers those calls
with success without doing them. What it cannot give is stated by the mode: everything belongs to
one user, so ownership cannot be tested there.
"""

import platform
import struct

from osiris.demo.world.syscalls import filter_system_calls
from osiris.demo.world.values import WorldError

AUDIT_ARCH_X86_64 = 0xC000_003E
LOAD_WORD = 0x20
JUMP_IF_EQUAL = 0x15
RETURN = 0x06
ALLOW = 0x7FFF_0000
ERRNO_ZERO = 0x0005_0000
OFFSET_NUMBER = 0
OFFSET_ARCH = 4

# Numbers of the x86_64 table.
PRETENDED = {
    "chown": 92,
    "fchown": 93,
    "lchown": 94,
    "setuid": 105,
    "setgid": 106,
    "setreuid": 113,
    "setregid": 114,
    "setgroups": 116,
    "setresuid": 117,
    "setresgid": 119,
    "setfsuid": 122,
    "setfsgid": 123,
    "mknod": 133,
    "mknodat": 259,
    "fchownat": 260,
}


def filter_program() -> list[tuple[int, int, int, int]]:
    """The classic BPF program: (code, jump if true, jump if false, operand) an instruction.

    A call of another architecture's table is let through, so a 32-bit program is not deceived.
    """
    calls = sorted(PRETENDED.values())
    program = [
        (LOAD_WORD, 0, 0, OFFSET_ARCH),
        (JUMP_IF_EQUAL, 1, 0, AUDIT_ARCH_X86_64),
        (RETURN, 0, 0, ALLOW),
        (LOAD_WORD, 0, 0, OFFSET_NUMBER),
    ]
    program += [
        (JUMP_IF_EQUAL, len(calls) - index, 0, number) for index, number in enumerate(calls)
    ]
    return [*program, (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, ERRNO_ZERO)]


def supported() -> bool:
    """Whether the filter knows this machine's system call numbers."""
    return platform.machine() == "x86_64"


def pretend_id_changes() -> None:
    """Install the filter in this process and all it will start.

    Raises:
        WorldError: the machine is not x86_64.
    """
    if not supported():
        msg = f"pretended id changes exist for x86_64 only, this machine is {platform.machine()}"
        raise WorldError(msg)
    program = filter_program()
    filter_system_calls(b"".join(struct.pack("HBBI", *line) for line in program), len(program))

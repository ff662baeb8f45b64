"""The test lab: the demo's world with one fresh host a test."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from osiris import packages
from osiris.demo import rootfs
from osiris.demo.hosts import KERNEL_SETTINGS, LOGIN, base_prepare
from osiris.demo.world import Done, HostSpec, World, WorldError, probe

READY_TIMEOUT_S = 60.0
SSH_PORT = 22


@dataclass(frozen=True, slots=True)
class LoginKey:
    """An SSH key pair: the public line, and the file that holds the private key."""

    public: str
    private: Path


def make_key(directory: Path) -> LoginKey:
    """Make an Ed25519 key for `LOGIN`; the private half becomes a file only its owner reads."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    private = directory / "id_ed25519"
    private.touch(mode=0o600, exist_ok=False)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return LoginKey(public, private)


@dataclass(frozen=True, slots=True)
class LabHost:
    """A running host of the lab."""

    world: World
    name: str
    address: str
    key: LoginKey
    login: str = LOGIN

    def sh(self, script: str, *, timeout_s: float = 60) -> Done:
        """Run shell text as root inside the host, not over SSH."""
        return self.world.exec(self.name, ["sh", "-s"], stdin=script.encode(), timeout_s=timeout_s)


@contextmanager
def running(world: World, key: LoginKey, *, number: int, prepare: str = "") -> Iterator[LabHost]:
    """Start a fresh host with sshd, wait until it has booted, and cut its power in the end.

    Args:
        world: where.
        key: who may log in.
        number: 1 to 99; makes its name, address and hardware address.
        prepare: shell text run after `base_prepare`.

    Raises:
        WorldError: it did not boot.
    """
    name, address = f"h{number}", f"{world.network}.{100 + number}"
    spec = HostSpec(
        name,
        address,
        f"02:00:00:00:00:{number:02x}",
        prepare=base_prepare(key.public) + prepare,
        sysctls=KERNEL_SETTINGS,
    )
    world.start(spec)
    try:
        world.wait_ready([(address, SSH_PORT)], timeout_s=READY_TIMEOUT_S)
        yield LabHost(world, name, address, key)
    finally:
        world.stop(name)


def obstacle() -> str:
    """Why the lab cannot run here, with the command that helps; "" when it can.

    The root file system is looked for too, and can be built here when there is none.
    """
    found = probe()
    lacking = packages.missing("clinic")
    hint = f"; run: {packages.install_command(lacking)}" if lacking else ""
    if found.mode == "none":
        return found.reason + hint
    try:
        rootfs.ensure(lambda _line: None, mode=found.mode)
    except WorldError as error:
        return f"{error}{hint}"
    return ""


def must_run() -> bool:
    """Whether an obstacle is a failure: where we may install what is missing, and in CI."""
    return os.environ.get("CI") == "true" or packages.root_prefix() is not None

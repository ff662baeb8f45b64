"""A real Debian host with a real sshd and sudo, in a world of its own, and the logins to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncssh
import pytest

from appliance.ports import Login, Sudo
from appliance.shell.ssh import SshShell
from appliance.shell.world_guard import WorldGuard
from osiris.demo import lab
from osiris.demo.rootfs import ensure
from osiris.demo.world import HostSpec, World, probe
from proto.ids import TargetId
from runtime.clock import system_entropy
from tests.fakes.shell import credential

NAME = "box"
ADDRESS = "10.77.0.11"
MAC = "00:1b:21:00:00:11"
PASSWORD = "only in this test"  # noqa: S105 - of a machine that lives for a second

PREPARE = """
hostname > /etc/hostname
printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n' "$(hostname)" > /etc/hosts
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
login() {
  useradd -m -s "$2" "$1"; mkdir -p /home/$1/.ssh
  printf '%s\\n' 'PUBLIC' > /home/$1/.ssh/authorized_keys
  chown -R $1: /home/$1; chmod 700 /home/$1/.ssh
  printf '%s\\n' "$1:SECRET" | chpasswd
}
login free /bin/bash; login asked /bin/sh; login plain /bin/bash; login shut /usr/sbin/nologin
printf '%s\\n' 'free ALL=(ALL) NOPASSWD: ALL' 'asked ALL=(ALL) ALL' > /etc/sudoers.d/logins
chmod 440 /etc/sudoers.d/logins
echo 'echo a greeting; echo a warning >&2' | cat - /home/free/.bashrc > /tmp/rc
cat /tmp/rc > /home/free/.bashrc
sed -i 's/pam_unix.so nullok/& nodelay/' /etc/pam.d/common-auth   # a refusal in 0 s, not in 2
"""


@dataclass(frozen=True)
class SshHost:
    """The host, reached from this process over a forward into its world.

    Its users are `free` (sudo without a password), `asked` (sudo with one), `plain` (no sudo) and
    `shut` (no shell); the key and `PASSWORD` open each.
    """

    world: World
    port: int
    key: str
    host_key: str

    def shell(self, **limits: float) -> SshShell:
        """Make a real shell."""
        return SshShell(WorldGuard(None), system_entropy, **limits)  # type: ignore[arg-type]

    def shell_of(self, netns: str) -> SshShell:
        """Make a real shell that belongs into a network namespace."""
        return SshShell(WorldGuard(netns), system_entropy)

    def login(self, user: str, sudo: Sudo = Sudo.NONE) -> Login:
        """Make a login by key, whose sudo password is the right one."""
        return Login(
            target=TargetId("t-aaaaaaaaaa"),
            address="127.0.0.1",
            port=self.port,
            user=user,
            host_key=self.host_key,
            sudo=sudo,
            credential=credential(key=self.key, sudo_password=PASSWORD),
        )

    def by_password(self, user: str, password: str = PASSWORD) -> Login:
        """Make a login by password."""
        return replace(self.login(user), credential=credential(password=password))

    def inside(self, script: str) -> str:
        """Run a script as root inside the host, not over SSH; return what it prints."""
        done = self.world.exec(NAME, ["sh", "-c", script])
        return str(done.output)


def new_key(kind: str = "ssh-ed25519") -> asyncssh.SSHKey:
    """Make a key pair."""
    return asyncssh.generate_private_key(kind)


def public_line(key: asyncssh.SSHKey) -> str:
    """Return a key's public half, `ssh-ed25519 AAAA...`."""
    kind, encoded = key.export_public_key("openssh").decode("ascii").split()[:2]
    return f"{kind} {encoded}"


def rootfs() -> Path:
    """Return the hosts' file system; where there can be no lab the test is left out, with why.

    Where the lab must run, and where one id only is mapped so that there is no sudo, likewise.
    """
    reason = lab.obstacle()
    if reason and lab.must_run():
        pytest.fail(f"the lab must run here and cannot: {reason}")
    if reason:
        pytest.skip(f"no lab: {reason}")
    if (found := probe()).mode == "single":
        pytest.skip(f"no host with sudo: {found.reason}")
    return ensure(lambda _: None)


@contextmanager
def ssh_host() -> Iterator[SshHost]:
    """Start the host; it is gone when the context ends."""
    key = new_key()
    prepare = PREPARE.replace("PUBLIC", public_line(key)).replace("SECRET", PASSWORD)
    with World(rootfs()) as world:
        world.start(HostSpec(NAME, ADDRESS, MAC, prepare=prepare))
        world.wait_ready([(ADDRESS, 22)])
        forward = world.forward(("127.0.0.1", 0), (ADDRESS, 22), inward=False)
        shown = world.exec(NAME, ["cat", "/etc/ssh/ssh_host_ed25519_key.pub"]).output
        yield SshHost(
            world=world,
            port=forward.port,
            key=key.export_private_key("openssh").decode("ascii"),
            host_key=" ".join(shown.split()[:2]),
        )

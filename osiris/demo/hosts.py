"""The demo's clinic: four Debian hosts with something left open on each, and a CT scanner.

`base_prepare` makes a host that is as Debian delivers it, with a login for the appliance;
what has drifted beside that is given by the caller, shell text for each host.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from osiris.demo.medical_box import LOG
from osiris.demo.world import HostSpec, World

LOGIN = "osiris"
SCANNER = "ct-scanner"
_MEDICAL_BOX = Path(__file__).with_name("medical_box.py")

# Plain files stand in for these (they belong to the machine's kernel), so each can drift and heal.
KERNEL_SETTINGS: Mapping[str, str] = {
    "fs.protected_hardlinks": "1",
    "fs.protected_symlinks": "1",
    "fs.suid_dumpable": "0",
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "1",
    "kernel.randomize_va_space": "2",
    "kernel.sysrq": "0",
    "kernel.yama.ptrace_scope": "1",
}

# These run after `base_prepare`, whose $ids says how many ids the world has.

# Plain HTTP is all that Debian's default site speaks.
NGINX_HTTP_ONLY = """
systemctl enable -q nginx
"""

TELNET_BY_SOCKET = """
cat > /etc/systemd/system/telnet.socket <<'UNIT'
[Unit]
Description=Telnet, as somebody left it

[Socket]
ListenStream=23
Accept=yes

[Install]
WantedBy=sockets.target
UNIT
cat > /etc/systemd/system/telnet@.service <<'UNIT'
[Unit]
Description=Telnet session

[Service]
ExecStart=-/usr/sbin/telnetd
StandardInput=socket
UNIT
systemctl enable -q telnet.socket
"""

REDIS_OPEN = """
sed -i 's/^bind .*/bind 0.0.0.0/; s/^protected-mode yes/protected-mode no/' /etc/redis/redis.conf
systemctl enable -q redis-server
"""

FTP_ANONYMOUS = """
cat > /etc/vsftpd.conf <<'CONF'
listen=YES
anonymous_enable=YES
local_enable=NO
secure_chroot_dir=/run/vsftpd/empty
CONF
if [ "$ids" -eq 1 ]; then
    # vsftpd wants directories it cannot write: with one id, only read-only mounts are.
    for directory in /srv/ftp /run/vsftpd/empty; do
        mkdir -p $directory
        mount -t tmpfs -o ro none $directory
    done
fi
systemctl enable -q vsftpd
"""


@dataclass(frozen=True, slots=True)
class _Place:
    """A Debian host of the clinic: its last octet, its hardware address, what it runs."""

    octet: int
    mac: str
    service: str


_LINUX_HOSTS: Mapping[str, _Place] = {
    "frontdesk": _Place(11, "f8:bc:12:00:00:11", NGINX_HTTP_ONLY),
    "lab": _Place(12, "34:64:a9:00:00:12", TELNET_BY_SOCKET),
    "emr": _Place(13, "3c:ec:ef:00:00:13", REDIS_OPEN),
    "files": _Place(14, "d4:be:d9:00:00:14", FTP_ANONYMOUS),
}
_SCANNER_OCTET = 20
_SCANNER_MAC = "44:4b:5d:00:00:20"
"""A hardware address of GE Healthcare."""

LINUX_HOSTS = tuple(_LINUX_HOSTS)


def base_prepare(public_key: str) -> str:
    """Shell text that makes the shared root file system one particular host.

    It has its own name and host keys, and a login `osiris` with this OpenSSH public key and sudo
    without a password. The name stands in /etc/hosts and resolv.conf is empty: without either each
    sudo waits for a name server that is not there.

    In a world with one id, the login is another name of uid 0 and sshd does without PAM and
    without its own user: no other ids exist there.
    """
    return f"""
name=$(hostname)
echo "$name" > /etc/hostname
printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n' "$name" > /etc/hosts
: > /etc/resolv.conf
rm -f /etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -C "$name" -f /etc/ssh/ssh_host_ed25519_key
ids=$(awk '{{n += $3}} END {{print n}}' /proc/self/uid_map)
if [ "$ids" -gt 1 ]; then
    useradd -m -s /bin/bash {LOGIN}
else
    useradd -o -u 0 -g 0 -m -s /bin/bash {LOGIN}
    sed -i 's/^sshd:x:[0-9]*:[0-9]*/sshd:x:0:0/' /etc/passwd
    sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config
fi
sed -i 's/^{LOGIN}:[^:]*:/{LOGIN}:*:/' /etc/shadow
mkdir -m 700 /home/{LOGIN}/.ssh
echo {shlex.quote(public_key.strip())} > /home/{LOGIN}/.ssh/authorized_keys
chmod 600 /home/{LOGIN}/.ssh/authorized_keys
chown -R {LOGIN}: /home/{LOGIN}
echo '{LOGIN} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{LOGIN}
chmod 440 /etc/sudoers.d/{LOGIN}
"""


def medical_box(name: str, address: str, mac: str) -> HostSpec:
    """A box that answers DICOM on port 104 and counts whatever reaches it, see `touches`."""
    program = _MEDICAL_BOX.read_text()
    return HostSpec(name, address, mac, argv=("/usr/bin/python3", "-I", "-S", "-c", program))


# The seventh column of packet(7)'s table is what its reader has not taken yet (Rmem, bytes).
_PACKETS_WAIT = "while awk 'NR > 1 { n += $7 } END { exit !n }' /proc/net/packet; do :; done"


@dataclass(frozen=True, slots=True)
class Touches:
    """What has reached a medical box since it started.

    Attributes:
        packets: (protocol, destination port or None) of every IP packet, in order.
        connections: how many connections were opened.
        received_bytes: what the closed ones had sent.
    """

    packets: tuple[tuple[str, int | None], ...]
    connections: int
    received_bytes: int


def touches(world: World, name: str = SCANNER) -> Touches:
    """Read what a medical box has written down, once it has taken in every packet so far."""
    done = world.exec(name, ["sh", "-c", f"{_PACKETS_WAIT}\ncat {LOG}"])
    lines = [json.loads(line) for line in done.output.splitlines()]
    return Touches(
        packets=tuple((line["packet"], line["to"]) for line in lines if "packet" in line),
        connections=sum("opened" in line for line in lines),
        received_bytes=sum(line["received"] for line in lines if "closed" in line),
    )


def clinic(
    public_key: str, drift: Mapping[str, str], *, network: str = "10.77.0"
) -> list[HostSpec]:
    """The hosts of the demo, ready for `World.start_all`.

    Args:
        public_key: OpenSSH public key that may log in as `osiris`.
        drift: host name -> shell text run at the end of that host's preparation.
        network: first three octets of the world's /24.

    Raises:
        KeyError: `drift` names a host that the clinic does not have.
    """
    if unknown := set(drift) - set(_LINUX_HOSTS):
        msg = f"the clinic has no host {', '.join(sorted(unknown))}"
        raise KeyError(msg)
    base = base_prepare(public_key)
    specs = [
        HostSpec(
            name,
            f"{network}.{place.octet}",
            place.mac,
            prepare=base + place.service + drift.get(name, ""),
            sysctls=KERNEL_SETTINGS,
        )
        for name, place in _LINUX_HOSTS.items()
    ]
    scanner = medical_box(SCANNER, f"{network}.{_SCANNER_OCTET}", _SCANNER_MAC)
    return [*specs, scanner]


def ready_ports(network: str = "10.77.0") -> list[tuple[str, int]]:
    """What to wait for before the clinic is open: SSH on the Linux hosts; the scanner is left."""
    return [(f"{network}.{place.octet}", 22) for place in _LINUX_HOSTS.values()]

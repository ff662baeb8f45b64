"""What the clinic's Debian hosts are made of: one list of packages, and what is set once for all.

The text of the recipe names the file it builds, so a changed recipe is a new file.
"""

import hashlib
import json

SUITE = "bookworm"
PACKAGES = (
    # the machine
    "systemd",
    "systemd-sysv",
    "dbus",
    "libpam-systemd",
    "sudo",
    "iproute2",
    "procps",
    "kmod",
    "ca-certificates",
    "openssl",
    # what the checks look after
    "openssh-server",
    "nftables",
    "chrony",
    "unattended-upgrades",
    "auditd",
    "rsyslog",
    "logrotate",
    "cron",
    "libpam-pwquality",
    # what a clinic should not have left open
    "nginx-light",
    "vsftpd",
    "inetutils-telnetd",
    "redis-server",
)
MASKED = (
    "console-getty.service",
    "getty.target",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "e2scrub_reap.service",
    "e2scrub_all.timer",
)
OFF_BY_DEFAULT = ("nginx", "vsftpd", "redis-server", "inetutils-inetd")
NOT_UNPACKED = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")

# The kernel's audit answers no container, so the daemon cannot start here. It stays installed and
# enabled like on any host; the condition keeps systemd from counting it as failed.
AUDIT_DROP_IN = "[Unit]\nConditionVirtualization=!container\n"

CUSTOMIZE = f"""
set -eu
root=$1
chroot "$root" systemctl mask -q {" ".join(MASKED)}
chroot "$root" systemctl disable -q {" ".join(OFF_BY_DEFAULT)} 2>/dev/null
mkdir -p "$root/etc/systemd/system/auditd.service.d"
printf '{AUDIT_DROP_IN.encode("unicode_escape").decode()}' \\
    > "$root/etc/systemd/system/auditd.service.d/container.conf"
# chronyd may not set the clock of the machine (-x); rsyslog may not read its kernel's messages.
sed -i 's/^DAEMON_OPTS=.*/DAEMON_OPTS="-x -F 1"/' "$root/etc/default/chrony"
sed -i '/imklog/s/^/#/' "$root/etc/rsyslog.conf"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname" "$root/etc/resolv.conf"
: > "$root/etc/resolv.conf"
: > "$root/etc/machine-id"
rm -rf "$root"/var/cache/apt/*.bin "$root"/var/cache/debconf/*-old
"""


def arguments(*, single_id: bool, proxies: tuple[str, ...] = ()) -> list[str]:
    """The mmdebstrap command that writes the root file system to stdout as a tar.

    Args:
        single_id: True where only one id is mapped and id changes are pretended.
        proxies: the machine's apt settings for proxies, a line each.
    """
    command = ["mmdebstrap", "--variant=minbase", "--format=tar"]
    command += [f"--include={','.join(PACKAGES)}", '--aptopt=APT::Install-Recommends "false"']
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in NOT_UNPACKED]
    command += [f"--aptopt={line}" for line in proxies]
    command += [f"--customize-hook={CUSTOMIZE}"]
    if single_id:
        command += ["--mode=root", "--skip=check/canrun,chroot/mount/dev"]
        command += ['--aptopt=APT::Sandbox::User "root"']
    else:
        command += ["--mode=unshare"]
    return [*command, SUITE, "-"]


def digest() -> str:
    """Sixteen hexadecimal digits that name this recipe."""
    recipe = json.dumps([arguments(single_id=False), arguments(single_id=True)])
    return hashlib.sha256(recipe.encode()).hexdigest()[:16]

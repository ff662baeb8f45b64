"""What has been neglected in the demo's clinic: which host has drifted from which checks."""

from collections.abc import Mapping
from importlib import resources

NEGLECT: Mapping[str, tuple[str, ...]] = {
    "frontdesk": (
        "lin.ssh.root_login",
        "lin.ssh.max_auth_tries",
        "lin.file.shadow_perms",
        "lin.updates.automatic",
        "lin.tls.key_perms",
        "lin.account.session_timeout",
    ),
    "lab": (
        "lin.svc.legacy",
        "lin.net.sysctl",
        "lin.ssh.x11_forwarding",
        "lin.disk.log_rotation",
        "lin.account.uid0",
        "lin.kernel.hardening",
    ),
    "emr": (
        "lin.svc.redis_open",
        "lin.syslog.running",
        "lin.firewall.active",
        "lin.journald.persistent",
        "lin.account.empty_password",
        "lin.ssh.password_auth",
    ),
    "files": (
        "lin.svc.ftp_anonymous",
        "lin.time.sync",
        "lin.auditd.rules_identity",
        "lin.file.cron_perms",
        "lin.sudo.nopasswd",
        "lin.disk.journal_bound",
    ),
}
"""Host -> the checks whose drift script is run on it, beside what Debian itself leaves open."""


def script(check: str) -> str:
    """Return the shell text that makes a host drift from a check."""
    folder = resources.files("osiris.demo.drift")
    return (folder / f"{check}.sh").read_text("utf-8")

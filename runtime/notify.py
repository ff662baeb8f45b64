"""Telling systemd how a service is: readiness, a status line, and the watchdog (sd_notify(3)).

Without NOTIFY_SOCKET nothing is sent: a service runs the same outside systemd.
"""

import os
import socket

SEND_WITHIN_S = 0.5
"""A manager that does not read must not stop the service that tells it something."""

_WATCHDOG_SHARE = 3
"""The watchdog is fed three times in its interval, so that one late turn costs nothing."""


def send(*lines: str) -> bool:
    """Send assignments such as `READY=1` to the service manager; false when there is none."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or address[0] not in "/@":
        return False
    # A leading @ names a socket in the abstract namespace.
    target = "\0" + address[1:] if address[0] == "@" else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as outlet:
        outlet.settimeout(SEND_WITHIN_S)
        try:
            outlet.connect(target)
            outlet.sendall("\n".join(lines).encode())
        except OSError:
            # The manager went away or is busy; the service's own work does not depend on it.
            return False
    return True


def ready(status: str) -> bool:
    """Say that the service serves, with one line about it."""
    return send("READY=1", f"STATUS={status}")


def stopping() -> bool:
    """Say that the service is on its way out."""
    return send("STOPPING=1")


def watchdog() -> bool:
    """Say that the service made progress."""
    return send("WATCHDOG=1")


def watchdog_interval_s() -> float | None:
    """Return how often to feed the watchdog, or None when systemd set no watchdog for us."""
    limit_us = os.environ.get("WATCHDOG_USEC", "")
    owner = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not limit_us.isdecimal() or owner != str(os.getpid()):
        return None
    return int(limit_us) / 1_000_000 / _WATCHDOG_SHARE

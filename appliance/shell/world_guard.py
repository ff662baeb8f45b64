"""The guard that keeps a demo's appliance inside the world it was made for.

An appliance of the demo or of the tests belongs into a network namespace of its own. Started in the
machine's own namespace by mistake it would scan, and log in on, the real LAN behind the default
route. So its configuration names the namespace, and both the scanner and the shell ask here first.
"""

from pathlib import Path

from proto.errors import IntegrityError

NETNS = Path("/proc/self/ns/net")


def current_netns(path: Path = NETNS) -> str:
    """Return this process's network namespace as "device:inode", the form a configuration holds."""
    seen = path.stat()
    return f"{seen.st_dev}:{seen.st_ino}"


class WorldGuard:
    """Refuses to let anything out of the process while it is in another network namespace."""

    def __init__(self, expected_netns: str | None) -> None:
        """Remember the namespace, "device:inode"; None for a real site, where any will do."""
        self._expected = expected_netns

    def check(self) -> None:
        """Return when the process is where it belongs.

        Raises:
            IntegrityError: it is in another network namespace.
        """
        if self._expected is None:
            return
        here = current_netns()
        if here != self._expected:
            msg = (
                f"this appliance belongs into the network namespace {self._expected} and runs in "
                f"{here}: it neither scans nor connects here"
            )
            raise IntegrityError(msg)

"""Outside commands that a world runs, each with its argument list fixed by us."""

import shutil
import subprocess
from collections.abc import Sequence

from osiris.demo.world.values import WorldError

# What a world runs from the machine's own file system, and the Debian package that holds it.
NEEDED = {"ip": "iproute2", "tar": "tar", "zstd": "zstd"}
SBIN = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def find(command: str) -> str | None:
    """The path of a command, looked for in sbin too (an ordinary user's PATH lacks it)."""
    return shutil.which(command) or shutil.which(command, path=SBIN)


def missing() -> list[str]:
    """The Debian packages whose commands a world needs and this machine lacks."""
    return sorted({package for command, package in NEEDED.items() if find(command) is None})


def run(argv: Sequence[str], *, text: str = "") -> str:
    """Run a command to its end with `text` on stdin.

    Returns:
        What it printed.

    Raises:
        WorldError: it is not there or failed; the message holds what it said.
    """
    path = find(argv[0])
    if path is None:
        msg = f"the command {argv[0]!r} is missing (Debian package {NEEDED.get(argv[0], argv[0])})"
        raise WorldError(msg)
    done = subprocess.run(  # noqa: S603 - argument lists of our own, never a shell's text
        [path, *argv[1:]], input=text, text=True, capture_output=True, check=False
    )
    if done.returncode:
        msg = f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}"
        raise WorldError(msg)
    return done.stdout


def ip(*lines: str) -> None:
    """Change links, addresses and routes: one batch of lines for the command of that name."""
    run(["ip", "-batch", "-"], text="\n".join(lines) + "\n")

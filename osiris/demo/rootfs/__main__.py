"""`python -m osiris.demo.rootfs`: build the root file system and print where it is.

With `--if-possible` a machine that cannot build it is told why, and that is no failure.
"""

import argparse
import sys

from osiris.demo.rootfs import ensure
from proto.errors import OsirisError


def _progress(line: str) -> None:
    sys.stderr.write(f"rootfs: {line}\n")


def main() -> int:
    """Build it unless it is there; the path goes to stdout, everything else to stderr."""
    parser = argparse.ArgumentParser(prog="python -m osiris.demo.rootfs")
    parser.add_argument("--if-possible", action="store_true", help="exit 0 where it cannot be")
    options = parser.parse_args()
    try:
        path = ensure(_progress)
    except OsirisError as error:
        sys.stderr.write(f"rootfs: {error}\n")
        return 0 if options.if_possible else error.exit_status
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

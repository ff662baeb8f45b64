"""`python -m osiris.demo.rootfs`: build the root file system and print where it is."""

import sys

from osiris.demo.rootfs import ensure
from proto.errors import OsirisError


def _progress(line: str) -> None:
    sys.stderr.write(f"rootfs: {line}\n")


def main() -> int:
    """Build it unless it is there; the path goes to stdout, everything else to stderr."""
    try:
        path = ensure(_progress)
    except OsirisError as error:
        sys.stderr.write(f"rootfs: {error}\n")
        return error.exit_status
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

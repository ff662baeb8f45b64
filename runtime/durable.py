"""Names of files that a power cut does not take back.

A file's own `fsync` makes its bytes durable; its name is its directory's, which has one of its own.
"""

import os
from pathlib import Path


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable.

    Raises:
        OSError: it cannot be opened, or its disk fails.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Directories and keys for their owner alone: stores, keys and sockets lie in such directories.

A store is as readable as the directory around it, so a directory that was there before, and that
others may enter, is refused and not used.
"""

import errno
from pathlib import Path

from proto.errors import ConfigError
from proto.keys import SEED_BYTES


def make_private(directory: Path, *, key: str) -> None:
    """Make a directory for its owner alone, with its parents; one that is there must be such.

    Args:
        directory: where.
        key: the key of the configuration that names it, for the message.

    Raises:
        ConfigError: it cannot be made, or others may enter it.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = directory.stat().st_mode
    except OSError as error:
        advice = ": run this as root, or as the user that the daemon runs as"
        denied = error.errno in {errno.EACCES, errno.EPERM}
        msg = f"{key}: {directory}: cannot be made: {error.strerror}{advice if denied else ''}"
        raise ConfigError(msg) from error
    if mode & 0o077:
        msg = f"{key}: {directory}: others may enter it: chmod 700 {directory}"
        raise ConfigError(msg)


def read_seed(path: Path) -> bytes:
    """Return the seed of a key from a file that its owner alone may read.

    Raises:
        ConfigError: it is missing or of another length, or others may read it.
    """
    try:
        mode, raw = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    if mode & 0o077:
        msg = f"{path}: others may read this key: chmod 600 {path}"
        raise ConfigError(msg)
    if len(raw) != SEED_BYTES:
        msg = f"{path}: must hold {SEED_BYTES} bytes"
        raise ConfigError(msg)
    return raw

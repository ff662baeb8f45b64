"""One process at a time over one state directory: an advisory lock that dies with its holder."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from proto.errors import ConflictError

LOCK_NAME = "lock"


class ServiceLock:
    """The lock of a state directory, held from `__enter__` to `__exit__`.

    The kernel gives it up when the process ends, however it ends, so nothing is ever stale. The
    file holds the holder's process id for people to read; it decides nothing.
    """

    def __init__(self, state_dir: Path) -> None:
        """Name the directory; nothing is taken yet."""
        self._path = state_dir / LOCK_NAME
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            ConflictError: another process holds it; the message names it.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            msg = f"{self._path.parent} is in use by the running process {holder}"
            raise ConflictError(msg) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the lock up."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

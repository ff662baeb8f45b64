"""One process at a time over one state directory: an advisory lock that dies with its holder.

A daemon holds it for as long as it runs, a command for its moment. So whoever finds a daemon there
is refused at once, and whoever finds a command waits for it: a look at the status while a daemon
starts must not keep it from starting.
"""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from proto.errors import ConflictError

LOCK_NAME = "lock"
PATIENCE_S = 30.0
LOOK_EVERY_S = 0.05
_DAEMON, _COMMAND = "daemon", "command"


class ServiceLock:
    """The lock of a state directory, held from `__enter__` to `__exit__`.

    The kernel gives it up when the process ends, however it ends, so nothing is ever stale. The
    file says who holds it, for people and for whoever has to decide whether to wait.
    """

    def __init__(
        self, state_dir: Path, *, for_daemon: bool = False, patience_s: float = PATIENCE_S
    ) -> None:
        """Name the directory; nothing is taken yet. `patience_s` is how long to wait at most."""
        self._path = state_dir / LOCK_NAME
        self._what = _DAEMON if for_daemon else _COMMAND
        self._patience_s = patience_s
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take the lock, waiting for a command that holds it.

        Raises:
            ConflictError: a daemon holds it, or a command for too long; the message names it.
        """
        how = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, how, 0o600)
        with contextlib.ExitStack() as failed:
            failed.callback(os.close, descriptor)
            self._take(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {self._what}\n".encode("ascii"), 0)
            failed.pop_all()
        self._descriptor = descriptor
        return self

    def _take(self, descriptor: int) -> None:
        end_s = time.monotonic() + self._patience_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                number, what = _holder(descriptor)
                if what == _DAEMON or time.monotonic() >= end_s:
                    said = f"the running {what} {number}" if number else "a running process"
                    msg = f"{self._path.parent} is in use by {said}"
                    raise ConflictError(msg) from None
                time.sleep(LOOK_EVERY_S)
            else:
                return

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


def _holder(descriptor: int) -> tuple[int, str]:
    """Return who says that it holds the lock; a process that is gone says nothing any more."""
    words = os.pread(descriptor, 64, 0).decode("ascii", "replace").split()
    if len(words) != 2 or not words[0].isdecimal() or words[1] not in {_DAEMON, _COMMAND}:  # noqa: PLR2004 - a number and a word
        return 0, _COMMAND
    try:
        os.kill(int(words[0]), 0)
    except PermissionError:
        return int(words[0]), words[1]
    except (ProcessLookupError, OverflowError):
        return 0, _COMMAND
    return int(words[0]), words[1]

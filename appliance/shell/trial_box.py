"""Runs a new program's trial in bounds: `python -I trial_box.py SECONDS DIRECTORY`.

It is run by its path with the packaged interpreter, sets the bounds on itself and becomes the
trial. Of memory, files and processor time it gets no more; with the process that waits for it, it
ends; where the kernel allows it, it is in a network of its own in which nothing is.
"""

import ctypes
import os
import resource
import signal
import sys
from typing import Final

MEMORY_BYTES: Final = 4 * 1024**3
"""Of addresses, of which libraries reserve far more than they use."""

FILE_BYTES: Final = 2 * 1024**3
_PR_SET_PDEATHSIG: Final = 1
_NEW_USER_AND_NET: Final = 0x10000000 | 0x40000000


def main() -> None:
    """Become the trial."""
    seconds, directory = int(sys.argv[1]), sys.argv[2]
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.unshare(_NEW_USER_AND_NET)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    argv = [sys.executable, "-P", "-B", "-m", "appliance.trial", directory]
    os.execv(sys.executable, argv)  # noqa: S606 - our own program, no shell


main()

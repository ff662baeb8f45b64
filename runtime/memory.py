"""Keeping a daemon small: what is not loaded, and how glibc's malloc hands memory back.

And keeping its memory to itself: what it holds is written to no file when it breaks down.

By itself malloc gives each thread an arena of its own, and after one large block it keeps as much
at the top of the heap for ever. A daemon of a few threads that hold Python's lock in turn gains
nothing by either, and is a fifth larger for it.
"""

import ctypes
import resource
import sys
from typing import Final

# Parameters of mallopt(3), from <malloc.h>.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8

ARENAS: Final = 1
GIVE_BACK_BYTES: Final = 128 * 1024
"""Free memory at the top of the heap past which it is returned; setting it keeps it fixed."""

OWN_MAPPING_BYTES: Final = 1024 * 1024
"""A block at least as large is mapped, and so returned when it is freed."""


SCREENS: Final = ("httpx._main", "rich")
"""What httpx and structlog load for terminals where it is installed; they do without."""


def leave_out_screens() -> None:
    """Load no library that only draws on terminals: a daemon has none.

    Call it before anything else is imported; what is loaded already stays.
    """
    for name in SCREENS:
        # None is how Python is told that there is none.
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def keep_small() -> bool:
    """Tell malloc so; call it before any thread starts. False where the C library is no glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = (
        (_ARENA_MAX, ARENAS),
        (_TRIM_THRESHOLD, GIVE_BACK_BYTES),
        (_MMAP_THRESHOLD, OWN_MAPPING_BYTES),
    )
    return all(mallopt(name, value) == 1 for name, value in settings)


def leave_no_core() -> None:
    """Have no core written of this process and its children: private keys would be in it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))

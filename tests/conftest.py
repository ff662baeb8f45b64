"""What holds for every test."""

import os
import shutil
from pathlib import Path

import pytest
import structlog

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own in it, mode 0700
IN_MEMORY_FREE_BYTES = 2 << 30


def pytest_configure() -> None:
    """Keep the tests' files in memory where there is room: half of a run is waiting for a disk.

    What tests end with kill -9 is processes, and their files outlive them on any file system.
    """
    if _holds_files_of_tests(IN_MEMORY):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


def _holds_files_of_tests(place: Path) -> bool:
    if not place.is_dir() or not os.access(place, os.W_OK):
        return False
    may_run = not os.statvfs(place).f_flag & os.ST_NOEXEC  # some tests write small programs
    return may_run and shutil.disk_usage(place).free >= IN_MEMORY_FREE_BYTES


@pytest.fixture(scope="session", autouse=True)
def plain_log() -> None:
    """Log as lines of JSON: structlog's default draws each variable of a trace, for seconds."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ],
        cache_logger_on_first_use=False,
    )

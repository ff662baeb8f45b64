"""Where built root file systems are kept.

One file, owned by whoever built it. A tree of files would belong to subordinate ids, and its own
user could not remove it.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from osiris.demo.rootfs import recipe
from osiris.demo.world.values import Mode, WorldError

KEPT = 2
REPOSITORY = Path(__file__).resolve().parents[3]


def directories() -> list[Path]:
    """The cache directories in the order they are tried.

    $OSIRIS_CACHE alone when it is set; else the repository's own (never a directory of installed
    packages) and the user's.
    """
    if chosen := os.environ.get("OSIRIS_CACHE"):
        return [Path(chosen)]
    found = [REPOSITORY / ".cache/osiris"] if (REPOSITORY / "pyproject.toml").exists() else []
    return [*found, Path.home() / ".cache/osiris"]


def file_name(*, single_id: bool) -> str:
    """The name of this recipe's file; files built with one id lack owners, so they are apart."""
    return f"clinic-{recipe.digest()}{'-one-id' if single_id else ''}.tar.zst"


def find(mode: Mode) -> Path | None:
    """A built file that a world of this mode can use: with owners first."""
    kinds = (False, True) if mode == "single" else (False,)
    for single_id in kinds:
        for directory in directories():
            path = directory / file_name(single_id=single_id)
            if os.access(path, os.R_OK):
                return path
    return None


def writable() -> Path:
    """The first cache directory that can be written to; it is made when it is missing.

    Raises:
        WorldError: none can be.
    """
    tried = directories()
    for directory in tried:
        with suppress(OSError):
            directory.mkdir(parents=True, exist_ok=True)
        if os.access(directory, os.W_OK):
            return directory
    msg = f"no cache directory can be written to ({', '.join(map(str, tried))}); set OSIRIS_CACHE"
    raise WorldError(msg)


def _by_age(directory: Path) -> Iterator[Path]:
    files = [path for path in directory.glob("clinic-*.tar.zst") if path.is_file()]
    yield from sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)


def trim(directory: Path) -> None:
    """Keep the newest `KEPT` files; an older recipe's are of no use to anybody."""
    for path in list(_by_age(directory))[KEPT:]:
        path.unlink(missing_ok=True)

"""Reading a set of content: `{path below rules/: bytes}` from a directory or the installed package.

Only `*.yaml` files are read, whole and bounded; links, other names and deeper trees than the house
uses are refused or passed by as said below. What the bytes mean is `proto.catalog.load`'s business.
"""

from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from pathlib import Path

from proto.catalog.load import FILES_MAX
from proto.catalog.strict_yaml import SIZE_BYTES_MAX
from proto.errors import ConfigError

DEPTH_MAX = 4
_SUFFIXES = (".yaml", ".yml")
_PASSED_BY = ("__pycache__",)


class ContentError(ConfigError):
    """A directory of content that cannot be read; the message names it."""

    code = "content"


def read_directory(directory: Path) -> dict[str, bytes]:
    """Return the content files below a directory.

    Files that are not YAML are passed by. At most one byte more than a file may have is read, so
    that the loader sees that it is too long.

    Raises:
        ContentError: the directory is not there, holds a symbolic link, too many files or too deep
            a tree, or cannot be read.
    """
    if not directory.is_dir():
        msg = f"{directory}: not a directory of content"
        raise ContentError(msg)
    for path in directory.rglob("*"):
        if path.is_symlink():
            msg = f"{path}: content may not hold symbolic links"
            raise ContentError(msg)
    return _read(directory, where=str(directory))


def read_installed() -> dict[str, bytes]:
    """Return the content that the installed package ships as `rules`.

    Raises:
        ContentError: the package has no content, or it cannot be read.
    """
    try:
        root = package_files("rules")
    except ModuleNotFoundError as error:
        msg = "the installed package ships no content (no package `rules`)"
        raise ContentError(msg) from error
    return _read(root, where="the package rules")


def _read(root: Traversable, *, where: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        _walk(root, "", found, depth=0)
    except OSError as error:
        msg = f"{where}: cannot be read: {error}"
        raise ContentError(msg) from error
    return found


def _walk(directory: Traversable, prefix: str, found: dict[str, bytes], *, depth: int) -> None:
    if depth > DEPTH_MAX:
        msg = f"{prefix}: content is nested deeper than {DEPTH_MAX} directories"
        raise ContentError(msg)
    for entry in sorted(directory.iterdir(), key=lambda one: one.name):
        path = f"{prefix}{entry.name}"
        if entry.is_dir() and entry.name not in _PASSED_BY:
            _walk(entry, f"{path}/", found, depth=depth + 1)
        elif entry.name.endswith(_SUFFIXES):
            if len(found) >= FILES_MAX:
                msg = f"{path}: more than {FILES_MAX} files of content"
                raise ContentError(msg)
            with entry.open("rb") as stream:
                found[path] = stream.read(SIZE_BYTES_MAX + 1)

"""Which trust a desk goes by: the first root that it took, pinned from then on.

```
first-root.json        the first root, its exact bytes: what people read out is its SHA-256
former-trust.<n>/      what the desk held of a trust that its person gave up for another
```

A folder or a hub that somebody made whole holds together like the right one: only where it begins
tells them apart. Rules kept here:

- What a desk takes first is pinned, and never replaced by what comes later. From a hub nothing is
  taken first unless the person says the digest that the root people read out.
- Another first root is refused, whatever versions stand behind it. The way out is the person's own:
  to say that other digest.
- What was held of a trust that is given up is set aside whole: nothing of it counts beside another.
  The pinned root goes first. A desk with a former trust and no pin was cut off there: it takes
  nothing until its person says which of the two it is to be.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from osiris.desk.place import AUTHORITY_FILE, GRANTS_FILE, Desk, read_file
from proto.errors import ConfigError, IntegrityError
from runtime.durable import sync_directory
from runtime.repository.layout import METADATA_BYTES_MAX, digest_of, write_whole

FIRST_ROOT_FILE: Final = "first-root.json"
CONTENT_DIRECTORY: Final = "content"
"""What the desk fetched from its hub, see `walk`."""

ASIDE_MAX: Final = 100
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class FirstRootError(IntegrityError):
    """A repository that begins with another first root than the desk's."""

    code: ClassVar[str] = "first_root"


@dataclass(frozen=True, slots=True)
class FirstRoot:
    """A first root that the desk may go by.

    Attributes:
        data: its exact bytes.
        is_new: it takes the place of what the desk pinned, or is the first.
    """

    data: bytes
    is_new: bool

    @property
    def digest(self) -> str:
        """Its SHA-256 in hex, as people read it out."""
        return digest_of(self.data)


def path_of(desk: Desk) -> Path:
    """Return where the pinned root lies."""
    return desk.directory / FIRST_ROOT_FILE


def pinned(desk: Desk) -> bytes | None:
    """Return the pinned root's bytes, None before the desk took anything."""
    path = path_of(desk)
    return read_file(path, METADATA_BYTES_MAX) if path.exists() else None


def chosen(desk: Desk, found: bytes, *, where: str, told: str | None) -> FirstRoot:
    """Return the first root that was found, if the desk may go by it.

    Args:
        desk: the person's.
        found: the first root's bytes, from whoever holds them.
        where: who that is, for the message.
        told: the digest that the person was read out, hex; None where they said none.

    Raises:
        ConfigError: what the person said is no digest.
        FirstRootError: it is another than they said, or another than the desk pinned.
    """
    digest, held = digest_of(found), pinned(desk)
    if told is not None and _digits(told) != digest:
        msg = (
            f"{where}: begins with the first root {digest}, and --first-root says {_digits(told)}:"
            " nothing was taken"
        )
        raise FirstRootError(msg)
    if held == found:
        return FirstRoot(found, is_new=False)
    if held is not None and told is None:
        msg = (
            f"{where}: begins with the first root {digest}, this desk with {digest_of(held)}, which"
            f" it pinned when it first took authority ({path_of(desk)}): nothing was taken. It is"
            " another trust, of whoever made it. Only if your root people began anew, and read"
            " another digest out to you: --first-root DIGEST"
        )
        raise FirstRootError(msg)
    return FirstRoot(found, is_new=True)


def _digits(told: str) -> str:
    digits = told.replace(" ", "").lower()
    if _SHA256.fullmatch(digits) is None:
        msg = "--first-root: the 64 digits of a SHA-256 that your root people read out"
        raise ConfigError(msg)
    return digits


def go_on(desk: Desk, told: str | None) -> None:
    """End what a cut left half done: the former trust goes aside whole, or is all back.

    Args:
        desk: the person's.
        told: the digest of the root that the person goes by, hex; None where they said none.

    Raises:
        ConfigError: a trust was being given up, and the person does not say for which.
    """
    former = _newest_aside(desk)
    if former is None or path_of(desk).exists():
        return
    root = digest_of(read_file(former / FIRST_ROOT_FILE, METADATA_BYTES_MAX))
    if told is None:
        msg = (
            f"{desk.directory}: was cut off while it gave up the trust of the first root {root}"
            " for another: give --first-root DIGEST, of that one to go back to it, or of the other"
        )
        raise ConfigError(msg)
    if _digits(told) == root:
        _move(_held(former), desk.directory)
        _move([former / FIRST_ROOT_FILE], desk.directory)
    else:
        _move(_held(desk.directory), former)


def go_by(desk: Desk, root: FirstRoot) -> None:
    """Pin a root from now on; what the desk holds of another trust is set aside.

    Raises:
        ConfigError: it cannot be written, or too many trusts were set aside.
    """
    desk.make()
    if not root.is_new:
        return
    if path_of(desk).exists():
        _set_aside(desk)
    write_whole(path_of(desk), root.data, is_durable=True)
    sync_directory(desk.directory)


def _set_aside(desk: Desk) -> None:
    """Move what the desk holds; a cut anywhere behind the first move is seen by `go_on`."""
    to = _free(desk)
    try:
        to.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        msg = f"{to}: cannot be made: {error.strerror}"
        raise ConfigError(msg) from error
    _move([path_of(desk)], to)
    _move(_held(desk.directory), to)


def _held(directory: Path) -> list[Path]:
    """Return what lies there of a trust, but for its first root."""
    stems = (AUTHORITY_FILE.removesuffix(".json"), GRANTS_FILE.removesuffix(".json"))
    files = [path for stem in stems for path in sorted(directory.glob(f"{stem}*.json"))]
    content = directory / CONTENT_DIRECTORY
    return [*files, content] if content.is_dir() else files


def _move(paths: Iterable[Path], to: Path) -> None:
    """Move within one desk, each by one rename that is on the disk before the next."""
    for path in paths:
        try:
            path.rename(to / path.name)
        except OSError as error:
            msg = f"{path}: cannot be moved to {to}: {error.strerror}"
            raise ConfigError(msg) from error
        sync_directory(to)
        sync_directory(path.parent)


def _aside(desk: Desk, number: int) -> Path:
    return desk.directory / f"former-trust.{number}"


def _newest_aside(desk: Desk) -> Path | None:
    """Return the newest place that holds a trust: one without a root is free, or was emptied."""
    numbers = range(ASIDE_MAX - 1, 0, -1)
    places = (_aside(desk, number) for number in numbers)
    return next((path for path in places if (path / FIRST_ROOT_FILE).exists()), None)


def _free(desk: Desk) -> Path:
    for number in range(1, ASIDE_MAX):
        path = _aside(desk, number)
        if not path.exists() or not any(path.iterdir()):
            return path
    msg = f"{desk.directory}: {ASIDE_MAX - 1} former trusts lie there; remove some"
    raise ConfigError(msg)

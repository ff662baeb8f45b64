"""Where the files of a repository lie, and how they are read and written.

```
metadata/<n>.root.json <n>.targets.json <n>.snapshot.json <n>.grants.json <n>.promoted.json
metadata/timestamp.json
targets/<directory>/<sha256>.<name>
```

Every file but the timestamp is named by its version or its digest, so it is written once and never
changed. A file appears whole or not at all. Whoever writes several writes the timestamp last: until
then a reader sees what was there before.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from proto.errors import ConfigError, ConflictError, IntegrityError, NotFoundError
from proto.keysets import Role
from proto.release_keys import TUF_NAMES
from runtime.durable import sync_directory

METADATA_BYTES_MAX: Final = 4 * 1024 * 1024
TARGET_BYTES_MAX: Final = 64 * 1024 * 1024
"""An appliance takes no larger file."""

CARRIED_BYTES_MAX: Final = 64 * 1024 * 1024
CARRIED_ENTRIES_MAX: Final = 8192
"""Of a repository that somebody carries to an appliance in one zip file."""

_CHUNK_BYTES: Final = 1024 * 1024
VERSIONS_MAX: Final = 100_000

_ROLES = "|".join(name for role, name in TUF_NAMES.items() if role is not Role.TIMESTAMP)
METADATA_NAME: Final = re.compile(rf"(?:[1-9][0-9]{{0,8}}\.(?:{_ROLES})|timestamp)\.json")
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}"
TARGET_PATH: Final = re.compile(rf"(?:{_PART}/){{0,5}}{_PART}")
"""A target's path: no part begins with a dot, so none leads anywhere else."""


def metadata_name(role: Role, version: int) -> str:
    """Return the name of a role's document of a version."""
    name = TUF_NAMES[role]
    return f"{name}.json" if role is Role.TIMESTAMP else f"{version}.{name}.json"


def target_file(path: str, digest: str) -> str:
    """Return where a target's bytes lie below `targets/`: its name begins with its hex SHA-256.

    Raises:
        ConfigError: no target can have this path.
    """
    if TARGET_PATH.fullmatch(path) is None:
        msg = f"{path!a:.200}: no target can have this path"
        raise ConfigError(msg)
    directory, slash, name = path.rpartition("/")
    return f"{directory}{slash}{digest}.{name}"


def digest_of(data: bytes) -> str:
    """Return the hex SHA-256 of a file."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Place:
    """A repository in a directory.

    Attributes:
        beneath: where what is not in the directory is looked for: a draft lies over a repository.
        is_durable: what is written is on the disk when it is said to be written. A publication on
            its way need not be: it is made again from what its people keep.
    """

    directory: Path
    beneath: "Place | None" = None
    is_durable: bool = True

    def metadata(self, role: Role, version: int) -> Path:
        """Return the file of a role's document of a version."""
        return self.directory / "metadata" / metadata_name(role, version)

    def target(self, path: str, digest: str) -> Path:
        """Return the file of a target."""
        return self.directory / "targets" / target_file(path, digest)

    def newest(self, role: Role) -> int:
        """Return the highest version there is of a role's document, 0 for none."""
        below = self.beneath.newest(role) if self.beneath is not None else 0
        return max((*self.versions(role), below))

    def versions(self, role: Role) -> list[int]:
        """Return the versions of a role's document in this directory, ascending."""
        suffix = f".{TUF_NAMES[role]}.json"
        names = (one.name for one in (self.directory / "metadata").glob(f"*{suffix}"))
        found = (name.removesuffix(suffix) for name in names if METADATA_NAME.fullmatch(name))
        return sorted(int(one) for one in found)

    def read(self, role: Role, version: int) -> bytes:
        """Return a document's bytes.

        Raises:
            NotFoundError: there is none of this version.
            ConfigError: it cannot be read or is too long.
        """
        file = self.metadata(role, version)
        if self.beneath is not None and not file.exists():
            return self.beneath.read(role, version)
        return read_bounded(file, size_bytes_max=METADATA_BYTES_MAX)

    def read_target(self, path: str, digest: str) -> bytes:
        """Return a target's bytes, which are those of the digest.

        Raises:
            NotFoundError: they are not here.
            IntegrityError: the file holds other bytes.
        """
        file = self.target(path, digest)
        if self.beneath is not None and not file.exists():
            return self.beneath.read_target(path, digest)
        data = read_bounded(file, size_bytes_max=TARGET_BYTES_MAX)
        if digest_of(data) != digest:
            msg = f"{file}: holds other bytes than its name says"
            raise IntegrityError(msg)
        return data

    def require_target(self, path: str, digest: str) -> None:
        """Return if a target's bytes are here; they are read bit by bit, however many.

        Raises:
            NotFoundError: they are not here.
            IntegrityError: the file holds other bytes, or more than a target may have.
        """
        file = self.target(path, digest)
        if self.beneath is not None and not file.exists():
            self.beneath.require_target(path, digest)
            return
        found, size_bytes = hashlib.sha256(), 0
        try:
            with file.open("rb") as stream:
                while size_bytes <= TARGET_BYTES_MAX and (chunk := stream.read(_CHUNK_BYTES)):
                    found.update(chunk)
                    size_bytes += len(chunk)
        except FileNotFoundError:
            msg = f"{file}: there is no such file"
            raise NotFoundError(msg) from None
        except OSError as error:
            msg = f"{file}: cannot be read: {error.strerror}"
            raise ConfigError(msg) from error
        if size_bytes > TARGET_BYTES_MAX or found.hexdigest() != digest:
            msg = f"{file}: holds other bytes than its name says"
            raise IntegrityError(msg)

    def write(self, role: Role, version: int, data: bytes) -> None:
        """Write a document; one of this version that is there already is never replaced.

        Raises:
            ConflictError: another document has this version.
        """
        file = self.metadata(role, version)
        if role is Role.TIMESTAMP or not file.exists():
            write_whole(file, data, is_durable=self.is_durable)
            if self.is_durable:
                sync_directory(file.parent)
        elif self.read(role, version) != data:
            msg = f"{file}: is another document of this version; a version is used once"
            raise ConflictError(msg)

    def write_target(self, path: str, data: bytes) -> None:
        """Write a target's file, unless it is there; `settle` makes its name durable."""
        file = self.target(path, digest_of(data))
        if not file.exists():
            write_whole(file, data, is_durable=self.is_durable)

    def settle(self) -> None:
        """Make the names of all targets durable, before a document names them."""
        targets = self.directory / "targets"
        for directory in (targets, *targets.rglob("*")):
            if directory.is_dir() and not directory.is_symlink():
                sync_directory(directory)


def read_bounded(path: Path, *, size_bytes_max: int) -> bytes:
    """Return a file's bytes.

    Raises:
        NotFoundError: there is no such file.
        ConfigError: it cannot be read, or is longer than it may be.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(size_bytes_max + 1)
    except FileNotFoundError:
        msg = f"{path}: there is no such file"
        raise NotFoundError(msg) from None
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    if len(data) > size_bytes_max:
        msg = f"{path}: is longer than {size_bytes_max} bytes"
        raise ConfigError(msg)
    return data


def write_whole(path: Path, data: bytes, *, is_durable: bool) -> None:
    """Write a file that anybody may read, whole or not at all; make its directory.

    Raises:
        ConfigError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as outlet:
            outlet.write(data)
            outlet.flush()
            if is_durable:
                os.fsync(outlet.fileno())
        temporary.replace(path)
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror}"
        raise ConfigError(msg) from error

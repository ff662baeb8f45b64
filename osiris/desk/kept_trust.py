"""The authority and grants files that a desk took, each version, to look at old orders with.

`authority.<n>.json` and `grants.<n>.json` lie beside the current two. An order is held against the
files of its own time: a grant ends within a week and people leave, and what they signed before was
no less theirs.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from osiris.desk.place import AUTHORITY_FILE, GRANTS_FILE, Desk, read_authority, read_grants
from proto.authority import AuthoritySet
from proto.errors import MalformedError
from proto.grants import GrantSet, Trust
from proto.keys import PublicKey
from runtime.repository.layout import write_whole

KEPT_MAX: Final = 512
"""Of each file, the newest: years of weekly grants."""

LOOKED_AT_MAX: Final = 3
"""Of each file, those of one time: a draft may wait some days before it is published."""

_NAME: Final = re.compile(r"(authority|grants)\.([1-9][0-9]{0,8})\.json")


class _Dated(Protocol):
    @property
    def version(self) -> int: ...
    @property
    def created(self) -> int: ...
    @property
    def expires(self) -> int: ...


class _File(Protocol):
    @property
    def document(self) -> _Dated: ...


F = TypeVar("F", bound=_File)


@dataclass(frozen=True, slots=True)
class KeptTrust:
    """Versions of both files, of each at least one, ascending."""

    authorities: tuple[AuthoritySet, ...]
    grants: tuple[GrantSet, ...]

    @classmethod
    def of(cls, trust: Trust) -> "KeptTrust":
        """Return the two files that were given, and no others."""
        return cls((trust.authority,), (trust.grants,))

    def at(self, moment_s: int) -> tuple[Trust, ...]:
        """Return what held at a time, the newest first.

        Where nothing is kept of that time it is the nearest that was made after it, or else the
        newest: whoever looks with it compares the times that it says of itself.
        """
        found = []
        for authority in _at(self.authorities, moment_s):
            for grants in _at(self.grants, moment_s):
                try:
                    found.append(Trust(authority, grants))
                except MalformedError:
                    continue  # a key changed its role between these two
        return tuple(found)

    def log_keys(self, since_s: int) -> tuple[PublicKey, ...]:
        """Return the keys whose checkpoints of the hub's logs counted at a time or after it."""
        found = {
            key.holder.key.raw: key.holder.key
            for one in self.authorities
            for key in one.log_keys
            if key.not_after > since_s
        }
        return tuple(found.values())


def _at(files: tuple[F, ...], moment_s: int) -> tuple[F, ...]:
    made = [one for one in files if one.document.created <= moment_s]
    held = [one for one in made if moment_s < one.document.expires]
    if held:
        return tuple(reversed(held[-LOOKED_AT_MAX:]))
    later = [one for one in files if one.document.created > moment_s]
    return (later[0] if later else files[-1],)


def read_kept(desk: Desk) -> KeptTrust | None:
    """Return what a desk has, None when it has no authority or no grants.

    Raises:
        ConfigError: a file is not what its name says.
    """
    authorities = _read(desk, AUTHORITY_FILE, read_authority)
    grants = _read(desk, GRANTS_FILE, read_grants)
    return KeptTrust(authorities, grants) if authorities and grants else None


def _read(desk: Desk, name: str, read: Callable[[Path], F]) -> tuple[F, ...]:
    current = desk.directory / name
    paths = [*_versions(desk, name), *([current] if current.exists() else [])]
    found = {one.document.version: one for one in map(read, paths)}
    return tuple(found[version] for version in sorted(found))


def _versions(desk: Desk, name: str) -> Iterable[Path]:
    """Return the files of all versions, ascending."""
    stem = name.removesuffix(".json")
    numbered = {
        int(match[2]): path
        for path in desk.directory.glob(f"{stem}.*.json")
        if (match := _NAME.fullmatch(path.name)) and match[1] == stem
    }
    return [numbered[version] for version in sorted(numbered)]


def keep(desk: Desk, trust: Trust) -> None:
    """Keep these two files under their versions too.

    Raises:
        ConfigError: they cannot be written.
    """
    for name, document in (
        (AUTHORITY_FILE, trust.authority.document),
        (GRANTS_FILE, trust.grants.document),
    ):
        stem = name.removesuffix(".json")
        path = desk.directory / f"{stem}.{document.version}.json"
        if not path.exists():
            write_whole(path, document.to_bytes(), is_durable=True)
        for old in list(_versions(desk, name))[:-KEPT_MAX]:
            old.unlink(missing_ok=True)

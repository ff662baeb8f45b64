"""Taking authority and grants to a person's desk, checked from the first root on.

A desk believes no hub: what it takes is what release people and operators signed, under a root that
each root before it carried, from the first one on, which the desk pinned (`first_root`). From a
folder or a directory the documents are checked as they lie there; from the hub the repository is
walked as an appliance does it (`walk`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from osiris.desk import first_root
from osiris.desk.first_root import FirstRoot
from osiris.desk.kept_trust import keep
from osiris.desk.place import AUTHORITY_FILE, GRANTS_FILE, Desk
from proto.errors import ConfigError
from proto.grants import GrantSet, Trust
from proto.keysets import Role
from proto.release_keys import AUTHORITY_TARGET, GRANTS_TARGET
from runtime.repository.check import (
    Delegated,
    Release,
    Root,
    check_grants,
    check_release,
    check_roots,
)
from runtime.repository.layout import Place, write_whole


@dataclass(frozen=True, slots=True)
class Checked:
    """A repository's newest root, release and grants, of which everything holds."""

    place: Place
    root: Root
    release: Release
    granted: Delegated
    grants: GrantSet


def take_trust(
    place: Place, desk: Desk, *, told: str | None = None, now_s: int
) -> Mapping[str, Any]:
    """Check a repository in a directory and keep its authority and grants; return what they are.

    Args:
        place: the repository.
        desk: whose it is to be.
        told: the digest of the first root that the person was read out; None where they said none.
        now_s: seconds since the epoch.

    Raises:
        ConfigError: the repository holds no release or no grants.
        FirstRootError: it is another trust's than the desk's.
        RejectedError: something of it does not hold, or is older than what the desk has.
    """
    require_grants(place, str(place.directory))
    first_root.go_on(desk, told)
    found = place.read(Role.ROOT, 1)
    first = first_root.chosen(desk, found, where=str(place.directory), told=told)
    checked = check(place, desk, first, now_s=now_s)
    first_root.go_by(desk, first)
    return keep_checked(desk, first, checked)


def require_grants(place: Place, where: str) -> None:
    """Return if a repository holds a release and grants, or raise `ConfigError`."""
    if not place.newest(Role.RELEASE) or not place.newest(Role.GRANTS):
        msg = f"{where}: holds no release with grants"
        raise ConfigError(msg)


def check(
    place: Place, desk: Desk, first: FirstRoot, *, now_s: int, with_agents: bool = True
) -> Checked:
    """Return what a repository says, if all of it holds and none of it is older than the desk's.

    Raises:
        RejectedError: something of it does not hold, or goes back.
        IntegrityError: a file holds other bytes than its name says.
    """
    root = check_roots(place, now_s=now_s, first=first.data)
    held = None if first.is_new and first_root.pinned(desk) is not None else desk.trust()
    release = check_release(
        place,
        place.newest(Role.RELEASE),
        root=root,
        now_s=now_s,
        held=held.authority if held else None,
        with_agents=with_agents,
        with_catalog=False,
    )
    granted, grants = check_grants(
        place,
        place.newest(Role.GRANTS),
        release=release,
        now_s=now_s,
        held=held.grants if held else None,
    )
    return Checked(place, root, release, granted, grants)


def keep_checked(desk: Desk, first: FirstRoot, found: Checked) -> Mapping[str, Any]:
    """Keep authority and grants at a desk that pinned their first root; return what they are."""
    held, taken = desk.trust(), Trust(found.release.authority, found.grants)
    for one in (held, taken):
        if one is not None:
            keep(desk, one)
    for name, path, files in (
        (AUTHORITY_FILE, AUTHORITY_TARGET, found.release.files),
        (GRANTS_FILE, GRANTS_TARGET, found.granted.files),
    ):
        data = found.place.read_target(path, files[path])
        write_whole(desk.directory / name, data, is_durable=True)
    return {
        "first_root": first.digest,
        "pinned": "now" if first.is_new else "before, and the same",
        "trust": "development" if found.root.keys.is_development else "people",
        "release": found.release.life.version,
        "operators": sorted(found.release.authority.people),
        "grants": found.granted.life.version,
        "desk": str(desk.directory),
    }

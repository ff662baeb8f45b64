"""Taking authority and grants from a repository to a person's desk, checked from the first root on.

A desk believes no hub: what it takes is what release people and operators signed, under a root that
each root before it carried. Which first root that is, the person compares with what people say.
"""

from collections.abc import Mapping
from typing import Any

from osiris.desk.kept_trust import keep
from osiris.desk.place import AUTHORITY_FILE, GRANTS_FILE, Desk
from proto.errors import ConfigError
from proto.grants import Trust
from proto.keysets import Role
from proto.release_keys import AUTHORITY_TARGET, GRANTS_TARGET
from runtime.repository.check import check_grants, check_release, check_roots
from runtime.repository.layout import Place, digest_of, write_whole


def take_trust(place: Place, desk: Desk, *, now_s: int) -> Mapping[str, Any]:
    """Check a repository and keep its authority and grants at the desk; return what they are.

    Raises:
        ConfigError: the repository holds no release or no grants.
        RejectedError: something of it does not hold, or is older than what the desk has.
    """
    version, granted = place.newest(Role.RELEASE), place.newest(Role.GRANTS)
    if not version or not granted:
        msg = f"{place.directory}: holds no release with grants"
        raise ConfigError(msg)
    root = check_roots(place, now_s=now_s)
    held = desk.trust()
    release = check_release(
        place, version, root=root, now_s=now_s, held=held.authority if held else None
    )
    found, grants = check_grants(
        place, granted, release=release, now_s=now_s, held=held.grants if held else None
    )
    desk.make()
    taken = Trust(release.authority, grants)
    for one in (held, taken):
        if one is not None:
            keep(desk, one)
    for name, path, files in (
        (AUTHORITY_FILE, AUTHORITY_TARGET, release.files),
        (GRANTS_FILE, GRANTS_TARGET, found.files),
    ):
        write_whole(desk.directory / name, place.read_target(path, files[path]), is_durable=True)
    return {
        "first_root": digest_of(place.read(Role.ROOT, 1)),
        "trust": "development" if root.keys.is_development else "people",
        "release": release.life.version,
        "operators": sorted(release.authority.people),
        "grants": found.life.version,
        "desk": str(desk.directory),
    }

"""Taking in what people signed, and saying that it is current: the hub's half of a repository.

The hub's two online keys decide nothing: the snapshot says which signed documents belong together,
the timestamp that this is still so. What people publish lies in a directory beside the repository,
which nobody is served. Rules kept here:

- Only what passes every check of `runtime.repository.check` is taken in. What does not is named,
  and what was current goes on being said to be current.
- A version never goes back and is used once. A document that a snapshot lists stays listed.
- A reader who comes between any two writes finds a repository that holds: files before the
  documents that name them, these before the snapshot, the timestamp after it, and a new root last,
  unless the former release people did not sign what comes with it; then it stands first.
- The snapshot is renewed when what it lists changes, when the root names another key for it, and at
  half of its life; the timestamp whenever the snapshot is, and at half of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from proto.authority import AuthoritySet
from proto.errors import ConfigError, ConflictError, NotFoundError, OsirisError, RejectedError
from proto.grants import GrantSet
from proto.keys import SigningKey
from proto.keysets import ROLES, PeopleError, Role
from proto.release_keys import (
    AUTHORITY_TARGET,
    GRANTS_TARGET,
    TUF_NAMES,
    RoleKeys,
    daemon_of,
    read_life,
)
from runtime.repository.check import (
    Root,
    check_grants,
    check_promoted,
    check_release,
    check_roots,
    files_of,
)
from runtime.repository.documents import (
    Making,
    add_signatures,
    make_snapshot,
    make_timestamp,
    signed_part,
    signers_of,
)
from runtime.repository.layout import Place

Versions = Mapping[Role, int]
SIGNED_BY_PEOPLE: Final = (Role.RELEASE, Role.GRANTS, Role.PROMOTED)


@dataclass(frozen=True, slots=True)
class FreshKeys:
    """The hub's two online keys of a repository."""

    snapshot: SigningKey
    timestamp: SigningKey


@dataclass(frozen=True, slots=True)
class Freshened:
    """What was done.

    Attributes:
        root: the newest root's version.
        snapshot: the version that is current now.
        timestamp: the version that says so.
        changed: something was written.
        problem: why what was published is not current; "" for nothing.
    """

    root: int
    snapshot: int
    timestamp: int
    changed: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Current:
    """What a reader finds now; versions are 0 and nothing is listed before the first time."""

    timestamp: int = 0
    snapshot: int = 0
    listed: Versions | None = None


def freshen(place: Place, incoming: Path, keys: FreshKeys, *, now_s: int) -> Freshened:
    """Take in what was published, and renew snapshot and timestamp in time.

    Raises:
        RejectedError: nothing is current yet and what was published does not hold, or the root
            names other keys than these.
        NotFoundError: nothing was published yet.
    """
    both, current, problem = Place(incoming, beneath=place), _current(place), ""
    if current.listed is not None and not _waits(incoming):
        return _renewed(place, keys, current, now_s=now_s)
    try:
        root = check_roots(both, now_s=now_s)
        _require_named(root, keys)
        listed = checked_versions(both, root, held=current.listed or {}, now_s=now_s)
    except OsirisError as error:
        if current.listed is None:
            raise
        problem, listed = str(error), current.listed
        root = check_roots(place, now_s=now_s)
        _require_named(root, keys)
    before = place.newest(Role.ROOT)
    if not problem:
        _take_in(both, place, (root, keys), listed, now_s=now_s)
    roots = _carried(place, root, now_s=now_s)
    made = _say_current(place, keys, roots, listed, now_s=now_s)
    if not problem:
        _copy_roots(both, place, upto=root.keys.life.version)
        _clear(Place(incoming), {Role.ROOT: root.keys.life.version, **listed})
    version = root.keys.life.version
    changed = made != (current.snapshot, current.timestamp) or version != before
    return Freshened(version, *made, changed, problem)


def _waits(incoming: Path) -> bool:
    return any(Place(incoming).versions(role) for role in (Role.ROOT, *SIGNED_BY_PEOPLE))


def _renewed(place: Place, keys: FreshKeys, current: _Current, *, now_s: int) -> Freshened:
    """Say again what was said: it was checked when it was taken in."""
    root = check_roots(place, now_s=now_s)
    _require_named(root, keys)
    made = _say_current(place, keys, (root,), current.listed or {}, now_s=now_s)
    changed = made != (current.snapshot, current.timestamp)
    return Freshened(root.keys.life.version, *made, changed)


def checked_versions(place: Place, root: Root, *, held: Versions, now_s: int) -> Versions:
    """Return the newest version of each document that people sign, each of them checked.

    Grants and promoted rules that are current (`held`) and have expired stay listed: a snapshot may
    not leave them out, and their readers see that they have expired. A reader refuses the whole of
    what lists them without enough signatures of those whom the release lists, expired or not.

    Raises:
        RejectedError: one does not hold, or goes back.
    """
    authority, grants = _held(place, held)
    version = max(place.newest(Role.RELEASE), 1)
    release = check_release(place, version, root=root, now_s=now_s, held=authority)
    found = {Role.RELEASE: version}
    for role in (Role.GRANTS, Role.PROMOTED):
        newest = place.newest(role)
        if not newest:
            continue
        try:
            if role is Role.GRANTS:
                check_grants(place, newest, release=release, now_s=now_s, held=grants)
            else:
                check_promoted(place, newest, release=release, now_s=now_s)
        except RejectedError:
            if newest != held.get(role):
                raise
            _require_carried(place, role, newest, keys=release.delegated[role])
        found[role] = newest
    return found


_MADE_ANEW: Final = {
    Role.GRANTS: "publish new ones with it (osiris content grant)",
    Role.PROMOTED: "publish them signed anew with it",
}


def _require_carried(place: Place, role: Role, version: int, *, keys: RoleKeys) -> None:
    """Return if those whom a release lists signed a document that is current already.

    Raises:
        PeopleError: somebody who signed it is not listed any more; the message says what to do.
    """
    signed_by = signers_of(place.read(role, version), keys)
    daemon = [one.key for one in keys.holders if one.person == daemon_of(role)]
    if len(signed_by) < keys.threshold or (daemon and not set(daemon) & set(signed_by)):
        msg = (
            f"{role} {version}: {len(signed_by)} of the keys that the release lists signed it, "
            f"{keys.threshold} must: {_MADE_ANEW[role]}"
        )
        raise PeopleError(msg)


def _held(place: Place, held: Versions) -> tuple[AuthoritySet | None, GrantSet | None]:
    """Return the authority and the grants that are current: no other may be older."""
    authority, grants = None, None
    if Role.RELEASE in held:
        files = files_of(signed_part(place.read(Role.RELEASE, held[Role.RELEASE]), Role.RELEASE))
        data = place.read_target(AUTHORITY_TARGET, files[AUTHORITY_TARGET])
        authority = AuthoritySet.from_bytes(data)
    if Role.GRANTS in held:
        files = files_of(signed_part(place.read(Role.GRANTS, held[Role.GRANTS]), Role.GRANTS))
        grants = GrantSet.from_bytes(place.read_target(GRANTS_TARGET, files[GRANTS_TARGET]))
    return authority, grants


def _current(place: Place) -> _Current:
    """Return what the timestamp says."""
    if not place.metadata(Role.TIMESTAMP, 0).exists():
        return _Current()
    stamp = signed_part(place.read(Role.TIMESTAMP, 0), Role.TIMESTAMP)
    version = int(stamp["meta"][f"{TUF_NAMES[Role.SNAPSHOT]}.json"]["version"])
    meta = signed_part(place.read(Role.SNAPSHOT, version), Role.SNAPSHOT)["meta"]
    names = {f"{TUF_NAMES[role]}.json": role for role in SIGNED_BY_PEOPLE}
    listed = {names[name]: int(said["version"]) for name, said in meta.items()}
    return _Current(int(stamp["version"]), version, listed)


def _names(root: Root, keys: FreshKeys) -> bool:
    named = {role: {one.key for one in root.keys.roles[role].holders} for role in root.keys.roles}
    return (
        keys.snapshot.public in named[Role.SNAPSHOT]
        and keys.timestamp.public in named[Role.TIMESTAMP]
    )


def _require_named(root: Root, keys: FreshKeys) -> None:
    if not _names(root, keys):
        version = root.keys.life.version
        msg = f"root: version {version} does not name this hub's snapshot and timestamp keys"
        raise ConflictError(msg)


def _take_in(
    both: Place, place: Place, under: tuple[Root, FreshKeys], listed: Versions, *, now_s: int
) -> None:
    """Copy files, then the documents that name them; before these a root that must stand first."""
    root, _ = under
    for role, version in listed.items():
        data = both.read(role, version)
        for path, digest in files_of(signed_part(data, role)).items():
            if not place.target(path, digest).exists():
                place.write_target(path, both.read_target(path, digest))
    place.settle()
    if not place.newest(Role.ROOT) or not _holds_under_former(both, place, under, now_s=now_s):
        _copy_roots(both, place, upto=root.keys.life.version)
    for role, version in listed.items():
        place.write(role, version, both.read(role, version))


def _holds_under_former(
    both: Place, place: Place, under: tuple[Root, FreshKeys], *, now_s: int
) -> bool:
    """Tell whether all that comes with a new root holds under the root that readers have, too."""
    root, keys = under
    former = check_roots(place, now_s=now_s)
    if former.keys.life.version == root.keys.life.version:
        return True
    if not _names(former, keys):
        return False
    data = both.read(Role.RELEASE, both.newest(Role.RELEASE))
    signed_by = signers_of(data, former.keys.roles[Role.RELEASE])
    return len({key.raw for key in signed_by}) >= ROLES[Role.RELEASE].people


def _copy_roots(both: Place, place: Place, *, upto: int) -> None:
    for version in range(1, upto + 1):
        place.write(Role.ROOT, version, both.read(Role.ROOT, version))


def _carried(place: Place, root: Root, *, now_s: int) -> tuple[Root, ...]:
    """Return the roots under which readers may look: the one that is served, and the next."""
    served = check_roots(place, now_s=now_s)
    return (served,) if served.data == root.data else (served, root)


def _say_current(
    place: Place, keys: FreshKeys, roots: tuple[Root, ...], listed: Versions, *, now_s: int
) -> tuple[int, int]:
    """Write a snapshot if one is due, and then a timestamp; return the versions that hold now."""
    current = _current(place)
    snapshot = current.snapshot
    if current.listed != listed or _is_due(place, Role.SNAPSHOT, snapshot, roots, now_s=now_s):
        snapshot = place.newest(Role.SNAPSHOT) + 1
        documents = {role: place.read(role, version) for role, version in listed.items()}
        data = make_snapshot(documents, Making.of(Role.SNAPSHOT, snapshot, now_s=now_s))
        place.write(Role.SNAPSHOT, snapshot, add_signatures(data, [keys.snapshot]))
    due = snapshot != current.snapshot
    if not due and not _is_due(place, Role.TIMESTAMP, current.timestamp, roots, now_s=now_s):
        return snapshot, current.timestamp
    version = current.timestamp + 1
    data = make_timestamp(
        place.read(Role.SNAPSHOT, snapshot), Making.of(Role.TIMESTAMP, version, now_s=now_s)
    )
    place.write(Role.TIMESTAMP, version, add_signatures(data, [keys.timestamp]))
    return snapshot, version


def _is_due(place: Place, role: Role, version: int, roots: tuple[Root, ...], *, now_s: int) -> bool:
    """Tell whether a document is half over, or a root names no key that signed it."""
    data = place.read(role, version)
    life = read_life(signed_part(data, role), role)
    if now_s >= life.created + (life.expires - life.created) // 2 or now_s < life.created:
        return True
    signed_by = [set(signers_of(data, root.keys.roles[role])) for root in roots]
    return not all(signed_by)


def _clear(incoming: Place, taken: Versions) -> None:
    """Remove what was taken in, and what came before it; what came meanwhile stays.

    A file goes with the document that names it: whoever publishes writes files first.
    """
    documents = [
        (role, version, version <= taken.get(role, 0))
        for role in (Role.ROOT, *SIGNED_BY_PEOPLE)
        for version in incoming.versions(role)
    ]
    gone, left = set[Path](), set[Path]()
    for role, version, is_taken in documents:
        (gone if is_taken else left).update(_files(incoming, role, version))
    # A document that a crash leaves here names its files still, and is looked at again.
    for file in gone - left:
        file.unlink(missing_ok=True)
    for role, version, is_taken in documents:
        if is_taken:
            incoming.metadata(role, version).unlink(missing_ok=True)


def _files(place: Place, role: Role, version: int) -> Iterable[Path]:
    """Return the files of a document that people publish; none where it cannot be read."""
    if role is Role.ROOT:
        return ()
    try:
        named = files_of(signed_part(place.read(role, version), role))
        return [place.target(path, digest) for path, digest in named.items()]
    except (RejectedError, ConfigError, NotFoundError):
        return ()

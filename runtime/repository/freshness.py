"""Taking in what people signed, and having it said that it is current: a hub's half.

What people publish lies in a directory beside the repository, which nobody is served. The two keys
of freshness are another's (`runtime.repository.saying`): what is to be said is asked for between
`take_in` and `finish`. Rules kept here:

- Only what passes every check of `runtime.repository.check` is taken in. What does not is named,
  and what was current goes on being said to be current.
- Nothing waits for promoted rules, which one operator publishes: where they alone do not hold, the
  rest is taken in beside those that were current, and they lie there until others come.
- A version never goes back and is used once. A document that a snapshot lists stays listed.
- A reader who comes between any two writes finds a repository that holds: files before the
  documents that name them, these before the snapshot, the timestamp after it, and a new root last,
  unless the former release people did not sign what comes with it; then it stands first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from proto.errors import ConfigError, ConflictError, NotFoundError, OsirisError, RejectedError
from proto.keysets import ROLES, Role
from runtime.repository.check import Root, check_roots, files_of
from runtime.repository.documents import signed_part, signers_of
from runtime.repository.layout import Place
from runtime.repository.saying import (
    ONLINE,
    SIGNED_BY_PEOPLE,
    Documents,
    FreshKeys,
    FreshPublics,
    Said,
    Versions,
    Wanted,
    checked_documents,
    named_in,
    said_in,
    say_current,
    versions_of,
)


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
class Taken:
    """What lies in the repository and is to be said to be current.

    Attributes:
        before: what was current, and the root that was served.
        is_new: what was published was taken in, and is gone once it is current.
        problem: why something of it was not taken in; "" for nothing.
    """

    wanted: Wanted
    before: Said
    is_new: bool
    problem: str = ""


def freshen(place: Place, incoming: Path, keys: FreshKeys, *, now_s: int) -> Freshened:
    """Take in what was published and say what is current, for whoever holds the keys as well.

    Raises:
        RejectedError: nothing is current yet and what was published does not hold, or the root
            names other keys than these.
        NotFoundError: nothing was published yet.
    """
    taken = take_in(place, incoming, keys.publics, now_s=now_s)
    said = say_current(Place(incoming, beneath=place), keys, taken.wanted, now_s=now_s)
    return finish(place, incoming, taken, said)


def take_in(place: Place, incoming: Path, keys: FreshPublics, *, now_s: int) -> Taken:
    """Take in what was published; no reader sees it before it is said to be current.

    Args:
        place: the repository that is served.
        incoming: the directory that people publish into.
        keys: the public halves of the keys that will sign what is current.
        now_s: seconds since the epoch.

    Raises:
        RejectedError: nothing is current yet and what was published does not hold, or the root
            names other keys than these.
        NotFoundError: nothing was published yet.
    """
    both, current = Place(incoming, beneath=place), said_in(place)
    if current.listed is not None and not _waits(incoming):
        return _kept(place, keys, current, now_s=now_s)
    try:
        root = check_roots(both, now_s=now_s)
        _require_named(root, keys)
        documents, problem = _checked(both, root, held=current.listed or {}, now_s=now_s)
    except OsirisError as error:
        if current.listed is None:
            raise
        return _kept(place, keys, current, now_s=now_s, problem=str(error))
    _take_in(both, place, root, keys, documents, now_s=now_s)
    wanted = Wanted(root.keys.life.version, versions_of(documents))
    return Taken(wanted, current, is_new=True, problem=problem)


def finish(place: Place, incoming: Path, taken: Taken, said: Said) -> Freshened:
    """Write what was signed, the timestamp last, and put away what was published."""
    for role in ONLINE:
        if role in said.documents:
            version = said.snapshot if role is Role.SNAPSHOT else said.timestamp
            place.write(role, version, said.documents[role])
    if taken.is_new:
        _copy_roots(Place(incoming, beneath=place), place, upto=taken.wanted.root)
        _clear(Place(incoming), {Role.ROOT: taken.wanted.root, **taken.wanted.listed})
    changed = bool(said.documents) or taken.wanted.root != taken.before.root
    return Freshened(taken.wanted.root, said.snapshot, said.timestamp, changed, taken.problem)


def _waits(incoming: Path) -> bool:
    return any(Place(incoming).versions(role) for role in (Role.ROOT, *SIGNED_BY_PEOPLE))


def _checked(both: Place, root: Root, *, held: Versions, now_s: int) -> tuple[Documents, str]:
    """Return the documents that hold, and why the newest promoted rules are not among them.

    Raises:
        RejectedError: the others do not hold, with or without them.
    """
    try:
        return checked_documents(both, root, held=held, now_s=now_s), ""
    except OsirisError as error:
        wanted = {role: both.newest(role) for role in SIGNED_BY_PEOPLE}
        before = held.get(Role.PROMOTED, 0)
        if wanted[Role.PROMOTED] == before:
            raise
        wanted[Role.PROMOTED] = before
        documents = checked_documents(both, root, held=held, wanted=wanted, now_s=now_s)
        return documents, str(error)


def _kept(
    place: Place, keys: FreshPublics, current: Said, *, now_s: int, problem: str = ""
) -> Taken:
    """Leave what was current: it was checked when it was taken in."""
    root = check_roots(place, now_s=now_s)
    _require_named(root, keys)
    wanted = Wanted(root.keys.life.version, current.listed or {})
    return Taken(wanted, current, is_new=False, problem=problem)


def _require_named(root: Root, keys: FreshPublics) -> None:
    if not _share_keys((root,), keys):
        version = root.keys.life.version
        msg = f"root: version {version} does not name this hub's snapshot and timestamp keys"
        raise ConflictError(msg)


def _share_keys(roots: tuple[Root, ...], keys: FreshPublics) -> bool:
    """Tell whether for each of the two roles some key of the hub is named by all of the roots."""
    return all(
        any(all(key in named_in(root, role) for root in roots) for key in keys.of(role))
        for role in ONLINE
    )


def _take_in(
    both: Place, place: Place, root: Root, keys: FreshPublics, documents: Documents, *, now_s: int
) -> None:
    """Copy files, then the documents that name them; before these a root that must stand first."""
    for role, data in documents.items():
        for path, digest in files_of(signed_part(data, role)).items():
            if not place.target(path, digest).exists():
                place.write_target(path, both.read_target(path, digest))
    place.settle()
    release = documents[Role.RELEASE]
    if not place.newest(Role.ROOT) or not _holds_under_former(
        place, root, keys, release=release, now_s=now_s
    ):
        _copy_roots(both, place, upto=root.keys.life.version)
    for role, version in versions_of(documents).items():
        place.write(role, version, documents[role])


def _holds_under_former(
    place: Place, root: Root, keys: FreshPublics, *, release: bytes, now_s: int
) -> bool:
    """Tell whether all that comes with a new root holds under the root that readers have, too."""
    former = check_roots(place, now_s=now_s)
    if former.keys.life.version == root.keys.life.version:
        return True
    if not _share_keys((former, root), keys):
        return False
    signed_by = signers_of(release, former.keys.roles[Role.RELEASE])
    return len({key.raw for key in signed_by}) >= ROLES[Role.RELEASE].people


def _copy_roots(both: Place, place: Place, *, upto: int) -> None:
    for version in range(1, upto + 1):
        place.write(Role.ROOT, version, both.read(Role.ROOT, version))


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

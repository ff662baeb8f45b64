"""Saying which signed documents are current: what the holder of a hub's keys of freshness does.

The two keys decide nothing: the snapshot says which signed documents belong together, the timestamp
that this is still so. Whoever asks names versions and gives no bytes. Rules kept here:

- Roots follow one another from the first on. A key signs only if every root under which readers may
  look now names it; of several the newest is taken.
- Documents that are not listed yet are read and checked whole (`runtime.repository.check`) before
  they are listed: whoever serves them may write there meanwhile, so what is listed are the bytes
  that were checked, and they are read once. Those that are listed already are listed again by the
  digests that were signed, even when they have ended: a snapshot may not leave them out.
- A version never goes back, neither a document's nor that of a snapshot or a timestamp, and none is
  used twice.
- The snapshot is renewed when what it lists changes, when a root names another key for it, and at
  half of its life; the timestamp whenever the snapshot is, and at half of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from proto.authority import AuthoritySet
from proto.errors import ConflictError, IntegrityError, RejectedError
from proto.grants import GrantSet
from proto.keys import Holder, PublicKey, SigningKey
from proto.keysets import PeopleError, Role
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
    read_document,
)
from runtime.repository.documents import (
    Making,
    add_signatures,
    make_snapshot,
    make_timestamp,
    signed_part,
    signers_of,
    version_of,
)
from runtime.repository.layout import Place, digest_of

Versions = Mapping[Role, int]
Documents = Mapping[Role, bytes]
SIGNED_BY_PEOPLE: Final = (Role.RELEASE, Role.GRANTS, Role.PROMOTED)
ONLINE: Final = (Role.SNAPSHOT, Role.TIMESTAMP)
NOTHING: Final[Versions] = {}
LEFT_MAX: Final = 1000
"""More snapshots than crashes leave: their versions do not count."""


@dataclass(frozen=True, slots=True)
class FreshPublics:
    """The public halves of a hub's keys of freshness, the former first."""

    snapshot: tuple[PublicKey, ...]
    timestamp: tuple[PublicKey, ...]

    def of(self, role: Role) -> tuple[PublicKey, ...]:
        """Return those of one of the two roles."""
        return self.snapshot if role is Role.SNAPSHOT else self.timestamp


@dataclass(frozen=True, slots=True)
class FreshKeys:
    """A hub's keys of freshness: one of each, or the former and the next while it goes over."""

    snapshot: tuple[SigningKey, ...]
    timestamp: tuple[SigningKey, ...]

    @property
    def publics(self) -> FreshPublics:
        """Their public halves."""
        return FreshPublics(
            tuple(key.public for key in self.snapshot), tuple(key.public for key in self.timestamp)
        )

    def named_by(self, role: Role, roots: tuple[Root, ...]) -> SigningKey:
        """Return the newest key of a role that all of these roots name.

        Raises:
            ConflictError: there is none.
        """
        for key in reversed(self.snapshot if role is Role.SNAPSHOT else self.timestamp):
            if all(key.public in named_in(root, role) for root in roots):
                return key
        version = roots[-1].keys.life.version
        msg = f"root: version {version} does not name this hub's {role} key"
        raise ConflictError(msg)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be said: under which root, and the version of each document that people sign."""

    root: int
    listed: Versions


@dataclass(frozen=True, slots=True)
class Said:
    """What is current; versions are 0 and nothing is listed before the first time.

    Attributes:
        listed: the version of each document that people sign; None before the first time.
        documents: the snapshot and the timestamp, where they were signed just now.
    """

    root: int = 0
    snapshot: int = 0
    timestamp: int = 0
    listed: Versions | None = None
    documents: Documents = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """What a repository says, and its timestamp and snapshot, as they were when it was read."""

    said: Said = field(default_factory=Said)
    documents: Documents = field(default_factory=dict)


def named_in(root: Root, role: Role) -> frozenset[PublicKey]:
    """Return the keys that a root names for a role."""
    return frozenset(one.key for one in root.keys.roles[role].holders)


def said_in(place: Place) -> Said:
    """Return what a repository's timestamp says, by whomever it was signed."""
    return _found_in(place).said


def _found_in(place: Place) -> Found:
    if not place.metadata(Role.TIMESTAMP, 0).exists():
        return Found()
    timestamp = place.read(Role.TIMESTAMP, 0)
    stamp = signed_part(timestamp, Role.TIMESTAMP)
    version = int(stamp["meta"][f"{TUF_NAMES[Role.SNAPSHOT]}.json"]["version"])
    snapshot = place.read(Role.SNAPSHOT, version)
    meta = signed_part(snapshot, Role.SNAPSHOT)["meta"]
    names = {f"{TUF_NAMES[role]}.json": role for role in SIGNED_BY_PEOPLE}
    listed = {names[name]: int(said["version"]) for name, said in meta.items()}
    said = Said(place.newest(Role.ROOT), version, int(stamp["version"]), listed)
    return Found(said, {Role.TIMESTAMP: timestamp, Role.SNAPSHOT: snapshot})


def say_current(
    both: Place,
    keys: FreshKeys,
    wanted: Wanted,
    *,
    last: Said | None = None,
    first_root: bytes | None = None,
    now_s: int,
) -> Said:
    """Return what is current from now on, with the snapshot and timestamp that had to be signed.

    Args:
        both: what was published, over the repository that is served.
        keys: the keys of freshness.
        wanted: what is to be said.
        last: what was said last by these keys, as their holder remembers it; None for unknown.
        first_root: the first root that is pinned; None to take the one that lies there.
        now_s: seconds since the epoch.

    Raises:
        RejectedError: something of it does not hold, or goes back.
        IntegrityError: a file holds other bytes than were signed.
    """
    place = both.beneath or both
    roots = _roots(both, wanted.root, first=first_root, now_s=now_s)
    found = _own(place, keys.publics)
    current = found.said
    _require_forward(wanted, last)
    _require_forward(wanted, current)
    checked = None
    if current.listed != wanted.listed:
        held = (last.listed if last is not None else None) or current.listed or NOTHING
        checked = _check(both, roots[-1], wanted, held=held, now_s=now_s)
    return _Saying(place, keys, roots, found, last or current, now_s).run(wanted, checked)


@dataclass(frozen=True, slots=True)
class _Saying:
    """One time of saying it.

    Attributes:
        found: what the repository says now, by these keys.
        last: what these keys are known to have said.
    """

    place: Place
    keys: FreshKeys
    roots: tuple[Root, ...]
    found: Found
    last: Said
    now_s: int

    def run(self, wanted: Wanted, checked: Documents | None) -> Said:
        """Sign what is due.

        Args:
            wanted: what is to be said.
            checked: the documents to be listed; None where the snapshot lists them already.
        """
        made: dict[Role, bytes] = {}
        snapshot, timestamp = self.found.said.snapshot, self.found.said.timestamp
        if checked is not None or self._is_due(Role.SNAPSHOT):
            documents = checked if checked is not None else self._listed(wanted.listed)
            snapshot = self._next(Role.SNAPSHOT)
            data = make_snapshot(documents, self._making(Role.SNAPSHOT, snapshot))
            made[Role.SNAPSHOT] = self._signed(Role.SNAPSHOT, data)
        if made or self._is_due(Role.TIMESTAMP):
            newest = made.get(Role.SNAPSHOT) or self.found.documents[Role.SNAPSHOT]
            timestamp = self._next(Role.TIMESTAMP)
            data = make_timestamp(newest, self._making(Role.TIMESTAMP, timestamp))
            made[Role.TIMESTAMP] = self._signed(Role.TIMESTAMP, data)
        return Said(wanted.root, snapshot, timestamp, wanted.listed, made)

    def _listed(self, versions: Versions) -> Documents:
        """Return the documents that the snapshot lists: the very bytes."""
        listed = signed_part(self.found.documents[Role.SNAPSHOT], Role.SNAPSHOT)["meta"]
        documents = {role: self.place.read(role, version) for role, version in versions.items()}
        for role, data in documents.items():
            if digest_of(data) != listed[f"{TUF_NAMES[role]}.json"]["hashes"]["sha256"]:
                msg = (
                    f"{role}: version {versions[role]} is not the document that was signed as"
                    " current"
                )
                raise IntegrityError(msg)
        return documents

    def _making(self, role: Role, version: int) -> Making:
        return Making.of(role, version, now_s=self.now_s)

    def _signed(self, role: Role, data: bytes) -> bytes:
        return add_signatures(data, [self.keys.named_by(role, self.roots)])

    def _next(self, role: Role) -> int:
        if role is Role.TIMESTAMP:
            return max(self.found.said.timestamp, self.last.timestamp) + 1
        # A snapshot that a crash left without a timestamp keeps its version.
        newest, said = self.place.newest(Role.SNAPSHOT), self.found.said.snapshot
        left = newest if newest < said + LEFT_MAX else 0
        return max(said, self.last.snapshot, left) + 1

    def _is_due(self, role: Role) -> bool:
        """Tell whether a document is half over, or a root names no key that signed it."""
        data = self.found.documents[role]
        life = read_life(signed_part(data, role), role)
        half_s = life.created + (life.expires - life.created) // 2
        if not life.created <= self.now_s < half_s:
            return True
        return not all(signers_of(data, root.keys.roles[role]) for root in self.roots)


def _roots(both: Place, version: int, *, first: bytes | None, now_s: int) -> tuple[Root, ...]:
    """Return the roots under which readers may look: the one that is served, and the next."""
    root = check_roots(both, now_s=now_s, upto=version, first=first)
    place = both.beneath or both
    served = place.newest(Role.ROOT)
    if not served:
        return (root,)
    if version < served:
        msg = f"root: version {version} was asked for, {served} is served"
        raise ConflictError(msg)
    if served == version:
        return (root,)
    return check_roots(place, now_s=now_s, first=first), root


def _own(place: Place, publics: FreshPublics) -> Found:
    """Return what the repository says, if these keys signed it; else that it says nothing."""
    try:
        found = _found_in(place)
        is_one = not found.documents or _is_named(found.documents)
    except (RejectedError, KeyError, TypeError, ValueError):
        # Whoever may write there wrote something else: it is said anew.
        return Found()
    signed = (_is_signed(data, role, publics.of(role)) for role, data in found.documents.items())
    return found if is_one and all(signed) else Found()


def _is_named(documents: Documents) -> bool:
    """Tell whether a timestamp names this very snapshot, and not another that was signed once."""
    stamp = signed_part(documents[Role.TIMESTAMP], Role.TIMESTAMP)
    named = stamp["meta"][f"{TUF_NAMES[Role.SNAPSHOT]}.json"]
    return bool(named["hashes"]["sha256"] == digest_of(documents[Role.SNAPSHOT]))


def _is_signed(data: bytes, role: Role, publics: tuple[PublicKey, ...]) -> bool:
    holders = tuple(Holder(daemon_of(role), key) for key in publics)
    life = read_life(signed_part(data, role), role)
    return bool(signers_of(data, RoleKeys(role, holders, 1, life)))


def _require_forward(wanted: Wanted, last: Said | None) -> None:
    if last is None or last.listed is None:
        return
    for role, version in ((Role.ROOT, last.root), *last.listed.items()):
        asked = wanted.root if role is Role.ROOT else wanted.listed.get(role, 0)
        if asked < version:
            msg = f"{role}: version {version} was said to be current, {asked} is asked for now"
            raise ConflictError(msg)


def _check(both: Place, root: Root, wanted: Wanted, *, held: Versions, now_s: int) -> Documents:
    documents = checked_documents(both, root, held=held, wanted=wanted.listed, now_s=now_s)
    found = versions_of(documents)
    if found != dict(wanted.listed):
        msg = f"the documents to be listed are {_words(found)}, not {_words(wanted.listed)}"
        raise ConflictError(msg)
    return documents


def _words(versions: Versions) -> str:
    return ", ".join(f"{role} {version}" for role, version in versions.items())


def versions_of(documents: Documents) -> Versions:
    """Return the versions that documents say they are of."""
    return {role: version_of(data) for role, data in documents.items()}


def checked_documents(
    place: Place,
    root: Root,
    *,
    held: Versions,
    wanted: Versions | None = None,
    now_s: int,
    by_hub: bool = True,
) -> Documents:
    """Return the documents that people sign: the bytes that were checked, each read once.

    Grants and promoted rules that are current (`held`) and have expired stay listed: a snapshot may
    not leave them out, and their readers see that they have expired. A reader refuses the whole of
    what lists them without enough signatures of those whom the release lists, expired or not. A
    release that is current stays so where a newer program asks more of its content.

    Args:
        place: the repository.
        root: whose keys count.
        held: the versions that are current.
        wanted: the versions to check; the newest by default.
        now_s: seconds since the epoch.
        by_hub: the hub must have signed its half of promoted rules; people publish before it does.

    Raises:
        RejectedError: one does not hold, or goes back.
    """
    if wanted is None:
        wanted = {role: place.newest(role) for role in SIGNED_BY_PEOPLE}
    authority, grants = _held(place, held)
    version = max(wanted.get(Role.RELEASE, 0), 1)
    release = check_release(
        place,
        version,
        root=root,
        now_s=now_s,
        held=authority,
        with_catalog=version != held.get(Role.RELEASE),
    )
    found = {Role.RELEASE: release.data}
    for role in (Role.GRANTS, Role.PROMOTED):
        newest = wanted.get(role, 0)
        if not newest:
            continue
        try:
            if role is Role.GRANTS:
                document, _ = check_grants(place, newest, release=release, now_s=now_s, held=grants)
            else:
                document = check_promoted(
                    place, newest, release=release, now_s=now_s, by_hub=by_hub
                )
            found[role] = document.data
        except RejectedError:
            if newest != held.get(role):
                raise
            keys = release.delegated[role]
            found[role] = _carried(place, role, newest, keys=keys, by_hub=by_hub)
    return found


_MADE_ANEW: Final = {
    Role.GRANTS: "publish new ones with it (osiris content grant)",
    Role.PROMOTED: "publish them signed anew with it (osiris content promote --renew)",
}


def _carried(place: Place, role: Role, version: int, *, keys: RoleKeys, by_hub: bool) -> bytes:
    """Return a document that is current already, if those whom a release lists signed it.

    Raises:
        PeopleError: somebody who signed it is not listed any more; the message says what to do.
    """
    data, _ = read_document(place, role, version)
    signed_by = signers_of(data, keys)
    daemon = [one.key for one in keys.holders if one.person == daemon_of(role)]
    if daemon and not by_hub:
        needed, daemon = keys.threshold - 1, []
    else:
        needed = keys.threshold
    if len(signed_by) < needed or (daemon and not set(daemon) & set(signed_by)):
        msg = (
            f"{role} {version}: {len(signed_by)} of the keys that the release lists signed it, "
            f"{keys.threshold} must: {_MADE_ANEW[role]}"
        )
        raise PeopleError(msg)
    return data


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

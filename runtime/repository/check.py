"""Checking a repository as its readers do, before anything of it is published.

Rules kept here, each on top of TUF's own:

- Roots follow one another without a gap, each signed by enough people of its own and of the one
  before.
- Enough release people signed the targets, enough operators the grants, an operator and the hub the
  promoted rules. People are counted, not key ids (`proto.release_keys`, `proto.keysets`).
- The authority, policy and grants files hold together and have not expired; the delegations list
  operators of the authority file, under the same names; no key is for two roles.
- Every file that targets name is there, with its bytes.
- A document is of the version that its file's name says.
- The files below `content/` are the set of the rollout. They load as a set (`proto.catalog.load`)
  when they become current; whoever reads only whose keys count, or what is current already, does
  not load them: a newer program that asks more of them must not bring that to a standstill.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from proto.authority import AuthoritySet, accept_authority
from proto.catalog.load import content_digest, load
from proto.catalog.model import Content
from proto.errors import MalformedError
from proto.grants import GrantSet, accept_grants
from proto.keys import KeyRing, PublicKey
from proto.keysets import KeySet, PeopleError, Role, require_succession
from proto.policy import Policy
from proto.release_keys import (
    AGENTS_PREFIX,
    AUTHORITY_TARGET,
    CONTENT_PREFIX,
    GRANTS_TARGET,
    POLICY_TARGET,
    PROMOTED_PREFIX,
    Life,
    RoleKeys,
    RootKeys,
    daemon_of,
    read_delegations,
    read_life,
    read_root,
)
from proto.rules.promoted import require_promotable
from runtime.repository.documents import signed_part, signers_of
from runtime.repository.layout import Place

FILES_MAX: Final = 8192
_HASH = "sha256"


@dataclass(frozen=True, slots=True)
class Root:
    """A root that its chain carries."""

    data: bytes
    keys: RootKeys
    following: KeySet


@dataclass(frozen=True, slots=True)
class Release:
    """The current release: what two release people signed.

    Attributes:
        files: a target's path -> its hex SHA-256.
        delegated: who grants and who promotes.
        content: the digest of the set below `content/`.
        content_files: that set, each file by its path there.
    """

    data: bytes
    life: Life
    files: Mapping[str, str]
    authority: AuthoritySet
    policy: Policy
    content: str
    content_files: Mapping[str, bytes]
    delegated: Mapping[Role, RoleKeys] = field(default_factory=dict)

    def catalog(self) -> Content:
        """Load the set; raises `CatalogError` when it does not hold together."""
        return load(self.content_files)


@dataclass(frozen=True, slots=True)
class Delegated:
    """A document of the operators: its life, and its files by path."""

    data: bytes
    life: Life
    files: Mapping[str, str]


def check_roots(
    place: Place, *, now_s: int, upto: int | None = None, first: bytes | None = None
) -> Root:
    """Return the newest root, which every root before it carries.

    Args:
        place: the repository.
        now_s: the time; the newest root may have expired, which its readers see for themselves.
        upto: the version to stop at.
        first: the first root, where it is pinned: the bytes whose digest was compared; by default
            whatever lies there.

    Raises:
        RejectedError: a root is missing, malformed, or is signed by too few people.
    """
    last = upto if upto is not None else max(1, place.newest(Role.ROOT))
    root = open_root(place.read(Role.ROOT, 1) if first is None else first, now_s=now_s)
    for version in range(2, last + 1):
        root = follow_root(root, place.read(Role.ROOT, version), now_s=now_s)
    return root


def open_root(data: bytes, *, now_s: int) -> Root:
    """Return a first root, signed by its own people; that it is the right one, nobody says.

    Raises:
        RejectedError: it is no root, or signed by too few of its people.
    """
    keys, following = _root(data)
    following.require(
        signers_of(data, keys.roles[Role.ROOT]), now_s=min(now_s, following.expires - 1)
    )
    return Root(data, keys, following)


def follow_root(held: Root, data: bytes, *, now_s: int) -> Root:
    """Return the root that follows: one version on, signed by people of both.

    Raises:
        RejectedError: it does not follow.
    """
    keys, following = _root(data)
    signed_by = (
        *signers_of(data, held.keys.roles[Role.ROOT]),
        *signers_of(data, keys.roles[Role.ROOT]),
    )
    now_s = min(now_s, following.expires - 1)
    require_succession(held.following, following, signed_by=signed_by, now_s=now_s)
    if held.keys.is_development != keys.is_development:
        msg = "root: a development trust cannot become a real one, or the other way round"
        raise MalformedError(msg)
    return Root(data, keys, following)


def _root(data: bytes) -> tuple[RootKeys, KeySet]:
    signed = signed_part(data, Role.ROOT)
    keys = read_root(signed)
    return keys, keys.root_set(signed)


def check_release(
    place: Place,
    version: int,
    *,
    root: Root,
    now_s: int,
    held: AuthoritySet | None = None,
    with_agents: bool = True,
    with_catalog: bool = True,
) -> Release:
    """Return a release whose signatures, files and rules hold.

    Args:
        place: the repository.
        version: the release's.
        root: whose keys count.
        now_s: seconds since the epoch.
        held: the authority that may not be followed by an older one.
        with_agents: the agents' files must be there; a reader who needs none has fetched none.
        with_catalog: the content must hold together by the rules of this program.

    Raises:
        RejectedError: something of it does not hold; the message says what.
        IntegrityError: a file holds other bytes than its name says.
        CatalogError: the content does not hold together.
    """
    data, signed = read_document(place, Role.RELEASE, version)
    keys = root.keys.roles[Role.RELEASE]
    signed_by = signers_of(data, keys)
    key_set = keys.set_for(signed)
    key_set.require(signed_by, now_s=now_s)
    files = files_of(signed)
    read = _read(place, files, with_agents=with_agents)
    authority = accept_authority(
        _need(read, AUTHORITY_TARGET), signed_by=signed_by, release=key_set, held=held, now_s=now_s
    )
    policy = Policy.read(_need(read, POLICY_TARGET))
    delegated = read_delegations(signed, root.keys)
    _check_operators(authority, delegated)
    _require_apart(root.keys, authority, delegated)
    content_files = _content_of(read)
    content = content_digest(content_files)
    if policy.rollout.content != content:
        msg = f"{POLICY_TARGET}: rolls out {policy.rollout.content}, the release holds {content}"
        raise MalformedError(msg)
    life = read_life(signed, Role.RELEASE)
    release = Release(data, life, files, authority, policy, content, content_files, delegated)
    if with_catalog:
        release.catalog()
    return release


def _read(place: Place, files: Mapping[str, str], *, with_agents: bool) -> Mapping[str, bytes]:
    """Return the files that are looked into; agents' files are large, and only have to be there."""
    read = {}
    for path, digest in files.items():
        if path.startswith(AGENTS_PREFIX):
            if with_agents:
                place.require_target(path, digest)
        else:
            read[path] = place.read_target(path, digest)
    return read


def _content_of(read: Mapping[str, bytes]) -> Mapping[str, bytes]:
    for path in read:
        if path in {AUTHORITY_TARGET, POLICY_TARGET}:
            continue
        if not path.startswith(CONTENT_PREFIX):
            msg = f"{path}: the release people sign no file there"
            raise MalformedError(msg)
    return {
        path.removeprefix(CONTENT_PREFIX): data
        for path, data in read.items()
        if path.startswith(CONTENT_PREFIX)
    }


def _check_operators(authority: AuthoritySet, delegated: Mapping[Role, RoleKeys]) -> None:
    """Refuse delegations to anybody but the authority's operators, by their own names."""
    operators = {key.holder for key in authority.keys}
    for role in (Role.GRANTS, Role.PROMOTED):
        if role not in delegated:
            msg = f"targets.delegations: nobody can sign {role}"
            raise MalformedError(msg)
        for holder in delegated[role].people():
            if holder not in operators:
                msg = f"targets.delegations.{role}: {holder.person} holds no such operator's key"
                raise MalformedError(msg)


def _require_apart(
    root: RootKeys, authority: AuthoritySet, delegated: Mapping[Role, RoleKeys]
) -> None:
    """Refuse one key for two roles: a key ring refuses it."""
    offline = (holder for keys in root.roles.values() for holder in keys.holders)
    hub = (key.holder for key in (*authority.head_keys, *authority.log_keys))
    name = daemon_of(Role.PROMOTED)
    promoting = (one for one in delegated[Role.PROMOTED].holders if one.person == name)
    operators = (key.holder for key in authority.keys)
    KeyRing((*offline, *hub, *promoting, *operators))


def check_grants(
    place: Place, version: int, *, release: Release, now_s: int, held: GrantSet | None = None
) -> tuple[Delegated, GrantSet]:
    """Return the operators' grants, of which two different ones signed.

    Raises:
        RejectedError: they do not hold.
    """
    keys = release.delegated[Role.GRANTS]
    found, signed_by = _delegated(place, version, keys=keys, now_s=now_s)
    if set(found.files) != {GRANTS_TARGET}:
        msg = f"grants: lists {GRANTS_TARGET} and nothing else"
        raise MalformedError(msg)
    data = place.read_target(GRANTS_TARGET, found.files[GRANTS_TARGET])
    grants = accept_grants(
        data, signed_by=signed_by, authority=release.authority, held=held, now_s=now_s
    )
    return found, grants


def check_promoted(
    place: Place, version: int, *, release: Release, now_s: int, by_hub: bool = True
) -> Delegated:
    """Return the promoted rules, which one operator and the hub signed.

    Args:
        place: the repository.
        version: the document's.
        release: who may sign, and the content beside which the rules are to act.
        now_s: seconds since the epoch.
        by_hub: the hub must have signed too; before it has, the operator's key must count now, and
            the rules are held against their limits (`proto.rules.promoted`): a key may end later
            and later limits may leave a rule without a place, and then rules rest.

    Raises:
        RejectedError: they do not hold.
        CatalogError: a file is no rule.
    """
    keys = release.delegated[Role.PROMOTED]
    daemons = 0 if by_hub else 1
    found, signed_by = _delegated(place, version, keys=keys, now_s=now_s, absent=daemons)
    name = daemon_of(Role.PROMOTED)
    if by_hub and not {one.key for one in keys.holders if one.person == name} & set(signed_by):
        msg = "promoted: the hub has not signed it"
        raise PeopleError(msg)
    files = {}
    for path, digest in found.files.items():
        if not path.startswith(PROMOTED_PREFIX):
            msg = f"promoted: {path} is none of its files"
            raise MalformedError(msg)
        files[path] = place.read_target(path, digest)
    if not by_hub:
        _require_in_time(signed_by, release.authority, now_s=now_s)
        require_promotable(files, release.catalog())
    return found


def _require_in_time(
    signed_by: Iterable[PublicKey], authority: AuthoritySet, *, now_s: int
) -> None:
    """Refuse rules whose signers' keys have all ended: no appliance would let one of them act."""
    known = [authority.by_key[key.raw] for key in signed_by if key.raw in authority.by_key]
    if not any(key.counts_at(now_s) for key in known):
        who = ", ".join(
            f"{key.holder.person}'s key {key.holder.key.fingerprint()} counts from"
            f" {key.not_before} until {key.not_after}"
            for key in known
        )
        msg = f"promoted: signed by no operator whose key counts now: {who or 'by nobody listed'}"
        raise PeopleError(msg)


def _delegated(
    place: Place, version: int, *, keys: RoleKeys, now_s: int, absent: int = 0
) -> tuple[Delegated, tuple[PublicKey, ...]]:
    data, signed = read_document(place, keys.role, version)
    signed_by = signers_of(data, keys)
    keys.set_for(signed).require(signed_by, now_s=now_s)
    if len(signed_by) < keys.threshold - absent:
        msg = f"{keys.role}: {len(signed_by)} keys signed it, {keys.threshold} must"
        raise PeopleError(msg)
    return Delegated(data, read_life(signed, keys.role), files_of(signed)), signed_by


def read_document(place: Place, role: Role, version: int) -> tuple[bytes, Mapping[str, Any]]:
    """Return a document's bytes, read once, and what they say; who signed it is not looked at.

    Raises:
        NotFoundError: there is none of this version.
        MalformedError: it is no document of this role, or says that it is of another version: it
            would be known under one and listed as the other.
    """
    data = place.read(role, version)
    signed = signed_part(data, role)
    if read_life(signed, role).version != version:
        msg = f"{role}: the file of version {version} holds another version"
        raise MalformedError(msg)
    return data, signed


def files_of(signed: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the files that a document of targets names: path -> hex SHA-256.

    Raises:
        MalformedError: it names too many, or one without a SHA-256 alone.
    """
    targets: Mapping[str, Any] = signed["targets"]
    if len(targets) > FILES_MAX:
        msg = f"targets: {len(targets)} files, at most {FILES_MAX} are allowed"
        raise MalformedError(msg)
    for path, said in targets.items():
        if set(said["hashes"]) != {_HASH}:
            msg = f"{path}: is named by its {_HASH} and nothing else"
            raise MalformedError(msg)
    return {path: str(said["hashes"][_HASH]) for path, said in targets.items()}


def _need(read: Mapping[str, bytes], path: str) -> bytes:
    data = read.get(path)
    if data is None:
        msg = f"targets: {path} is missing"
        raise MalformedError(msg)
    return data

"""Drafts in words: all that a person is about to sign, and what changes by it.

Rules kept here:

- Every line is shown: what stands in none of them was not agreed to.
- What is published is believed to be the former state only if its people signed it, under roots
  that carry one another; else nothing is marked, and the reason is said. The first root's digest is
  shown beside it: a folder that somebody else made whole holds together too.
- `+` is new or another, `-` is taken away, `~` has other bytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from osiris.desk import vouching
from osiris.desk.folder import Folder
from osiris.desk.signing import Draft, newest_root
from osiris.desk.words import moment
from proto.authority import AuthoritySet
from proto.catalog.load import content_digest
from proto.errors import ConfigError, IntegrityError, RejectedError
from proto.grants import GrantSet
from proto.keys import Holder, PublicKey
from proto.keysets import ROLES, PeopleError, Role
from proto.order_words import span
from proto.orders.kinds import RING_STEP_S
from proto.policy import Policy
from proto.release_keys import (
    AUTHORITY_TARGET,
    CONTENT_PREFIX,
    GRANTS_TARGET,
    POLICY_TARGET,
    RoleKeys,
    RootKeys,
    daemon_of,
    read_delegations,
    read_life,
    read_root,
)
from runtime.repository.check import check_roots, files_of
from runtime.repository.documents import signed_part, signers_of
from runtime.repository.layout import Place, digest_of, target_file


@dataclass(frozen=True, slots=True)
class _Former:
    """What was published before a draft.

    Attributes:
        said: how it was looked at, a line each.
        is_known: its people signed it; False where there is nothing to compare with.
        holders: the former root's holders by role.
        files: the former release's files: path -> hex SHA-256.
        lines: what the former release decided, in words.
    """

    said: tuple[str, ...]
    is_known: bool = False
    holders: Mapping[Role, tuple[Holder, ...]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


def in_words(folder: Folder, draft: Draft, *, now_s: int) -> tuple[str, ...]:
    """Return what a draft says and changes, a line each, as it is shown before signing.

    Raises:
        RejectedError: the draft is malformed.
        ConfigError: a file that it names is not in the folder, or may have no such name.
    """
    role = draft.role
    signed = signed_part(draft.data, role)
    life = read_life(signed, role)
    head = (
        f"{role} {draft.version}",
        f"  made {moment(life.created)}, ends {moment(life.expires)}",
        *vouching.words(folder, role),
    )
    if role is Role.ROOT:
        return (*head, *_root_words(signed, _former(folder, role, now_s=now_s)))
    if role is Role.RELEASE:
        return (*head, *_release_words(folder, signed, _former(folder, role, now_s=now_s)))
    if role is Role.GRANTS:
        return (*head, *_grant_words(folder.draft, signed))
    return (
        *head,
        *_promoted_words(folder.draft, signed, _former(folder, role, now_s=now_s)),
    )


def _promoted_words(place: Place, signed: Mapping[str, Any], former: _Former) -> Iterable[str]:
    """Yield every promoted rule in full: it is short, and acts by itself once an order says so."""
    files = _paths(signed)
    yield from former.said
    if not files:
        yield "  no rule: every promoted one stops acting"
    for path in sorted(former.files.keys() - files.keys()):
        yield f"  - rule {path}: no longer"
    for path, digest in sorted(files.items()):
        before = former.files.get(path)
        mark = "+ " if before is None else "~ " if before != digest else ""
        yield f"  {mark if former.is_known else ''}rule {path}"
        for line in place.read_target(path, digest).decode("utf-8", "replace").splitlines():
            yield f"    {line}"


def _paths(signed: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the files that a document names, none of whose names could pass for a line of ours."""
    files = files_of(signed)
    for path, digest in files.items():
        target_file(path, digest)
    return files


def _former(folder: Folder, role: Role, *, now_s: int) -> _Former:
    place = folder.repository
    version = place.newest(role)
    if not version:
        return _Former((f"  the first {role}: all of it is new",))
    try:
        root = check_roots(place, now_s=now_s)
        first = digest_of(place.read(Role.ROOT, 1))
        said = (f"  compared with {role} {version}, which the first root", f"    {first} carries")
        if role is Role.ROOT:
            holders = {one: keys.holders for one, keys in root.keys.roles.items()}
            return _Former(said, is_known=True, holders=holders)
        data = place.read(role, version)
        signed = signed_part(data, role)
        if role is Role.PROMOTED:
            _require_signed(data, _promoting(place, root.keys))
            return _Former(said, is_known=True, files=files_of(signed))
        _require_signed(data, root.keys.roles[role])
        lines = tuple(_decided(place, signed, root=signed_part(root.data, Role.ROOT)))
        return _Former(said, is_known=True, files=files_of(signed), lines=lines)
    except (RejectedError, ConfigError, IntegrityError) as error:
        return _Former((f"  CANNOT BE COMPARED with what is published: {error}",))


def _promoting(place: Place, root: RootKeys) -> RoleKeys:
    """Return who may promote, as the published release says that its people signed."""
    data = place.read(Role.RELEASE, place.newest(Role.RELEASE))
    _require_signed(data, root.roles[Role.RELEASE])
    return read_delegations(signed_part(data, Role.RELEASE), root)[Role.PROMOTED]


def _require_signed(data: bytes, keys: RoleKeys) -> None:
    """Return if enough people signed what was published; that its time is over, is no matter."""
    signed_by = set(signers_of(data, keys))
    people = {one.person for one in keys.people() if one.key in signed_by}
    if len(people) < ROLES[keys.role].people:
        msg = f"{keys.role}: signed by {len(people)} people, {ROLES[keys.role].people} must"
        raise PeopleError(msg)


def _root_words(signed: Mapping[str, Any], former: _Former) -> Iterable[str]:
    found = read_root(signed)
    yield from former.said
    if found.is_development:
        yield "  a DEVELOPMENT trust: one person holds every key"
    for role, keys in found.roles.items():
        held = set(former.holders.get(role, ()))
        yield f"  {role}: {keys.threshold} of {len(keys.holders)} sign"
        for one in keys.holders:
            yield f"    {'+' if former.is_known and one not in held else ' '} {_who(one)}"
        for one in sorted(held - set(keys.holders), key=lambda gone: gone.person):
            yield f"    - {_who(one)}: no longer"


def _who(holder: Holder) -> str:
    return f"{holder.person}, key {holder.key.fingerprint()}"


def _release_words(folder: Folder, signed: Mapping[str, Any], former: _Former) -> Iterable[str]:
    files = _paths(signed)
    content = {
        path.removeprefix(CONTENT_PREFIX): folder.draft.read_target(path, digest)
        for path, digest in files.items()
        if path.startswith(CONTENT_PREFIX)
    }
    yield f"  {len(files)} files; content {content_digest(content)}"
    yield from former.said
    yield from _changes(former, files)
    lines = tuple(_decided(folder.draft, signed, root=newest_root(folder.draft)))
    for line in lines:
        yield f"  {'+' if former.is_known and line not in former.lines else ' '} {line}"
    yield from (f"  - {line}: no longer" for line in former.lines if line not in lines)


def _changes(former: _Former, files: Mapping[str, str]) -> Iterable[str]:
    if not former.is_known:
        yield from (f"    {path}" for path in sorted(files))
        return
    before = former.files
    lines = [
        *(f"  + {path}" for path in sorted(files.keys() - before.keys())),
        *(f"  - {path}: no longer" for path in sorted(before.keys() - files.keys())),
        *(
            f"  ~ {path}"
            for path in sorted(files.keys() & before.keys())
            if files[path] != before[path] and path not in {AUTHORITY_TARGET, POLICY_TARGET}
        ),
    ]
    yield from lines or ["  no file is added, changed or taken away"]


def _decided(place: Place, signed: Mapping[str, Any], *, root: Mapping[str, Any]) -> Iterable[str]:
    """Yield what a release decides beside its files: rollout, operators, the hub's keys."""
    files = files_of(signed)
    policy = Policy.read(place.read_target(POLICY_TARGET, files[POLICY_TARGET]))
    yield from _policy_words(policy)
    authority = AuthoritySet.from_bytes(
        place.read_target(AUTHORITY_TARGET, files[AUTHORITY_TARGET])
    )
    yield from _authority_words(authority)
    promoting = read_delegations(signed, read_root(root))[Role.PROMOTED].holders
    for one in promoting:
        if one.person == daemon_of(Role.PROMOTED):
            yield f"the hub's promoted rules: key {one.key.fingerprint()}"


def _authority_words(authority: AuthoritySet) -> Iterable[str]:
    for one in authority.document.people:
        tiers = ", ".join(str(int(tier)) for tier in one.tiers)
        keys = ", ".join(
            key.holder.key.fingerprint()
            for key in authority.keys
            if key.holder.person == one.person
        )
        yield f"operator {one.person}: tiers {tiers}; sites {_some(one.sites)}"
        yield f"operator {one.person}: types {_some(one.types)}; key {keys}"
    for name, hub in (("heads", authority.head_keys), ("logs", authority.log_keys)):
        for key in hub:
            yield f"the hub's {name}: key {key.holder.key.fingerprint()}"


def _policy_words(policy: Policy) -> Iterable[str]:
    halted = "; HALTED: no further site takes it" if policy.rollout.is_halted else ""
    if policy.rollout.reason is not None:
        halted += f": {policy.rollout.reason}"
    yield f"rolled out since {moment(policy.rollout.started)}{halted}"
    for number, ring in enumerate(policy.rings):
        yield f"ring {number} {ring.name}: after {ring.after_s} s, sites {_some(ring.sites)}"
        wait = f"after {span(number * RING_STEP_S)}" if number else "AT ONCE: nobody can veto it"
        yield f"ring {number} {ring.name}: a change that one operator signed runs {wait}"
    for host in policy.download_hosts:
        yield f"files may be fetched from {host}"


def _grant_words(place: Place, signed: Mapping[str, Any]) -> Iterable[str]:
    digest = files_of(signed)[GRANTS_TARGET]
    grants = GrantSet.from_bytes(place.read_target(GRANTS_TARGET, digest))
    for grant in grants.document.grants:
        key = PublicKey.from_b64(grant.key)
        yield f"  {grant.id}: the hub's order key {key.fingerprint()}"
        yield f"    from {moment(grant.not_before)} until {moment(grant.not_after)}"
        yield f"    types {_some(grant.types)}; sites {_some(grant.sites)}"
        yield f"    an order lives at most {grant.ttl_s} s; {grant.per_hour} orders an hour a box"


def _some(listed: Iterable[str] | str) -> str:
    return listed if isinstance(listed, str) else ", ".join(str(one) for one in listed)

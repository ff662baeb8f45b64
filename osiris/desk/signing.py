"""Signing drafts on a person's own machine, and where each draft stands.

A person is told in words what a draft changes before a key is opened. A key signs only what its
holder is listed for: by the root that is published, or by the one that is drafted with it, since
both sets of people sign a rotation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from osiris.desk.folder import Folder
from osiris.desk.words import moment
from proto.authority import AuthoritySet
from proto.catalog.load import content_digest
from proto.errors import ConfigError
from proto.grants import GrantSet
from proto.keys import Holder, PublicKey, SigningKey
from proto.keysets import Role
from proto.policy import Policy
from proto.release_keys import (
    AUTHORITY_TARGET,
    CONTENT_PREFIX,
    DELEGATED,
    GRANTS_TARGET,
    POLICY_TARGET,
    RoleKeys,
    read_delegations,
    read_life,
    read_root,
)
from runtime.repository.check import files_of
from runtime.repository.documents import add_signatures, signed_part, signers_of
from runtime.repository.layout import Place

DRAFTED: Final = (Role.ROOT, Role.RELEASE, Role.GRANTS, Role.PROMOTED)
PATHS_SHOWN_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one draft stands.

    Attributes:
        who: the document, as `root` or `release`.
        version: its version.
        signed: the people who signed, by name.
        missing: who else may sign.
        needs: how many more must, of each set of people that has a say.
        expires: when it ends, in seconds.
    """

    role: Role
    version: int
    signed: tuple[str, ...]
    missing: tuple[str, ...]
    needs: int
    expires: int

    @property
    def is_complete(self) -> bool:
        """Whether enough people signed."""
        return self.needs == 0


def standings(folder: Folder) -> tuple[Standing, ...]:
    """Return where each draft stands.

    Raises:
        RejectedError: a draft is malformed, or was changed after it was signed.
    """
    return tuple(
        _standing(folder, role, version)
        for role in DRAFTED
        for version in folder.draft.versions(role)[-1:]
    )


def _standing(folder: Folder, role: Role, version: int) -> Standing:
    data = folder.draft.read(role, version)
    listings = tuple(_listings(folder, role))
    signers = {key for keys in listings for key in signers_of(data, keys)}
    everybody = {one for keys in listings for one in keys.people()}
    signed = {one.person for one in everybody if one.key in signers}
    needs = max((_needs(keys, signers) for keys in listings), default=1)
    return Standing(
        role=role,
        version=version,
        signed=tuple(sorted(signed)),
        missing=tuple(sorted({one.person for one in everybody} - signed)),
        needs=needs,
        expires=read_life(signed_part(data, role), role).expires,
    )


def _needs(keys: RoleKeys, signers: Iterable[PublicKey]) -> int:
    given = set(signers)
    return max(0, keys.threshold - sum(one.key in given for one in keys.holders))


def _listings(folder: Folder, role: Role) -> Iterable[RoleKeys]:
    """Yield who may sign a role's draft, by each document that has a say in it."""
    if role in DELEGATED:
        root = _newest_root(folder.draft)
        version = folder.draft.newest(Role.RELEASE)
        if version:
            signed = signed_part(folder.draft.read(Role.RELEASE, version), Role.RELEASE)
            yield read_delegations(signed, read_root(root))[role]
        return
    published = folder.repository.newest(Role.ROOT)
    roots = [_newest_root(folder.draft)] if folder.draft.newest(Role.ROOT) else []
    if published and published != folder.draft.newest(Role.ROOT):
        roots.append(signed_part(folder.repository.read(Role.ROOT, published), Role.ROOT))
    found = [read_root(one).roles[role] for one in roots]
    yield from found[:1]
    # Where the same people are listed with the same keys, one listing says it all.
    yield from (one for one in found[1:] if set(one.holders) != set(found[0].holders))


def _newest_root(place: Place) -> Mapping[str, Any]:
    version = place.newest(Role.ROOT)
    if not version:
        msg = "there is no root yet: `osiris hub ceremony root` drafts it"
        raise ConfigError(msg)
    return signed_part(place.read(Role.ROOT, version), Role.ROOT)


def signable(folder: Folder, key: PublicKey) -> tuple[Role, ...]:
    """Return the drafts that this key's holder may sign and has not signed."""
    return tuple(
        one.role
        for one in standings(folder)
        if any(
            key in {holder.key for holder in keys.people()}
            and key not in signers_of(folder.draft.read(one.role, one.version), keys)
            for keys in _listings(folder, one.role)
        )
    )


def sign(folder: Folder, roles: Iterable[Role], key: SigningKey) -> None:
    """Add a key's signature to drafts."""
    for role in roles:
        version = folder.draft.versions(role)[-1]
        signed = add_signatures(folder.draft.read(role, version), [key])
        folder.draft.metadata(role, version).unlink()
        folder.draft.write(role, version, signed)


def in_words(folder: Folder, role: Role) -> tuple[str, ...]:
    """Return what a draft says and changes, a line each, as it is shown before signing.

    Raises:
        RejectedError: the draft is malformed.
    """
    version = folder.draft.versions(role)[-1]
    signed = signed_part(folder.draft.read(role, version), role)
    life = read_life(signed, role)
    head = (f"{role} {version}", f"  made {moment(life.created)}, ends {moment(life.expires)}")
    if role is Role.ROOT:
        return (*head, *_root_words(folder, signed))
    if role is Role.RELEASE:
        return (*head, *_release_words(folder, signed))
    if role is Role.GRANTS:
        return (*head, *_grant_words(folder, signed))
    return (*head, *(f"  rule {path}" for path in sorted(signed["targets"])))


def _root_words(folder: Folder, signed: Mapping[str, Any]) -> Iterable[str]:
    found = read_root(signed)
    version = folder.repository.newest(Role.ROOT)
    former = (
        read_root(signed_part(folder.repository.read(Role.ROOT, version), Role.ROOT)).roles
        if version
        else {}
    )
    if found.is_development:
        yield "  a DEVELOPMENT trust: one person holds every key"
    for role, keys in found.roles.items():
        held = set(former[role].holders) if role in former else set()
        yield f"  {role}: {keys.threshold} of {len(keys.holders)} sign"
        for one in keys.holders:
            yield f"    {_mark(one not in held, is_first=not former)} {_who(one)}"
        for one in sorted(held - set(keys.holders), key=lambda gone: gone.person):
            yield f"    - {_who(one)}: no longer"


def _mark(is_new: bool, *, is_first: bool) -> str:  # noqa: FBT001 - one of two marks
    return "+" if is_new and not is_first else " "


def _who(holder: Holder) -> str:
    return f"{holder.person}, key {holder.key.fingerprint()}"


def _release_words(folder: Folder, signed: Mapping[str, Any]) -> Iterable[str]:
    files = files_of(signed)
    version = folder.repository.newest(Role.RELEASE)
    former: Mapping[str, str] = {}
    if version:
        former = files_of(signed_part(folder.repository.read(Role.RELEASE, version), Role.RELEASE))
    content = {
        path.removeprefix(CONTENT_PREFIX): folder.draft.read_target(path, digest)
        for path, digest in files.items()
        if path.startswith(CONTENT_PREFIX)
    }
    yield f"  {len(files)} files; content {content_digest(content)}"
    yield from _changes(former, files)
    policy = Policy.read(folder.draft.read_target(POLICY_TARGET, files[POLICY_TARGET]))
    yield from _policy_words(policy)
    authority = AuthoritySet.from_bytes(
        folder.draft.read_target(AUTHORITY_TARGET, files[AUTHORITY_TARGET])
    )
    for one in authority.document.people:
        tiers = ", ".join(str(int(tier)) for tier in one.tiers)
        keys = ", ".join(
            key.holder.key.fingerprint()
            for key in authority.keys
            if key.holder.person == one.person
        )
        yield f"  operator {one.person}: tiers {tiers}; sites {_some(one.sites)};"
        yield f"    types {_some(one.types)}; key {keys}"
    for name, hub in (("heads", authority.head_keys), ("logs", authority.log_keys)):
        for key in hub:
            yield f"  the hub's {name}: key {key.holder.key.fingerprint()}"


def _changes(former: Mapping[str, str], files: Mapping[str, str]) -> Iterable[str]:
    if not former:
        yield "  the first release: every file is new"
        return
    lines = [
        *(f"  + {path}" for path in sorted(files.keys() - former.keys())),
        *(f"  - {path}: no longer" for path in sorted(former.keys() - files.keys())),
        *(
            f"  ~ {path}"
            for path in sorted(files.keys() & former.keys())
            if files[path] != former[path] and path not in {AUTHORITY_TARGET, POLICY_TARGET}
        ),
    ]
    yield from lines[:PATHS_SHOWN_MAX]
    if len(lines) > PATHS_SHOWN_MAX:
        yield f"  ... and {len(lines) - PATHS_SHOWN_MAX} changes more"
    if not lines:
        yield "  no file is added, changed or taken away"


def _policy_words(policy: Policy) -> Iterable[str]:
    halted = "; HALTED: no further site takes it" if policy.rollout.is_halted else ""
    yield f"  rolled out since {moment(policy.rollout.started)}{halted}"
    for number, ring in enumerate(policy.rings):
        yield f"  ring {number} {ring.name}: after {ring.after_s} s, sites {_some(ring.sites)}"
    for host in policy.download_hosts:
        yield f"  files may be fetched from {host}"


def _grant_words(folder: Folder, signed: Mapping[str, Any]) -> Iterable[str]:
    digest = files_of(signed)[GRANTS_TARGET]
    grants = GrantSet.from_bytes(folder.draft.read_target(GRANTS_TARGET, digest))
    for grant in grants.document.grants:
        key = PublicKey.from_b64(grant.key)
        yield f"  {grant.id}: the hub's order key {key.fingerprint()}"
        yield f"    from {moment(grant.not_before)} until {moment(grant.not_after)}"
        yield f"    types {_some(grant.types)}; sites {_some(grant.sites)}"
        yield f"    an order lives at most {grant.ttl_s} s; {grant.per_hour} orders an hour a box"


def _some(listed: Iterable[str] | str) -> str:
    return listed if isinstance(listed, str) else ", ".join(str(one) for one in listed)

"""Signing drafts on a person's own machine, and where each draft stands.

A draft is read once: what a person is told of it in words (`draft_words`), before a key is opened,
is what is signed, whatever lies in the folder by then. A key signs only what its holder is listed
for: by the root that is published, or by the one that is drafted with it, since both sets of people
sign a rotation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from osiris.desk.folder import Folder
from proto.errors import ConfigError, ConflictError, NotFoundError
from proto.keys import PublicKey, SigningKey
from proto.keysets import ROLES, Role
from proto.release_keys import DELEGATED, RoleKeys, read_delegations, read_life, read_root
from runtime.repository.documents import add_signatures, parse, signed_part, signers_of
from runtime.repository.layout import Place, write_whole

DRAFTED: Final = (Role.ROOT, Role.RELEASE, Role.GRANTS, Role.PROMOTED)


class DraftChangedError(ConflictError):
    """A draft that says something else than what was shown."""

    code: ClassVar[str] = "draft_changed"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it was read once, to be shown and signed."""

    role: Role
    version: int
    data: bytes


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
    """Return how many more people must sign; the hub signs its half when it takes it in."""
    given = set(signers)
    return max(0, ROLES[keys.role].people - sum(one.key in given for one in keys.people()))


def _listings(folder: Folder, role: Role) -> Iterable[RoleKeys]:
    """Yield who may sign a role's draft, by each document that has a say in it."""
    if role in DELEGATED:
        root = newest_root(folder.draft)
        version = folder.draft.newest(Role.RELEASE)
        if version:
            signed = signed_part(folder.draft.read(Role.RELEASE, version), Role.RELEASE)
            yield read_delegations(signed, read_root(root))[role]
        return
    published = folder.repository.newest(Role.ROOT)
    roots = [newest_root(folder.draft)] if folder.draft.newest(Role.ROOT) else []
    if published and published != folder.draft.newest(Role.ROOT):
        roots.append(signed_part(folder.repository.read(Role.ROOT, published), Role.ROOT))
    found = [read_root(one).roles[role] for one in roots]
    yield from found[:1]
    # Where the same people are listed with the same keys, one listing says it all.
    yield from (one for one in found[1:] if set(one.holders) != set(found[0].holders))


def newest_root(place: Place) -> Mapping[str, Any]:
    """Return what the newest root says, not verified.

    Raises:
        ConfigError: there is none.
    """
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


def read_draft(folder: Folder, role: Role) -> Draft:
    """Return a role's draft, read once.

    Raises:
        ConfigError: there is none.
    """
    versions = folder.draft.versions(role)
    if not versions:
        msg = f"{folder.directory}: no {role} is drafted"
        raise ConfigError(msg)
    return Draft(role, versions[-1], folder.draft.read(role, versions[-1]))


def sign(folder: Folder, drafts: Iterable[Draft], key: SigningKey) -> None:
    """Add a key's signature to drafts; what others signed meanwhile stays.

    Raises:
        DraftChangedError: the folder holds another draft by now than the one that was read.
    """
    for draft in drafts:
        role, version = draft.role, draft.version
        try:
            data = folder.draft.read(role, version)
        except NotFoundError:
            data = b""
        if (
            not data
            or _said(data) != _said(draft.data)
            or folder.draft.versions(role)[-1] != version
        ):
            msg = f"{role} {version}: was drafted anew while it was read; read it again"
            raise DraftChangedError(msg)
        file = folder.draft.metadata(role, version)
        write_whole(file, add_signatures(data, [key]), is_durable=True)


def _said(data: bytes) -> bytes:
    """Return the bytes of a draft that are signed."""
    return bytes(parse(data, "draft").signed_bytes)

"""TUF documents of this project: made, signed one signature at a time, and read.

A document is python-tuf's `Metadata`, as bytes. It is made without signatures; each holder adds
one, on a machine of their own, over exactly the bytes that TUF's canonical form gives. What it says
beyond TUF is `proto.release_keys`'s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Signature, SSlibKey
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.metadata import Role as TufRole
from tuf.api.serialization import DeserializationError, SerializationError
from tuf.api.serialization.json import JSONSerializer

from proto.errors import MalformedError
from proto.keys import Holder, PublicKey, SigningKey
from proto.keysets import ROLES, Role
from proto.release_keys import (
    CREATED,
    DEVELOPMENT,
    PERSON,
    TRUST,
    TUF_NAMES,
    RoleKeys,
    daemon_of,
    tuf_key_id,
)

COMPACT: Final = JSONSerializer(compact=True)


@dataclass(frozen=True, slots=True)
class Making:
    """The version of a document to be made, and its times in seconds."""

    version: int
    created: int
    life_s: int

    @classmethod
    def of(cls, role: Role, version: int, *, now_s: int) -> "Making":
        """Return a document's life as long as its role allows."""
        return cls(version, now_s, ROLES[role].life_s)

    @property
    def expires(self) -> datetime:
        """When it ends."""
        return datetime.fromtimestamp(self.created + self.life_s, UTC)


@dataclass(frozen=True, slots=True)
class RootPlan:
    """Who is to hold the root's and the release keys, and the hub's keys of freshness.

    Attributes:
        snapshot: one key, or the hub's former and next while it goes over to the next.
        timestamp: likewise.
        is_development: one person makes every key.
    """

    root: tuple[Holder, ...]
    release: tuple[Holder, ...]
    snapshot: tuple[PublicKey, ...]
    timestamp: tuple[PublicKey, ...]
    is_development: bool = False


@dataclass(frozen=True, slots=True)
class DelegationPlan:
    """The operators who grant and promote, and the hub's key that promotes with one of them."""

    operators: tuple[Holder, ...]
    promoted: PublicKey


def _key(holder: Holder, role: Role) -> SSlibKey:
    public = {"public": holder.key.raw.hex()}
    said = {} if holder.person == daemon_of(role) else {PERSON: holder.person}
    return SSlibKey(tuf_key_id(holder.key), "ed25519", "ed25519", public, said)


def make_root(plan: RootPlan, making: Making) -> bytes:
    """Return an unsigned root: two of its people sign, and two release people sign targets."""
    root = Root(version=making.version, expires=making.expires, consistent_snapshot=True)
    root.unrecognized_fields[CREATED] = making.created
    if plan.is_development:
        root.unrecognized_fields[TRUST] = DEVELOPMENT
    daemons = {Role.SNAPSHOT: plan.snapshot, Role.TIMESTAMP: plan.timestamp}
    holders = {
        Role.ROOT: plan.root,
        Role.RELEASE: plan.release,
        **{
            role: tuple(Holder(daemon_of(role), key) for key in keys)
            for role, keys in daemons.items()
        },
    }
    for role, some in holders.items():
        keys = [_key(one, role) for one in some]
        root.keys.update({key.keyid: key for key in keys})
        ids = [key.keyid for key in keys]
        root.roles[TUF_NAMES[role]] = TufRole(ids, ROLES[role].people)
    return Metadata(root).to_bytes(COMPACT)


def make_targets(
    files: Mapping[str, TargetFile], making: Making, *, delegations: DelegationPlan | None = None
) -> bytes:
    """Return unsigned targets over files that were described by `described`."""
    targets = Targets(version=making.version, expires=making.expires, targets=dict(files))
    targets.unrecognized_fields[CREATED] = making.created
    if delegations is not None:
        targets.delegations = _delegations(delegations)
    return Metadata(targets).to_bytes(COMPACT)


def _delegations(plan: DelegationPlan) -> Delegations:
    hub = Holder(daemon_of(Role.PROMOTED), plan.promoted)
    holders = {Role.GRANTS: plan.operators, Role.PROMOTED: (*plan.operators, hub)}
    # One operator and the hub promote; two operators grant.
    thresholds = {Role.GRANTS: ROLES[Role.GRANTS].people, Role.PROMOTED: 2}
    keys = {
        key.keyid: key
        for role, some in holders.items()
        for key in (_key(one, role) for one in some)
    }
    roles = {
        TUF_NAMES[role]: DelegatedRole(
            name=TUF_NAMES[role],
            keyids=[tuf_key_id(one.key) for one in some],
            threshold=thresholds[role],
            terminating=True,
            paths=[f"{TUF_NAMES[role]}/*"],
        )
        for role, some in holders.items()
    }
    return Delegations(dict(keys), roles)


def make_snapshot(documents: Mapping[Role, bytes], making: Making) -> bytes:
    """Return an unsigned snapshot over the current targets and delegated documents."""
    meta = {
        f"{TUF_NAMES[role]}.json": MetaFile.from_data(version_of(data), data, ["sha256"])
        for role, data in documents.items()
    }
    snapshot = Snapshot(version=making.version, expires=making.expires, meta=meta)
    snapshot.unrecognized_fields[CREATED] = making.created
    return Metadata(snapshot).to_bytes(COMPACT)


def make_timestamp(snapshot: bytes, making: Making) -> bytes:
    """Return an unsigned timestamp that names one snapshot."""
    meta = MetaFile.from_data(version_of(snapshot), snapshot, ["sha256"])
    timestamp = Timestamp(version=making.version, expires=making.expires, snapshot_meta=meta)
    timestamp.unrecognized_fields[CREATED] = making.created
    return Metadata(timestamp).to_bytes(COMPACT)


def described(path: str, data: bytes) -> TargetFile:
    """Return a file as targets list it: its length and SHA-256."""
    return TargetFile.from_data(path, data, ["sha256"])


def parse(data: bytes, where: str) -> Metadata[Any]:
    """Return a document, not verified.

    Raises:
        MalformedError: it is no TUF document.
    """
    try:
        found: Metadata[Any] = Metadata.from_bytes(data)
    except DeserializationError as error:
        msg = f"{where}: not a TUF document: {error}"
        raise MalformedError(msg) from error
    return found


def signed_part(data: bytes, role: Role) -> Mapping[str, Any]:
    """Return what a role's document says, not verified.

    Raises:
        MalformedError: it is no TUF document, or another role's.
    """
    said: Mapping[str, Any] = parse(data, TUF_NAMES[role]).signed.to_dict()
    kind = TUF_NAMES[role] if role not in {Role.GRANTS, Role.PROMOTED} else TUF_NAMES[Role.RELEASE]
    if said["_type"] != kind:
        msg = f"{TUF_NAMES[role]}: holds a document of {said['_type']}"
        raise MalformedError(msg)
    return said


def version_of(data: bytes) -> int:
    """Return a document's version."""
    return int(parse(data, "document").signed.version)


def add_signatures(data: bytes, keys: Iterable[SigningKey]) -> bytes:
    """Return the document with these keys' signatures beside those that it has."""
    document = parse(data, "document")
    for key in keys:
        key_id = tuf_key_id(key.public)
        document.signatures[key_id] = Signature(key_id, key.sign(document.signed_bytes).hex())
    return document.to_bytes(COMPACT)


def signers_of(data: bytes, keys: RoleKeys) -> tuple[PublicKey, ...]:
    """Return the role's keys whose signatures over the document verify, by TUF's own verifier.

    Raises:
        MalformedError: it is no TUF document, or a listed key's signature is wrong: then somebody
            changed it after signing.
    """
    document = parse(data, TUF_NAMES[keys.role])
    try:
        payload = document.signed_bytes
    except SerializationError as error:
        msg = f"{TUF_NAMES[keys.role]}: has no canonical form"
        raise MalformedError(msg) from error
    found = []
    for holder in keys.holders:
        signature = document.signatures.get(tuf_key_id(holder.key))
        if signature is None:
            continue
        try:
            _key(holder, keys.role).verify_signature(signature, payload)
        except UnverifiedSignatureError as error:
            msg = f"{TUF_NAMES[keys.role]}: the signature of {holder.person} is not over this text"
            raise MalformedError(msg) from error
        found.append(holder.key)
    return tuple(found)

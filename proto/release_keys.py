"""Whose keys TUF metadata name: the holder of each key, counted as a person.

TUF's own verifier counts key ids. Here its metadata are read once more, as values, so that a
threshold is one of people (`proto.keysets`). Keys and documents carry, beside TUF's own members:

```
key:     {"keytype":"ed25519","scheme":"ed25519","keyval":{"public":"<hex>"},
          "x-osiris-person":"ada"}
signed:  {"_type":"root","version":1,"expires":"2027-..Z","x-osiris-created":<s>, ..}
root:    {.., "x-osiris-trust":"development"}      only where one person holds every key
```

Rules kept here:

- Every key is Ed25519 and stands under the id that TUF's specification derives from it, so that one
  key cannot stand under two ids; a point that is not of prime order is refused.
- A key of a people's role names its holder; a key of a daemon's role names none. No key is for two
  roles, and nobody holds two keys of one role: two ids would be counted for one person.
- What is signed lives at most as long as its role allows, from the time that it says it was made.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from proto.errors import MalformedError
from proto.keys import Holder, KeyRing, PublicKey
from proto.keysets import ROLES, KeySet, Role, TimedKey
from proto.message import CodeName, Message
from proto.strict_json import hex_decode, integer

PERSON: Final = "x-osiris-person"
CREATED: Final = "x-osiris-created"
TRUST: Final = "x-osiris-trust"
DEVELOPMENT: Final = "development"

TUF_NAMES: Final[Mapping[Role, str]] = {
    Role.ROOT: "root",
    Role.RELEASE: "targets",
    Role.SNAPSHOT: "snapshot",
    Role.TIMESTAMP: "timestamp",
    Role.GRANTS: "grants",
    Role.PROMOTED: "promoted",
}
"""Our roles by the names that TUF metadata give them."""

DELEGATED: Final = (Role.GRANTS, Role.PROMOTED)
"""The roles to which the release people delegate paths."""

AUTHORITY_TARGET: Final = "authority.json"
POLICY_TARGET: Final = "policy.json"
GRANTS_TARGET: Final = "grants/grants.json"
CONTENT_PREFIX: Final = "content/"
AGENTS_PREFIX: Final = "agents/"
PROMOTED_PREFIX: Final = "promoted/"

_EXPIRES = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_KEY_BYTES = 32


class _Name(Message):
    person: CodeName


def tuf_key_id(key: PublicKey) -> str:
    """Return the id of a key in TUF metadata: SHA-256 of its canonical JSON, in hex."""
    public = key.raw.hex()
    form = f'{{"keytype":"ed25519","keyval":{{"public":"{public}"}},"scheme":"ed25519"}}'
    return hashlib.sha256(form.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Life:
    """When something was made and when it expires, in seconds, and which version it is."""

    version: int
    created: int
    expires: int


@dataclass(frozen=True, slots=True)
class RoleKeys:
    """The keys that a document lists for a role.

    Attributes:
        holders: who holds which; a daemon's keys are held by the role's own name.
        threshold: how many key ids TUF counts.
        listed: the life of the document that lists them: outside of it they count for nobody.
    """

    role: Role
    holders: tuple[Holder, ...]
    threshold: int
    listed: Life

    def people(self) -> tuple[Holder, ...]:
        """Return the holders that are people."""
        return tuple(one for one in self.holders if one.person != daemon_of(self.role))

    def set_for(self, signed: Mapping[str, Any]) -> KeySet:
        """Return the key set that must have signed a document of this role.

        Raises:
            MalformedError: the document says of itself what its role does not allow, or the role's
                keys cannot meet their threshold.
        """
        life = read_life(signed, self.role)
        return KeySet(
            role=self.role,
            version=life.version,
            keys=tuple(
                TimedKey(one, self.listed.created, self.listed.expires) for one in self.people()
            ),
            people=ROLES[self.role].people,
            created=life.created,
            expires=life.expires,
        )


@dataclass(frozen=True, slots=True)
class RootKeys:
    """What a root document says.

    Attributes:
        is_development: one person made every key; the appliance's portal says so.
    """

    life: Life
    is_development: bool
    roles: Mapping[Role, RoleKeys]

    def root_set(self, signed: Mapping[str, Any]) -> KeySet:
        """Return the key set of the root itself."""
        return self.roles[Role.ROOT].set_for(signed)


def daemon_of(role: Role) -> str:
    """Return the holder's name of a daemon's keys: no person can have it, names hold no spaces."""
    return f"hub {role.value}"


def read_life(signed: Mapping[str, Any], role: Role) -> Life:
    """Return a document's version and life.

    Raises:
        MalformedError: a member is missing or malformed, or it lives longer than its role allows.
    """
    name = TUF_NAMES[role]
    created = integer(signed.get(CREATED), f"{name}.{CREATED}")
    expires = _seconds(signed.get("expires"), f"{name}.expires")
    if not created < expires <= created + ROLES[role].life_s:
        msg = f"{name}: what {role} keys sign lives at most {ROLES[role].life_s} s"
        raise MalformedError(msg)
    return Life(integer(signed.get("version"), f"{name}.version", low=1), created, expires)


def read_root(signed: Mapping[str, Any]) -> RootKeys:
    """Read the signed part of a root document.

    Raises:
        MalformedError: it breaks a rule of this module.
        UntrustworthyKeyError: a key is not a point of prime order.
    """
    life = read_life(signed, Role.ROOT)
    keys, roles = _object(signed, "keys", "root"), _object(signed, "roles", "root")
    found = {
        role: _role_keys(role, keys, _object(roles, TUF_NAMES[role], "root.roles"), life)
        for role in (Role.ROOT, Role.RELEASE, Role.SNAPSHOT, Role.TIMESTAMP)
    }
    _require_apart(found.values())
    trust = signed.get(TRUST)
    if trust not in {None, DEVELOPMENT}:
        msg = f"root.{TRUST}: is {DEVELOPMENT} or is not there"
        raise MalformedError(msg)
    return RootKeys(life, trust == DEVELOPMENT, found)


def read_delegations(signed: Mapping[str, Any], root: RootKeys) -> Mapping[Role, RoleKeys]:
    """Read whom the top-level targets delegate to; only `DELEGATED` may stand there, each once.

    Raises:
        MalformedError: it breaks a rule of this module, or delegates other paths than its role's.
        UntrustworthyKeyError: a key is not a point of prime order.
    """
    life = read_life(signed, Role.RELEASE)
    delegations = _object(signed, "delegations", "targets")
    keys, listed = _object(delegations, "keys", "targets"), delegations.get("roles")
    found: dict[Role, RoleKeys] = {}
    by_name = {TUF_NAMES[role]: role for role in DELEGATED}
    for entry in listed if isinstance(listed, list) else ():
        role = by_name.pop(str(entry.get("name")), None) if isinstance(entry, dict) else None
        if role is None:
            msg = "targets.delegations.roles: only grants and promoted, each once"
            raise MalformedError(msg)
        if entry.get("paths") != [f"{TUF_NAMES[role]}/*"] or entry.get("terminating") is not True:
            msg = f"targets.delegations.{role}: has its own paths, and nobody after it"
            raise MalformedError(msg)
        found[role] = _role_keys(role, keys, entry, life)
    _require_apart((*root.roles.values(), *_without_shared(found)))
    return found


def _without_shared(found: Mapping[Role, RoleKeys]) -> Iterable[RoleKeys]:
    """Yield the delegated roles; an operator's one key may stand in both."""
    grants, promoted = found.get(Role.GRANTS), found.get(Role.PROMOTED)
    if grants is not None:
        yield grants
    if promoted is not None:
        shared = set(grants.holders) if grants is not None else set()
        rest = tuple(one for one in promoted.holders if one not in shared)
        yield RoleKeys(promoted.role, rest, promoted.threshold, promoted.listed)


def _require_apart(roles: Iterable[RoleKeys]) -> None:
    """Refuse one key in two places: a key ring refuses it."""
    KeyRing(tuple(holder for keys in roles for holder in keys.holders))


def _role_keys(
    role: Role, keys: Mapping[str, Any], entry: Mapping[str, Any], life: Life
) -> RoleKeys:
    where = f"the role {TUF_NAMES[role]}"
    ids = entry.get("keyids")
    if not isinstance(ids, list) or len(set(map(str, ids))) != len(ids):
        msg = f"{where}: a key id stands twice, or there is no list"
        raise MalformedError(msg)
    holders = tuple(_holder(str(one), keys, role=role) for one in ids)
    threshold = integer(entry.get("threshold"), f"{where}: threshold", low=1)
    people = [one.person for one in holders if one.person != daemon_of(role)]
    if len(set(people)) != len(people):
        twice = next(name for name in people if people.count(name) > 1)
        msg = f"{where}: {twice} holds two of its keys, which TUF would count as two people"
        raise MalformedError(msg)
    daemons = len(holders) - len(people)
    _check_counts(role, threshold, people=len(people), daemons=daemons)
    return RoleKeys(role, holders, threshold, life)


def _check_counts(role: Role, threshold: int, *, people: int, daemons: int) -> None:
    """Hold the key table: so many ids that among them there are always enough people."""
    rule = ROLES[role]
    if rule.is_online:
        fits = not people and daemons >= rule.people and threshold >= rule.people
    elif role is Role.PROMOTED:
        fits = threshold >= rule.people + daemons and people >= rule.people and daemons == 1
    else:
        fits = not daemons and threshold >= rule.people and people >= threshold
    if not fits:
        msg = (
            f"the role {TUF_NAMES[role]}: a threshold of {threshold} over {people} people's and "
            f"{daemons} daemons' keys is not what the role asks for"
        )
        raise MalformedError(msg)


def _holder(key_id: str, keys: Mapping[str, Any], *, role: Role) -> Holder:
    where = f"key {key_id[:16]!a}"
    value = _object(keys, key_id, "keys")
    if value.get("keytype") != "ed25519" or value.get("scheme") != "ed25519":
        msg = f"{where}: only Ed25519 keys are used"
        raise MalformedError(msg)
    raw = hex_decode(_object(value, "keyval", where).get("public"), where, length=_KEY_BYTES)
    key = PublicKey(raw)
    if tuf_key_id(key) != key_id:
        msg = f"{where}: stands under an id that is not its own"
        raise MalformedError(msg)
    person = value.get(PERSON)
    if person is None and (ROLES[role].is_online or role is Role.PROMOTED):
        return Holder(daemon_of(role), key)
    return Holder(_Name.from_value({"person": person}, where).person, key)


def _object(value: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    found = value.get(name)
    if not isinstance(found, dict):
        msg = f"{where}: {name!a:.40} is missing"
        raise MalformedError(msg)
    return found


def _seconds(value: object, where: str) -> int:
    if not isinstance(value, str) or _EXPIRES.fullmatch(value) is None:
        msg = f"{where}: not a time of the form 2027-01-31T00:00:00Z"
        raise MalformedError(msg)
    try:
        return int(datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError:
        msg = f"{where}: there is no such time"
        raise MalformedError(msg) from None

"""Grants: which online order keys exist and what they may do; operators sign them with own keys.

```
{"v":1,"version":9,"created":<s>,"expires":<s>,
 "grants":[{"id":"g1","key":"<b64>","types":["run_drift"],"sites":["s-.."],"ttl_s":3600,
            "per_hour":60,"not_before":<s>,"not_after":<s>}]}
```

A grant says who (the key), what (types), where (sites), how long (the longest life of an order, and
the time that an order's iat and exp must both lie in) and how much (orders an hour at one
appliance). The file lives at most 14 days, a grant at most 7. Two different operators must have
signed it with keys that are theirs: an online key that signed it counts for nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Final, Self

from pydantic import Field

from proto.authority import AuthoritySet, SiteList, TypeList, require_newer
from proto.errors import MalformedError
from proto.keys import Holder, KeyRing, PublicKey, Threshold
from proto.keysets import ROLES, PeopleError, Role
from proto.message import B64Of32, CodeName, Message, Seconds, VersionOne
from proto.orders.kinds import LIFE_S_MAX, OrderType

GRANTS_BYTES_MAX: Final = 1024 * 1024
GRANTS_MAX: Final = 64
PER_HOUR_MAX: Final = 1000
ORDER_KEY: Final = "order key"
"""The holder's name of every online order key: no person can have it, names hold no spaces."""


class Grant(Message):
    """What one online order key may do."""

    id: CodeName
    key: B64Of32
    types: TypeList
    sites: SiteList
    ttl_s: Annotated[int, Field(ge=1, le=LIFE_S_MAX)]
    per_hour: Annotated[int, Field(ge=1, le=PER_HOUR_MAX)]
    not_before: Seconds
    not_after: Seconds

    def covers_type(self, order_type: OrderType) -> bool:
        """Tell whether it is for orders of this type."""
        return self.types == "all" or order_type in self.types

    def covers_site(self, site: str) -> bool:
        """Tell whether it is for this site."""
        return self.sites == "all" or site in self.sites


class Grants(Message):
    """The file's content; without grants nothing can be ordered."""

    v: VersionOne
    version: Annotated[int, Field(ge=1)]
    created: Seconds
    expires: Seconds
    grants: Annotated[tuple[Grant, ...], Field(strict=False, max_length=GRANTS_MAX)]


@dataclass(frozen=True, slots=True)
class GrantSet:
    """A grants file that holds together.

    Attributes:
        by_key: an order key's 32 bytes -> its grants.
        ring: every order key, held by `ORDER_KEY`.

    Raises:
        MalformedError: an id stands in it twice, or a life is too long.
    """

    document: Grants
    by_key: dict[bytes, tuple[Grant, ...]] = field(init=False, repr=False, compare=False)
    ring: KeyRing = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the keys once; each is checked to be a point of prime order."""
        document = self.document
        _check_life("grants", document.created, document.expires, role=Role.GRANTS)
        if len({grant.id for grant in document.grants}) != len(document.grants):
            msg = "grants: one id is listed twice"
            raise MalformedError(msg)
        by_key: dict[bytes, tuple[Grant, ...]] = {}
        keys: dict[bytes, PublicKey] = {}
        for grant in document.grants:
            _check_life(grant.id, grant.not_before, grant.not_after, role=Role.ORDER)
            public = PublicKey.from_b64(grant.key, f"grants.{grant.id}.key")
            keys[public.raw] = public
            by_key[public.raw] = (*by_key.get(public.raw, ()), grant)
        object.__setattr__(self, "by_key", by_key)
        ring = KeyRing(tuple(Holder(ORDER_KEY, public) for public in keys.values()))
        object.__setattr__(self, "ring", ring)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the file, or raise `MalformedError`."""
        return cls(Grants.from_bytes(data, "grants", size_bytes_max=GRANTS_BYTES_MAX))


def _check_life(what: str, start_s: int, end_s: int, *, role: Role) -> None:
    if not start_s < end_s <= start_s + ROLES[role].life_s:
        msg = f"grants: {what} lives at most {ROLES[role].life_s} s"
        raise MalformedError(msg)


def accept_grants(
    data: bytes,
    *,
    signed_by: Iterable[PublicKey],
    authority: AuthoritySet,
    held: GrantSet | None,
    now_s: int,
) -> GrantSet:
    """Return a new grants file that may replace the one held.

    `signed_by` are the public keys whose signatures over it were verified; only operators' keys
    that count now are counted, by person. A key that is granted counts for nobody.

    Raises:
        PeopleError: fewer than two operators signed it.
        SuccessionError: it is older than the one held, or another file of the same version.
        MalformedError: it does not hold together, grants an order key to a person's key, or has
            expired.
    """
    given = {key.raw for key in signed_by}
    people = {
        key.holder.person
        for key in authority.keys
        if key.holder.key.raw in given and key.counts_at(now_s)
    }
    if len(people) < ROLES[Role.GRANTS].people:
        msg = f"grants: signed by {len(people)} operators, {ROLES[Role.GRANTS].people} must"
        raise PeopleError(msg)
    found = GrantSet.from_bytes(data)
    Trust(authority, found)
    if found.document.expires <= now_s:
        msg = f"grants: version {found.document.version} has expired"
        raise MalformedError(msg)
    if held is not None and found.document != held.document:
        require_newer("grants", found.document.version, held=held.document.version)
    return found


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures count on orders: the operators, and the online keys within their grants.

    Attributes:
        ring: every key that an order's signature is looked up by, once.
        anyone: one of them, for opening an envelope; None while nobody may sign anything.
        expires: when the first of the two files expires.

    Raises:
        MalformedError: a key is both a person's or the hub's, and an order key.
    """

    authority: AuthoritySet
    grants: GrantSet
    ring: KeyRing = field(init=False, repr=False, compare=False)
    anyone: Threshold | None = field(init=False, repr=False, compare=False)
    expires: int = field(init=False)

    def __post_init__(self) -> None:
        """Join the two, which must not share a key."""
        daemons = tuple(key.holder for key in (*self.authority.head_keys, *self.authority.log_keys))
        people = tuple(key.holder for key in self.authority.keys)
        KeyRing((*people, *self.grants.ring.holders, *daemons))
        ring = KeyRing((*people, *self.grants.ring.holders))
        object.__setattr__(self, "ring", ring)
        object.__setattr__(self, "anyone", Threshold(ring) if ring.holders else None)
        expires = min(self.authority.document.expires, self.grants.document.expires)
        object.__setattr__(self, "expires", expires)

"""Authority: the people who may sign, for what and where, and the hub's head and log keys.

A file of release content, which two of three release holders sign offline:

```
{"v":1,"version":3,"created":<s>,"expires":<s>,
 "people":[{"person":"ada","tiers":[2,3],"sites":"all","types":["healing"],
            "keys":[{"key":"<b64>","not_before":<s>,"not_after":<s>}]}],
 "head_keys":[{"key":"<b64>","not_before":<s>,"not_after":<s>}],"log_keys":[..]}
```

`sites` and `types` are lists, or the word "all". No key stands in it twice, under one name or two:
a key that signs for a daemon is nobody's word. A file that is older than the one held is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, Self

from pydantic import Field

from proto.errors import MalformedError
from proto.keys import Holder, KeyRing, PublicKey, Threshold
from proto.keysets import ROLES, KeySet, Role, SuccessionError, TimedKey
from proto.message import B64Of32, CodeName, Message, Seconds, SiteIdField, VersionOne
from proto.orders.kinds import OrderType, Tier

AUTHORITY_BYTES_MAX: Final = 1024 * 1024
PEOPLE_MAX: Final = 256
KEYS_PER_PERSON_MAX: Final = 4
SITES_MAX: Final = 10_000
HUB_KEYS_MAX: Final = 8


class KeyUse(Message):
    """A key and when it counts: not_before <= now < not_after."""

    key: B64Of32
    not_before: Seconds
    not_after: Seconds

    def timed(self, person: str) -> TimedKey:
        """Return the key as its holder's."""
        holder = Holder(person, PublicKey.from_b64(self.key, f"the key of {person}"))
        return TimedKey(holder, self.not_before, self.not_after)


SiteList = (
    Literal["all"]
    | Annotated[tuple[SiteIdField, ...], Field(strict=False, min_length=1, max_length=SITES_MAX)]
)
TypeList = (
    Literal["all"]
    | Annotated[
        tuple[Annotated[OrderType, Field(strict=False)], ...], Field(strict=False, min_length=1)
    ]
)
TierList = Annotated[
    tuple[Annotated[Tier, Field(strict=False)], ...],
    Field(strict=False, min_length=1, max_length=len(Tier)),
]
KeyUses = Annotated[tuple[KeyUse, ...], Field(strict=False, min_length=1, max_length=HUB_KEYS_MAX)]


class Person(Message):
    """One person: for which tiers, sites and types their signature counts, and their keys."""

    person: CodeName
    tiers: TierList
    sites: SiteList
    types: TypeList
    keys: Annotated[
        tuple[KeyUse, ...], Field(strict=False, min_length=1, max_length=KEYS_PER_PERSON_MAX)
    ]

    def is_for(self, site: str) -> bool:
        """Tell whether this site is among theirs."""
        return self.sites == "all" or site in self.sites

    def may_sign(self, *, tier: Tier, site: str, order_type: OrderType) -> bool:
        """Tell whether their signature counts for an order of this kind at this site."""
        return (
            tier in self.tiers
            and self.is_for(site)
            and (self.types == "all" or order_type in self.types)
        )


class Authority(Message):
    """The file's content; `people` may be empty: then nothing above tier 1 can be ordered."""

    v: VersionOne
    version: Annotated[int, Field(ge=1)]
    created: Seconds
    expires: Seconds
    people: Annotated[tuple[Person, ...], Field(strict=False, max_length=PEOPLE_MAX)]
    head_keys: KeyUses
    log_keys: KeyUses


@dataclass(frozen=True, slots=True)
class AuthoritySet:
    """An authority file that holds together.

    Attributes:
        people: a person's name -> what they may sign for.
        keys: every operator's key, timed.
        by_key: the same by the key's 32 bytes.
        head_keys: whose heads count, timed.
        log_keys: whose checkpoints of the hub's logs count, timed.

    Raises:
        MalformedError: a person or a key stands in it twice, or a life is too long.
    """

    document: Authority
    people: dict[str, Person] = field(init=False, repr=False, compare=False)
    keys: tuple[TimedKey, ...] = field(init=False, repr=False, compare=False)
    head_keys: tuple[TimedKey, ...] = field(init=False, repr=False, compare=False)
    log_keys: tuple[TimedKey, ...] = field(init=False, repr=False, compare=False)
    by_key: dict[bytes, TimedKey] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the keys once; each is checked to be a point of prime order."""
        document = self.document
        _check_life(document.created, document.expires, role=Role.RELEASE)
        people = {person.person: person for person in document.people}
        if len(people) != len(document.people):
            msg = "authority.people: one person is listed twice"
            raise MalformedError(msg)
        keys = tuple(use.timed(one.person) for one in document.people for use in one.keys)
        heads = tuple(use.timed("hub head") for use in document.head_keys)
        logs = tuple(use.timed("hub log") for use in document.log_keys)
        for role, some in ((Role.OPERATOR, keys), (Role.HEAD, heads), (Role.LOG, logs)):
            for key in some:
                _check_life(key.not_before, key.not_after, role=role)
        KeyRing(tuple(key.holder for key in (*keys, *heads, *logs)))
        for name, value in (
            ("people", people),
            ("keys", keys),
            ("head_keys", heads),
            ("log_keys", logs),
            ("by_key", {key.holder.key.raw: key for key in keys}),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the file, or raise `MalformedError`."""
        return cls(Authority.from_bytes(data, "authority", size_bytes_max=AUTHORITY_BYTES_MAX))

    def heads(self, *, now_s: int) -> Threshold:
        """Return whose signature makes a head count now.

        Raises:
            MalformedError: no head key counts any more.
        """
        return Threshold(_ring_at(self.head_keys, now_s))

    def logs(self, *, now_s: int) -> tuple[PublicKey, ...]:
        """Return the keys whose checkpoints of the hub's logs count now."""
        return tuple(key.holder.key for key in self.log_keys if key.counts_at(now_s))

    def operators(self, *, now_s: int) -> Threshold:
        """Return any one operator, of whatever site: for a veto.

        Raises:
            MalformedError: nobody's key counts any more.
        """
        return Threshold(_ring_at(self.keys, now_s))

    def operators_of(self, site: str, *, now_s: int, people: int) -> Threshold:
        """Return the operators of one site, of whom this many must sign: for the end of a hold.

        Raises:
            MalformedError: there are not so many whose key counts.
        """
        theirs = tuple(key for key in self.keys if self.people[key.holder.person].is_for(site))
        return Threshold(_ring_at(theirs, now_s), people)


def _ring_at(keys: tuple[TimedKey, ...], now_s: int) -> KeyRing:
    return KeyRing(tuple(key.holder for key in keys if key.counts_at(now_s)))


def _check_life(start_s: int, end_s: int, *, role: Role) -> None:
    if not start_s < end_s <= start_s + ROLES[role].life_s:
        msg = f"authority: what {role} keys sign or are lives at most {ROLES[role].life_s} s"
        raise MalformedError(msg)


def accept_authority(
    data: bytes,
    *,
    signed_by: Iterable[PublicKey],
    release: KeySet,
    held: AuthoritySet | None,
    now_s: int,
) -> AuthoritySet:
    """Return a new authority file that may replace the one held.

    `signed_by` are the public keys whose signatures over it were verified; they are counted by
    person here, which a count of key ids does not do.

    Raises:
        PeopleError: fewer release holders signed than must.
        SuccessionError: it is older than the one held, or another file of the same version.
        MalformedError: it does not hold together, or has expired.
    """
    release.require(signed_by, now_s=now_s)
    found = AuthoritySet.from_bytes(data)
    if found.document.expires <= now_s:
        msg = f"authority: version {found.document.version} has expired"
        raise MalformedError(msg)
    if held is not None and found.document != held.document:
        require_newer("authority", found.document.version, held=held.document.version)
    return found


def require_newer(what: str, version: int, *, held: int) -> None:
    """Raise `SuccessionError` unless a version is above the one held."""
    if version <= held:
        msg = f"{what}: version {version} does not follow {held}"
        raise SuccessionError(msg)

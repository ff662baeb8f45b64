"""Key sets: who holds the keys of a role, for how long, and how many people must sign.

The roles, who holds them, their thresholds and lives are the table of TRUST.md, "Keys"; `ROLES`
holds it. Rules kept here:

- A threshold counts people. Two keys of one person are one person, one key under two ids is one
  key: keys are compared by their bytes.
- A key counts from `not_before` and before `not_after`, and its life is at most its role's.
- Version N + 1 of a set follows version N when enough people of N and enough people of N + 1 signed
  it: a set signed by the new keys alone is refused.

Verifying signatures is the reader's (an envelope's, or TUF's); what is counted here are the public
keys whose signatures verified.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from proto.errors import ConflictError, MalformedError, SignatureError
from proto.keys import Holder, KeyRing, PublicKey, Threshold

DAY_S: Final = 86_400
KEYS_MAX: Final = 64


class PeopleError(SignatureError):
    """Too few of the people who must sign have signed."""

    code = "people_threshold"


class SuccessionError(ConflictError):
    """A version that does not follow the one that is held: a rollback, a gap or a replay."""

    code = "succession"


class Role(StrEnum):
    """What a key is for; no key is for two."""

    ROOT = "root"
    RELEASE = "release"
    GRANTS = "grants"
    PROMOTED = "promoted"
    ORDER = "order"
    OPERATOR = "operator"
    SNAPSHOT = "snapshot"
    TIMESTAMP = "timestamp"
    HEAD = "head"
    LOG = "log"
    APPLIANCE = "appliance"


@dataclass(frozen=True, slots=True)
class RoleRule:
    """What holds for the keys of a role.

    Attributes:
        people: how many different people must sign, at least.
        life_s: the longest life of what such a key signs as a set, or of the key itself.
        is_online: a daemon holds it; then it is nobody's word.
        signs: what, for people.
    """

    people: int
    life_s: int
    is_online: bool
    signs: str


ROLES: Final = {
    Role.ROOT: RoleRule(2, 365 * DAY_S, is_online=False, signs="whose keys count"),
    Role.RELEASE: RoleRule(2, 90 * DAY_S, is_online=False, signs="content, policy, authority"),
    Role.GRANTS: RoleRule(2, 14 * DAY_S, is_online=False, signs="what online order keys may do"),
    Role.PROMOTED: RoleRule(1, 30 * DAY_S, is_online=False, signs="promoted rules, nothing else"),
    Role.ORDER: RoleRule(1, 7 * DAY_S, is_online=True, signs="orders, within its grant"),
    Role.OPERATOR: RoleRule(1, 90 * DAY_S, is_online=False, signs="co-signatures, asks, vetoes"),
    Role.SNAPSHOT: RoleRule(1, 7 * DAY_S, is_online=True, signs="which content belongs together"),
    Role.TIMESTAMP: RoleRule(1, DAY_S, is_online=True, signs="that content is current"),
    Role.HEAD: RoleRule(1, 365 * DAY_S, is_online=True, signs="answers to check-ins"),
    Role.LOG: RoleRule(1, 365 * DAY_S, is_online=True, signs="checkpoints of the hub's logs"),
    Role.APPLIANCE: RoleRule(1, 365 * DAY_S, is_online=True, signs="evidence and receipts"),
}
"""The table of roles. For an order key the life is that of a grant to it."""


@dataclass(frozen=True, slots=True)
class TimedKey:
    """A holder's key and when it counts: not_before <= now < not_after, in seconds."""

    holder: Holder
    not_before: int
    not_after: int

    def __post_init__(self) -> None:
        """Refuse a key that never counts."""
        if not self.not_before < self.not_after:
            msg = f"key {self.holder.key.key_id} of {self.holder.person}: it never counts"
            raise MalformedError(msg)

    def counts_at(self, now_s: int) -> bool:
        """Tell whether the key counts at a time."""
        return self.not_before <= now_s < self.not_after


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of one role, at one version.

    Attributes:
        people: how many different people must sign; at least the role's number.

    Raises:
        MalformedError: when made with a key twice, a threshold that cannot be met or is below the
            role's, or a life that is too long.
    """

    role: Role
    version: int
    keys: tuple[TimedKey, ...]
    people: int
    created: int
    expires: int

    def __post_init__(self) -> None:
        """Hold the role's rule."""
        rule = ROLES[self.role]
        if not 1 <= len(self.keys) <= KEYS_MAX:
            _refuse(self, f"lists {len(self.keys)} keys, 1 to {KEYS_MAX} are allowed")
        if self.people < rule.people:
            _refuse(self, f"asks for {self.people} people, {rule.people} is the least")
        if not self.created < self.expires <= self.created + rule.life_s:
            _refuse(self, f"must end within {rule.life_s} s of its making")
        if self.version < 1:
            _refuse(self, "versions count from 1")
        Threshold(self._ring(), self.people)

    def _ring(self) -> KeyRing:
        return KeyRing(tuple(key.holder for key in self.keys))

    def people_among(self, signed_by: Iterable[PublicKey], *, now_s: int) -> frozenset[str]:
        """Return the different people whose keys count now and are among these."""
        given = {key.raw for key in signed_by}
        return frozenset(
            key.holder.person
            for key in self.keys
            if key.holder.key.raw in given and key.counts_at(now_s)
        )

    def require(self, signed_by: Iterable[PublicKey], *, now_s: int) -> frozenset[str]:
        """Return the people who signed.

        Raises:
            PeopleError: they are too few, or the set itself has expired.
        """
        if now_s >= self.expires:
            msg = f"{self.role}: version {self.version} has expired"
            raise PeopleError(msg)
        found = self.people_among(signed_by, now_s=now_s)
        if len(found) < self.people:
            msg = f"{self.role}: signed by {len(found)} people, {self.people} must"
            raise PeopleError(msg)
        return found


def _refuse(keyset: KeySet, what: str) -> None:
    msg = f"{keyset.role}: {what}"
    raise MalformedError(msg)


def require_succession(
    held: KeySet, following: KeySet, *, signed_by: Iterable[PublicKey], now_s: int
) -> None:
    """Return if `following` may replace `held`: one version on, signed by both sets' people.

    The held set's keys are taken at the held set's last second if it has expired, so that a set
    that expired in a drawer can still be renewed by its own people.

    Raises:
        SuccessionError: another role, not the next version, or made before the held one.
        PeopleError: too few people of one of the two sets signed.
    """
    if following.role is not held.role or following.version != held.version + 1:
        msg = f"{held.role}: version {following.version} does not follow {held.version}"
        raise SuccessionError(msg)
    if following.created < held.created:
        msg = f"{held.role}: version {following.version} was made before {held.version}"
        raise SuccessionError(msg)
    signers = tuple(signed_by)
    held.require(signers, now_s=min(now_s, held.expires - 1))
    following.require(signers, now_s=now_s)

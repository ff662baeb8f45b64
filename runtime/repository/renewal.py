"""From when renewed keys count, and how a hub's former key goes on beside the next.

Orders wait: what a grant or a key was listed for when an order was drafted must hold when an
appliance comes to it. Rules kept here:

- A key that the former file lists, and that counts now, goes on as it was, back to the draft of the
  oldest order that may wait still (`LIFE_S_MAX`). Its end is counted from there, so that no key
  lives longer than its role's may.
- One that is new counts from now on: nothing that was made before has its word.
- Where a person's key is another one than before, the former goes on for as long as an order lives:
  what waits with their signature goes on. One that was lost to somebody is left out at once.
- Where the hub's key is another one than before, the former is listed once more until the end that
  it had, so that the hub can go over from one to the other; the file after that leaves it out. One
  that has ended is nobody's former: it does not keep out the one after it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from proto.authority import KEYS_PER_PERSON_MAX, Authority, AuthoritySet
from proto.grants import Grants, GrantSet
from proto.keys import PublicKey
from proto.keysets import ROLES, Role
from proto.orders.kinds import LIFE_S_MAX
from proto.release_keys import AUTHORITY_TARGET, GRANTS_TARGET, read_root
from runtime.repository.check import files_of
from runtime.repository.documents import signed_part
from runtime.repository.layout import Place


class Listed(Protocol):
    """A key as an authority file or a grant lists it: base64, and seconds since the epoch."""

    @property
    def key(self) -> str:
        """The key."""

    @property
    def not_before(self) -> int:
        """From when it counts."""

    @property
    def not_after(self) -> int:
        """From when it counts no more."""


@dataclass(frozen=True, slots=True)
class Use:
    """A key, base64, and when it is to count: not_before <= now < not_after, in seconds."""

    key: str
    not_before: int
    not_after: int

    def to_value(self) -> dict[str, object]:
        """Return it as an authority file lists it."""
        return {"key": self.key, "not_before": self.not_before, "not_after": self.not_after}


def renewed(
    key: PublicKey,
    former: Iterable[Listed],
    role: Role,
    *,
    now_s: int,
    life_s: int | None = None,
) -> Use:
    """Return when a key is to count in a file that is made now.

    Args:
        key: whose.
        former: the keys of the role in the file before.
        role: what the key is for; no key lives longer than its role's.
        now_s: seconds since the epoch.
        life_s: for how long from now; None for as long as the role allows.
    """
    start_s = min((one.not_before for one in _counting(former, key, now_s)), default=now_s)
    start_s = max(start_s, now_s - LIFE_S_MAX)
    longest_s = ROLES[role].life_s
    end_s = now_s + (longest_s if life_s is None else life_s)
    return Use(key.b64(), start_s, min(end_s, start_s + longest_s))


def with_former(key: PublicKey, former: Sequence[Listed], *, now_s: int) -> tuple[Use, ...]:
    """Return the uses of a person's key, and of those before it while their orders may wait.

    Args:
        key: the key on their card.
        former: the keys that the file before lists for them; none for leaving these out at once.
        now_s: seconds since the epoch.
    """
    now = renewed(key, former, Role.OPERATOR, now_s=now_s)
    before = [one for one in former if one.key != now.key and one.not_before <= now_s]
    lives = [
        Use(
            one.key, max(one.not_before, now_s - LIFE_S_MAX), min(one.not_after, now_s + LIFE_S_MAX)
        )
        for one in before
        if now_s < one.not_after
    ]
    return (now, *lives[: KEYS_PER_PERSON_MAX - 1])


def overlapping(
    key: PublicKey,
    former: Sequence[Listed],
    role: Role,
    *,
    now_s: int,
    life_s: int | None = None,
) -> tuple[Use, ...]:
    """Return the uses of a hub's key, and of the one before it while the hub goes over.

    Args as of `renewed`.
    """
    now = renewed(key, former, role, now_s=now_s, life_s=life_s)
    held = {one.key for one in former if now_s < one.not_after}
    if len(held) != 1 or now.key in held:
        return (now,)
    (before,) = (PublicKey.from_b64(one, "the key before") for one in held)
    ends_s = max((one.not_after for one in _counting(former, before, now_s)), default=now_s)
    if ends_s == now_s:
        return (now,)
    return now, renewed(before, former, role, now_s=now_s, life_s=ends_s - now_s)


def named_with_former(place: Place, role: Role, key: PublicKey) -> tuple[PublicKey, ...]:
    """Return the keys of freshness that the next root names for a role: the next and the former.

    The former is named once more, and leaves with the root after that.
    """
    held = named_by_root(place, role)
    return (key, *held) if len(held) == 1 and held[0] != key else (key,)


def named_by_root(place: Place, role: Role) -> tuple[PublicKey, ...]:
    """Return the keys that a repository's newest root names for a role; none before the first."""
    version = place.newest(Role.ROOT)
    if not version:
        return ()
    root = read_root(signed_part(place.read(Role.ROOT, version), Role.ROOT))
    return tuple(one.key for one in root.roles[role].holders)


def _counting(former: Iterable[Listed], key: PublicKey, now_s: int) -> Sequence[Listed]:
    text = key.b64()
    return [one for one in former if one.key == text and one.not_before <= now_s < one.not_after]


def published_authority(place: Place) -> Authority | None:
    """Return the authority file of a repository's newest release, None before the first."""
    data = _published(place, Role.RELEASE, AUTHORITY_TARGET)
    return None if data is None else AuthoritySet.from_bytes(data).document


def published_grants(place: Place) -> Grants | None:
    """Return a repository's newest grants, None before the first."""
    data = _published(place, Role.GRANTS, GRANTS_TARGET)
    return None if data is None else GrantSet.from_bytes(data).document


def _published(place: Place, role: Role, path: str) -> bytes | None:
    version = place.newest(role)
    if not version:
        return None
    return place.read_target(path, files_of(signed_part(place.read(role, version), role))[path])

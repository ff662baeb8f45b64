"""What this appliance trusts: what a repository's people signed, as one value, swapped whole.

`SignedSet` is what was verified and is kept on disk, bytes and all; `Trusted` is what it says. The
signatures are verified before a set is made (`appliance/shell/content_verify.py`); reading a kept
set again verifies nothing anew, it only reads.

Expiry stops what is new, never what runs: a set is read whatever the time is, and says since when
which of its parts have ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from proto.authority import AuthoritySet
from proto.catalog.model import Rule
from proto.grants import GrantSet, Trust
from proto.policy import Policy
from proto.release_keys import AUTHORITY_TARGET, GRANTS_TARGET, POLICY_TARGET
from proto.rules.promoted import promoted_rules


class Part(StrEnum):
    """What ends at a time of its own."""

    ROOT = "root"
    RELEASE = "release"
    SNAPSHOT = "snapshot"
    TIMESTAMP = "timestamp"
    AUTHORITY = "authority"
    POLICY = "policy"
    GRANTS = "grants"
    PROMOTED = "promoted"


ONLINE: Final = frozenset({Part.SNAPSHOT, Part.TIMESTAMP})
"""The hub renews these by itself; people sign all others."""

DELEGATED: Final = frozenset({Part.GRANTS, Part.PROMOTED})
"""When these end, orders and promoted rules stop; content goes on."""


class Carrier(StrEnum):
    """How a set came here."""

    HUB = "hub"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class SignedSet:
    """One verified state of the repository.

    Attributes:
        documents: authority, policy, grants and promoted rules: bytes by target path.
        content: bytes by path below rules/; None while the site runs what its program ships.
        listed: hex SHA-256 by path of every current target, also of those not fetched.
        versions: of each part's metadata; they never go back.
        ends: when each part ends, in seconds.
        made_s: the newest time at which several people say that they signed something of it.
        root_s: when the root was made, by its people's word.
        taken_s: when this set was verified.
        content_s: when its content was taken, 0 while there is none.
        mark: hex SHA-256 of the timestamp by which all of this was found.
        is_development: one person made every key.
    """

    documents: Mapping[str, bytes]
    content: Mapping[str, bytes] | None
    listed: Mapping[str, str]
    versions: Mapping[Part, int]
    ends: Mapping[Part, int]
    made_s: int
    taken_s: int
    content_s: int
    mark: str
    carrier: Carrier
    is_development: bool
    root_s: int = 0


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whose word counts here, and for what.

    Attributes:
        authority: the people, and the hub's head and log keys.
        trust: who may sign orders; None while there are no grants: then nothing can be ordered.
        files: hex SHA-256 -> path of every current target.
        promoted: hex SHA-256 of a current promoted target -> the rule in it.
        ends: when each part ends, in seconds.
        made_s: a time that has passed, by the word of several people: a floor for clocks.
        root_s: when the root was made, by its people's word.
        taken_s: when the newest of it was verified.
        content_s: when the content was taken, 0 while the site runs what its program ships.
    """

    authority: AuthoritySet
    trust: Trust | None
    policy: Policy
    files: Mapping[str, str]
    promoted: Mapping[str, Rule]
    ends: Mapping[Part, int]
    root_version: int
    release_version: int
    made_s: int
    taken_s: int
    content_s: int
    carrier: Carrier
    is_development: bool
    root_s: int = 0
    expires_s: int = field(init=False)
    """When the metadata of the content end: from then on nothing new counts, and no order above
    tier 0."""

    def __post_init__(self) -> None:
        """Work out when the first part of the content's metadata ends."""
        ends = min(end for part, end in self.ends.items() if part not in DELEGATED)
        object.__setattr__(self, "expires_s", ends)

    def ended(self, *, now_s: int) -> Mapping[Part, int]:
        """Return the parts that have ended, with since when."""
        return {part: end for part, end in self.ends.items() if end <= now_s}


def read_set(kept: SignedSet) -> Trusted:
    """Return what a set says.

    Raises:
        RejectedError: a document in it cannot be read.
        CatalogError: a promoted rule in it cannot be read.
    """
    authority = AuthoritySet.from_bytes(kept.documents[AUTHORITY_TARGET])
    grants = kept.documents.get(GRANTS_TARGET)
    return Trusted(
        authority=authority,
        trust=None if grants is None else Trust(authority, GrantSet.from_bytes(grants)),
        policy=Policy.read(kept.documents[POLICY_TARGET]),
        files={digest: path for path, digest in kept.listed.items()},
        promoted=promoted_rules(kept.documents),
        ends=kept.ends,
        root_version=kept.versions[Part.ROOT],
        release_version=kept.versions[Part.RELEASE],
        made_s=kept.made_s,
        root_s=kept.root_s,
        taken_s=kept.taken_s,
        content_s=kept.content_s,
        carrier=kept.carrier,
        is_development=kept.is_development,
    )

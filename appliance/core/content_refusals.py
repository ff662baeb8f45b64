"""Why what a repository offers is not taken: each attack on content is its own error and code.

Each code is also the code of the health condition that stands while it lasts. What runs goes on
running whatever stands here. The attacks are called as TUF's specification calls them (1.5.2).
"""

from typing import ClassVar

from proto.errors import IntegrityError, RejectedError


class ContentRefusedError(RejectedError):
    """What was offered is malformed, does not hold together, or lives longer than it may."""

    code: ClassVar[str] = "content_refused"


class RolledBackError(ContentRefusedError):
    """An older version than one that was seen: a rollback."""

    code = "content_rolled_back"


class MixedError(ContentRefusedError):
    """A file that is not the one that the signed metadata name: mix-and-match, or altered bytes."""

    code = "content_mixed"


class WithheldError(ContentRefusedError):
    """The signed metadata name a file and the repository does not give it."""

    code = "content_withheld"


class UnsignedError(ContentRefusedError):
    """Too few of the people or daemons who must have signed it did."""

    code = "content_unsigned"


class RootRefusedError(ContentRefusedError):
    """A root that does not follow the one held: signed only by new keys, or with a gap."""

    code = "content_root_refused"


class FrozenError(ContentRefusedError):
    """Nobody says any more that the content is current: the timestamp or the snapshot has ended."""

    code = "content_frozen"


class ExpiredError(ContentRefusedError):
    """What people signed has ended: the root, the release, the authority, the policy or grants."""

    code = "content_expired"


class DamagedError(IntegrityError):
    """The kept set is not what was written: a disk that lost or changed something."""

    code = "content_damaged"


EVERY: tuple[type[ContentRefusedError] | type[DamagedError], ...] = (
    ContentRefusedError,
    RolledBackError,
    MixedError,
    WithheldError,
    UnsignedError,
    RootRefusedError,
    FrozenError,
    ExpiredError,
    DamagedError,
)
"""Every one of them; each has a health condition."""

"""Policy: in which order sites get what is new, and from where files may be fetched.

A file of release content, which two of three release holders sign offline:

```
{"v":1,"version":4,"created":<s>,"expires":<s>,
 "rings":[{"name":"canary","after_s":0,"sites":["s-.."]},
          {"name":"rest","after_s":86400,"sites":"all"}],
 "rollout":{"content":"<hex>","started":<s>,"is_halted":false},     halted: also "reason":".."
 "download_hosts":["hub.example:8443"]}
```

Rules kept here:

- A site is in the first ring that lists it; the last ring is for every other site, so no site is in
  none. A ring's number is its place, 0 for the canaries; later rings never come before earlier.
- A rollout names one set of content by its digest. A site takes that set once the rollout has gone
  on for its ring's `after_s`, and not while it is halted; what it runs stays what it runs. Another
  set than the rollout's is not taken at all: what people announced is what is rolled out.
- Only people sign a policy, so no online key can take a check or a rule away from a site, hasten a
  rollout or end a halt.
"""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from proto.keysets import DAY_S, ROLES, Role
from proto.message import CodeName, Hex256, Message, Seconds, SiteIdField, VersionOne
from proto.order import PlainText

POLICY_BYTES_MAX: Final = 1024 * 1024
RINGS_MAX: Final = 8
SITES_MAX: Final = 10_000
HOSTS_MAX: Final = 16
AFTER_S_MAX: Final = 30 * DAY_S
_HOST = r"\A[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[1-9][0-9]{0,4})?\z"


class Turn(StrEnum):
    """What a site does with a set of content that it does not run yet."""

    NOW = "now"
    LATER = "later"
    HALTED = "halted"
    NOT_ANNOUNCED = "not_announced"


class Ring(Message):
    """A stage of a rollout: which sites, and how long after its start."""

    name: CodeName
    after_s: Annotated[int, Field(ge=0, le=AFTER_S_MAX)]
    sites: (
        Literal["all"]
        | Annotated[
            tuple[SiteIdField, ...], Field(strict=False, min_length=1, max_length=SITES_MAX)
        ]
    )


class Rollout(Message):
    """What is being rolled out since when, and whether people stopped it.

    Attributes:
        reason: why they stopped it; it stands in the file only where they said so.
    """

    content: Hex256
    started: Seconds
    is_halted: bool
    reason: PlainText | None = None

    @model_validator(mode="after")
    def _is_of_a_halt(self) -> Self:
        if self.reason is not None and not self.is_halted:
            msg = "a rollout that goes on has no reason to be halted"
            raise ValueError(msg)
        return self


class Policy(Message):
    """The file's content."""

    v: VersionOne
    version: Annotated[int, Field(ge=1)]
    created: Seconds
    expires: Seconds
    rings: Annotated[tuple[Ring, ...], Field(strict=False, min_length=1, max_length=RINGS_MAX)]
    rollout: Rollout
    download_hosts: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=_HOST)], ...],
        Field(strict=False, max_length=HOSTS_MAX),
    ]

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        life_s = ROLES[Role.RELEASE].life_s
        if not self.created < self.expires <= self.created + life_s:
            msg = f"what {Role.RELEASE} keys sign lives at most {life_s} s"
            raise ValueError(msg)
        if len({ring.name for ring in self.rings}) != len(self.rings):
            msg = "two rings have one name"
            raise ValueError(msg)
        if any((ring.sites == "all") != (ring is self.rings[-1]) for ring in self.rings):
            msg = "the last ring, and no other, is for all sites"
            raise ValueError(msg)
        waits = [ring.after_s for ring in self.rings]
        if waits != sorted(waits):
            msg = "a later ring comes before an earlier one"
            raise ValueError(msg)
        listed = [site for ring in self.rings if ring.sites != "all" for site in ring.sites]
        if len(set(listed)) != len(listed):
            msg = "a site is listed in two rings"
            raise ValueError(msg)
        return self

    def to_value(self) -> dict[str, Any]:
        """Return the file's members; see `Message.to_value`."""
        value = super().to_value()
        if self.rollout.reason is None:
            del value["rollout"]["reason"]
        return value

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read the file, or raise `MalformedError`."""
        return cls.from_bytes(data, "policy", size_bytes_max=POLICY_BYTES_MAX)

    def ring_of(self, site: str) -> int:
        """Return the number of a site's ring: 0 for a canary."""
        return [ring.sites == "all" or site in ring.sites for ring in self.rings].index(True)

    def due_s(self, site: str) -> int:
        """Return when the rollout reaches a site, in seconds since the epoch."""
        return self.rollout.started + self.rings[self.ring_of(site)].after_s

    def turn(self, site: str, *, content: str, now_s: int) -> Turn:
        """Say whether a site may take this set of content, which it does not run yet, now."""
        if content != self.rollout.content:
            return Turn.NOT_ANNOUNCED
        if self.rollout.is_halted:
            return Turn.HALTED
        return Turn.NOW if now_s >= self.due_s(site) else Turn.LATER

"""An order's life at the hub, as values: what was asked, who approved it, where it stands.

A wish becomes a draft row; the signer fixes its body, whose SHA-256 is the order's name (sid);
people sign exactly these bytes on their own machines; the signer adds its own signature and logs
it; appliances fetch the log and answer with receipts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proto.envelope import Signature
from proto.ids import ApplianceId, SiteId
from proto.orders.kinds import OrderType, Tier


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants ordered, for one target.

    Attributes:
        appliance: None for every appliance of the site.
        params: JSON values that fit the type's schema.
        tier: what the hub takes the order's tier to be, at least its type's; the appliance's own
            answer is the one that counts.
        people: how many people's signatures to wait for before it is logged; at least what the
            tier needs.
        life_s: how long it may be run after it was drafted.
        not_before_s: not to be run earlier; 0 for at once.
        by: a code for who asked.
    """

    site: SiteId
    appliance: ApplianceId | None
    type: OrderType
    params: Mapping[str, Any]
    tier: Tier
    people: int
    life_s: int
    not_before_s: int
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """The body that the signer built: its exact bytes, their name, and two of its times."""

    sid: bytes
    body: bytes
    iat_s: int
    exp_s: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft row.

    Attributes:
        draft: its id: asked for again under one id, it is one draft.
        batch: what it was asked for together with.
        ask: the envelope of the operator's ask; None where it was drafted on a page.
        fixed: what the signer built of it; None before.
        refused: the signer's code for why it will not sign this; None while it did not refuse.
        ended_by: who withdrew it before it was logged.
    """

    draft: str
    batch: str
    wish: Wish
    asked_ms: int
    ask: bytes | None = None
    fixed: Fixed | None = None
    refused: str | None = None
    ended_by: str | None = None
    ended_ms: int | None = None

    @property
    def end_ms(self) -> int:
        """When it may no longer run; what has no body yet ends with the wish."""
        if self.fixed is not None:
            return self.fixed.exp_s * 1000
        return self.asked_ms + self.wish.life_s * 1000


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's signature over an order's exact bytes."""

    person: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class OrderLeaf:
    """An order in the log: its place, its name, its envelope as logged and that one's leaf hash."""

    index: int
    sid: bytes
    envelope: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt as folded: `seq` is its place in the appliance's evidence log.

    Attributes:
        kind: intent, result, refused, vetoed or expired.
        code: a result's outcome, or why the order was refused; None for an intent.
        deadline_s: until when a run ends, for an intent.
    """

    seq: int
    kind: str
    leaf: int
    leaf_hash: bytes
    sid: bytes | None
    code: str | None
    deadline_s: int | None
    at_s: int


@dataclass(frozen=True, slots=True)
class SaidRow:
    """What was said at an appliance, as folded: `seq` is its place in the evidence log.

    Attributes:
        what: veto, consent or clear.
        by_whom: lan, neighbour or operators.
        actor: the code of whoever said it.
        since_s: the hold that ended, for a clear.
        statement: the signed statement.
    """

    seq: int
    what: str
    by_whom: str
    actor: str
    sid: bytes | None
    since_s: int | None
    statement: bytes
    at_s: int


@dataclass(frozen=True, slots=True)
class WaitRow:
    """An order that waits at an appliance: why, and until when (seconds)."""

    leaf: int
    code: str
    until_s: int

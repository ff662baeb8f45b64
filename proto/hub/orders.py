"""The order log on its way to a site: what an appliance asks, what the hub answers.

An appliance asks with a signed statement of where its mirror stands, of which orders wait and why,
and a fresh challenge. The answer needs no signature of its own: leaves lead to a checkpoint that a
log key signed, the head answers the challenge, opinions are people's own statements, and a sealed
box is recognised by its SHA-256, which an order names.

It asks when the head of a check-in names another size than its mirror's or says that the hub must
hear of it (`Missing.ORDERS`), and at every check-in while an order of its waits or it holds orders
back: that is how a veto, and the end of a hold, reach it in time. Receipts travel in the evidence
log, see `proto.receipts`.

A hub that was put back to an old backup lacks leaves that its sites hold. It says so in `wanted`,
and signs nothing for that site before they were given back (`OrdersBack`), byte for byte.
"""

from typing import Annotated, Final, NewType

from pydantic import Field

from proto.envelope import ENVELOPE_BYTES_MAX, Kind, parse
from proto.errors import MalformedError
from proto.keys import Holder, PublicKey
from proto.merkle import HASH_BYTES
from proto.message import (
    ApplianceIdField,
    B64Of16,
    B64Of32,
    Count,
    Message,
    Seconds,
    VersionOne,
)
from proto.note_text import NoteText
from proto.order_codes import Code
from proto.order_log import BATCH_LEAVES_MAX, Batch
from proto.strict_json import b64_decode

PATH: Final = "/api/agent/orders"
PATH_BACK: Final = "/api/agent/orders/back"
LEAVES_BYTES_MAX: Final = 1024 * 1024
"""Leaves in one answer or return: at least one, and no more than fit into this."""

REPLY_BYTES_MAX: Final = 4 * 1024 * 1024
WAITING_MAX: Final = 32
OPINIONS_MAX: Final = 64
BOXES_MAX: Final = 16
BOX_BYTES_MAX: Final = 8192

OrderLeafText = NewType("OrderLeafText", str)
"""An order's envelope exactly as logged; `order_leaf_text` makes it."""

EnvelopeText = Annotated[str, Field(min_length=1, max_length=ENVELOPE_BYTES_MAX)]
BoxText = Annotated[
    str, Field(max_length=BOX_BYTES_MAX * 4 // 3 + 4, pattern=r"\A[A-Za-z0-9+/]+={0,2}\z")
]


class Waits(Message):
    """An order that waits at this appliance: why, and when it is looked at again."""

    leaf: Count
    code: Annotated[Code, Field(strict=False)]
    until: Seconds


class NeighbourVeto(Message):
    """A veto on the LAN at one appliance, told to the others of its site.

    Attributes:
        appliance: who signed it.
        key: its public key, base64, on the hub's word alone.
        statement: the veto as it was signed.
    """

    appliance: ApplianceIdField
    key: B64Of32
    statement: EnvelopeText

    def holder(self) -> Holder:
        """Return who must have signed it, or raise `MalformedError` for a key that is none."""
        return Holder(self.appliance, PublicKey.from_b64(self.key, "orders.neighbours.key"))


class OrdersRequest(Message):
    """Body of the request: an envelope of kind orders, signed by the appliance.

    Attributes:
        size: how many leaves its mirror has; the answer goes on from there.
        root: the mirror's root.
        checkpoint: the newest signed checkpoint it holds, by which the hub sees what it lost.
        waiting: every order that waits here, as far as there is room.
        held: since when refusals hold orders back here; None while they do not.
    """

    v: VersionOne = 1
    appliance: ApplianceIdField
    iat: Seconds
    challenge: B64Of16
    size: Count
    root: B64Of32
    checkpoint: NoteText | None
    waiting: Annotated[tuple[Waits, ...], Field(strict=False, max_length=WAITING_MAX)]
    held: Seconds | None = None


class OrdersReply(Message):
    """Body of the answer.

    Attributes:
        first: index of the first leaf sent: the mirror's size, or less where the hub has less.
        leaves: envelopes exactly as logged.
        checkpoint: a signed checkpoint of `first + len(leaves)` leaves or more; None while the log
            is empty, or the hub has fewer leaves than the appliance: then `wanted` says so.
        proof: the consistency proof from the last leaf sent to the checkpoint.
        head: an envelope of kind head that answers the challenge.
        opinions: vetoes and ends of holds that operators signed, as long as they matter.
        neighbours: vetoes that people gave at the site's other appliances, of orders for all of it.
        boxes: sealed logins for this appliance that orders in the log name, base64.
        wanted: the hub lost leaves: from which index on it asks to be given them back.
    """

    v: VersionOne = 1
    first: Count
    leaves: Annotated[tuple[EnvelopeText, ...], Field(strict=False, max_length=BATCH_LEAVES_MAX)]
    checkpoint: NoteText | None
    proof: Annotated[tuple[B64Of32, ...], Field(strict=False, max_length=128)]
    head: EnvelopeText | None
    opinions: Annotated[tuple[EnvelopeText, ...], Field(strict=False, max_length=OPINIONS_MAX)]
    neighbours: Annotated[
        tuple[NeighbourVeto, ...], Field(strict=False, max_length=OPINIONS_MAX)
    ] = ()
    boxes: Annotated[tuple[BoxText, ...], Field(strict=False, max_length=BOXES_MAX)]
    wanted: Count | None


class OrdersBack(Message):
    """Body of a return: leaves that the hub lost, from the one it asked for on.

    It is not signed: the checkpoint, which the hub's own log key signed, fixes all leaves.
    """

    v: VersionOne = 1
    appliance: ApplianceIdField
    first: Count
    leaves: Annotated[
        tuple[OrderLeafText, ...], Field(strict=False, min_length=1, max_length=BATCH_LEAVES_MAX)
    ]
    checkpoint: NoteText


class OrdersBackReply(Message):
    """Body of its answer: how many leaves the hub holds now, and from where it wants more."""

    v: VersionOne = 1
    have: Count
    wanted: Count | None


def order_leaf_text(stored: bytes) -> OrderLeafText:
    """Return a mirrored leaf as text that may be given back, or raise `MalformedError`."""
    if parse(stored).kind is not Kind.ORDER:
        msg = "order log: a leaf that is no order"
        raise MalformedError(msg)
    return OrderLeafText(stored.decode("ascii"))


def batch_of(reply: OrdersReply) -> Batch | None:
    """Return what `proto.order_log.follow` takes; None while nothing was ever logged."""
    if reply.checkpoint is None:
        return None
    return Batch(
        reply.first,
        tuple(leaf.encode("utf-8") for leaf in reply.leaves),
        reply.checkpoint.encode("utf-8"),
        tuple(b64_decode(one, "orders.proof", length=HASH_BYTES) for one in reply.proof),
    )

"""The evidence uplink: leaves of the appliance's log, in order, until the hub has them all.

The batch needs no signature of its own: every leaf is a signed envelope, and the checkpoint that
the appliance signed fixes all leaves and their order. The hub answers with what it has, co-signed;
an answer that was lost only makes the appliance send again what the hub already holds.

A batch that leaves is `EvidenceBatch[Scrubbed]`; the same JSON, read by the hub, is
`EvidenceBatch[Arrived]`: what is in it has been looked at by nobody there.
"""

from typing import Annotated, Generic, TypeVar

from pydantic import Field

from proto.envelope import ENVELOPE_BYTES_MAX
from proto.evidence import DETAIL_BYTES_MAX, LeafText
from proto.message import ApplianceIdField, B64Of16, Count, Message, Seconds, VersionOne
from proto.note_text import NOTE_BYTES_MAX, NoteText
from proto.phi.arrived import Arrived
from proto.phi.values import Scrubbed

Text = TypeVar("Text", Scrubbed, Arrived)

PATH = "/api/agent/evidence"
PATH_BACK = "/api/agent/evidence/back"
LEAVES_MAX = 256
BATCH_BYTES_MAX = 1024 * 1024


class Detail(Message, Generic[Text]):
    """The detail behind a commitment: `salt` and the exact bytes of the detail, as text.

    `leaf` is the leaf's index; `part` says which commitment of the leaf is opened: `checks.0`,
    `before`, `action`, `after`, or `result` of an order's receipt.
    """

    leaf: Count
    part: Annotated[str, Field(pattern=r"\A(checks\.[0-9]{1,2}|before|action|after|result)\z")]
    salt: B64Of16
    detail: Annotated[Text, Field(max_length=DETAIL_BYTES_MAX)]


class EvidenceBatch(Message, Generic[Text]):
    """Body of the request: leaves `first` .. `first + len(leaves)` and a checkpoint.

    `leaves` are envelopes exactly as stored (ASCII JSON text). `checkpoint` is a note signed by the
    appliance, whose size is at least `first + len(leaves)`; with fewer leaves than its size, more
    batches follow.
    """

    v: VersionOne = 1
    appliance: ApplianceIdField
    first: Count
    leaves: Annotated[tuple[LeafText, ...], Field(strict=False, max_length=LEAVES_MAX)]
    details: Annotated[tuple[Detail[Text], ...], Field(strict=False, max_length=LEAVES_MAX * 100)]
    checkpoint: NoteText


class EvidenceReply(Message):
    """Body of the answer.

    Attributes:
        have: how many leaves the hub holds, durable and verified; send from there.
        cosigned: the appliance's checkpoint at exactly `have` leaves with the hub's signature
            added; None while `have` is not the size of a checkpoint the hub was shown.
    """

    v: VersionOne = 1
    have: Count
    cosigned: Annotated[str, Field(max_length=NOTE_BYTES_MAX)] | None = None


class EvidenceWanted(Message):
    """What an appliance asks that may have lost leaves: an envelope of kind recall, signed by it.

    `first` is the first leaf that it is not sure of. It asks so whenever it starts, because a disk
    that was put back to an earlier day does not know it.
    """

    v: VersionOne = 1
    appliance: ApplianceIdField
    iat: Seconds
    first: Count


class EvidenceBack(Message):
    """The answer: the leaves from `first` on, as the appliance sent them once.

    Each is a statement of the appliance's own key, so that the hub can only leave some out.

    Attributes:
        have: how many leaves the hub holds.
    """

    v: VersionOne = 1
    first: Count
    leaves: Annotated[
        tuple[Annotated[str, Field(max_length=ENVELOPE_BYTES_MAX)], ...],
        Field(strict=False, max_length=LEAVES_MAX),
    ]
    have: Count

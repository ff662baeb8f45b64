"""The evidence uplink: leaves of the appliance's log, in order, until the hub has them all.

The batch needs no signature of its own: every leaf is a signed envelope, and the checkpoint that
the appliance signed fixes all leaves and their order. The hub answers with what it has, co-signed;
an answer that was lost only makes the appliance send again what the hub already holds.
"""

from typing import Annotated, Literal

from pydantic import Field

from proto.message import ApplianceIdField, B64Of16, Count, Message

PATH = "/api/agent/evidence"
LEAVES_MAX = 256
BATCH_BYTES_MAX = 1024 * 1024
NOTE_BYTES_MAX = 4096


class Detail(Message):
    """The detail behind a commitment: `salt` and the exact bytes of the detail, as text.

    `leaf` is the leaf's index; `part` says which commitment of the leaf is opened: `checks.0`,
    `before`, `action`, `after`.
    """

    leaf: Count
    part: Annotated[str, Field(pattern=r"\A(checks\.[0-9]{1,2}|before|action|after)\z")]
    salt: B64Of16
    detail: Annotated[str, Field(max_length=16 * 1024)]


class EvidenceBatch(Message):
    """Body of the request: leaves `first` .. `first + len(leaves)` and a checkpoint.

    `leaves` are envelopes exactly as stored (ASCII JSON text). `checkpoint` is a note signed by the
    appliance, whose size is at least `first + len(leaves)`; with fewer leaves than its size, more
    batches follow.
    """

    v: Literal[1] = 1
    appliance: ApplianceIdField
    first: Count
    leaves: Annotated[tuple[str, ...], Field(strict=False, max_length=LEAVES_MAX)]
    details: Annotated[tuple[Detail, ...], Field(strict=False, max_length=LEAVES_MAX * 100)]
    checkpoint: Annotated[str, Field(max_length=NOTE_BYTES_MAX)]


class EvidenceReply(Message):
    """Body of the answer.

    Attributes:
        have: how many leaves the hub holds, durable and verified; send from there.
        cosigned: the appliance's checkpoint at exactly `have` leaves with the hub's signature
            added; None while `have` is not the size of a checkpoint the hub was shown.
    """

    v: Literal[1] = 1
    have: Count
    cosigned: Annotated[str, Field(max_length=NOTE_BYTES_MAX)] | None = None

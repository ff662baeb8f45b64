"""What the hub and its signer say to each other: one JSON object a frame, both ways.

The hub asks; the signer answers with what was asked for, or with a refusal and its code. No message
carries bytes of an order for the signer to sign: it builds them, and knows them by their sid.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from proto import strict_json
from proto.envelope import ENVELOPE_BYTES_MAX, SIGNATURES_MAX
from proto.errors import MalformedError, OsirisError
from proto.hub.orders import LEAVES_BYTES_MAX
from proto.message import (
    ApplianceIdField,
    B64Of32,
    B64Of64,
    CodeName,
    Count,
    Hex256,
    Message,
    Seconds,
    SiteIdField,
)
from proto.note_text import NoteText
from proto.order import PlainText
from proto.order_log import BATCH_LEAVES_MAX
from proto.orders.kinds import LIFE_S_MAX, OrderType, Tier

FRAME_BYTES_MAX: Final = 4 * 1024 * 1024
APPROVALS_MAX: Final = SIGNATURES_MAX - 1
"""An envelope has eight signatures at most, and one is the order key's."""

APPLIANCES_MAX: Final = 256
"""Appliances of one site: the signer is told of each."""

DOCUMENT_CHARS_MAX: Final = 1024 * 1024
"""Of a document of promoted rules: it names each by its path and digest."""

LENGTH_BYTES: Final = 4
HEADS_MAX: Final = 64
"""So many of the largest fit in a frame."""

Text = Annotated[str, Field(max_length=ENVELOPE_BYTES_MAX)]
Leaves = Annotated[tuple[Text, ...], Field(strict=False, max_length=BATCH_LEAVES_MAX)]
Heads = Annotated[tuple[Text, ...], Field(strict=False, min_length=1, max_length=HEADS_MAX)]
KeyKind = Literal["order", "head", "log", "snapshot", "timestamp", "promoted"]
Keys = Annotated[tuple[B64Of32, ...], Field(strict=False, min_length=1, max_length=2)]
KeyIdText = Annotated[str, Field(pattern=r"\A[0-9a-f]{16}\z")]
SignatureText = Annotated[str, Field(pattern=r"\A[A-Za-z0-9+/]{86}==\z")]


class Given(Message):
    """One person's signature over an order's bytes, as it came."""

    keyid: KeyIdText
    sig: SignatureText


class AskDraft(Message):
    """Build an order's body. `appliance` null is every appliance of the site."""

    op: Literal["draft"] = "draft"
    site: SiteIdField
    appliance: ApplianceIdField | None
    type: Annotated[OrderType, Field(strict=False)]
    params: dict[str, Any]
    tier: Annotated[Tier, Field(strict=False)]
    people: Annotated[int, Field(ge=0, le=APPROVALS_MAX)]
    life_s: Annotated[int, Field(ge=1, le=LIFE_S_MAX)]
    not_before: Seconds
    reason: PlainText
    by: CodeName


class Drafted(Message):
    """The body, base64, and its name."""

    body: Text
    sid: Hex256
    iat: Seconds
    exp: Seconds


class AskApproval(Message):
    """Whose signature is this, and may they sign for this order?"""

    op: Literal["approval"] = "approval"
    sid: Hex256
    given: Given


class Approved(Message):
    """The person's name."""

    person: CodeName


class AskLog(Message):
    """Sign an order and log it; asked again it is answered as before."""

    op: Literal["log"] = "log"
    sid: Hex256
    given: Annotated[tuple[Given, ...], Field(strict=False, max_length=APPROVALS_MAX)]


class AskLeaves(Message):
    """Tell what stands in a site's log from an index on."""

    op: Literal["leaves"] = "leaves"
    site: SiteIdField
    first: Count


class Leaf(Message):
    """A logged order."""

    sid: Hex256
    envelope: Text


class Logged(Message):
    """Leaves from `first` on, and a checkpoint of exactly the leaves up to the last of them."""

    first: Count
    leaves: Annotated[tuple[Leaf, ...], Field(strict=False, max_length=BATCH_LEAVES_MAX)]
    size: Count
    checkpoint: NoteText


class AskHear(Message):
    """An appliance said where its mirror of the site's log stands.

    Attributes:
        appliances: every enrolled appliance of the site.
        checkpoint: the newest that it holds; the signer's own signature is what is believed.
    """

    op: Literal["hear"] = "hear"
    site: SiteIdField
    appliance: ApplianceIdField
    appliances: Annotated[
        tuple[ApplianceIdField, ...], Field(strict=False, max_length=APPLIANCES_MAX)
    ]
    checkpoint: NoteText | None


class AskBack(Message):
    """Take back leaves that were lost."""

    op: Literal["back"] = "back"
    site: SiteIdField
    first: Count
    leaves: Leaves
    checkpoint: NoteText


class AskStand(Message):
    """Tell where a site's log is."""

    op: Literal["stand"] = "stand"
    site: SiteIdField


class Stand(Message):
    """Where the signer's log of a site is; `wanted` is the first leaf that it lacks."""

    size: Count
    wanted: Count | None


class AskHeads(Message):
    """Sign heads: the answers to check-ins that came at about the same time."""

    op: Literal["heads"] = "heads"
    bodies: Heads


class AskEnroll(Message):
    """Sign the answer to an enrollment."""

    op: Literal["enroll"] = "enroll"
    body: Text


class Envelope(Message):
    """A signed statement."""

    envelope: Text


class Envelopes(Message):
    """Signed statements, in the order in which they were asked for."""

    envelopes: Heads


class AskCosign(Message):
    """Cosign the head of an appliance's evidence log, which the hub mirrors whole."""

    op: Literal["cosign"] = "cosign"
    origin: Annotated[str, Field(pattern=r"\A[A-Za-z0-9./:_-]{1,200}\z")]
    size: Count
    root: B64Of32
    time: Seconds


class Cosignature(Message):
    """A cosignature's parts, as a note's signature line has them; all base64 but the name."""

    name: Annotated[str, Field(max_length=255)]
    hint: Annotated[str, Field(max_length=8)]
    raw: Annotated[str, Field(max_length=128)]


class AskStatus(Message):
    """Tell how the signer does."""

    op: Literal["status"] = "status"


class Status(Message):
    """How the signer does.

    Attributes:
        keys: every kind's public keys, base64: the former, and the next if one is to follow.
        authority: version of the authority it goes by; None while there is none.
        grants: that of the grants.
        expires: when the first of the two expires, seconds.
        problem: why it signs no orders, in words; "" when it does.
        vouchers: the former key's signature for the one that is to follow, base64, by kind.
    """

    keys: dict[KeyKind, Keys]
    vouchers: dict[KeyKind, B64Of64]
    authority: Count | None
    grants: Count | None
    expires: Seconds | None
    problem: Annotated[str, Field(max_length=500)]


class AskFresh(Message):
    """Say which documents are current, under which root; versions are 0 for what there is not."""

    op: Literal["fresh"] = "fresh"
    root: Count
    release: Count
    grants: Count
    promoted: Count


class Fresh(Message):
    """What is current from now on; a document is null where the one that is there goes on."""

    snapshot: Count
    timestamp: Count
    snapshot_document: Text | None
    timestamp_document: Text | None


class AskPromote(Message):
    """Sign the hub's half of promoted rules that an operator signed, beside this release."""

    op: Literal["promote"] = "promote"
    root: Count
    release: Count
    promoted: Count


class Promoted(Message):
    """The document with the hub's signature."""

    document: Annotated[str, Field(max_length=DOCUMENT_CHARS_MAX)]


class AskRenew(Message):
    """Make the key that is to follow one of the signer's, once people name it."""

    op: Literal["renew"] = "renew"
    kind: KeyKind


class Renewed(Message):
    """The public half of the key that is to follow, base64."""

    public: B64Of32


class Refused(Message):
    """No, and why."""

    refused: CodeName
    message: Annotated[str, Field(max_length=500)]


Ask = (
    AskDraft
    | AskApproval
    | AskLog
    | AskLeaves
    | AskHear
    | AskBack
    | AskStand
    | AskHeads
    | AskEnroll
    | AskCosign
    | AskStatus
    | AskFresh
    | AskPromote
    | AskRenew
)
_ASKS: dict[str, type[Ask]] = {
    "draft": AskDraft,
    "approval": AskApproval,
    "log": AskLog,
    "leaves": AskLeaves,
    "hear": AskHear,
    "back": AskBack,
    "stand": AskStand,
    "heads": AskHeads,
    "enroll": AskEnroll,
    "cosign": AskCosign,
    "status": AskStatus,
    "fresh": AskFresh,
    "promote": AskPromote,
    "renew": AskRenew,
}


def read_ask(frame: bytes) -> Ask:
    """Read a question, or raise `MalformedError`."""
    value = strict_json.loads(frame, size_bytes_max=FRAME_BYTES_MAX, where="ask")
    kind = _ASKS.get(str(value.get("op"))) if isinstance(value, dict) else None
    if kind is None:
        msg = f"ask.op: not one of {', '.join(_ASKS)}"
        raise MalformedError(msg)
    return kind.from_value(value, "ask")


def refusal_of(error: OsirisError) -> bytes:
    """Return a refusal's frame."""
    return Refused(refused=error.code, message=str(error)[:500]).to_bytes()


def fits_leaves(sizes: list[int]) -> int:
    """Return how many leaves of these sizes, at least one, go into one message."""
    total = 0
    for place, size in enumerate(sizes):
        total += size
        if place and total > LEAVES_BYTES_MAX:
            return place
    return len(sizes)

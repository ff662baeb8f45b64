"""What an operator's own machine and the hub say to each other about orders.

Every request is an envelope signed by the operator's own key: no password, no bearer secret. A
draft is an `Ask` (`proto.asks`); a veto and the end of a hold are opinions (`proto.opinions`); all
else is one of the asks below, also of kind ask:

```
{"v":1,"do":"list","site":null,"limit":50,"by":"ada","iat":<s>,"nonce":"<32 hex>"}
{"v":1,"do":"approve","approvals":[{"order":"<hex sid>","keyid":"..","sig":"<b64>"}], ..}
```

`do` stands in none but these, and `Ask` has no such member, so one never passes for the other. The
answers are the hub's word and nothing more: whoever signs reads the exact bytes, whoever verifies
takes an `OrderFile`.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from proto import strict_json
from proto.asks import require_theirs_and_new
from proto.authority import AuthoritySet
from proto.envelope import BODY_BYTES_MAX, Kind, Signature, open_envelope, sid
from proto.errors import MalformedError
from proto.hub.orders import BOX_BYTES_MAX
from proto.keys import SIGNATURE_BYTES
from proto.message import (
    ApplianceIdField,
    CodeName,
    Count,
    Hex256,
    IncidentIdField,
    Message,
    Seconds,
    SiteIdField,
    TargetIdField,
    VersionOne,
)
from proto.order_file import OrderFile
from proto.orders.kinds import Nonce, OrderType, Tier

PATH_DRAFT: Final = "/api/desk/draft"
PATH_ASK: Final = "/api/desk/ask"
PATH_OPINION: Final = "/api/desk/opinion"
REPLY_BYTES_MAX: Final = 8 * 1024 * 1024
LIST_MAX: Final = 200
BATCH_CHARS: Final = 20
APPROVALS_MAX: Final = 64
ORDERS_MAX: Final = 512
ANSWERS_MAX: Final = 512
APPLIANCES_TOLD_MAX: Final = 10_000
SAID_MAX: Final = 1024
HOLDS_MAX: Final = 4096

_Bytes = Annotated[str, StringConstraints(max_length=128 * 1024)]
_Box = Annotated[
    str,
    StringConstraints(max_length=BOX_BYTES_MAX * 4 // 3 + 4, pattern=r"\A[A-Za-z0-9+/]+={0,2}\z"),
]
_Sig = Annotated[str, StringConstraints(pattern=r"\A[A-Za-z0-9+/]{86}==\z")]
_KeyId = Annotated[str, StringConstraints(pattern=r"\A[0-9a-f]{16}\z")]
_Text = Annotated[str, StringConstraints(max_length=400)]


def batch_name(ask_body: bytes) -> str:
    """Return what the drafts of one ask are called together: both sides work it out."""
    return f"b-{sid(Kind.ASK, ask_body).hex()[:BATCH_CHARS]}"


class _DeskAsk(Message):
    v: VersionOne = 1
    by: CodeName
    iat: Seconds
    nonce: Nonce


class ListOrders(_DeskAsk):
    """Which orders are there, newest first; of one site, or of every one."""

    do: Literal["list"] = "list"
    site: SiteIdField | None
    limit: Annotated[int, Field(ge=1, le=LIST_MAX)]


class ShowOrder(_DeskAsk):
    """All that the hub has of one order, with its proofs."""

    do: Literal["show"] = "show"
    order: Hex256


class ShowBatch(_DeskAsk):
    """The bodies of what was asked for together, to be read and signed."""

    do: Literal["batch"] = "batch"
    batch: CodeName


class OneApproval(Message):
    """A person's signature over an order's exact bytes; `order` is their name."""

    order: Hex256
    keyid: _KeyId
    sig: _Sig

    def signature(self) -> Signature:
        """Return it as an envelope holds it."""
        raw = strict_json.b64_decode(self.sig, "approval.sig", length=SIGNATURE_BYTES)
        return Signature(self.keyid, raw)


class Approve(_DeskAsk):
    """Signatures over orders that wait for people."""

    do: Literal["approve"] = "approve"
    approvals: Annotated[
        tuple[OneApproval, ...], Field(strict=False, min_length=1, max_length=APPROVALS_MAX)
    ]


class Withdraw(_DeskAsk):
    """End a draft that is not logged yet."""

    do: Literal["withdraw"] = "withdraw"
    order: Hex256


class ListHolds(_DeskAsk):
    """Which appliances hold orders back, and which ends of holds wait for a second person."""

    do: Literal["holds"] = "holds"


class SendBox(_DeskAsk):
    """A login, sealed to one appliance's own key: the hub cannot read it."""

    do: Literal["box"] = "box"
    site: SiteIdField
    appliance: ApplianceIdField
    box: _Box

    def raw(self) -> bytes:
        """Return the sealed box."""
        return strict_json.b64_decode(self.box, "ask.box")


class ShowIncident(_DeskAsk):
    """What the hub knows of one incident's last repair: a rule may be promoted from it."""

    do: Literal["incident"] = "incident"
    site: SiteIdField
    incident: IncidentIdField


class ShowSites(_DeskAsk):
    """Which content each appliance of the fleet said that it runs."""

    do: Literal["sites"] = "sites"


OrderAsk = (
    ListOrders | ShowOrder | ShowBatch | Approve | Withdraw | SendBox | ShowIncident | ShowSites
)
DeskAsk = OrderAsk | ListHolds


class _Document(Message):
    ask: Annotated[DeskAsk, Field(discriminator="do")]


def open_desk_ask(data: bytes, *, authority: AuthoritySet, now_s: int) -> DeskAsk:
    """Return what an operator asks, other than a draft.

    Raises:
        SignatureError: no operator whose key counts signed it.
        AskSignerError: it names somebody else.
        AskTimeError: it is not of now.
        MalformedError: it is none of these asks.
    """
    opened = open_envelope(data, kind=Kind.ASK, trust=authority.operators(now_s=now_s))
    value = strict_json.loads(opened.body, size_bytes_max=BODY_BYTES_MAX, where="ask")
    if not isinstance(value, dict) or "do" not in value:
        msg = "ask.do: is missing"
        raise MalformedError(msg)
    ask = _Document.from_value({"ask": value}, "").ask
    require_theirs_and_new(opened, by=ask.by, iat=ask.iat, now_s=now_s)
    return ask


class Answered(Message):
    """What one appliance did with an order, as far as the hub heard.

    Attributes:
        stage: fetched, waiting, executing, done, failed, unknown, refused, vetoed or expired.
        code: the reason of a wait or a refusal.
        until: when a wait is looked at again, or a run must have ended; seconds.
    """

    appliance: ApplianceIdField
    stage: CodeName
    code: CodeName | None
    until: Seconds | None
    at: Seconds | None


class LanWord(Message):
    """What somebody said of an order at an appliance, as its signed evidence tells it.

    Attributes:
        what: veto or consent.
        by: lan: a person there; neighbour: it heard a veto of another appliance of its site.
        actor: the account's code.
    """

    appliance: ApplianceIdField
    what: CodeName
    by: CodeName
    actor: CodeName
    at: Seconds


class OrderLine(Message):
    """One order as the hub lists it.

    Attributes:
        draft: the draft's id.
        batch: what it was asked for together with.
        stage: drafted, unsigned (the signer said no: `code`), waits_for_people, logged, withdrawn,
            expired, or what an appliance did that the whole order hangs on.
        people: how many signatures it waits for.
        asked: seconds.
    """

    draft: CodeName
    batch: CodeName
    site: SiteIdField
    appliance: ApplianceIdField | None
    type: Annotated[OrderType, Field(strict=False)]
    tier: Annotated[Tier, Field(strict=False)]
    reason: _Text
    by: CodeName
    asked: Seconds
    people: Count
    approved: Annotated[tuple[CodeName, ...], Field(strict=False, max_length=8)]
    vetoed: Annotated[tuple[CodeName, ...], Field(strict=False, max_length=64)]
    said: Annotated[tuple[LanWord, ...], Field(strict=False, max_length=SAID_MAX)] = ()
    sid: Hex256 | None
    exp: Seconds | None
    leaf: Count | None
    stage: CodeName
    code: CodeName | None
    answers: Annotated[tuple[Answered, ...], Field(strict=False, max_length=ANSWERS_MAX)]


class OrderToSign(Message):
    """An order's exact bytes, and the ask they were drafted from.

    Attributes:
        body: base64 of the bytes; None until the signer fixed them.
        ask: base64 of the operator's ask; None where it was drafted on a page of the console.
    """

    line: OrderLine
    body: _Bytes | None
    ask: _Bytes | None


class OrdersListed(Message):
    """Answer to list and draft."""

    v: VersionOne = 1
    orders: Annotated[tuple[OrderLine, ...], Field(strict=False, max_length=ORDERS_MAX)]


class OrdersToSign(Message):
    """Answer to batch."""

    v: VersionOne = 1
    orders: Annotated[tuple[OrderToSign, ...], Field(strict=False, max_length=ORDERS_MAX)]


class OrderShown(Message):
    """Answer to show; `file` is there once the order is logged."""

    v: VersionOne = 1
    order: OrderToSign
    file: dict[str, Any] | None

    def order_file(self) -> OrderFile | None:
        """Return the order with its proofs."""
        return None if self.file is None else OrderFile.from_value(self.file, "reply.file")


class IncidentTold(Message):
    """Answer to incident: its last repair, as the hub folded it from signed evidence.

    Attributes:
        state: open, escalated, waived or closed, as evidence tells it.
        rule: what asked for the repair: a rule's id, or "order:" and the order's first digits.
        seen: what the check reported before the repair; None where its detail is not there.
        result: healed, undone, failed or unknown.
        proved: the hub cosigned a head over the repair's leaf.
        leaf: the repair's place in the appliance's evidence log.
    """

    v: VersionOne = 1
    site: SiteIdField
    appliance: ApplianceIdField
    incident: IncidentIdField
    target: TargetIdField
    check: CodeName
    state: CodeName
    rule: CodeName
    runbook: CodeName
    seen: dict[CodeName, bool | int | _Text] | None
    result: CodeName
    proved: bool
    leaf: Count
    at: Seconds


class ApplianceTold(Message):
    """What one appliance said of itself last.

    Attributes:
        label: what people call its site.
        presence: online, late, silent or never, as the hub sees it.
        content: the digest of the content that runs; None before it said so.
        health: the codes with which it is unwell, its own and those that the hub found.
        seen: when it was heard of last, seconds; None for never.
    """

    site: SiteIdField
    label: _Text
    appliance: ApplianceIdField
    presence: CodeName
    version: CodeName | None
    content: Hex256 | None
    health: Annotated[tuple[CodeName, ...], Field(strict=False, max_length=256)]
    seen: Seconds | None


class SitesTold(Message):
    """Answer to sites; `total` counts all appliances, where more are there than are told."""

    v: VersionOne = 1
    appliances: Annotated[
        tuple[ApplianceTold, ...], Field(strict=False, max_length=APPLIANCES_TOLD_MAX)
    ]
    total: Count


class Hold(Message):
    """An appliance that holds orders above tier 0 back after security refusals.

    Attributes:
        since: the hold's name, which its end must name: since when, by the appliance's own clock.
        told: when the appliance last said so.
        half: base64 of the end of a hold that one operator signed; None where nobody did.
    """

    site: SiteIdField
    appliance: ApplianceIdField
    since: Seconds
    told: Seconds
    half: _Bytes | None


class HoldsListed(Message):
    """Answer to holds."""

    v: VersionOne = 1
    holds: Annotated[tuple[Hold, ...], Field(strict=False, max_length=HOLDS_MAX)]


class Taken(Message):
    """Answer to approve, withdraw, box and an opinion: it is durable; `names` says what was."""

    v: VersionOne = 1
    names: Annotated[tuple[CodeName, ...], Field(strict=False, max_length=APPROVALS_MAX)]

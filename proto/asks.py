"""Asks: what an operator wants ordered, signed with their own key.

```
{"v":1,"type":"run_drift","targets":[{"site":"s-.."}],"params":{..},"life_s":3600,
 "not_before":<s>,"people":0,"reason":"..","by":"ada","iat":<s>,"nonce":"<32 hex>"}
```

An ask is no order: the signer drafts one for each target, and people then read and sign those. A
fleet-wide wish is a list of targets; there is no target that means the fleet.
"""

from typing import Annotated, Any, Final

from pydantic import Field

from proto import strict_json
from proto.authority import AuthoritySet
from proto.envelope import BODY_BYTES_MAX, SIGNATURES_MAX, Kind, Opened, open_envelope
from proto.errors import MalformedError, RejectedError
from proto.message import CodeName, Message, Seconds, VersionOne
from proto.order import PlainText, Target, parse_target
from proto.orders.kinds import LIFE_S_MAX, Nonce, OrderType
from proto.orders.registry import kind_of

TARGETS_MAX: Final = 128
PEOPLE_MAX: Final = SIGNATURES_MAX - 1
"""One signature of an order is the hub's own."""

FRESH_S: Final = 600
SKEW_S: Final = 120


class AskTimeError(RejectedError):
    """An ask that is older than ten minutes, or from the future: asked again or replayed."""

    code = "ask_time"


class AskSignerError(RejectedError):
    """An ask that names another person than the one who signed it."""

    code = "ask_signer"


class Ask(Message):
    """What is wanted, where, for how long at most, and why.

    Attributes:
        not_before: not to be run earlier; 0 for at once.
        people: how many signatures to wait for before it is logged, when that is more than the
            order's tier needs: two people spare an order of tier 2 its wait.
    """

    v: VersionOne
    type: Annotated[OrderType, Field(strict=False)]
    targets: Annotated[
        tuple[Target, ...], Field(strict=False, min_length=1, max_length=TARGETS_MAX)
    ]
    params: dict[str, Any]
    life_s: Annotated[int, Field(ge=60, le=LIFE_S_MAX)]
    not_before: Seconds
    people: Annotated[int, Field(ge=0, le=PEOPLE_MAX)]
    reason: PlainText
    by: CodeName
    iat: Seconds
    nonce: Nonce


def open_ask(data: bytes, *, authority: AuthoritySet, now_s: int) -> Ask:
    """Return an operator's ask; its parameters fit the type, and no target stands in it twice.

    Raises:
        SignatureError: no operator whose key counts signed it.
        AskSignerError: it names somebody else.
        AskTimeError: it is not of now.
        MalformedError: it is no ask.
    """
    trust = authority.operators(now_s=now_s)
    opened = open_envelope(data, kind=Kind.ASK, trust=trust)
    ask = parse_ask(opened.body)
    require_theirs_and_new(opened, by=ask.by, iat=ask.iat, now_s=now_s)
    return ask


def require_theirs_and_new(opened: Opened, *, by: str, iat: int, now_s: int) -> None:
    """Return if the person whom an ask names signed it, within the last ten minutes.

    Raises:
        AskSignerError: somebody else signed it.
        AskTimeError: it is not of now.
    """
    if by not in {holder.person for holder in opened.signers}:
        msg = f"ask.by: {by} has not signed it"
        raise AskSignerError(msg)
    if not now_s - FRESH_S <= iat <= now_s + SKEW_S:
        msg = f"ask.iat: {iat} is not within {FRESH_S} s of now"
        raise AskTimeError(msg)


def parse_ask(body: bytes) -> Ask:
    """Read the body of an ask whose bytes are vouched for; its parameters fit the type.

    Raises:
        MalformedError: it is no ask, or a target stands in it twice.
    """
    ask = _read(strict_json.loads(body, size_bytes_max=BODY_BYTES_MAX, where="ask"))
    kind_of(ask.type).params.from_value(ask.params, "ask.params")
    if len({target.model_dump_json() for target in ask.targets}) != len(ask.targets):
        msg = "ask.targets: one target is listed twice"
        raise MalformedError(msg)
    return ask


def _read(value: strict_json.Json) -> Ask:
    if not isinstance(value, dict) or "targets" not in value:
        msg = "ask.targets: is missing"
        raise MalformedError(msg)
    targets = strict_json.items(
        value["targets"], "ask.targets", each=parse_target, low=1, high=TARGETS_MAX
    )
    return Ask.from_value({**value, "targets": targets}, "ask")

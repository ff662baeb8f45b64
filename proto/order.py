"""Orders: the body that people read and sign, and the one way to read it.

```
{"v":1,"type":"healing","target":{"site":"s-..","appliance":"a-.."},"params":{..},"iat":<s>,
 "not_before":<s>,"exp":<s>,"nonce":"<32 hex>","prev":"<size>:<root>","reason":"..","by":".."}
```

Every member is required and no other is allowed. The target is one appliance of a site or, with
`site` alone, each of them; absent, null and "" are refused. `prev` names the site's order log as it
was when the order was drafted. A body has one name, its sid, from the moment its bytes exist; who
signed is not part of it.

Reading refuses with one of four codes: `body_json` (not strict JSON), `body_target`, `type_unknown`
and `body_schema` (everything else). Parameters stay as they came: `proto.orders` reads them.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from proto import strict_json
from proto.envelope import BODY_BYTES_MAX, Kind
from proto.envelope import sid as sid_of_statement
from proto.errors import MalformedError
from proto.merkle import HASH_BYTES
from proto.message import (
    ApplianceIdField,
    CodeName,
    Message,
    Seconds,
    SiteIdField,
    VersionOne,
)
from proto.orders.kinds import Nonce, OrderType

REASON_CHARS_MAX: Final = 400
SID_BYTES: Final = 32

_PLACE = r"(0|[1-9][0-9]{0,14}):([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)"
"""A size below 10^15, and 32 bytes in base64 that re-encodes to itself."""

_PREV = re.compile(_PLACE)
_TYPES = frozenset(one.value for one in OrderType)
_UNSEEN = "\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
"""Characters that a person does not see, or that make a screen show others than were signed."""

PlainText = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=REASON_CHARS_MAX,
        pattern=rf"\A[^\s{_UNSEEN}](?:[^{_UNSEEN}]*[^\s{_UNSEEN}])?\z",
    ),
]
"""One line of text that looks on a screen as it is: nothing invisible, nothing reversed."""


class BodyJsonError(MalformedError):
    """A body that is not one strict JSON object."""

    code = "body_json"


class BodySchemaError(MalformedError):
    """A body with a member missing, unknown, or out of its bounds."""

    code = "body_schema"


class BodyTargetError(MalformedError):
    """A body that does not say, in one of the two forms, whom it is for."""

    code = "body_target"


class TypeUnknownError(MalformedError):
    """An order of a type that does not exist."""

    code = "type_unknown"


class SiteTarget(Message):
    """Every appliance of one site."""

    site: SiteIdField


class ApplianceTarget(Message):
    """One appliance."""

    site: SiteIdField
    appliance: ApplianceIdField


Target = ApplianceTarget | SiteTarget


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A log as it was: its size and its root, 32 bytes."""

    size: int
    root: bytes

    def as_text(self) -> str:
        """Return the form that statements carry: `<size>:<root in base64>`."""
        return place_text(self.size, self.root)


def place_text(size: int, root: bytes) -> str:
    """Return what statements say of a log of that size and root: `<size>:<root in base64>`."""
    return f"{size}:{strict_json.b64_encode(root)}"


def parse_place(text: str, where: str) -> LogPlace:
    """Read `<size>:<root in base64>`, or raise `MalformedError` naming `where`."""
    match = _PREV.fullmatch(text)
    if match is None:
        msg = f"{where}: not of the form size:root"
        raise MalformedError(msg)
    return LogPlace(int(match[1]), strict_json.b64_decode(match[2], where, length=HASH_BYTES))


class Order(Message):
    """The body of an order.

    Attributes:
        params: JSON values, which `proto.orders` reads by the type's own schema.
        iat: when it was drafted, seconds.
        not_before: not to be run earlier.
        exp: not to be run at this second or later.
        prev: the site's order log when it was drafted, `<size>:<root>`.
        reason: why, in words that everybody concerned reads.
        by: a code for who asked.
    """

    v: VersionOne
    type: Annotated[OrderType, Field(strict=False)]
    target: Annotated[Target, Field(union_mode="left_to_right")]
    params: dict[str, Any]
    iat: Seconds
    not_before: Seconds
    exp: Seconds
    nonce: Nonce
    prev: Annotated[str, StringConstraints(pattern=rf"\A{_PLACE}\z")]
    reason: PlainText
    by: CodeName

    def drafted_size(self) -> int:
        """Return how many leaves the site's order log had when this order was drafted."""
        return int(self.prev.partition(":")[0])

    def drafted_on(self) -> LogPlace:
        """Return the site's order log as it was when this order was drafted."""
        return parse_place(self.prev, "body.prev")


def parse_order(body: bytes) -> Order:
    """Read the verified bytes of an order's body.

    Raises:
        BodyJsonError: not a strict JSON object.
        BodyTargetError: the target is absent, null, empty, or of no form.
        TypeUnknownError: no such type.
        BodySchemaError: any other member.
    """
    try:
        value = strict_json.loads(body, size_bytes_max=BODY_BYTES_MAX, where="body")
    except MalformedError as error:
        raise BodyJsonError(*error.args) from None
    if not isinstance(value, dict):
        msg = "body: must be an object"
        raise BodyJsonError(msg)
    try:
        return Order.from_value(value, "body")
    except MalformedError as error:
        _target(value.get("target"))
        _check_type(value.get("type"))
        raise BodySchemaError(*error.args) from None


def parse_target(value: strict_json.Json, where: str) -> Target:
    """Read whom something is for: a site, or a site and one of its appliances."""
    model = ApplianceTarget if isinstance(value, dict) and "appliance" in value else SiteTarget
    return model.from_value(value, where)


def _target(value: strict_json.Json) -> Target:
    try:
        return parse_target(value, "body.target")
    except MalformedError as error:
        raise BodyTargetError(*error.args) from None


def _check_type(value: strict_json.Json) -> None:
    if not isinstance(value, str) or value not in _TYPES:
        msg = f"body.type: {value!a:.40} is no type of order"
        raise TypeUnknownError(msg)


def sid_of(body: bytes) -> bytes:
    """Return an order's name, 32 bytes, which is fixed before anybody signs."""
    return sid_of_statement(Kind.ORDER, body)

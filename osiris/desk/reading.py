"""What a person is about to sign: the exact bytes, held against what was asked for.

Rules kept here, each with its code:

- `bytes_changed`: the bytes do not have the name under which they were asked for, or they do not
  say what the ask says that they were drafted from: type, target, parameters, reason, by, life;
- the ask is the one this desk kept when it was drafted here; else the one that the hub shows, if an
  operator signed it; else there is none, and the person is told that nobody signed the wish;
- `batch_differs`: orders that are shown once differ in more than where they go.

What is shown and what is signed are one value.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from osiris.desk.words import moment
from proto import strict_json
from proto.asks import Ask, parse_ask
from proto.authority import AuthoritySet
from proto.envelope import BODY_BYTES_MAX, Kind, open_envelope, open_pinned
from proto.errors import ConflictError, IntegrityError, RejectedError
from proto.hub.desk import OrderToSign
from proto.order import Order, parse_order, sid_of
from proto.order_words import Line, digits_in_groups, order_in_words, where

_OWN: Final = frozenset({"target", "iat", "not_before", "exp", "nonce", "prev"})
"""The members in which orders of one batch may differ; their lives are compared besides."""

_OF_ONE: Final = frozenset({"Where", "Nonce", "Log", "Name (sid)"})
"""The lines that tell of one order of a batch alone."""


class BytesChangedError(IntegrityError):
    """The bytes to be signed are not what was drafted."""

    code: ClassVar[str] = "bytes_changed"


class BatchDiffersError(ConflictError):
    """Orders of one batch that do not say the same: each is to be read for itself."""

    code: ClassVar[str] = "batch_differs"


class NotReadyError(ConflictError):
    """There are no bytes to sign, or no longer."""

    code: ClassVar[str] = "not_ready"


@dataclass(frozen=True, slots=True)
class Read:
    """An order that was read and may be shown and signed.

    Attributes:
        body: the exact bytes, from which `order` was parsed.
        origin: whose word stands behind its draft, in words.
    """

    order: Order
    body: bytes
    sid: bytes
    origin: str


def read_bytes(
    one: OrderToSign, *, kept: bytes | None, authority: AuthoritySet | None, now_s: int
) -> Read:
    """Return an order from the bytes that the hub gave, or refuse it.

    Args:
        one: what the hub gave.
        kept: the ask as this desk signed it, when it was drafted here.
        authority: whose signatures count, when this desk knows.
        now_s: this machine's now.

    Raises:
        NotReadyError: the signer has not fixed its bytes.
        BytesChangedError: see this module.
        RejectedError: the bytes are no order.
    """
    order, body = order_in(one)
    origin = _origin(one, order, kept=kept, authority=authority, now_s=now_s)
    return Read(order, body, sid_of(body), origin)


def order_in(one: OrderToSign) -> tuple[Order, bytes]:
    """Return the order that the hub gave, and its exact bytes; whose wish it is, is not looked at.

    Raises:
        NotReadyError: the signer has not fixed its bytes.
        BytesChangedError: they have another name than the hub says.
        RejectedError: the bytes are no order.
    """
    if one.body is None or one.line.sid is None:
        why = f": {one.line.code}" if one.line.code else ""
        msg = f"draft {one.line.draft}: has no body to sign, it is {one.line.stage}{why}"
        raise NotReadyError(msg)
    body = strict_json.b64_decode(one.body, "hub's answer: body", size_bytes_max=BODY_BYTES_MAX)
    if sid_of(body).hex() != one.line.sid:
        msg = f"order {one.line.sid}: the hub gave other bytes under this name"
        raise BytesChangedError(msg)
    return parse_order(body), body


def require_in_time(orders: Iterable[Read], *, now_s: int) -> None:
    """Return if none of these orders is over, or raise `NotReadyError`."""
    for one in orders:
        if now_s >= one.order.exp:
            msg = f"order {one.sid.hex()}: its time was over at {moment(one.order.exp)}"
            raise NotReadyError(msg)


def _origin(
    one: OrderToSign,
    order: Order,
    *,
    kept: bytes | None,
    authority: AuthoritySet | None,
    now_s: int,
) -> str:
    if kept is not None:
        # This desk signed and kept it: its own file is its word, whatever the hub shows.
        _require_same(order, _ask_in(kept))
        return "you, at this desk: it says what you asked for"
    if one.ask is None:
        return f"a page of the hub's console, in the name {order.by}: nobody signed the wish"
    shown = strict_json.b64_decode(one.ask, "hub's answer: ask")
    if authority is None:
        _require_same(order, _ask_in(shown))
        return f"{order.by}, says the hub: this desk has no authority file to tell by"
    try:
        trust = authority.operators(now_s=now_s)
        opened = open_envelope(shown, kind=Kind.ASK, trust=trust)
    except RejectedError as error:
        msg = f"order {one.line.sid}: what the hub shows as its ask is nobody's: {error}"
        raise BytesChangedError(msg) from None
    ask = parse_ask(opened.body)
    if ask.by not in {holder.person for holder in opened.signers}:
        msg = f"order {one.line.sid}: {ask.by} has not signed the ask that names them"
        raise BytesChangedError(msg)
    _require_same(order, ask)
    return f"{ask.by}, who signed the ask: it says what they asked for"


def _ask_in(envelope: bytes) -> Ask:
    """Return the ask in an envelope that is not believed for its signature."""
    digest = hashlib.sha256(envelope).digest()
    return parse_ask(open_pinned(envelope, kind=Kind.ASK, digest=digest).body)


def _require_same(order: Order, ask: Ask) -> None:
    """Return if an order says what an ask asked for, and nothing more."""
    tests = (
        ("type", order.type == ask.type),
        ("target", order.target in ask.targets),
        ("parameters", _form(order.params) == _form(ask.params)),
        ("reason", order.reason == ask.reason),
        ("by", order.by == ask.by),
        ("life", order.exp - order.iat <= ask.life_s),
        ("start", order.not_before >= ask.not_before),
    )
    wrong = [name for name, holds in tests if not holds]
    if wrong:
        msg = f"the order does not say what was asked for: it differs in {', '.join(wrong)}"
        raise BytesChangedError(msg)


def _form(value: Mapping[str, Any]) -> str:
    """Return JSON values so that what differs looks different: True == 1 in Python."""
    return json.dumps(value, sort_keys=True)


def require_alike(orders: Sequence[Read]) -> None:
    """Return if orders differ in nothing but where they go and where their logs stand.

    Raises:
        BatchDiffersError: they differ in more, or one target stands there twice.
    """
    found = {_form(_common(one.order)) for one in orders}
    targets = {one.order.target.model_dump_json() for one in orders}
    if len(found) != 1 or len(targets) != len(orders):
        msg = "these orders do not say the same: approve each by its own name (sid)"
        raise BatchDiffersError(msg)


def _common(order: Order) -> dict[str, Any]:
    value = order.to_value()
    kept = {name: member for name, member in value.items() if name not in _OWN}
    return kept | {"life": order.exp - order.iat, "delay": order.not_before - order.iat}


def in_words(orders: Sequence[Read]) -> tuple[Line, ...]:
    """Return what is about to be signed: once what all say, and where each of them goes."""
    first = orders[0]
    lines = order_in_words(first.order, sid=first.sid, moment=moment)
    if len(orders) == 1:
        return (*lines, Line("Drafted by", first.origin))
    return (
        *(line for line in lines if line.label not in _OF_ONE),
        *_places(orders),
        Line("Drafted by", "; ".join(sorted({one.origin for one in orders}))),
    )


def _places(orders: Iterable[Read]) -> Iterable[Line]:
    for number, one in enumerate(orders, start=1):
        name = digits_in_groups(one.sid.hex())
        yield Line(f"Where ({number})", f"{where(one.order.target)}, sid {name}")

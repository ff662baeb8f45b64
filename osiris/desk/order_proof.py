"""Verifying one order with no hub: what held, what failed, and what was not looked at.

Rules kept here:

- Bytes first: the body is parsed only after the signatures over it were verified, by keys of an
  authority and a grants file that the auditor has from elsewhere.
- Each thing is passed, failed or not checked; nothing is passed for want of what it needs. An order
  is verified when nothing failed and its signatures were checked.
- The least tier of the type counts. An appliance may have had reasons for a higher one, which its
  own receipt (`intent.tier`, `intent.people`) names; that is then held against it too.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from proto import envelope, note
from proto.envelope import Kind, Opened
from proto.errors import OsirisError
from proto.grants import ORDER_KEY, Trust
from proto.keys import Holder, KeyRing, PublicKey, Threshold
from proto.merkle import leaf_hash, verify_inclusion
from proto.order import ApplianceTarget, Order, parse_order
from proto.order_file import OrderFile
from proto.order_words import span
from proto.orders.kinds import Tier
from proto.orders.registry import kind_of
from proto.receipts import Intent, OrderReceipt, Refusal, Result, parse_receipt

PREV_WINDOW: Final = 4096
PEOPLE: Final = {Tier.OBSERVE: 0, Tier.HEAL: 0, Tier.CHANGE: 1, Tier.DANGEROUS: 2}
"""How many different people must have signed an order of each tier."""


class Held(StrEnum):
    """How one thing stands."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that was looked at, or was not, and what was seen."""

    what: str
    held: Held
    seen: str


@dataclass(frozen=True, slots=True)
class Keys:
    """What the auditor trusts.

    Attributes:
        trust: authority and grants; None when they were not given.
        appliances: an appliance's id -> its key, for its receipts.
    """

    trust: Trust | None = None
    appliances: dict[str, PublicKey] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What verifying one order gave.

    Attributes:
        order: the body, once its signatures were verified; else None.
        sid: its name, once its bytes were an order's envelope.
        signers: whose signatures verified.
    """

    looks: tuple[Look, ...] = ()
    order: Order | None = None
    sid: bytes = b""
    signers: tuple[Holder, ...] = ()

    @property
    def is_verified(self) -> bool:
        """Whether the signatures were checked and nothing failed."""
        return self.order is not None and not self.failed

    @property
    def failed(self) -> tuple[Look, ...]:
        """Return what failed."""
        return tuple(look for look in self.looks if look.held is Held.FAILED)


_NEVER: Final = (
    Look(
        "authority and grants",
        Held.NOT_CHECKED,
        "the two files were taken as given: whether release people and operators signed them is"
        " TUF's to verify",
    ),
    Look(
        "completeness",
        Held.NOT_CHECKED,
        "one order says nothing of the others; osiris evidence verify holds whole logs together",
    ),
)


def verify(data: bytes, keys: Keys) -> Report:
    """Look at everything that a file shows of an order; never raises for what the file holds."""
    try:
        file = OrderFile.read(data)
        parsed = envelope.parse(file.envelope_bytes())
    except OsirisError as error:
        return Report((_failed("file", error),))
    if parsed.kind is not Kind.ORDER:
        seen = f"a statement of kind {parsed.kind.value}"
        return Report((Look("file", Held.FAILED, f"{seen}, not an order"),))
    report = Report((Look("file", Held.PASSED, "an order's envelope in its one exact form"),))
    if keys.trust is None or keys.trust.anyone is None:
        why = "no authority and grants were given: nothing here is known to be anybody's word"
        return replace(report, looks=(*report.looks, Look("signatures", Held.NOT_CHECKED, why)))
    try:
        opened = parsed.open(kind=Kind.ORDER, trust=keys.trust.anyone)
    except OsirisError as error:
        return replace(report, looks=(*report.looks, _failed("signatures", error)))
    return _opened(report, file, opened, keys=keys, trust=keys.trust)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One order whose signatures were verified, and what it is held against."""

    file: OrderFile
    order: Order
    sid: bytes
    signers: tuple[Holder, ...]
    trust: Trust
    appliances: dict[str, PublicKey]


def _opened(report: Report, file: OrderFile, opened: Opened, *, keys: Keys, trust: Trust) -> Report:
    names = ", ".join(f"{one.person} ({one.key.key_id})" for one in opened.signers)
    looks = [*report.looks, Look("signatures", Held.PASSED, f"by {names}")]
    try:
        order = parse_order(opened.body)
        kind_of(order.type).params.from_value(order.params, "params")
    except OsirisError as error:
        return replace(report, looks=(*looks, _failed("body", error)))
    seen = _Seen(file, order, opened.sid, opened.signers, trust, keys.appliances)
    looks += [
        Look("body", Held.PASSED, f"{order.type.value}, and its parameters fit it"),
        _grant(seen),
        _people(seen),
        _times(order),
        *_log(seen),
        *_receipts(seen),
        *_NEVER,
    ]
    return Report(tuple(looks), order, opened.sid, opened.signers)


def _failed(what: str, error: OsirisError) -> Look:
    return Look(what, Held.FAILED, f"{error} [{error.code}]")


def _grant(seen: _Seen) -> Look:
    order = seen.order
    found = [
        grant
        for one in seen.signers
        if one.person == ORDER_KEY
        for grant in seen.trust.grants.by_key.get(one.key.raw, ())
    ]
    for grant in found:
        covers = grant.covers_type(order.type) and grant.covers_site(order.target.site)
        is_in_time = grant.not_before <= order.iat and order.exp <= grant.not_after
        if covers and is_in_time and order.exp - order.iat <= grant.ttl_s:
            return Look("grant", Held.PASSED, f"{grant.id} covers type, site, life and time")
    said = "no grant of the order key covers type, site, life and time"
    return Look("grant", Held.FAILED, said if found else "no order key with a grant has signed")


def _allowed(seen: _Seen, tier: Tier) -> list[str]:
    """Return the people whose keys counted when it was drafted and who may sign for this."""
    order, authority = seen.order, seen.trust.authority
    keys = (authority.by_key.get(one.key.raw) for one in seen.signers)
    current = {key.holder.person for key in keys if key and key.counts_at(order.iat)}
    return sorted(
        person
        for person in current
        if authority.people[person].may_sign(
            tier=tier, site=order.target.site, order_type=order.type
        )
    )


def _people(seen: _Seen) -> Look:
    tier = kind_of(seen.order.type).tier
    needed, found = PEOPLE[tier], _allowed(seen, tier)
    who = f": {', '.join(found)}" if found else ""
    said = f"{len(found)} who may sign for tier {tier.value}{who}; {needed} must"
    return Look("people", Held.PASSED if len(found) >= needed else Held.FAILED, said)


def _times(order: Order) -> Look:
    life = order.exp - order.iat
    longest = kind_of(order.type).life_s_max
    is_ordered = order.iat < order.exp and order.not_before < order.exp
    is_short = life <= longest
    said = f"lives {span(life)}, at most {span(longest)} is allowed"
    return Look("times", Held.PASSED if is_ordered and is_short else Held.FAILED, said)


def _log(seen: _Seen) -> Iterator[Look]:
    file, order = seen.file, seen.order
    if file.leaf is None or file.checkpoint is None:
        yield Look("order log", Held.NOT_CHECKED, "the file holds no place in the log")
        return
    if not file.origin.endswith(f"/site/{order.target.site}/orders"):
        yield Look("order log", Held.FAILED, f"the log is not that of site {order.target.site}")
        return
    index = file.leaf.index
    try:
        head = note.open_checkpoint(
            file.checkpoint.encode(),
            origin=file.origin,
            log_keys=seen.trust.authority.logs(now_s=order.iat),
        ).checkpoint
        verify_inclusion(
            leaf_hash(file.envelope_bytes()),
            file.leaf.hashes(),
            index=index,
            size=head.size,
            root=head.root,
        )
    except OsirisError as error:
        yield _failed("order log", error)
        return
    yield Look("order log", Held.PASSED, f"leaf {index} of {head.size}, signed by {file.origin}")
    size = order.drafted_size()
    held = Held.PASSED if size <= index < size + PREV_WINDOW else Held.FAILED
    yield Look("window", held, f"drafted at {size} leaves, logged as leaf {index}")


def _receipts(seen: _Seen) -> Iterator[Look]:
    if not seen.file.receipts:
        yield Look("receipts", Held.NOT_CHECKED, "the file holds none: what became of it is open")
    found: list[OrderReceipt] = []
    for number, data in enumerate(seen.file.receipt_envelopes(), start=1):
        look, receipt = _receipt(data, seen)
        yield replace(look, what=f"receipt {number}")
        if receipt is not None and look.held is Held.PASSED:
            found.append(receipt)
    yield from _lives(found)


def _receipt(data: bytes, seen: _Seen) -> tuple[Look, OrderReceipt | None]:
    holders = tuple(Holder(name, key) for name, key in sorted(seen.appliances.items()))
    if not holders:
        return Look("", Held.NOT_CHECKED, "no appliance's key was given"), None
    try:
        ring = Threshold(KeyRing(holders))
        opened = envelope.open_envelope(data, kind=Kind.RECEIPT, trust=ring)
        receipt = parse_receipt(opened.body)
    except OsirisError as error:
        return _failed("", error), None
    if not isinstance(receipt, OrderReceipt):
        return Look("", Held.FAILED, "is of no order"), None
    wrong = _mismatch(receipt, seen) or _too_few(receipt, seen)
    if receipt.appliance not in {holder.person for holder in opened.signers}:
        wrong = f"names {receipt.appliance}, which has not signed it"
    return Look("", Held.FAILED if wrong else Held.PASSED, wrong or _told(receipt)), receipt


def _mismatch(receipt: OrderReceipt, seen: _Seen) -> str:
    """Return in what a receipt is not one of this order; "" when it is."""
    file, target = seen.file, seen.order.target
    is_addressed = not isinstance(target, ApplianceTarget) or target.appliance == receipt.appliance
    tests = (
        (receipt.site == target.site, "is of another site"),
        (receipt.order in {seen.sid.hex(), None}, "is of another order"),
        (receipt.nonce in {seen.order.nonce, None}, "is of another nonce"),
        (receipt.leaf_hash == leaf_hash(file.envelope_bytes()).hex(), "is of other bytes"),
        (file.leaf is None or receipt.leaf == file.leaf.index, "is of another leaf"),
        (is_addressed or isinstance(receipt, Refusal), "is of an appliance it was not for"),
    )
    return next((said for holds, said in tests if not holds), "")


def _too_few(receipt: OrderReceipt, seen: _Seen) -> str:
    """Return what is wrong with the tier that an appliance ran it as; "" when nothing is."""
    if not isinstance(receipt, Intent):
        return ""
    found = _allowed(seen, receipt.tier)
    if receipt.tier < kind_of(seen.order.type).tier or len(found) < PEOPLE[receipt.tier]:
        return f"accepted as tier {receipt.tier.value}, for which {len(found)} people signed"
    return ""


def _told(receipt: OrderReceipt) -> str:
    if isinstance(receipt, Intent):
        people = ", ".join(receipt.people) or "nobody"
        return f"{receipt.appliance}: accepted as tier {receipt.tier.value}, signed by {people}"
    if isinstance(receipt, Result):
        return f"{receipt.appliance}: {receipt.outcome.value}"
    return f"{receipt.appliance}: {receipt.type}, {receipt.reason.value}"


def _lives(receipts: Collection[OrderReceipt]) -> Iterator[Look]:
    """Say of each appliance whether its receipts are one life: intent then result, or a refusal."""
    for name in sorted({one.appliance for one in receipts}):
        mine = sorted((one for one in receipts if one.appliance == name), key=lambda one: one.seq)
        kinds = [type(one) for one in mine]
        if kinds in ([Intent, Result], [Refusal]):
            yield Look(f"life at {name}", Held.PASSED, _told(mine[-1]))
        elif kinds == [Intent]:
            yield Look(f"life at {name}", Held.NOT_CHECKED, "accepted; its end is not in the file")
        else:
            told = " then ".join(one.type for one in mine)
            yield Look(f"life at {name}", Held.FAILED, f"{told} is no life of an order")

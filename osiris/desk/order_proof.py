"""Verifying one order with no hub: what held, what failed, and what was not looked at.

Rules kept here:

- Bytes first: the body is believed only after the signatures over it were verified, by keys of an
  authority and a grants file that the auditor has from elsewhere. Before that it says no more than
  of which time these are looked for; what they say of themselves is held against it afterwards.
- Each thing is passed, failed or not checked; nothing is passed for want of what it needs, and what
  files that were made after an order do not carry is not checked: they may have carried it before.
- An order is verified when nothing failed, and its signatures, grant and people passed.
- The least tier that its own bytes give it counts. An appliance may have had reasons for a higher
  one, which its own receipt (`intent.tier`, `intent.people`) names; that is held against it too.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from osiris.desk.kept_trust import KeptTrust
from osiris.desk.words import moment
from proto import envelope, note
from proto.appliance_keys import KeyHistory, history_of
from proto.authority import Authority
from proto.envelope import Envelope, Kind, Opened, ThresholdError
from proto.errors import OsirisError
from proto.grants import ORDER_KEY, Grants, Trust
from proto.keys import Holder, KeyRing, PublicKey, Threshold
from proto.merkle import leaf_hash, verify_inclusion
from proto.note import TIME_S_MAX
from proto.order import ApplianceTarget, Order, parse_order
from proto.order_file import OrderFile
from proto.order_words import span
from proto.orders.kinds import PEOPLE_BY_TIER, Tier
from proto.orders.registry import kind_of, least_tier
from proto.receipts import Intent, OrderReceipt, Refusal, Result, parse_receipt

PREV_WINDOW: Final = 4096
"""How many different people must have signed an order of each tier."""


_MUST_PASS: Final = ("signatures", "grant", "people")


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
        kept: authority and grants, of as many times as there are; None when none were given.
        appliances: an appliance's id -> its key, or one that it had, for its receipts.
    """

    kept: KeptTrust | None = None
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
        """Whether nothing failed, and what must be checked was."""
        return self.order is not None and not self.failed and not self.unchecked

    @property
    def unchecked(self) -> tuple[str, ...]:
        """Return what had to be checked and was not."""
        passed = {look.what for look in self.looks if look.held is Held.PASSED}
        return tuple(what for what in _MUST_PASS if what not in passed)

    @property
    def failed(self) -> tuple[Look, ...]:
        """Return what failed."""
        return tuple(look for look in self.looks if look.held is Held.FAILED)


_INCOMPLETE: Final = Look(
    "completeness",
    Held.NOT_CHECKED,
    "one order says nothing of the others; osiris evidence verify holds whole logs together",
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
    trusts = keys.kept.at(_drafted_s(file.envelope_bytes())) if keys.kept is not None else ()
    found = [_under(report, file, parsed, keys=keys, trust=trust) for trust in trusts]
    if not found:
        why = (
            "no authority and grants were given, by --desk or by --authority and --grants: nothing"
            " here is known to be anybody's word"
        )
        return replace(report, looks=(*report.looks, Look("signatures", Held.NOT_CHECKED, why)))
    return next((one for one in found if one.is_verified), found[0])


def _drafted_s(leaf: bytes) -> int:
    """Return when an order says that it was drafted, not verified; far ahead if it says nothing."""
    try:
        pinned = envelope.open_pinned(leaf, kind=Kind.ORDER, digest=hashlib.sha256(leaf).digest())
        return parse_order(pinned.body).iat
    except OsirisError:
        return TIME_S_MAX


def _under(
    report: Report, file: OrderFile, parsed: Envelope, *, keys: Keys, trust: Trust
) -> Report:
    """Look at an order with one authority and grants file."""
    if trust.anyone is None:
        why = "authority and grants list nobody"
        return replace(report, looks=(*report.looks, Look("signatures", Held.NOT_CHECKED, why)))
    try:
        opened = parsed.open(kind=Kind.ORDER, trust=trust.anyone)
    except ThresholdError as error:
        look = _failed("signatures", error)
        made_s = max(trust.authority.document.created, trust.grants.document.created)
        if _drafted_s(file.envelope_bytes()) < made_s:
            why = "authority and grants were made after this order, and list nobody who signed it"
            look = Look("signatures", Held.NOT_CHECKED, why)
        return replace(report, looks=(*report.looks, look))
    except OsirisError as error:
        return replace(report, looks=(*report.looks, _failed("signatures", error)))
    return _opened(report, file, opened, keys=keys, trust=trust)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One order whose signatures were verified, and what it is held against."""

    file: OrderFile
    order: Order
    sid: bytes
    signers: tuple[Holder, ...]
    trust: Trust
    appliances: dict[str, KeyHistory]
    log_keys: tuple[PublicKey, ...]

    def made_after(self, what: str, document: Authority | Grants) -> str:
        """Return that a file was made after the order, in words; "" when it was not."""
        if document.created <= self.order.iat:
            return ""
        made = moment(document.created)
        return f"{what} {document.version} were made after this order, at {made}"


def _opened(report: Report, file: OrderFile, opened: Opened, *, keys: Keys, trust: Trust) -> Report:
    names = ", ".join(f"{one.person} ({one.key.key_id})" for one in opened.signers)
    looks = [*report.looks, Look("signatures", Held.PASSED, f"by {names}")]
    try:
        order = parse_order(opened.body)
        kind_of(order.type).params.from_value(order.params, "params")
    except OsirisError as error:
        return replace(report, looks=(*looks, _failed("body", error)))
    log_keys = keys.kept.log_keys(order.iat) if keys.kept is not None else ()
    appliances, said = _appliances(file, keys.appliances)
    seen = _Seen(file, order, opened.sid, opened.signers, trust, appliances, log_keys)
    looks += [
        Look("body", Held.PASSED, f"{order.type.value}, and its parameters fit it"),
        _grant(seen),
        _people(seen),
        _times(order),
        *_log(seen),
        *said,
        *_receipts(seen),
        _taken_as_given(trust),
        _INCOMPLETE,
    ]
    return Report(tuple(looks), order, opened.sid, opened.signers)


def _failed(what: str, error: OsirisError) -> Look:
    return Look(what, Held.FAILED, f"{error} [{error.code}]")


def _taken_as_given(trust: Trust) -> Look:
    versions = (
        f"authority {trust.authority.document.version}, grants {trust.grants.document.version}"
    )
    why = "were taken as given: whether release people and operators signed them is TUF's to verify"
    return Look("authority and grants", Held.NOT_CHECKED, f"{versions}: {why}")


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
    said = said if found else "no order key with a grant has signed"
    return _not_passed("grant", said, seen.made_after("grants", seen.trust.grants.document))


def _not_passed(what: str, said: str, later: str) -> Look:
    """Return that something failed, or was not checked where the file was made later."""
    if later:
        return Look(what, Held.NOT_CHECKED, f"{said}; {later}")
    return Look(what, Held.FAILED, said)


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


def _least(order: Order) -> Tier:
    """Return the least tier that it has by its bytes, at whichever second of its life."""
    return least_tier(order.type, order.params, at_s=order.exp)


def _people(seen: _Seen) -> Look:
    tier = _least(seen.order)
    needed, found = PEOPLE_BY_TIER[tier], _allowed(seen, tier)
    who = f": {', '.join(found)}" if found else ""
    said = f"{len(found)} who may sign for tier {tier.value}{who}; {needed} must"
    if len(found) >= needed:
        return Look("people", Held.PASSED, said)
    return _not_passed("people", said, seen.made_after("authority", seen.trust.authority.document))


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
            log_keys=seen.log_keys,
        ).checkpoint
        verify_inclusion(
            leaf_hash(file.envelope_bytes()),
            file.leaf.hashes(),
            index=index,
            size=head.size,
            root=head.root,
        )
    except note.NoteUnsignedError as error:
        later = seen.made_after("authority", seen.trust.authority.document)
        yield _not_passed("order log", f"{error} [{error.code}]", later)
        return
    except OsirisError as error:
        yield _failed("order log", error)
        return
    yield Look("order log", Held.PASSED, f"leaf {index} of {head.size}, signed by {file.origin}")
    size = order.drafted_size()
    held = Held.PASSED if size <= index < size + PREV_WINDOW else Held.FAILED
    yield Look("window", held, f"drafted at {size} leaves, logged as leaf {index}")


def _appliances(
    file: OrderFile, known: dict[str, PublicKey]
) -> tuple[dict[str, KeyHistory], list[Look]]:
    """Return which of an appliance's keys counts where, from one of them and its renewals."""
    found: dict[str, KeyHistory] = {}
    looks: list[Look] = []
    for name, key in sorted(known.items()):
        what, found[name] = f"keys of {name}", KeyHistory.of(key)
        try:
            shown = [one.shown() for one in file.renewals if one.appliance == name]
            found[name] = history_of(name, key, shown)
        except OsirisError as error:
            looks.append(_failed(what, error))
            continue
        if turns := found[name].turns[1:]:
            leaves = ", ".join(str(turn.leaf) for turn in turns)
            said = f"renewed by leaf {leaves} of its evidence, and the given one is among them"
            looks.append(Look(what, Held.PASSED, said))
    return found, looks


def _receipts(seen: _Seen) -> Iterator[Look]:
    if not seen.file.receipts:
        yield Look("receipts", Held.NOT_CHECKED, "the file holds none: what became of it is open")
    found: list[OrderReceipt] = []
    is_all = True
    for number, data in enumerate(seen.file.receipt_envelopes(), start=1):
        look, receipt = _receipt(data, seen)
        yield replace(look, what=f"receipt {number}")
        is_all = is_all and (receipt is not None or look.held is not Held.NOT_CHECKED)
        if receipt is not None and look.held is not Held.FAILED:
            found.append(receipt)
    yield from _lives(found, is_all=is_all)


def _receipt(data: bytes, seen: _Seen) -> tuple[Look, OrderReceipt | None]:
    holders = tuple(
        Holder(name, key) for name, had in sorted(seen.appliances.items()) for key in had.keys
    )
    if not holders:
        return Look("", Held.NOT_CHECKED, "no appliance's key was given"), None
    try:
        ring = KeyRing(holders)
        parsed = envelope.parse(data)
        if not any(ring.find(key_id) for key_id in parsed.key_ids):
            said = f"signed by {', '.join(parsed.key_ids)}, of which no key was given"
            return Look("", Held.NOT_CHECKED, said), None
        opened = parsed.open(kind=Kind.RECEIPT, trust=Threshold(ring))
        receipt = parse_receipt(opened.body)
    except OsirisError as error:
        return _failed("", error), None
    if not isinstance(receipt, OrderReceipt):
        return Look("", Held.FAILED, "is of no order"), None
    wrong = _mismatch(receipt, seen) or _unsigned(receipt, opened, seen)
    if wrong:
        return Look("", Held.FAILED, wrong), receipt
    return _tier_look(receipt, seen), receipt


def _unsigned(receipt: OrderReceipt, opened: Opened, seen: _Seen) -> str:
    """Return why a receipt is not its appliance's own; "" when it is."""
    signers = {holder.key for holder in opened.signers if holder.person == receipt.appliance}
    if not signers:
        return f"names {receipt.appliance}, which has not signed it"
    if seen.appliances[receipt.appliance].at(receipt.seq) not in signers:
        return f"is leaf {receipt.seq}, where another key of {receipt.appliance} counts"
    return ""


def _tier_look(receipt: OrderReceipt, seen: _Seen) -> Look:
    """Hold what an appliance ran an order as against who signed it."""
    if not isinstance(receipt, Intent):
        return Look("", Held.PASSED, _told(receipt))
    found, least = _allowed(seen, receipt.tier), _least(seen.order)
    said = f"accepted as tier {receipt.tier.value}, for which {len(found)} people signed"
    if receipt.tier < least:
        return Look("", Held.FAILED, said)
    if len(found) < PEOPLE_BY_TIER[receipt.tier]:
        later = seen.made_after("authority", seen.trust.authority.document)
        return _not_passed("", said, later)
    return Look("", Held.PASSED, _told(receipt))


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


def _told(receipt: OrderReceipt) -> str:
    if isinstance(receipt, Intent):
        people = ", ".join(receipt.people) or "nobody"
        return f"{receipt.appliance}: accepted as tier {receipt.tier.value}, signed by {people}"
    if isinstance(receipt, Result):
        return f"{receipt.appliance}: {receipt.outcome.value}"
    return f"{receipt.appliance}: {receipt.type}, {receipt.reason.value}"


def _lives(receipts: Collection[OrderReceipt], *, is_all: bool) -> Iterator[Look]:
    """Say of each appliance whether its receipts are one life: intent then result, or a refusal.

    `is_all`: every receipt of the file was looked at. Else the missing one may be among the others.
    """
    for name in sorted({one.appliance for one in receipts}):
        mine = sorted((one for one in receipts if one.appliance == name), key=lambda one: one.seq)
        kinds = [type(one) for one in mine]
        if kinds in ([Intent, Result], [Refusal]):
            yield Look(f"life at {name}", Held.PASSED, _told(mine[-1]))
        elif kinds == [Intent]:
            yield Look(f"life at {name}", Held.NOT_CHECKED, "accepted; its end is not in the file")
        elif kinds == [Result] and not is_all:
            why = "its beginning is not among the receipts that could be looked at"
            yield Look(f"life at {name}", Held.NOT_CHECKED, why)
        else:
            told = " then ".join(one.type for one in mine)
            yield Look(f"life at {name}", Held.FAILED, f"{told} is no life of an order")

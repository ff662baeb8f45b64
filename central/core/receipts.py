"""Receipts and words as rows: what became of each order, and who spoke, by an appliance's evidence.

A word of a person on the LAN counts by its own signed statement, which travels in the leaf: one
whose statement that appliance did not sign, or that says something else than the leaf, is named and
not kept. So is a veto that was heard of at another appliance. Of operators, evidence tells only
that they ended a hold: their words on orders are the hub's own to know. That counts as at the
appliance: two of the site's operators have signed it, by the authority of when the hub reads it or
of when the leaf is dated, as evidence may be late; or this hub verified the very bytes before, when
it passed them on.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from central.core.ingest import NewLeaf
from central.core.orders import ReceiptRow, SaidRow
from proto.appliance_keys import KeyHistory
from proto.authority import AuthoritySet
from proto.envelope import parse
from proto.errors import RejectedError
from proto.evidence import SaidBy, SaidLeaf, SaidWhat
from proto.keys import Holder
from proto.opinions import (
    Clear,
    Consent,
    LanVeto,
    OpinionScopeError,
    open_lan_veto,
    open_lan_word,
    open_operators_clear,
    open_taken_clear,
)
from proto.receipts import Intent, OrderReceipt, Refusal, Result

_WHAT: Final[Mapping[type, SaidWhat]] = {
    LanVeto: SaidWhat.VETO,
    Consent: SaidWhat.CONSENT,
    Clear: SaidWhat.CLEAR,
}


def receipt_rows(leaves: Iterable[NewLeaf]) -> Iterator[ReceiptRow]:
    """Yield the receipts for orders among some new leaves of an appliance's evidence."""
    for one in leaves:
        if isinstance(one.leaf, Intent | Result | Refusal):
            yield _row(one.index, one.leaf)


def _row(seq: int, receipt: OrderReceipt) -> ReceiptRow:
    code: str | None = None
    deadline_s: int | None = None
    match receipt:
        case Intent():
            deadline_s = receipt.deadline
        case Result():
            code = receipt.outcome.value
        case Refusal():
            code = receipt.reason.value
    return ReceiptRow(
        seq=seq,
        kind=receipt.type,
        leaf=receipt.leaf,
        leaf_hash=bytes.fromhex(receipt.leaf_hash),
        sid=None if receipt.order is None else bytes.fromhex(receipt.order),
        code=code,
        deadline_s=deadline_s,
        at_s=receipt.at,
    )


@dataclass(frozen=True, slots=True)
class Signers:
    """Whose signature bears out what an appliance's evidence tells.

    Attributes:
        appliance: whose evidence it is.
        keys: which of its keys counts where.
        neighbours: the keys of the site's other appliances, by id.
        operators: gives the authority that holds at a second; raises `RejectedError` for none.
        passed_on: SHA-256 of the ends of holds that this hub verified and passed on.
    """

    appliance: str
    keys: KeyHistory
    neighbours: Mapping[str, KeyHistory]
    operators: Callable[[int], AuthoritySet]
    passed_on: Collection[bytes] = ()

    def own(self, index: int) -> list[Holder]:
        """Return who may have signed what its leaf of this index carries."""
        return [Holder(self.appliance, key) for key in self.keys.lately(index)]

    def others(self, key_ids: Collection[str]) -> list[Holder]:
        """Return the other appliances at which these key ids hint."""
        named = ((one, keys.named(key_ids)) for one, keys in self.neighbours.items())
        return [Holder(one, key) for one, key in named if key is not None]


def said_rows(
    leaves: Iterable[NewLeaf], *, signers: Signers, now_s: int
) -> tuple[list[SaidRow], list[int]]:
    """Return what people said, as one appliance's new evidence tells it.

    Args:
        leaves: new leaves of its evidence.
        signers: whose statements count.
        now_s: the hub's now: the appliance signs by the time that orders are judged by, which may
            be ahead of its own clock, by which it dates its leaves.

    Returns:
        The words, and the leaves whose own statement does not bear them out.
    """
    rows: list[SaidRow] = []
    unproved: list[int] = []
    for one in leaves:
        if not isinstance(one.leaf, SaidLeaf):
            continue
        try:
            is_borne_out = _is_borne_out(one.index, one.leaf, signers, now_s=now_s)
        except RejectedError:
            is_borne_out = False
        if is_borne_out:
            rows.append(_said(one.index, one.leaf))
        else:
            unproved.append(one.index)
    return rows, unproved


def _is_borne_out(index: int, leaf: SaidLeaf, signers: Signers, *, now_s: int) -> bool:
    """Tell whether the statement in a leaf says what the leaf says.

    Raises:
        RejectedError: nobody whose word it could be has signed it.
    """
    statement, at_s = leaf.envelope(), max(leaf.at, now_s)
    word: LanVeto | Consent | Clear
    if leaf.by is SaidBy.OPERATORS:
        word = _operators_clear(leaf, signers, now_s=at_s)
        if (word.site, word.appliance) != (leaf.site, signers.appliance):
            return False
    elif leaf.by is SaidBy.LAN:
        holder = _signer(statement, signers.own(index))
        word = open_lan_word(statement, site=leaf.site, appliance=holder, now_s=at_s)
    else:
        holder = _signer(statement, signers.others(parse(statement).key_ids))
        word = open_lan_veto(statement, site=leaf.site, appliance=holder, now_s=at_s)
    order = None if isinstance(word, Clear) else word.order
    since = word.since if isinstance(word, Clear) else None
    said = (_WHAT[type(word)], order, since, word.by)
    return said == (leaf.what, leaf.order, leaf.since, leaf.actor)


def _operators_clear(leaf: SaidLeaf, signers: Signers, *, now_s: int) -> Clear:
    """Return the end of a hold that operators signed, as a leaf carries it.

    Raises:
        RejectedError: those who must have signed it did not, by any authority that may count.
    """
    statement = leaf.envelope()
    digest = hashlib.sha256(statement).digest()
    if digest in signers.passed_on:
        return open_taken_clear(statement, digest=digest)
    try:
        authority = signers.operators(now_s)
        return open_operators_clear(statement, authority=authority, now_s=now_s)
    except RejectedError:
        authority = signers.operators(leaf.at)
        return open_operators_clear(statement, authority=authority, now_s=leaf.at)


def _signer(statement: bytes, holders: Iterable[Holder]) -> Holder:
    """Return at whom a statement's key ids hint; whether that one signed is for who opens it."""
    key_ids = parse(statement).key_ids
    for holder in holders:
        if holder.key.key_id in key_ids:
            return holder
    msg = "the statement names no key of whoever must have signed it"
    raise OpinionScopeError(msg)


def _said(seq: int, leaf: SaidLeaf) -> SaidRow:
    return SaidRow(
        seq=seq,
        what=leaf.what.value,
        by_whom=leaf.by.value,
        actor=leaf.actor,
        sid=None if leaf.order is None else bytes.fromhex(leaf.order),
        since_s=leaf.since,
        statement=leaf.envelope(),
        at_s=leaf.at,
    )

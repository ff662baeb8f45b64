"""Receipts and words as rows: what became of each order, and who spoke, by an appliance's evidence.

A word of a person on the LAN counts by its own signed statement, which travels in the leaf: one
whose statement the appliance did not sign, or that says something else than the leaf, is named and
not kept.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from central.core.ingest import NewLeaf
from central.core.orders import ReceiptRow, SaidRow
from proto.appliance_keys import KeyHistory
from proto.errors import RejectedError
from proto.evidence import SaidBy, SaidLeaf, SaidWhat
from proto.keys import Holder
from proto.opinions import Clear, Consent, LanVeto, open_lan_word
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


def said_rows(
    leaves: Iterable[NewLeaf], *, appliance: str, keys: KeyHistory
) -> tuple[list[SaidRow], list[int]]:
    """Return what people said, as one appliance's new evidence tells it.

    Args:
        leaves: new leaves of its evidence.
        appliance: whose it is.
        keys: which of its keys counts where.

    Returns:
        The words, and the leaves whose own statement does not bear them out.
    """
    rows: list[SaidRow] = []
    unproved: list[int] = []
    for one in leaves:
        if not isinstance(one.leaf, SaidLeaf):
            continue
        signers = (Holder(appliance, key) for key in keys.lately(one.index))
        is_own = one.leaf.by is SaidBy.LAN
        if is_own and not any(_is_borne_out(one.leaf, by) for by in signers):
            unproved.append(one.index)
            continue
        rows.append(_said(one.index, one.leaf))
    return rows, unproved


def _is_borne_out(leaf: SaidLeaf, by: Holder) -> bool:
    try:
        word = open_lan_word(leaf.envelope(), site=leaf.site, appliance=by, now_s=leaf.at)
    except RejectedError:
        return False
    order = None if isinstance(word, Clear) else word.order
    since = word.since if isinstance(word, Clear) else None
    said = (_WHAT[type(word)], order, since, word.by)
    return said == (leaf.what, leaf.order, leaf.since, leaf.actor)


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

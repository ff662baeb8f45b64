"""Receipts as rows: what an appliance's evidence says became of each order."""

from collections.abc import Iterable, Iterator

from central.core.ingest import NewLeaf
from central.core.orders import ReceiptRow
from proto.receipts import Intent, OrderReceipt, Refusal, Result


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

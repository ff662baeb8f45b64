"""Receipts: what became of each order leaf, signed by the appliance and linked one to the next.

```
{"v":1,"type":"intent","site":"s-..","appliance":"a-..","seq":<n>,"fleet":"..","at":<s>,
 "floor":<s>,"prev":"<hex sid of the receipt before>","leaf":<index>,"leaf_hash":"<hex>", ..}
```

- `intent`: the gate accepted it; written in one transaction with the ledger, before it runs;
- `result`: how the run ended: done, failed or unknown (what a crash left open is never run again);
- `refused`, `vetoed`, `expired`: it never ran; `code` says why.

Every order leaf gets exactly one final receipt: result after intent, or one of the last three.
`clock` is the one receipt of no order: a person on the LAN or a new root set the floor clock.
Between two receipts the floor may have risen by heads: `was` is at least what the one before says.

Receipts are leaves of the appliance's own evidence log, so nothing can be taken out of it; `prev`
links them besides, so that a part that was cut out, put back in another order or dated back shows
without the log. From them an appliance that lost its disk rebuilds its ledger and its clock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from proto import strict_json
from proto.envelope import BODY_BYTES_MAX, Kind, sid
from proto.errors import IntegrityError, MalformedError
from proto.message import (
    ApplianceIdField,
    B64Of32,
    CodeName,
    Count,
    Hex256,
    Message,
    Seconds,
    SiteIdField,
    VersionOne,
)
from proto.order_codes import Code
from proto.orders.kinds import Nonce, OrderType, Tier

FIRST_PREV: Final = "0" * 64
"""What the first receipt of an appliance is linked to."""


class ReceiptChainError(IntegrityError):
    """A receipt that does not follow the ones before it."""

    code = "receipt_chain"


class ReceiptDateError(IntegrityError):
    """A receipt that is dated before a time that the appliance had already verified."""

    code = "receipt_backdated"


class Outcome(StrEnum):
    """How a run ended; required, never defaulted."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


class _Receipt(Message):
    v: VersionOne
    site: SiteIdField
    appliance: ApplianceIdField
    seq: Count
    fleet: Annotated[str, Field(pattern=r"\A[0-9]{1,16}:[A-Za-z0-9+/]{43}=\z")]
    at: Seconds
    floor: Seconds
    prev: Hex256


class _OfLeaf(_Receipt):
    leaf: Count
    leaf_hash: Hex256


class Intent(_OfLeaf):
    """The order was accepted, and is about to run."""

    type: Literal["intent"]
    order: Hex256
    nonce: Nonce
    order_type: Annotated[OrderType, Field(strict=False)]
    tier: Annotated[Tier, Field(strict=False)]
    people: Annotated[tuple[CodeName, ...], Field(strict=False, max_length=8)]
    deadline: Seconds


class Result(_OfLeaf):
    """How it ended; `commit` is SHA-256(salt || detail), whose detail lies beside the log."""

    type: Literal["result"]
    order: Hex256
    nonce: Nonce
    outcome: Annotated[Outcome, Field(strict=False)]
    commit: B64Of32


class Refusal(_OfLeaf):
    """It never ran. `order` and `nonce` are null when the leaf's bytes could not be believed."""

    type: Literal["refused", "vetoed", "expired"]
    order: Hex256 | None
    nonce: Nonce | None
    reason: Annotated[Code, Field(strict=False)]


class ClockSet(_Receipt):
    """The floor clock was set to `floor`, from `was`, by a person on the LAN or a new root.

    `commit` is over a person's reason, which stays on the appliance; a root gives none.
    """

    type: Literal["clock"]
    was: Seconds
    by: Literal["lan", "root"]
    account: CodeName
    commit: B64Of32 | None


OrderReceipt = Intent | Result | Refusal
Receipt = OrderReceipt | ClockSet
_MODELS: Mapping[str, type[Receipt]] = {
    "intent": Intent,
    "result": Result,
    "refused": Refusal,
    "vetoed": Refusal,
    "expired": Refusal,
    "clock": ClockSet,
}


def parse_receipt(body: bytes) -> Receipt:
    """Read the verified body of a receipt.

    Raises:
        MalformedError: not strict JSON, an unknown type, or a member out of its schema.
    """
    value = strict_json.loads(body, size_bytes_max=BODY_BYTES_MAX, where="receipt")
    model = _MODELS.get(str(value.get("type"))) if isinstance(value, dict) else None
    if model is None:
        msg = f"receipt.type: not one of {', '.join(_MODELS)}"
        raise MalformedError(msg)
    return model.from_value(value, "receipt")


def is_final(receipt: Receipt) -> bool:
    """Tell whether nothing more follows for the leaf."""
    return isinstance(receipt, Result | Refusal)


@dataclass(frozen=True, slots=True)
class Link:
    """Where the next receipt goes: its `prev`, and the floor it must not be dated before."""

    prev: str = FIRST_PREV
    floor: int = 0
    seq: int = -1


class Chain:
    """An appliance's receipts as far as they were followed; it only moves forward.

    Attributes:
        link: where the next one goes.
        open: leaf index -> the intent that has no result yet.
        closed: the leaves that have their final receipt.
    """

    __slots__ = ("closed", "link", "open")

    def __init__(self) -> None:
        """Begin before the first receipt."""
        self.link = Link()
        self.open: dict[int, Intent] = {}
        self.closed: set[int] = set()

    def follow(self, body: bytes) -> Receipt:
        """Take one more receipt, given by its verified body, and return it; or change nothing.

        Raises:
            MalformedError: not a receipt.
            ReceiptChainError: it does not follow: another `prev`, a lower `seq`, a second final
                receipt or a second intent for a leaf, a result without its intent.
            ReceiptDateError: it is dated before the floor, or lowers it without saying so.
        """
        receipt = parse_receipt(body)
        self._check_link(receipt)
        self._check_date(receipt)
        if not isinstance(receipt, ClockSet):
            self._check_life(receipt)
            if isinstance(receipt, Intent):
                self.open[receipt.leaf] = receipt
            else:
                self.open.pop(receipt.leaf, None)
                self.closed.add(receipt.leaf)
        self.link = Link(sid(Kind.RECEIPT, body).hex(), receipt.floor, receipt.seq)
        return receipt

    def _check_link(self, receipt: Receipt) -> None:
        if receipt.prev != self.link.prev or receipt.seq <= self.link.seq:
            msg = f"receipt {receipt.seq}: does not follow receipt {self.link.seq}"
            raise ReceiptChainError(msg)

    def _check_date(self, receipt: Receipt) -> None:
        is_lowered = isinstance(receipt, ClockSet) and receipt.was >= self.link.floor
        if receipt.at < receipt.floor or (receipt.floor < self.link.floor and not is_lowered):
            msg = f"receipt {receipt.seq}: dated before {self.link.floor}, which had passed"
            raise ReceiptDateError(msg)

    def _check_life(self, receipt: OrderReceipt) -> None:
        where = f"receipt {receipt.seq} of leaf {receipt.leaf}"
        intent = self.open.get(receipt.leaf)
        if receipt.leaf in self.closed:
            msg = f"{where}: the leaf has its final receipt"
            raise ReceiptChainError(msg)
        if isinstance(receipt, Result):
            if intent is None or intent.order != receipt.order:
                msg = f"{where}: a result without its intent"
                raise ReceiptChainError(msg)
        elif intent is not None:
            msg = f"{where}: the leaf has its intent"
            raise ReceiptChainError(msg)


@dataclass(frozen=True, slots=True)
class Orphans:
    """What a log and its receipts do not explain of each other.

    Attributes:
        leaves: order leaves without a final receipt.
        receipts: receipts of leaves that are not in the log, or are other bytes there.
        changes: changes (a heal's order sid) for which there is no intent.
    """

    leaves: tuple[int, ...]
    receipts: tuple[int, ...]
    changes: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Tell whether everything is explained, both ways."""
        return not (self.leaves or self.receipts or self.changes)


def orphans(
    leaf_hashes: Mapping[int, bytes],
    receipts: Iterable[Receipt],
    *,
    changes: Iterable[str] = (),
) -> Orphans:
    """Compare an order log with the receipts of one appliance, both ways.

    Args:
        leaf_hashes: the order leaves that the appliance must answer: index -> leaf hash.
        receipts: all its receipts.
        changes: the hex sids of the orders that heals in its evidence name as their cause.
    """
    final: set[int] = set()
    stray: set[int] = set()
    intents: set[str] = set()
    for receipt in receipts:
        if isinstance(receipt, ClockSet):
            continue
        if leaf_hashes.get(receipt.leaf, b"").hex() != receipt.leaf_hash:
            stray.add(receipt.seq)
            continue
        if isinstance(receipt, Intent):
            intents.add(receipt.order)
        if is_final(receipt):
            final.add(receipt.leaf)
    return Orphans(
        leaves=tuple(sorted(set(leaf_hashes) - final)),
        receipts=tuple(sorted(stray)),
        changes=tuple(sorted(set(changes) - intents)),
    )


def receipt_sid(body: bytes) -> str:
    """Return a receipt's name in hex: what the next one's `prev` says."""
    return sid(Kind.RECEIPT, body).hex()

"""Receipts for orders, written into the evidence log and linked one to the next.

The link is kept beside the log, in the row of `order_state`, and moves in the same transaction.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import aiosqlite

from appliance.core.order_gate.answers import Stamp
from appliance.core.records import Draft, Opening
from appliance.store import evidence, own_keys
from appliance.store.evidence import Scribe
from proto.envelope import Kind, open_envelope
from proto.errors import IntegrityError
from proto.evidence import NO_FLEET
from proto.receipts import Intent, Receipt, parse_receipt, receipt_sid

NOTHING: Mapping[str, Opening] = MappingProxyType({})


class Pen:
    """Writes receipts of one transaction, in order.

    Attributes:
        prev: the sid of the newest receipt; after `write`, what the store must keep.
    """

    def __init__(self, scribe: Scribe, *, prev: str, now_s: int, floor_s: int) -> None:
        """Begin after the receipt `prev`, at the time by which orders are judged."""
        self.prev = prev
        self._scribe = scribe
        self._now_s = now_s
        self._floor_s = floor_s
        self._drafts: list[Draft] = []

    def add(
        self, make: Callable[[Stamp], Receipt], openings: Mapping[str, Opening] = NOTHING
    ) -> int:
        """Take one more receipt and return its place among those of this transaction."""

        def leaf(seq: int) -> Receipt:
            return make(
                Stamp(
                    site=self._scribe.site,
                    appliance=self._scribe.appliance,
                    seq=seq,
                    fleet=NO_FLEET,
                    at=self._now_s,
                    floor=self._floor_s,
                    prev=self.prev,
                )
            )

        self._drafts.append(Draft(leaf, openings, self._link))
        return len(self._drafts) - 1

    def _link(self, body: bytes) -> None:
        self.prev = receipt_sid(body)

    async def write(self, conn: aiosqlite.Connection) -> list[int]:
        """Append all receipts to the evidence log and return their leaves, by place."""
        if not self._drafts:
            return []
        drafts, self._drafts = self._drafts, []
        written = await evidence.append(conn, self._scribe, drafts)
        await conn.execute("UPDATE order_state SET receipt_prev = ?", (self.prev,))
        return written


async def intent_at(conn: aiosqlite.Connection, scribe: Scribe, leaf: int) -> Intent:
    """Return the intent receipt that is an evidence leaf.

    Raises:
        IntegrityError: it is not there, or is none that this appliance signed.
    """
    rows = await conn.execute_fetchall("SELECT leaf FROM evidence WHERE idx = ?", (leaf,))
    keys = await own_keys.history(conn, scribe.key.public)
    for row in rows:
        if row["leaf"] is not None:
            opened = open_envelope(row["leaf"], kind=Kind.RECEIPT, trust=keys.trust(leaf))
            receipt = parse_receipt(opened.body)
            if isinstance(receipt, Intent):
                return receipt
    msg = f"evidence leaf {leaf} is not the intent of an order"
    raise IntegrityError(msg)

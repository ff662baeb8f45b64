"""From a verdict to what is written: the ledger's row and the receipt, made from the same values.

The store writes both in one transaction; this module decides what they say, so that they cannot
disagree. A receipt's stamp holds what the log gives it: its place and the link to the one before.
"""

from dataclasses import dataclass
from typing import Any, Literal

from appliance.core.order_gate.ledger import Entry, State
from appliance.core.order_gate.values import Accepted, LeafRef, Refused
from proto.errors import MalformedError
from proto.order_codes import Answer
from proto.receipts import ClockSet, Intent, Outcome, Refusal, Result


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every receipt begins with.

    Attributes:
        seq: its place in the appliance's evidence log.
        fleet: the newest fleet checkpoint seen.
        at: the appliance's now, seconds.
        floor: the floor clock.
        prev: the sid of the receipt before, hex.
    """

    site: str
    appliance: str
    seq: int
    fleet: str
    at: int
    floor: int
    prev: str

    def members(self) -> dict[str, Any]:
        """Return these as members of a receipt."""
        return {
            "site": self.site,
            "appliance": self.appliance,
            "seq": self.seq,
            "fleet": self.fleet,
            "at": self.at,
            "floor": self.floor,
            "prev": self.prev,
        }


def intent_of(accepted: Accepted, stamp: Stamp) -> Intent:
    """Return the receipt that is durable, with `accepted.entry`, before the order runs."""
    ref, order = accepted.read.ref, accepted.read.order
    return Intent(
        v=1,
        type="intent",
        leaf=ref.index,
        leaf_hash=ref.leaf_hash.hex(),
        order=accepted.read.sid,
        nonce=order.nonce,
        order_type=order.type,
        tier=accepted.tier,
        people=accepted.people,
        deadline=accepted.deadline_s,
        **stamp.members(),
    )


def result_of(ref: LeafRef, stamp: Stamp, *, outcome: Outcome, commit: str) -> Result:
    """Return the final receipt of a run; what a crash left open has the outcome "unknown".

    `commit` is base64 SHA-256(salt || detail).
    """
    if ref.sid is None or ref.nonce is None:
        msg = f"leaf {ref.index}: only an order that was read can have run"
        raise MalformedError(msg)
    return Result(
        v=1,
        type="result",
        leaf=ref.index,
        leaf_hash=ref.leaf_hash.hex(),
        order=ref.sid,
        nonce=ref.nonce,
        outcome=outcome,
        commit=commit,
        **stamp.members(),
    )


_FINAL: dict[Answer, Literal["refused", "vetoed", "expired"]] = {
    Answer.REFUSED: "refused",
    Answer.VETOED: "vetoed",
    Answer.EXPIRED: "expired",
}


def refusal_of(refused: Refused, stamp: Stamp) -> Refusal:
    """Return the final receipt of an order that never runs.

    It names the order only when people stand behind it: else the bytes prove nothing about it.
    """
    leaf = refused.leaf
    return Refusal(
        v=1,
        type=_FINAL[refused.reason.answer],
        leaf=leaf.index,
        leaf_hash=leaf.leaf_hash.hex(),
        order=leaf.sid if refused.is_believed else None,
        nonce=leaf.nonce if refused.is_believed else None,
        reason=refused.code,
        **stamp.members(),
    )


def row_of(refused: Refused, *, now_s: int) -> Entry:
    """Return the ledger's row of an order that never runs."""
    leaf = refused.leaf
    if refused.is_believed:
        return Entry(leaf.index, leaf.sid, leaf.nonce, State.ENDED, now_s)
    return Entry(leaf.index, None, None, State.REFUSED, now_s)


def clock_of(
    stamp: Stamp,
    *,
    was: int,
    by: Literal["lan", "root"],
    account: str,
    commit: str | None = None,
) -> ClockSet:
    """Return the receipt that says who lowered the floor clock; `stamp.floor` is the new one."""
    return ClockSet(
        v=1, type="clock", was=was, by=by, account=account, commit=commit, **stamp.members()
    )

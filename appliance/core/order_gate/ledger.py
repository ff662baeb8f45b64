"""The ledger: which leaf of the order log came to what, and which sids and nonces are used.

| from | to | when |
|---|---|---|
| - | waiting | every check passed, and people may still object |
| -, waiting | running | the intent receipt is written, in the same transaction |
| -, waiting | ended | refused for good, vetoed, cancelled or expired |
| - | refused | verification failed: nothing is used up |
| running | done | the result receipt is written |

A leaf has one row. A sid and a nonce are used from the first of waiting, running and ended, and are
never freed: not by a failed run, not by a crash. A failed verification uses up nothing, so a forged
or stripped copy of an order cannot end the order. Rows that are settled and older than 4096 leaves
are forgotten: an order drafted that long ago falls out of its window without any clock.

This object is the pure model of what the store does in SQL; each method is one transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

from proto.errors import ConflictError
from proto.invariants import require
from proto.order_codes import Code
from proto.receipts import ClockSet, Intent, Receipt, Refusal, Result

ROWS_MAX: Final = 4096


class State(StrEnum):
    """Where a leaf stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    ENDED = "ended"
    REFUSED = "refused"


TURNS: Final = {
    None: frozenset({State.WAITING, State.RUNNING, State.ENDED, State.REFUSED}),
    State.WAITING: frozenset({State.WAITING, State.RUNNING, State.ENDED}),
    State.RUNNING: frozenset({State.DONE}),
    State.DONE: frozenset[State](),
    State.ENDED: frozenset[State](),
    State.REFUSED: frozenset[State](),
}
SETTLED: Final = frozenset({State.DONE, State.ENDED, State.REFUSED})


class ReplayError(ConflictError):
    """A sid or a nonce that is used; `reason` says which."""

    code = "replay"

    def __init__(self, message: str, *, reason: Code) -> None:
        """Keep the reason code."""
        super().__init__(message)
        self.reason = reason


class TurnError(ConflictError):
    """A leaf that has come to something else already: nothing is written."""

    code = "ledger_turn"


@dataclass(frozen=True, slots=True)
class Entry:
    """One leaf's row.

    Attributes:
        sid: the order's name in hex; None for bytes that could not be believed.
        since_s: since when it waits, or when it was settled.
    """

    index: int
    sid: str | None
    nonce: str | None
    state: State
    since_s: int


@dataclass(frozen=True, slots=True)
class LedgerView:
    """What the ledger and the log know of one order, looked up before it is judged.

    Attributes:
        by_sid: the row that uses its sid.
        by_nonce: the row that uses its nonce.
        root_then: the mirrored log's root at the size that the order names; None if unknown.
        waiting: the sids of all orders that wait.
        is_rebuilding: the appliance is behind its own acknowledged head and rebuilds this ledger.
    """

    by_sid: Entry | None = None
    by_nonce: Entry | None = None
    root_then: bytes | None = None
    waiting: frozenset[str] = frozenset()
    is_rebuilding: bool = False


class Ledger:
    """All rows. It only moves forward."""

    __slots__ = ("_by_nonce", "_by_sid", "_rows", "_waiting")

    def __init__(self) -> None:
        """Begin without any."""
        self._rows: dict[int, Entry] = {}
        self._by_sid: dict[str, int] = {}
        self._by_nonce: dict[str, int] = {}
        self._waiting: dict[int, str] = {}

    @classmethod
    def holding(cls, rows: Iterable[Entry]) -> Self:
        """Return a ledger that holds rows as they were written, for a store to go on from."""
        made = cls()
        for entry in rows:
            made._keep(entry)
        return made

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self._rows)

    def row(self, index: int) -> Entry | None:
        """Return a leaf's row."""
        return self._rows.get(index)

    def view(
        self, sid: str, nonce: str, *, root_then: bytes | None, is_rebuilding: bool = False
    ) -> LedgerView:
        """Return what is known of one order."""
        rows, nowhere = self._rows, -1
        return LedgerView(
            by_sid=rows.get(self._by_sid.get(sid, nowhere)),
            by_nonce=rows.get(self._by_nonce.get(nonce, nowhere)),
            root_then=root_then,
            waiting=frozenset(self._waiting.values()),
            is_rebuilding=is_rebuilding,
        )

    def put(self, entry: Entry) -> None:
        """Write a row; everything that must hold is checked here again, in the transaction.

        A run is settled by `finish`, not here.

        Raises:
            TurnError: the leaf has come to something else already.
            ReplayError: another leaf uses the sid, or another order the nonce.
        """
        held = self._rows.get(entry.index)
        is_turn = entry.state in TURNS[held.state if held else None]
        if entry.state is State.DONE or not is_turn:
            msg = f"leaf {entry.index}: is {held.state if held else 'new'}, not to be {entry.state}"
            raise TurnError(msg)
        if entry.state is State.REFUSED:
            self._rows[entry.index] = entry
            return
        self._check_use(entry)
        # Earlier than first seen is a clock that was set back: the wait begins anew, and does not
        # last until that clock has caught up.
        is_waiting = held is not None and entry.state is State.WAITING
        since_s = min(held.since_s, entry.since_s) if held and is_waiting else entry.since_s
        self._keep(entry if since_s == entry.since_s else replace(entry, since_s=since_s))

    def _keep(self, entry: Entry) -> None:
        self._rows[entry.index] = entry
        if entry.sid is not None and entry.nonce is not None:
            self._by_sid[entry.sid] = entry.index
            self._by_nonce[entry.nonce] = entry.index
            if entry.state is State.WAITING:
                self._waiting[entry.index] = entry.sid
            else:
                self._waiting.pop(entry.index, None)

    def _check_use(self, entry: Entry) -> None:
        require(entry.sid is not None and entry.nonce is not None, "only believed orders are used")
        index = entry.index
        of_sid = self._by_sid.get(entry.sid or "", index)
        of_nonce = self._by_nonce.get(entry.nonce or "", index)
        if of_sid == index == of_nonce:
            return
        reason, other = Code.REPLAY_NONCE, of_nonce
        if of_sid != index:
            reason, other = Code.REPLAY_SID, of_sid
        msg = f"leaf {index}: {reason} of leaf {other}"
        raise ReplayError(msg, reason=reason)

    def finish(self, index: int, *, now_s: int) -> None:
        """Settle a run, however it ended; raises `TurnError` when the leaf does not run."""
        held = self._rows.get(index)
        if held is None or held.state is not State.RUNNING:
            msg = f"leaf {index}: does not run"
            raise TurnError(msg)
        self._rows[index] = replace(held, state=State.DONE, since_s=now_s)

    def unfinished(self) -> tuple[Entry, ...]:
        """Return what ran when the process ended: its outcome is unknown, it is not run again."""
        return tuple(one for one in self._rows.values() if one.state is State.RUNNING)

    def waiting(self) -> tuple[Entry, ...]:
        """Return what waits, oldest leaf first."""
        return tuple(self._rows[index] for index in sorted(self._waiting))

    def prune(self, log_size: int) -> None:
        """Forget settled rows that are more than 4096 leaves old."""
        old = [
            one
            for one in self._rows.values()
            if one.index < log_size - ROWS_MAX and one.state in SETTLED
        ]
        for entry in old:
            del self._rows[entry.index]
            for used, what in ((self._by_sid, entry.sid), (self._by_nonce, entry.nonce)):
                if what is not None and used.get(what) == entry.index:
                    del used[what]


def rebuild(
    receipts: Iterable[Receipt], *, onto: Ledger | None = None, floor_s: int = 0
) -> tuple[Ledger, int]:
    """Return the ledger and the floor, in seconds, that an appliance's own receipts tell.

    For an appliance whose disk was put back to an earlier day: it fetches its receipts from the
    hub's mirror, verified as its own log, before it acts on any order. What waited waits anew.

    Args:
        receipts: those that were lost, in order.
        onto: the ledger of that earlier day, which they go on from; None for none at all.
        floor_s: its floor.
    """
    ledger = Ledger() if onto is None else onto
    for receipt in receipts:
        floor_s = receipt.floor if isinstance(receipt, ClockSet) else max(floor_s, receipt.floor)
        if isinstance(receipt, Intent):
            row = Entry(receipt.leaf, receipt.order, receipt.nonce, State.RUNNING, receipt.at)
            ledger.put(row)
        elif isinstance(receipt, Result):
            ledger.finish(receipt.leaf, now_s=receipt.at)
        elif isinstance(receipt, Refusal):
            is_believed = receipt.order is not None and receipt.nonce is not None
            state = State.ENDED if is_believed else State.REFUSED
            ledger.put(Entry(receipt.leaf, receipt.order, receipt.nonce, state, receipt.at))
    return ledger, floor_s

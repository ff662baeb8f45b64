"""An appliance's life with orders: a durable ledger and receipts, a hostile hub, the power going.

What is durable is `ledger`, `receipts` and `floor`; verdicts and runs are memory, which a crash
forgets. `check` says what must hold after every step.
"""

from collections import Counter
from dataclasses import replace

from appliance.core.order_gate import answers, gate
from appliance.core.order_gate.answers import Stamp
from appliance.core.order_gate.clock import Floor
from appliance.core.order_gate.ledger import Ledger, ReplayError, State, TurnError, rebuild
from appliance.core.order_gate.values import (
    Accepted,
    LeafRef,
    Moment,
    Refused,
    Said,
    Verdict,
    Waiting,
)
from proto import strict_json
from proto.evidence import NO_FLEET, commit
from proto.merkle import leaf_hash
from proto.orders.kinds import OrderType
from proto.receipts import FIRST_PREV, Chain, Outcome, Receipt, Refusal, parse_receipt, receipt_sid
from tests.unit.core_values import SITE
from tests.unit.order_world import (
    APPLIANCE,
    EARLIER_LEAVES,
    NOW,
    SITUATION,
    OrderLog,
    body,
    signed,
)

LEAVES_MAX = 24
SETTLED = {State.DONE, State.ENDED, State.REFUSED}
COMMIT = strict_json.b64_encode(commit(b"salt", b"detail"))


class Life:
    """The appliance and its hub."""

    def __init__(self) -> None:
        """Begin enrolled, with an empty ledger and one order."""
        self.log = OrderLog()
        self.ledger = Ledger()
        self.receipts: list[bytes] = []
        self.refs: dict[int, LeafRef] = {}
        self.envelopes: list[bytes] = []
        self.ran: Counter[str] = Counter()
        self.ran_nonces: Counter[str] = Counter()
        self.judged: list[Verdict] = []
        self.to_run: list[Accepted] = []
        self.running: list[Accepted] = []
        self.clock_s = NOW
        self.floor = Floor(NOW - 100)
        self.vetoed: set[str] = set()
        self.log_order("run_drift", 0, ())

    @property
    def now_s(self) -> int:
        """The appliance's now."""
        return self.floor.now_s(self.clock_s)

    @property
    def is_full(self) -> bool:
        """Whether the log is as long as a test needs it."""
        return len(self.log.leaves) >= LEAVES_MAX

    def log_order(self, name: str, nonce: int, people: tuple[str, ...]) -> None:
        """Log an order; one nonce may come again with another body."""
        prev = self.log.place(EARLIER_LEAVES).as_text()
        document = body(OrderType(name), nonce=f"{nonce:032x}", prev=prev, exp=NOW + 50_000)
        self.envelopes.append(signed(document, *people))
        self.log.append(self.envelopes[-1])

    def log_again(self, which: int, *, is_spoilt: bool) -> None:
        """Log an old envelope at a new index, as it was or with a signature changed."""
        leaf = self.envelopes[which % len(self.envelopes)]
        place = leaf.index(b'"sig":"') + len(b'"sig":"')
        other = b"B" if leaf[place : place + 1] == b"A" else b"A"
        self.log.append(leaf[:place] + other + leaf[place + 1 :] if is_spoilt else leaf)

    def judge(self, index: int) -> None:
        """Judge one leaf by the ledger as it is; the verdict is kept in memory."""
        self.judged.append(self._verdict(index))

    def judge_every_leaf(self) -> None:
        """As workers would that all looked at the ledger before any of them wrote."""
        for index in range(EARLIER_LEAVES, len(self.log.leaves)):
            self.judge(index)

    def _verdict(self, index: int) -> Verdict:
        found = gate.read(self.log.delivery(index), head=self.log.place(), trust=SITUATION.trust)
        if isinstance(found, Refused):
            self.refs[index] = LeafRef(index, leaf_hash(self.log.leaves[index]))
            return found
        self.refs[index] = found.ref
        root_then = self.log.place(EARLIER_LEAVES).root
        situation = replace(
            SITUATION,
            ledger=self.ledger.view(found.sid, found.order.nonce, root_then=root_then),
            moment=Moment(self.now_s, self.clock_s, self.clock_s),
            said=Said(vetoed_by="bea" if found.sid in self.vetoed else None),
            place=replace(SITUATION.place, ring=1),
        )
        return gate.judge(found, situation)

    def write(self, place: int) -> None:
        """One transaction of one verdict, or nothing."""
        verdict = self.judged.pop(place % len(self.judged))
        try:
            if isinstance(verdict, Accepted):
                self.ledger.put(verdict.entry)
                self._log_receipt(answers.intent_of(verdict, self._stamp()))
                self.to_run.append(verdict)
            elif isinstance(verdict, Waiting):
                assert verdict.entry is not None
                self.ledger.put(verdict.entry)
            else:
                self.ledger.put(answers.row_of(verdict, now_s=self.now_s))
                self._log_receipt(answers.refusal_of(verdict, self._stamp()))
        except (ReplayError, TurnError):
            return

    def run(self) -> None:
        """Run what was written."""
        for accepted in self.to_run:
            self.ran[accepted.read.sid] += 1
            self.ran_nonces[accepted.read.order.nonce] += 1
        self.running += self.to_run
        self.to_run = []

    def end_runs(self, outcome: Outcome) -> None:
        """Write the results of what runs."""
        for accepted in self.running:
            self._result(accepted.entry.index, accepted.read.ref, outcome)
        self.running = []

    def lose_power(self, *, is_disk_lost: bool) -> None:
        """Forget memory; without the disk, rebuild from the mirrored receipts. Then recover."""
        self.judged, self.to_run, self.running = [], [], []
        if is_disk_lost:
            self.ledger, floor_s = rebuild(parse_receipt(one) for one in self.receipts)
            self.floor = Floor(max(floor_s, NOW - 100))
        for row in self.ledger.unfinished():
            self._result(row.index, self.refs[row.index], Outcome.UNKNOWN)

    def move_clock(self, by_s: int, *, is_signed: bool) -> None:
        """Set the clock forward or back; a signed time is kept as the floor."""
        self.clock_s = max(NOW - 5_000, self.clock_s + by_s)
        if is_signed:
            self.floor = self.floor.after_online(self.clock_s, clock_s=self.clock_s)

    def veto(self, which: int) -> None:
        """Somebody vetoes an order that was seen."""
        known = sorted({ref.sid for ref in self.refs.values() if ref.sid})
        if known:
            self.vetoed.add(known[which % len(known)])

    def _result(self, index: int, ref: LeafRef, outcome: Outcome) -> None:
        self.ledger.finish(index, now_s=self.now_s)
        self._log_receipt(answers.result_of(ref, self._stamp(), outcome=outcome, commit=COMMIT))

    def _stamp(self) -> Stamp:
        prev = receipt_sid(self.receipts[-1]) if self.receipts else FIRST_PREV
        seq = len(self.receipts)
        return Stamp(SITE, APPLIANCE, seq, NO_FLEET, self.now_s, self.floor.at_s, prev)

    def _log_receipt(self, receipt: Receipt) -> None:
        self.receipts.append(receipt.to_bytes())

    def check(self) -> None:
        """Nothing ran twice, one end for each leaf, ledger and receipts agree."""
        assert all(times == 1 for times in self.ran.values())
        assert all(times == 1 for times in self.ran_nonces.values())
        chain, ended = Chain(), set()
        for one in self.receipts:
            receipt = chain.follow(one)
            if isinstance(receipt, Refusal) and receipt.order is not None:
                ended.add(receipt.order)
        assert not ended & set(self.ran), "what was refused for good never runs, nor the reverse"
        rows = {index: self.ledger.row(index) for index in range(len(self.log.leaves))}
        assert set(chain.open) == {
            n for n, one in rows.items() if one and one.state is State.RUNNING
        }
        assert chain.closed == {n for n, one in rows.items() if one and one.state in SETTLED}

"""What holds for every order: no changed byte is accepted, and nothing ever runs twice."""

from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from appliance.core.order_gate import answers, gate
from appliance.core.order_gate.answers import Stamp
from appliance.core.order_gate.clock import Floor
from appliance.core.order_gate.ledger import Ledger, ReplayError, State, TurnError, rebuild
from appliance.core.order_gate.values import Accepted, LeafRef, Refused, Said, Verdict, Waiting
from proto import strict_json
from proto.evidence import NO_FLEET, commit
from proto.merkle import leaf_hash
from proto.order_codes import Code
from proto.orders.kinds import OrderType
from proto.receipts import FIRST_PREV, Chain, Outcome, Receipt, parse_receipt, receipt_sid
from tests.unit.core_values import SITE
from tests.unit.order_world import APPLIANCE, NOW, SITUATION, OrderLog, body, logged, signed

GOOD = signed(body(OrderType.UPDATE_AGENT), "ada")
UNKNOWN = strict_json.b64_encode(commit(b"salt", b"detail"))


def answer(leaf: bytes) -> Verdict:
    """Put bytes through the gate as if an attacker had even got them logged."""
    delivery, head = logged(leaf)
    return gate.decide(delivery, head=head, trust=SITUATION.trust, situation=SITUATION)


def test_the_order_that_is_changed_below_is_accepted_as_it_is() -> None:
    assert isinstance(answer(GOOD), Accepted)


@settings(deadline=None, max_examples=400)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(place: int, change: int) -> None:
    changed = bytearray(GOOD)
    changed[place] ^= change
    verdict = answer(bytes(changed))
    assert isinstance(verdict, Refused)
    assert not verdict.is_believed


@settings(deadline=None, max_examples=200)
@given(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.binary(max_size=40))
def test_any_cut_or_insertion_is_refused(start: int, end: int, more: bytes) -> None:
    changed = GOOD[: min(start, end)] + more + GOOD[max(start, end) :]
    if changed != GOOD:
        assert isinstance(answer(changed), Refused)


CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from([one.value for one in OrderType]),
    "exp": st.integers(0, 2**53 - 1),
    "iat": st.integers(0, 2**53 - 1),
    "not_before": st.integers(0, 2**53 - 1),
    "nonce": st.text("0123456789abcdef", min_size=32, max_size=32),
    "reason": st.text("abc \n", min_size=1, max_size=20),
    "by": st.text("abc", min_size=1, max_size=5),
    "params": st.dictionaries(st.text("abc", max_size=5), st.integers(0, 9), max_size=2),
    "target": st.just({"site": SITE}),
}


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_changed_body_under_the_old_signatures_is_refused(data: st.DataObject) -> None:
    """The signatures are over the bytes: whatever else is written there is another order."""
    name = data.draw(st.sampled_from(sorted(CHANGES)))
    value = data.draw(CHANGES[name])
    document = body(OrderType.UPDATE_AGENT)
    if document[name] == value:
        return
    payload = strict_json.b64_encode(strict_json.dumps({**document, name: value})).encode()
    before = strict_json.b64_encode(strict_json.dumps(document)).encode()
    verdict = answer(GOOD.replace(before, payload))
    assert isinstance(verdict, Refused)
    assert verdict.code in {Code.SIGNATURE_BAD, Code.ENVELOPE_FORM}


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300))
def test_the_gate_answers_any_bytes_with_a_refusal(leaf: bytes) -> None:
    assert isinstance(answer(leaf), Refused)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 3), min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_however_evaluations_and_commits_interleave_a_sid_is_accepted_once(
    copies: list[int], random: Random
) -> None:
    """Several workers judge with views of any age; the transaction lets one of them through."""
    log, ledger = OrderLog(), Ledger()
    leaves = [signed(body(nonce=f"{n:032x}")) for n in range(4)]
    places = [log.append(leaves[copy]) for copy in copies]
    pending: list[Accepted] = []
    for index in random.sample(places, len(places)):
        found = gate.read(log.delivery(index), head=log.place(), trust=SITUATION.trust)
        assert not isinstance(found, Refused)
        view = ledger.view(found.sid, found.order.nonce, root_then=log.place(5).root)
        verdict = gate.judge(found, replace(SITUATION, ledger=view))
        if isinstance(verdict, Accepted):
            pending.append(verdict)
        if random.random() < 0.4 and pending:
            commit_one(ledger, pending.pop(random.randrange(len(pending))))
    for accepted in pending:
        commit_one(ledger, accepted)
    ran = Counter(ledger.row(index).sid for index in places if ledger.row(index))  # type: ignore[union-attr]
    assert set(ran.values()) == {1}
    assert len(ran) == len(set(copies))


def commit_one(ledger: Ledger, accepted: Accepted) -> None:
    try:
        ledger.put(accepted.entry)
    except ReplayError:
        return


@dataclass(frozen=True)
class Judged:
    """A verdict in memory: a crash forgets it."""

    verdict: Verdict
    boot: int


class ApplianceLife(RuleBasedStateMachine):
    """An appliance with a durable ledger and receipts, a hostile hub, and the power going."""

    judged = Bundle("judged")

    def __init__(self) -> None:
        """Begin enrolled, with an empty ledger."""
        super().__init__()
        self.log = OrderLog()
        self.ledger = Ledger()
        self.receipts: list[bytes] = []
        self.refs: dict[int, LeafRef] = {}
        self.envelopes: list[bytes] = []
        self.ran: Counter[str] = Counter()
        self.ran_nonces: Counter[str] = Counter()
        self.to_run: list[Accepted] = []
        self.running: list[Accepted] = []
        self.boot = 0
        self.clock_s = NOW
        self.floor = Floor(NOW - 100)
        self.vetoed: set[str] = set()

    @initialize()
    def first_order(self) -> None:
        self.log_order("run_drift", 0, ())

    def log_order(self, name: str, nonce: int, people: tuple[str, ...]) -> None:
        order_type = OrderType(name)
        place = self.log.place(5)
        document = body(order_type, nonce=f"{nonce:032x}", prev=place.as_text(), exp=NOW + 50_000)
        self.envelopes.append(signed(document, *people))
        self.log.append(self.envelopes[-1])

    @precondition(lambda self: len(self.log.leaves) < 16)
    @rule(
        name=st.sampled_from(["run_drift", "update_agent", "disable_healing", "healing"]),
        nonce=st.integers(0, 3),
        people=st.sampled_from([(), ("ada",), ("ada", "bea")]),
    )
    def hub_logs_an_order(self, name: str, nonce: int, people: tuple[str, ...]) -> None:
        self.log_order(name, nonce, people)

    @precondition(lambda self: len(self.log.leaves) < 16)
    @rule(which=st.integers(0, 15), spoil=st.booleans())
    def hub_logs_an_old_envelope_again(self, which: int, spoil: bool) -> None:  # noqa: FBT001 - drawn
        leaf = self.envelopes[which % len(self.envelopes)]
        place = leaf.index(b'"sig":"') + len(b'"sig":"')
        other = b"B" if leaf[place : place + 1] == b"A" else b"A"
        self.log.append(leaf[:place] + other + leaf[place + 1 :] if spoil else leaf)

    @rule(target=judged, back=st.integers(0, 15))
    def judge_a_leaf(self, back: int) -> Judged:
        index = max(5, len(self.log.leaves) - 1 - back)
        found = gate.read(self.log.delivery(index), head=self.log.place(), trust=SITUATION.trust)
        self.refs[index] = LeafRef(index, leaf_hash(self.log.leaves[index]))
        if isinstance(found, Refused):
            return Judged(found, self.boot)
        self.refs[index] = found.ref
        view = self.ledger.view(found.sid, found.order.nonce, root_then=self.log.place(5).root)
        moment = replace(SITUATION.moment, now_s=self.now_s, answered_s=self.now_s)
        said = Said(vetoed_by="bea" if found.sid in self.vetoed else None)
        situation = replace(
            SITUATION,
            ledger=view,
            moment=moment,
            said=said,
            place=replace(SITUATION.place, ring=1),
        )
        return Judged(gate.judge(found, situation), self.boot)

    @rule(one=consumes(judged))
    def write_the_verdict(self, one: Judged) -> None:
        """One transaction; a verdict from before a crash is gone."""
        if one.boot != self.boot:
            return
        verdict = one.verdict
        try:
            if isinstance(verdict, Accepted):
                self.ledger.put(verdict.entry)
                self.write(answers.intent_of(verdict, self.stamp()))
                self.to_run.append(verdict)
            elif isinstance(verdict, Waiting):
                assert verdict.entry is not None
                self.ledger.put(verdict.entry)
            else:
                self.ledger.put(answers.row_of(verdict, now_s=self.now_s))
                self.write(answers.refusal_of(verdict, self.stamp()))
        except (ReplayError, TurnError):
            return

    @precondition(lambda self: self.to_run)
    @rule()
    def run(self) -> None:
        accepted = self.to_run.pop(0)
        self.ran[accepted.read.sid] += 1
        self.ran_nonces[accepted.read.order.nonce] += 1
        self.running.append(accepted)

    @precondition(lambda self: self.running)
    @rule(outcome=st.sampled_from([Outcome.DONE, Outcome.FAILED]))
    def end_a_run(self, outcome: Outcome) -> None:
        accepted = self.running.pop(0)
        self.ledger.finish(accepted.entry.index, now_s=self.now_s)
        self.write(
            answers.result_of(accepted.read.ref, self.stamp(), outcome=outcome, commit=UNKNOWN)
        )

    @rule(is_disk_lost=st.booleans())
    def power_goes(self, is_disk_lost: bool) -> None:  # noqa: FBT001 - drawn
        """Memory is gone; with the disk, the ledger comes back from the mirrored receipts."""
        self.boot += 1
        self.to_run, self.running = [], []
        if is_disk_lost:
            receipts = [parse_receipt(one) for one in self.receipts]
            self.ledger, floor_s = rebuild(receipts)
            self.floor = Floor(max(floor_s, NOW - 100))
        for row in self.ledger.unfinished():
            self.ledger.finish(row.index, now_s=self.now_s)
            ref = self.refs[row.index]
            self.write(
                answers.result_of(ref, self.stamp(), outcome=Outcome.UNKNOWN, commit=UNKNOWN)
            )

    @rule(by_s=st.integers(-100_000, 30_000), is_signed=st.booleans())
    def clock_moves(self, by_s: int, is_signed: bool) -> None:  # noqa: FBT001 - drawn
        self.clock_s = max(NOW - 100_000, self.clock_s + by_s)
        if is_signed:
            self.floor = self.floor.after_online(self.clock_s, clock_s=self.clock_s)

    @rule(which=st.integers(0, 15))
    def somebody_vetoes(self, which: int) -> None:
        known = sorted(ref.sid for ref in self.refs.values() if ref.sid)
        if known:
            self.vetoed.add(known[which % len(known)])

    @property
    def now_s(self) -> int:
        return self.floor.now_s(self.clock_s)

    def stamp(self) -> Stamp:
        prev = receipt_sid(self.receipts[-1]) if self.receipts else FIRST_PREV
        return Stamp(
            SITE, APPLIANCE, len(self.receipts), NO_FLEET, self.now_s, self.floor.at_s, prev
        )

    def write(self, receipt: Receipt) -> None:
        self.receipts.append(receipt.to_bytes())

    @invariant()
    def nothing_ran_twice(self) -> None:
        assert all(times == 1 for times in self.ran.values())
        assert all(times == 1 for times in self.ran_nonces.values())

    @invariant()
    def receipts_are_one_chain_with_one_end_for_each_leaf(self) -> None:
        chain = Chain()
        for one in self.receipts:
            chain = chain.follow(one)
        rows = {index: self.ledger.row(index) for index in range(len(self.log.leaves))}
        running = {n for n, row in rows.items() if row and row.state is State.RUNNING}
        settled = {
            n
            for n, row in rows.items()
            if row and row.state in {State.DONE, State.ENDED, State.REFUSED}
        }
        assert set(chain.open) == running
        assert chain.closed == settled

    @invariant()
    def what_was_vetoed_before_it_ran_never_runs(self) -> None:
        finals = [parse_receipt(one) for one in self.receipts]
        for receipt in finals:
            if receipt.type == "vetoed":
                assert self.ran[getattr(receipt, "order", None) or ""] == 0


TestApplianceLife = ApplianceLife.TestCase
TestApplianceLife.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    deadline=None,
)

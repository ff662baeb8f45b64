"""What holds for every order: no changed byte is accepted, and nothing ever runs twice."""

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from appliance.core.order_gate import gate
from appliance.core.order_gate.ledger import Ledger, ReplayError
from appliance.core.order_gate.values import Accepted, Refused, Verdict
from proto import strict_json
from proto.evidence import commit
from proto.order_codes import Code
from proto.orders.kinds import OrderType
from proto.receipts import Outcome
from tests.unit.core_values import SITE
from tests.unit.order_life import Life
from tests.unit.order_world import SITUATION, OrderLog, body, logged, signed

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


LIVES, STEPS = 16, 50
NAMES = ("run_drift", "healing", "update_agent", "disable_healing")
PEOPLE: tuple[tuple[str, ...], ...] = ((), ("ada",), ("ada", "bea"))


def commit_one(ledger: Ledger, accepted: Accepted) -> None:
    try:
        ledger.put(accepted.entry)
    except ReplayError:
        return


class ApplianceLife(RuleBasedStateMachine):
    """Hypothesis looks for a history that breaks what `Life.check` says."""

    def __init__(self) -> None:
        """Begin a life."""
        super().__init__()
        self.life = Life()

    @precondition(lambda self: not self.life.is_full)
    @rule(name=st.sampled_from(NAMES), nonce=st.integers(0, 3), people=st.sampled_from(PEOPLE))
    def hub_logs_an_order(self, name: str, nonce: int, people: tuple[str, ...]) -> None:
        self.life.log_order(name, nonce, people)

    @precondition(lambda self: not self.life.is_full)
    @rule(which=st.integers(0, 15), is_spoilt=st.booleans())
    def hub_logs_an_old_envelope_again(self, *, which: int, is_spoilt: bool) -> None:
        self.life.log_again(which, is_spoilt=is_spoilt)

    @rule()
    def judge(self) -> None:
        self.life.judge_every_leaf()

    @precondition(lambda self: self.life.judged)
    @rule(places=st.lists(st.integers(0, 15), min_size=1, max_size=9))
    def write(self, places: list[int]) -> None:
        for place in places[: len(self.life.judged)]:
            self.life.write(place)

    @rule()
    def run_them(self) -> None:
        self.life.run()

    @rule(outcome=st.sampled_from([Outcome.DONE, Outcome.FAILED]))
    def end(self, outcome: Outcome) -> None:
        self.life.end_runs(outcome)

    @rule(is_disk_lost=st.booleans())
    def power_goes(self, *, is_disk_lost: bool) -> None:
        self.life.lose_power(is_disk_lost=is_disk_lost)

    @rule(by_s=st.integers(-5_000, 20_000), is_signed=st.booleans())
    def clock_moves(self, *, by_s: int, is_signed: bool) -> None:
        self.life.move_clock(by_s, is_signed=is_signed)

    @rule(which=st.integers(0, 15))
    def somebody_vetoes(self, which: int) -> None:
        self.life.veto(which)

    @invariant()
    def what_must_hold(self) -> None:
        self.life.check()


TestApplianceLife = ApplianceLife.TestCase
TestApplianceLife.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    deadline=None,
)


def one_step(life: Life, random: Random) -> None:
    """Take one step of a life; the usual ones come more often than the grave ones."""
    choice = random.random()
    if choice < 0.2 and not life.is_full:
        life.log_order(random.choice(NAMES), random.randrange(4), random.choice(PEOPLE))
    elif choice < 0.35 and not life.is_full:
        life.log_again(random.randrange(16), is_spoilt=random.random() < 0.3)
    elif choice < 0.5:
        life.judge_every_leaf()
    elif choice < 0.75:
        for _ in range(random.randint(0, len(life.judged))):
            life.write(random.randrange(16))
    elif choice < 0.84:
        life.run()
    elif choice < 0.9:
        life.end_runs(random.choice([Outcome.DONE, Outcome.FAILED]))
    elif choice < 0.94:
        life.lose_power(is_disk_lost=random.random() < 0.5)
    elif choice < 0.98:
        life.move_clock(random.randint(-5_000, 9_000), is_signed=random.random() < 0.5)
    else:
        life.veto(random.randrange(16))


def live(seed: int) -> Life:
    """Live one history, checked after every step."""
    random, life = Random(seed), Life()  # noqa: S311 - a reproducible history, no secret
    for _ in range(STEPS):
        one_step(life, random)
        life.check()
    return life


def test_lives_of_orders_keep_their_promises() -> None:
    """Fixed histories, much busier than those that shrink well."""
    lives = [live(seed) for seed in range(LIVES)]
    assert sum(len(life.ran) for life in lives) >= LIVES
    assert sum(len(life.receipts) for life in lives) >= 4 * LIVES

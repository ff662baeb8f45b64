"""Receipts: one final answer for each leaf, linked, and enough to rebuild a ledger from."""

import json
from dataclasses import replace

import pytest

from appliance.core.order_gate import answers
from appliance.core.order_gate.answers import Stamp
from appliance.core.order_gate.ledger import Ledger, State, rebuild
from appliance.core.order_gate.values import Accepted, LeafRef, Refused
from proto import strict_json
from proto.errors import MalformedError, OsirisError
from proto.evidence import NO_FLEET, commit
from proto.merkle import leaf_hash
from proto.order_codes import Code
from proto.orders.kinds import OrderType
from proto.receipts import (
    FIRST_PREV,
    Chain,
    ClockSet,
    Intent,
    Outcome,
    Receipt,
    Refusal,
    is_final,
    orphans,
    parse_receipt,
    receipt_sid,
)
from tests.unit.core_values import SITE
from tests.unit.order_world import APPLIANCE, NOW, body, having, refusal, signed, verdict_on

COMMIT = strict_json.b64_encode(commit(b"salt", b"detail"))


class Book:
    """Writes receipts one after the other, as an appliance's log does."""

    def __init__(self) -> None:
        """Begin with no receipt."""
        self.bodies: list[bytes] = []

    def stamp(self, *, at: int = NOW, floor: int = NOW - 50) -> Stamp:
        prev = receipt_sid(self.bodies[-1]) if self.bodies else FIRST_PREV
        return Stamp(SITE, APPLIANCE, len(self.bodies), NO_FLEET, at, floor, prev)

    def add(self, receipt: Receipt) -> Receipt:
        self.bodies.append(receipt.to_bytes())
        return receipt

    def follow(self) -> Chain:
        chain = Chain()
        for one in self.bodies:
            chain.follow(one)
        return chain


def accepted() -> Accepted:
    verdict = verdict_on(signed(body()))
    assert isinstance(verdict, Accepted)
    return verdict


def a_day() -> Book:
    """An order that ran, one that was refused by a limit, one whose bytes proved nothing."""
    book = Book()
    ran = accepted()
    book.add(answers.intent_of(ran, book.stamp()))
    book.add(
        answers.result_of(ran.read.ref, book.stamp(at=NOW + 9), outcome=Outcome.DONE, commit=COMMIT)
    )
    other = body(OrderType.HEALING, nonce="1" * 32)
    spent = refusal(signed(other), having("history", by_orders=10))
    book.add(answers.refusal_of(at_leaf(spent, 6), book.stamp(at=NOW + 10)))
    stranger = refusal(signed(body(OrderType.UPDATE_AGENT, nonce="2" * 32)))
    book.add(answers.refusal_of(at_leaf(stranger, 7), book.stamp(at=NOW + 11)))
    return book


def at_leaf(refused: Refused, index: int) -> Refused:
    assert refused.leaf is not None
    return replace(refused, leaf=replace(refused.leaf, index=index))


def test_a_day_of_receipts_is_followed_and_every_leaf_closed() -> None:
    chain = a_day().follow()
    assert chain.closed == {5, 6, 7}
    assert not chain.open
    kinds = [type(parse_receipt(one)).__name__ for one in a_day().bodies]
    assert kinds == ["Intent", "Result", "Refusal", "Refusal"]


def test_a_receipt_names_an_order_only_when_people_stand_behind_it() -> None:
    receipts = [parse_receipt(one) for one in a_day().bodies]
    spent, stranger = receipts[2], receipts[3]
    assert isinstance(spent, Refusal)
    assert isinstance(stranger, Refusal)
    assert (spent.reason, spent.nonce) == (Code.RATE_HOUR, "1" * 32)
    assert (stranger.reason, stranger.order, stranger.nonce) == (Code.PEOPLE_TOO_FEW, None, None)


@pytest.mark.parametrize("gone", range(3))
def test_a_receipt_that_was_taken_out_is_missed(gone: int) -> None:
    book = a_day()
    del book.bodies[gone]
    with pytest.raises(OsirisError) as caught:
        book.follow()
    assert caught.value.code == "receipt_chain"


@pytest.mark.parametrize("first", range(3))
def test_receipts_in_another_order_are_refused(first: int) -> None:
    book = a_day()
    book.bodies[first], book.bodies[first + 1] = book.bodies[first + 1], book.bodies[first]
    with pytest.raises(OsirisError) as caught:
        book.follow()
    assert caught.value.code == "receipt_chain"


def test_a_receipt_that_was_changed_breaks_the_next_one() -> None:
    book = a_day()
    changed = json.loads(book.bodies[1])
    changed["outcome"] = "failed"
    book.bodies[1] = strict_json.dumps(changed)
    with pytest.raises(OsirisError) as caught:
        book.follow()
    assert caught.value.code == "receipt_chain"


def test_a_receipt_dated_back_is_refused() -> None:
    for at, floor in ((NOW - 51, NOW - 50), (NOW, NOW - 51)):
        book = a_day()
        ref = LeafRef(8, bytes(32), "12" * 32, "3" * 32)
        ended = Refused(Code.EXPIRED, "over", ref)
        book.add(answers.refusal_of(ended, book.stamp(at=at, floor=floor)))
        with pytest.raises(OsirisError) as caught:
            book.follow()
        assert caught.value.code == "receipt_backdated"


def test_lowering_the_floor_is_a_receipt_of_its_own() -> None:
    book = a_day()
    stamp = book.stamp(at=NOW - 500, floor=NOW - 1000)
    book.add(answers.clock_of(stamp, was=NOW - 50, by="lan", account="eva"))
    assert book.follow().link.floor == NOW - 1000
    wrong = a_day()
    stamp = wrong.stamp(at=NOW - 500, floor=NOW - 1000)
    wrong.add(answers.clock_of(stamp, was=NOW - 51, by="root", account="root"))
    with pytest.raises(OsirisError) as caught:
        wrong.follow()
    assert caught.value.code == "receipt_backdated"


def test_a_leaf_gets_one_final_receipt_and_no_result_without_an_intent() -> None:
    ran = accepted()
    done = {"outcome": Outcome.DONE, "commit": COMMIT}
    twice = a_day()
    twice.add(answers.result_of(ran.read.ref, twice.stamp(at=NOW + 20), **done))  # type: ignore[arg-type]
    again = a_day()
    again.add(answers.intent_of(ran, again.stamp(at=NOW + 20)))
    alone = Book()
    alone.add(answers.result_of(ran.read.ref, alone.stamp(), **done))  # type: ignore[arg-type]
    both = Book()
    both.add(answers.intent_of(ran, both.stamp()))
    both.add(answers.refusal_of(Refused(Code.VETOED, "bea", ran.read.ref), both.stamp()))
    for book in (twice, again, alone, both):
        with pytest.raises(OsirisError) as caught:
            book.follow()
        assert caught.value.code == "receipt_chain"


def test_orphans_are_found_both_ways() -> None:
    """A leaf nobody answered, a receipt of no leaf, and a change that no order explains."""
    receipts = [parse_receipt(one) for one in a_day().bodies]
    ran = accepted()
    hashes = {
        one.leaf: bytes.fromhex(one.leaf_hash) for one in receipts if not isinstance(one, ClockSet)
    }
    assert orphans(hashes, receipts, changes=[ran.read.sid]).is_complete
    missed = orphans({**hashes, 8: leaf_hash(b"unanswered")}, receipts)
    assert missed.leaves == (8,)
    other = orphans({**hashes, 6: leaf_hash(b"other bytes")}, receipts)
    assert (other.leaves, other.receipts) == ((6,), (2,))
    unasked = orphans(hashes, receipts, changes=["12" * 32])
    assert unasked.changes == ("12" * 32,)
    open_intent = orphans(hashes, receipts[:1])
    assert open_intent.leaves == (5, 6, 7)


def test_a_disk_from_last_week_gets_its_ledger_and_clock_back() -> None:
    """What ran cannot run again, what was left open is unknown, what proved nothing is free."""
    receipts = [parse_receipt(one) for one in a_day().bodies]
    ledger, floor_s = rebuild(receipts)
    assert floor_s == NOW - 50
    assert [ledger.row(index).state for index in (5, 6, 7)] == [  # type: ignore[union-attr]
        State.DONE,
        State.ENDED,
        State.REFUSED,
    ]
    ran = accepted()
    view = ledger.view(ran.read.sid, ran.read.order.nonce, root_then=None)
    assert view.by_sid is not None
    situation = having("ledger", by_sid=view.by_sid, by_nonce=view.by_nonce)
    assert refusal(signed(body()), situation).code is Code.REPLAY_SID
    half, _ = rebuild(receipts[:1])
    assert [one.index for one in half.unfinished()] == [5]


def test_rebuilding_follows_a_clock_that_people_lowered() -> None:
    book = a_day()
    stamp = book.stamp(at=NOW - 500, floor=NOW - 1000)
    book.add(answers.clock_of(stamp, was=NOW - 50, by="lan", account="eva"))
    assert rebuild([parse_receipt(one) for one in book.bodies])[1] == NOW - 1000


def test_rows_and_receipts_say_the_same() -> None:
    """The ledger that lived through the day is the one that its receipts rebuild."""
    lived = Ledger()
    ran = accepted()
    lived.put(ran.entry)
    lived.finish(ran.entry.index, now_s=NOW + 9)
    spent = refusal(
        signed(body(OrderType.HEALING, nonce="1" * 32)), having("history", by_orders=10)
    )
    lived.put(answers.row_of(at_leaf(spent, 6), now_s=NOW + 10))
    stranger = refusal(signed(body(OrderType.UPDATE_AGENT, nonce="2" * 32)))
    lived.put(answers.row_of(at_leaf(stranger, 7), now_s=NOW + 11))
    rebuilt, _ = rebuild([parse_receipt(one) for one in a_day().bodies])
    for index in (5, 6, 7):
        assert lived.row(index) == rebuilt.row(index)


MISSING = sorted(json.loads(a_day().bodies[0]))


@pytest.mark.parametrize("member", MISSING)
def test_every_member_of_a_receipt_is_required_and_no_other_is_allowed(member: str) -> None:
    document = json.loads(a_day().bodies[0])
    parse_receipt(strict_json.dumps(document))
    for changed in (
        {name: value for name, value in document.items() if name != member},
        {**document, "more": 1},
        {**document, member: None},
        {**document, "v": True},
    ):
        with pytest.raises(MalformedError):
            parse_receipt(strict_json.dumps(changed))


def test_a_receipt_is_final_or_an_intent() -> None:
    finals = [is_final(parse_receipt(one)) for one in a_day().bodies]
    assert finals == [False, True, True, True]
    assert isinstance(parse_receipt(a_day().bodies[0]), Intent)


def test_what_was_never_read_has_no_result() -> None:
    with pytest.raises(MalformedError):
        answers.result_of(
            LeafRef(1, bytes(32)), Book().stamp(), outcome=Outcome.UNKNOWN, commit=COMMIT
        )

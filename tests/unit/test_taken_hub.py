"""The whole hub is the attacker, with all its online keys."""

import pytest

from appliance.core.order_gate.limits import Candidate, permit
from appliance.core.order_gate.values import History, Permitted
from tests.unit.order_world import NOW, RULES
from tests.unit.taken_hub import ATTEMPTS, CANNOT, DONE, Attempt
from tests.unit.taken_web import WEB
from tests.unit.test_order_ledger import CANDIDATE

TRIED = (*ATTEMPTS, *WEB)


@pytest.mark.parametrize("attempt", TRIED, ids=[one.what for one in TRIED])
def test_each_attempt_ends_as_the_page_says(attempt: Attempt) -> None:
    assert attempt.try_it() == attempt.answer


def test_nothing_on_the_list_of_what_it_cannot_do_is_done() -> None:
    assert DONE not in {one.answer for one in (*CANNOT, *WEB)}


def test_local_rules_heal_on_while_orders_are_held_back() -> None:
    assert isinstance(CANDIDATE, Candidate)
    held_back = History(held_since_s=NOW)
    assert permit(CANDIDATE, rules=RULES, history=held_back, now_s=NOW) == Permitted()

"""The whole hub is the attacker, with all its online keys."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.order_gate.limits import REFUSALS_MAX, SecurityWatch
from appliance.store import order_state
from osiris.desk.order_proof import Held
from proto.incidents import State
from proto.order_codes import Code
from tests.unit.cut_process import virtual
from tests.unit.taken_clock_rows import CLOCK_CAN, CLOCK_CANNOT
from tests.unit.taken_hub import CAN, CANNOT, DONE, Attempt
from tests.unit.taken_key_rows import AUDIT, KEYS_CAN, KEYS_CANNOT
from tests.unit.taken_web import WEB
from tests.unit.test_restart_every_point import Bulb, alive, box_with, restarted

REFUSED = (*CANNOT, *KEYS_CANNOT, *CLOCK_CANNOT, *AUDIT, *WEB)
TRIED = (*REFUSED, *CAN, *KEYS_CAN, *CLOCK_CAN)
PASSED = Held.PASSED.value


@pytest.mark.parametrize("attempt", TRIED, ids=[one.what for one in TRIED])
def test_each_attempt_ends_as_the_page_says(attempt: Attempt) -> None:
    assert attempt.try_it() == attempt.answer


def test_nothing_on_the_list_of_what_it_cannot_do_is_done() -> None:
    assert not {DONE, PASSED} & {one.answer for one in REFUSED}


@virtual
async def test_local_rules_heal_on_while_orders_are_held_back(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work, work.store.write() as conn:
        watch = SecurityWatch()
        for _ in range(REFUSALS_MAX):
            watch = watch.after(Code.SIGNATURE_BAD, now_s=work.own_s)
        assert watch.held_since_s is not None
        await order_state.save(conn, replace(await order_state.load(conn), watch=watch))
    after = await restarted(box)
    assert (after.incident.state, after.results) == (State.HEALED, ["healed"])

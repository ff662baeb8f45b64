"""Orders through the real gate and handlers: what one order sets, the next is judged by."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.core.order_gate.ledger import State
from appliance.core.site_rules import Span
from appliance.handlers.order_opinions import waits_for_consent
from appliance.handlers.orders.gating import gate_orders as gated
from appliance.handlers.orders.running import carry_out
from appliance.handlers.orders.table import NOT_HERE, RUNS
from appliance.handlers.people import People
from appliance.handlers.site_rules import site_rules
from appliance.handlers.work import Work
from proto.catalog.model import Autonomy
from proto.order_codes import Code
from proto.orders.kinds import DAY_S, OrderType
from proto.receipts import Outcome
from tests.unit.core_values import TARGET
from tests.unit.known_target import know
from tests.unit.order_site import FOOTING, Site, alive, enrolled_site, mirror, row
from tests.unit.order_world import CHECK, NOW

NIGHT = Span(frozenset(range(7)), 2 * 60, 60)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[tuple[Site, Work]]:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        await know_a_target(work)
        yield site, work


async def know_a_target(work: Work) -> None:
    await know(work, TARGET, address="10.0.0.5", host_key=KEY, added_ms=NOW * 1000)


async def asked(
    at: tuple[Site, Work],
    order_type: OrderType,
    *people: str,
    **params: Any,  # noqa: ANN401 - JSON
) -> tuple[State, str, Outcome | None]:
    """Log an order, gate it, carry it out if it was accepted; return where it stands."""
    site, work = at
    leaf = site.order(order_type, *people, params=params, exp=NOW + 20 * 3600)
    await mirror(site, work)
    judged = await gated(work, FOOTING, abilities=frozenset(RUNS), hands=8)
    for accepted in judged.accepted:
        await carry_out(work, accepted, RUNS[accepted.read.order.type])
    found = await row(work, leaf)
    return found.state, found.code, found.outcome


DONE = (State.DONE, "", Outcome.DONE)


async def dial(work: Work) -> Autonomy:
    async with work.store.read() as conn:
        return (await site_rules(conn, work)).dial(CHECK).autonomy


async def test_one_person_adds_caution_and_cannot_take_it_back(at: tuple[Site, Work]) -> None:
    until = NOW + 30 * DAY_S
    wish = {"check": CHECK, "autonomy": "alert", "until": until}
    assert await asked(at, OrderType.SET_POLICY, "ada", **wish) == DONE
    back = {**wish, "autonomy": "auto"}
    shorter = {**wish, "until": until - 1}
    for less in (back, shorter):
        state, code, _ = await asked(at, OrderType.SET_POLICY, "bea", **less)
        assert (state, code) == (State.REFUSED, Code.TIER_RAISED)
    state, code, _ = await asked(at, OrderType.SET_POLICY, "ada", "bea", **back)
    assert (state, code) == (State.WAITING, Code.TIME_LOCK)
    assert await dial(at[1]) is Autonomy.ALERT


async def test_a_waiver_of_one_person_is_ended_by_two_alone(at: tuple[Site, Work]) -> None:
    wish = {"check": CHECK, "on": [TARGET], "until": NOW + 30 * DAY_S}
    assert await asked(at, OrderType.WAIVE, "ada", **wish) == DONE
    over = {**wish, "until": 0}
    state, code, _ = await asked(at, OrderType.WAIVE, "ada", **over)
    assert (state, code) == (State.REFUSED, Code.PEOPLE_TOO_FEW)
    state, _, _ = await asked(at, OrderType.WAIVE, "ada", "bea", **over)
    assert state is State.WAITING
    async with at[1].store.read() as conn:
        assert (await site_rules(conn, at[1])).is_waived(TARGET, CHECK)


async def test_a_waiting_order_is_cancelled_by_an_order(at: tuple[Site, Work]) -> None:
    site, work = at
    until = NOW + 2 * DAY_S
    await asked(at, OrderType.DISABLE_HEALING, "ada", "bea", check="all", until=until)
    waits = await row(work, len(site.log.leaves) - 1)
    assert waits_for_consent(waits)
    assert await asked(at, OrderType.CANCEL, order=waits.sid) == DONE
    await gated(work, FOOTING, abilities=frozenset(RUNS), hands=8)
    ended = await row(work, waits.index)
    assert (ended.state, ended.code) == (State.ENDED, Code.CANCELLED)
    assert await dial(work) is Autonomy.AUTO


async def test_what_has_no_machinery_here_is_refused_with_its_code(at: tuple[Site, Work]) -> None:
    assert OrderType.ISOLATE_HOST in NOT_HERE
    wish = {"target": TARGET, "action": "isolate", "minutes": 10}
    state, code, _ = await asked(at, OrderType.ISOLATE_HOST, "ada", "bea", **wish)
    assert (state, code) == (State.ENDED, Code.NOT_ON_THIS_APPLIANCE)


async def test_a_protected_host_and_observe_only_are_refused_by_the_gate_itself(
    at: tuple[Site, Work],
) -> None:
    wish = {"target": TARGET, "action": "isolate", "minutes": 10}
    work = at[1]
    abilities = frozenset(OrderType)
    await People(work).protect(TARGET, reason="the server", account="ana")
    held = await refused_as(at, wish, abilities)
    await People(work).unprotect(TARGET, account="ana")
    await People(work).set_observe_only(on=True, account="ana")
    assert [held, await refused_as(at, wish, abilities)] == [Code.PROTECTED_HOST, Code.OBSERVE_ONLY]


async def refused_as(
    at: tuple[Site, Work], wish: dict[str, Any], abilities: frozenset[OrderType]
) -> str:
    """Ask for a target to be cut off, and return the code of the answer."""
    leaf = at[0].order(OrderType.ISOLATE_HOST, "ada", "bea", params=wish)
    await mirror(*at)
    await gated(at[1], FOOTING, abilities=abilities, hands=8)
    return (await row(at[1], leaf)).code


async def test_a_grave_order_waits_for_the_window_that_people_set(at: tuple[Site, Work]) -> None:
    site, work = at
    leaf = site.order(OrderType.UPDATE_AGENT, "ada", exp=NOW + 20 * 3600)
    await People(work).add_window(NIGHT, account="ana")
    await mirror(site, work)
    await gated(work, FOOTING, abilities=frozenset(OrderType), hands=8)
    found = await row(work, leaf)
    assert (found.state, found.code) == (State.WAITING, Code.MAINTENANCE_WINDOW)

"""What appliances answer to orders: a receipt counts for the order that it names, or for none."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from central import order_desk
from central.core.health import Condition
from central.core.order_stage import Stage
from central.store import conditions
from central.store.views.orders import OrderView
from proto.ids import SiteId
from tests.e2e.order_scene import Orders, trust
from tests.fakes.hub import trial


@pytest.fixture
async def orders(tmp_path: Path) -> AsyncIterator[Orders]:
    async with trial(tmp_path, trust=trust) as made:
        site = Orders(made, await made.box())
        await site.fetch()
        yield site


async def stage_of(orders: Orders, view: OrderView) -> Stage:
    site = SiteId(orders.box.site)
    draft = view.draft.draft
    return (await order_desk.one_draft(orders.trial.net.hub, site, draft=draft)).stage


async def raised(orders: Orders) -> list[str]:
    async with orders.trial.net.hub.store.read() as connection:
        return [code for _, code, _ in await conditions.standing(connection)]


async def test_an_order_is_done_when_its_own_receipt_says_so(orders: Orders) -> None:
    view = await orders.draft("restart_agent", {"drain_s": 60}, reason="it answers slowly")
    await orders.answered(view, orders.intent("restart_agent", tier=0), orders.result("done"))
    assert await stage_of(orders, view) is Stage.DONE
    assert await raised(orders) == []


async def test_a_receipt_for_another_order_at_its_place_counts_for_nothing_and_is_told(
    orders: Orders,
) -> None:
    view = await orders.draft("restart_agent", {"drain_s": 60}, reason="it answers slowly")
    other = {"leaf_hash": "ab" * 32}
    await orders.answered(
        view,
        {**orders.intent("restart_agent", tier=0), **other},
        {**orders.result("done"), **other},
    )
    assert await stage_of(orders, view) is Stage.LOGGED
    assert await raised(orders) == [Condition.RECEIPT_OF_OTHER]

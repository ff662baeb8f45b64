"""Vetoes and ends of holds at the hub: each is heard once, in time, and from operators alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from central import order_desk
from central.core.desk_asks import AskReplayError, OpinionOldError
from central.store.views.orders import OrderView
from proto.envelope import Kind, parse, sign, signature_of
from proto.errors import ConflictError
from proto.opinions import Clear, OperatorVeto, OpinionScopeError
from proto.orders.kinds import LIFE_S_MAX
from tests.e2e.order_scene import Orders, trust
from tests.fakes.hub import trial
from tests.unit.order_world import key


@pytest.fixture
async def orders(tmp_path: Path) -> AsyncIterator[Orders]:
    async with trial(tmp_path, trust=trust) as made:
        site = Orders(made, await made.box())
        await site.fetch()
        yield site


async def drafted(orders: Orders) -> OrderView:
    return await orders.draft("restart_agent", {"drain_s": 60}, reason="it answers slowly")


def veto_body(orders: Orders, view: OrderView) -> bytes:
    assert view.draft.fixed is not None
    return OperatorVeto(
        v=1,
        type="operator",
        site=orders.box.site,
        order=view.draft.fixed.sid.hex(),
        reason="not now",
        by="bea",
        iat=orders.trial.now_s,
    ).to_bytes()


def cleared(orders: Orders, *, iat: int) -> bytes:
    said = Clear(
        v=1,
        type="clear",
        site=orders.box.site,
        appliance=orders.box.appliance,
        since=iat - 60,
        by="ada",
        iat=iat,
    )
    return sign(Kind.CONSENT, said.to_bytes(), key("ada"), key("bea"))


async def test_a_statement_that_came_before_is_not_heard_again(orders: Orders) -> None:
    hub = orders.trial.net.hub
    said = sign(Kind.VETO, veto_body(orders, await drafted(orders)), key("bea"))
    await order_desk.take_opinion(hub, said)
    with pytest.raises(AskReplayError):
        await order_desk.take_opinion(hub, said)
    assert (await orders.fetch()).opinions == (said.decode(),)


async def test_a_veto_of_an_order_whose_time_is_over_is_not_kept(orders: Orders) -> None:
    """Neither one that waits to be posted again a week later."""
    hub, view = orders.trial.net.hub, await drafted(orders)
    said = sign(Kind.VETO, veto_body(orders, view), key("bea"))
    assert view.draft.fixed is not None
    orders.trial.clock.advance((view.draft.fixed.exp_s - orders.trial.now_s) * 1000)
    with pytest.raises(ConflictError):
        await order_desk.take_opinion(hub, said)
    assert (await orders.fetch()).opinions == ()


async def test_the_end_of_a_hold_is_heard_for_a_day_and_not_from_an_old_copy(
    orders: Orders,
) -> None:
    hub, signed_s = orders.trial.net.hub, orders.trial.now_s
    orders.trial.clock.advance(LIFE_S_MAX * 1000)
    said = cleared(orders, iat=signed_s)
    await order_desk.take_opinion(hub, said)
    orders.trial.clock.advance(1000)
    with pytest.raises(OpinionOldError):
        await order_desk.take_opinion(hub, said)


async def test_a_copy_with_a_signature_that_its_appliance_would_refuse_replaces_nothing(
    orders: Orders,
) -> None:
    """An appliance that reads a signature in its own name which is none refuses the whole."""
    hub = orders.trial.net.hub
    body = veto_body(orders, await drafted(orders))
    said = sign(Kind.VETO, body, key("bea"))
    await order_desk.take_opinion(hub, said)
    forged = signature_of(Kind.VETO, b"other bytes", signer=orders.box.key)
    with pytest.raises(OpinionScopeError):
        await order_desk.take_opinion(hub, parse(said).with_signature(forged))
    assert (await orders.fetch()).opinions == (said.decode(),)

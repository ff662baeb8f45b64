"""A hub that dates its heads ahead, to be through with a wait: each attempt at a whole appliance.

A head may say that it is later than the appliance's clock tells, by a day at most. That ends orders
and grants sooner. It must do nothing else.
"""

import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.core.order_gate.ledger import State
from appliance.core.order_gate.limits import REFUSALS_MAX, REFUSALS_WITHIN_S
from appliance.core.order_gate.values import Footing
from appliance.core.settings import Budgets
from appliance.handlers.work import Work
from appliance.tasks.order_talk import hear
from proto.hub.orders import OrdersReply
from proto.orders.kinds import HOUR_S, OrderType
from tests.sim.loop import run
from tests.unit.order_hub import LogHub, replace_in
from tests.unit.order_site import FOOTING, Site, alive, enrolled_site, gate, row
from tests.unit.order_world import NOW

LATE = NOW + 20 * HOUR_S
DONE = "done"


@dataclass
class Taken:
    """The hub that was taken, and an appliance that listens to it."""

    site: Site
    hub: LogHub
    work: Work
    ahead_s: int = 0

    async def say(self, footing: Footing) -> None:
        """Send what is logged with a head of a time that is ahead; let the appliance judge it."""
        assert await hear(self.work, footing)
        await gate(self.work, footing=footing)

    def restart(self) -> int:
        """Log an order of the hub's own, dated like its heads."""
        now_s = NOW + self.ahead_s
        return self.site.order(
            OrderType.RESTART_AGENT,
            params={"drain_s": 0},
            iat=now_s,
            not_before=now_s,
            exp=now_s + 3000,
        )

    async def came_to(self, leaf: int) -> str:
        """Return what became of an order: `DONE` when it was let run, or why it was not."""
        held = await row(self.work, leaf)
        return DONE if held.state in {State.RUNNING, State.DONE} else held.code

    def dated(self, reply: OrdersReply) -> OrdersReply:
        """Return an answer with a head that is ahead."""
        challenge = self.hub.asked[-1].challenge
        return replace_in(reply, head=self.hub.head(challenge, ahead_s=self.ahead_s))


@asynccontextmanager
async def taken() -> AsyncIterator[Taken]:
    """Give an appliance whose hub was taken."""
    with tempfile.TemporaryDirectory() as folder:
        site = await enrolled_site(Path(folder))
        hub = LogHub(site)
        async with alive(site, hub=hub) as (work, _):
            made = Taken(site, hub, work)
            hub.lie = made.dated
            yield made


def _tried(attempt: Callable[[], Coroutine[None, None, str]]) -> Callable[[], str]:
    return lambda: run(attempt())


async def _time_lock() -> str:
    async with taken() as made:
        leaf = made.site.order(OrderType.DISABLE_HEALING, "ada", "bea", exp=LATE)
        await made.say(FOOTING)
        made.ahead_s = 5 * HOUR_S
        await made.say(FOOTING)
        await made.say(FOOTING)
        return await made.came_to(leaf)


async def _ring_wait() -> str:
    async with taken() as made:
        footing = replace(FOOTING, ring=1)
        leaf = made.site.order(OrderType.UPDATE_AGENT, "ada", exp=LATE)
        await made.say(footing)
        made.ahead_s = 5 * HOUR_S
        await made.say(footing)
        await made.say(footing)
        return await made.came_to(leaf)


async def _put_off() -> str:
    async with taken() as made:
        leaf = made.site.order(OrderType.UPDATE_AGENT, "ada", not_before=NOW + HOUR_S, exp=LATE)
        made.ahead_s = 2 * HOUR_S
        await made.say(FOOTING)
        await made.say(FOOTING)
        return await made.came_to(leaf)


async def _rates() -> str:
    async with taken() as made:
        said = DONE
        for number in range(Budgets().orders_per_hour + 1):
            made.ahead_s = number * HOUR_S // 2
            leaf = made.restart()
            await made.say(FOOTING)
            said = await made.came_to(leaf)
        return said


async def _hold() -> str:
    async with taken() as made:
        for number in range(REFUSALS_MAX):
            made.site.log.append(b"no envelope %d" % number)
            made.ahead_s += 2 * REFUSALS_WITHIN_S
            await made.say(FOOTING)
        leaf = made.restart()
        await made.say(FOOTING)
        return await made.came_to(leaf)


async def _fresh() -> str:
    async with taken() as made:
        leaf = made.site.order(OrderType.UPDATE_AGENT, "ada", not_before=NOW + HOUR_S, exp=LATE)
        made.ahead_s = 10 * HOUR_S
        await made.say(FOOTING)
        made.site.clock.advance(2 * HOUR_S * 1000)
        await gate(made.work)
        return await made.came_to(leaf)


time_lock, ring_wait, put_off = _tried(_time_lock), _tried(_ring_wait), _tried(_put_off)
rates, hold, fresh = _tried(_rates), _tried(_hold), _tried(_fresh)

"""The loop of orders: hear what the hub logged, put it before the gate, run what was accepted.

Runs are tasks of their own: a slow one blocks neither a check-in nor the gate. Each has a lease,
the deadline in its intent receipt. First of all the appliance learns whether its disk was put back;
then what ran when the process ended gets its result; only then is anything judged.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from appliance.core.order_gate.values import Accepted, Footing
from appliance.handlers.orders import Resume, Run
from appliance.handlers.orders.gating import gate_orders
from appliance.handlers.orders.own_time import SEEN_EVERY_S, begin_time, note_time
from appliance.handlers.orders.running import carry_out, settle_unfinished
from appliance.handlers.orders.situation import footing_of
from appliance.handlers.orders.table import RESUMES, RUNS
from appliance.handlers.patience import room
from appliance.handlers.wellness import raise_condition
from appliance.handlers.work import Work
from appliance.store import orders
from appliance.store.health import Condition
from appliance.tasks.check_in import backoff_s, jittered
from appliance.tasks.order_talk import hear
from appliance.tasks.recovery import catch_up
from proto.errors import NoRoomError, RejectedError, UnreachableError
from proto.invariants import require
from proto.orders.kinds import OrderType
from runtime.log import logger

log = logger("orders")

HANDS: Final = 8
"""Orders that run at the same time."""

IDLE_S: Final = 60.0
DUE_S_MIN: Final = 1.0


@dataclass(frozen=True, slots=True)
class Means:
    """What orders need on this appliance.

    Attributes:
        runs: what carries them out.
        resumes: what says after a start how some ended.
        footing: gives what people signed offline; None while no order can be taken.
    """

    runs: Mapping[OrderType, Run]
    resumes: Mapping[OrderType, Resume]
    footing: Callable[[Work], Footing | None]

    @property
    def abilities(self) -> frozenset[OrderType]:
        """The types whose machinery is here."""
        return frozenset(self.runs)


HERE: Final = Means(RUNS, RESUMES, footing_of)


class Crew:
    """The orders that run now."""

    def __init__(self, work: Work, means: Means, group: asyncio.TaskGroup) -> None:
        """Run orders as tasks of `group`."""
        self._work = work
        self._means = means
        self._group = group
        self._busy: dict[int, OrderType] = {}

    @property
    def free(self) -> int:
        """How many more orders may run."""
        return HANDS - len(self._busy)

    @property
    def busy(self) -> Mapping[int, OrderType]:
        """The orders that run now: leaf -> type."""
        return MappingProxyType(self._busy)

    def begin(self, accepted: Accepted) -> None:
        """Run an order whose intent is durable."""
        require(self.free > 0, "no more is accepted than there are hands")
        self._busy[accepted.entry.index] = accepted.read.order.type
        self._group.create_task(self._carry_out(accepted))

    async def _carry_out(self, accepted: Accepted) -> None:
        try:
            await carry_out(self._work, accepted, self._means.runs[accepted.read.order.type])
        finally:
            del self._busy[accepted.entry.index]
        self._work.bells.orders.ring()  # a hand is free, and what waited for this may go on


async def run(work: Work, means: Means = HERE) -> None:
    """Take orders for ever, as soon as there is signed content for them to stand on.

    Whether the disk was put back is asked in any case: the evidence log needs to know it too.
    """
    async with asyncio.TaskGroup() as group:
        turns = Turns(work, means, Crew(work, means, group))
        look = Look(asks=True, is_timer=False)
        while True:
            footing = means.footing(work)
            try:
                await turns.take(footing, look)
            except NoRoomError:
                work.bells.tidy.ring()  # the orders that run wait by themselves
                await room(work)
                look = Look(asks=True, is_timer=False)  # the turn was not taken, and others wait
                continue
            look = await turns.wait(is_standing=footing is not None)


@dataclass(frozen=True, slots=True)
class Look:
    """Why a turn is taken: to ask the hub; or only because some time has passed."""

    asks: bool
    is_timer: bool


class Turns:
    """The turns of the loop, and what they remember of each other."""

    def __init__(self, work: Work, means: Means, crew: Crew) -> None:
        """Begin with nothing settled."""
        self._work = work
        self._means = means
        self._crew = crew
        self._is_settled = False
        self._was_standing = False
        self._failures = 0
        self._noted_s: int | None = None

    async def take(self, footing: Footing | None, look: Look) -> None:
        """Hear the hub where that is due, and judge what may be judged.

        As soon as there is something to stand on the hub is asked: its signer signs nothing for a
        site whose appliance it never heard.
        """
        await self._pass_time()
        is_first, self._was_standing = not self._was_standing, footing is not None
        try:
            if not self._is_settled and await catch_up(self._work):
                await settle_unfinished(self._work, self._means.resumes)
                self._is_settled = True
            if footing is not None and self._is_settled and (look.asks or is_first):
                await hear(self._work, footing)
            self._failures = 0
        except (UnreachableError, RejectedError) as error:
            self._failures += 1
            log.info("orders not heard", error=str(error), code=error.code)
            if isinstance(error, RejectedError) and not self._work.word.is_level:
                # The evidence waits for this answer too (`uplink.py`), and clears it once it goes.
                detail = str(error)
                await raise_condition(self._work, Condition.EVIDENCE_REFUSED, detail=detail)
        if footing is not None and self._is_settled:
            await self._judge(footing, due_only=look.is_timer and not look.asks)

    async def _pass_time(self) -> None:
        """Let the hour of the budgets go on from where the process before left it."""
        own_s = self._work.own_s
        if self._noted_s is None:
            await begin_time(self._work)
        elif own_s - self._noted_s >= SEEN_EVERY_S:
            await note_time(self._work)
        else:
            return
        self._noted_s = own_s

    async def _judge(self, footing: Footing, *, due_only: bool) -> None:
        while True:
            gated = await gate_orders(
                self._work,
                footing,
                abilities=self._means.abilities,
                hands=self._crew.free,
                due_only=due_only,
            )
            for accepted in gated.accepted:
                self._crew.begin(accepted)
            if gated.judged:
                self._work.bells.uplink.ring()
            if not (gated.is_more and gated.judged):
                return

    async def wait(self, *, is_standing: bool) -> Look:
        """Wait for the bell, a failure's pause, or the first order whose wait is over."""
        work, wait_s = self._work, IDLE_S
        due_s = await self._due_s() if is_standing else None
        if due_s is not None:
            wait_s = min(wait_s, max(due_s, DUE_S_MIN))
        if self._failures:
            wait_s = jittered(work, backoff_s(self._failures))
        is_rung = await work.bells.orders.wait(wait_s)
        is_asked = await work.bells.ask_orders.wait(0)
        is_due = not is_rung and due_s is not None and due_s <= wait_s
        is_open = not self._is_settled or self._failures > 0
        return Look(asks=is_asked or is_due or is_open, is_timer=not is_rung)

    async def _due_s(self) -> float | None:
        """Return in how many seconds the first waiting order is to be judged again."""
        async with self._work.store.read() as conn:
            until_s = [row.until_s for row in await orders.waiting(conn) if row.until_s is not None]
        if not until_s:
            return None
        return float(min(until_s) - self._work.own_s)

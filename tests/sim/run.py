"""One run of one seed, from the first enrollment to the last verdict."""

import asyncio
import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import structlog
from structlog.typing import EventDict, WrappedLogger

from appliance.core.order_gate.values import Accepted
from tests.fakes.hub_link import Faults, Network
from tests.fakes.target_world import Op, Target
from tests.sim import loop
from tests.sim.build import Ears, World, build, content_of
from tests.sim.clock import Common, entropy_of
from tests.sim.desk import Book, Desk
from tests.sim.disks import Disks, Node
from tests.sim.nodes import ApplianceNode
from tests.sim.order_storm import OrderStorm
from tests.sim.order_verdicts import is_settled, order_breaches
from tests.sim.order_watch import OrderWatch
from tests.sim.people import NAMES
from tests.sim.storm import Storm
from tests.sim.trace import Trace
from tests.sim.verdicts import breaches, is_at_rest, mirror
from tests.sim.watch import Watch, rows_of

STORM_S = 1800.0
CALM_S = 4200.0
"""Long enough for every check's interval and every rule's cooldown to pass."""

LOOK_EVERY_S = 600.0
LAST_LOOKS = 30
LAST_LOOK_S = 10.0
"""How long a repair or a batch that is just then under way may take to its end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went.

    Attributes:
        digest: of everything that happened.
        results: how many repairs came to what.
        orders: how many orders came to what, or why they did not run.
        put_back: the processes whose disk was put back to an earlier day.
        broken: the promises that were broken; empty when all held.
    """

    seed: int
    digest: str
    lines: int
    lives: int
    leaves: int
    results: dict[str, int]
    orders: dict[str, int]
    put_back: tuple[str, ...]
    broken: tuple[str, ...]


class _Referee:
    """Collects breaches and ends the run at the first one that happens while it goes on."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.whistle = asyncio.Event()

    def fail(self, what: str) -> None:
        at_s = asyncio.get_running_loop().time()
        self.broken.append(f"at {at_s:.3f} s: {what}")
        self.whistle.set()

    def hear_keeper(self, keeper: asyncio.Task[None]) -> None:
        """Hear that nobody starts a process any more; at the end of a run nobody is to."""
        if not keeper.cancelled() and (error := keeper.exception()) is not None:
            self.fail(f"a keeper: {error!r}")


def simulate(
    seed: int,
    folder: Path,
    *,
    show: Callable[[str], None] | None = None,
) -> Outcome:
    """Run a seed in an empty folder; the same seed is the same run, bit for bit.

    Every line of the trace goes to `show` as well, when there is one.
    """
    gc.disable()  # a run makes little garbage, and looking for it takes a quarter of its time
    try:
        return loop.run(_simulate(seed, folder, show=show))
    finally:
        gc.enable()


async def _simulate(seed: int, folder: Path, *, show: Callable[[str], None] | None) -> Outcome:
    referee = _Referee()
    trace = Trace(asyncio.get_running_loop().time, show=show)
    content = content_of(Random(f"{seed}:content"))  # noqa: S311 - a simulator is seeded
    common = Common(seed, trace, content, referee.fail)
    watch = Watch(referee.fail)
    with _logging_to(trace):
        storm, book = Storm(seed), Book()
        orders = OrderWatch(referee.fail, book)

        def on_change(target: Target, op: Op) -> str:
            storm.strike(target)
            return watch.on_change(target, op)

        def on_order(node: ApplianceNode, accepted: Accepted) -> None:
            storm.strike_at(node)
            orders.on_order(node, accepted)

        world = await build(
            common, folder, Ears(on_change, watch.on_sent, on_order, storm.strike_at_the_end)
        )
        watch.know(world.appliances, orders.on_repair)
        orders.know(world)
        for node in world.appliances:
            await node.start()

        def on_back(node: Node, copied_s: float) -> None:
            world.put_back.add(node.name)
            watch.forget(node.name)
            if node is world.hub:
                book.forget_vetoes(since_s=copied_s)

        chance = Random(f"{seed}:disks")  # noqa: S311 - a simulator is seeded
        disks = Disks(world, chance, on_back)
        keepers = [asyncio.ensure_future(storm.keep(node, disks)) for node in world.nodes]
        for keeper in keepers:
            keeper.add_done_callback(referee.hear_keeper)
        await _through(world, referee, Play(storm, orders, desk_of(world, book), disks))
        for keeper in keepers:
            keeper.cancel()
        for process in world.nodes:
            await process.kill()
    return _outcome(world, referee)


@dataclass(frozen=True, slots=True)
class Play:
    """Who makes trouble, who watches the orders, from where people order, what goes back."""

    storm: Storm
    orders: OrderWatch
    desk: Desk
    disks: Disks


def desk_of(world: World, book: Book) -> Desk:
    """Return the desks of the people of a run, whose network is as bad as any."""
    chance = Random(f"{world.common.seed}:network:desk")  # noqa: S311 - a simulator is seeded
    faults = Faults(lose_request=0.05, lose_reply=0.1, repeat=0.1, slow=0.1)
    network = Network(chance, world.hub.serve, faults)
    return Desk(world.people.keys, network, entropy_of(world.common, "desk", 0), book)


async def _through(world: World, referee: _Referee, play: Play) -> None:
    storm = play.storm
    orders = OrderStorm(world, play.desk)
    raging = asyncio.ensure_future(storm.rage(world, orders, play.disks))
    await _watch_for(world, referee, STORM_S)
    if referee.broken:
        raging.cancel()
        return
    storm.end(world)
    play.desk.network.faults.mend()
    await raging
    clearing = asyncio.ensure_future(orders.clear_holds())
    await _watch_for(world, referee, CALM_S)
    if referee.broken:
        clearing.cancel()
        return
    await clearing
    for _ in range(LAST_LOOKS):
        if all(is_at_rest(node) and is_settled(world, node) for node in world.appliances):
            break
        await _watch_for(world, referee, LAST_LOOK_S)
    if not referee.broken:
        lines = await play.desk.listed(NAMES[0])
        for what in (*breaches(world), *order_breaches(world, play.orders, lines)):
            referee.fail(what)


async def _watch_for(world: World, referee: _Referee, duration_s: float) -> None:
    """Let time pass and look at the hub's mirror now and then; return early after a breach."""
    end_s = asyncio.get_running_loop().time() + duration_s
    while (left_s := end_s - asyncio.get_running_loop().time()) > 0 and not referee.broken:
        try:
            async with asyncio.timeout(min(left_s, LOOK_EVERY_S)):
                await referee.whistle.wait()
        except TimeoutError:
            # One whose disk was put back is behind its own log until it caught up.
            whole = (one for one in world.appliances if one.name not in world.put_back)
            for node in whole:
                for what in mirror(world, node):
                    referee.fail(what)


def _outcome(world: World, referee: _Referee) -> Outcome:
    trace = world.common.trace
    results: dict[str, int] = {}
    leaves = 0
    for node in world.appliances:
        for row in rows_of(str(node.path), "SELECT result, count(*) AS n FROM repairs GROUP BY 1"):
            name = row["result"] or "not run"
            results[name] = results.get(name, 0) + row["n"]
        leaves += rows_of(str(node.path), "SELECT size FROM evidence_head")[0]["size"]
    return Outcome(
        seed=world.common.seed,
        digest=trace.digest,
        lines=trace.lines,
        lives=sum(node.lives for node in world.nodes),
        leaves=leaves,
        results=results,
        orders=_ends_of_orders(world),
        put_back=tuple(sorted(world.put_back)),
        broken=tuple(referee.broken),
    )


def _ends_of_orders(world: World) -> dict[str, int]:
    """Return how many orders came to what, by outcome or reason code."""
    ends: dict[str, int] = {}
    query = "SELECT coalesce(outcome, code) AS end, count(*) AS n FROM orders GROUP BY 1"
    for node in world.appliances:
        for row in rows_of(str(node.path), query):
            ends[row["end"]] = ends.get(row["end"], 0) + row["n"]
    return ends


@contextmanager
def _logging_to(trace: Trace) -> Iterator[None]:
    """Make the daemons' log lines a part of the trace instead of printing them."""

    def note(_: WrappedLogger, level: str, event: EventDict) -> EventDict:
        trace.note("log", f"{level} {sorted((key, str(value)) for key, value in event.items())}")
        raise structlog.DropEvent

    pool = logging.getLogger(
        "sqlalchemy.pool.impl.AsyncAdaptedQueuePool"
    )  # a killed hub's pool would tell of its end
    was_disabled, pool.disabled = pool.disabled, True
    before = structlog.get_config()
    structlog.configure(processors=[note], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
        pool.disabled = was_disabled

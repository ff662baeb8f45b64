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

from tests.fakes.target_world import Op, Target
from tests.sim import loop
from tests.sim.build import World, build, content_of
from tests.sim.nodes import Common
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
        broken: the promises that were broken; empty when all held.
    """

    seed: int
    digest: str
    lines: int
    lives: int
    leaves: int
    results: dict[str, int]
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
        storm = Storm(seed)

        def on_change(target: Target, op: Op) -> str:
            storm.strike(target)
            return watch.on_change(target, op)

        world = await build(common, folder, on_change=on_change, on_sent=watch.on_sent)
        watch.know(world.appliances)
        for node in world.appliances:
            await node.start()
        await _through(world, referee, storm)
        for process in world.nodes:
            await process.kill()
    return _outcome(world, referee)


async def _through(world: World, referee: _Referee, storm: Storm) -> None:
    raging = asyncio.ensure_future(storm.rage(world))
    await _watch_for(world, referee, STORM_S)
    storm.end(world)
    await raging
    await _watch_for(world, referee, CALM_S)
    for _ in range(LAST_LOOKS):
        if all(is_at_rest(node) for node in world.appliances):
            break
        await _watch_for(world, referee, LAST_LOOK_S)
    if not referee.broken:
        for what in breaches(world):
            referee.fail(what)


async def _watch_for(world: World, referee: _Referee, duration_s: float) -> None:
    """Let time pass and look at the hub's mirror now and then; return early after a breach."""
    end_s = asyncio.get_running_loop().time() + duration_s
    while (left_s := end_s - asyncio.get_running_loop().time()) > 0 and not referee.broken:
        try:
            async with asyncio.timeout(min(left_s, LOOK_EVERY_S)):
                await referee.whistle.wait()
        except TimeoutError:
            for node in world.appliances:
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
        broken=tuple(referee.broken),
    )


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

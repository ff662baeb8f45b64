"""An appliance cut off at any point among its orders answers each once and runs it at most once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.core.order_gate.ledger import SETTLED, State
from appliance.handlers.orders.running import settle_unfinished
from appliance.handlers.work import Work
from appliance.store import order_state, orders
from appliance.store.proof import verify
from proto.orders.kinds import OrderType
from proto.receipts import Chain, ClockSet, Outcome, Refusal
from tests.sim.loop import run as run_virtual
from tests.unit.cut_process import CutError, Process, virtual
from tests.unit.order_site import Site, alive, enrolled_site, receipts, take
from tests.unit.order_world import EARLIER_LEAVES, NOW

POINTS_MAX = 400
_MATTER = (
    *(f"before {what}" for what in ("INSERT", "UPDATE", "DELETE", "COMMIT", "run")),
    "after COMMIT",
    "after run",
)
"""A cut elsewhere is the same as one at the write before it: only a write leaves something."""


async def check(site: Site, work: Work) -> None:
    """Hold what must hold after every restart: log, ledger, receipts and runs agree."""
    assert all(times == 1 for times in site.ran.values()), f"run twice: {site.ran}"
    chain, refused = Chain(), set()
    for one in await receipts(work):
        chain.follow(one.to_bytes())
        if isinstance(one, Refusal) and one.order is not None:
            refused.add(one.order)
    assert not refused & set(site.ran), "what was refused for good never ran"
    async with work.store.read() as conn:
        rows = await orders.page(conn, rows_max=1000)
        state = await order_state.load(conn)
        size = await verify(conn, work.scribe, cosigners=())
    assert chain.link.prev == state.receipt_prev
    assert chain.closed == {row.index for row in rows if row.state in SETTLED}
    assert set(chain.open) == {row.index for row in rows if row.state is State.RUNNING}
    done = {row.sid for row in rows if row.outcome is Outcome.DONE}
    assert done <= set(site.ran), "done is said only of what ran"
    assert size >= len([one for one in await receipts(work) if not isinstance(one, ClockSet)])


async def live(site: Site, watch: Callable[[Process, str], None]) -> bool:
    """Start, take what the hub has, until it is done or cut off; return whether it was cut off."""
    try:
        async with alive(site, watch) as (work, process):
            await settle_unfinished(work, {})
            await take(site, work, process)
            await take(site, work, process)
    except CutError:
        return True
    return False


def cut_after(number: int) -> Callable[[Process, str], None]:
    """Return what cuts a process off at one of the points that matter."""
    left = [number]

    def watch(process: Process, what: str) -> None:
        if not what.startswith(_MATTER):
            return
        if left[0] == 0:
            process.cut()
        left[0] -= 1

    return watch


def fill(site: Site) -> list[int]:
    """Log an order that runs, one that is refused, garbage, a copy, and one that waits a while."""
    first = site.order()
    return [
        first,
        site.order(exp=NOW - 5),
        site.log.append(b"no envelope"),
        site.log.append(site.log.leaves[first]),
        site.order(OrderType.UPDATE_AGENT, "ada"),
        site.order(not_before=NOW + 600),
    ]


@virtual
async def test_cut_off_around_each_write_and_run_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    start = await enrolled_site(tmp_path)
    indexes = fill(start)
    stored = start.path.read_bytes()
    for number in range(POINTS_MAX):
        site = Site(tmp_path / f"{number}.db", log=start.log, sealer=start.sealer)
        site.path.write_bytes(stored)
        if not await live(site, cut_after(number)):
            break
        site.clock.advance(700_000)
        async with alive(site) as (work, _):
            await settle_unfinished(work, {})
            await take(site, work)
            await check(site, work)
            async with work.store.read() as conn:
                rows = await orders.page(conn)
            assert sorted(row.index for row in rows) == indexes, f"cut at {number}"
            assert {row.state for row in rows} <= SETTLED, f"cut at {number}"
            ended = [row.outcome for row in rows if row.outcome is not None]
            assert len(ended) == 3, f"cut at {number}: all three orders that hold have an end"
            assert ended.count(Outcome.UNKNOWN) <= 2, f"cut at {number}"
    else:
        pytest.fail("it never came to its end")
    assert number > 20, "there are more points than that"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.integers(0, 2)),
        st.tuples(st.just("again"), st.integers(0, 5)),
        st.tuples(st.just("take"), st.just(0)),
        st.tuples(st.just("cut"), st.integers(0, 60)),
        st.tuples(st.just("clock"), st.integers(-4000, 4000)),
    ),
    min_size=4,
    max_size=10,
)


@dataclass
class Act:
    """One step after another of an appliance's life, among a hostile hub and power cuts."""

    site: Site
    envelopes: list[bytes] = field(default_factory=list)

    async def step(self, what: str, number: int) -> None:
        """Do one."""
        if what == "order":
            # A few nonces only, so that one comes again with another body.
            index = self.site.order(nonce=f"{number:032x}", exp=NOW + 50_000)
            self.envelopes.append(self.site.log.leaves[index])
        elif what == "again" and self.envelopes:
            self.site.log.append(self.envelopes[number % len(self.envelopes)])
        elif what == "clock":
            self.site.clock.advance(number * 1000)
        elif what == "take":
            await live(self.site, lambda _, __: None)
        elif what == "cut":
            await live(self.site, cut_after(number))


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_no_sid_and_no_nonce_runs_twice_under_any_cut_clock_or_copy(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    async def life() -> None:
        act = Act(await enrolled_site(tmp_path_factory.mktemp("life")))
        for what, number in steps:
            await act.step(what, number)
        async with alive(act.site) as (work, _):
            await settle_unfinished(work, {})
            await take(act.site, work)
            await check(act.site, work)
            async with work.store.read() as conn:
                rows = await orders.page(conn, rows_max=1000)
        ran = [row.nonce for row in rows if row.sid in act.site.ran]
        assert len(ran) == len(set(ran)), "one nonce ran twice"
        assert len(rows) == len(act.site.log.leaves) - EARLIER_LEAVES

    run_virtual(life())

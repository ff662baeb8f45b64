"""A clock on the wall that is set, forward or back, frees no budget of repairs and freezes none.

An appliance runs, is off, and has its clock set, in any order. Whatever that clock says, no hour
that was run through sees more repairs than the budgets allow, no rule fires twice within its
cooldown, and nothing waits longer than the hour or the cooldown that it waits for.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appliance.core.run_clock import NOTED_EVERY_MS, STEP_MS, RunClock
from appliance.core.schedule import REFUSED_WAIT_MS, held_until_ms
from appliance.core.settings import Budgets
from appliance.handlers.record import record
from appliance.handlers.run_time import follow_wall, pass_time
from appliance.handlers.work import Work
from appliance.store import findings
from appliance.tasks.heal import consider
from proto.errors import NoRoomError
from proto.findings import Finding, Reason, Vantage, Verdict
from proto.ids import TargetId
from proto.incidents import Cause
from runtime.clock import StartedClock
from tests.e2e.clinic_scene_content import Lamp, content
from tests.sim.loop import run
from tests.unit.cut_process import LoopClock, Process, virtual
from tests.unit.test_blast_radius import drift, settle
from tests.unit.test_restart_every_point import SITE, Box, Bulb, alive

HOUR_S = 3600
DAY_S = 86_400
YEAR_S = 365 * DAY_S
COOLDOWN_S = 900
PER_DAY = 4
BUDGET = 4
TOUCHED_MAX = 3
"""Of eight targets, within an hour."""

LAMP = Lamp("one", cooldown_s=COOLDOWN_S, per_day=PER_DAY)
EIGHT = tuple(TargetId(f"t-{letter * 10}") for letter in "bcdefghi")
TICK_S = 60
LOST_S = NOTED_EVERY_MS // 1000 + TICK_S
"""What a process that is cut off may not have noted."""

SETS = (-YEAR_S, -5 * HOUR_S, -HOUR_S, -90, 90, HOUR_S, 5 * HOUR_S, YEAR_S)

run_s = st.sampled_from([TICK_S, 5 * TICK_S, COOLDOWN_S, HOUR_S])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("run"), run_s),
        st.tuples(st.just("set"), st.sampled_from(SETS)),
        st.tuples(st.just("off"), st.sampled_from([1, HOUR_S, DAY_S])),
    ),
    max_size=12,
)


@dataclass
class Wall:
    """`ports.Clock` on the wall, which anybody may set.

    Attributes:
        ahead_s: how far it is ahead of the true time.
    """

    ahead_s: int = 0

    def now_ms(self) -> int:
        """Return milliseconds since the epoch, as it was set."""
        return LoopClock().now_ms() + self.ahead_s * 1000


@dataclass
class Life:
    """An appliance over its processes: how long it ran, and what it repaired when.

    Attributes:
        ran_s: how long the appliance has run.
        fires: each repair that began: when, in seconds that the appliance had run, and where.
        starts: how often a process started.
    """

    box: Box
    wall: Wall = field(default_factory=Wall)
    ran_s: int = 0
    fires: list[tuple[int, str]] = field(default_factory=list)
    starts: int = 0

    @asynccontextmanager
    async def process(self) -> AsyncIterator[Work]:
        """Start a process on the clocks as they are now."""
        self.starts += 1
        async with alive(self.box) as made:
            yield replace(
                made,
                settings=replace(made.settings, budgets=Budgets(rules_per_hour=BUDGET)),
                clock=self.wall,
                own_clock=StartedClock(self.wall, LoopClock()),
            )

    async def pass_s(self, work: Work, seconds: int) -> None:
        """Let the process run, as its heal loop does while there is nothing to heal."""
        for _ in range(seconds // TICK_S):
            await asyncio.sleep(TICK_S)
            self.ran_s += TICK_S
            await pass_time(work)

    async def try_all(self, work: Work) -> int:
        """See drift everywhere, and return how many repairs begin; they end at once."""
        await drift(work, EIGHT)
        await consider(work)
        async with work.store.write() as conn:
            rows = list(
                await conn.execute_fetchall("SELECT target FROM incidents WHERE state = 'planned'")
            )
            await conn.execute("UPDATE commands SET done_ms = 1, outcome = 'done'")
            await conn.execute("UPDATE incidents SET state = 'closed' WHERE state = 'planned'")
        self.fires += [(self.ran_s, row["target"]) for row in rows]
        return len(rows)

    def require_bounds(self) -> None:
        """Hold what must be true of all repairs so far."""
        for at_s, target in self.fires:
            within = [one for one in self.fires if at_s - HOUR_S < one[0] <= at_s]
            assert len(within) <= BUDGET
            assert len({one[1] for one in within}) <= TOUCHED_MAX
            mine = [one[0] for one in self.fires if one[1] == target and one[0] < at_s]
            assert all(at_s - before_s >= COOLDOWN_S for before_s in mine)
            assert len([one for one in mine if at_s - one < DAY_S]) < PER_DAY


async def _live(folder: Path, taken: Sequence[tuple[str, int]]) -> Life:
    life = Life(Box(folder / "appliance.db", Bulb(), content((LAMP,))))
    async with life.process() as work:
        await settle(work, EIGHT)
        await life.pass_s(work, HOUR_S)
        await life.try_all(work)
    pending = list(taken)
    while pending:
        async with life.process() as work:
            await life.try_all(work)
            while pending:
                what, seconds = pending.pop(0)
                if what == "off":
                    break
                if what == "set":
                    life.wall.ahead_s += seconds
                else:
                    await life.pass_s(work, seconds)
                await life.try_all(work)
                life.require_bounds()
        if what == "off":
            await asyncio.sleep(seconds)
    return life


@settings(deadline=None, max_examples=25)
@given(steps)
@example([("set", HOUR_S), ("set", HOUR_S), ("set", YEAR_S), ("run", COOLDOWN_S)])
@example([("set", -YEAR_S), ("run", HOUR_S), ("set", YEAR_S), ("run", TICK_S)])
@example([("run", COOLDOWN_S), ("set", 5 * HOUR_S), ("off", 1), ("set", -HOUR_S), ("off", DAY_S)])
def test_no_hour_sees_more_repairs_whatever_the_clock_says(taken: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as folder:
        life = run(_live(Path(folder), taken))
    life.require_bounds()


@settings(deadline=None, max_examples=15)
@given(steps)
@example([("set", -YEAR_S)])
@example([("run", TICK_S), ("set", -YEAR_S), ("off", 1)])
@example([("set", YEAR_S), ("run", TICK_S), ("set", -YEAR_S), ("off", HOUR_S)])
def test_nothing_waits_longer_than_the_hour_whatever_the_clock_says(
    taken: list[tuple[str, int]],
) -> None:
    async def lived(folder: Path) -> None:
        life = await _live(folder, taken)
        async with life.process() as work:
            # A start looks again within a minute, and what was not noted is run through once more.
            await life.pass_s(work, HOUR_S + LOST_S * life.starts)
            spent = {one for one in EIGHT if _is_spent(life, one)}
            begun = await life.try_all(work)
            assert begun == min(TOUCHED_MAX, len(EIGHT) - len(spent))
        life.require_bounds()

    with TemporaryDirectory() as folder:
        run(lived(Path(folder)))


def _is_spent(life: Life, target: str) -> bool:
    """Tell whether a target's day may be used up: with what was not noted it is a little longer."""
    since_s = life.ran_s - DAY_S - LOST_S * life.starts
    return len([one for one in life.fires if one[1] == target and one[0] > since_s]) >= PER_DAY


@pytest.mark.parametrize("set_s", SETS)
@virtual
async def test_a_rule_in_cooldown_says_so_and_fires_when_that_was_run_through(
    tmp_path: Path, set_s: int
) -> None:
    life = Life(Box(tmp_path / "appliance.db", Bulb(), content((LAMP,))))
    async with life.process() as work:
        await settle(work, EIGHT[:1])
        assert await _try_one(work) == "begun"
        await _end(work)
        life.wall.ahead_s += set_s
        for _ in range(COOLDOWN_S // TICK_S):
            assert await _try_one(work) == Cause.COOLDOWN
            await life.pass_s(work, TICK_S)
        assert await _try_one(work) == "begun"


async def _try_one(work: Work) -> str:
    await drift(work, EIGHT[:1])
    await consider(work)
    async with work.store.read() as conn:
        (row,) = await conn.execute_fetchall(
            "SELECT state, cause FROM incidents WHERE state <> 'closed'"
        )
    return "begun" if row["state"] == "planned" else str(row["cause"])


async def _end(work: Work) -> None:
    async with work.store.write() as conn:
        await conn.execute("UPDATE commands SET done_ms = 1, outcome = 'done'")
        await conn.execute("UPDATE incidents SET state = 'closed'")


async def left_alone_ms(life: Life, work: Work) -> int:
    """Return for how long a target that refused a login is left alone."""
    async with work.store.read() as conn:
        kept = await findings.of_target(conn, SITE, EIGHT[0])
    now_ms = life.wall.now_ms()
    return held_until_ms((one.finding for one in kept.values()), now_ms=now_ms) - now_ms


@pytest.mark.parametrize("set_s", SETS)
@virtual
async def test_no_login_is_tried_sooner_where_one_was_refused(tmp_path: Path, set_s: int) -> None:
    """Accounts are locked after a few refusals: whoever sets the clock ten times locks one."""
    life = Life(Box(tmp_path / "appliance.db", Bulb(), content((LAMP,))))
    async with life.process() as work:
        await settle(work, EIGHT[:1])
        await pass_time(work)
        await refuse(work)
        await life.pass_s(work, 5 * TICK_S)
        life.wall.ahead_s += set_s
        await asyncio.gather(*(follow_wall(work) for _ in range(3)))
        assert await left_alone_ms(life, work) == REFUSED_WAIT_MS - 5 * TICK_S * 1000
    life.wall.ahead_s -= YEAR_S
    async with life.process() as work:
        await follow_wall(work)
        assert await left_alone_ms(life, work) == REFUSED_WAIT_MS, "a start: from now on"


async def refuse(work: Work) -> None:
    refused = Finding(
        site=SITE,
        target=EIGHT[0],
        check=LAMP.check,
        verdict=Verdict.UNKNOWN,
        reason=Reason.AUTH_REFUSED,
        seen={},
        at_ms=work.clock.now_ms(),
        vantage=Vantage.SSH,
        content=work.content().digest,
    )
    await record(work, [refused])


@virtual
async def test_a_finding_from_before_the_clock_was_set_back_is_acted_on_by_nobody(
    tmp_path: Path,
) -> None:
    """How old it is nobody knows: it is asked anew, and until then the incident says why."""
    life = Life(Box(tmp_path / "appliance.db", Bulb(), content((LAMP,))))
    async with life.process() as work:
        await settle(work, EIGHT[:1])
        await drift(work, EIGHT[:1])
        life.wall.ahead_s -= HOUR_S
        await consider(work)
        async with work.store.read() as conn:
            (row,) = await conn.execute_fetchall("SELECT state, cause FROM incidents")
        assert (row["state"], row["cause"]) == ("open", Cause.STALE_FINDING)
        await life.pass_s(work, 2 * TICK_S)
        assert await _try_one(work) == "begun"


@virtual
async def test_a_step_that_a_full_disk_did_not_keep_is_taken_once_there_is_room(
    tmp_path: Path,
) -> None:
    life = Life(Box(tmp_path / "appliance.db", Bulb(), content((LAMP,))))
    full = [True]

    def fills(process: Process, what: str) -> None:
        if what.startswith("before UPDATE incidents SET not_before_ms = max(") and full:
            full.clear()
            raise sqlite_full(process)

    async with alive(life.box, fills) as made:
        work = replace(made, clock=life.wall, own_clock=StartedClock(life.wall, LoopClock()))
        await settle(work, EIGHT[:1])
        await follow_wall(work)
        await refuse(work)
        life.wall.ahead_s += 5 * HOUR_S
        with pytest.raises(NoRoomError):
            await follow_wall(work)
        assert await left_alone_ms(life, work) < 0, "nothing was moved"
        await follow_wall(work)
        assert await left_alone_ms(life, work) == REFUSED_WAIT_MS


def sqlite_full(process: Process) -> sqlite3.Error:
    """Return the error that SQLite itself gives where a disk is full."""
    (pages,) = process.raws[0].execute("PRAGMA page_count").fetchone()
    process.raws[0].execute(f"PRAGMA max_page_count = {pages}")
    try:
        process.raws[0].execute("INSERT INTO meta VALUES ('too much', ?)", ("x" * 2**20,))
    except sqlite3.OperationalError as error:
        process.raws[0].execute("PRAGMA max_page_count = 1073741823")
        return error
    pytest.fail("there was room")


times = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20)


@given(times, st.integers(0, 10**9))
def test_the_running_clock_never_goes_back(own: list[int], noted_ms: int) -> None:
    clock = RunClock()
    clock.begin(noted_ms, own_ms=own[0], first=())
    seen = [clock.now_ms(one) for one in own]
    assert seen == sorted(seen, key=lambda one: one or 0)
    assert seen[0] == noted_ms


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(-(10**9), 10**9)), max_size=20))
def test_every_set_of_the_clock_is_told_once_and_by_how_much(
    moves: list[tuple[int, int]],
) -> None:
    clock, own_ms, ahead_ms, told_ms = RunClock(), 0, 0, 0
    assert clock.stepped_ms(wall_ms=0, own_ms=0) is None
    for ran_ms, set_ms in moves:
        own_ms, ahead_ms = own_ms + ran_ms, ahead_ms + set_ms
        told_ms += clock.stepped_ms(wall_ms=own_ms + ahead_ms, own_ms=own_ms) or 0
        assert abs(told_ms - ahead_ms) < STEP_MS

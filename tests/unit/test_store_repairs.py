"""What the schema and the store hold of findings, incidents, repairs, limits and waivers."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import aiosqlite
import pytest

from appliance.core.gates import BREAKER_FAILURES, BREAKER_OPEN_MS, DAY_MS
from appliance.core.healing import Command, Kind
from appliance.store import devices, findings, health, incidents, journal, limits, waivers
from appliance.store.db import Store
from appliance.store.devices import Seen
from appliance.store.health import Condition
from proto.errors import MalformedError, NotFoundError
from proto.evidence import Outcome, Result
from proto.findings import Reason, Verdict
from proto.incidents import IN_HAND, LIVE, Cause, Decided, State
from proto.inventory import DeviceClass
from tests.unit.core_values import (
    CHECK,
    NOW_MS,
    OTHER,
    SITE,
    TARGET,
    finding,
    incident,
    plan,
)

Write = Callable[[aiosqlite.Connection], Awaitable[None]]
B = "i-bbbbbbbbbb"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "appliance.db", now_ms=1)
    async with opened.write() as conn:
        seen = [Seen(one, DeviceClass.SERVER, "", {}) for one in (TARGET, OTHER)]
        await devices.upsert(conn, seen, at_ms=1)
    yield opened
    await opened.close()


async def refused(store: Store, write: Write) -> None:
    """Expect the schema to refuse a transaction."""

    async def attempt() -> None:
        async with store.write() as conn:
            await write(conn)

    with pytest.raises(sqlite3.IntegrityError):
        await attempt()


async def test_an_incident_comes_back_as_it_was(store: Store) -> None:
    full = replace(
        incident(State.ESCALATED),
        decided=Decided("rule", "l1.x", ("l1.y",)),
        runbook="rb.x",
        params={"n": 3, "on": True, "text": "a"},
        cause=Cause.BREAKER_OPEN,
        not_before_ms=5,
        verify_tries=2,
        closed_ms=9,
    )
    async with store.write() as conn:
        await incidents.put(conn, full)
        assert await incidents.get(conn, SITE, full.id) == full
        assert await incidents.live_of_target(conn, SITE, TARGET) == {CHECK: full}


@pytest.mark.parametrize("state", sorted(LIVE))
async def test_one_live_incident_holds_a_target_and_check(store: Store, state: State) -> None:
    async with store.write() as conn:
        await incidents.put(conn, incident(state))
    await refused(store, lambda conn: incidents.put(conn, incident(name=B)))
    async with store.write() as conn:
        await incidents.put(conn, incident(State.CLOSED))
        await incidents.put(conn, incident(name=B))


@pytest.mark.parametrize("state", sorted(IN_HAND))
async def test_one_repair_at_a_time_on_a_target(store: Store, state: State) -> None:
    async with store.write() as conn:
        await incidents.put(conn, incident(state))
        await incidents.put(conn, incident(State.EXECUTING, name="i-cccccccccc", target=OTHER))
        assert await incidents.busy_targets(conn) == {TARGET, OTHER}
    second = incident(State.PLANNED, name=B, check="lin.other")
    await refused(store, lambda conn: incidents.put(conn, second))


async def test_a_waiver_that_ended_frees_what_it_held_and_no_other(store: Store) -> None:
    async with store.write() as conn:
        await incidents.put(conn, incident(State.WAIVED))
        await incidents.put(conn, incident(State.WAIVED, name=B, check="lin.other"))
        for check in (CHECK, "lin.other"):
            await waivers.add(
                conn,
                TARGET,
                check,
                reason="agreed",
                account="ana",
                now_ms=NOW_MS,
                until_ms=NOW_MS + (100 if check == CHECK else 200),
            )
        assert await incidents.waived_no_more(conn, SITE, now_ms=NOW_MS + 99) == []
        freed = await incidents.waived_no_more(conn, SITE, now_ms=NOW_MS + 100)
    assert [one.check for one in freed] == [CHECK]


async def start(conn: aiosqlite.Connection) -> int:
    await incidents.put(conn, incident(State.PLANNED))
    return await journal.start_repair(
        conn,
        incident(State.PLANNED),
        plan=plan(),
        before=journal.seen_in(finding()),
        now_ms=NOW_MS,
        fired_ms=NOW_MS,
    )


async def test_a_repair_is_frozen_with_its_plan_and_numbered(store: Store) -> None:
    async with store.write() as conn:
        assert [await start(conn), await start(conn)] == [1, 2]
        repair = await journal.current_repair(conn, incident().id)
        assert repair is not None
        assert (repair.run, repair.plan, repair.at_ms) == (2, plan(), NOW_MS)
        await journal.keep_captured(conn, repair, {"existed": True, "mode": "0644"})
        unknown = finding(Verdict.UNKNOWN, reason=Reason.TIMEOUT, seen={})
        await journal.keep_after(conn, repair, journal.seen_in(unknown))
        again = await journal.current_repair(conn, incident().id)
    assert again is not None
    assert again.captured == {"existed": True, "mode": "0644"}
    assert again.after == journal.seen_in(unknown)


async def test_a_command_is_written_once_started_once_and_finished_once(store: Store) -> None:
    step = Command(Kind.STEP, 0, NOW_MS)
    async with store.write() as conn:
        run = await start(conn)
        await journal.add_command(conn, incident().id, run, command=step, now_ms=NOW_MS)
    await refused(
        store,
        lambda conn: journal.add_command(conn, incident().id, run, command=step, now_ms=NOW_MS),
    )
    async with store.write() as conn:
        pending = await journal.unfinished(conn, incident().id)
        assert pending is not None
        assert (pending.command, pending.is_started) == (step, False)
        await journal.mark_started(conn, pending.id, now_ms=NOW_MS)
        started = await journal.unfinished(conn, incident().id)
        assert started is not None
        assert started.is_started
        await journal.finish(
            conn, pending.id, outcome=Outcome.DONE, changed=1, why="", now_ms=NOW_MS
        )
        assert await journal.unfinished(conn, incident().id) is None


async def test_the_outcomes_of_a_repair_are_those_of_its_started_steps(store: Store) -> None:
    told = [(Outcome.DONE, 1), (Outcome.NOT_RUN, None), (Outcome.UNKNOWN, None)]
    async with store.write() as conn:
        run = await start(conn)
        for step, (outcome, changed) in enumerate(told):
            command = Command(Kind.STEP, step, NOW_MS)
            await journal.add_command(conn, incident().id, run, command=command, now_ms=NOW_MS)
            pending = await journal.unfinished(conn, incident().id)
            assert pending is not None
            await journal.mark_started(conn, pending.id, now_ms=NOW_MS)
            await journal.finish(
                conn, pending.id, outcome=outcome, changed=changed, why="", now_ms=NOW_MS
            )
        repair = await journal.current_repair(conn, incident().id)
        assert repair is not None
        assert await journal.step_outcomes(conn, repair) == (["done", "unknown"], [1, None])
        await journal.end_repair(conn, repair, result=Result.UNDONE, leaf=3, now_ms=NOW_MS)


async def test_a_finding_keeps_since_when_and_what_was_reported(store: Store) -> None:
    async with store.write() as conn:
        await findings.put(conn, finding(), since_ms=5)
        await findings.mark_reported(conn, TARGET, {CHECK: findings.report_key(finding())})
        later = finding(Verdict.UNKNOWN, reason=Reason.TIMEOUT, seen={}, at_ms=NOW_MS + 1)
        await findings.put(conn, later, since_ms=6)
        kept = (await findings.of_target(conn, SITE, TARGET))[CHECK]
        assert (kept.finding, kept.since_ms) == (later, 6)
        assert kept.reported == findings.report_key(finding())
        assert await findings.oldest_ms(conn) == NOW_MS + 1
        await findings.prune(conn, ["another.check"])
        assert await findings.of_target(conn, SITE, TARGET) == {}


def test_what_makes_a_finding_worth_a_new_leaf() -> None:
    same = findings.report_key(finding(at_ms=NOW_MS + 5))
    assert same == findings.report_key(finding())
    others = [
        finding(Verdict.COMPLIANT),
        finding(seen={"value": "without-password"}),
        finding(content="00" * 32),
    ]
    assert len({findings.report_key(one) for one in (finding(), *others)}) == 4


async def test_firings_are_counted_for_a_day_and_one_that_came_to_nothing_is_not(
    store: Store,
) -> None:
    async with store.write() as conn:
        for at_ms in (NOW_MS, NOW_MS + 5, NOW_MS + DAY_MS):
            await limits.fired(conn, "l1.x", TARGET, now_ms=at_ms)
        seen = await limits.fires_ms(conn, "l1.x", TARGET, now_ms=NOW_MS + DAY_MS)
        assert seen == (NOW_MS + 5, NOW_MS + DAY_MS)
        await limits.never_fired(conn, "l1.x", TARGET, at_ms=NOW_MS + DAY_MS)
        assert await limits.fires_ms(conn, "l1.x", TARGET, now_ms=NOW_MS + DAY_MS) == (NOW_MS + 5,)
        assert await limits.fires_ms(conn, "l1.x", OTHER, now_ms=NOW_MS + DAY_MS) == ()


async def test_the_breaker_is_for_one_runbook_on_one_target_and_a_heal_closes_it(
    store: Store,
) -> None:
    async with store.write() as conn:
        told = [
            await limits.not_healed(conn, TARGET, "rb.x", now_ms=NOW_MS)
            for _ in range(BREAKER_FAILURES)
        ]
        assert told == [0] * (BREAKER_FAILURES - 1) + [NOW_MS + BREAKER_OPEN_MS]
        assert await limits.breaker_until_ms(conn, TARGET, "rb.x") == told[-1]
        assert await limits.breaker_until_ms(conn, TARGET, "rb.y") == 0
        assert await limits.breaker_until_ms(conn, OTHER, "rb.x") == 0
        assert await limits.open_breakers(conn, now_ms=NOW_MS) == 1
        await limits.healed(conn, TARGET, "rb.x")
        assert await limits.breaker_until_ms(conn, TARGET, "rb.x") == 0


async def test_a_waiver_holds_until_its_end_or_until_a_person_ends_it(store: Store) -> None:
    async with store.write() as conn:
        until_ms = NOW_MS + 1000
        waiver = await waivers.add(
            conn,
            TARGET,
            CHECK,
            reason=" agreed\r\n by  all ",
            account="ana",
            now_ms=NOW_MS,
            until_ms=until_ms,
        )
        assert waiver.reason == "agreed by all"
        assert await waivers.active(conn, now_ms=until_ms - 1) == {(TARGET, CHECK)}
        assert await waivers.active(conn, now_ms=until_ms) == set()
        await waivers.end(conn, waiver.id, account="ana", now_ms=NOW_MS + 1)
        assert await waivers.active(conn, now_ms=NOW_MS + 1) == set()
        with pytest.raises(NotFoundError):
            await waivers.end(conn, waiver.id, account="ana", now_ms=NOW_MS + 2)
        (kept,) = await waivers.every(conn)
        assert not kept.is_active(now_ms=NOW_MS + 1)


@pytest.mark.parametrize(
    ("reason", "until_ms", "says"),
    [
        ("", NOW_MS + 1, "reason"),
        ("   ", NOW_MS + 1, "reason"),
        ("x" * 401, NOW_MS + 1, "reason"),
        ("agreed\x1b[2J", NOW_MS + 1, "reason"),
        ("agreed\x9b2J", NOW_MS + 1, "reason"),
        ("agreed\x00", NOW_MS + 1, "reason"),
        ("agreed", NOW_MS, "until"),
        ("agreed", NOW_MS + waivers.LENGTH_MAX_MS + 1, "until"),
    ],
)
async def test_a_waiver_without_a_reason_or_a_near_end_is_refused(
    store: Store, reason: str, until_ms: int, says: str
) -> None:
    async with store.write() as conn:
        with pytest.raises(MalformedError, match=says):
            await waivers.add(
                conn,
                TARGET,
                CHECK,
                reason=reason,
                account="ana",
                now_ms=NOW_MS,
                until_ms=until_ms,
            )


async def test_a_condition_is_raised_and_cleared_once(store: Store) -> None:
    async with store.write() as conn:
        raised = [
            await health.raise_it(conn, Condition.DISK_LOW, detail="x" * 1000, now_ms=at_ms)
            for at_ms in (1, 2)
        ]
        assert raised == [True, False]
        assert await health.raised(conn) == {Condition.DISK_LOW: 1}
        assert [await health.clear(conn, Condition.DISK_LOW) for _ in range(2)] == [True, False]

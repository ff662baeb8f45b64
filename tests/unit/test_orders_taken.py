"""Orders on an appliance with a real store: a leaf is answered once, an order runs at most once."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.order_gate.ledger import State
from appliance.core.order_gate.values import Accepted
from appliance.handlers.orders import Done
from appliance.handlers.orders.gating import orders_origin
from appliance.handlers.orders.running import settle_unfinished
from appliance.handlers.work import Work
from appliance.store import evidence, opinions, order_log, order_state, orders
from appliance.store.opinions import OpinionKind
from appliance.store.order_log import MirrorMovedError
from appliance.store.proof import verify
from proto.errors import TargetError
from proto.order_codes import Code
from proto.order_log import follow
from proto.orders.kinds import OrderType
from proto.phi.leaving import closed
from proto.receipts import Chain, Intent, Outcome, Refusal, Result
from tests.fakes.clock import ManualClock
from tests.unit.cut_process import virtual
from tests.unit.order_site import (
    FOOTING,
    Site,
    alive,
    enrolled_site,
    gate,
    mirror,
    receipts,
    row,
    take,
)
from tests.unit.order_world import EARLIER_LEAVES, NOW, key

RESTART = {"drain_s": 0}
OTHER = {"site": "s-aaaaaaaaaa", "appliance": "a-bbbbbbbbbb"}


async def chain_of(work: Work) -> Chain:
    """Follow all receipts; the chain raises where they contradict each other."""
    chain = Chain()
    for one in await receipts(work):
        chain.follow(one.to_bytes())
    return chain


@virtual
async def test_an_order_runs_once_and_has_intent_and_result(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        index = site.order()
        for _ in range(3):
            await take(site, work)
        intent, result = await receipts(work)
        assert isinstance(intent, Intent)
        assert isinstance(result, Result)
        assert (intent.leaf, result.leaf, result.outcome) == (index, index, Outcome.DONE)
        found = await row(work, index)
        assert (found.state, found.outcome, found.intent, found.final) == (State.DONE, "done", 0, 1)
        assert site.ran == {intent.order: 1}
        assert (await chain_of(work)).closed == {index}
        async with work.store.read() as conn:
            assert await verify(conn, work.scribe, cosigners=()) == 2


@virtual
async def test_history_from_before_the_enrollment_is_mirrored_and_never_judged(
    tmp_path: Path,
) -> None:
    """A new appliance at an old site must neither run old orders nor take them for attacks."""
    site = Site(tmp_path / "appliance.db")
    for _ in range(4):
        site.order()
    async with alive(site) as (work, _):
        await take(site, work)
        assert (site.ran, await receipts(work)) == ({}, [])
        async with work.store.read() as conn:
            held = await order_log.held(conn, orders_origin(work))
        assert held.enrolled_at == held.judged == EARLIER_LEAVES + 4
        site.order()
        await take(site, work)
        assert sum(site.ran.values()) == 1


@pytest.mark.parametrize(
    ("told", "ran"), [(EARLIER_LEAVES, 2), (EARLIER_LEAVES + 1, 1), (2**53 - 1, 1)]
)
@virtual
async def test_history_ends_no_later_than_the_log_that_the_hub_shows_first(
    tmp_path: Path, told: int, ran: int
) -> None:
    """One wrong number in the first check-in must not make an appliance deaf to every order."""
    site = Site(tmp_path / "appliance.db")
    site.order()
    async with alive(site) as (work, _):
        async with work.store.write() as conn:
            await order_log.begin(conn, told)
        await take(site, work)
        later = site.order()
        await take(site, work)
        assert (await row(work, later)).state is State.DONE
        assert sum(site.ran.values()) == ran


@virtual
async def test_every_leaf_gets_exactly_one_final_receipt(tmp_path: Path) -> None:
    """Good ones, others' ones, garbage, expired ones: what is in the log is answered."""
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        done = site.order()
        other = site.order(target=OTHER)
        expired = site.order(exp=NOW - 5)
        garbage = site.log.append(b"no envelope")
        await take(site, work)
        chain = await chain_of(work)
        assert (chain.open, chain.closed) == ({}, {done, other, expired, garbage})
        told = {one.leaf: one.reason for one in await receipts(work) if isinstance(one, Refusal)}
        assert told == {
            other: Code.SCOPE_APPLIANCE,
            expired: Code.EXPIRED,
            garbage: Code.ENVELOPE_FORM,
        }
        assert (await row(work, garbage)).sid is None


@virtual
async def test_the_same_envelope_or_nonce_at_a_new_index_never_runs(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        first = site.order()
        await take(site, work)
        again = site.log.append(site.log.leaves[first])
        same_nonce = site.order(nonce=f"{1:032x}")
        await take(site, work)
        assert (await row(work, again)).code == Code.REPLAY_SID
        assert (await row(work, same_nonce)).code == Code.REPLAY_NONCE
        assert sum(site.ran.values()) == 1


@virtual
async def test_replays_within_one_transaction_are_seen(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        first = site.order()
        again = site.log.append(site.log.leaves[first])
        await take(site, work)
        assert (await row(work, first)).state is State.DONE
        assert (await row(work, again)).code == Code.REPLAY_SID


@virtual
async def test_a_failed_run_frees_nothing_and_says_why(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)

    async def fails(_: Work, __: Accepted) -> Done:
        msg = "it would not"
        raise TargetError(msg)

    site.ends[OrderType.RUN_DRIFT] = fails
    async with alive(site) as (work, _):
        first = site.order()
        await take(site, work)
        site.log.append(site.log.leaves[first])
        await take(site, work)
        assert (await row(work, first)).outcome is Outcome.FAILED
        assert sum(site.ran.values()) == 1
        async with work.store.read() as conn:
            batch = await evidence.batch(conn, work.scribe, 0, leaves_max=9, bytes_max=10**6)
        assert str(batch[1].openings["result"].detail) == '{"why":"target"}'


@virtual
async def test_what_a_run_tells_lies_beside_the_log_and_opens_its_commitment(
    tmp_path: Path,
) -> None:
    site = await enrolled_site(tmp_path)

    async def tells(_: Work, __: Accepted) -> Done:
        return Done(Outcome.DONE, {"lines": 3, "unit": closed("sshd", ("sshd",))})

    site.ends[OrderType.RUN_DRIFT] = tells
    async with alive(site) as (work, _):
        site.order()
        await take(site, work)
        async with work.store.read() as conn:
            batch = await evidence.batch(conn, work.scribe, 0, leaves_max=9, bytes_max=10**6)
        assert str(batch[1].openings["result"].detail) == '{"lines":3,"unit":"sshd"}'


@virtual
async def test_a_run_past_its_deadline_is_unknown(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)

    async def hangs(_: Work, __: Accepted) -> Done:
        await asyncio.Event().wait()
        raise AssertionError

    site.ends[OrderType.RUN_DRIFT] = hangs
    async with alive(site) as (work, _):
        index = site.order()
        await take(site, work)
        assert (await row(work, index)).outcome is Outcome.UNKNOWN


@virtual
async def test_only_as_many_are_accepted_as_there_are_hands(tmp_path: Path) -> None:
    """An order must not wait for a hand while its deadline runs."""
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        indexes = [site.order() for _ in range(5)]
        await mirror(site, work)
        seen: list[int] = []
        for hands in (2, 0, 2, 2):
            gated = await gate(work, hands=hands)
            seen += [one.entry.index for one in gated.accepted]
            assert len(gated.accepted) <= hands
        assert seen == indexes


@virtual
async def test_nothing_is_judged_before_the_hub_said_how_much_evidence_it_holds(
    tmp_path: Path,
) -> None:
    """A disk that was put back would take for new what it answered already."""
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        work.word.is_level = False
        site.order()
        assert (await take(site, work)).judged == 0
        work.word.is_level = True
        assert (await take(site, work)).judged == 1


@virtual
async def test_while_it_recovers_nothing_is_accepted_and_nothing_written(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        index = site.order()
        async with work.store.write() as conn:
            state = await order_state.load(conn)
            await order_state.save(conn, replace(state, is_recovering=True))
        await take(site, work)
        async with work.store.read() as conn:
            assert await orders.get(conn, index) is None
        assert (site.ran, await receipts(work)) == ({}, [])
        async with work.store.write() as conn:
            await order_state.save(conn, state)
        await take(site, work)
        assert sum(site.ran.values()) == 1


@virtual
async def test_three_security_refusals_leave_only_tier_0(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        for n in range(3):
            site.log.append(b"no envelope %d" % n)
        held = site.order(OrderType.RESTART_AGENT, params=RESTART)
        free = site.order()
        await take(site, work)
        assert (await row(work, held)).code == Code.SECURITY_HOLD
        assert (await row(work, free)).state is State.DONE
        async with work.store.read() as conn:
            rows = await conn.execute_fetchall("SELECT code FROM health")
        assert [one["code"] for one in rows] == ["orders_held"]


@virtual
async def test_a_veto_ends_what_waits_and_a_cancel_too(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    footing = replace(FOOTING, ring=1)
    async with alive(site) as (work, _):
        vetoed, cancelled, left = (
            site.order(OrderType.UPDATE_AGENT, "ada", exp=NOW + 9000) for _ in range(3)
        )
        await mirror(site, work)
        await gate(work, footing=footing)
        assert {(await row(work, n)).code for n in (vetoed, cancelled, left)} == {Code.RING_WAIT}
        async with work.store.write() as conn:
            for index, kind in ((vetoed, OpinionKind.VETO), (cancelled, OpinionKind.CANCEL)):
                sid = (await row(work, index)).sid or ""
                await opinions.add(conn, sid, kind, by="bea", statement=None, at_s=NOW)
        await gate(work, footing=footing)
        assert (await row(work, vetoed)).code == Code.VETOED
        assert (await row(work, cancelled)).code == Code.CANCELLED
        assert (await row(work, left)).until_s == NOW + 7200
        site.clock.advance(7200_000)
        work.word.answered_s = NOW + 7200
        gated = await gate(work, footing=footing)
        assert [one.entry.index for one in gated.accepted] == [left]


@virtual
async def test_two_writers_cannot_both_move_the_mirror(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        async with work.store.read() as conn:
            held = await order_log.held(conn, orders_origin(work))
        site.order()
        batch = site.batch(held.mirror.tree.size)
        after = follow(held.mirror, batch, log_keys=(key("log").public,))

        async def advance() -> None:
            async with work.store.write() as conn:
                await order_log.advance(
                    conn,
                    held,
                    after,
                    leaves=batch.leaves,
                    checkpoint=batch.checkpoint,
                    now_ms=1,
                )

        await advance()
        with pytest.raises(MirrorMovedError):
            await advance()


@virtual
async def test_what_ran_when_the_process_ended_is_unknown_and_not_run_again(
    tmp_path: Path,
) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        index = site.order()
        await mirror(site, work)
        assert len((await gate(work)).accepted) == 1
    async with alive(site) as (work, _):
        assert await settle_unfinished(work, {}) == 1
        await take(site, work)
        assert (await row(work, index)).outcome is Outcome.UNKNOWN
        assert site.ran == {}
        assert (await chain_of(work)).closed == {index}


@virtual
async def test_an_order_that_ends_after_a_start_says_itself_how(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)

    async def resume(_: Work, intent: Intent) -> Done:
        return Done(Outcome.DONE, {"leaf": intent.leaf})

    async with alive(site) as (work, _):
        index = site.order(OrderType.RESTART_AGENT, params=RESTART)
        await mirror(site, work)
        await gate(work)
    async with alive(site) as (work, _):
        await settle_unfinished(work, {OrderType.RESTART_AGENT: resume})
        assert (await row(work, index)).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("order_type", "people", "code"),
    [
        (OrderType.UPDATE_AGENT, ["ada"], Code.RING_WAIT),
        (OrderType.DISABLE_HEALING, ["ada", "bea"], Code.TIME_LOCK),
    ],
)
@pytest.mark.parametrize("was_s", [-10 * 86_400, 0, 3600])
@virtual
async def test_a_start_ends_no_wait_whatever_clock_it_was_counted_on(
    tmp_path: Path, order_type: OrderType, people: list[str], code: Code, was_s: int
) -> None:
    """A machine may come up on a clock that is days slow and be set right once it has a network."""
    site, footing = await enrolled_site(tmp_path), replace(FOOTING, ring=2)
    async with alive(site) as (right, _):
        work = replace(right, own_clock=ManualClock((NOW + was_s) * 1000))
        work.word.answered_s = work.own_s
        index = site.order(order_type, *people, exp=NOW + 20 * 3600)
        await mirror(site, work)
        await gate(work, footing=footing)
        assert (await row(work, index)).code == code
    async with alive(site) as (work, _):
        await settle_unfinished(work, {})
        for passed_s, begun in ((0, 0), (4 * 3600 - 1, 0), (1, 1)):
            site.clock.advance(passed_s * 1000)
            work.word.answered_s = work.own_s
            assert len((await gate(work, footing=footing)).accepted) == begun


@virtual
async def test_the_clock_set_back_makes_nothing_valid_again(tmp_path: Path) -> None:
    """A time that was signed has passed, across a restart too."""
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        site.clock.advance(5000_000)
        site.order(iat=NOW + 4990, not_before=NOW + 4990, exp=NOW + 9000)
        await take(site, work)
    site.clock.advance(-5000_000)
    async with alive(site) as (work, _):
        late = site.order(exp=NOW + 3000)
        await take(site, work)
        assert (await row(work, late)).code == Code.EXPIRED

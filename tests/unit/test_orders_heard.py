"""What the loop of orders takes from a hub: all that holds, nothing that does not."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from appliance.core.order_gate.clock import ONLINE_AHEAD_S_MAX
from appliance.core.order_gate.ledger import State
from appliance.core.order_gate.values import Accepted, Footing
from appliance.handlers.orders import Done
from appliance.handlers.work import Work
from appliance.ports import HubRefusedError
from appliance.store import health, opinions, order_log, order_state
from appliance.store.health import Condition
from appliance.tasks import orders as loop
from appliance.tasks import uplink
from appliance.tasks.order_talk import hear
from appliance.tasks.orders import Means
from proto import strict_json
from proto.envelope import Kind, sign
from proto.hub.orders import OrdersReply
from proto.order_codes import Code
from proto.orders.kinds import OrderType
from proto.receipts import Outcome
from tests.unit.core_values import SITE
from tests.unit.cut_process import virtual
from tests.unit.order_hub import LogHub, replace_in
from tests.unit.order_site import FOOTING, Site, alive, enrolled_site, gate, row
from tests.unit.order_world import EARLIER_LEAVES, NOW, OrderLog, key

OTHER_CHALLENGE = strict_json.b64_encode(b"1" * 16)


@asynccontextmanager
async def heard(folder: Path) -> AsyncIterator[tuple[Site, LogHub, Work]]:
    """An appliance at the end of a line to a hub; its mirror holds the earlier leaves."""
    site = await enrolled_site(folder)
    hub = LogHub(site)
    async with alive(site, hub=hub) as (work, _):
        yield site, hub, work


@asynccontextmanager
async def looping(site: Site, work: Work) -> AsyncIterator[None]:
    """Run the loop of orders meanwhile."""
    async with running(work, Means(site.runs(), {}, lambda _: FOOTING)):
        yield


@asynccontextmanager
async def running(work: Work, means: Means) -> AsyncIterator[None]:
    """Run the loop of orders with these means meanwhile."""
    task = asyncio.create_task(loop.run(work, means))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def conditions(work: Work) -> set[Condition]:
    async with work.store.read() as conn:
        return set(await health.raised(conn))


async def until(work: Work, index: int, state: State) -> None:
    """Wait until a leaf came to a state."""
    async with asyncio.timeout(600):
        while True:
            async with work.store.read() as conn:
                rows = await conn.execute_fetchall(
                    "SELECT state FROM orders WHERE idx = ?", (index,)
                )
            if [one["state"] for one in rows] == [state]:
                return
            await asyncio.sleep(1)


@virtual
async def test_the_loop_hears_gates_and_runs(tmp_path: Path) -> None:
    async with heard(tmp_path) as (site, hub, work):
        work.word.is_level, work.word.answered_s = False, None
        first = site.order()
        async with looping(site, work):
            await until(work, first, State.DONE)
            second = site.order(OrderType.UPDATE_AGENT, "ada")
            work.bells.ask_orders.ring()
            work.bells.orders.ring()
            await until(work, second, State.DONE)
        assert sum(site.ran.values()) == 2
        assert hub.asked[0].size == EARLIER_LEAVES


@virtual
async def test_the_hub_is_asked_as_soon_as_there_is_signed_content(tmp_path: Path) -> None:
    """Its signer signs nothing for a site before it has heard the site's appliance."""
    async with heard(tmp_path) as (site, hub, work):
        stood: list[Footing] = []
        means = Means(site.runs(), {}, lambda _: stood[0] if stood else None)
        async with running(work, means):
            await asyncio.sleep(5)
            assert not hub.asked
            stood.append(FOOTING)
            work.bells.orders.ring()
            await asyncio.sleep(1)
            assert hub.asked


@virtual
async def test_a_slow_order_blocks_no_other(tmp_path: Path) -> None:
    async with heard(tmp_path) as (site, _, work):

        async def slow(_: Work, __: Accepted) -> Done:
            await asyncio.sleep(500)
            raise AssertionError

        site.ends[OrderType.UPDATE_AGENT] = slow
        first, second = site.order(OrderType.UPDATE_AGENT, "ada"), site.order()
        async with looping(site, work):
            await until(work, second, State.DONE)
            assert (await row(work, first)).state is State.RUNNING


@virtual
async def test_a_hub_that_is_away_stops_nothing_and_is_heard_again(tmp_path: Path) -> None:
    async with heard(tmp_path) as (site, hub, work):
        hub.is_away = True
        index = site.order()
        async with looping(site, work):
            await asyncio.sleep(1000)
            hub.is_away = False
            await until(work, index, State.DONE)


@virtual
async def test_people_are_told_while_a_hub_does_not_say_what_evidence_it_holds(
    tmp_path: Path,
) -> None:
    """No evidence goes until it does, and no loop but this one knows why."""
    async with heard(tmp_path) as (site, hub, work):
        work.word.is_level, hub.withholds = False, True
        index = site.order()
        async with looping(site, work):
            await asyncio.sleep(10)
            assert await conditions(work) == {Condition.EVIDENCE_REFUSED}
            hub.withholds = False
            await until(work, index, State.DONE)
            sending = asyncio.create_task(uplink.run(work))
            await asyncio.sleep(10)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        assert hub.evidence
        assert not await conditions(work)


@virtual
async def test_a_hub_that_is_away_has_refused_nothing(tmp_path: Path) -> None:
    async with heard(tmp_path) as (site, hub, work):
        work.word.is_level, hub.is_away = False, True
        async with looping(site, work):
            await asyncio.sleep(10)
        assert not await conditions(work)


@virtual
async def test_a_log_that_was_empty_at_first_has_no_history(tmp_path: Path) -> None:
    site = Site(tmp_path / "appliance.db", log=OrderLog([]))
    async with alive(site, hub=LogHub(site)) as (work, _):
        assert await hear(work, FOOTING)
        site.order()
        await hear(work, FOOTING)
        assert (await gate(work)).judged == 1


def _other_challenge(hub: LogHub, reply: OrdersReply) -> OrdersReply:
    return replace_in(reply, head=hub.head(OTHER_CHALLENGE))


def _foreign_head(hub: LogHub, reply: OrdersReply) -> OrdersReply:
    return replace_in(reply, head=hub.head(hub.asked[-1].challenge, signer="order"))


def _foreign_checkpoint(hub: LogHub, reply: OrdersReply) -> OrdersReply:
    made = hub.site.checkpoint(signer="order")
    return replace_in(reply, checkpoint=made.decode())


def _fork(hub: LogHub, reply: OrdersReply) -> OrdersReply:
    other = Site(hub.site.path, log=OrderLog(list(hub.site.log.leaves)))
    other.log.leaves[-1] = b"another order"
    return replace_in(reply, checkpoint=other.checkpoint().decode())


def _shrunk(hub: LogHub, reply: OrdersReply) -> OrdersReply:
    size = EARLIER_LEAVES - 1
    return replace_in(
        reply, first=size, leaves=(), checkpoint=hub.site.checkpoint(size).decode(), proof=()
    )


def _gap(_: LogHub, reply: OrdersReply) -> OrdersReply:
    return replace_in(reply, first=reply.first + 1, leaves=())


@pytest.mark.parametrize(
    ("lie", "condition", "detail"),
    [
        (_other_challenge, Condition.ORDER_LOG_REFUSED, "answers another request"),
        (_foreign_head, Condition.ORDER_LOG_REFUSED, "signed by 0 of the people who count"),
        (_foreign_checkpoint, Condition.ORDER_LOG_REFUSED, "not signed by a known key"),
        (_fork, Condition.ORDER_LOG_FORK, "two roots for one size"),
        (_shrunk, Condition.ORDER_LOG_REFUSED, "leaves, 6 were seen"),
        (_gap, Condition.ORDER_LOG_REFUSED, "do not go on"),
    ],
)
@virtual
async def test_an_answer_that_does_not_hold_changes_nothing_and_is_said_once(
    tmp_path: Path,
    lie: Callable[[LogHub, OrdersReply], OrdersReply],
    condition: Condition,
    detail: str,
) -> None:
    async with heard(tmp_path) as (site, hub, work):
        site.order()
        assert await hear(work, FOOTING)
        site.order()
        work.word.answered_s = None
        hub.lie = partial(lie, hub)
        for _ in range(4):
            assert not await hear(work, FOOTING)
        async with work.store.read() as conn:
            assert await order_log.size(conn) == EARLIER_LEAVES + 1
            state = await order_state.load(conn)
            rows = list(await conn.execute_fetchall("SELECT code, detail FROM health"))
        assert work.word.answered_s is None
        assert [one["code"] for one in rows] == [condition]
        assert detail in rows[0]["detail"]
        assert len(state.watch.recent) == 1
        hub.lie = lambda reply: reply
        assert await hear(work, FOOTING)
        assert await conditions(work) == set()


@virtual
async def test_a_hub_that_says_it_holds_another_log_than_it_signed_is_said_here_too(
    tmp_path: Path,
) -> None:
    async with heard(tmp_path) as (_, hub, work):
        assert await hear(work, FOOTING)

        def refuse(_: OrdersReply) -> OrdersReply:
            msg = "the hub refused"
            raise HubRefusedError(msg, said="order_log_fork")

        hub.lie = refuse
        with pytest.raises(HubRefusedError):
            await hear(work, FOOTING)
        assert await conditions(work) == {Condition.ORDER_LOG_FORK}
        hub.lie = lambda reply: reply
        assert await hear(work, FOOTING)
        assert await conditions(work) == set()


@virtual
async def test_heads_far_ahead_move_the_floor_a_day_past_the_clock_and_do_not_add_up(
    tmp_path: Path,
) -> None:
    async with heard(tmp_path) as (_, hub, work):
        hub.lie = lambda reply: replace_in(
            reply, head=hub.head(hub.asked[-1].challenge, ahead_s=10**8)
        )
        for _ in range(5):
            await hear(work, FOOTING)
        async with work.store.read() as conn:
            assert (await order_state.load(conn)).floor.at_s == NOW + ONLINE_AHEAD_S_MAX


@virtual
async def test_a_hub_that_lost_leaves_gets_them_back_byte_for_byte(tmp_path: Path) -> None:
    async with heard(tmp_path) as (site, hub, work):
        indexes = [site.order() for _ in range(3)]
        await hear(work, FOOTING)
        hub.lost_from = indexes[0]
        await hear(work, FOOTING)
        assert hub.given == site.log.leaves[indexes[0] :]


def veto(order: str, *, signer: str, by: str) -> bytes:
    body = {"v": 1, "type": "operator", "site": SITE, "order": order, "reason": "no", "by": by}
    return sign(Kind.VETO, strict_json.dumps({**body, "iat": NOW}), key(signer))


@pytest.mark.parametrize(
    ("signer", "by", "code"),
    [("bea", "bea", Code.VETOED), ("order", "bea", Code.TIME_LOCK), ("bea", "ada", Code.TIME_LOCK)],
)
@virtual
async def test_an_operators_veto_counts_and_nobody_elses(
    tmp_path: Path, signer: str, by: str, code: Code
) -> None:
    async with heard(tmp_path) as (site, hub, work):
        people = ("ada", "bea")
        index = site.order(OrderType.DISABLE_HEALING, *people, exp=NOW + 80_000)
        await hear(work, FOOTING)
        await gate(work)
        waits = await row(work, index)
        assert waits.code == Code.TIME_LOCK
        hub.opinions.append(veto(waits.sid or "", signer=signer, by=by))
        await hear(work, FOOTING)
        assert hub.asked[-1].waiting[0].code is Code.TIME_LOCK
        await gate(work)
        assert (await row(work, index)).code == code


@virtual
async def test_two_operators_end_a_hold_and_one_does_not(tmp_path: Path) -> None:
    async with heard(tmp_path) as (site, hub, work):
        for n in range(3):
            site.log.append(b'"no envelope %d"' % n)
        await hear(work, FOOTING)
        await gate(work)
        assert await conditions(work) == {Condition.ORDERS_HELD}
        document = {"v": 1, "type": "clear", "site": SITE, "appliance": "a-aaaaaaaaaa"}
        body = strict_json.dumps({**document, "since": NOW, "by": "ada", "iat": NOW})
        hub.opinions.append(sign(Kind.CONSENT, body, key("ada")))
        await hear(work, FOOTING)
        assert await conditions(work) == {Condition.ORDERS_HELD}
        hub.opinions.append(sign(Kind.CONSENT, body, key("ada"), key("bea")))
        await hear(work, FOOTING)
        assert await conditions(work) == set()


@virtual
async def test_a_sealed_login_is_known_by_its_digest(tmp_path: Path) -> None:
    async with heard(tmp_path) as (_, hub, work):
        hub.boxes.append(b"sealed")
        await hear(work, FOOTING)
        async with work.store.read() as conn:
            assert await opinions.boxes(conn) == {hashlib.sha256(b"sealed").hexdigest()}


@virtual
async def test_what_was_cut_off_is_settled_before_anything_is_judged(tmp_path: Path) -> None:
    async with heard(tmp_path) as (site, hub, work):
        index = site.order()
        await hear(work, FOOTING)
        await gate(work)
    async with alive(site, hub=hub) as (work, _):
        async with looping(site, work):
            await until(work, index, State.DONE)
        assert (await row(work, index)).outcome is Outcome.UNKNOWN
        assert site.ran == {}

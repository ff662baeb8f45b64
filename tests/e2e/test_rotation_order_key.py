"""The order key goes over to the next while orders wait, are under way and are drafted."""

from pathlib import Path

from proto.keysets import DAY_S
from proto.orders.kinds import OrderType
from tests.e2e.rotating import HOUR_S, rotating
from tests.unit.signer_world import wish


async def test_no_order_is_lost_while_the_order_key_is_rotated(tmp_path: Path) -> None:
    async with rotating(tmp_path) as running:
        later_s = running.now_s + 2 * HOUR_S
        waiting = await running.order(not_before_s=later_s, life_s=3 * HOUR_S)
        under_way = await running.order()
        drafted = await running.link.draft(wish(OrderType.RUN_DRIFT))
        await running.renew("order")
        assert await running.turn() == {waiting.hex(): "not_before"}
        assert running.ran(under_way) == 1

        await running.publish()
        await running.take_in()
        await running.link.log(drafted.sid, [])
        between = await running.order()
        await running.hear()
        await running.carry_out()
        assert [running.ran(drafted.sid), running.ran(between)] == [1, 1], "by the old grants"

        running.pass_time(2 * HOUR_S)
        after = await running.order()
        assert await running.turn() == {}
        assert [running.ran(sid) for sid in (waiting, after)] == [1, 1]
        signers = [await running.signed_by(sid) for sid in (waiting, between, after)]
        assert signers == [0, 0, 1], "the next key signs once the site had time to hear of it"


async def test_the_former_key_counts_until_its_end_and_not_after(tmp_path: Path) -> None:
    """Somebody has a copy of the former key: it is good for nothing from its end on."""
    async with rotating(tmp_path) as running:
        former = running.key("order")
        running.pass_time(DAY_S)
        await running.take_in()
        await running.renew("order")
        await running.publish()
        await running.take_in()
        await running.turn()
        assert running.verdict_on(former) == "accepted"
        for _ in range(12):
            running.pass_time(DAY_S // 2)
            await running.take_in()
        running.pass_time(2 * HOUR_S)
        running.fetch_content()
        assert running.verdict_on(former) == "grant_time"
        good = await running.order()
        assert await running.turn() == {}
        assert running.ran(good) == 1

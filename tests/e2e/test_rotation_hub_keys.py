"""Head, log, snapshot and timestamp keys go over to the next; nothing is started anew."""

from pathlib import Path

import pytest

from proto.keysets import DAY_S
from tests.e2e.rotating import HOUR_S, rotating


@pytest.mark.parametrize("kind", ["head", "log", "snapshot", "timestamp"])
async def test_an_appliance_goes_on_while_a_key_of_the_hub_is_rotated(
    tmp_path: Path, kind: str
) -> None:
    async with rotating(tmp_path) as running:
        later_s = running.now_s + HOUR_S
        waiting = await running.order(not_before_s=later_s, life_s=4 * HOUR_S)
        await running.turn()
        (former,) = (await running.link.keys())[kind]
        await running.renew(kind)
        await running.publish()
        await running.take_in()
        under_way = await running.order()
        await running.hear()
        assert await running.carry_out() == {waiting.hex(): "not_before"}, "by what it knew before"
        if kind != "snapshot":
            assert await running.which_signs(kind) == 0

        running.pass_time(2 * HOUR_S)
        await running.take_in()
        assert await running.turn() == {}
        running.pass_time(DAY_S // 2)
        await running.take_in()
        last = await running.order()
        assert await running.turn() == {}
        assert [running.ran(sid) for sid in (waiting, under_way, last)] == [1, 1, 1]
        assert former != (await running.link.keys())[kind][-1]
        if kind != "snapshot":  # signed anew when something new is published
            assert await running.which_signs(kind) == 1


async def test_an_appliance_that_was_away_finds_its_way_back(tmp_path: Path) -> None:
    """All keys of the hub are others when it comes back: it follows the roots, then the rest."""
    async with rotating(tmp_path) as running:
        await running.renew("order", "head", "log", "snapshot", "timestamp")
        await running.publish()
        await running.take_in()
        for _ in range(8):
            running.pass_time(DAY_S // 2)
            await running.take_in()
        await running.publish()
        await running.take_in()
        sid = await running.order()
        assert await running.turn() == {}
        assert running.ran(sid) == 1
        root, release, grants = running.versions()
        assert root >= 2
        assert release >= 2
        assert grants >= 3

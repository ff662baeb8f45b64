"""What one turn before the order gate costs the store, however many orders it judges."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from runtime.sqlite import plain
from tests.unit.discovery_site import NoHub
from tests.unit.order_site import Site, gate, mirror
from tests.unit.order_world import body, signed

HOPS_A_TURN = 7
"""Two ends of a snapshot and what is read in it; two of a transaction, what is read and written."""


class Counted:
    """Opens connections as a daemon's, and counts how often their threads are asked."""

    def __init__(self) -> None:
        """Begin at none."""
        self.hops = 0

    def __call__(self, path: Path, /, *, read_only: bool) -> aiosqlite.Connection:
        """Open one."""
        counted = self

        class Connection(aiosqlite.Connection):
            async def _execute(self, fn: Callable[..., Any], *args: Any, **how: Any) -> Any:  # noqa: ANN401 - as aiosqlite has it
                counted.hops += 1
                execute: Callable[..., Any] = super()._execute
                return await execute(fn, *args, **how)

        return Connection(lambda: plain(path, read_only=read_only), iter_chunk_size=64)


@pytest.mark.parametrize("orders", [1, 3])
async def test_a_turn_asks_the_stores_threads_a_few_times_however_many_orders_it_judges(
    orders: int, tmp_path: Path
) -> None:
    """Each time costs more than what SQLite does with a row; a turn has some thirty statements."""
    counted, site = Counted(), Site(tmp_path / "appliance.db")
    work = await site.start(counted, NoHub())
    try:
        await mirror(site, work)
        for number in range(orders):
            site.log.append(signed(body(nonce=f"{number:032x}")))
        await mirror(site, work)
        before = counted.hops
        gated = await gate(work, hands=orders)
        assert len(gated.accepted) == orders
        assert counted.hops - before == HOPS_A_TURN
    finally:
        await work.store.close()

"""The virtual clock: no waiting, no threads, and one order of everything."""

import asyncio
import time

import pytest

from tests.sim import loop
from tests.sim.loop import EndlessError, StuckError

MONTH_S = 30 * 86_400.0


def test_a_month_passes_at_once() -> None:
    async def main() -> float:
        await asyncio.sleep(MONTH_S)
        return asyncio.get_running_loop().time()

    began_s = time.monotonic()
    assert loop.run(main()) == MONTH_S
    assert time.monotonic() - began_s < 5


def test_timers_of_one_moment_run_in_the_order_in_which_they_were_set() -> None:
    async def main() -> list[int]:
        ran: list[int] = []
        running = asyncio.get_running_loop()
        for number in range(200):
            handle = running.call_at(5.0, ran.append, number)
            if number % 3 == 0:
                handle.cancel()
        await asyncio.sleep(6.0)
        return ran

    ran = loop.run(main())
    assert ran == [number for number in range(200) if number % 3]


def test_a_timeout_ends_a_wait_at_its_time() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert loop.run(main()) == 2.5


def test_who_waits_for_what_cannot_happen_is_told() -> None:
    with pytest.raises(StuckError):
        loop.run(asyncio.Event().wait())


def test_who_goes_round_in_a_circle_is_told_and_ended() -> None:
    """Where no time passes no deadline helps: a broken variant could run for ever."""
    ended = []

    async def main() -> None:
        running = asyncio.get_running_loop()

        def again() -> None:
            running.call_soon(again)

        again()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with pytest.raises(EndlessError, match=r"at 0\.000 s"):
        loop.run(main(), turns_max=1000)
    assert ended


def test_a_thread_is_refused() -> None:
    async def main() -> None:
        await asyncio.to_thread(time.monotonic)

    with pytest.raises(RuntimeError, match="thread"):
        loop.run(main())

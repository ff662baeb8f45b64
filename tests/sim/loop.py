"""An event loop whose time is virtual: it jumps to the next timer instead of waiting for it.

Nothing outside can wake it: it has no socket, no file and no thread. Work that is ready runs in the
order in which it became ready, and timers of one moment in the order in which they were set, so a
run is a function of its inputs alone. A loop with nothing ready and nothing scheduled can never go
on, and says so.
"""

import asyncio
import heapq
from asyncio import TimerHandle
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Final, NoReturn, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

TURNS_MAX: Final = 20_000_000
TURNS_TO_END: Final = 1_000_000
"""How many more turns the tasks of a loop that turned too often have to end in."""


class StuckError(RuntimeError):
    """Everybody waits for something that can no longer happen."""


class EndlessError(RuntimeError):
    """The loop turned more often than any run does: somebody goes round in a circle."""


class _Jump:
    """Stands where a selector would: waiting moves the clock."""

    def __init__(self, turns_max: int) -> None:
        self.now_s = 0.0
        self._turns_left = turns_max

    def select(self, timeout: float | None) -> list[object]:
        self._turns_left -= 1
        if self._turns_left < 0:
            self._turns_left = TURNS_TO_END
            msg = f"too many turns of the loop, the last of them at {self.now_s:.3f} s"
            raise EndlessError(msg)
        if timeout is None:
            msg = "nothing is ready and nothing is scheduled"
            raise StuckError(msg)
        self.now_s += timeout
        return []

    def close(self) -> None:
        """Nothing is held."""


class _Timer(TimerHandle):
    """A timer in a total order.

    asyncio's own has none among timers of one moment: there the order follows from the heap's
    layout, which depends on what a killed process had set before.
    """

    __slots__ = ("order",)
    order: int

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, _Timer):
            return NotImplemented
        return (self.when(), self.order) < (other.when(), other.order)


class VirtualLoop(asyncio.base_events.BaseEventLoop):
    """asyncio's own loop over a clock that jumps."""

    def __init__(self, turns_max: int = TURNS_MAX) -> None:
        """Start at second 0."""
        super().__init__()
        self._selector = _Jump(turns_max)
        self._clock_resolution = 1e-6
        self._scheduled: list[TimerHandle] = []
        self._timers_set = 0

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._selector.now_s

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> TimerHandle:
        """Run a callback at a time of this loop."""
        self._timers_set += 1
        timer = _Timer(when, callback, args, self, context)
        timer.order = self._timers_set
        timer._scheduled = True  # type: ignore[attr-defined]  # noqa: SLF001 - as asyncio does
        heapq.heappush(self._scheduled, timer)
        return timer

    def _process_events(self, event_list: list[object]) -> None:
        """A jump brings no events."""

    def run_in_executor(self, *args: object) -> NoReturn:
        """Refuse: a thread would run in real time."""
        msg = f"{args} wants a thread inside the simulator"
        raise RuntimeError(msg)

    def call_soon_threadsafe(self, *args: object, **_: object) -> NoReturn:
        """Refuse: nobody else runs."""
        msg = f"{args} comes from another thread"
        raise RuntimeError(msg)


def run(main: Coroutine[Any, Any, T], *, turns_max: int = TURNS_MAX) -> T:
    """Run a coroutine to its end on a loop of its own and return its result.

    Raises:
        StuckError: everybody waits for something that can no longer happen.
        EndlessError: it did not end within so many turns of the loop.
    """
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(turns_max)) as runner:
        return runner.run(main)

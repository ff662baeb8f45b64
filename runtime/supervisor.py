"""Crash-only supervision: named coroutines run together, and the process ends when one fails.

No task is restarted inside the process: what is in memory after an unexpected exception is not to
be trusted. The service manager starts a new process, which recovers from what is on disk. This is
the one place in the project where any exception is caught, to name the task that it ended.
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Mapping

from proto.errors import OsirisError
from runtime import notify
from runtime.clock import Clock
from runtime.log import Log

Task = Callable[[], Awaitable[None]]

CRASHED = 70
"""Exit status of a process that ended by an unexpected exception (EX_SOFTWARE, sysexits(3))."""

STOP_WITHIN_S = 10.0

PROOF_EVERY_S = 15.0
PROOF_WITHIN_S = 60
"""A turn that takes longer than this is no progress: the watchdog is not fed meanwhile."""


class Pulse:
    """Who must show progress, and by when: the watchdog is fed only while nobody is overdue."""

    def __init__(self, clock: Clock) -> None:
        """Start with nobody under watch; a clock that is set would make healthy loops overdue."""
        self._clock = clock
        self._due_ms: dict[str, int] = {}

    def beat(self, name: str, *, again_within_s: int) -> None:
        """Note that a loop made progress, and when it must next do so."""
        self._due_ms[name] = self._clock.now_ms() + again_within_s * 1000

    def done(self, name: str) -> None:
        """Stop watching a loop that ended as it should."""
        self._due_ms.pop(name, None)

    def overdue(self) -> list[str]:
        """Return the loops that should have shown progress and did not."""
        now_ms = self._clock.now_ms()
        return sorted(name for name, due_ms in self._due_ms.items() if due_ms < now_ms)


async def prove(name: str, turn: Task, *, pulse: Pulse, stop: asyncio.Event) -> None:
    """Take a turn at what a service lives by, again and again, until `stop` is set.

    Only a turn that has ended counts as progress. One that hangs starves the watchdog, and the
    service manager starts a new process; one that fails ends the process by itself.
    """
    pulse.beat(name, again_within_s=PROOF_WITHIN_S)
    while not stop.is_set():
        await turn()
        pulse.beat(name, again_within_s=PROOF_WITHIN_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PROOF_EVERY_S):
                await stop.wait()
    pulse.done(name)


async def supervise(
    tasks: Mapping[str, Task], *, log: Log, stop: asyncio.Event, pulse: Pulse | None = None
) -> int:
    """Run the tasks until `stop` is set or one of them ends; return the exit status.

    A task that returns while `stop` is not set has failed too: each is written to run for ever.
    """
    running = {
        asyncio.create_task(_named(name, task, log=log)): name for name, task in tasks.items()
    }
    stopping = asyncio.create_task(stop.wait())
    feeding = asyncio.create_task(_feed_watchdog(pulse, log=log)) if pulse else None
    ended, _ = await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    status = max((task.result() for task in ended if task in running), default=0)
    if not stop.is_set() and status == 0:
        names = sorted(running[task] for task in ended if task in running)
        log.error("task_returned", tasks=names)
        status = CRASHED
    stop.set()
    notify.stopping()
    _, late = await asyncio.wait(running, timeout=STOP_WITHIN_S)
    others = [task for task in (*late, stopping, feeding) if task is not None]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    return status


async def _named(name: str, task: Task, *, log: Log) -> int:
    """Run one task and turn how it ended into an exit status."""
    try:
        await task()
    except OsirisError as error:
        log.critical("task_failed", task=name, code=error.code, error=str(error))
        return error.exit_status
    except Exception:
        log.exception("task_crashed", task=name)
        return CRASHED
    return 0


async def _feed_watchdog(pulse: Pulse, *, log: Log) -> None:
    """Feed systemd's watchdog while every watched loop makes progress."""
    interval_s = notify.watchdog_interval_s()
    while interval_s is not None:
        late = pulse.overdue()
        if late:
            log.error("no_progress", loops=late)
        else:
            notify.watchdog()
        await asyncio.sleep(interval_s)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Make SIGTERM and SIGINT set `stop`; call it inside the running loop."""
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)

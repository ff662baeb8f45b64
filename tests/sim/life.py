"""A process's life: what a kill takes away, and what it leaves.

A kill first closes every database connection without committing and shuts every port, so that
nothing in a `finally` can still do harm; then it cancels the tasks. What had left through a port
goes on without the process: a request on the wire, a script that a target runs.
"""

import asyncio
import sqlite3
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

from runtime.sqlite import Connect, inline_through
from tests.sim.trace import Trace


class KilledError(asyncio.CancelledError):
    """The process is no more; whatever still runs in it learns so from every port."""


class Life:
    """One start of one process."""

    def __init__(self, name: str, trace: Trace, *, on_crash: Callable[[str], None]) -> None:
        """Begin; `on_crash` hears of a task that ended by itself."""
        self.name = name
        self.is_alive = True
        self.killed = asyncio.Event()
        self.closes: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._trace = trace
        self._on_crash = on_crash
        self._tasks: list[asyncio.Task[Any]] = []
        self._raws: list[sqlite3.Connection] = []
        self._calls_left: int | None = None
        self._is_last_done = False
        self._is_buried = False

    def connect(self) -> Connect:
        """Return what opens this process's database connections."""
        return inline_through(self.conduct)

    def spawn(self, work: Coroutine[Any, Any, Any], *, is_service: bool) -> asyncio.Task[Any]:
        """Run a coroutine in this process; a service must not end while the process lives."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._service_ended if is_service else self._job_ended)
        return task

    def die_in(self, calls: int, *, done: bool) -> None:
        """Be killed at the database call after this many: before it runs, or once it is done."""
        self._calls_left, self._is_last_done = calls, done

    def pardon(self) -> None:
        """Take back what `die_in` said."""
        self._calls_left = None

    def require_alive(self) -> None:
        """Let a port refuse a process that is no more."""
        if not self.is_alive:
            raise KilledError

    def kill(self) -> None:
        """End the process at this very moment."""
        if not self.is_alive:
            return
        self.is_alive = False
        self._trace.note(self.name, "is killed")
        for raw in self._raws:
            # A cursor that is still referred to keeps a closed connection's locks; an operating
            # system would drop them with the process.
            raw.rollback()
            raw.close()
        for task in self._tasks:
            task.cancel()
        self.killed.set()

    async def bury(self) -> None:
        """Wait until nothing of the process runs any more, then let go of what it held."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._is_buried = True
        for close in self.closes:
            await close()

    def conduct(self, function: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the call returns
        """Carry out a call of a database, unless the process ends before it, or once it is done."""
        if self._is_buried:
            return function()
        self.require_alive()
        is_last = self._calls_left == 0
        if self._calls_left is not None:
            self._calls_left -= 1
        if is_last and not self._is_last_done:
            self.kill()
            raise KilledError
        result = function()
        if isinstance(result, sqlite3.Connection):
            result.set_trace_callback(lambda sql: self._trace.note(self.name, sql))
            self._raws.append(result)
        if is_last:
            self.kill()
            raise KilledError
        return result

    def _service_ended(self, task: asyncio.Task[Any]) -> None:
        if self.is_alive and not task.cancelled():
            self._on_crash(f"{self.name}: a loop ended: {_told(task)}")
        elif not task.cancelled():
            task.exception()

    def _job_ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.remove(task)
        if not task.cancelled() and task.exception() is not None and self.is_alive:
            self._on_crash(f"{self.name}: {_told(task)}")


def _told(task: asyncio.Task[Any]) -> str:
    """Return how a task ended, with where."""
    error = task.exception()
    return "it returned" if error is None else "".join(traceback.format_exception(error))

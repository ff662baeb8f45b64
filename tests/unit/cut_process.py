"""A process of the appliance that can be cut off at any database call, on a loop of virtual time.

A cut is what kill -9 is: no further database call gets through, and what was not committed is gone.
"""

import asyncio
import functools
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ParamSpec

import aiosqlite

from runtime.sqlite import inline_through
from tests.sim.loop import run

START_MS = 1_767_225_600_000

P = ParamSpec("P")


def virtual(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an asynchronous test on a loop whose time jumps, so that no wait is waited for."""

    @functools.wraps(test)
    def on_virtual_loop(*args: P.args, **kwargs: P.kwargs) -> None:
        run(test(*args, **kwargs))

    return on_virtual_loop


class LoopClock:
    """`ports.Clock` of the running loop's time."""

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return START_MS + round(asyncio.get_running_loop().time() * 1000)


class CutError(BaseException):
    """The process is no more. No handler of errors may see it as one."""


class Process:
    """One start of the appliance; `cut` ends it, and from then on nothing gets through."""

    def __init__(self, watch: "Callable[[Process, str], None]") -> None:
        """Tell `watch` of every database call before and after it, and of every script."""
        self.is_alive = True
        self.raws: list[sqlite3.Connection] = []
        self._connections: list[aiosqlite.Connection] = []
        self._is_buried = False
        self._watch = watch

    def connect(self, path: Path, /, *, read_only: bool) -> aiosqlite.Connection:
        """Open a connection whose every call goes through `conduct`."""
        made = inline_through(self.conduct)(path, read_only=read_only)
        self._connections.append(made)
        return made

    async def bury(self) -> None:
        """Let go of what the process held; a cut has closed the files long before."""
        self._is_buried = True
        for one in reversed(self._connections):
            await one.close()

    def cut(self) -> None:
        """End the process now, as kill -9 does."""
        self.is_alive = False
        for raw in self.raws:
            raw.close()
        raise CutError

    def happens(self, what: str) -> None:
        """Something is about to happen, or just did."""
        if not self.is_alive:
            raise CutError
        self._watch(self, what)

    def conduct(self, function: Callable[[], Any]) -> object:
        """Carry out one database call."""
        if self._is_buried:
            return function()
        args = getattr(function, "args", ())
        sql = args[0] if args and isinstance(args[0], str) else ""
        self.happens(f"before {sql}")
        result = function()
        if isinstance(result, sqlite3.Connection):
            self.raws.append(result)
        self.happens(f"after {sql}")
        return result

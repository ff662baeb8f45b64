"""Keeping the content repository fresh: what people published is taken in, timestamps renewed.

A look is cheap until something is due; then the work is done on a thread, and python-tuf is loaded
for the first time. What was published and does not hold is logged, once for each reason, and what
was current stays current.
"""

import asyncio
import contextlib
from pathlib import Path

from central.repository import HubRepository, ReadKey, freshen
from proto.errors import OsirisError
from runtime.clock import Clock, seconds
from runtime.log import Log

LOOK_EVERY_S = 15.0


class ContentJob:
    """The job; `run` is its coroutine."""

    def __init__(self, state_dir: Path, read_key: ReadKey, *, clock: Clock, log: Log) -> None:
        """Work on the repository of this state directory with the hub's own keys."""
        self._repository = HubRepository(state_dir)
        self._read_key = read_key
        self._clock = clock
        self._log = log
        self._problem = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until `stop` is set."""
        while not stop.is_set():
            await self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await stop.wait()

    async def look(self) -> str:
        """Do what is due; return what does not hold of what was published."""
        now_s = seconds(self._clock)
        try:
            if not self._repository.is_due(now_s=now_s):
                return self._problem
        except OsirisError as error:
            self._tell(str(error))
            return self._problem
        self._tell(await asyncio.to_thread(freshen, self._repository, self._read_key, now_s=now_s))
        return self._problem

    def _tell(self, problem: str) -> None:
        if problem and problem != self._problem:
            self._log.error("content_not_taken_in", why=problem)
        elif not problem:
            self._log.info("content_is_fresh")
        self._problem = problem

"""Keeping the content repository fresh: what people published is taken in, timestamps renewed.

A look is cheap until something is due; then files are checked on a thread, python-tuf is loaded for
the first time, and the signer is asked to say what is current: no key is here. What was published
and does not hold is logged, once for each reason, and what was current stays current.
"""

import asyncio
import contextlib
from pathlib import Path

from central.repository import HubRepository, Signing, freshen
from proto.errors import OsirisError
from runtime.clock import Clock, seconds
from runtime.log import Log

LOOK_EVERY_S = 15.0
AGAIN_AFTER_S = 300
"""What was refused and did not change is looked at again after this long."""


class ContentJob:
    """The job; `run` is its coroutine."""

    def __init__(self, state_dir: Path, signing: Signing, *, clock: Clock, log: Log) -> None:
        """Work on the repository of this state directory; `signing` holds the keys for it."""
        self._repository = HubRepository(state_dir)
        self._signing = signing
        self._clock = clock
        self._log = log
        self._problem = ""
        self._refused: frozenset[tuple[str, int]] = frozenset()
        self._again_s = 0

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
        if self._is_due(now_s):
            problem = await freshen(self._repository, self._signing, now_s=now_s)
            self._refused = self._repository.waiting() if problem else frozenset()
            self._again_s = now_s + AGAIN_AFTER_S
            self._tell(problem)
        return self._problem

    def _is_due(self, now_s: int) -> bool:
        """Tell whether there is work.

        What was refused is looked at again when its documents change, and after a while: a file of
        it may have come late.
        """
        waiting = self._repository.waiting()
        is_later = not self._again_s - AGAIN_AFTER_S <= now_s <= self._again_s
        if waiting and (waiting != self._refused or is_later):
            return True
        try:
            return self._repository.is_stale(now_s=now_s)
        except OsirisError as error:
            self._tell(str(error))
            return False

    def _tell(self, problem: str) -> None:
        if problem and problem != self._problem:
            self._log.error("content_not_taken_in", why=problem)
        elif not problem:
            self._log.info("content_is_fresh")
        self._problem = problem

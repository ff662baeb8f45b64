"""Check-ins made durable together: many in one transaction, each answered after its commit.

A check-in is handed over and waits; one worker takes all that wait, stores them in one transaction
and wakes them. While it commits, the next group gathers. When the store cannot commit (its disk is
full), every sender of the group is told to come again, and nothing was promised to anyone.
"""

import asyncio
from collections import deque

from sqlalchemy.exc import OperationalError

from central.store.appliances import CheckInRow, record_check_ins
from central.store.engine import Store

GROUP_MAX = 512


class CheckInGroups:
    """The queue between the requests and the one worker, `run`."""

    def __init__(self, store: Store) -> None:
        """Start with nothing waiting."""
        self._store = store
        self._waiting: deque[tuple[CheckInRow, asyncio.Future[None]]] = deque()
        self._arrived = asyncio.Event()
        self._closed = False

    async def record(self, row: CheckInRow) -> None:
        """Return when the check-in is durable.

        Raises:
            OperationalError: the store could not commit it.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, done))
        self._arrived.set()
        await done

    async def run(self) -> None:
        """Store groups until `close` was called and nothing waits."""
        while self._waiting or not self._closed:
            await self._arrived.wait()
            await self.flush()

    def close(self) -> None:
        """Let `run` end; call it once no request is served any more."""
        self._closed = True
        self._arrived.set()

    async def flush(self) -> None:
        """Store what waits now, at most `GROUP_MAX` at once."""
        count = min(len(self._waiting), GROUP_MAX)
        group = [self._waiting.popleft() for _ in range(count)]
        if not self._waiting:
            self._arrived.clear()
        if not group:
            return
        failure: OperationalError | None = None
        try:
            async with self._store.write() as connection:
                await record_check_ins(connection, [row for row, _ in group])
        except OperationalError as error:
            failure = error
        for _, done in group:
            if done.done():
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)

"""Waiting for room on the disk: a loop that cannot store goes on when it can again."""

import asyncio
from collections.abc import Awaitable, Callable

from appliance.handlers.work import Work
from proto.errors import NoRoomError

PAUSE_S = 5.0


async def patient(work: Work, loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop, and run it anew when the disk was full and is no longer.

    What the loop was doing was not stored, so for the store it never happened.
    """
    while True:
        try:
            await loop()
        except* NoRoomError:
            work.bells.tidy.ring()
        else:
            return
        await room(work)


async def room(work: Work) -> None:
    """Wait until the disk has room, and a little longer: others wait too."""
    await asyncio.sleep(PAUSE_S)
    while not work.store.has_room():  # noqa: ASYNC110 - a disk tells nobody that it has room
        await asyncio.sleep(PAUSE_S)

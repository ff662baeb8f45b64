"""The command line's way to the appliance; see `runtime/local_door.py`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.types import ASGIApp

from appliance import main
from appliance.config import Config
from appliance.shell.identity import Place
from appliance.tasks import heal
from runtime import local_door
from runtime.local_door import LocalDoor


def open_door(config: Config, *, healing: bool = False) -> AbstractAsyncContextManager[LocalDoor]:
    """Open the daemon's socket, or the store itself when no daemon runs.

    With `healing` the heal loop runs while the door is open, unless the daemon has its own. What a
    closing door cuts off is in the journal and carried on by the next one.

    Raises:
        ConfigError: the appliance is not enrolled, or its state cannot be used.
        ConflictError: another process holds the state but does not serve the socket.
    """
    place = Place(config.state_dir)
    place.prepare()

    @asynccontextmanager
    async def wired() -> AsyncIterator[ASGIApp]:
        async with main.wired(config) as daemon:
            loop = asyncio.create_task(heal.run(daemon.work)) if healing else None
            try:
                yield daemon.socket_app
            finally:
                if loop is not None:
                    loop.cancel()
                    await asyncio.gather(loop, return_exceptions=True)

    return local_door.open_door(place.socket, wired)

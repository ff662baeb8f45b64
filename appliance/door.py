"""The command line's way to the appliance; see `runtime/local_door.py`."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.types import ASGIApp

from appliance import main
from appliance.config import Config
from appliance.shell.identity import Place
from runtime import local_door
from runtime.local_door import LocalDoor


def open_door(config: Config) -> AbstractAsyncContextManager[LocalDoor]:
    """Open the daemon's socket, or the store itself when no daemon runs.

    Raises:
        ConfigError: the appliance is not enrolled, or its state cannot be used.
        ConflictError: another process holds the state but does not serve the socket.
    """
    place = Place(config.state_dir)
    place.prepare()

    @asynccontextmanager
    async def wired() -> AsyncIterator[ASGIApp]:
        async with main.wired(config) as daemon:
            yield daemon.socket_app

    return local_door.open_door(place.socket, wired)

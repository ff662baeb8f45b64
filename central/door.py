"""The command line's way to the hub; see `runtime/local_door.py`."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.types import ASGIApp

from central import main, setup
from central.config import Config
from runtime import local_door
from runtime.local_door import LocalDoor


def open_door(config: Config) -> AbstractAsyncContextManager[LocalDoor]:
    """Open the daemon's socket, or the store itself when no daemon runs.

    Raises:
        ConfigError: no hub is set up there, or its state cannot be used.
        ConflictError: another process holds the state but does not serve the socket.
    """
    place = setup.Place(config.state_dir)
    setup.load_root(place)

    @asynccontextmanager
    async def wired() -> AsyncIterator[ASGIApp]:
        async with main.wired(config) as daemon:
            yield daemon.socket

    return local_door.open_door(place.socket, wired)

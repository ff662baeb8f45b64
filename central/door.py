"""How the command line reaches the hub: the daemon's socket, or the store when none runs.

Both serve the same routes. Without a daemon the state directory's lock is taken for the one
request, so there is never a second writer.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from central import main, setup
from central.config import Config
from proto.errors import (
    ConflictError,
    IntegrityError,
    MalformedError,
    NotFoundError,
    OsirisError,
    RejectedError,
    UnreachableError,
)
from runtime.service_lock import ServiceLock

ANSWER_S = 60.0
_BASE = "http://hub"
_FAMILIES: Mapping[int, type[OsirisError]] = {
    400: MalformedError,
    404: NotFoundError,
    409: ConflictError,
    503: UnreachableError,
    500: IntegrityError,
}


class LocalDoor:
    """One command's way to the hub."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Speak through an open client."""
        self._client = client

    async def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON at a path.

        Raises:
            OsirisError: of the family that the hub's refusal has.
        """
        return _read(await self._client.get(path))

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Ask for a change and return the JSON answer; the same errors as `get`."""
        return _read(await self._client.post(path, content=json.dumps(body)))


def _read(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    if answer.status_code == httpx.codes.OK:
        return answer.json()
    try:
        said = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        said = f"the hub answered with status {answer.status_code}"
    raise _FAMILIES.get(answer.status_code, RejectedError)(said)


@asynccontextmanager
async def open_door(config: Config) -> AsyncIterator[LocalDoor]:
    """Open the daemon's socket, or the store itself when no daemon runs.

    Raises:
        ConfigError: no hub is set up there, or its state cannot be used.
        ConflictError: another process holds the state but does not serve the socket.
    """
    place = setup.Place(config.state_dir)
    setup.load_root(place)
    if await _answers(place.socket):
        async with _client(httpx.AsyncHTTPTransport(uds=str(place.socket))) as client:
            yield LocalDoor(client)
        return
    with ServiceLock(config.state_dir):
        async with (
            main.wired(config) as daemon,
            _client(httpx.ASGITransport(app=daemon.socket)) as client,
        ):
            yield LocalDoor(client)


def _client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=transport, base_url=_BASE, timeout=ANSWER_S, trust_env=False)


async def _answers(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True

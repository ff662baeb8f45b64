"""How the command line reaches the appliance: the daemon's socket, or the store when none runs.

Both serve the same routes. Without a daemon the state directory's lock is taken for the one
request, so there is never a second writer.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from appliance import main
from appliance.config import Config
from appliance.shell.identity import Place
from proto.errors import (
    ConfigError,
    ConflictError,
    IntegrityError,
    NotFoundError,
    OsirisError,
    RejectedError,
    TargetError,
    UnreachableError,
)
from runtime.service_lock import ServiceLock

ANSWER_S = 600.0
"""A check of a slow target may take this long."""

_FAMILIES: dict[int, type[OsirisError]] = {
    400: RejectedError,
    404: NotFoundError,
    409: ConflictError,
    422: ConfigError,
    502: TargetError,
    503: UnreachableError,
    500: IntegrityError,
}


class Door:
    """One command's way to the appliance."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Speak through an open client."""
        self._client = client

    async def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON at a path."""
        return _read(await self._client.get(path, params=query))

    async def post(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Ask for a change and return the JSON answer."""
        return _read(await self._client.post(path, content=json.dumps(body)))


def _read(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    if answer.status_code == httpx.codes.OK:
        return answer.json()
    try:
        said = answer.json()["message"]
    except (ValueError, KeyError, TypeError):
        said = f"status {answer.status_code}"
    raise _FAMILIES.get(answer.status_code, RejectedError)(said)


@asynccontextmanager
async def open_door(config: Config) -> AsyncIterator[Door]:
    """Open the daemon's socket, or the store itself when no daemon runs.

    Raises:
        ConfigError: the appliance is not enrolled, or its state cannot be used.
        ConflictError: another process holds the state but does not serve the socket.
    """
    place = Place(config.state_dir)
    if await _answers(place.socket):
        transport = httpx.AsyncHTTPTransport(uds=str(place.socket))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://appliance", timeout=ANSWER_S
        ) as client:
            yield Door(client)
        return
    place.prepare()
    with ServiceLock(config.state_dir):
        async with main.wired(config) as daemon:
            asgi = httpx.ASGITransport(app=daemon.socket_app)
            async with httpx.AsyncClient(
                transport=asgi, base_url="http://appliance", timeout=ANSWER_S
            ) as client:
                yield Door(client)


async def _answers(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True

"""How a command line reaches its program: the daemon's socket, or the store when none runs.

Both serve the same routes. Without a daemon the state directory's lock is taken for the one
command, so there is never a second writer.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from proto.errors import (
    ConfigError,
    ConflictError,
    IntegrityError,
    MalformedError,
    NoRoomError,
    NotFoundError,
    OsirisError,
    RejectedError,
    TargetError,
    UnreachableError,
)
from runtime.service_lock import ServiceLock

ANSWER_S = 600.0
"""A check of a slow target may take this long."""

STATUSES: tuple[tuple[type[OsirisError], int], ...] = (
    (NotFoundError, 404),
    (ConflictError, 409),
    (ConfigError, 422),
    (TargetError, 502),
    (UnreachableError, 503),
    (NoRoomError, 507),
    (IntegrityError, 500),
    (MalformedError, 400),
)
"""How a family of errors crosses the socket; the first that fits, else 400."""

_FAMILIES = {status: family for family, status in STATUSES}


def status_of(error: OsirisError) -> int:
    """Return the status that tells an error's family."""
    return next((status for family, status in STATUSES if isinstance(error, family)), 400)


class LocalDoor:
    """One command's way to its program.

    Attributes:
        to_daemon: whether a running daemon answers, and not the store that none looks after.
    """

    def __init__(self, client: httpx.AsyncClient, *, to_daemon: bool) -> None:
        """Speak through an open client."""
        self.to_daemon = to_daemon
        self._client = client

    async def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON at a path.

        Raises:
            OsirisError: of the family that the program's refusal has.
            UnreachableError: the daemon went away before it answered.
        """
        return _read(await self._ask("GET", path, None))

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Ask for a change and return the JSON answer; the same errors as `get`."""
        return _read(await self._ask("POST", path, json.dumps(body)))

    async def _ask(self, method: str, path: str, body: str | None) -> httpx.Response:
        try:
            return await self._client.request(method, path, content=body)
        except httpx.HTTPError as error:
            msg = (
                "the daemon went away before it answered, so what became of this is not known: see"
                f" its log, and look before you ask again ({type(error).__name__})"
            )
            raise UnreachableError(msg) from error


def _read(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    if answer.status_code == httpx.codes.OK:
        return answer.json()
    try:
        said = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        said = f"the daemon answered with status {answer.status_code}"
    raise _FAMILIES.get(answer.status_code, RejectedError)(said)


@asynccontextmanager
async def open_door(
    socket: Path, wired: Callable[[], AbstractAsyncContextManager[ASGIApp]]
) -> AsyncIterator[LocalDoor]:
    """Open the daemon's socket, or the program itself when no daemon runs.

    Args:
        socket: where the daemon serves; the directory it lies in holds the state's lock.
        wired: gives the routes over the state, to be used while the lock is held.

    Raises:
        ConflictError: another process holds the state but does not serve the socket.
    """
    if await _answers(socket):
        async with _client(httpx.AsyncHTTPTransport(uds=str(socket))) as client:
            yield LocalDoor(client, to_daemon=True)
        return
    with ServiceLock(socket.parent):
        async with wired() as app, _client(httpx.ASGITransport(app=app)) as client:
            yield LocalDoor(client, to_daemon=False)


def _client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=transport, base_url="http://osiris", timeout=ANSWER_S, trust_env=False
    )


async def _answers(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def status_within(app: ASGIApp, path: str) -> int:
    """Ask an application of this very process for a page, over no socket; return the status."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
        return (await client.get(path)).status_code

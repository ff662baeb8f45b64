"""The routes that machines use, served as plain ASGI: bytes in, bytes out, only needed headers.

A body is read only up to its route's limit. An answer carries nothing but its length, because a
quiet check-in has to stay small and a fleet sends a great many of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.exc import OperationalError
from starlette.types import ASGIApp, Receive, Scope, Send

from central.api.agent import Sender
from central.api.refuse import Refusals, status_of
from central.core.refusals import TooLargeError
from central.state import Hub
from proto import strict_json
from proto.errors import OsirisError, UnreachableError

RETRY_AFTER_S = 15
READ_S = 30.0
"""How long a body may take to arrive."""


class RawAccess(StrEnum):
    """What a machine's route asks for.

    SIGNED: the body is a statement, or carries one, by a key that the hub knows or that a claim
    vouches for; the handler verifies it before it does anything. ANYONE: it tells no secret and
    changes nothing.
    """

    SIGNED = "signed"
    ANYONE = "anyone"


Answer = Callable[[Hub, bytes, Sender], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class RawEntry:
    """A machine's route."""

    method: str
    path: str
    access: RawAccess
    answer: Answer
    body_bytes_max: int = 0


class Machines:
    """ASGI application over raw entries; what is not among them goes to `others`."""

    def __init__(
        self, hub: Hub, entries: Sequence[RawEntry], *, others: ASGIApp | None = None
    ) -> None:
        """Serve `entries`, which are looked up by exact method and path."""
        self._hub = hub
        self._entries = {(one.method, one.path): one for one in entries}
        self._others = others
        self._refusals = Refusals(hub)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        entry = self._entries.get((scope.get("method", ""), scope.get("path", "")))
        if entry is not None:
            status, answer = await self._answer(entry, receive)
            await _send(send, status, answer)
        elif self._others is not None:
            await self._others(scope, receive, send)
        elif scope["type"] == "http":
            await _send(send, 404, _error("not_found", "there is no such route"))

    async def _answer(self, entry: RawEntry, receive: Receive) -> tuple[int, bytes]:
        sender = Sender()
        body = b""
        try:
            body = await _read(receive, entry.body_bytes_max)
            return 200, await entry.answer(self._hub, body, sender)
        except UnreachableError as error:
            return status_of(error), _error(error.code, str(error))
        except OsirisError as error:
            await self._record(error, entry=entry, body=body, sender=sender)
            return status_of(error), _error(error.code, str(error))
        except OperationalError as error:
            # The store is full or away. Nothing was stored, the sender keeps it and comes again.
            self._hub.log.critical("store_unavailable", error=str(error.orig))
            return 503, _error("store_unavailable", "the hub cannot store anything just now")

    async def _record(
        self, error: OsirisError, *, entry: RawEntry, body: bytes, sender: Sender
    ) -> None:
        try:
            await self._refusals.record(error, path=entry.path, body=body, known=sender.known)
        except OperationalError as full:
            # A refusal stands whether or not there is room to write it down.
            self._hub.log.critical("store_unavailable", error=str(full.orig))


def _error(code: str, message: str) -> bytes:
    return strict_json.dumps({"code": code, "message": message[:500]})


async def _read(receive: Receive, limit: int) -> bytes:
    """Read a body, giving up at the first byte too many, or when it does not arrive."""
    try:
        async with asyncio.timeout(READ_S):
            return await _read_whole(receive, limit)
    except TimeoutError:
        msg = f"the request's body did not arrive within {READ_S:.0f} s"
        raise UnreachableError(msg) from None


async def _read_whole(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            msg = "the sender went away"
            raise UnreachableError(msg)
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > limit:
            msg = f"the request is larger than the {limit} bytes this route takes"
            raise TooLargeError(msg)
        if not message.get("more_body", False):
            return bytes(body)


async def _send(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    if status == 503:  # noqa: PLR2004 - HTTP's own number
        headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
    if status == 413:  # noqa: PLR2004 - HTTP's own number
        # The rest of the body was not read, so the connection cannot be used again.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""The HTTP protocol that serves us: uvicorn's, with an end to what stands around a body.

The parser keeps a request's head in memory until it is whole, and asks nobody how long that takes.
Bodies are bounded where they are read; this bounds everything around them: the request line, the
headers, the frames of a chunked body and its trailers. It holds before anybody has signed in.
"""

import asyncio
from collections.abc import Callable
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

FRAMING_BYTES_MAX = 64 * 1024
"""Bytes of one request that are not body; what one read brings may come on top once."""

_NO_MORE = b"content-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + _NO_MORE
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\n" + _NO_MORE


class BoundedHttp(HttpToolsProtocol):
    """One connection whose requests must show a whole head soon, and a small one.

    Attributes:
        head_within_s: how long a head may take, from the connection or from its first byte.
        when_lost: called once when the connection is over.
    """

    head_within_s: ClassVar[float] = 30.0
    when_lost: Callable[[], None] | None = None
    _framing: int = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting, and tell."""
        self._head_came()
        super().connection_lost(exc)
        told, self.when_lost = self.when_lost, None
        if told is not None:
            told()

    def data_received(self, data: bytes) -> None:
        """Parse what came, and refuse a request whose framing has grown too large."""
        if self.transport.is_closing():
            return
        self._framing += len(data)
        super().data_received(data)
        if self._framing > FRAMING_BYTES_MAX:
            self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Expect the head that has begun."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """Serve the request: its head is whole."""
        self._head_came()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass the body on; whoever reads it bounds it."""
        self._framing -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request, and count anew."""
        self._framing = 0
        super().on_message_complete()

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_within_s, self._refuse, _TOO_SLOW)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, answer: bytes) -> None:
        self._head_came()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()

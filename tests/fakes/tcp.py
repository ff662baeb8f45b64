"""A real TCP server on a port of this machine that answers as a test says, with or without TLS.

asyncio's own server forgets whom it is still greeting: such a connection outlives its test. This
one knows every connection, and leaves none behind.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from runtime.serve import listen_tcp

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

END_WITHIN_S = 2.0
"""How long an answer may go on after the test; it is cut off then."""


def close(writer: asyncio.StreamWriter) -> None:
    """Close once: asyncio of Python 3.11.2 fails on a TLS connection closed after its end."""
    if not writer.is_closing():
        writer.close()


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer nothing."""
    close(writer)


@asynccontextmanager
async def serving(
    answer: Answer, *, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[int]:
    """Serve on 127.0.0.1 and yield the port; at the end every connection is closed."""
    loop = asyncio.get_running_loop()
    listener = listen_tcp("127.0.0.1", port)
    connections: set[asyncio.Task[None]] = set()

    async def accept() -> None:
        while True:
            connection, _ = await loop.sock_accept(listener)
            task = asyncio.create_task(_serve(connection, answer, tls))
            connections.add(task)

    accepting = asyncio.create_task(accept())
    try:
        yield listener.getsockname()[1]
    finally:
        accepting.cancel()
        await asyncio.wait([accepting])
        listener.close()
        if connections:
            _, late = await asyncio.wait(connections, timeout=END_WITHIN_S)
            for task in late:
                task.cancel()
            ended = await asyncio.gather(*connections, return_exceptions=True)
            await asyncio.sleep(0)  # whose greeting failed is closed by the loop's next turn
            for error in (one for one in ended if isinstance(one, Exception)):
                raise error


async def _serve(connection: socket.socket, answer: Answer, tls: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    try:
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=tls)
    except OSError:  # no handshake, as the other side wished
        return
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    try:
        with suppress(ConnectionError, ssl.SSLError):
            await answer(reader, writer)
            close(writer)
            await writer.wait_closed()
    finally:
        transport.abort()
        with suppress(OSError):
            await writer.wait_closed()

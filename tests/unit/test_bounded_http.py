"""A stranger cannot fill a daemon's memory, nor hold its places, with a head that never ends."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from runtime.bounded_http import FRAMING_BYTES_MAX, BoundedHttp
from runtime.serve import listen_tcp, serve

READ_MAX = 256 * 1024
"""What asyncio may hand over at once."""

SMALL = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def _length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Serve an application that tells how long the body was."""
    stop = asyncio.Event()
    listener = listen_tcp("127.0.0.1", 0)
    number: int = listener.getsockname()[1]
    app = Starlette(routes=[Route("/", _length, methods=["GET", "POST"])])
    task = asyncio.create_task(serve(app, listener, stop=stop))
    yield number
    stop.set()
    await task


async def _answer(port: int, sent: bytes) -> tuple[bytes, int]:
    """Send until all is sent or the other side ends; return the answer and how much was taken."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = 0
    try:
        while taken < len(sent):
            writer.write(sent[taken : taken + 16384])
            await writer.drain()
            taken += 16384
            await asyncio.sleep(0)
        writer.write_eof()
        return await reader.read(), taken
    except OSError:
        return b"", taken
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


HEADS = {
    "one endless header": b"X-A: " + b"a" * 64_000_000,
    "endlessly many headers": b"X-A: a\r\n" * 4_000_000,
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
async def test_a_head_without_end_is_cut_off(port: int, head: bytes) -> None:
    _, taken = await _answer(port, b"GET / HTTP/1.1\r\nHost: x\r\n" + head)
    assert taken < len(head) / 2
    assert (await _answer(port, SMALL))[0].startswith(b"HTTP/1.1 200")


async def test_a_head_that_is_too_large_is_told_so(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * FRAMING_BYTES_MAX)
    assert (await reader.read()).startswith(b"HTTP/1.1 431")
    writer.close()
    await writer.wait_closed()


async def test_trailers_without_end_are_cut_off(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    trailers = b"X-A: a\r\n" * 4_000_000
    _, taken = await _answer(port, head + trailers)
    assert taken < len(trailers) / 2


async def test_a_body_larger_than_any_head_is_served(port: int) -> None:
    size = 4 * (FRAMING_BYTES_MAX + READ_MAX)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
    answer, _ = await _answer(port, head + b"a" * size)
    assert answer.endswith(str(size).encode())


async def test_many_requests_on_one_connection_are_served(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    padded = b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 8000 + b"\r\n\r\n"
    for _ in range(2 * FRAMING_BYTES_MAX // len(padded)):
        writer.write(padded)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(1) == b"0"
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nX-A"], ids=["silent", "dripping"])
async def test_a_head_that_never_ends_loses_its_place(
    port: int, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedHttp, "head_within_s", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    assert (await reader.read()).startswith(b"HTTP/1.1 408")
    writer.close()
    await writer.wait_closed()

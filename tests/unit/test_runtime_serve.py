"""What ends the serving of a daemon: a stop, and a broken invariant; nothing that a caller did."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from proto.errors import OsirisError
from proto.invariants import InvariantError, require
from runtime.log import logger
from runtime.serve import listen_tcp, serve
from runtime.supervisor import CRASHED, supervise


async def _well(_: Request) -> Response:
    return PlainTextResponse("well")


async def _confused(_: Request) -> Response:
    message = "what only this request made"
    raise KeyError(message)


async def _broken(_: Request) -> Response:
    try:
        require(condition=False, what="one writer at a time")
    except OsirisError:
        return PlainTextResponse("refused", 400)
    return PlainTextResponse("never")


PAGES = Starlette(
    routes=[Route("/well", _well), Route("/confused", _confused), Route("/broken", _broken)]
)


async def _bare(scope: Scope, receive: Receive, send: Send) -> None:
    del receive, send
    require("broken" not in scope["path"], "one writer at a time")


@asynccontextmanager
async def serving(
    app: ASGIApp, stop: asyncio.Event
) -> AsyncIterator[tuple[int, asyncio.Task[None]]]:
    listener = listen_tcp("127.0.0.1", 0)
    task = asyncio.create_task(serve(app, listener, stop=stop))
    try:
        yield listener.getsockname()[1], task
    finally:
        stop.set()
        await asyncio.wait([task])


async def get(port: int, path: str) -> bytes:
    """Return what was answered; nothing when the other side broke off."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


@pytest.mark.parametrize("app", [PAGES, _bare], ids=["pages", "machines"])
async def test_a_request_that_breaks_an_invariant_ends_the_serving(app: ASGIApp) -> None:
    async with serving(app, asyncio.Event()) as (port, task):
        await get(port, "/broken")
        with pytest.raises(InvariantError, match="one writer"):
            async with asyncio.timeout(5):
                await task


async def test_a_request_that_only_fails_is_answered_and_serving_goes_on() -> None:
    async with serving(PAGES, asyncio.Event()) as (port, task):
        assert (await get(port, "/confused")).startswith(b"HTTP/1.1 500")
        assert (await get(port, "/well")).startswith(b"HTTP/1.1 200")
        assert not task.done()


async def test_a_broken_invariant_of_a_request_ends_the_process() -> None:
    stop, listener = asyncio.Event(), listen_tcp("127.0.0.1", 0)
    port: int = listener.getsockname()[1]

    async def task() -> None:
        await serve(PAGES, listener, stop=stop)

    running = asyncio.ensure_future(supervise({"portal": task}, log=logger("test"), stop=stop))
    await get(port, "/broken")
    async with asyncio.timeout(5):
        assert await running == CRASHED

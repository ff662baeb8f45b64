"""The command line's way in: it says whether a daemon answers, and what it knows when one dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from proto.errors import ConflictError, NotFoundError, RejectedError, UnreachableError
from runtime.local_door import open_door
from runtime.serve import serve
from runtime.service_lock import ServiceLock
from runtime.unix_socket import listen_unix


async def _echo(request: Request) -> Response:
    return JSONResponse({"got": (await request.body()).decode()})


async def _absent(_: Request) -> Response:
    return JSONResponse({"code": "not_found", "message": "there is none"}, 404)


async def _junk(_: Request) -> Response:
    return PlainTextResponse("oops", 418)


APP = Starlette(
    routes=[
        Route("/echo", _echo, methods=["GET", "POST"]),
        Route("/absent", _absent),
        Route("/junk", _junk),
    ]
)


@asynccontextmanager
async def wired() -> AsyncIterator[ASGIApp]:
    yield APP


@asynccontextmanager
async def daemon(socket: Path) -> AsyncIterator[None]:
    stop = asyncio.Event()
    with ServiceLock(socket.parent, for_daemon=True):
        task = asyncio.create_task(serve(APP, listen_unix(socket), stop=stop))
        try:
            yield
        finally:
            stop.set()
            await task


async def test_it_says_whether_a_daemon_answers(tmp_path: Path) -> None:
    socket = tmp_path / "s"
    async with open_door(socket, wired) as door:
        assert not door.to_daemon
        assert await door.post("/echo", {"a": 1}) == {"got": '{"a": 1}'}
    async with daemon(socket), open_door(socket, wired) as door:
        assert door.to_daemon
        assert await door.get("/echo") == {"got": ""}


async def test_a_refusal_comes_back_as_its_family(tmp_path: Path) -> None:
    async with open_door(tmp_path / "s", wired) as door:
        with pytest.raises(NotFoundError, match="there is none"):
            await door.get("/absent")
        with pytest.raises(RejectedError, match="status 418"):
            await door.get("/junk")


async def test_a_daemon_that_dies_while_it_is_asked_leaves_one_clear_sentence(
    tmp_path: Path,
) -> None:
    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    socket = tmp_path / "s"
    server = await asyncio.start_unix_server(die, str(socket))
    async with server, open_door(socket, wired) as door:
        with pytest.raises(UnreachableError, match="what became of this is not known"):
            await door.post("/echo", {})
        with pytest.raises(UnreachableError, match="went away"):
            await door.get("/echo")


async def test_a_state_that_somebody_holds_without_serving_is_not_touched(tmp_path: Path) -> None:
    with ServiceLock(tmp_path, for_daemon=True), pytest.raises(ConflictError, match="in use"):
        async with open_door(tmp_path / "s", wired):
            pytest.fail("the door was opened")

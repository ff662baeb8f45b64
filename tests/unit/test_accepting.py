"""A stranger's connections end before the process's files do, and leave room for everybody else."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from runtime import accepting, tls
from runtime.accepting import Room, place_of
from runtime.clock import SystemClock
from runtime.serve import listen_tcp, serve
from runtime.unix_socket import listen_unix

ROOM = Room(connections_max=6, of_one_place_max=4)
SMALL = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HOME, ELSEWHERE, THIRD = "127.0.0.1", "127.0.0.2", "127.0.0.3"


async def _well(_: Request) -> PlainTextResponse:
    return PlainTextResponse("well")


@asynccontextmanager
async def served(
    listener: socket.socket, *, material: tls.Material | None = None, room: Room = ROOM
) -> AsyncIterator[None]:
    stop = asyncio.Event()
    context = tls.server_context(material) if material else None
    app = Starlette(routes=[Route("/", _well)])
    task = asyncio.create_task(serve(app, listener, stop=stop, tls=context, room=room))
    try:
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def opened() -> AsyncIterator[int]:
    listener = listen_tcp("0.0.0.0", 0)  # noqa: S104 - so that there are several places to come from
    number: int = listener.getsockname()[1]
    async with served(listener):
        yield number


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with opened() as number:
        yield number


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def come(port: int, place: str = HOME) -> Connection:
    return await asyncio.open_connection(HOME, port, local_addr=(place, 0))


async def is_served(connection: Connection) -> bool:
    """Tell whether a request on a connection is answered."""
    reader, writer = connection
    try:
        writer.write(SMALL)
        await writer.drain()
        return (await reader.readuntil(b"well")).startswith(b"HTTP/1.1 200")
    except (OSError, asyncio.IncompleteReadError):
        return False


async def leave(*connections: Connection) -> None:
    for _, writer in connections:
        writer.close()
    await asyncio.gather(*(w.wait_closed() for _, w in connections), return_exceptions=True)


async def ended(connection: Connection) -> None:
    """Wait until the other side has ended a connection."""
    try:
        assert await connection[0].read() == b""
    except ConnectionError:
        return


async def test_one_place_cannot_take_the_places_of_others(port: int) -> None:
    idle = [await come(port) for _ in range(ROOM.of_one_place_max)]
    refused = [await come(port) for _ in range(20)]
    for one in refused:
        await ended(one)
    neighbour = await come(port, ELSEWHERE)
    assert await is_served(neighbour)
    assert await is_served(idle[0])
    await leave(*idle, *refused, neighbour)


async def test_there_are_never_more_than_there_is_room_for(port: int) -> None:
    places = [HOME] * 3 + [ELSEWHERE] * 3
    kept = [await come(port, place) for place in places]
    late = await come(port, THIRD)
    await ended(late)
    for one in kept:
        assert await is_served(one)
    await leave(*kept, late)


async def test_whoever_leaves_makes_room(port: int) -> None:
    for _ in range(3):
        kept = [await come(port) for _ in range(ROOM.of_one_place_max)]
        for one in kept:
            assert await is_served(one)
        late = await come(port)
        await ended(late)
        await leave(*kept, late)
        while not await is_served(again := await come(port)):
            await leave(again)
        await leave(again)


async def test_a_connection_that_never_greets_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "GREETING_S", 0.05)
    now_ms = SystemClock().now_ms()
    material = tls.ensure(tmp_path, ["localhost"], now_ms=now_ms, common_name="x")
    listener = listen_tcp(HOME, 0)
    number: int = listener.getsockname()[1]
    async with served(listener, material=material):
        for _ in range(3):
            silent = [await come(number) for _ in range(ROOM.of_one_place_max)]
            for one in silent:
                await ended(one)
            await leave(*silent)
        junk = await come(number)
        junk[1].write(b"GET / HTTP/1.0\r\n\r\n" * 100)
        await asyncio.gather(junk[0].read(), return_exceptions=True)
        await leave(junk)
        context = tls.client_context(material.authority.read_text("ascii"))
        guest = await asyncio.open_connection(
            HOME, number, ssl=context, server_hostname="localhost"
        )
        assert await is_served(guest)
        await leave(guest)


async def test_a_stop_does_not_wait_for_who_never_greets(tmp_path: Path) -> None:
    now_ms = SystemClock().now_ms()
    material = tls.ensure(tmp_path, ["localhost"], now_ms=now_ms, common_name="x")
    listener = listen_tcp(HOME, 0)
    number: int = listener.getsockname()[1]
    async with asyncio.timeout(accepting.GREETING_S / 2):
        async with served(listener, material=material):
            silent = await come(number)
            await asyncio.sleep(0)
    await leave(silent)


async def test_the_daemons_own_socket_is_bounded_too(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with served(listen_unix(path), room=Room(2, 2)):
        kept = [await asyncio.open_unix_connection(str(path)) for _ in range(2)]
        late = await asyncio.open_unix_connection(str(path))
        await ended(late)
        assert await is_served(kept[0])
        await leave(*kept, late)


def test_the_same_holds_on_the_loop_that_the_hub_runs_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def everything() -> None:
        for holds in (
            test_one_place_cannot_take_the_places_of_others,
            test_there_are_never_more_than_there_is_room_for,
            test_whoever_leaves_makes_room,
        ):
            async with opened() as number:
                await holds(number)
        await test_the_daemons_own_socket_is_bounded_too(tmp_path)
        await test_a_stop_does_not_wait_for_who_never_greets(tmp_path)
        await test_a_connection_that_never_greets_is_given_up(tmp_path, monkeypatch)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(everything())


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (("192.0.2.7", 5), "192.0.2.7"),
        (("::ffff:192.0.2.7", 5, 0, 0), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 5, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5, 0, 2), "fe80::/64"),
        ("", "local"),
        (b"", "local"),
    ],
)
def test_a_place_is_what_one_stranger_has(address: object, place: str) -> None:
    assert place_of(address) == place

"""Serving HTTP with uvicorn on listeners of ours: TCP with TLS, and a Unix socket of mode 0600.

The listeners are opened before anything is served, so that a port in use is a configuration error
with a clear message and not a crash, and so that the port the kernel chose can be told.

A request that breaks an invariant ends the serving, and with it the process: the server alone would
answer it with a 500 and go on with what is in memory.
"""

import asyncio
import contextlib
import resource
import socket
import ssl
from collections.abc import Generator
from dataclasses import replace
from functools import partial

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from proto.errors import ConfigError
from proto.invariants import InvariantError
from runtime.accepting import Acceptor, Room
from runtime.bounded_http import BoundedHttp
from runtime.unix_socket import BACKLOG

KEEP_ALIVE_S = 600
"""Longer than the longest pause between two check-ins that a hub asks for in ordinary times."""

CONNECTIONS_MAX = 8192
FILES_OF_OUR_OWN = 128
OF_A_FLEET = Room(connections_max=CONNECTIONS_MAX, of_one_place_max=2048)
"""A hub's: many appliances may stand behind one address."""

OF_A_SITE = Room(connections_max=256, of_one_place_max=64)
"""An appliance's: the people of one clinic, each with one browser."""

STOP_WITHIN_S = 5


def raise_file_limit() -> int:
    """Allow as many open files as there may be connections; return the limit now in force.

    The soft limit that a login shell or systemd gives (1,024) is fewer than a fleet keeps open.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + FILES_OF_OUR_OWN
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def listen_tcp(host: str, port: int) -> socket.socket:
    """Open a TCP listener; port 0 lets the kernel choose.

    Raises:
        ConfigError: the address is not ours, or the port is taken or needs more rights.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        msg = f"listen: cannot serve on {host} port {port}: {error.strerror}"
        raise ConfigError(msg) from None
    listener.listen(BACKLOG)
    listener.settimeout(0)
    return listener


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers, which the supervisor owns, and with our own acceptor."""

    def __init__(self, config: uvicorn.Config, room: Room) -> None:
        super().__init__(config)
        self._room = room

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        make = partial(
            BoundedHttp,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        acceptors = [
            Acceptor(listener, make, room=self._room, tls=self.config.ssl)
            for listener in sockets or ()
        ]
        for acceptor in acceptors:
            acceptor.start()
        # They have what uvicorn asks of a server: an end, and a wait for it.
        self.servers = acceptors  # type: ignore[assignment]
        self.started = True


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    *,
    stop: asyncio.Event,
    tls: ssl.SSLContext | None = None,
    room: Room = OF_A_FLEET,
) -> None:
    """Serve `app` on one listener until `stop` is set, then let open requests end.

    No header is added to answers: neither date nor server.

    Raises:
        InvariantError: a request broke an invariant; nothing more is served.
    """
    watched = _Watched(app)
    config = uvicorn.Config(
        watched,
        loop="none",
        http=BoundedHttp,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        limit_concurrency=CONNECTIONS_MAX,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_WITHIN_S,
        ssl_context_factory=(lambda _config, _default: tls) if tls else None,
    )
    server = _Server(config, _within_files(room))
    ending = [
        asyncio.create_task(_end(server, stop)),
        asyncio.create_task(_break_off(server, watched)),
    ]
    try:
        await server.serve(sockets=[listener])
    finally:
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
    if watched.broken.done():
        raise watched.broken.result()


class _Watched:
    """An application, and the first invariant that a request to it broke."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.broken: asyncio.Future[InvariantError] = asyncio.get_running_loop().create_future()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except InvariantError as error:
            if not self.broken.done():
                self.broken.set_result(error)
            raise


def _within_files(room: Room) -> Room:
    """Leave files for the process's own work, however few it may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return room
    left = max(files - FILES_OF_OUR_OWN, files // 2)
    return replace(room, connections_max=min(room.connections_max, left))


async def _end(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


async def _break_off(server: uvicorn.Server, watched: _Watched) -> None:
    """End the serving without waiting for other requests once an invariant does not hold."""
    await asyncio.shield(watched.broken)
    server.should_exit = server.force_exit = True

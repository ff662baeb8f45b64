"""Taking connections in: so many at a time, so many from one place, each greeted within seconds.

Every open connection is an open file. A process that has none left reaches no target and answers
not even its own command line, so connections are counted from the moment they are accepted, before
TLS and before anybody has signed in. Past a bound a connection is closed at once: who has one keeps
it, and one place cannot take them all.
"""

import asyncio
import errno
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address, ip_network

from runtime.bounded_http import BoundedHttp
from runtime.log import logger

GREETING_S = 10.0
"""How long a TLS handshake may take."""

ACCEPTED_AT_ONCE = 64
"""Others get their turn after so many."""

PAUSE_S = 0.5
"""How long nobody is accepted once the machine has no room for another file."""

SAID_EVERY_S = 60.0
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_IPV6_PREFIX = 64
"""A stranger with one IPv6 address has this whole network of them."""

log = logger("serve")


@dataclass(frozen=True, slots=True)
class Room:
    """How many connections there may be at a time, in all and from one place."""

    connections_max: int
    of_one_place_max: int


class Acceptor:
    """Accepts one listener's connections; stands where uvicorn has asyncio's own server."""

    def __init__(
        self,
        listener: socket.socket,
        make: Callable[[], BoundedHttp],
        *,
        room: Room,
        tls: ssl.SSLContext | None,
    ) -> None:
        """Take a listener that does not block; `make` gives each connection its protocol."""
        self._listener = listener
        self._make = make
        self._room = room
        self._tls = tls
        self._open: Counter[str] = Counter()
        self._greeting: set[asyncio.Task[None]] = set()
        self._refused = 0
        self._said_s = -SAID_EVERY_S
        self._loop = asyncio.get_running_loop()
        self._closed = False

    def start(self) -> None:
        """Accept from now on."""
        if not self._closed:
            self._loop.add_reader(self._listener, self._accept)

    def close(self) -> None:
        """Accept nobody any more; who is connected stays."""
        self._closed = True
        self._loop.remove_reader(self._listener)

    async def wait_closed(self) -> None:
        """Give up whoever is still being greeted."""
        for task in self._greeting:
            task.cancel()
        await asyncio.gather(*self._greeting, return_exceptions=True)

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                self._pause(error)
                return
            self._take(connection, place_of(address))

    def _pause(self, error: OSError) -> None:
        log.error("accepting_pauses", error=error.strerror)
        self._loop.remove_reader(self._listener)
        self._loop.call_later(PAUSE_S, self.start)

    def _take(self, connection: socket.socket, place: str) -> None:
        full = self._open.total() >= self._room.connections_max
        if full or self._open[place] >= self._room.of_one_place_max:
            connection.close()
            self._say_refused()
            return
        connection.setblocking(False)  # noqa: FBT003 - the socket module's signature
        self._open[place] += 1
        task = self._loop.create_task(self._greet(connection, place))
        self._greeting.add(task)
        task.add_done_callback(self._greeting.discard)

    def _say_refused(self) -> None:
        self._refused += 1
        now_s = self._loop.time()
        if now_s - self._said_s >= SAID_EVERY_S:
            log.warning("connections_refused", count=self._refused, open=self._open.total())
            self._said_s, self._refused = now_s, 0

    async def _greet(self, connection: socket.socket, place: str) -> None:
        """Make a connection one of ours; it is counted until it is lost."""
        protocol = self._make()
        protocol.when_lost = partial(self._lost, place)
        try:
            await self._loop.connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=GREETING_S if self._tls else None,
            )
        except (OSError, asyncio.CancelledError):
            # No handshake, as it seems of no interest to the other side; or we are stopping.
            connection.close()
            if protocol.when_lost is not None:
                protocol.when_lost = None
                self._lost(place)

    def _lost(self, place: str) -> None:
        self._open[place] -= 1
        if self._open[place] <= 0:
            del self._open[place]


def place_of(address: object) -> str:
    """Return whom an accepted connection is counted for; the socket module's form of an address."""
    if not isinstance(address, tuple) or not address:
        return "local"
    found = ip_address(str(address[0]).partition("%")[0])
    if found.version == 6:  # noqa: PLR2004 - IPv6
        mapped = found.ipv4_mapped
        if mapped is None:
            return str(ip_network((found, _IPV6_PREFIX), strict=False))
        found = mapped
    return str(found)

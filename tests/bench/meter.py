"""A TLS hop that counts: the bytes of each request and reply between an appliance and its hub.

It stands where the hub stands, with the hub's own certificate, so that what it counts is what goes
over the wire below TLS: request line, headers and body as the appliance's real client sends them.
"""

import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from central import setup
from runtime import tls

CHUNK_BYTES = 65_536


@dataclass(slots=True)
class Exchange:
    """One request and its reply, as bytes on the wire."""

    request: bytearray = field(default_factory=bytearray)
    reply: bytearray = field(default_factory=bytearray)

    @property
    def size_bytes(self) -> int:
        """Return how many bytes both took, headers included."""
        return len(self.request) + len(self.reply)

    def is_for(self, path: str) -> bool:
        """Tell whether the request asks for this path."""
        return bytes(self.request).split(b" ", 2)[1:2] == [path.encode()]


class Meter:
    """Carries connections to a hub and keeps what was said on them. Close it in the end."""

    def __init__(self, state_dir: Path, hub_port: int) -> None:
        """Stand in front of the hub that keeps this state and listens on this local port."""
        place = setup.Place(state_dir)
        found = tls.Material(
            place.tls / tls.SERVER_CERT, place.tls / tls.SERVER_KEY, place.tls / tls.CA_CERT
        )
        self._near = tls.server_context(found)
        self._far = tls.client_context(found.authority.read_text("ascii"))
        self._hub_port = hub_port
        self._lock = threading.Lock()
        self._exchanges: list[Exchange] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those that are open end with their appliance."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def take(self) -> list[Exchange]:
        """Return the exchanges so far and forget them."""
        with self._lock:
            taken, self._exchanges = self._exchanges, []
        return taken

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(raw,), daemon=True).start()

    def _carry(self, raw: socket.socket) -> None:
        with suppress(OSError), self._near.wrap_socket(raw, server_side=True) as near:
            dialled = socket.create_connection(("127.0.0.1", self._hub_port))
            with self._far.wrap_socket(dialled, server_hostname="127.0.0.1") as far:
                self._alternate(near, far)

    def _alternate(self, near: ssl.SSLSocket, far: ssl.SSLSocket) -> None:
        """Carry request, reply, request, ... as HTTP/1.1 without pipelining speaks."""
        while True:
            exchange = Exchange()
            if not _message(near, far, exchange.request):
                return
            if not _message(far, near, exchange.reply):
                return
            with self._lock:
                self._exchanges.append(exchange)


def _message(source: ssl.SSLSocket, sink: ssl.SSLSocket, kept: bytearray) -> bool:
    """Carry one whole message, its end found by content-length; False when the source ended."""
    while not _is_whole(kept):
        data = source.recv(CHUNK_BYTES)
        if not data:
            return False
        kept += data
        sink.sendall(data)
    return True


def _is_whole(message: bytearray) -> bool:
    head, found, body = bytes(message).partition(b"\r\n\r\n")
    if not found:
        return False
    length = head.lower().partition(b"\r\ncontent-length:")[2].split(b"\r\n")[0].strip()
    return len(body) >= int(length or b"0")

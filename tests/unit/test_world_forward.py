"""A forward carries every byte both ways, and closing it ends all it carries."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from osiris.demo.world import Forward


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that reads to the end, then sends back what it has read."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                data = b""
                while chunk := connection.recv(65536):
                    data += chunk
                connection.sendall(data)

    thread = threading.Thread(target=serve)
    thread.start()
    yield server.getsockname()
    server.shutdown(socket.SHUT_RDWR)
    thread.join()
    server.close()


def _forward(to: tuple[str, int]) -> Forward:
    listener = socket.create_server(("127.0.0.1", 0))
    return Forward(listener, lambda: socket.create_connection(to))


def test_a_half_closed_connection_still_answers(echo: tuple[str, int]) -> None:
    """The end of the request must reach the server, or it would wait for ever."""
    forward = _forward(echo)
    sent = b"x" * 1_000_000
    with socket.create_connection((forward.address, forward.port)) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := client.recv(65536):
            received += chunk
    forward.close()
    assert received == sent


def test_nobody_at_the_far_end_closes_the_near_one() -> None:
    """A caller sees the end of the connection, not silence."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        nowhere = unused.getsockname()
    forward = _forward(nowhere)
    with socket.create_connection((forward.address, forward.port)) as client:
        assert client.recv(1) == b""
    forward.close()


def test_closing_ends_what_is_being_carried(echo: tuple[str, int]) -> None:
    """No thread and no port outlives a forward."""
    forward = _forward(echo)
    with socket.create_connection((forward.address, forward.port)) as client:
        client.sendall(b"hello")
        forward.close()
        forward.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((forward.address, forward.port))
        client.settimeout(10)
        with suppress(ConnectionResetError):
            while client.recv(100):
                pass  # the echo may have been on its way

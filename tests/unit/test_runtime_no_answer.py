"""What a person reads when nobody answers: whom and why, and nothing of OpenSSL's source files."""

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from runtime.no_answer import in_words


@pytest.fixture
def silent() -> Iterator[int]:
    """Give the port of somebody who takes a connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def curt() -> Iterator[int]:
    """Give the port of somebody who speaks, but no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            taken, _ = server.accept()
            with taken:
                taken.recv(4096)
                taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def _why(url: str, *, read_s: float = 60.0, connect_s: float = 60.0) -> str:
    limits = httpx.Timeout(read_s, connect=connect_s)
    with (
        httpx.Client(timeout=limits, trust_env=False) as client,
        pytest.raises(httpx.HTTPError) as raised,
    ):
        client.get(url)
    return in_words(raised.value)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert _why(f"https://127.0.0.1:{port}/") == "Connection refused"


def test_a_handshake_never_ends(silent: int) -> None:
    assert _why(f"https://127.0.0.1:{silent}/", connect_s=0.2) == "cannot be reached in time"


def test_no_answer_comes(silent: int) -> None:
    assert _why(f"http://127.0.0.1:{silent}/", read_s=0.2) == "does not answer in time"


def test_the_other_side_speaks_no_tls(curt: int) -> None:
    said = _why(f"https://127.0.0.1:{curt}/")
    assert said
    assert not any(inside in said for inside in ("_ssl", "[SSL", "Errno", "("))


def test_an_error_without_words_is_named() -> None:
    assert in_words(httpx.ReadError("")) == "ReadError"

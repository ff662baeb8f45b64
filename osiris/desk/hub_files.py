"""The repository that a hub serves, as a desk reads it: names below `/content/`, bytes out.

Nothing that comes is believed for where it comes from; here its way is bounded: in time, and by
whoever takes the bytes in size.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import httpx

from osiris.desk.place import Hub
from proto.errors import ConfigError, NotFoundError, UnreachableError
from runtime.clock import Clock, SteadyClock
from runtime.no_answer import in_words

CONNECT_S: Final = 10.0
READ_S: Final = 30.0
WHOLE_MS: Final = 600_000
"""How long one look at a repository may take in all."""

CONTENT_PATH: Final = "/content/"
_ABSENT: Final = frozenset({httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND, httpx.codes.GONE})


class Files(Protocol):
    """A place to read a repository from."""

    @property
    def where(self) -> str:
        """What it is called in messages."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes, however many: the caller stops at its own bound.

        Raises:
            NotFoundError: it is not there.
            UnreachableError: nobody answered, or not in time.
        """


class HubFiles:
    """A hub's repository over HTTPS."""

    def __init__(self, origin: str, client: httpx.Client, *, steady: Clock) -> None:
        """Read from `origin` through an open client."""
        self.where = origin
        self._client = client
        self._steady = steady
        self._end_ms = steady.now_ms() + WHOLE_MS

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes; see `Files.chunks`."""
        url = f"{self.where}{CONTENT_PATH}{name}"
        try:
            with self._client.stream("GET", url) as reply:
                if reply.status_code in _ABSENT:
                    msg = f"{url}: is not there"
                    raise NotFoundError(msg)
                if reply.status_code != httpx.codes.OK:
                    msg = f"{url}: status {reply.status_code}"
                    raise UnreachableError(msg)
                for chunk in reply.iter_raw():
                    if self._steady.now_ms() > self._end_ms:
                        msg = f"{url}: the repository takes more than {WHOLE_MS // 1000} s"
                        raise UnreachableError(msg)
                    yield chunk
        except httpx.HTTPError as error:
            msg = f"{url}: {in_words(error)}"
            raise UnreachableError(msg) from error


@contextmanager
def served_by(hub: Hub) -> Iterator[HubFiles]:
    """Open the way to a hub's repository for one command.

    Raises:
        ConfigError: the desk's TLS authority file holds none.
    """
    try:
        context = ssl.create_default_context(cadata=hub.tls_ca_pem)
    except (ssl.SSLError, ValueError) as error:
        msg = f"the hub's TLS authority: not a PEM certificate: {error}"
        raise ConfigError(msg) from error
    with httpx.Client(
        verify=context,
        timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
        trust_env=False,
        follow_redirects=False,
    ) as client:
        client.headers.clear()  # a packed answer would have another digest than what was signed
        yield HubFiles(hub.origin, client, steady=SteadyClock())

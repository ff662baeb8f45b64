"""From where a repository's files come: the hub over its pinned TLS, or one file a person carried.

Names are those of the layout, below the repository's root: `metadata/1.root.json`,
`targets/<dir>/<sha256>.<name>`. What comes is believed by nobody until it is verified; here its
size and the time that it takes are bounded.
"""

import ssl
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

import httpx

from appliance.core.content_refusals import ContentRefusedError
from proto.errors import UnreachableError
from runtime.no_answer import in_words
from runtime.repository.layout import CARRIED_BYTES_MAX, CARRIED_ENTRIES_MAX

CONNECT_S: Final = 10.0
READ_S: Final = 30.0
WHOLE_S: Final = 300.0
"""How long one look at a repository may take in all."""

CHUNK_BYTES: Final = 64 * 1024
CONTENT_PATH: Final = "/content/"


class AbsentError(Exception):
    """The repository has no such file; the status is HTTP's."""

    def __init__(self, name: str, status: int = 404) -> None:
        """Keep the status with which it was refused."""
        super().__init__(f"{name}: status {status}")
        self.status = status


class Source(Protocol):
    """A place to read a repository from."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes, however many: the caller stops at its own bound.

        Raises:
            AbsentError: it is not there.
            UnreachableError: nobody answered, or not in time.
            ContentRefusedError: what was carried cannot be read.
        """
        ...


class HubSource:
    """The hub's repository over HTTPS; use it as a context, in a thread."""

    def __init__(self, origin: str, *, tls: ssl.SSLContext, steady_s: Callable[[], float]) -> None:
        """Read from `origin` (https://host[:port]), whose certificate `tls` must accept."""
        self._origin = origin
        self._steady_s = steady_s
        self._end_s = steady_s() + WHOLE_S
        self._client = httpx.Client(
            verify=tls,
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            trust_env=False,
            follow_redirects=False,
        )
        self._client.headers.clear()

    def __enter__(self) -> Self:
        """Return this source."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._client.close()

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes; see `Source.chunks`."""
        url = f"{self._origin}{CONTENT_PATH}{name}"
        try:
            with self._client.stream("GET", url) as reply:
                _judge(reply, url)
                for chunk in reply.iter_raw():
                    if self._steady_s() > self._end_s:
                        msg = f"{url}: the repository takes more than {WHOLE_S:.0f} s"
                        raise UnreachableError(msg)
                    yield chunk
        except httpx.HTTPError as error:
            msg = f"{url}: {in_words(error)}"
            raise UnreachableError(msg) from error


def _judge(reply: httpx.Response, url: str) -> None:
    status = reply.status_code
    if status == httpx.codes.OK:
        return
    if status in {httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND, httpx.codes.GONE}:
        raise AbsentError(url, httpx.codes.NOT_FOUND)
    msg = f"{url}: status {status}"
    raise UnreachableError(msg)


class FileSource:
    """A repository in one zip file: the same names, the same verification, nothing less."""

    def __init__(self, path: Path) -> None:
        """Open the file; use the source as a context.

        Raises:
            ContentRefusedError: it is too large, no zip file, or holds too many entries.
        """
        self._path = path
        try:
            if path.stat().st_size > CARRIED_BYTES_MAX:
                msg = f"{path.name}: more than {CARRIED_BYTES_MAX} bytes"
                raise ContentRefusedError(msg)
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            msg = f"{path.name}: cannot be read as a zip file: {error}"
            raise ContentRefusedError(msg) from error
        if len(self._zip.infolist()) > CARRIED_ENTRIES_MAX:
            self._zip.close()
            msg = f"{path.name}: more than {CARRIED_ENTRIES_MAX} entries"
            raise ContentRefusedError(msg)

    def __enter__(self) -> Self:
        """Return this source."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._zip.close()

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield an entry's bytes; see `Source.chunks`."""
        try:
            with self._zip.open(name) as entry:
                while chunk := entry.read(CHUNK_BYTES):
                    yield chunk
        except KeyError:
            raise AbsentError(name) from None
        except (
            OSError,
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
        ) as error:
            msg = f"{self._path.name}: {name} cannot be read: {error}"
            raise ContentRefusedError(msg) from error

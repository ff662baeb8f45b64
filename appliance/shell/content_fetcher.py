"""tuf's way to a repository's files, and what it refuses in our words.

This module imports tuf: import it only when there is something to verify.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from tuf.api import exceptions as tuf_errors
from tuf.ngclient import FetcherInterface

from appliance.core.content_refusals import (
    ContentRefusedError,
    ExpiredError,
    FrozenError,
    MixedError,
    RolledBackError,
    RootRefusedError,
    UnsignedError,
    WithheldError,
)
from appliance.shell.content_source import AbsentError, Source
from proto.errors import ConflictError, OsirisError, UnreachableError
from proto.keysets import PeopleError
from proto.release_keys import read_root

ROOT_SUFFIX: Final = ".root.json"
_VERSIONED: Final = re.compile(r"metadata/([0-9]{1,9})\.([a-z]+)\.json")
_ONLINE: Final = ("timestamp", "snapshot")


class Fetcher(FetcherInterface):
    """tuf's way to a source. It sees every root before tuf believes it.

    Attributes:
        last_url: what tuf asked for last.
        last_bytes: what came; empty while it is a target, or nothing came.
        is_development: what the last root that was seen says of its trust.
    """

    def __init__(self, source: Source) -> None:
        """Read from a source."""
        self._source = source
        self.last_url = ""
        self.last_bytes = b""
        self.is_development: bool | None = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.last_url, self.last_bytes = url, b""
        try:
            yield from self._source.chunks(url)
        except AbsentError as error:
            raise tuf_errors.DownloadHTTPError(str(error), error.status) from error

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """Return a file's bytes; a root is read by our own rules first."""
        found: bytes = super().download_bytes(url, max_length)
        self.last_bytes = found
        if url.endswith(ROOT_SUFFIX):
            self.vet_root(found)
        return found

    def vet_root(self, data: bytes) -> None:
        """Refuse a root by our rules: people, lives, keys."""
        try:
            root = read_root(signed_part(data))
        except OsirisError as error:
            msg = f"{self.last_url or 'the pinned root'}: {error}"
            raise RootRefusedError(msg) from error
        if root.is_development and self.is_development is False:
            msg = f"{self.last_url}: a development trust may not follow a real one"
            raise RootRefusedError(msg)
        self.is_development = root.is_development


def signed_part(data: bytes) -> Mapping[str, Any]:
    """Return the signed part of metadata that tuf has read, or of a root that it will."""
    try:
        found = json.loads(data)["signed"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        msg = "metadata without a signed part"
        raise ContentRefusedError(msg) from error
    if not isinstance(found, dict):
        msg = "metadata whose signed part is no object"
        raise ContentRefusedError(msg)
    return found


@contextmanager
def translated(fetcher: Fetcher) -> Iterator[None]:
    """Say in our words what tuf, or a rule of ours, refused."""
    try:
        yield
    except (ContentRefusedError, UnreachableError):
        raise
    except OsirisError as error:
        raise _ours(error) from error
    except (tuf_errors.RepositoryError, tuf_errors.DownloadError) as error:
        raise _tufs(fetcher, error) from error


def _ours(error: OsirisError) -> ContentRefusedError:
    msg = str(error)
    if isinstance(error, PeopleError):
        return UnsignedError(msg)
    return RolledBackError(msg) if isinstance(error, ConflictError) else ContentRefusedError(msg)


def _tufs(fetcher: Fetcher, error: Exception) -> ContentRefusedError:
    where = fetcher.last_url
    msg = f"{where}: {error}"
    match error:
        case tuf_errors.BadVersionNumberError():
            return _wrong_version(fetcher, error)
        case tuf_errors.ExpiredMetadataError():
            is_online = any(name in str(error) for name in _ONLINE)
            return (FrozenError if is_online else ExpiredError)(f"{error}: nobody renewed it")
        case tuf_errors.LengthOrHashMismatchError() | tuf_errors.DownloadLengthMismatchError():
            return MixedError(f"{where}: not the file that signed metadata name: {error}")
        case tuf_errors.UnsignedMetadataError():
            is_root = not where or where.endswith(ROOT_SUFFIX)  # before the first is the pinned one
            return (RootRefusedError if is_root else UnsignedError)(msg)
        case tuf_errors.DownloadHTTPError():
            return WithheldError(f"{where}: the repository does not give it")
    return ContentRefusedError(msg)


def _wrong_version(fetcher: Fetcher, error: Exception) -> ContentRefusedError:
    """Tell a rollback from a file that stands under another version's name."""
    where = fetcher.last_url
    older = RolledBackError(f"{where}: older than what was seen here: {error}")
    asked = _VERSIONED.fullmatch(where)
    if asked is None:
        return older
    if asked[2] == "root":
        return RootRefusedError(f"{where}: {error}")
    said = signed_part(fetcher.last_bytes).get("version")
    return older if said == int(asked[1]) else MixedError(f"{where}: {error}")

"""Whose signatures count on asks, and what a tier hangs on: as people published both.

The authority is the signer's file, read when it changes. This process only lets people in by it:
whether a signature counts on an order is decided by the signer, which reads the file itself, and by
every appliance, which has its own. The runbooks are those of the newest release that is served: a
repair that it has and this package does not is drafted as what it is.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from central.core.desk_asks import AskMemory
from proto import strict_json
from proto.authority import AUTHORITY_BYTES_MAX, AuthoritySet
from proto.catalog.load import load
from proto.catalog.model import Runbook
from proto.errors import ConfigError, ConflictError, IntegrityError, MalformedError, RejectedError
from proto.keysets import Role
from proto.release_keys import CONTENT_PREFIX
from runtime.repository.layout import METADATA_BYTES_MAX, Place

AuthorityAt = Callable[[int], AuthoritySet]


class NoAuthorityError(ConflictError):
    """There is no authority file that holds: nobody can be known."""

    code = "no_trust"


class NoAuthorityYetError(NoAuthorityError):
    """Nobody has published an authority file for this hub."""


class Operators:
    """The authority file, parsed once for each content."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is read yet."""
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._found: AuthoritySet | None = None

    def __call__(self, now_s: int) -> AuthoritySet:
        """Return the authority as it is at a second.

        Raises:
            NoAuthorityYetError: there is none.
            NoAuthorityError: it cannot be read, does not hold, or has expired.
        """
        try:
            seen = self._path.stat()
            if self._found is None or (seen.st_mtime_ns, seen.st_size) != self._stamp:
                self._found = self._read()
                self._stamp = (seen.st_mtime_ns, seen.st_size)
        except FileNotFoundError as error:
            msg = f"authority: {error.strerror}: nothing can be ordered before the ceremony"
            raise NoAuthorityYetError(msg) from error
        except OSError as error:
            msg = f"authority: {error.strerror}"
            raise NoAuthorityError(msg) from error
        if self._found.document.expires <= now_s:
            msg = f"authority: expired at {self._found.document.expires}: publish a new one"
            raise NoAuthorityError(msg)
        return self._found

    def _read(self) -> AuthoritySet:
        with self._path.open("rb") as stream:
            data = stream.read(AUTHORITY_BYTES_MAX + 1)
        try:
            return AuthoritySet.from_bytes(data)
        except RejectedError as error:
            msg = f"authority: does not hold: {error}"
            raise NoAuthorityError(msg) from error


class ReleasedRunbooks:
    """The runbooks of the newest release, loaded once for each release."""

    def __init__(self, place: Place, shipped: Mapping[str, Runbook]) -> None:
        """Look into a served repository; `shipped` counts while it has no release."""
        self._place = place
        self._version = 0
        self._found = shipped

    def __call__(self) -> Mapping[str, Runbook]:
        """Return them by id; none where the release cannot be read.

        An order of a runbook that is not known needs a person, so that is the cautious answer.
        """
        version = self._place.newest(Role.RELEASE)
        if version != self._version:
            try:
                self._found = self._read(version)
            except (RejectedError, IntegrityError, ConfigError):
                return {}
            self._version = version
        return self._found

    def _read(self, version: int) -> Mapping[str, Runbook]:
        data = self._place.read(Role.RELEASE, version)
        document = strict_json.loads(data, size_bytes_max=METADATA_BYTES_MAX, where="release")
        files = {
            path.removeprefix(CONTENT_PREFIX): self._place.read_target(path, digest)
            for path, digest in _named(document).items()
            if path.startswith(CONTENT_PREFIX)
        }
        return load(files).runbooks


def _named(document: object) -> Mapping[str, str]:
    """Return the files that a release names, by path: their hex SHA-256."""
    try:
        targets = document["signed"]["targets"]  # type: ignore[index]
        return {path: str(said["hashes"]["sha256"]) for path, said in targets.items()}
    except (KeyError, TypeError, AttributeError):
        msg = "release: names no files"
        raise MalformedError(msg) from None


@dataclass(frozen=True, slots=True)
class OrderDesk:
    """Who may ask, what was asked lately, and the runbooks that a tier can hang on.

    Attributes:
        runbooks: those that this package ships.
        released: gives those of the newest release; it reads files. None: there is no repository.
    """

    authority: AuthorityAt
    runbooks: Mapping[str, Runbook]
    memory: AskMemory = field(default_factory=AskMemory)
    released: Callable[[], Mapping[str, Runbook]] | None = None

    async def current_runbooks(self) -> Mapping[str, Runbook]:
        """Return the runbooks that orders can name now."""
        if self.released is None:
            return self.runbooks
        return await asyncio.to_thread(self.released)

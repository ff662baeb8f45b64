"""Whose signatures count on asks: the authority file as the signer has it, read when it changes.

This process only lets people in by it. Whether a signature counts on an order is decided by the
signer, which reads the file itself, and by every appliance, which has its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from central.core.desk_asks import AskMemory
from proto.authority import AUTHORITY_BYTES_MAX, AuthoritySet
from proto.catalog.model import Runbook
from proto.errors import ConflictError, RejectedError

AuthorityAt = Callable[[int], AuthoritySet]


class NoAuthorityError(ConflictError):
    """There is no authority file that holds: nobody can be known."""

    code = "no_trust"


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
            NoAuthorityError: there is none, it does not hold, or it has expired.
        """
        try:
            seen = self._path.stat()
            if self._found is None or (seen.st_mtime_ns, seen.st_size) != self._stamp:
                self._found = self._read()
                self._stamp = (seen.st_mtime_ns, seen.st_size)
        except OSError as error:
            msg = f"authority: {error.strerror}: nothing can be ordered before the ceremony"
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


@dataclass(frozen=True, slots=True)
class OrderDesk:
    """Who may ask, what was asked lately, and the runbooks that a tier can hang on."""

    authority: AuthorityAt
    runbooks: Mapping[str, Runbook]
    memory: AskMemory = field(default_factory=AskMemory)

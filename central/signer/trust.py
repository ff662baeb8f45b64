"""The signer's own copy of authority and grants: read again when they change, never going back.

They are written by whoever administers this machine, or taken over from the repository after its
signatures were verified; the process that serves the network has no part in it.
"""

from pathlib import Path

from central.core import signer_place
from central.core.order_refusals import NoTrustError
from proto.authority import AUTHORITY_BYTES_MAX, AuthoritySet, require_newer
from proto.errors import RejectedError
from proto.grants import GRANTS_BYTES_MAX, GrantSet, Trust


class TrustFiles:
    """Authority and grants as two files; a file is parsed once for each content."""

    def __init__(self, state_dir: Path) -> None:
        """Name the files; nothing is read yet."""
        self._paths = (state_dir / signer_place.AUTHORITY, state_dir / signer_place.GRANTS)
        self._read: tuple[bytes, bytes] | None = None
        self._trust: Trust | None = None

    def __call__(self, now_s: int) -> Trust:
        """Return who may sign what at a second.

        Raises:
            NoTrustError: there is none, it does not hold, is older than it was, or has expired.
        """
        found = (
            _bounded(self._paths[0], AUTHORITY_BYTES_MAX),
            _bounded(self._paths[1], GRANTS_BYTES_MAX),
        )
        if self._trust is None or found != self._read:
            self._trust, self._read = self._parsed(*found), found
        if self._trust.expires <= now_s:
            msg = f"authority or grants expired at {self._trust.expires}: publish new ones"
            raise NoTrustError(msg)
        return self._trust

    def _parsed(self, authority: bytes, grants: bytes) -> Trust:
        held = self._trust
        try:
            new = Trust(AuthoritySet.from_bytes(authority), GrantSet.from_bytes(grants))
            if held is not None:
                _require_forward(held, new)
        except RejectedError as error:
            raise NoTrustError(*error.args) from error
        return new


def _require_forward(held: Trust, new: Trust) -> None:
    if new.authority.document != held.authority.document:
        version = new.authority.document.version
        require_newer("authority", version, held=held.authority.document.version)
    if new.grants.document != held.grants.document:
        version = new.grants.document.version
        require_newer("grants", version, held=held.grants.document.version)


def _bounded(path: Path, size_bytes_max: int) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(size_bytes_max + 1)
    except OSError as error:
        msg = f"{path}: {error.strerror}: nothing can be ordered before the ceremony"
        raise NoTrustError(msg) from error
    if len(data) > size_bytes_max:
        msg = f"{path}: is longer than {size_bytes_max} bytes"
        raise NoTrustError(msg)
    return data

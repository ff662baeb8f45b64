"""The signer's own copy of authority and grants: what people signed, and never an older one.

The repository that the hub serves lies where the serving process can write, so nothing in it is
believed for where it lies: the first root must be the one that the trust root pins, every root
carries the next, and release people and operators signed the rest (`runtime.repository.check`).
What passed is copied here; what does not pass changes nothing, and is told as the reason.
"""

import hashlib
from pathlib import Path
from typing import Final

from central.core import signer_place
from central.core.order_refusals import NoTrustError, TrustEndedError
from proto.authority import AUTHORITY_BYTES_MAX, AuthoritySet, require_newer
from proto.errors import IntegrityError, NotFoundError, OsirisError
from proto.grants import GRANTS_BYTES_MAX, GrantSet, Trust
from proto.keysets import Role
from runtime.repository.layout import Place, read_bounded, write_whole

Stamp = tuple[int, int]
_NO_CEREMONY: Final = "nothing can be ordered before a ceremony named people and granted a key"


class OwnTrust:
    """Authority and grants, verified when the repository changes."""

    def __init__(self, state_dir: Path, *, pinned: bytes | None) -> None:
        """Name the files; nothing is read yet.

        Args:
            state_dir: the hub's.
            pinned: SHA-256 of the repository's first root; None for a hub without one.
        """
        self._repository = Place(state_dir / "content")
        self._authority = state_dir / signer_place.AUTHORITY
        self._grants = state_dir / signer_place.GRANTS
        self._pinned = pinned
        self._seen: Stamp | None = None
        self._trust: Trust | None = None
        self._problem = _NO_CEREMONY

    def __call__(self, now_s: int) -> Trust:
        """Return who may sign what at a second.

        Raises:
            NoTrustError: there is nothing yet, or it has expired; the message says what is wrong
                with what was published, if something is.
        """
        if self._trust is None:
            self._trust = self._own()
        stamp = self._stamp()
        if self._pinned is not None and stamp is not None and stamp != self._seen:
            self._take(now_s)
            self._seen = stamp
        if self._trust is None:
            raise NoTrustError(self._problem)
        if self._trust.expires <= now_s:
            msg = f"authority or grants ended at {self._trust.expires}: publish new ones"
            raise TrustEndedError(f"{msg}; {self._problem}" if self._problem else msg, self._trust)
        return self._trust

    def _stamp(self) -> Stamp | None:
        """Return what shows that the repository changed: each change writes its timestamp anew."""
        try:
            found = self._repository.metadata(Role.TIMESTAMP, 0).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _own(self) -> Trust | None:
        """Return what was copied here before."""
        try:
            return Trust(
                AuthoritySet.from_bytes(
                    read_bounded(self._authority, size_bytes_max=AUTHORITY_BYTES_MAX)
                ),
                GrantSet.from_bytes(read_bounded(self._grants, size_bytes_max=GRANTS_BYTES_MAX)),
            )
        except NotFoundError:
            return None

    def _take(self, now_s: int) -> None:
        """Verify the repository and copy what it says, unless something of it does not hold."""
        try:
            found = self._verified(now_s)
            if self._trust is not None:
                _require_forward(self._trust, found)
        except OsirisError as error:
            self._problem = str(error)
            return
        write_whole(self._grants, found.grants.document.to_bytes(), is_durable=True)
        write_whole(self._authority, found.authority.document.to_bytes(), is_durable=True)
        self._trust, self._problem = found, ""

    def _verified(self, now_s: int) -> Trust:
        from runtime.repository import check  # noqa: PLC0415 - loads python-tuf

        place = self._repository
        first = place.read(Role.ROOT, 1)
        if hashlib.sha256(first).digest() != self._pinned:
            msg = "the repository's first root is not the one that the trust root pins"
            raise IntegrityError(msg)
        root = check.check_roots(place, now_s=now_s, first=first)
        release = check.check_release(
            place, place.newest(Role.RELEASE), root=root, now_s=now_s, with_catalog=False
        )
        version = place.newest(Role.GRANTS)
        _, grants = check.check_grants(place, version, release=release, now_s=now_s)
        return Trust(release.authority, grants)


def _require_forward(held: Trust, new: Trust) -> None:
    if new.authority.document != held.authority.document:
        version = new.authority.document.version
        require_newer("authority", version, held=held.authority.document.version)
    if new.grants.document != held.grants.document:
        version = new.grants.document.version
        require_newer("grants", version, held=held.grants.document.version)

"""Saying which content is current, and the hub's half of promoted rules, from what was published.

Both lie where the serving process can write, so nothing in them is believed for where it lies: the
first root must be the one that the trust root pins, and `runtime.repository.saying` holds the rest.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from central.core.order_refusals import NoTrustError
from central.core.signer_talk import AskFresh, AskPromote
from central.signer.keys import OnlineKeys
from central.signer.ledger import Current
from proto.errors import ConflictError, IntegrityError
from proto.keysets import Role
from proto.release_keys import daemon_of
from runtime.repository.layout import Place

if TYPE_CHECKING:
    from runtime.repository.saying import Said


@dataclass(frozen=True, slots=True)
class Signed:
    """What is current, and the documents that were signed for it just now."""

    current: Current
    documents: Mapping[Role, bytes]


@dataclass(frozen=True, slots=True)
class Repository:
    """The files.

    Attributes:
        both: what was published, over what is served.
        pinned: SHA-256 of the repository's first root; None for a hub without one.
    """

    both: Place
    pinned: bytes | None

    @classmethod
    def of(cls, state_dir: Path, *, pinned: bytes | None) -> "Repository":
        """Return the repository of a hub."""
        return cls(Place(state_dir / "incoming", beneath=Place(state_dir / "content")), pinned)

    def first_root(self) -> bytes:
        """Return the first root, which is the pinned one.

        Raises:
            NoTrustError: this hub has no repository.
            IntegrityError: another root lies there.
        """
        if self.pinned is None:
            msg = "this hub has no repository of content"
            raise NoTrustError(msg)
        found = self.both.read(Role.ROOT, 1)
        if hashlib.sha256(found).digest() != self.pinned:
            msg = "the repository's first root is not the one that the trust root pins"
            raise IntegrityError(msg)
        return found

    def say(self, ask: AskFresh, keys: OnlineKeys, *, last: Current | None, now_s: int) -> Signed:
        """Return what is current, signed where that was due.

        Raises:
            NoTrustError: this hub has no repository.
            RejectedError: something of it does not hold, or goes back.
            IntegrityError: a file holds other bytes than were signed.
        """
        from runtime.repository import saying  # noqa: PLC0415 - loads python-tuf

        first_root = self.first_root()
        listed = {Role.RELEASE: ask.release, Role.GRANTS: ask.grants, Role.PROMOTED: ask.promoted}
        said = saying.say_current(
            self.both,
            saying.FreshKeys(keys.of(Role.SNAPSHOT), keys.of(Role.TIMESTAMP)),
            saying.Wanted(ask.root, {role: one for role, one in listed.items() if one}),
            last=None if last is None else _said(last),
            first_root=first_root,
            now_s=now_s,
        )
        current = Current(
            ask.root, said.snapshot, said.timestamp, ask.release, ask.grants, ask.promoted
        )
        return Signed(current, said.documents)

    def promote(
        self, ask: AskPromote, keys: OnlineKeys, *, last: Current | None, now_s: int
    ) -> bytes:
        """Return promoted rules that an operator signed, with the hub's signature beside.

        Raises:
            ConflictError: it names an older root or release than was said to be current: what
                people took away since would count again.
            NoTrustError: this hub has no repository.
            RejectedError: something of it does not hold, or a rule may not act.
            IntegrityError: a file holds other bytes than were signed.
        """
        from runtime.repository import promoting  # noqa: PLC0415 - loads python-tuf

        if last is not None and (ask.root < last.root or ask.release < last.release):
            msg = f"root {ask.root}, release {ask.release}: newer ones were said to be current"
            raise ConflictError(msg)
        wanted = {
            Role.ROOT: ask.root,
            Role.RELEASE: ask.release,
            Role.PROMOTED: ask.promoted,
        }
        return promoting.countersigned(
            self.both,
            keys.of(Role.PROMOTED),
            wanted,
            first_root=self.first_root(),
            now_s=now_s,
        )

    def named(self, role: Role, *, now_s: int) -> frozenset[bytes]:
        """Return the public bytes of the keys that are named for a role in what is served.

        The newest root names those of freshness; the newest release the promoted one.
        """
        from runtime.repository import check  # noqa: PLC0415 - loads python-tuf

        served = self.both.beneath or self.both
        root = check.check_roots(served, now_s=now_s, first=self.first_root())
        if role is Role.PROMOTED:
            version = served.newest(Role.RELEASE)
            release = check.check_release(
                served, version, root=root, now_s=now_s, with_catalog=False
            )
            listed = release.delegated[role].holders
            return frozenset(one.key.raw for one in listed if one.person == daemon_of(role))
        return frozenset(one.key.raw for one in root.keys.roles[role].holders)


def _said(last: Current) -> "Said":
    from runtime.repository import saying  # noqa: PLC0415 - loads python-tuf

    listed = {Role.RELEASE: last.release, Role.GRANTS: last.grants, Role.PROMOTED: last.promoted}
    return saying.Said(
        last.root,
        last.snapshot,
        last.timestamp,
        {role: version for role, version in listed.items() if version},
    )

"""Which of a hub's keys are new to the people, and whether the key before each signed for it.

A hub's next keys come to the people in a file that the hub's web process wrote. Whoever took that
process over could write a key of their own there, and would be given by people what only the signer
has. So a next key comes with the signature of the one before it, which never leaves the signer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from osiris.desk.folder import Folder
from proto.keys import PublicKey
from proto.keysets import Role
from proto.release_keys import daemon_of, read_delegations, read_root
from runtime.repository.documents import signed_part
from runtime.repository.hub_keys import HubKeys
from runtime.repository.layout import Place
from runtime.repository.renewal import published_authority, published_grants

NAMED_BY = {
    Role.ROOT: ("snapshot", "timestamp"),
    Role.RELEASE: ("promoted", "head", "log"),
    Role.GRANTS: ("order",),
}
"""Which document gives a kind of key its power."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A hub's key that nothing published names.

    Attributes:
        is_vouched: a key of its kind that is published has signed for it.
    """

    kind: str
    key: PublicKey
    is_vouched: bool

    def sentence(self) -> str:
        """Return it in words, for whoever is about to sign it in."""
        named = f"the hub's {self.kind} key {self.key.fingerprint()} is new:"
        if self.is_vouched:
            return f"{named} the key before it signed for it"
        return (
            f"{named} NO KEY BEFORE IT SIGNED FOR IT, and whoever broke into the hub may have"
            " written it: compare it with the keys themselves, on the hub's own machine"
        )


def new_keys(place: Place, hub: HubKeys) -> tuple[NewKey, ...]:
    """Return those of a hub's keys that are to follow published ones; none before the first."""
    found = []
    for kind, published in _published(place).items():
        key: PublicKey = getattr(hub, kind)
        if published and key not in published:
            former = hub.vouched_by(kind)
            found.append(NewKey(kind, key, is_vouched=former is not None and former in published))
    return tuple(found)


def words(folder: Folder, role: Role) -> Iterable[str]:
    """Yield a line for each key of the hub that a draft of this role would name first."""
    kinds = NAMED_BY.get(role, ())
    if not kinds or not folder.hub_keys_file.exists():
        return
    for one in new_keys(folder.repository, folder.hub_keys()):
        if one.kind in kinds:
            yield f"  ! {one.sentence()}"


def _published(place: Place) -> Mapping[str, frozenset[PublicKey]]:
    """Return the keys of each kind that the newest published documents name."""
    found: dict[str, frozenset[PublicKey]] = {}
    root_version, release_version = place.newest(Role.ROOT), place.newest(Role.RELEASE)
    if not root_version:
        return found
    root = read_root(signed_part(place.read(Role.ROOT, root_version), Role.ROOT))
    for role in (Role.SNAPSHOT, Role.TIMESTAMP):
        found[role.value] = frozenset(one.key for one in root.roles[role].holders)
    if release_version:
        release = signed_part(place.read(Role.RELEASE, release_version), Role.RELEASE)
        promoting = read_delegations(release, root)[Role.PROMOTED].holders
        daemon = daemon_of(Role.PROMOTED)
        found["promoted"] = frozenset(one.key for one in promoting if one.person == daemon)
    authority, grants = published_authority(place), published_grants(place)
    if authority is not None:
        found["head"] = _keys(one.key for one in authority.head_keys)
        found["log"] = _keys(one.key for one in authority.log_keys)
    if grants is not None:
        found["order"] = _keys(one.key for one in grants.grants)
    return found


def _keys(listed: Iterable[str]) -> frozenset[PublicKey]:
    return frozenset(PublicKey.from_b64(one) for one in listed)

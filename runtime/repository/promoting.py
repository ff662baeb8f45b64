"""The hub's half of promoted rules: what the holder of its promoted key signs, and when.

The key decides nothing alone: it signs what an operator has signed already. Rules kept here:

- The document, the release beside which its rules are to act, and every root are read and checked
  as readers do it; an operator whom the release lists must have signed.
- Every rule must be one that an appliance takes up (`proto.rules.promoted`): it does only what a
  release rule does for the same check, and comes after every one.
- The key is one that the release names.
"""

from proto.errors import ConflictError
from proto.keys import PublicKey, SigningKey
from proto.keysets import Role
from proto.release_keys import daemon_of, tuf_key_id
from runtime.repository.check import check_promoted, check_release, check_roots
from runtime.repository.documents import add_signatures, parse, signed_part
from runtime.repository.layout import Place
from runtime.repository.saying import Versions


def countersigned(
    both: Place,
    keys: tuple[SigningKey, ...],
    wanted: Versions,
    *,
    first_root: bytes | None = None,
    now_s: int,
) -> bytes:
    """Return the promoted rules that an operator signed, with the hub's signature beside.

    Args:
        both: what was published, over the repository that is served.
        keys: the hub's promoted keys, the former first.
        wanted: the versions of the root, the release, and the promoted rules.
        first_root: the first root that is pinned; None to take the one that lies there.
        now_s: seconds since the epoch.

    Raises:
        RejectedError: something of it does not hold, or a rule may not act.
        IntegrityError: a file holds other bytes than were signed.
    """
    root = check_roots(both, now_s=now_s, upto=wanted[Role.ROOT], first=first_root)
    release = check_release(both, wanted[Role.RELEASE], root=root, now_s=now_s)
    found = check_promoted(both, wanted[Role.PROMOTED], release=release, now_s=now_s, by_hub=False)
    name = daemon_of(Role.PROMOTED)
    named = {one.key for one in release.delegated[Role.PROMOTED].holders if one.person == name}
    for key in reversed(keys):
        if key.public in named:
            return add_signatures(found.data, [key])
    msg = f"promoted: release {release.life.version} does not name this hub's promoted key"
    raise ConflictError(msg)


def lacks_hub(data: bytes, publics: tuple[PublicKey, ...]) -> bool:
    """Tell whether none of the hub's promoted keys has put its name to a document."""
    named = {tuf_key_id(one) for one in publics}
    return not named & set(parse(data, "promoted").signatures)


def says_the_same(one: bytes, other: bytes) -> bool:
    """Tell whether two documents of promoted rules differ in nothing but their signatures."""
    return signed_part(one, Role.PROMOTED) == signed_part(other, Role.PROMOTED)

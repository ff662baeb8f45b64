"""A development trust: every person of a ceremony is one person, with software keys on one machine.

It is made of the same documents, signed by as many keys, and checked by the same rules as a real
one, so that nothing has a weaker way for it. The root says what it is, and a portal says it again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from proto.authority import Authority
from proto.catalog.load import content_digest
from proto.grants import Grants
from proto.keys import SEED_BYTES, Holder, SigningKey
from proto.keysets import DAY_S, ROLES, Role
from proto.policy import Policy
from proto.release_keys import (
    AUTHORITY_TARGET,
    CONTENT_PREFIX,
    GRANTS_TARGET,
    POLICY_TARGET,
    read_delegations,
    read_life,
    read_root,
)
from runtime import keyfile
from runtime.clock import Entropy
from runtime.repository.documents import (
    DelegationPlan,
    Making,
    RootPlan,
    add_signatures,
    described,
    make_root,
    make_targets,
    signed_part,
)
from runtime.repository.hub_keys import HubKeys
from runtime.repository.layout import Place
from runtime.repository.renewal import (
    named_by_root,
    named_with_former,
    overlapping,
    published_authority,
    published_grants,
    renewed,
)

PEOPLE: Final = ("dev-1", "dev-2", "dev-3")
"""Not three people: three names of one."""

SIGNERS: Final = 2
"""How many of them sign: as many as the key table asks of root, release and grants."""

ROLES_OF_PEOPLE: Final = (Role.ROOT, Role.RELEASE, Role.OPERATOR)
ORDERS_PER_HOUR: Final = 60
GRANT_TTL_S: Final = DAY_S

PeopleKeys = Mapping[tuple[Role, str], SigningKey]
"""Everybody's private keys, by role and person."""


def make_people(entropy: Entropy) -> PeopleKeys:
    """Make the keys of everybody."""
    return {
        (role, person): SigningKey(entropy(SEED_BYTES))
        for role in ROLES_OF_PEOPLE
        for person in PEOPLE
    }


def keep_people(directory: Path, *, now_s: int, entropy: Entropy) -> PeopleKeys:
    """Return the keys of everybody from their files, making those that are missing.

    The files lie side by side and no passphrase seals them: it is one person's trust.

    Raises:
        ConfigError: a file cannot be made or read, or others may read it.
    """
    found = {}
    for role in ROLES_OF_PEOPLE:
        for person in PEOPLE:
            path = directory / f"{person}.{role.value}.key"
            if not path.exists():
                keyfile.make(
                    path, person=person, role=role, passphrase=None, now_s=now_s, entropy=entropy
                )
            found[role, person] = keyfile.read(path).open(None)
    return found


def publish_first(
    place: Place, people: PeopleKeys, hub: HubKeys, content: Mapping[str, bytes], *, now_s: int
) -> None:
    """Write root 1, release 1 and grants 1, all signed, where the hub takes them in from.

    Args:
        place: the directory that publications are put into.
        people: what `make_people` or `keep_people` made.
        hub: the hub's online keys.
        content: the checks, rules and runbooks by their path below `rules/`.
        now_s: seconds since the epoch.
    """
    publish_root(place, people, hub, version=1, now_s=now_s)
    publish_release(place, people, hub, content, version=1, now_s=now_s)
    publish_grants(place, people, hub, version=1, now_s=now_s)


def publish_what_is_due(
    place: Place, people: PeopleKeys, hub: HubKeys, content: Mapping[str, bytes], *, now_s: int
) -> None:
    """Write what is missing, is half over, is of other content, or names other keys than these.

    Args as of `publish_first`; `place` lies over the repository.
    """
    if _is_due(place, Role.ROOT, now_s=now_s) or not _root_names(place, hub):
        publish_root(place, people, hub, version=place.newest(Role.ROOT) + 1, now_s=now_s)
    if (
        _is_due(place, Role.RELEASE, now_s=now_s)
        or _rolled_out(place) != content_digest(content)
        or not _authority_names(place, hub)
        or not _release_names(place, hub)
    ):
        version = place.newest(Role.RELEASE) + 1
        publish_release(place, people, hub, content, version=version, now_s=now_s)
    if _is_due(place, Role.GRANTS, now_s=now_s) or not _grants_name(place, hub):
        publish_grants(place, people, hub, version=place.newest(Role.GRANTS) + 1, now_s=now_s)


def _is_due(place: Place, role: Role, *, now_s: int) -> bool:
    version = place.newest(role)
    if version == 0:
        return True
    life = read_life(signed_part(place.read(role, version), role), role)
    # A grant in it ends sooner than the grants themselves.
    ends_s = min(life.expires, life.created + ROLES[Role.ORDER].life_s)
    last_s = ends_s if role is Role.GRANTS else life.expires
    return now_s >= life.created + (last_s - life.created) // 2


def _root_names(place: Place, hub: HubKeys) -> bool:
    return hub.snapshot in named_by_root(place, Role.SNAPSHOT) and hub.timestamp in named_by_root(
        place, Role.TIMESTAMP
    )


def _authority_names(place: Place, hub: HubKeys) -> bool:
    found = published_authority(place)
    return found is not None and (
        hub.head.b64() in {one.key for one in found.head_keys}
        and hub.log.b64() in {one.key for one in found.log_keys}
    )


def _release_names(place: Place, hub: HubKeys) -> bool:
    version = place.newest(Role.RELEASE)
    signed = signed_part(place.read(Role.RELEASE, version), Role.RELEASE)
    root = signed_part(place.read(Role.ROOT, place.newest(Role.ROOT)), Role.ROOT)
    listed = read_delegations(signed, read_root(root))[Role.PROMOTED].holders
    return hub.promoted in {one.key for one in listed}


def _grants_name(place: Place, hub: HubKeys) -> bool:
    found = published_grants(place)
    return found is not None and hub.order.b64() in {one.key for one in found.grants}


def _rolled_out(place: Place) -> str:
    signed = signed_part(place.read(Role.RELEASE, place.newest(Role.RELEASE)), Role.RELEASE)
    digest = signed["targets"][POLICY_TARGET]["hashes"]["sha256"]
    return Policy.read(place.read_target(POLICY_TARGET, digest)).rollout.content


def publish_root(
    place: Place, people: PeopleKeys, hub: HubKeys, *, version: int, now_s: int
) -> None:
    """Write a root that names everybody, signed."""
    plan = RootPlan(
        root=_holders(people, Role.ROOT),
        release=_holders(people, Role.RELEASE),
        snapshot=named_with_former(place, Role.SNAPSHOT, hub.snapshot),
        timestamp=named_with_former(place, Role.TIMESTAMP, hub.timestamp),
        is_development=True,
    )
    root = make_root(plan, Making.of(Role.ROOT, version, now_s=now_s))
    place.write(Role.ROOT, version, add_signatures(root, _keys(people, Role.ROOT)))


def publish_release(
    place: Place,
    people: PeopleKeys,
    hub: HubKeys,
    content: Mapping[str, bytes],
    *,
    version: int,
    now_s: int,
) -> None:
    """Write a release of this content: authority, policy and every file, signed."""
    files = {f"{CONTENT_PREFIX}{path}": data for path, data in content.items()}
    said = authority(people, hub, version=version, now_s=now_s, former=published_authority(place))
    files[AUTHORITY_TARGET] = said.to_bytes()
    files[POLICY_TARGET] = policy(content, version=version, now_s=now_s).to_bytes()
    for path, data in files.items():
        place.write_target(path, data)
    document = make_targets(
        {path: described(path, data) for path, data in files.items()},
        Making.of(Role.RELEASE, version, now_s=now_s),
        delegations=DelegationPlan(_holders(people, Role.OPERATOR), hub.promoted),
    )
    place.write(Role.RELEASE, version, add_signatures(document, _keys(people, Role.RELEASE)))


def publish_grants(
    place: Place, people: PeopleKeys, hub: HubKeys, *, version: int, now_s: int
) -> None:
    """Write a grant of everything to the hub's order key, signed by two operators' keys."""
    former = published_grants(place)
    uses = overlapping(hub.order, former.grants if former else (), Role.ORDER, now_s=now_s)
    said = {"types": "all", "sites": "all", "ttl_s": GRANT_TTL_S, "per_hour": ORDERS_PER_HOUR}
    names = ("development", "development.former-key")
    grants = [
        {"id": name, **said, **use.to_value()} for name, use in zip(names, uses, strict=False)
    ]
    data = Grants.from_value(
        _life(Role.GRANTS, version, now_s) | {"grants": grants}, "grants"
    ).to_bytes()
    place.write_target(GRANTS_TARGET, data)
    document = make_targets(
        {GRANTS_TARGET: described(GRANTS_TARGET, data)},
        Making.of(Role.GRANTS, version, now_s=now_s),
    )
    place.write(Role.GRANTS, version, add_signatures(document, _keys(people, Role.OPERATOR)))


def authority(
    people: PeopleKeys,
    hub: HubKeys,
    *,
    version: int,
    now_s: int,
    former: Authority | None = None,
) -> Authority:
    """Return the authority file: every operator may sign everything everywhere.

    The keys of the one before (`former`) go on as they were.
    """
    held = [key for one in former.people for key in one.keys] if former else []
    listed = [
        {
            "person": one.person,
            "tiers": [0, 1, 2, 3],
            "sites": "all",
            "types": "all",
            "keys": [renewed(one.key, held, Role.OPERATOR, now_s=now_s).to_value()],
        }
        for one in _holders(people, Role.OPERATOR)
    ]
    heads = overlapping(hub.head, former.head_keys if former else (), Role.HEAD, now_s=now_s)
    logs = overlapping(hub.log, former.log_keys if former else (), Role.LOG, now_s=now_s)
    value = {
        **_life(Role.RELEASE, version, now_s),
        "people": listed,
        "head_keys": [use.to_value() for use in heads],
        "log_keys": [use.to_value() for use in logs],
    }
    return Authority.from_value(value, "authority")


def policy(content: Mapping[str, bytes], *, version: int, now_s: int) -> Policy:
    """Return the policy file: one ring, which has this content at once."""
    value = {
        **_life(Role.RELEASE, version, now_s),
        "rings": [{"name": "all", "after_s": 0, "sites": "all"}],
        "rollout": {"content": content_digest(content), "started": now_s, "is_halted": False},
        "download_hosts": [],
    }
    return Policy.from_value(value, "policy")


def _life(role: Role, version: int, now_s: int) -> dict[str, object]:
    return {"v": 1, "version": version, "created": now_s, "expires": now_s + ROLES[role].life_s}


def _holders(people: PeopleKeys, role: Role) -> tuple[Holder, ...]:
    return tuple(Holder(person, people[role, person].public) for person in PEOPLE)


def _keys(people: PeopleKeys, role: Role) -> tuple[SigningKey, ...]:
    return tuple(people[role, person] for person in PEOPLE[:SIGNERS])

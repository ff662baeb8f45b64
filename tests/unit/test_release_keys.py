"""Whose keys TUF metadata name: what TUF counts as two must be two people."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.signer import SSlibKey

from proto.errors import MalformedError
from proto.keys import Holder, SigningKey, UntrustworthyKeyError
from proto.keysets import DAY_S, Role
from proto.release_keys import CREATED, PERSON, read_delegations, read_root, tuf_key_id
from runtime.repository.documents import (
    DelegationPlan,
    Making,
    RootPlan,
    make_root,
    make_targets,
    signed_part,
)

NOW_S = 1_790_000_000
KEYS = [SigningKey(bytes([number]) * 32).public for number in range(1, 12)]
ROOT = tuple(Holder(name, key) for name, key in zip(("ada", "bo", "cy"), KEYS[:3], strict=True))
RELEASE = tuple(Holder(name, key) for name, key in zip(("ada", "bo", "di"), KEYS[3:6], strict=True))
OPERATORS = tuple(Holder(name, key) for name, key in zip(("ada", "ed"), KEYS[6:8], strict=True))


def root(**changed: object) -> dict[str, Any]:
    plan: dict[str, Any] = {
        "root": ROOT,
        "release": RELEASE,
        "snapshot": (KEYS[8],),
        "timestamp": (KEYS[9],),
    }
    data = make_root(RootPlan(**{**plan, **changed}), Making(1, NOW_S, 365 * DAY_S))
    return dict(signed_part(data, Role.ROOT))


def targets(operators: tuple[Holder, ...] = OPERATORS) -> dict[str, Any]:
    making, plan = Making(1, NOW_S, 90 * DAY_S), DelegationPlan(operators, KEYS[10])
    return dict(signed_part(make_targets({}, making, delegations=plan), Role.RELEASE))


def test_every_role_names_its_people() -> None:
    found = read_root(root())
    assert not found.is_development
    assert [one.person for one in found.roles[Role.ROOT].people()] == ["ada", "bo", "cy"]
    assert found.roles[Role.SNAPSHOT].people() == ()
    delegated = read_delegations(targets(), found)
    assert [one.person for one in delegated[Role.GRANTS].people()] == ["ada", "ed"]
    assert [one.person for one in delegated[Role.PROMOTED].people()] == ["ada", "ed"]


def test_one_person_with_two_keys_of_a_role_is_refused() -> None:
    twice = (*RELEASE[:2], Holder("ada", KEYS[5]))
    with pytest.raises(MalformedError, match="ada holds two of its keys"):
        read_root(root(release=twice))


def test_one_key_under_two_ids_is_refused() -> None:
    said = root()
    first = tuf_key_id(RELEASE[0].key)
    said["keys"]["f" * 64] = {**said["keys"][first], PERSON: "mallory"}
    said["roles"]["targets"]["keyids"][1] = "f" * 64
    with pytest.raises(MalformedError, match="under an id that is not its own"):
        read_root(said)


def test_one_key_for_two_roles_is_refused() -> None:
    both = (Holder("ada", ROOT[0].key), *RELEASE[1:])
    with pytest.raises(MalformedError, match="one key is listed for 'ada'"):
        read_root(root(release=both))
    with pytest.raises(MalformedError, match=r"key '[0-9a-f]{16}'"):
        read_root(root(snapshot=(ROOT[1].key,)))
    with pytest.raises(MalformedError, match="one key is listed"):
        read_delegations(targets((*OPERATORS, RELEASE[2])), read_root(root()))


@pytest.mark.parametrize("name", [None, "", "Ada", "hub release", "ada\n", 7])
def test_a_peoples_key_names_its_holder(name: object) -> None:
    said = root()
    key = said["keys"][tuf_key_id(RELEASE[0].key)]
    key.pop(PERSON)
    if name is not None:
        key[PERSON] = name
    with pytest.raises(MalformedError):
        read_root(said)


def test_a_daemons_key_is_nobodys_word() -> None:
    said = root()
    said["keys"][tuf_key_id(KEYS[9])][PERSON] = "ada"
    with pytest.raises(MalformedError, match="the role timestamp"):
        read_root(said)


@pytest.mark.parametrize(("role", "threshold"), [("root", 1), ("targets", 1), ("targets", 4)])
def test_a_threshold_below_the_key_table_or_above_its_people_is_refused(
    role: str, threshold: int
) -> None:
    said = root()
    said["roles"][role]["threshold"] = threshold
    with pytest.raises(MalformedError, match="is not what the role asks for"):
        read_root(said)


def test_grants_need_two_operators_and_promotion_one_beside_the_hub() -> None:
    said = targets()
    for entry in said["delegations"]["roles"]:
        weaker = {**entry, "threshold": 1}
        others = [one for one in said["delegations"]["roles"] if one is not entry]
        with pytest.raises(MalformedError, match="is not what the role asks for"):
            read_delegations(
                {**said, "delegations": {**said["delegations"], "roles": [weaker, *others]}},
                read_root(root()),
            )
    with pytest.raises(MalformedError, match="is not what the role asks for"):
        read_delegations(targets(OPERATORS[:1]), read_root(root()))


@pytest.mark.parametrize(
    "change",
    [{"paths": ["*"]}, {"paths": ["content/*"]}, {"terminating": False}, {"name": "content"}],
)
def test_nothing_else_is_delegated(change: dict[str, Any]) -> None:
    said = targets()
    said["delegations"]["roles"][0].update(change)
    with pytest.raises(MalformedError, match="delegations"):
        read_delegations(said, read_root(root()))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        (CREATED, None),
        (CREATED, NOW_S - 2 * DAY_S),
        (CREATED, True),
        (CREATED, float(NOW_S)),
        ("expires", "2027-02-30T00:00:00Z"),
        ("expires", "2026-09-21T14:13:20+00:00"),
        ("version", 0),
    ],
)
def test_a_document_says_when_it_was_made_and_lives_no_longer_than_its_role(
    member: str, value: object
) -> None:
    with pytest.raises(MalformedError):
        read_root({**root(), member: value})


def test_a_point_of_low_order_is_no_key() -> None:
    said = root()
    said["keys"][tuf_key_id(KEYS[9])]["keyval"]["public"] = "00" * 32
    with pytest.raises(UntrustworthyKeyError):
        read_root(said)


def test_the_id_is_the_one_that_tuf_derives() -> None:
    theirs = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(KEYS[0].raw))
    assert theirs.keyid == tuf_key_id(KEYS[0])

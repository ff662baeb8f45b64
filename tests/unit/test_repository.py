"""A content repository: what people signed is taken in whole, or what was current stays so."""

import shutil
from pathlib import Path

import pytest

from proto.authority import AuthoritySet
from proto.errors import CatalogError, ConfigError, ConflictError, MalformedError, NotFoundError
from proto.keys import Holder, SigningKey
from proto.keysets import DAY_S, PeopleError, Role
from proto.release_keys import AUTHORITY_TARGET, DEVELOPMENT, TRUST
from runtime.repository import check, development
from runtime.repository.documents import (
    DelegationPlan,
    Making,
    add_signatures,
    described,
    make_targets,
    signed_part,
)
from runtime.repository.layout import Place, target_file
from runtime.repository.saying import checked_documents
from tests.fakes.repository import RepositoryWorld
from tests.unit.reference_set import NET_CHECK, NET_RULE


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the files of a first release; the keys of every world are made from one seed."""
    made = RepositoryWorld(tmp_path_factory.mktemp("prepared"))
    made.first()
    return made.directory


@pytest.fixture
def world(prepared: Path, tmp_path: Path) -> RepositoryWorld:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return RepositoryWorld(tmp_path)


def current(world: RepositoryWorld) -> dict[str, int]:
    """Return what a reader is told is current, by document."""
    stamp = signed_part(world.place.read(Role.TIMESTAMP, 0), Role.TIMESTAMP)
    version = stamp["meta"]["snapshot.json"]["version"]
    meta = signed_part(world.place.read(Role.SNAPSHOT, version), Role.SNAPSHOT)["meta"]
    return {name: said["version"] for name, said in meta.items()}


def test_a_development_trust_is_complete_and_says_what_it_is(world: RepositoryWorld) -> None:
    root = check.check_roots(world.place, now_s=world.now_s)
    release = check.check_release(world.place, 1, root=root, now_s=world.now_s)
    _, grants = check.check_grants(world.place, 1, release=release, now_s=world.now_s)
    assert root.keys.is_development
    assert signed_part(root.data, Role.ROOT)[TRUST] == DEVELOPMENT
    assert set(release.authority.people) == set(development.PEOPLE)
    assert list(grants.by_key) == [world.online["order"].public.raw]
    assert current(world) == {"targets.json": 1, "grants.json": 1}
    assert not world.incoming.versions(Role.RELEASE), "what was taken in is cleared away"


def test_nothing_is_current_before_something_was_published(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        RepositoryWorld(tmp_path).take_in()


@pytest.mark.parametrize("role", [Role.RELEASE, Role.GRANTS])
def test_one_person_alone_publishes_nothing(world: RepositoryWorld, role: Role) -> None:
    world.release(2)
    development.publish_grants(
        world.incoming, world.people, world.hub, version=2, now_s=world.now_s
    )
    people = Role.OPERATOR if role is Role.GRANTS else role
    world.resign(role, 2, world.people[people, "dev-1"])
    found = world.take_in()
    assert "1 " in found.problem
    assert current(world) == {"targets.json": 1, "grants.json": 1}


def test_what_does_not_hold_is_named_and_freshness_goes_on(world: RepositoryWorld) -> None:
    world.release(2)
    world.resign(Role.RELEASE, 2, world.people[Role.RELEASE, "dev-1"])
    before = signed_part(world.place.read(Role.TIMESTAMP, 0), Role.TIMESTAMP)["version"]
    world.now_s += DAY_S // 2
    found = world.take_in()
    assert found.problem == "release: signed by 1 people, 2 must"
    assert (found.timestamp, found.changed) == (before + 1, True)


def test_the_same_publication_is_taken_in_once_it_is_signed(world: RepositoryWorld) -> None:
    world.release(2)
    world.resign(Role.RELEASE, 2, world.people[Role.RELEASE, "dev-1"])
    assert world.take_in().problem
    document = world.incoming.read(Role.RELEASE, 2)
    world.incoming.metadata(Role.RELEASE, 2).unlink()
    whole = add_signatures(document, [world.people[Role.RELEASE, "dev-3"]])
    world.incoming.write(Role.RELEASE, 2, whole)
    assert not world.take_in().problem
    assert current(world)["targets.json"] == 2


def test_keys_of_strangers_count_for_nobody(world: RepositoryWorld) -> None:
    world.release(2)
    world.resign(Role.RELEASE, 2, world.people[Role.RELEASE, "dev-1"], world.key())
    assert world.take_in().problem == "release: signed by 1 people, 2 must"


def test_a_signature_over_other_text_is_refused(world: RepositoryWorld) -> None:
    world.release(2)
    data = world.incoming.read(Role.RELEASE, 2)
    world.incoming.metadata(Role.RELEASE, 2).unlink()
    world.incoming.write(Role.RELEASE, 3, data.replace(b'"version":2', b'"version":3'))
    assert "is not over this text" in world.take_in().problem


def test_a_file_with_other_bytes_than_signed_is_refused(world: RepositoryWorld) -> None:
    world.release(2, {path: data + b"\n" for path, data in world.content.items()})
    file = next((world.incoming.directory / "targets" / "content").rglob("*.yaml"))
    file.write_bytes(file.read_bytes() + b"# another line\n")
    found = world.take_in()
    assert "holds other bytes than its name says" in found.problem
    assert current(world)["targets.json"] == 1


def test_content_that_does_not_hold_together_is_not_published(world: RepositoryWorld) -> None:
    lost = {path: data for path, data in world.content.items() if path != NET_CHECK}
    assert NET_RULE in lost
    world.release(2, lost)
    assert "net.port.telnet" in world.take_in().problem


def test_what_a_newer_program_asks_of_content_stops_nothing_that_is_current(
    world: RepositoryWorld,
) -> None:
    """A release of last month's program, which the program of today would not take in as new."""
    lost = {path: data for path, data in world.content.items() if path != NET_CHECK}
    world.release(2, lost)
    root = check.check_roots(world.place, now_s=world.now_s)
    both = Place(world.incoming.directory, beneath=world.place)
    with pytest.raises(CatalogError):
        checked_documents(both, root, held={Role.RELEASE: 1}, now_s=world.now_s)
    found = checked_documents(both, root, held={Role.RELEASE: 2}, now_s=world.now_s)
    assert set(found) == {Role.RELEASE, Role.GRANTS}
    for_keys = check.check_release(both, 2, root=root, now_s=world.now_s, with_catalog=False)
    assert set(for_keys.authority.people) == set(development.PEOPLE)


def test_a_release_that_is_expired_is_not_taken_in(world: RepositoryWorld) -> None:
    world.release(2)
    world.now_s += 91 * DAY_S
    assert "has expired" in world.take_in().problem


def test_authority_never_goes_back(world: RepositoryWorld) -> None:
    world.release(2)
    world.take_in()
    development.publish_release(
        world.incoming, world.people, world.hub, world.content, version=3, now_s=world.now_s
    )
    _replace_file(
        world,
        3,
        AUTHORITY_TARGET,
        development.authority(world.people, world.hub, version=1, now_s=world.now_s + 1).to_bytes(),
    )
    assert "version 1 does not follow 2" in world.take_in().problem


def _replace_file(world: RepositoryWorld, version: int, path: str, data: bytes) -> None:
    """Sign release `version` again with another file at one path."""
    both = Place(world.incoming.directory, beneath=world.place)
    signed = signed_part(both.read(Role.RELEASE, version), Role.RELEASE)
    files = {
        one: described(one, both.read_target(one, said["hashes"]["sha256"]))
        for one, said in signed["targets"].items()
    }
    document = make_targets(
        {**files, path: described(path, data)},
        Making.of(Role.RELEASE, version, now_s=world.now_s),
        delegations=DelegationPlan(world.holders(Role.OPERATOR), world.hub.promoted),
    )
    world.incoming.write_target(path, data)
    world.incoming.metadata(Role.RELEASE, version).unlink(missing_ok=True)
    signers = [world.people[Role.RELEASE, name] for name in ("dev-1", "dev-2")]
    world.incoming.write(Role.RELEASE, version, add_signatures(document, signers))


def test_release_people_sign_files_of_theirs_alone(world: RepositoryWorld) -> None:
    world.release(2)
    _replace_file(world, 2, "grants/grants.json", b"{}")
    assert "the release people sign no file there" in world.take_in().problem


def test_a_version_is_used_once(world: RepositoryWorld) -> None:
    world.release(1, {path: data + b"\n" for path, data in world.content.items()})
    with pytest.raises(ConflictError, match="a version is used once"):
        world.take_in()


def test_grants_that_expired_stay_listed_and_new_ones_are_taken_in(world: RepositoryWorld) -> None:
    world.now_s += 15 * DAY_S
    world.release(2)
    assert not world.take_in().problem
    assert current(world) == {"targets.json": 2, "grants.json": 1}
    development.publish_grants(
        world.incoming, world.people, world.hub, version=2, now_s=world.now_s
    )
    assert not world.take_in().problem
    assert current(world) == {"targets.json": 2, "grants.json": 2}


def test_promoted_rules_need_an_operator_and_the_hub(world: RepositoryWorld) -> None:
    operator, hub = world.people[Role.OPERATOR, "dev-2"], world.online["promoted"]
    for signers, problem in (
        ([operator], "1 keys signed it, 2 must"),
        ([operator, world.people[Role.OPERATOR, "dev-1"]], "the hub has not signed it"),
        ([hub], "signed by 0 people"),
        ([operator, hub], ""),
    ):
        world.resign(Role.PROMOTED, 1, *signers)
        found = world.take_in()
        assert problem in found.problem
        assert bool(found.problem) is bool(problem)
    assert current(world)["promoted.json"] == 1


def test_timestamp_and_snapshot_are_renewed_at_half_of_their_lives(world: RepositoryWorld) -> None:
    start = world.now_s
    seen = []
    for hour in range(0, 24 * 4, 3):
        world.now_s = start + hour * 3600
        found = world.take_in()
        seen.append((found.snapshot, found.timestamp, found.changed))
    assert [one[2] for one in seen].count(True) == 7
    assert seen[-1][:2] == (2, 8)


def two_of(world: RepositoryWorld, role: Role) -> list[SigningKey]:
    return [world.people[role, name] for name in ("dev-1", "dev-2")]


def test_a_root_rotates_with_people_of_both(world: RepositoryWorld) -> None:
    former = two_of(world, Role.ROOT)
    for name in development.PEOPLE:
        world.people[Role.ROOT, name] = world.key()
    world.root(2, *two_of(world, Role.ROOT))
    assert "root: signed by 0 people, 2 must" in world.take_in().problem
    world.incoming.metadata(Role.ROOT, 2).unlink()
    world.root(2, *former)
    assert "root: signed by 0 people, 2 must" in world.take_in().problem
    world.incoming.metadata(Role.ROOT, 2).unlink()
    world.root(2, *former, *two_of(world, Role.ROOT))
    found = world.take_in()
    assert (found.root, found.problem) == (2, "")


def test_a_root_does_not_leave_out_a_version(world: RepositoryWorld) -> None:
    world.root(3, *two_of(world, Role.ROOT))
    assert "2.root.json: there is no such file" in world.take_in().problem
    assert world.place.newest(Role.ROOT) == 1


def test_release_keys_rotate_while_what_runs_stays_current(world: RepositoryWorld) -> None:
    former = two_of(world, Role.RELEASE)
    for name in development.PEOPLE:
        world.people[Role.RELEASE, name] = world.key()
    world.root(2, *two_of(world, Role.ROOT))
    assert "release: signed by 0 people" in world.take_in().problem, "who signs the release now?"
    world.release(2)
    world.resign(Role.RELEASE, 2, *former, *two_of(world, Role.RELEASE))
    found = world.take_in()
    assert (found.root, found.problem, current(world)["targets.json"]) == (2, "", 2)
    world.release(3)
    assert not world.take_in().problem, "the former people are not needed any more"


def test_the_hubs_keys_rotate_over_a_root_that_names_both(world: RepositoryWorld) -> None:
    former, following = world.online["timestamp"], world.key()
    world.online["timestamp"] = following
    with pytest.raises(ConflictError, match="does not name this hub's"):
        world.take_in()
    world.online["timestamp"] = former
    both = world.root_plan(timestamp=(former.public, following.public))
    world.root(2, *two_of(world, Role.ROOT), plan=both)
    assert not world.take_in().problem
    world.online["timestamp"], world.former["timestamp"] = following, (former,)
    assert not world.take_in().changed, "the former key's timestamp still holds"
    world.root(3, *two_of(world, Role.ROOT))
    found = world.take_in()
    assert (found.root, found.problem, found.changed) == (3, "", True)


def test_a_development_trust_never_turns_into_a_real_one(world: RepositoryWorld) -> None:
    world.root(2, *two_of(world, Role.ROOT), plan=world.root_plan(is_development=False))
    assert "a development trust cannot become a real one" in world.take_in().problem


def test_an_operator_is_named_alike_by_authority_and_delegation(world: RepositoryWorld) -> None:
    world.release(2)
    both = Place(world.incoming.directory, beneath=world.place)
    root = check.check_roots(world.place, now_s=world.now_s)
    files = check.files_of(signed_part(both.read(Role.RELEASE, 2), Role.RELEASE))
    operators = world.holders(Role.OPERATOR)
    renamed = (Holder("mallory", operators[0].key), *operators[1:])
    document = make_targets(
        {path: described(path, both.read_target(path, digest)) for path, digest in files.items()},
        Making.of(Role.RELEASE, 2, now_s=world.now_s),
        delegations=DelegationPlan(renamed, world.hub.promoted),
    )
    world.incoming.metadata(Role.RELEASE, 2).unlink()
    world.incoming.write(Role.RELEASE, 2, add_signatures(document, two_of(world, Role.RELEASE)))
    with pytest.raises(MalformedError, match="mallory holds no such operator's key"):
        check.check_release(both, 2, root=root, now_s=world.now_s)


@pytest.mark.parametrize("path", ["../x", "a/../b", "/etc/passwd", ".hidden", "a//b", "a/b\n", ""])
def test_a_targets_path_leads_nowhere_else(path: str) -> None:
    with pytest.raises(ConfigError, match="no target can have this path"):
        target_file(path, "0" * 64)


def test_authority_names_the_hubs_keys(world: RepositoryWorld) -> None:
    root = check.check_roots(world.place, now_s=world.now_s)
    authority = check.check_release(world.place, 1, root=root, now_s=world.now_s).authority
    assert isinstance(authority, AuthoritySet)
    assert authority.logs(now_s=world.now_s) == (world.online["log"].public,)


def test_an_expired_root_still_carries_but_no_release_is_taken_in(world: RepositoryWorld) -> None:
    world.now_s += 366 * DAY_S
    world.release(2)
    found = world.take_in()
    assert "0 people" in found.problem
    with pytest.raises(PeopleError):
        check.check_release(
            Place(world.incoming.directory, beneath=world.place),
            2,
            root=check.check_roots(world.place, now_s=world.now_s),
            now_s=world.now_s,
        )


def test_grants_that_the_next_release_lets_nobody_sign_keep_it_out(world: RepositoryWorld) -> None:
    """Every reader would refuse such a release whole: the grants were signed by dev-1 and dev-2."""
    world.people[Role.OPERATOR, "dev-1"] = world.key()
    world.release(2)
    assert "grants 1: 1 of the keys that the release lists signed it" in world.take_in().problem
    assert current(world) == {"targets.json": 1, "grants.json": 1}


def test_expired_promoted_rules_stay_while_the_release_lists_the_hubs_key(
    world: RepositoryWorld,
) -> None:
    operator, hub = world.people[Role.OPERATOR, "dev-2"], world.online["promoted"]
    world.resign(Role.PROMOTED, 1, operator, hub)
    assert not world.take_in().problem
    world.now_s += 31 * DAY_S
    world.release(2)
    assert not world.take_in().problem
    world.online["promoted"] = world.key()
    world.release(3)
    assert "promoted 1: " in world.take_in().problem
    assert current(world)["targets.json"] == 2


def test_what_is_published_while_the_hub_looks_is_taken_in_by_its_next_look(
    world: RepositoryWorld,
) -> None:
    """A document of a third release comes after the second was looked at, its files before."""
    world.release(2)
    later = RepositoryWorld(world.directory / "later")
    development.publish_release(
        later.incoming,
        world.people,
        world.hub,
        {path: data + b"\n" for path, data in world.content.items()},
        version=3,
        now_s=world.now_s,
    )
    shutil.copytree(
        later.incoming.directory / "targets",
        world.incoming.directory / "targets",
        dirs_exist_ok=True,
    )
    assert not world.take_in().problem
    assert not world.incoming.versions(Role.RELEASE)
    world.incoming.write(Role.RELEASE, 3, later.incoming.read(Role.RELEASE, 3))
    assert not world.take_in().problem
    assert current(world)["targets.json"] == 3
    left = [path for path in world.incoming.directory.rglob("*") if path.is_file()]
    assert not left, "what was taken in is cleared away"

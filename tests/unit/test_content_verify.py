"""What an appliance takes from a repository of content, and what it takes from nobody."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.content_refusals import ContentRefusedError
from appliance.core.trusted import Part, read_set
from proto import strict_json
from proto.catalog.load import content_digest
from proto.catalog.strict_yaml import SIZE_BYTES_MAX
from proto.keysets import DAY_S, Role
from proto.release_keys import AUTHORITY_TARGET, GRANTS_TARGET
from tests.unit import order_world as orders
from tests.unit.content_world import (
    CONTENT,
    NEWER,
    OPERATORS,
    RELEASERS,
    ROOTS,
    SITE,
    Reader,
    Repository,
    holders,
    honest,
    keys_of,
    reader_of,
)
from tests.unit.order_world import key
from tests.unit.reference_set import RULE, whole_texts

YEAR_S = 365 * DAY_S
PROMOTED = {"promoted/l1.lin.ssh.root_login.yaml": whole_texts()[RULE].encode()}


@pytest.fixture
def repository() -> Repository:
    return honest()


@pytest.fixture
def reader(repository: Repository, tmp_path: Path) -> Reader:
    """Return a client that holds the first state."""
    made = reader_of(repository, tmp_path / "tuf")
    made.look(repository)
    return made


def code(reader: Reader, repository: Repository, *, now_s: int | None = None) -> str:
    """Return the code with which a look is refused; what is held stays held."""
    before = reader.held
    with pytest.raises(ContentRefusedError) as caught:
        reader.look(repository, now_s=now_s)
    assert reader.held is before
    return caught.value.code


def publish(repository: Repository, version: int, content: dict[str, bytes] = NEWER) -> None:
    """Publish a release and say that it is current."""
    repository.release(version, content)
    repository.say_current(version)


class TestAnHonestRepository:
    def test_is_taken_whole(self, reader: Reader, repository: Repository) -> None:
        held = reader.held
        assert held is not None
        assert held.content == CONTENT
        assert set(held.documents) == {AUTHORITY_TARGET, "policy.json", GRANTS_TARGET}
        assert {f"content/{path}" for path in CONTENT} < set(held.listed)
        trusted = read_set(held)
        assert trusted.trust is not None
        assert set(trusted.authority.people) == set(OPERATORS)
        assert trusted.files[held.listed[GRANTS_TARGET]] == GRANTS_TARGET
        assert not trusted.is_development
        assert trusted.expires_s == repository.now_s + DAY_S

    def test_gives_what_is_new_and_only_that(self, reader: Reader, repository: Repository) -> None:
        publish(repository, 2)
        repository.asked.clear()
        reader.look(repository)
        assert reader.held is not None
        assert reader.held.content == NEWER
        assert reader.held.versions[Part.RELEASE] == 2

    def test_may_renew_its_timestamp_alone(self, reader: Reader, repository: Repository) -> None:
        repository.now_s += DAY_S // 2
        repository.timestamp(2)
        before = reader.held
        assert before is not None
        after = reader.look(repository)
        assert after.content == before.content
        assert after.ends[Part.TIMESTAMP] == before.ends[Part.TIMESTAMP] + DAY_S // 2
        assert after.content_s == before.content_s

    def test_may_have_no_grants_yet(self, tmp_path: Path) -> None:
        repository = Repository()
        repository.root(1)
        repository.release(1)
        repository.say_current(1)
        trusted = read_set(reader_of(repository, tmp_path).look(repository))
        assert trusted.trust is None


class TestRollback:
    def test_an_older_timestamp(self, reader: Reader, repository: Repository) -> None:
        old = dict(repository.files)
        publish(repository, 2)
        reader.look(repository)
        repository.files = old
        assert code(reader, repository) == "content_rolled_back"

    def test_an_older_snapshot_under_a_new_timestamp(
        self, reader: Reader, repository: Repository
    ) -> None:
        """So does whoever holds the hub's online keys."""
        publish(repository, 2)
        reader.look(repository)
        repository.current[Role.SNAPSHOT] = 1
        repository.timestamp(3)
        assert code(reader, repository) == "content_rolled_back"

    def test_an_older_release_under_a_new_snapshot(
        self, reader: Reader, repository: Repository
    ) -> None:
        publish(repository, 2)
        reader.look(repository)
        repository.current[Role.RELEASE] = 1
        repository.say_current(3)
        assert code(reader, repository) == "content_rolled_back"

    def test_an_older_release_for_a_client_that_lost_tufs_files(
        self, reader: Reader, repository: Repository, tmp_path: Path
    ) -> None:
        publish(repository, 2)
        reader.look(repository)
        repository.current[Role.RELEASE] = 1
        repository.say_current(3)
        reader.home = tmp_path / "lost"
        assert code(reader, repository) == "content_rolled_back"

    def test_an_older_release_with_nothing_else_older_in_it(
        self, reader: Reader, repository: Repository, tmp_path: Path
    ) -> None:
        same = {"version": 9}
        repository.release(2, authority=same, policy=same)
        repository.release(3, authority=same, policy=same)
        repository.say_current(3)
        reader.look(repository)
        repository.current[Role.RELEASE] = 2
        repository.say_current(4)
        reader.home = tmp_path / "lost"
        assert code(reader, repository) == "content_rolled_back"

    def test_grants_left_out_for_a_client_that_lost_tufs_files(
        self, reader: Reader, repository: Repository, tmp_path: Path
    ) -> None:
        del repository.current[Role.GRANTS]
        repository.say_current(2)
        reader.home = tmp_path / "lost"
        assert code(reader, repository) == "content_rolled_back"

    def test_an_older_authority_in_a_new_release(
        self, reader: Reader, repository: Repository
    ) -> None:
        publish(repository, 2)
        reader.look(repository)
        repository.release(3, NEWER, authority={"version": 1, "head_keys": []})
        repository.release(3, NEWER, authority={"version": 1, "people": []})
        repository.say_current(3)
        assert code(reader, repository) == "content_rolled_back"

    def test_grants_left_out_of_the_snapshot(self, reader: Reader, repository: Repository) -> None:
        del repository.current[Role.GRANTS]
        repository.say_current(2)
        assert code(reader, repository) == "content_refused"


class TestFreeze:
    def test_the_same_timestamp_for_ever(self, reader: Reader, repository: Repository) -> None:
        assert code(reader, repository, now_s=repository.now_s + DAY_S) == "content_frozen"

    def test_a_snapshot_that_nobody_renews(self, reader: Reader, repository: Repository) -> None:
        repository.now_s += 7 * DAY_S
        repository.timestamp(2)
        assert code(reader, repository) == "content_frozen"

    def test_a_timestamp_made_to_last(self, reader: Reader, repository: Repository) -> None:
        """With the hub's keys one could hold a site where it is for years; it gets a day."""
        repository.timestamp(2, life_s=YEAR_S)
        assert code(reader, repository) == "content_refused"

    def test_a_timestamp_from_the_future(self, reader: Reader, repository: Repository) -> None:
        repository.now_s += 3 * DAY_S
        repository.timestamp(2)
        assert code(reader, repository, now_s=repository.now_s - 3 * DAY_S) == "content_refused"


class TestMixAndMatch:
    def test_another_snapshot_than_the_timestamp_names(
        self, reader: Reader, repository: Repository
    ) -> None:
        publish(repository, 2)
        other = honest()
        publish(other, 2, CONTENT | {"l1/linux/two.yaml": b"id: other\n"})
        repository.files["metadata/2.snapshot.json"] = other.document(Role.SNAPSHOT)
        assert code(reader, repository) == "content_mixed"

    def test_a_release_of_another_time(self, reader: Reader, repository: Repository) -> None:
        publish(repository, 2)
        repository.files["metadata/2.targets.json"] = repository.document(Role.RELEASE, 1)
        assert code(reader, repository) == "content_mixed"

    def test_one_changed_byte_of_a_check(self, reader: Reader, repository: Repository) -> None:
        publish(repository, 2)
        name = next(name for name in repository.files if name.endswith("one.yaml"))
        for name in repository.files:
            if name.startswith("targets/content/checks"):
                repository.files[name] = repository.files[name].replace(b"o", b"0", 1)
        assert name in repository.files
        assert code(reader, repository) == "content_mixed"

    def test_endless_data(self, reader: Reader, repository: Repository) -> None:
        publish(repository, 2)
        repository.files["metadata/timestamp.json"] += b" " * 20_000
        assert code(reader, repository) == "content_mixed"

    def test_a_file_larger_than_any_may_be(self, reader: Reader, repository: Repository) -> None:
        """It is refused by what the signed metadata say of it, before it is fetched."""
        large = NEWER | {"checks/linux/one.yaml": b"#" * (SIZE_BYTES_MAX + 1)}
        publish(repository, 2, large)
        repository.asked.clear()
        assert code(reader, repository) == "content_refused"
        assert not [name for name in repository.asked if name.endswith("one.yaml")]

    def test_a_target_whose_name_leads_elsewhere(
        self, reader: Reader, repository: Repository
    ) -> None:
        repository.release(2, more={"content/../x": b"", "agents/a b": b""})
        repository.say_current(2)
        assert code(reader, repository) == "content_refused"

    def test_a_release_in_which_the_content_is_not_the_announced(
        self, reader: Reader, repository: Repository
    ) -> None:
        rollout = {"content": "ab" * 32, "started": repository.now_s, "is_halted": False}
        repository.release(2, NEWER, policy={"rollout": rollout})
        repository.say_current(2)
        assert code(reader, repository) == "content_refused"


class TestWithheld:
    @pytest.mark.parametrize(
        "name",
        [
            "metadata/timestamp.json",
            "metadata/2.snapshot.json",
            "metadata/2.targets.json",
            "metadata/2.grants.json",
        ],
    )
    def test_metadata(self, reader: Reader, repository: Repository, name: str) -> None:
        repository.grants(2)
        publish(repository, 2)
        del repository.files[name]
        assert code(reader, repository) == "content_withheld"

    def test_a_check(self, reader: Reader, repository: Repository) -> None:
        before = set(repository.files)
        publish(repository, 2)
        for name in set(repository.files) - before:
            if name.startswith("targets/content/"):
                del repository.files[name]
        assert code(reader, repository) == "content_withheld"

    def test_the_authority(self, reader: Reader, repository: Repository) -> None:
        before = set(repository.files)
        publish(repository, 2)
        del repository.files[
            next(name for name in set(repository.files) - before if "authority" in name)
        ]
        assert code(reader, repository) == "content_withheld"


class TestRoots:
    NEW = ("new-1", "new-2", "new-3")

    def test_old_and_new_people_may_go_over_to_new_keys(
        self, reader: Reader, repository: Repository
    ) -> None:
        plan = replace(repository.plan, root=holders(self.NEW))
        repository.root(2, *ROOTS[:2], *self.NEW[:2], plan=plan)
        repository.root(3, *self.NEW[1:], plan=plan)
        repository.timestamp(2)
        assert reader.look(repository).versions[Part.ROOT] == 3

    @pytest.mark.parametrize(
        "signers",
        [NEW, ROOTS, (ROOTS[0], *NEW), (*ROOTS, NEW[0]), (ROOTS[0], NEW[0])],
        ids=["only new", "only old", "one old", "one new", "one of each"],
    )
    def test_too_few_of_either_may_not(
        self, reader: Reader, repository: Repository, signers: tuple[str, ...]
    ) -> None:
        plan = replace(repository.plan, root=holders(self.NEW))
        repository.root(2, *signers, plan=plan)
        assert code(reader, repository) == "content_root_refused"

    def test_one_person_with_two_keys_is_refused_whoever_signed(
        self, reader: Reader, repository: Repository
    ) -> None:
        plan = replace(repository.plan, root=holders(("new-1", "new-1/2", "new-2")))
        repository.root(2, *ROOTS, "new-1", "new-1/2", "new-2", plan=plan)
        assert code(reader, repository) == "content_root_refused"

    def test_a_root_out_of_its_turn_is_refused(
        self, reader: Reader, repository: Repository
    ) -> None:
        repository.root(3, *ROOTS)
        repository.files["metadata/2.root.json"] = repository.document(Role.ROOT, 3)
        assert code(reader, repository) == "content_root_refused"

    def test_a_real_trust_never_becomes_a_development_one(
        self, reader: Reader, repository: Repository
    ) -> None:
        repository.root(2, *ROOTS, plan=replace(repository.plan, is_development=True))
        assert code(reader, repository) == "content_root_refused"

    def test_nor_when_it_was_one_at_first(self, tmp_path: Path) -> None:
        repository = honest()
        trial = replace(repository.plan, is_development=True)
        real = repository.plan
        repository.root(1, *ROOTS[:2], plan=trial)
        reader = reader_of(repository, tmp_path / "tuf")
        assert reader.look(repository).is_development
        repository.root(2, *ROOTS[:2], plan=real)
        assert not reader.look(repository).is_development
        repository.root(3, *ROOTS[:2], plan=trial)
        assert code(reader, repository) == "content_root_refused"

    def test_a_hub_that_was_taken_loses_its_keys_by_the_next_root(
        self, reader: Reader, repository: Repository
    ) -> None:
        """Its own timestamps, however high their version, do not keep the next ones out."""
        repository.timestamp(1000)
        reader.look(repository)
        plan = replace(
            repository.plan,
            timestamp=(key("timestamp again").public,),
            snapshot=(key("snapshot again").public,),
        )
        repository.root(2, *ROOTS[:2], plan=plan)
        repository.release(2, NEWER)
        repository.snapshot(2, "snapshot again")
        repository.timestamp(2, "timestamp again")
        assert reader.look(repository).content == NEWER

    def test_new_release_people_need_the_roots_word(
        self, reader: Reader, repository: Repository
    ) -> None:
        people = ("new-rel-1", "new-rel-2")
        repository.release(2, NEWER, signers=people)
        repository.say_current(2)
        assert code(reader, repository) == "content_unsigned"
        repository.root(2, *ROOTS[:2], plan=replace(repository.plan, release=holders(people)))
        assert reader.look(repository).content == NEWER

    def test_an_expired_root_ends_what_is_new(self, reader: Reader, repository: Repository) -> None:
        repository.now_s += YEAR_S
        publish(repository, 2)
        assert code(reader, repository) == "content_expired"


class TestPeople:
    @pytest.mark.parametrize(
        "signers", [RELEASERS[:1], (), ROOTS[:2], ("snapshot", "timestamp"), OPERATORS]
    )
    def test_a_release_needs_two_release_people(
        self, reader: Reader, repository: Repository, signers: tuple[str, ...]
    ) -> None:
        repository.release(2, NEWER, signers=signers)
        repository.say_current(2)
        assert code(reader, repository) == "content_unsigned"

    @pytest.mark.parametrize("signers", [("ada",), ("order", "snapshot"), RELEASERS, ()])
    def test_grants_need_two_operators(
        self, reader: Reader, repository: Repository, signers: tuple[str, ...]
    ) -> None:
        repository.grants(2, signers=signers)
        repository.say_current(2)
        assert code(reader, repository) == "content_unsigned"

    def test_promoted_rules_need_an_operator_and_the_hub(
        self, reader: Reader, repository: Repository
    ) -> None:
        for version, signers in enumerate((("promoted",), ("ada",), ("promoted", "rel-1")), 2):
            repository.promoted(version, {}, *signers)
            repository.say_current(version)
            assert code(reader, repository) == "content_unsigned"
        repository.promoted(9, {}, "ada", "promoted")
        repository.say_current(9)
        assert reader.look(repository).versions[Part.PROMOTED] == 9

    def test_promoted_rules_need_an_operator_of_the_authority(
        self, reader: Reader, repository: Repository
    ) -> None:
        """Whom the delegation lists is not enough: it stays when somebody leaves."""
        repository.release(2, operators=(*OPERATORS, "former"))
        repository.promoted(2, PROMOTED, "former", "promoted")
        repository.say_current(2)
        held = reader.look(repository)
        assert held.versions[Part.PROMOTED] == 2
        assert held.ends[Part.PROMOTED] <= repository.now_s
        assert not PROMOTED.keys() & (held.listed.keys() | held.documents.keys())

    def test_an_operator_who_leaves_ends_their_promoted_rules_and_no_release(
        self, reader: Reader, repository: Repository
    ) -> None:
        repository.promoted(1, PROMOTED, "ada", "promoted")
        repository.say_current(2)
        assert PROMOTED.keys() <= reader.look(repository).documents.keys()
        repository.release(2, NEWER, authority={"people": [orders.person("bea")]})
        repository.say_current(3)
        held = reader.look(repository)
        assert held.content == NEWER
        assert held.versions[Part.PROMOTED] == 1
        assert held.ends[Part.PROMOTED] <= repository.now_s
        assert not PROMOTED.keys() & (held.listed.keys() | held.documents.keys())

    def test_an_operators_key_that_ends_does_the_same(
        self, reader: Reader, repository: Repository
    ) -> None:
        ends_s = repository.now_s + DAY_S // 2
        people = [orders.person("ada", keys=[orders.use("ada", end=ends_s)])]
        repository.release(2, authority={"people": [*people, orders.person("bea")]})
        repository.promoted(1, PROMOTED, "ada", "promoted")
        repository.say_current(2)
        assert PROMOTED.keys() <= reader.look(repository).documents.keys()
        repository.now_s = ends_s
        repository.timestamp(3)
        held = reader.look(repository)
        assert held.ends[Part.PROMOTED] <= ends_s
        assert not PROMOTED.keys() & (held.listed.keys() | held.documents.keys())

    def test_who_grants_may_sign_nothing_else(self, reader: Reader, repository: Repository) -> None:
        repository.grants(2, more={"promoted/l1.anything.yaml": b"id: x\n"})
        repository.say_current(2)
        assert code(reader, repository) == "content_refused"

    def test_a_release_may_not_grant_by_itself(
        self, reader: Reader, repository: Repository
    ) -> None:
        grants = orders.grants(version=9, created=repository.now_s)
        repository.release(2, more={GRANTS_TARGET: strict_json.dumps(grants)})
        repository.say_current(2)
        assert code(reader, repository) == "content_refused"

    def test_no_key_is_for_two_roles(self, reader: Reader, repository: Repository) -> None:
        """The hub's own key may not be an operator's: it could then co-sign its own orders."""
        people = [orders.person("ada"), orders.person("bea", keys=[orders.use("snapshot")])]
        repository.release(2, authority={"people": people})
        repository.say_current(2)
        assert code(reader, repository) == "content_refused"


class TestExpiry:
    """Expiry stops what is new, never what runs."""

    def test_an_expired_release_is_not_taken(self, reader: Reader, repository: Repository) -> None:
        repository.release(2, NEWER)
        repository.now_s += 90 * DAY_S
        repository.say_current(2)
        assert code(reader, repository) == "content_expired"
        assert reader.held is not None
        assert reader.held.content == CONTENT

    def test_an_authority_that_ended_stays_until_a_newer_comes(
        self, reader: Reader, repository: Repository
    ) -> None:
        repository.now_s += 61 * DAY_S
        repository.release(2, NEWER, authority={"version": 1, "created": 0, "expires": 1})
        repository.say_current(2)
        assert code(reader, repository) == "content_refused"
        repository.release(3, NEWER)
        repository.say_current(3)
        assert reader.look(repository).content == NEWER

    def test_a_policy_that_has_ended_is_not_taken(
        self, reader: Reader, repository: Repository
    ) -> None:
        life = {"created": repository.now_s - DAY_S, "expires": repository.now_s}
        repository.release(2, NEWER, policy=life)
        repository.say_current(2)
        assert code(reader, repository) == "content_expired"

    def test_grants_that_ended_stop_orders_and_nothing_else(
        self, reader: Reader, repository: Repository
    ) -> None:
        repository.now_s += 14 * DAY_S
        publish(repository, 2)
        held = reader.look(repository)
        assert held.content == NEWER
        trusted = read_set(held)
        ended = trusted.ended(now_s=repository.now_s)
        assert set(ended) == {Part.GRANTS}
        assert ended[Part.GRANTS] == repository.now_s - 4 * DAY_S
        assert trusted.expires_s > repository.now_s

    def test_a_set_says_since_when_its_parts_have_ended(
        self, reader: Reader, repository: Repository
    ) -> None:
        assert reader.held is not None
        trusted = read_set(reader.held)
        assert not trusted.ended(now_s=repository.now_s)
        later = trusted.ended(now_s=repository.now_s + 8 * DAY_S)
        assert later == {
            Part.TIMESTAMP: repository.now_s + DAY_S,
            Part.SNAPSHOT: repository.now_s + 7 * DAY_S,
        }


class TestRollout:
    def rings(self, canary: str = "s-bbbbbbbbbb") -> dict[str, object]:
        return {
            "rings": [
                {"name": "canary", "after_s": 0, "sites": [canary]},
                {"name": "rest", "after_s": 3600, "sites": "all"},
            ]
        }

    def test_a_later_ring_waits_and_then_takes_it(
        self, reader: Reader, repository: Repository
    ) -> None:
        repository.release(2, NEWER, policy=self.rings())
        repository.say_current(2)
        held = reader.look(repository)
        assert held.content == CONTENT
        assert held.versions[Part.RELEASE] == 2
        assert reader.look(repository, now_s=repository.now_s + 3600).content == NEWER

    def test_a_canary_takes_it_at_once(self, reader: Reader, repository: Repository) -> None:
        repository.release(2, NEWER, policy=self.rings(SITE))
        repository.say_current(2)
        assert reader.look(repository).content == NEWER

    def test_what_a_site_runs_already_needs_no_turn(
        self, reader: Reader, repository: Repository
    ) -> None:
        """The program ships it: then the signed copy is the same, and is kept."""
        reader.runs = content_digest(NEWER)
        repository.release(2, NEWER, policy=self.rings())
        repository.say_current(2)
        assert reader.look(repository).content == NEWER

    def test_a_halted_rollout_stays_where_it_is(
        self, reader: Reader, repository: Repository
    ) -> None:
        halted = {"content": content_digest(NEWER), "started": 1, "is_halted": True}
        repository.release(2, NEWER, policy={"rollout": halted})
        repository.say_current(2)
        assert reader.look(repository, now_s=repository.now_s + 60).content == CONTENT


def test_the_keys_of_these_tests_are_everybodys_own() -> None:
    """Two names with one key would make a threshold pass that must not."""
    names = (*ROOTS, *RELEASERS, *OPERATORS, "snapshot", "timestamp", "promoted", "order", "head")
    assert len({one.public.raw for one in keys_of(names)}) == len(names)

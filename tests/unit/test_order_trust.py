"""Whose signatures count: people by person, grants by people, roots and sets in succession."""

from typing import Any

import pytest

from proto import strict_json
from proto.authority import AuthoritySet, accept_authority
from proto.errors import ConflictError, MalformedError, OsirisError, SignatureError
from proto.grants import GrantSet, Trust, accept_grants
from proto.keys import Holder
from proto.keysets import DAY_S, ROLES, KeySet, Role, TimedKey, require_succession
from tests.unit import order_world as world
from tests.unit.order_world import NOW, key


def keyset(role: Role, *names: str, version: int = 1, people: int = 2, **changes: Any) -> KeySet:  # noqa: ANN401 - any member
    """Return a role's key set; "ada/2" is the second key of ada."""
    keys = tuple(
        TimedKey(Holder(name.partition("/")[0], key(name).public), NOW - DAY_S, NOW + 30 * DAY_S)
        for name in names
    )
    made: dict[str, Any] = {"created": NOW, "expires": NOW + 30 * DAY_S, **changes}
    return KeySet(role, version, keys, people, **made)


def publics(*names: str) -> list[Any]:
    return [key(name).public for name in names]


RELEASE = keyset(Role.RELEASE, "r1", "r2", "r3")


class TestThresholds:
    def test_two_keys_of_one_person_are_one_person(self) -> None:
        kept = keyset(Role.RELEASE, "r1", "r1/2", "r2")
        with pytest.raises(SignatureError) as caught:
            kept.require(publics("r1", "r1/2"), now_s=NOW)
        assert caught.value.code == "people_threshold"
        assert kept.require(publics("r1", "r2"), now_s=NOW) == {"r1", "r2"}

    def test_one_key_listed_twice_is_refused(self) -> None:
        for names in (("r1", "r1", "r2"),):
            with pytest.raises(MalformedError):
                keyset(Role.RELEASE, *names)
        shared = TimedKey(Holder("somebody else", key("r1").public), NOW, NOW + 1)
        with pytest.raises(MalformedError):
            KeySet(Role.RELEASE, 1, (*RELEASE.keys, shared), 2, NOW, NOW + DAY_S)

    def test_one_signature_given_twice_counts_once(self) -> None:
        with pytest.raises(SignatureError):
            RELEASE.require(publics("r1", "r1", "stranger"), now_s=NOW)

    def test_a_key_counts_only_in_its_time(self) -> None:
        for now_s in (NOW - DAY_S - 1, NOW + 30 * DAY_S):
            with pytest.raises(SignatureError):
                RELEASE.require(publics("r1", "r2", "r3"), now_s=now_s)

    @pytest.mark.parametrize("role", [role for role in Role if ROLES[role].people > 1])
    def test_no_set_asks_for_fewer_people_than_its_role(self, role: Role) -> None:
        with pytest.raises(MalformedError):
            keyset(role, "r1", "r2", people=1, expires=NOW + DAY_S)

    @pytest.mark.parametrize("role", list(Role))
    def test_no_set_lives_longer_than_its_role(self, role: Role) -> None:
        life = ROLES[role].life_s
        people = ROLES[role].people
        keyset(role, "r1", "r2", people=people, expires=NOW + life)
        with pytest.raises(MalformedError):
            keyset(role, "r1", "r2", people=people, expires=NOW + life + 1)

    def test_the_table_is_that_of_the_design(self) -> None:
        days = {role.value: ROLES[role].life_s // DAY_S for role in Role}
        assert days == {
            "root": 365,
            "release": 90,
            "grants": 14,
            "promoted": 30,
            "order": 7,
            "operator": 90,
            "snapshot": 7,
            "timestamp": 1,
            "head": 365,
            "log": 365,
            "appliance": 365,
        }
        alone = {
            role.value for role in Role if ROLES[role].people == 1 and not ROLES[role].is_online
        }
        assert alone == {"promoted", "operator"}


class TestSuccession:
    HELD = keyset(Role.ROOT, "o1", "o2", "o3", expires=NOW + 365 * DAY_S)
    NEXT = keyset(Role.ROOT, "n1", "n2", "n3", version=2, expires=NOW + 365 * DAY_S)

    def test_old_and_new_people_together_may_replace_a_root(self) -> None:
        signers = publics("o1", "o3", "n2", "n3")
        require_succession(self.HELD, self.NEXT, signed_by=signers, now_s=NOW)

    @pytest.mark.parametrize(
        "signers",
        [
            ("n1", "n2", "n3"),
            ("o1", "o2", "o3"),
            ("o1", "n1", "n2", "n3"),
            ("o1", "o2", "n1"),
            ("o1", "o1", "n1", "n2"),
            (),
        ],
        ids=["only new", "only old", "one old", "one new", "one old twice", "nobody"],
    )
    def test_too_few_of_either_may_not(self, signers: tuple[str, ...]) -> None:
        with pytest.raises(SignatureError) as caught:
            require_succession(self.HELD, self.NEXT, signed_by=publics(*signers), now_s=NOW)
        assert caught.value.code == "people_threshold"

    def test_a_gap_a_rollback_and_another_role_are_refused(self) -> None:
        everybody = publics("o1", "o2", "o3", "n1", "n2", "n3", "r1", "r2", "r3")
        wide = {"expires": NOW + DAY_S}
        for following in (
            keyset(Role.ROOT, "n1", "n2", "n3", version=3, **wide),
            keyset(Role.ROOT, "n1", "n2", "n3", version=1, **wide),
            keyset(Role.RELEASE, "n1", "n2", "n3", version=2, **wide),
            keyset(Role.ROOT, "n1", "n2", version=2, created=NOW - 1, expires=NOW),
        ):
            with pytest.raises(ConflictError) as caught:
                require_succession(self.HELD, following, signed_by=everybody, now_s=NOW)
            assert caught.value.code == "succession"


def authority_bytes(**changes: Any) -> bytes:  # noqa: ANN401 - JSON
    return strict_json.dumps(world.authority(**changes))


def grants_bytes(*some: dict[str, Any], **changes: Any) -> bytes:  # noqa: ANN401 - JSON
    return strict_json.dumps(world.grants(*some, **changes))


class TestAuthority:
    def test_two_release_holders_make_it_count(self) -> None:
        found = accept_authority(
            authority_bytes(), signed_by=publics("r1", "r3"), release=RELEASE, held=None, now_s=NOW
        )
        assert set(found.people) == {"ada", "bea", "cyd", "dot"}

    @pytest.mark.parametrize("signers", [("r1",), ("r1", "ada"), ("order", "head", "log")])
    def test_one_or_others_do_not(self, signers: tuple[str, ...]) -> None:
        with pytest.raises(SignatureError):
            accept_authority(
                authority_bytes(),
                signed_by=publics(*signers),
                release=RELEASE,
                held=None,
                now_s=NOW,
            )

    def test_an_older_file_and_another_of_the_same_version_are_refused(self) -> None:
        held = world.authority_set(world.authority(version=2))
        for data in (authority_bytes(version=1), authority_bytes(version=2, people=[])):
            with pytest.raises(ConflictError) as caught:
                accept_authority(
                    data, signed_by=publics("r1", "r2"), release=RELEASE, held=held, now_s=NOW
                )
            assert caught.value.code == "succession"

    def test_the_very_same_file_may_come_again(self) -> None:
        held = world.authority_set()
        again = accept_authority(
            authority_bytes(), signed_by=publics("r1", "r2"), release=RELEASE, held=held, now_s=NOW
        )
        assert again == held

    BAD: tuple[tuple[str, dict[str, Any]], ...] = (
        ("true for version 1", {"v": True}),
        ("no version of the schema", {"v": None}),
        ("an unknown member", {"more": 1}),
        ("a person twice", {"people": [world.person("ada"), world.person("ada", keys=[world.use("x")])]}),  # noqa: E501 - one row
        ("one key for two people", {"people": [world.person("ada"), world.person("eva", keys=[world.use("ada")])]}),  # noqa: E501 - one row
        ("a person with the head key", {"people": [world.person("ada", keys=[world.use("head")])]}),
        ("one key for heads and logs", {"log_keys": [world.use("head")]}),
        ("a key for longer than 90 days", {"people": [world.person("ada", keys=[world.use("ada", end=NOW + 91 * DAY_S)])]}),  # noqa: E501 - one row
        ("a file for longer than 90 days", {"expires": NOW + 90 * DAY_S}),
        ("no head key", {"head_keys": []}),
        ("a tier that does not exist", {"people": [world.person("ada", tiers=[4])]}),
        ("sites as a pattern", {"people": [world.person("ada", sites="s-*")]}),
        ("no sites at all", {"people": [world.person("ada", sites=[])]}),
        ("a type that does not exist", {"people": [world.person("ada", types=["shell"])]}),
        ("a name with a space", {"people": [world.person("order key")]}),
        ("a key that is no point", {"people": [world.person("ada", keys=[world.use("ada") | {"key": "A" * 43 + "="}])]}),  # noqa: E501 - one row
    )  # fmt: skip

    @pytest.mark.parametrize(("what", "changes"), BAD, ids=[row[0] for row in BAD])
    def test_a_file_that_does_not_hold_together_is_refused(
        self, what: str, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(OsirisError):
            AuthoritySet.from_bytes(authority_bytes(**changes))
        assert what

    def test_an_expired_file_is_not_taken_up(self) -> None:
        with pytest.raises(MalformedError):
            accept_authority(
                authority_bytes(created=NOW - 60 * DAY_S, expires=NOW),
                signed_by=publics("r1", "r2"),
                release=RELEASE,
                held=None,
                now_s=NOW,
            )

    def test_an_expired_set_of_release_keys_signs_nothing_new(self) -> None:
        over = keyset(Role.RELEASE, "r1", "r2", created=NOW - DAY_S, expires=NOW)
        with pytest.raises(SignatureError):
            accept_authority(
                authority_bytes(), signed_by=publics("r1", "r2"), release=over, held=None, now_s=NOW
            )


class TestGrants:
    AUTHORITY = world.authority_set()

    def accept(self, data: bytes, *signers: str, held: GrantSet | None = None) -> GrantSet:
        return accept_grants(
            data, signed_by=publics(*signers), authority=self.AUTHORITY, held=held, now_s=NOW
        )

    def test_two_operators_make_them_count(self) -> None:
        assert len(self.accept(grants_bytes(), "ada", "bea").by_key) == 1

    @pytest.mark.parametrize(
        "signers",
        [
            ("order", "head", "log", "snapshot", "timestamp"),
            ("ada", "order"),
            ("ada", "ada"),
            ("ada", "dot"),
            ("r1", "r2", "r3"),
        ],
        ids=["online keys", "one and an online key", "one twice", "one and an old key", "release"],
    )
    def test_grants_signed_by_online_keys_or_one_person_do_not_count(
        self, signers: tuple[str, ...]
    ) -> None:
        with pytest.raises(SignatureError) as caught:
            self.accept(grants_bytes(), *signers)
        assert caught.value.code == "people_threshold"

    def test_an_older_file_is_refused(self) -> None:
        held = world.grant_set(world.grants(version=3))
        for data in (grants_bytes(version=2), grants_bytes(version=3, grants=[])):
            with pytest.raises(ConflictError) as caught:
                self.accept(data, "ada", "bea", held=held)
            assert caught.value.code == "succession"

    def test_a_grant_to_a_persons_or_the_hubs_own_key_is_refused(self) -> None:
        """Then the hub could sign as that person, or a person be taken for the hub."""
        for name in ("ada", "head", "log"):
            with pytest.raises(MalformedError):
                self.accept(grants_bytes(world.grant(key=key(name).public.b64())), "ada", "bea")

    BAD: tuple[tuple[str, dict[str, Any]], ...] = (
        ("longer than 7 days", {"not_after": NOW + 6 * DAY_S + 1}),
        ("a life of more than a day", {"ttl_s": DAY_S + 1}),
        ("no life", {"ttl_s": 0}),
        ("without end", {"not_after": None}),
        ("no bound on how many", {"per_hour": 10**6}),
        ("types as a pattern", {"types": "*"}),
        ("no types", {"types": []}),
        ("an unknown member", {"tier": 3}),
    )

    @pytest.mark.parametrize(("what", "changes"), BAD, ids=[row[0] for row in BAD])
    def test_a_grant_that_grants_too_much_is_refused(
        self, what: str, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(MalformedError):
            self.accept(grants_bytes(world.grant(**changes)), "ada", "bea")
        assert what

    def test_a_file_lives_at_most_14_days_and_lists_an_id_once(self) -> None:
        for data in (
            grants_bytes(expires=NOW + 13 * DAY_S + 1),
            grants_bytes(world.grant(), world.grant()),
        ):
            with pytest.raises(MalformedError):
                self.accept(data, "ada", "bea")

    def test_one_key_may_have_several_grants(self) -> None:
        few = world.grant(id="g2", types=["cancel"])
        trust = Trust(self.AUTHORITY, world.grant_set(world.grants(world.grant(), few)))
        assert len(trust.grants.ring.holders) == 1
        assert [one.id for one in trust.grants.by_key[key("order").public.raw]] == ["g1", "g2"]

"""Promoted rules: drafted from what healed, signed by one operator and by the hub's own key."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.promoted import with_promoted
from appliance.core.trusted import read_set
from central.repository import HubRepository, OwnSigning, freshen
from osiris.desk import draft_words, drafting, promoting, publishing, signing
from osiris.desk.promoting import Wish
from proto.catalog.load import load
from proto.errors import ConfigError, ConflictError, RejectedError
from proto.keys import SigningKey
from proto.keysets import DAY_S, ROLES, PeopleError, Role
from proto.rules.matcher import decide
from proto.rules.promoted import promoted_rules
from runtime.repository.documents import Making, add_signatures, described, make_targets
from runtime.repository.layout import Place, digest_of
from tests.e2e.rotating import Served
from tests.fakes.clock import ManualClock
from tests.unit.content_world import Reader
from tests.unit.promoting_world import (
    CHECK,
    PROMOTED,
    RULE,
    RUNBOOK,
    appliances_word,
    greedy,
    narrowed,
    publish,
    told,
)
from tests.unit.release_world import GRANTED, NOW_S, Ceremony

ANY = Wish(when=())
PATH = f"promoted/{PROMOTED}.yaml"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("prepared")
    for name, content in (("narrowed", narrowed()), ("greedy", greedy())):
        publish(Ceremony(directory / name), content)
    return directory


@pytest.fixture
def people(prepared: Path, tmp_path: Path) -> Ceremony:
    shutil.copytree(prepared / "narrowed", tmp_path / "people")
    return Ceremony(tmp_path / "people")


@pytest.fixture
def greedy_people(prepared: Path, tmp_path: Path) -> Ceremony:
    shutil.copytree(prepared / "greedy", tmp_path / "greedy")
    return Ceremony(tmp_path / "greedy")


async def taken_in(people: Ceremony, *, now_s: int = NOW_S) -> str:
    """Let the hub do its half, as its job does it; return what does not hold."""
    clock = ManualClock(now_s * 1000)

    def read_key(name: str) -> SigningKey | None:
        return people.online.get(name)

    repository = HubRepository(people.directory)
    signing_by_hub = OwnSigning(repository, read_key, clock)
    return await freshen(repository, signing_by_hub, now_s=now_s)


def carried(people: Ceremony, *, now_s: int = NOW_S) -> Mapping[Role, int]:
    return publishing.publish(people.folder, Place(people.directory / "incoming"), now_s=now_s)


def drafted(people: Ceremony, wish: Wish = ANY, *, now_s: int = NOW_S) -> promoting.Promotion:
    found = promoting.promotion_of(people.folder, told(), wish)
    promoting.draft_promoted(people.folder, [found], now_s=now_s)
    return found


class TestDrafts:
    def test_a_rule_of_what_healed_does_what_a_release_rule_does_and_comes_after_it(
        self, people: Ceremony
    ) -> None:
        found = promoting.promotion_of(people.folder, told(), ANY)
        (rule,) = promoted_rules({found.path: found.data}).values()
        assert (rule.id, rule.check, rule.runbook_id) == (PROMOTED, CHECK, RUNBOOK)
        assert (rule.is_promoted, found.path) == (True, PATH)
        content = with_promoted(load(narrowed()), {digest_of(found.data): rule})
        acts = {
            value: decide(content.rules, {"check": CHECK, "seen.value": value}).winner
            for value in ("yes", "without-password")
        }
        assert {value: one and one.id for value, one in acts.items()} == {
            "yes": RULE,
            "without-password": PROMOTED,
        }

    def test_what_a_release_rule_does_already_is_refused_with_what_would_act(
        self, people: Ceremony
    ) -> None:
        with pytest.raises(
            ConflictError, match=r"l1\.lin\.ssh\.root_login acts on all of it"
        ) as no:
            promoting.promotion_of(people.folder, told(), Wish())
        assert "What would act: --any" in str(no.value)

    @pytest.mark.parametrize(
        ("changes", "wish"),
        [
            ({"runbook": "rb.lin.ssh.other"}, ANY),
            ({"runbook": "rb.lin.ssh.other", "rule": "order:abcd"}, Wish()),
        ],
        ids=["another runbook", "another runbook, by an order"],
    )
    def test_what_would_widen_is_refused_in_the_appliances_own_words(
        self, people: Ceremony, changes: dict[str, str], wish: Wish
    ) -> None:
        with pytest.raises(RejectedError) as refused:
            promoting.promotion_of(people.folder, told(**changes), wish)
        (rule,) = promoted_rules({PATH: _file_of(wish)}).values()
        word = appliances_word(replace(rule, runbook_id=changes["runbook"]), narrowed())
        assert (refused.value.code, str(refused.value)) == word
        assert refused.value.code == "rule_widens"

    def test_what_would_outrank_is_refused_in_the_appliances_own_words(
        self, greedy_people: Ceremony
    ) -> None:
        wish = Wish(when=("value",))
        with pytest.raises(RejectedError) as refused:
            promoting.promotion_of(greedy_people.folder, told(), wish)
        (rule,) = promoted_rules({PATH: _file_of(wish)}).values()
        assert (refused.value.code, str(refused.value)) == appliances_word(rule, greedy())
        assert refused.value.code == "rule_outranks"

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"result": "undone"}, "was undone"),
            ({"result": "unknown"}, "was unknown"),
            ({"proved": False}, "is not proved yet"),
        ],
    )
    def test_only_what_healed_and_is_proved_is_promoted(
        self, people: Ceremony, changes: dict[str, object], why: str
    ) -> None:
        with pytest.raises(ConflictError, match=why):
            promoting.promotion_of(people.folder, told(**changes), ANY)

    @pytest.mark.parametrize(
        ("changes", "wish", "why"),
        [
            ({"seen": None}, Wish(), "say --any"),
            ({}, Wish(when=("colour",)), "--when colour: the check reported value"),
            ({}, Wish(when=(), like="l1.other.rule"), "--like l1.other.rule: no release rule"),
            ({"check": "lin.ssh.unknown"}, ANY, "has no such check"),
        ],
    )
    def test_what_cannot_be_told_is_said(
        self, people: Ceremony, changes: dict[str, object], wish: Wish, why: str
    ) -> None:
        with pytest.raises(ConfigError, match=why):
            promoting.promotion_of(people.folder, told(**changes), wish)


def _file_of(wish: Wish) -> bytes:
    """Return the file of a rule with these conditions, whatever it would act on."""
    seen = {"value": "yes"} if wish.when is None or "value" in wish.when else {}
    return promoting.rule_text(PROMOTED, told(), wish, params={}, seen=seen)


class TestSigned:
    async def test_one_operator_signs_the_hub_signs_its_half_and_an_appliance_lists_it(
        self, people: Ceremony, tmp_path: Path
    ) -> None:
        found = drafted(people)
        words = draft_words.in_words(
            people.folder, signing.read_draft(people.folder, Role.PROMOTED), now_s=NOW_S
        )
        shown = "\n".join(words)
        assert all(line in shown for line in found.data.decode().splitlines())
        (standing,) = signing.standings(people.folder)
        assert (standing.role, standing.needs) == (Role.PROMOTED, 1)
        people.sign("cy")
        assert carried(people)[Role.PROMOTED] == 1
        assert await taken_in(people) == ""
        first_root = people.served.read(Role.ROOT, 1)
        held = Reader(tmp_path / "tuf", first_root).look(Served(people.served.directory, NOW_S))  # type: ignore[arg-type]
        trusted = read_set(held)
        assert {rule.id for rule in trusted.promoted.values()} == {PROMOTED}
        assert digest_of(found.data) in trusted.files

    async def test_nobodys_and_the_hubs_own_word_alone_promote_nothing(
        self, people: Ceremony
    ) -> None:
        found = drafted(people)
        with pytest.raises(ConfigError, match="promoted 1: 1 more must sign"):
            carried(people)
        incoming = Place(people.directory / "incoming")
        document = people.folder.draft.read(Role.PROMOTED, 1)
        incoming.write_target(found.path, found.data)
        incoming.write(Role.PROMOTED, 1, add_signatures(document, [people.online["promoted"]]))
        assert "signed by 0 people" in await taken_in(people)
        assert not people.served.newest(Role.PROMOTED)

    async def test_the_hub_does_not_sign_what_an_appliance_would_refuse_and_goes_on(
        self, people: Ceremony
    ) -> None:
        """An operator's key was stolen: what it alone signs is held against the limits here too."""
        drafted(people)
        data = _file_of(ANY).replace(RUNBOOK.encode(), b"rb.lin.ssh.other")
        document = make_targets(
            {PATH: described(PATH, data)}, Making.of(Role.PROMOTED, 1, now_s=NOW_S)
        )
        incoming = Place(people.directory / "incoming")
        incoming.write_target(PATH, data)
        operator = people.keys[Role.OPERATOR, "ada"]
        incoming.write(Role.PROMOTED, 1, add_signatures(document, [operator]))
        before = people.served.read(Role.TIMESTAMP, 0)
        later_s = NOW_S + DAY_S // 2
        assert "rb.lin.ssh.other does not verify" in await taken_in(people, now_s=later_s)
        assert not people.served.newest(Role.PROMOTED)
        assert people.served.read(Role.TIMESTAMP, 0) != before, "what is current stays fresh"
        people.folder.draft.metadata(Role.PROMOTED, 1).unlink()
        drafting.draft_release(people.folder, None, now_s=later_s)
        drafting.draft_grants(people.folder, GRANTED, now_s=later_s)
        people.sign("ada", "bo")
        carried(people, now_s=later_s)
        assert "rb.lin.ssh.other does not verify" in await taken_in(people, now_s=later_s)
        newest = {role: people.served.newest(role) for role in (Role.RELEASE, Role.GRANTS)}
        assert set(newest.values()) == {2}, "release and grants do not wait for refused rules"
        assert not people.served.newest(Role.PROMOTED)
        assert [name for name, _ in HubRepository(people.directory).waiting()] == [
            incoming.metadata(Role.PROMOTED, 1).name
        ]

    async def test_rules_signed_with_a_key_that_ended_reach_no_appliance_and_cost_none_its_rules(
        self, people: Ceremony
    ) -> None:
        drafting.draft_release(people.folder, None, now_s=NOW_S + 60)
        people.sign("ada", "bo")
        carried(people, now_s=NOW_S + 60)
        assert await taken_in(people, now_s=NOW_S + 60) == ""
        ended_s = NOW_S + ROLES[Role.OPERATOR].life_s
        found = drafted(people, now_s=ended_s)
        people.sign("cy")
        with pytest.raises(PeopleError, match=r"cy's key .* until"):
            carried(people, now_s=ended_s)
        incoming = Place(people.directory / "incoming")
        incoming.write_target(found.path, found.data)
        incoming.write(Role.PROMOTED, 1, people.folder.draft.read(Role.PROMOTED, 1))
        assert "signed by no operator whose key counts" in await taken_in(people, now_s=ended_s)
        assert not people.served.newest(Role.PROMOTED)

    async def test_what_was_published_before_is_kept_and_published_again_with_the_next_release(
        self, people: Ceremony
    ) -> None:
        drafted(people)
        people.sign("cy")
        carried(people)
        assert await taken_in(people) == ""
        served = people.served.read(Role.PROMOTED, 1)
        drafting.draft_release(people.folder, None, now_s=NOW_S + 60)
        people.sign("ada", "bo")
        assert carried(people, now_s=NOW_S + 60)[Role.PROMOTED] == 1
        assert await taken_in(people, now_s=NOW_S + 60) == ""
        assert people.served.newest(Role.RELEASE) == 2
        assert people.served.read(Role.PROMOTED, 1) == served

    async def test_what_the_hub_countersigned_and_has_not_taken_in_is_published_over(
        self, people: Ceremony
    ) -> None:
        drafted(people)
        people.sign("cy")
        carried(people)
        incoming = Place(people.directory / "incoming")
        path = incoming.metadata(Role.PROMOTED, 1)
        path.write_bytes(add_signatures(path.read_bytes(), [people.online["promoted"]]))
        countersigned = path.read_bytes()
        assert carried(people)[Role.PROMOTED] == 1
        assert path.read_bytes() == countersigned

    async def test_a_second_rule_stands_beside_the_first_that_was_not_published_yet(
        self, people: Ceremony
    ) -> None:
        found = drafted(people)
        path = PATH.replace("aaaaaaaaaa", "bbbbbbbbbb")
        data = found.data.replace(b"i_aaaaaaaaaa", b"i_bbbbbbbbbb")
        second = promoting.Promotion(path.split("/")[-1].removesuffix(".yaml"), path, data)
        assert promoting.draft_promoted(people.folder, [second], now_s=NOW_S) == 1
        words = people.words(Role.PROMOTED)
        assert {f"  rule {PATH}", f"  rule {path}"} <= set(words)
        with pytest.raises(ConflictError, match="promoted 1: is drafted"):
            promoting.draft_promoted(people.folder, (), now_s=NOW_S)
        people.sign("cy")
        carried(people)
        promoting.draft_promoted(people.folder, (), drop=[found.rule], now_s=NOW_S)
        assert f"  - rule {PATH}: no longer" in people.words(Role.PROMOTED)

    async def test_rules_are_renewed_and_dropped_by_name(self, people: Ceremony) -> None:
        drafted(people)
        people.sign("cy")
        carried(people)
        assert await taken_in(people) == ""
        later_s = NOW_S + 20 * DAY_S
        assert promoting.draft_promoted(people.folder, (), now_s=later_s) == 2
        assert set(promoting.published_rules(people.folder)) == {PATH}
        with pytest.raises(ConfigError, match=r"no such rule was promoted; there is l1\.p\."):
            promoting.draft_promoted(people.folder, (), drop=["l1.p.x"], now_s=later_s)
        promoting.draft_promoted(people.folder, (), drop=[PROMOTED], now_s=later_s)
        words = draft_words.in_words(
            people.folder, signing.read_draft(people.folder, Role.PROMOTED), now_s=later_s
        )
        assert "  no rule: every promoted one stops acting" in words

    async def test_another_promoted_key_signs_once_a_release_names_it(
        self, people: Ceremony
    ) -> None:
        people.online["promoted"] = people.key()
        drafted(people)
        people.sign("cy")
        carried(people)
        assert "does not name this hub's promoted key" in await taken_in(people)
        people.tell_hub_keys()
        drafting.draft_release(people.folder, None, now_s=NOW_S + 60)
        people.sign("ada", "bo")
        carried(people, now_s=NOW_S + 60)
        assert await taken_in(people, now_s=NOW_S + 60) == ""
        assert people.served.newest(Role.PROMOTED) == 1

"""The release folder: people draft, read and sign on their own machines, and publish together."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from osiris.desk import ceremony_cli, drafting, publishing, review, signing
from osiris.desk.content_cli import content as content_verbs
from osiris.desk.folder import Card, Folder
from osiris.desk.kept_trust import read_kept
from osiris.desk.place import Desk
from osiris.desk.take_trust import take_trust
from proto.errors import ConfigError, MalformedError, NotFoundError
from proto.keysets import DAY_S, Role, SuccessionError
from proto.policy import Turn
from runtime import keyfile
from runtime.keyfile import PassphraseError
from runtime.repository.layout import Place
from tests.unit.release_world import CONTENT, GRANTED, NOW_S, PEOPLE, Ceremony

CHECK = "checks/linux/lin.ssh.root_login.yaml"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return two directories of files: a first draft, and the same published."""
    directory = tmp_path_factory.mktemp("prepared")
    made = Ceremony(directory / "published")
    made.draft()
    shutil.copytree(directory / "published", directory / "drafted")
    made.sign("ada", "bo")
    assert not made.publish().problem
    return directory


@pytest.fixture
def drafted(prepared: Path, tmp_path: Path) -> Ceremony:
    shutil.copytree(prepared / "drafted", tmp_path, dirs_exist_ok=True)
    return Ceremony(tmp_path)


@pytest.fixture
def published(prepared: Path, tmp_path: Path) -> Ceremony:
    shutil.copytree(prepared / "published", tmp_path, dirs_exist_ok=True)
    return Ceremony(tmp_path)


def test_a_ceremony_of_three_ends_in_a_repository_of_people(published: Ceremony) -> None:
    found = published.take_in()
    assert (found.root, found.snapshot, found.problem) == (1, 1, "")
    assert not signing.standings(published.folder), "nothing waits any more"
    states = {
        row["document"]: row["state"] for row in review.published(published.folder, now_s=NOW_S)
    }
    assert states == {"root": "published", "release": "published", "grants": "published"}


def test_nothing_is_published_before_two_signed(drafted: Ceremony) -> None:
    drafted.sign("ada")
    needs = {one.role: (one.needs, one.missing) for one in signing.standings(drafted.folder)}
    assert set(needs.values()) == {(1, ("bo", "cy"))}
    with pytest.raises(ConfigError, match="root 1: 1 more must sign it; who may: bo, cy"):
        drafted.publish()
    assert not (drafted.directory / "incoming").exists()


def test_a_person_signs_once_and_strangers_nothing(drafted: Ceremony) -> None:
    drafted.sign("ada")
    drafted.sign("ada")
    assert {one.needs for one in signing.standings(drafted.folder)} == {1}
    assert signing.signable(drafted.folder, drafted.key().public) == ()


def test_a_person_with_a_second_card_under_another_name_is_one_key_twice(tmp_path: Path) -> None:
    made = Ceremony(tmp_path)
    again = Card.of("mallory", Role.ROOT, made.keys[Role.ROOT, "ada"], created_s=NOW_S)
    made.folder.put_card(again)
    with pytest.raises(MalformedError, match="one key is listed for 'ada' and again for 'mallory'"):
        drafting.draft_root(made.folder, now_s=NOW_S)


def test_a_card_that_its_own_key_did_not_sign_is_refused(tmp_path: Path) -> None:
    made = Ceremony(tmp_path)
    path = tmp_path / "release" / "people" / "ada.root.json"
    path.write_bytes(path.read_bytes().replace(b'"created":17', b'"created":18'))
    with pytest.raises(ConfigError, match="its own key has not signed it"):
        made.folder.holders(Role.ROOT)
    shutil.copyfile(path.with_name("bo.root.json"), path)
    with pytest.raises(ConfigError, match="is the card of bo for root"):
        made.folder.holders(Role.ROOT)


def test_two_people_are_too_few_for_a_root(tmp_path: Path) -> None:
    made = Ceremony(tmp_path)
    (tmp_path / "release" / "people" / "cy.root.json").unlink()
    with pytest.raises(ConfigError, match="2 people have a root card; at least 3"):
        drafting.draft_root(made.folder, now_s=NOW_S)


def test_what_is_signed_is_told_in_words(drafted: Ceremony) -> None:
    root = "\n".join(drafted.words(Role.ROOT))
    for (role, person), key in drafted.keys.items():
        if role is not Role.OPERATOR:
            assert f"{person}, key {key.public.fingerprint()}" in root
    release = "\n".join(drafted.words(Role.RELEASE))
    assert "operator ada: tiers 0, 1, 2, 3; sites all" in release
    assert "ring 0 all: after 0 s, sites all" in release
    assert "ring 0 all: a change that one operator signed runs AT ONCE" in release
    grants = "\n".join(drafted.words(Role.GRANTS))
    assert drafted.online["order"].public.fingerprint() in grants


def test_a_release_tells_what_changes(published: Ceremony) -> None:
    changed = {**CONTENT, CHECK: CONTENT[CHECK] + b"# reworded\n"}
    drafting.draft_release(published.folder, changed, agents={"agent.exe": b"MZ"}, now_s=NOW_S + 60)
    words = published.words(Role.RELEASE)
    assert f"  ~ content/{CHECK}" in words
    assert "  + agents/agent.exe" in words
    assert not [line for line in words if line.startswith(("  - content/", "  - agents/"))]


def test_an_agents_file_is_carried_and_must_be_what_was_signed(published: Ceremony) -> None:
    drafting.draft_release(published.folder, None, agents={"agent.exe": b"MZ"}, now_s=NOW_S + 60)
    published.sign("ada", "bo")
    publishing.publish(published.folder, Place(published.directory / "incoming"), now_s=NOW_S + 60)
    file = next((published.directory / "incoming" / "targets" / "agents").iterdir())
    file.write_bytes(b"MZ, and something else")
    assert "holds other bytes than its name says" in published.take_in(now_s=NOW_S + 60).problem
    file.unlink()
    assert "there is no such file" in published.take_in(now_s=NOW_S + 60).problem
    file.write_bytes(b"MZ")
    assert not published.take_in(now_s=NOW_S + 60).problem
    assert (
        published.served.target("agents/agent.exe", file.name.split(".")[0]).read_bytes() == b"MZ"
    )
    drafting.draft_release(published.folder, None, now_s=NOW_S + 120)
    assert "  no file is added, changed or taken away" in published.words(Role.RELEASE)


def test_a_rollout_halts_and_goes_on_by_signed_releases_alone(published: Ceremony) -> None:
    drafting.draft_release(published.folder, None, rollout=drafting.Rollout.HALT, now_s=NOW_S + 60)
    assert any("HALTED" in line for line in published.words(Role.RELEASE))
    published.sign("bo", "cy")
    assert not published.publish(now_s=NOW_S + 60).problem
    policy = drafting.current_policy(published.folder)
    assert policy is not None
    site = "s-aaaaaaaaaa"
    assert policy.turn(site, content=policy.rollout.content, now_s=NOW_S + 90) is Turn.HALTED
    assert "halted" in review.rings(published.folder, now_s=NOW_S + 90)["state"]
    drafting.draft_release(published.folder, None, now_s=NOW_S + 120)
    assert any("HALTED" in line for line in published.words(Role.RELEASE)), (
        "another release of the same content does not end a halt"
    )
    drafting.draft_release(
        published.folder, None, rollout=drafting.Rollout.START, now_s=NOW_S + 120
    )
    published.sign("ada", "cy")
    assert not published.publish(now_s=NOW_S + 120).problem
    policy = drafting.current_policy(published.folder)
    assert policy is not None
    assert policy.turn(site, content=policy.rollout.content, now_s=NOW_S + 120) is Turn.NOW


def test_rings_are_what_people_decided(published: Ceremony) -> None:
    file = published.folder.decisions_file
    ring = '[[ring]]\nname = "canary"\nafter_s = 0\nsites = ["s-aaaaaaaaaa"]\n\n[[ring]]'
    text = file.read_text().replace("\n[[ring]]", f"\n{ring}", 1)
    file.write_text(text.replace('name = "all"\nafter_s = 0', 'name = "all"\nafter_s = 7200'))
    drafting.draft_release(published.folder, None, now_s=NOW_S + 60)
    words = published.words(Role.RELEASE)
    assert "  + ring 0 canary: after 0 s, sites s-aaaaaaaaaa" in words
    assert "  + ring 1 all: after 7200 s, sites all" in words
    assert "  + ring 1 all: a change that one operator signed runs after 2 h" in words


def test_an_operators_reach_is_what_people_decided(published: Ceremony) -> None:
    file = published.folder.decisions_file
    before, ada = file.read_text().split('[operators."ada"]')
    limited = ada.replace("tiers = [0, 1, 2, 3]", "tiers = [2]", 1)
    file.write_text(f'{before}[operators."ada"]{limited}')
    drafting.draft_release(published.folder, None, now_s=NOW_S + 60)
    words = "\n".join(published.words(Role.RELEASE))
    assert "operator ada: tiers 2; sites all" in words
    assert "operator bo: tiers 0, 1, 2, 3; sites all" in words


def test_root_and_release_people_change_with_both_sets_signing(published: Ceremony) -> None:
    (published.directory / "release" / "people" / "ada.root.json").unlink()
    (published.directory / "release" / "people" / "ada.release.json").unlink()
    former = {role: published.keys.pop((role, "ada")) for role in (Role.ROOT, Role.RELEASE)}
    for role in former:
        published.join(role, "di")
    now_s = NOW_S + 30 * DAY_S
    drafting.draft_root(published.folder, now_s=now_s)
    words = "\n".join(published.words(Role.ROOT))
    assert f"- ada, key {former[Role.ROOT].public.fingerprint()}: no longer" in words
    drafting.draft_release(published.folder, None, now_s=now_s)
    published.sign("di", "cy")
    needs = {one.role: one.needs for one in signing.standings(published.folder)}
    assert needs == {Role.ROOT: 1, Role.RELEASE: 1}, "one of the people before is missing"
    published.sign("bo")
    found = published.publish(now_s=now_s)
    assert (found.root, found.problem) == (2, "")


def test_the_hubs_new_keys_are_listed_beside_the_former_ones_once(published: Ceremony) -> None:
    former = published.online["timestamp"]
    published.online["timestamp"] = published.key()
    published.tell_hub_keys()
    published.online["timestamp"], following = former, published.online["timestamp"]
    drafting.draft_root(published.folder, now_s=NOW_S + 60)
    published.sign("ada", "bo")
    assert not published.publish(now_s=NOW_S + 60).problem
    published.online["timestamp"] = following
    assert not published.take_in(now_s=NOW_S + DAY_S).problem
    drafting.draft_root(published.folder, now_s=NOW_S + DAY_S)
    published.sign("ada", "bo")
    found = published.publish(now_s=NOW_S + DAY_S)
    assert (found.root, found.problem) == (3, "")


def test_a_draft_that_was_changed_after_signing_is_refused(drafted: Ceremony) -> None:
    drafted.sign("ada")
    path = drafted.folder.draft.metadata(Role.RELEASE, 1)
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":2'))
    with pytest.raises(MalformedError, match="the signature of ada is not over this text"):
        signing.standings(drafted.folder)


def test_publishing_again_after_a_cut_goes_on(drafted: Ceremony) -> None:
    drafted.sign("ada", "bo")
    incoming = drafted.directory / "incoming"
    publishing.publish(drafted.folder, Place(incoming), now_s=NOW_S)
    # The copy to another machine was cut: documents came, a file did not.
    next((incoming / "targets" / "grants").iterdir()).unlink()
    with pytest.raises(NotFoundError, match="there is no such file"):
        drafted.take_in()
    assert not drafted.publish().problem
    assert not drafted.publish().problem, "what the hub has already may come again"


def test_with_nothing_drafted_and_nothing_published_there_is_nothing_to_carry(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigError, match="nothing is drafted and nothing was published"):
        Ceremony(tmp_path).publish()


def test_the_command_line_signs_what_a_desk_has_keys_for(drafted: Ceremony, tmp_path: Path) -> None:
    desk = tmp_path / "desk"
    desk.mkdir(mode=0o700)
    made = keyfile.make(
        desk / "release.key",
        person="di",
        role=Role.RELEASE,
        passphrase=None,
        now_s=NOW_S,
        entropy=drafted.entropy,
    )
    place = str(drafted.folder.directory)
    refused = CliRunner().invoke(content_verbs, ["sign", "--folder", place, "--desk", str(desk)])
    assert isinstance(refused.exception, ConfigError)
    card = Card.of("di", Role.RELEASE, made.open(None), created_s=NOW_S)
    drafted.folder.put_card(card)
    drafting.draft_root(drafted.folder, now_s=NOW_S)
    arguments = ["sign", "--folder", place, "--desk", str(desk)]
    unsure = CliRunner().invoke(content_verbs, arguments, input="yes\n")
    assert isinstance(unsure.exception, ConfigError), "only the word signs"
    done = CliRunner().invoke(content_verbs, arguments, input="sign\n")
    assert done.exit_code == 0, done.output
    assert "operator ada" in done.stdout
    standing = {one.role: one.signed for one in signing.standings(drafted.folder)}
    assert standing == {Role.ROOT: (), Role.RELEASE: ("di",), Role.GRANTS: ()}


def test_a_desk_takes_authority_and_grants_that_hold_and_never_older_ones(
    published: Ceremony, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "desk")
    told = take_trust(published.folder.repository, desk, now_s=NOW_S)
    assert (told["trust"], told["operators"]) == ("people", list(PEOPLE))
    trust = desk.trust()
    assert trust is not None
    assert set(trust.authority.people) == set(PEOPLE)
    older = tmp_path / "older"
    shutil.copytree(published.folder.repository.directory, older)
    drafting.draft_release(published.folder, None, now_s=NOW_S + 60)
    published.sign("ada", "bo")
    assert not published.publish(now_s=NOW_S + 60).problem
    assert take_trust(published.folder.repository, desk, now_s=NOW_S + 60)["release"] == 2
    with pytest.raises(SuccessionError, match="version 1 does not follow 2"):
        take_trust(Place(older), desk, now_s=NOW_S + 60)
    again = desk.trust()
    assert again is not None
    assert again.authority.document.version == 2


def test_a_desk_keeps_every_version_that_it_took(published: Ceremony, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk")
    for version in (1, 2, 3):
        now_s = NOW_S + version * DAY_S
        take_trust(published.folder.repository, desk, now_s=now_s)
        drafting.draft_grants(published.folder, GRANTED, now_s=now_s)
        published.sign("ada", "bo")
        assert not published.publish(now_s=now_s).problem
    kept = read_kept(desk)
    assert kept is not None
    assert [one.document.version for one in kept.grants] == [1, 2, 3]
    assert [one.document.version for one in kept.authorities] == [1]
    first, second, third = (one.document.created for one in kept.grants)
    newest = [kept.at(when)[0].grants.document.version for when in (first, second, third)]
    assert newest == [1, 2, 3]
    assert kept.at(first - 1)[0].grants.document.version == 1, "the nearest there is"


def test_a_persons_key_is_sealed_on_their_own_machine_and_only_its_card_is_passed_on(
    tmp_path: Path,
) -> None:
    desk, place = tmp_path / "desk", tmp_path / "release"
    arguments = ["key", "ada", "--role", "root", "--desk", str(desk), "--folder", str(place)]

    def run(passphrase: str) -> Result:
        return CliRunner().invoke(ceremony_cli.ceremony, arguments, input=f"{passphrase}\n")

    assert isinstance(run("short").exception, PassphraseError)
    assert run("correct horse battery").exit_code == 0
    made = keyfile.read(desk / "root.key")
    assert (made.is_sealed, (desk / "root.key").stat().st_mode & 0o777) == (True, 0o600)
    (holder,) = Folder(place).holders(Role.ROOT)
    assert (holder.person, holder.key) == ("ada", made.public)
    assert [path.name for path in place.rglob("*") if path.is_file()] == ["ada.root.json"]
    assert isinstance(run("another horse entirely").exception, PassphraseError)


def test_the_next_step_is_told_from_the_first_to_the_last(tmp_path: Path) -> None:
    empty = Folder(tmp_path / "empty")
    empty.make()
    assert "ceremony begin" in ceremony_cli.next_step(empty)
    made = Ceremony(tmp_path / "made")
    (made.folder.directory / "people" / "cy.root.json").unlink()
    assert ceremony_cli.next_step(made.folder).startswith("1 more person makes a key")
    made.join(Role.ROOT, "cy")
    steps = []
    for act in (
        lambda: drafting.draft_root(made.folder, now_s=NOW_S),
        lambda: drafting.draft_release(made.folder, CONTENT, now_s=NOW_S),
        lambda: drafting.draft_grants(made.folder, GRANTED, now_s=NOW_S),
        lambda: made.sign("ada", "bo"),
        made.publish,
    ):
        steps.append(ceremony_cli.next_step(made.folder))
        act()
    steps.append(ceremony_cli.next_step(made.folder))
    assert [step.split(",")[0].split(" --")[0] for step in steps] == [
        "osiris hub ceremony root",
        "osiris content build",
        "osiris content grant",
        "osiris content sign",
        "osiris content publish",
        "nothing: everything was published; on the hub: osiris hub init",
    ]

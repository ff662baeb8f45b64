"""What a person is told before they sign: all of it, what changes, and what is signed then."""

import shutil
from pathlib import Path

import pytest

from osiris.desk import drafting, signing
from proto.errors import ConfigError
from proto.keys import SigningKey
from proto.keysets import Role
from runtime.repository.documents import Making, add_signatures, described, make_targets, parse
from tests.unit.release_world import CONTENT, NOW_S, Ceremony

CHECK = "checks/linux/lin.ssh.root_login.yaml"
MANY = 60


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a first publication."""
    return Ceremony(tmp_path_factory.mktemp("prepared")).publish_first()


@pytest.fixture
def published(prepared: Path, tmp_path: Path) -> Ceremony:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return Ceremony(tmp_path)


def draft_other(made: Ceremony, *, now_s: int = NOW_S + 60) -> None:
    """Draft a release in which one check has other words."""
    changed = {**CONTENT, CHECK: CONTENT[CHECK] + b"# reworded\n"}
    drafting.draft_release(made.folder, changed, now_s=now_s)


def signed_by(made: Ceremony, role: Role) -> tuple[str, ...]:
    """Return who has signed a draft."""
    (found,) = [one for one in signing.standings(made.folder) if one.role is role]
    return found.signed


def test_a_draft_that_is_swapped_while_it_is_read_is_not_signed(published: Ceremony) -> None:
    drafting.draft_release(published.folder, None, now_s=NOW_S + 60)
    read = signing.read_draft(published.folder, Role.RELEASE)
    draft_other(published)
    key = published.keys[Role.RELEASE, "ada"]
    with pytest.raises(signing.DraftChangedError, match="read it again"):
        signing.sign(published.folder, [read], key)
    assert signed_by(published, Role.RELEASE) == ()


def test_a_draft_that_is_gone_by_now_is_not_signed(published: Ceremony) -> None:
    drafting.draft_release(published.folder, None, now_s=NOW_S + 60)
    read = signing.read_draft(published.folder, Role.RELEASE)
    published.folder.draft.metadata(Role.RELEASE, read.version).unlink()
    with pytest.raises(signing.DraftChangedError):
        signing.sign(published.folder, [read], published.keys[Role.RELEASE, "ada"])


def test_what_another_person_signs_meanwhile_stays(published: Ceremony) -> None:
    drafting.draft_release(published.folder, None, now_s=NOW_S + 60)
    read = signing.read_draft(published.folder, Role.RELEASE)
    published.sign("bo")
    signing.sign(published.folder, [read], published.keys[Role.RELEASE, "ada"])
    assert signed_by(published, Role.RELEASE) == ("ada", "bo")


def test_every_file_that_changes_is_shown(published: Ceremony) -> None:
    agents = {f"agent-{number}.exe": b"MZ" for number in range(MANY)}
    drafting.draft_release(published.folder, None, agents=agents, now_s=NOW_S + 60)
    words = published.words(Role.RELEASE)
    assert {f"  + agents/{name}" for name in agents} <= set(words)


def test_the_first_release_shows_every_file(tmp_path: Path) -> None:
    made = Ceremony(tmp_path)
    made.draft()
    words = made.words(Role.RELEASE)
    assert {f"    content/{path}" for path in CONTENT} <= set(words)
    assert "  the first release: all of it is new" in words


def test_every_key_that_a_release_lists_is_shown_and_a_new_one_is_marked(
    published: Ceremony,
) -> None:
    former = {name: published.online[name].public for name in ("promoted", "head", "log")}
    drafting.draft_release(published.folder, None, now_s=NOW_S + 60)
    for key in former.values():
        assert sum(key.fingerprint() in line for line in published.words(Role.RELEASE)) == 1
    published.online["promoted"] = published.key()
    published.tell_hub_keys()
    drafting.draft_release(published.folder, None, now_s=NOW_S + 60)
    words = published.words(Role.RELEASE)
    following = published.online["promoted"].public.fingerprint()
    assert f"  + the hub's promoted rules: key {following}" in words
    gone = former["promoted"].fingerprint()
    assert f"  - the hub's promoted rules: key {gone}: no longer" in words


def test_an_operator_who_may_sign_more_than_before_is_marked(published: Ceremony) -> None:
    file = published.folder.decisions_file
    before, ada = file.read_text().split('[operators."ada"]')
    limited = ada.replace("tiers = [0, 1, 2, 3]", "tiers = [2]", 1)
    file.write_text(f'{before}[operators."ada"]{limited}')
    drafting.draft_release(published.folder, None, now_s=NOW_S + 60)
    words = published.words(Role.RELEASE)
    assert "  + operator ada: tiers 2; sites all" in words
    assert "  - operator ada: tiers 0, 1, 2, 3; sites all: no longer" in words
    assert "    operator bo: tiers 0, 1, 2, 3; sites all" in words


def forged(made: Ceremony, *keys: SigningKey) -> None:
    """Put the draft in as what is published, so that nothing seems to change; these keys sign."""
    place, version = made.folder.repository, made.folder.repository.newest(Role.RELEASE)
    document = parse(made.folder.draft.read(Role.RELEASE, version + 1), "draft")
    document.signed.version = version
    document.signatures.clear()
    place.metadata(Role.RELEASE, version).unlink()
    place.write(Role.RELEASE, version, add_signatures(document.to_bytes(), keys))
    for file in (made.folder.draft.directory / "targets").rglob("*"):
        if file.is_file():
            path = file.relative_to(made.folder.draft.directory)
            (place.directory / path.parent).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place.directory / path)


def test_what_its_people_did_not_sign_is_no_former_state(published: Ceremony) -> None:
    draft_other(published)
    assert f"  ~ content/{CHECK}" in published.words(Role.RELEASE)
    forged(published, published.keys[Role.RELEASE, "ada"], published.key())
    words = published.words(Role.RELEASE)
    why = "release: signed by 1 people, 2 must"
    assert f"  CANNOT BE COMPARED with what is published: {why}" in words
    assert "  no file is added, changed or taken away" not in words
    assert f"    content/{CHECK}" in words


def test_a_root_that_no_root_carries_is_no_former_state(published: Ceremony) -> None:
    drafting.draft_root(published.folder, now_s=NOW_S + 60)
    shown = "\n".join(published.words(Role.ROOT, now_s=NOW_S + 60))
    assert "compared with root 1" in shown
    file = published.folder.repository.metadata(Role.ROOT, 1)
    document = parse(file.read_bytes(), "root")
    document.signatures.popitem()
    file.write_bytes(document.to_bytes())
    shown = "\n".join(published.words(Role.ROOT, now_s=NOW_S + 60))
    assert "CANNOT BE COMPARED with what is published: root: signed by 1 people, 2 must" in shown


def test_a_files_name_cannot_pass_for_a_line(published: Ceremony) -> None:
    path = "agents/a.exe\n  no file is added, changed or taken away"
    version = published.folder.repository.newest(Role.RELEASE) + 1
    document = make_targets(
        {path: described(path, b"MZ")}, Making.of(Role.RELEASE, version, now_s=NOW_S)
    )
    published.folder.draft.write(Role.RELEASE, version, document)
    with pytest.raises(ConfigError, match="no target can have this path"):
        published.words(Role.RELEASE)

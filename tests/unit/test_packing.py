"""A hub's content in one file: what is current, whole, and nothing of what was."""

import re
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.core.trusted import Carrier, SignedSet
from appliance.shell.content_source import FileSource
from appliance.shell.content_verify import Asked, verify
from osiris.desk import drafting, packing
from osiris.desk.content_cli import content as content_verbs
from proto.errors import ConfigError
from proto.keysets import Role
from tests.unit.release_world import CONTENT, GRANTED, NOW_S, Ceremony

SITE = "s-aaaaaaaaaa"
CHECK = "checks/linux/lin.ssh.root_login.yaml"
CHECK_FILE = re.compile(r"targets/content/checks/linux/[0-9a-f]{64}\.lin\.ssh\.root_login\.yaml")
CHANGED = {**CONTENT, CHECK: CONTENT[CHECK] + b"# reworded\n"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    """Return a hub that has served two roots, two releases and two grants, with an agent's file."""
    made = Ceremony(tmp_path_factory.mktemp("served"))
    made.draft()
    made.sign("ada", "bo")
    assert not made.publish().problem
    drafting.draft_root(made.folder, now_s=NOW_S + 60)
    drafting.draft_release(made.folder, CHANGED, agents={"agent.exe": b"MZ"}, now_s=NOW_S + 60)
    drafting.draft_grants(made.folder, GRANTED, now_s=NOW_S + 60)
    made.sign("ada", "bo")
    assert not made.publish(now_s=NOW_S + 60).problem
    return made


def names_in(file: Path) -> set[str]:
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def looked_at(served: Ceremony, file: Path, home: Path) -> SignedSet:
    """Return what an appliance that pinned the first root takes from a file."""
    asked = Asked(
        home=home,
        first_root=served.served.read(Role.ROOT, 1),
        held=None,
        site=SITE,
        runs="00" * 32,
        at_hand={},
        carrier=Carrier.FILE,
        now_s=NOW_S + 120,
    )
    with FileSource(file) as source:
        return verify(asked, source)


def test_an_appliance_takes_what_is_current_and_nothing_else_is_carried(
    served: Ceremony, tmp_path: Path
) -> None:
    file = tmp_path / "content.zip"
    source = str(served.served.directory)
    done = CliRunner().invoke(content_verbs, ["pack", "--from", source, "--to", str(file)])
    assert done.exit_code == 0, done.output
    found = looked_at(served, file, tmp_path / "home")
    assert found.content == CHANGED
    documents = {name for name in names_in(file) if name.startswith("metadata/")}
    assert documents == {
        "metadata/1.root.json",
        "metadata/2.root.json",
        "metadata/2.targets.json",
        "metadata/2.grants.json",
        "metadata/2.snapshot.json",
        "metadata/timestamp.json",
    }
    targets = {name.rpartition("/")[2].partition(".")[2] for name in names_in(file) - documents}
    versions = [name for name in names_in(file) if CHECK_FILE.fullmatch(name)]
    assert len(versions) == 1
    assert "agent.exe" not in targets


def test_agents_files_are_carried_when_they_are_asked_for(served: Ceremony, tmp_path: Path) -> None:
    file = tmp_path / "content.zip"
    packing.pack(served.served, file, with_agents=True)
    assert any(name.startswith("targets/agents/") for name in names_in(file))


def test_what_no_appliance_would_load_is_not_left_behind(
    served: Ceremony, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "content.zip"
    monkeypatch.setattr(packing, "CARRIED_BYTES_MAX", 512)
    with pytest.raises(ConfigError, match="an appliance loads at most"):
        packing.pack(served.served, file, with_agents=False)
    assert not file.exists()


def test_a_directory_that_is_no_hubs_is_said_so(tmp_path: Path) -> None:
    arguments = ["pack", "--from", str(tmp_path), "--to", str(tmp_path / "content.zip")]
    done = CliRunner().invoke(content_verbs, arguments)
    assert isinstance(done.exception, ConfigError)
    assert "no repository that a hub keeps fresh" in str(done.exception)

"""What somebody new reads who gives a command too early: what is missing, and what comes next."""

from pathlib import Path

import pytest

from osiris.desk.place import Desk
from osiris.desk.session import KEY_TOLD_BEFORE_S, TOLD_BEFORE_S, tell_of_end, tell_of_key
from proto import strict_json
from proto.keysets import Role
from proto.secret import Secret
from runtime import keyfile
from runtime.clock import system_entropy
from runtime.keyfile import Cost
from tests.e2e.desk_world import Ran, command
from tests.unit import order_world as world

FOLDER, KEY = "osiris hub ceremony begin", "osiris order key new NAME"


def given(tmp_path: Path, *words: str) -> Ran:
    """Give a command at a desk and in a folder that are not there."""
    desk = ("--desk", str(tmp_path / "desk")) if words[0] == "order" or _signs(words) else ()
    folder = ("--folder", str(tmp_path / "release")) if words[0] != "order" else ()
    return command([*words, *desk, *folder])


def _signs(words: tuple[str, ...]) -> bool:
    return words[1] in {"sign", "trust", "promote", "status"}


@pytest.mark.parametrize(
    "words",
    [
        ("content", "status"),
        ("content", "build"),
        ("content", "grant"),
        ("content", "sign"),
        ("content", "publish", "--to", "incoming"),
        ("content", "trust"),
        ("content", "rollout"),
        ("content", "rollout", "halt", "--reason", "why"),
        ("content", "promote", "--renew"),
        ("content", "promote", "--drop", "l1.p.x"),
        ("content", "promote", "i-aaaaaaaaaa", "--site", "s-aaaaaaaaaa"),
    ],
    ids=" ".join,
)
def test_without_a_folder_the_command_that_makes_one_is_named_and_nothing_is_made(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    ran = given(tmp_path, *words)
    assert ran.status == 3
    assert FOLDER in ran.err
    assert "--folder" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ("order", "list"),
        ("order", "show", "abcdef01"),
        ("order", "approve", "abcdef01"),
        ("order", "cancel", "abcdef01", "--reason", "why"),
        ("order", "veto", "abcdef01", "--reason", "why"),
    ],
    ids=" ".join,
)
def test_without_a_key_the_command_that_makes_one_is_named(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    ran = given(tmp_path, *words)
    assert ran.status == 3
    assert KEY in ran.err


def test_an_address_that_is_none_is_called_by_its_option(tmp_path: Path) -> None:
    ran = given(tmp_path, "order", "desk", "--hub", "http://hub.example")
    assert ran.status == 3
    assert ran.err.startswith("--hub: not of the form https://host[:port]")


def test_a_desk_without_content_is_told_how_it_is_taken(tmp_path: Path) -> None:
    ran = given(tmp_path, "order", "desk", "--hub", "https://hub.example")
    assert ran.status == 0, ran.err
    assert "osiris content trust" in ran.err
    taken = command(["content", "trust", "--from-hub", "--desk", str(tmp_path / "desk")])
    assert taken.status == 3
    assert "--first-root DIGEST" in taken.err


@pytest.mark.parametrize(
    ("left_s", "said"),
    [
        (TOLD_BEFORE_S + 1, ""),
        (TOLD_BEFORE_S, "This desk's authority and grants end 2026-01-11"),
        (0, "This desk's authority and grants have ended: osiris content trust --from-hub"),
    ],
)
def test_a_desk_whose_trust_ends_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], left_s: int, said: str
) -> None:
    desk = Desk(tmp_path)
    (tmp_path / "authority.json").write_bytes(strict_json.dumps(world.authority()))
    (tmp_path / "grants.json").write_bytes(strict_json.dumps(world.grants()))
    trust = desk.trust()
    assert trust is not None
    tell_of_end(desk, now_s=trust.expires - left_s)
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert bool(told) is bool(said)


@pytest.mark.parametrize(
    ("name", "at", "said"),
    [
        ("mallory", 0, "This desk's authority does not list this key of mallory: the hub"),
        ("ada", -KEY_TOLD_BEFORE_S - 1, ""),
        ("ada", -KEY_TOLD_BEFORE_S, "This key ends 20"),
        ("ada", 0, "This key ended 20"),
    ],
    ids=["a stranger", "in time", "soon over", "over"],
)
def test_whose_key_counts_for_nothing_is_told_before_they_sign(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, at: int, said: str
) -> None:
    (tmp_path / "authority.json").write_bytes(strict_json.dumps(world.authority()))
    seeds = [world.key(name).reveal_seed()]
    file = keyfile.make(
        tmp_path / "operator.key",
        person=name,
        role=Role.OPERATOR,
        passphrase=Secret("correct horse battery"),
        now_s=world.NOW,
        entropy=lambda size: seeds.pop() if seeds else system_entropy(size),
        cost=Cost(passes=1, memory_kib=64),
    )
    desk = Desk(tmp_path)
    authority = desk.authority()
    assert authority is not None
    listed = authority.by_key.get(file.public.raw)
    tell_of_key(desk, file, now_s=at + (listed.not_after if listed else world.NOW))
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert bool(told) is bool(said)


def test_a_file_that_is_not_the_hubs_keys_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{'x': 1}")
    folder = ("--folder", str(tmp_path / "release"))
    ran = command(["hub", "ceremony", "begin", "--hub-keys", str(tmp_path / "keys.json"), *folder])
    assert ran.status == 3
    assert ran.err.startswith(f"{tmp_path}/keys.json: is not the file that `osiris hub init`")
    assert not (tmp_path / "release").exists()

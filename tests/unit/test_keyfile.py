"""A person's key file: for its owner alone, opened by its passphrase, and never changed unseen."""

import json
import os
import stat
from pathlib import Path

import pytest

from proto.errors import ConfigError
from proto.keysets import Role
from proto.secret import Secret
from runtime import keyfile
from runtime.clock import system_entropy
from runtime.keyfile import Cost, KeyFile, PassphraseError

CHEAP = Cost(passes=1, memory_kib=64)
WORDS = Secret("correct horse battery")
NOW = 1_767_225_600


def made(path: Path, *, passphrase: Secret | None = WORDS, role: Role = Role.OPERATOR) -> KeyFile:
    return keyfile.make(
        path,
        person="ada",
        role=role,
        passphrase=passphrase,
        now_s=NOW,
        entropy=system_entropy,
        cost=CHEAP,
    )


def test_a_new_keys_bytes_and_then_its_name_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut there is no card on its way of a key that nobody has."""
    synced: list[str] = []
    sync = os.fsync

    def told(descriptor: int) -> None:
        mode = os.fstat(descriptor).st_mode
        synced.append("directory" if stat.S_ISDIR(mode) else "file")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", told)
    made(tmp_path / "operator.key")
    assert synced == ["file", "directory"]


def test_a_key_that_was_made_signs_after_it_was_read_again(tmp_path: Path) -> None:
    path = tmp_path / "operator.key"
    written = made(path)
    found = keyfile.read(path)
    assert found == written
    assert (found.person, found.role, found.is_sealed) == ("ada", Role.OPERATOR, True)
    assert found.public.accepts(found.open(WORDS).sign(b"bytes"), b"bytes")


def test_the_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "operator.key"
    made(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "operator.key"
    made(path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        keyfile.read(path)


def test_the_seed_stands_nowhere_in_a_sealed_file(tmp_path: Path) -> None:
    path = tmp_path / "operator.key"
    seed = made(path).open(WORDS).reveal_seed()
    unsealed = made(tmp_path / "bare.key", passphrase=None)
    assert seed.hex() not in path.read_text()
    assert unsealed.open(None).public == unsealed.public
    assert not unsealed.is_sealed


@pytest.mark.parametrize("wrong", [Secret("another passphrase"), None])
def test_another_passphrase_opens_nothing(tmp_path: Path, wrong: Secret | None) -> None:
    with pytest.raises(PassphraseError):
        made(tmp_path / "operator.key").open(wrong)


@pytest.mark.parametrize(
    ("member", "value"),
    [("person", "bea"), ("role", "root"), ("created", 1), ("public", None)],
)
def test_a_changed_readable_part_does_not_open(
    tmp_path: Path, member: str, value: str | int | None
) -> None:
    path = tmp_path / "operator.key"
    made(path)
    other = made(tmp_path / "other.key").public.b64()
    document = json.loads(path.read_text()) | {member: other if value is None else value}
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigError):
        keyfile.read(path).open(WORDS)


def test_a_public_key_beside_another_seed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bare.key"
    made(path, passphrase=None)
    other = made(tmp_path / "other.key").public.b64()
    path.write_text(json.dumps(json.loads(path.read_text()) | {"public": other}))
    with pytest.raises(ConfigError, match="not that of the public key"):
        keyfile.read(path).open(None)


def test_a_key_is_never_written_over_another(tmp_path: Path) -> None:
    path = tmp_path / "operator.key"
    before = made(path).public
    with pytest.raises(ConfigError, match="is there already"):
        made(path)
    assert keyfile.read(path).public == before


def test_a_link_is_not_followed_when_a_key_is_made(tmp_path: Path) -> None:
    (tmp_path / "operator.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError):
        made(tmp_path / "operator.key")
    assert not (tmp_path / "elsewhere").exists()


def test_a_short_passphrase_and_a_daemons_role_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PassphraseError, match="at least 12"):
        made(tmp_path / "a.key", passphrase=Secret("short"))
    with pytest.raises(ConfigError, match="daemon"):
        made(tmp_path / "b.key", role=Role.ORDER)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{"v":1}', "x" * 5000],
    ids=["empty", "no members", "a member", "too long"],
)
def test_what_is_no_key_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "operator.key"
    path.touch(0o600)
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"operator\.key"):
        keyfile.read(path)

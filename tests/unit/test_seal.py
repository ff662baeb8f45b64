"""The sealing key's file: private, whole, and never replaced."""

import os
import stat
from pathlib import Path

import pytest

from appliance.core.keeping import How, Keeping
from appliance.ports import Entropy
from appliance.shell.key_files import KeyFiles, rest_key
from appliance.shell.seal import KeySealer
from proto.errors import ConfigError
from proto.secret import Secret
from runtime.clock import SystemClock, system_entropy
from tests.fakes.clock import ManualClock, SeededEntropy

ENTROPY = system_entropy


def sealing_key(path: Path, entropy: Entropy) -> Secret:
    return rest_key(KeyFiles(path.parent, None, Keeping(How.NO_TPM)), entropy)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rest.key"


def test_a_key_is_made_once_and_only_its_owner_may_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        key = sealing_key(path, ENTROPY)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sealing_key(path, ENTROPY) == key
    assert len(key.reveal_bytes()) == 32
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o777, 0o700])
def test_a_key_that_others_may_get_at_is_refused_with_the_command_that_helps(
    path: Path, mode: int
) -> None:
    sealing_key(path, ENTROPY)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"mode {mode:04o}.*chmod 600 {path}"):
        sealing_key(path, ENTROPY)


def test_a_key_without_write_permission_is_a_key(path: Path) -> None:
    key = sealing_key(path, ENTROPY)
    path.chmod(0o400)
    assert sealing_key(path, ENTROPY) == key


@pytest.mark.parametrize("size", [0, 1, 31, 33, 4096])
def test_a_file_of_another_size_is_no_key_and_is_left_alone(path: Path, size: int) -> None:
    path.write_bytes(bytes(size))
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="32 bytes"):
        sealing_key(path, ENTROPY)
    assert path.stat().st_size == size


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    sealing_key(path, ENTROPY)
    real = path.rename(tmp_path / "real")
    path.symlink_to(real)
    with pytest.raises(ConfigError, match="cannot be read"):
        sealing_key(path, ENTROPY)
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="cannot be read"):
        sealing_key(path, ENTROPY)
    assert not (tmp_path / "nowhere").exists()


def test_a_directory_is_no_key(path: Path) -> None:
    path.mkdir(mode=0o700)
    with pytest.raises(ConfigError, match="no regular file"):
        sealing_key(path, ENTROPY)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        sealing_key(tmp_path / "nowhere" / "rest.key", ENTROPY)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_key_of_another_user_is_refused(path: Path) -> None:
    sealing_key(path, ENTROPY)
    os.chown(path, 12_345, 12_345)
    with pytest.raises(ConfigError, match=r"belongs to user 12345.*chown 0"):
        sealing_key(path, ENTROPY)


def test_two_that_make_the_key_at_once_end_up_with_one(path: Path) -> None:
    """The second one's key appears between its look and its link, and wins nothing."""
    made: list[Secret] = []

    def racing(size_bytes: int) -> bytes:
        if not made:
            made.append(Secret(b""))
            made.append(sealing_key(path, SeededEntropy(1)))
        return SeededEntropy(2)(size_bytes)

    assert sealing_key(path, racing) == made[1]
    assert list(path.parent.iterdir()) == [path]


def test_a_key_of_another_size_seals_nothing() -> None:
    with pytest.raises(ConfigError, match="32 bytes"):
        KeySealer(Secret(b"short"), ENTROPY)


def test_the_system_clock_and_entropy_do_what_their_fakes_do() -> None:
    for clock in (SystemClock(), ManualClock()):
        first = clock.now_ms()
        assert 1_700_000_000_000 < first <= clock.now_ms()
    for entropy in (system_entropy, SeededEntropy(7)):
        assert [len(entropy(size)) for size in (0, 1, 32)] == [0, 1, 32]
        assert entropy(16) != entropy(16)
    assert SeededEntropy(7)(16) == SeededEntropy(7)(16)

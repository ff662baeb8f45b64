"""Private keys that a TPM seals: what whoever has the disk can try, and starts that are killed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.core.keeping import How, Keeping
from appliance.ports import TpmError
from appliance.shell.identity import load_keys, make_keys
from appliance.shell.key_files import NAMES, REST_KEY, TPM_KEY, open_keys, rest_key
from appliance.shell.own_keys import OwnKeyFiles
from appliance.shell.tpm import Found
from proto.errors import ConfigError
from proto.secret import Secret
from runtime.clock import system_entropy
from tests.fakes.clock import SeededEntropy
from tests.fakes.tpm import FakeTpm
from tests.unit.key_disk import NO_TPM, content, has_plain, held, is_whole, keys, plain, sealed

OFF = Found(None, Keeping(How.OFF))
SIGNING = "signing.key"


@pytest.fixture
def tpm() -> FakeTpm:
    return FakeTpm()


@pytest.fixture
def disk(tmp_path: Path, tpm: FakeTpm) -> Path:
    return sealed(tmp_path / "keys", tpm)


def start(directory: Path, found: Found) -> dict[str, bytes]:
    return held(open_keys(directory, found, system_entropy))


def refused(directory: Path, found: Found) -> str:
    """Return what a start is refused with; it changed nothing."""
    before = content(directory)
    with pytest.raises(ConfigError) as error:
        start(directory, found)
    assert content(directory) == before
    for key in keys().values():
        assert repr(key) not in str(error.value)
        assert key.hex() not in str(error.value)
    return str(error.value)


def test_an_appliance_that_has_a_tpm_never_writes_a_plain_key(tmp_path: Path, tpm: FakeTpm) -> None:
    entropy = SeededEntropy(3)
    files = open_keys(tmp_path, tpm.found, entropy)
    made, rest = make_keys(files, entropy), rest_key(files, entropy)
    own = OwnKeyFiles(files, entropy)
    following = own.follow()
    own.succeed(following[0].public, following[1].public)
    assert own.keeping.is_sealed
    again = open_keys(tmp_path, tpm.found, system_entropy)
    assert load_keys(again).signing.public == following[0].public != made.signing.public
    assert OwnKeyFiles(again, entropy).held().signing.formers[0].public == made.signing.public
    assert rest_key(again, entropy) == rest
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_bytes().startswith((b"osiris sealed key", b"osiris key sealed by a TPM"))
    assert tpm.asked == ["seal", "unseal", "unseal"], "once for each start but the first"


def test_plain_keys_are_sealed_at_the_next_start_and_are_the_same(
    tmp_path: Path, tpm: FakeTpm
) -> None:
    directory = plain(tmp_path / "keys")
    assert start(directory, tpm.found) == keys()
    assert is_whole(directory)
    assert start(directory, tpm.found) == keys()


def test_what_a_plain_file_held_is_overwritten_but_never_a_backup(
    tmp_path: Path, tpm: FakeTpm
) -> None:
    directory = plain(tmp_path / "keys")
    (directory / ".signing.key.new").write_bytes(keys()[SIGNING])
    (tmp_path / "backup").hardlink_to(directory / REST_KEY)
    opened = [(directory / name).open("rb") for name in (SIGNING, ".signing.key.new")]
    start(directory, tpm.found)
    for file in opened:
        with file:
            assert file.read() == bytes(32)
    assert (tmp_path / "backup").read_bytes() == keys()[REST_KEY]
    assert is_whole(directory)


def test_a_plain_key_that_may_not_be_written_is_sealed_too(tmp_path: Path, tpm: FakeTpm) -> None:
    directory = plain(tmp_path / "keys")
    (directory / REST_KEY).chmod(0o400)
    assert start(directory, tpm.found) == keys()
    assert is_whole(directory)


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Keys as starts left them that were killed before each of their steps."""
    folder = tmp_path_factory.mktemp("cuts")
    begun = plain(folder / "begun")
    argv = [sys.executable, "-m", "tests.unit.key_disk", str(begun), str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=_root())
    return [folder / str(step) for step in range(int(done.stdout) + 1)]


def _root() -> Path:
    return Path(__file__).resolve().parents[2]


def test_killed_before_any_step_all_keys_are_there_and_the_next_start_seals_them(
    cuts: list[Path], tpm: FakeTpm
) -> None:
    assert len(cuts) > 5 * len(NAMES), "a copy, its look, its place and its end for each key"
    seen = set()
    for directory in cuts:
        is_begun = (directory / TPM_KEY).exists()
        seen.add(is_begun)
        if not is_begun:
            spared = shutil.copytree(directory, directory.with_name(f"{directory.name}-spared"))
            assert start(spared, NO_TPM) == keys(), "its TPM may be gone before it counts"
            assert set(content(spared)) == set(NAMES)
        assert start(directory, tpm.found) == keys(), directory.name
        assert is_whole(directory)
    assert seen == {False, True}


def test_a_start_killed_again_and_again_ends_sealed(tmp_path: Path, tpm: FakeTpm) -> None:
    directory, folder = plain(tmp_path / "begun"), tmp_path / "cuts"
    folder.mkdir()
    argv = [sys.executable, "-m", "tests.unit.key_disk"]
    for round_ in range(3):
        cut = tmp_path / f"round{round_}"
        cut.mkdir()
        told = [*argv, str(directory), str(cut)]
        done = subprocess.run(told, capture_output=True, check=True, cwd=_root())
        directory = cut / str(int(done.stdout) // 2)
    assert start(directory, tpm.found) == keys()
    assert is_whole(directory)


def test_copied_to_another_machine_the_keys_do_not_open(disk: Path) -> None:
    said = refused(disk, FakeTpm("another").found)
    assert f"{disk / TPM_KEY}: the TPM of this machine sealed" in said
    assert "integrity check failed" in said
    assert "enroll anew" in said


def test_a_cleared_tpm_opens_nothing(disk: Path, tpm: FakeTpm) -> None:
    tpm.clear()
    assert "where the TPM was cleared, enroll anew" in refused(disk, tpm.found)


@pytest.mark.parametrize("how", [How.OFF, How.NO_TPM, How.NOT_ALLOWED, How.NO_PROGRAM])
def test_sealed_keys_without_their_tpm_are_an_error_that_says_why(disk: Path, how: How) -> None:
    none = Found(None, Keeping(how))
    said = refused(disk, none)
    assert none.keeping.sentence in said
    assert str(disk / TPM_KEY) in said


def test_a_tpm_that_does_not_answer_is_an_error_and_all_is_well_once_it_does(
    disk: Path, tpm: FakeTpm
) -> None:
    tpm.fault = "did not answer within 20 s"
    assert "did not answer within 20 s" in refused(disk, tpm.found)
    tpm.fault = ""
    assert start(disk, tpm.found) == keys()


@pytest.mark.parametrize(
    ("taken", "put_at"),
    [
        (SIGNING, "sealing.key"),
        ("sealing.key", SIGNING),
        ("signing.former.key", SIGNING),
        (SIGNING, "signing.former.key"),
        ("signing.next.key", SIGNING),
        (REST_KEY, SIGNING),
        (SIGNING, REST_KEY),
        (TPM_KEY, REST_KEY),
    ],
)
def test_a_file_under_another_keys_name_does_not_open(
    disk: Path, tpm: FakeTpm, taken: str, put_at: str
) -> None:
    shutil.copy(disk / taken, disk / put_at)
    assert str(disk / put_at) in refused(disk, tpm.found)


def test_the_file_of_another_appliance_with_the_same_tpm_does_not_open(
    disk: Path, tpm: FakeTpm, tmp_path: Path
) -> None:
    other = sealed(tmp_path / "other", tpm)
    shutil.copy(other / SIGNING, disk / SIGNING)
    assert f"{disk / SIGNING}: does not open" in refused(disk, tpm.found)


@pytest.mark.parametrize("name", [SIGNING, REST_KEY, "sealing.former3.key"])
def test_a_file_that_was_cut_or_changed_anywhere_does_not_open(
    disk: Path, tpm: FakeTpm, name: str
) -> None:
    path = disk / name
    whole = path.read_bytes()
    for at in range(len(whole)):
        for wrong in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
            path.write_bytes(wrong)
            assert str(path) in refused(disk, tpm.found)
    path.write_bytes(whole + b"\n")
    assert str(path) in refused(disk, tpm.found)


def test_the_key_of_the_others_cut_or_changed_does_not_open(disk: Path, tpm: FakeTpm) -> None:
    path = disk / TPM_KEY
    whole = path.read_bytes()
    for wrong in (b"", whole[:10], whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), bytes(32)):
        path.write_bytes(wrong)
        assert str(path) in refused(disk, tpm.found)


@pytest.mark.parametrize("found", [FakeTpm().found, NO_TPM, OFF])
def test_without_the_key_of_the_others_none_is_made(disk: Path, found: Found) -> None:
    (disk / TPM_KEY).unlink()
    said = refused(disk, found)
    assert f"{disk / SIGNING}: is sealed by a TPM, and {TPM_KEY} is not beside it" in said


@pytest.mark.parametrize("name", NAMES)
def test_a_plain_key_among_sealed_ones_is_refused(disk: Path, tpm: FakeTpm, name: str) -> None:
    """Whoever can write to a disk they cannot read would plant a key that they know."""
    (disk / name).write_bytes(b"k" * 32)
    said = refused(disk, tpm.found)
    assert f"{disk / name}: is not sealed, though the keys of this appliance are" in said


def test_a_planted_key_with_a_planted_copy_beside_it_is_refused(
    disk: Path, tpm: FakeTpm, tmp_path: Path
) -> None:
    thief = sealed(tmp_path / "thief", FakeTpm("thief"))
    (disk / SIGNING).write_bytes(keys()[SIGNING])
    shutil.copy(thief / SIGNING, disk / f".{SIGNING}.sealed")
    assert f".{SIGNING}.sealed: does not open" in refused(disk, tpm.found)
    shutil.copy(thief / TPM_KEY, disk / TPM_KEY)
    assert str(disk / TPM_KEY) in refused(disk, tpm.found)


def test_a_plain_key_with_the_copy_of_another_is_refused(tmp_path: Path, tpm: FakeTpm) -> None:
    disk = sealed(tmp_path / "keys", tpm)
    (disk / SIGNING).rename(disk / f".{SIGNING}.sealed")
    (disk / SIGNING).touch(0o600)
    (disk / SIGNING).write_bytes(b"k" * 32)
    assert "holds another key than signing.key" in refused(disk, tpm.found)


def test_a_missing_key_of_an_enrolled_appliance_is_not_made_anew(disk: Path, tpm: FakeTpm) -> None:
    (disk / SIGNING).unlink()
    files = open_keys(disk, tpm.found, system_entropy)
    with pytest.raises(ConfigError, match=f"{disk / SIGNING}.*put it back"):
        load_keys(files)
    assert not (disk / SIGNING).exists()


@pytest.mark.parametrize("name", [TPM_KEY, SIGNING])
def test_a_sealed_file_that_others_may_write_is_refused(
    disk: Path, tpm: FakeTpm, name: str
) -> None:
    (disk / name).chmod(0o620)
    assert f"chmod 600 {disk / name}" in refused(disk, tpm.found)


def test_a_broken_tpm_keeps_no_appliance_from_starting_whose_keys_are_plain(
    tmp_path: Path, tpm: FakeTpm
) -> None:
    directory = plain(tmp_path / "keys")
    tpm.fault = "no libtss2"
    files = open_keys(directory, tpm.found, system_entropy)
    assert (held(files), content(directory)) == (keys(), keys())
    assert files.keeping == Keeping(How.FAILED, "no libtss2")
    assert files.keeping.needs_somebody
    tpm.fault = ""
    assert start(directory, tpm.found) == keys()
    assert is_whole(directory)


def test_a_tpm_that_the_configuration_names_must_work(tmp_path: Path, tpm: FakeTpm) -> None:
    directory = plain(tmp_path / "keys")
    tpm.fault = "no such device"
    with pytest.raises(TpmError, match="tpm: no such device"):
        start(directory, Found(tpm, Keeping(How.TPM), is_named=True))
    assert content(directory) == keys()


def test_a_tpm_that_gives_other_bytes_back_seals_nothing(tmp_path: Path) -> None:
    class Forgetful(FakeTpm):
        def unseal(self, sealed: bytes, *, name: str) -> Secret:
            del sealed, name
            return Secret(bytes(32))

    directory = plain(tmp_path / "keys")
    files = open_keys(directory, Forgetful().found, system_entropy)
    assert files.keeping.how is How.FAILED
    assert content(directory) == keys()


def test_a_plain_key_that_cannot_be_used_is_told_before_anything_is_sealed(
    tmp_path: Path, tpm: FakeTpm
) -> None:
    directory = plain(tmp_path / "keys")
    (directory / "sealing.former2.key").write_bytes(b"short")
    assert "sealing.former2.key: a key has 32 bytes" in refused(directory, tpm.found)
    assert tpm.asked == []


def test_without_a_tpm_a_plain_directory_stays_as_it_is(tmp_path: Path) -> None:
    directory = plain(tmp_path / "keys")
    assert start(directory, NO_TPM) == content(directory) == keys()
    assert has_plain(directory)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where nobody may")
def test_a_disk_that_takes_no_write_is_told(tmp_path: Path, tpm: FakeTpm) -> None:
    directory = plain(tmp_path / "keys")
    directory.chmod(0o500)
    assert "cannot be written" in refused(directory, tpm.found)
    directory.chmod(0o700)

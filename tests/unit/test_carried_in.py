"""Content that a person carries in reaches a daemon without rights, and nothing else is touched."""

import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.content_cli import carried_in
from proto.errors import ConfigError

NOBODY = 65_534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands a file to another user")


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    file = tmp_path / "stick.zip"
    file.write_bytes(b"what was carried")
    return file


@pytest.fixture(name="state")
def _state() -> Iterator[Path]:
    """Give the state directory of a daemon that runs as a user of its own, when we are root."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        state.mkdir(mode=0o700)
        if os.geteuid() == 0:
            state.parent.chmod(0o711)
            os.chown(state, NOBODY, NOBODY)
        yield state


def as_daemon(*command: str | Path) -> str:
    """Run a command as the daemon's user, and return what it prints."""
    done = subprocess.run(
        command,
        user=NOBODY,
        group=NOBODY,
        extra_groups=(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@as_root
def test_the_daemon_can_read_what_root_carried_in_and_keep_its_own_beside_it(
    state: Path, file: Path
) -> None:
    carried = state / "content" / "carried.zip"
    with carried_in(state, file):
        assert as_daemon("/bin/cat", carried) == "what was carried"
        assert stat.S_IMODE(carried.stat().st_mode) == 0o600
        as_daemon("/bin/touch", state / "content" / "active.zip")
    assert not carried.exists()
    assert stat.S_IMODE((state / "content").stat().st_mode) == 0o700


def test_a_file_that_was_left_there_is_not_written_through(state: Path, file: Path) -> None:
    """The daemon's user may have laid a link where root writes: what it points at stays."""
    precious = state.parent / "shadow"  # hard links stay within one file system
    precious.write_text("precious")
    place = state / "content"
    place.mkdir()
    for link in (
        place.joinpath("carried.zip").symlink_to,
        place.joinpath("carried.zip").hardlink_to,
    ):
        link(precious)
        with carried_in(state, file):
            assert (place / "carried.zip").read_bytes() == b"what was carried"
            assert not (place / "carried.zip").is_symlink()
        assert precious.read_text() == "precious"
        assert not (place / "carried.zip").exists()


def test_a_link_in_place_of_the_directory_is_refused(
    tmp_path: Path, state: Path, file: Path
) -> None:
    other = tmp_path / "etc"
    other.mkdir()
    (other / "carried.zip").write_text("precious")
    (state / "content").symlink_to(other)
    with pytest.raises(ConfigError), carried_in(state, file):
        pytest.fail("it was carried in")
    assert (other / "carried.zip").read_text() == "precious"


def test_what_cannot_be_read_is_said_and_leaves_nothing(state: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent"), carried_in(state, tmp_path / "absent.zip"):
        pytest.fail("it was carried in")
    assert not (state / "content" / "carried.zip").exists()

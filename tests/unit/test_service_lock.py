"""One process at a time over a state directory; a passing command keeps no daemon from starting."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from proto.errors import ConflictError
from runtime.service_lock import LOCK_NAME, ServiceLock

HOLD = """
import sys
from pathlib import Path
from runtime.service_lock import ServiceLock
with ServiceLock(Path(sys.argv[1]), for_daemon=sys.argv[2] == "daemon"):
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(directory: Path, what: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: "subprocess.Popen[str]") -> None:
    process.communicate()
    assert process.returncode == 0


def test_a_daemon_is_refused_at_once_where_another_runs(tmp_path: Path) -> None:
    other = holding(tmp_path, "daemon")
    with (
        pytest.raises(ConflictError, match=f"in use by the running daemon {other.pid}"),
        ServiceLock(tmp_path, for_daemon=True),
    ):
        pytest.fail("two daemons")
    end(other)
    with ServiceLock(tmp_path, for_daemon=True, patience_s=0):
        pass


@pytest.mark.parametrize("for_daemon", [True, False])
def test_a_command_that_holds_it_is_waited_for(tmp_path: Path, *, for_daemon: bool) -> None:
    command = holding(tmp_path, "command")
    told = threading.Event()

    def tell() -> None:
        told.set()
        end(command)

    ender = threading.Timer(0.1, tell)
    ender.start()
    with ServiceLock(tmp_path, for_daemon=for_daemon):
        assert told.is_set()
    ender.join()


def test_a_command_that_does_not_end_is_named(tmp_path: Path) -> None:
    command = holding(tmp_path, "command")
    with (
        pytest.raises(ConflictError, match=f"in use by the running command {command.pid}"),
        ServiceLock(tmp_path, patience_s=0.1),
    ):
        pytest.fail("two writers")
    end(command)


def test_what_a_killed_daemon_left_in_the_file_decides_nothing(tmp_path: Path) -> None:
    daemon = holding(tmp_path, "daemon")
    daemon.kill()
    daemon.communicate()
    assert (tmp_path / LOCK_NAME).read_text() == f"{daemon.pid} daemon\n"
    with ServiceLock(tmp_path, for_daemon=True, patience_s=0):
        pass


@pytest.mark.parametrize("text", ["", "x", "1 2 3", "9999999999999999999999 daemon", "\xff"])
def test_a_lock_file_that_makes_no_sense_is_no_daemons(tmp_path: Path, text: str) -> None:
    command = holding(tmp_path, "command")
    (tmp_path / LOCK_NAME).write_text(text, "latin-1")
    with (
        pytest.raises(ConflictError, match="in use by a running process"),
        ServiceLock(tmp_path, patience_s=0.1),
    ):
        pytest.fail("two writers")
    end(command)


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("keep")
    (tmp_path / LOCK_NAME).symlink_to(theirs)
    with pytest.raises(OSError, match="symbolic links"), ServiceLock(tmp_path):
        pytest.fail("followed a link")
    assert theirs.read_text() == "keep"

"""`osiris demo --once`, as a person runs it: all healed and proved, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from osiris.demo import lab
from osiris.demo.scene import sweep

pytestmark = pytest.mark.lab
WITHIN_S = 400


@pytest.fixture(autouse=True)
def _lab() -> None:
    if reason := lab.obstacle():
        if lab.must_run():
            pytest.fail(f"the demo must run here and cannot: {reason}")
        pytest.skip(f"no demo: {reason}")


def start() -> "subprocess.Popen[str]":
    # A shell's background jobs ignore SIGINT, and so would everything that they start.
    argv = ["env", "--default-signal=INT", sys.executable, "-m", "osiris", "demo", "--once"]
    return subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def directory_of(demo: "subprocess.Popen[str]") -> str:
    """Return where a demo keeps its files, once it runs."""
    assert demo.stdout is not None
    for line in demo.stdout:
        if line.startswith("command line"):
            return str(Path(line.split()[-1]).parent)
    pytest.fail("the demo ended before it ran")


def processes_with(text: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if text in command:
                found.append(command)
    return found


def test_the_demo_heals_proves_and_leaves_nothing() -> None:
    with start() as demo:
        output, _ = demo.communicate(timeout=WITHIN_S)
    assert demo.returncode == 0, output[-4000:]
    assert "all that can heal is healed and proved, and the hub verified it" in output
    assert "medical, never touched" in output


def test_a_killed_demo_takes_its_daemons_along_and_the_next_start_removes_the_rest() -> None:
    with start() as demo:
        directory = directory_of(demo)
        assert processes_with(directory)
        demo.send_signal(signal.SIGKILL)
        demo.wait()
    end = time.monotonic() + 20
    while processes_with(directory) and time.monotonic() < end:
        time.sleep(0.05)
    assert processes_with(directory) == []
    assert Path(directory).exists()
    sweep()
    assert not Path(directory).exists()


def test_ctrl_c_which_a_terminal_sends_to_everything_ends_the_demo_in_order() -> None:
    with start() as demo:
        directory = directory_of(demo)
        os.killpg(demo.pid, signal.SIGINT)
        output, _ = demo.communicate(timeout=WITHIN_S)
    assert demo.returncode == 130, output[-4000:]
    assert "stopped with status" not in output
    assert "Traceback" not in output
    assert processes_with(directory) == []
    assert not Path(directory).exists()

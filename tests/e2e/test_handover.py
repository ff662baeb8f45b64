"""Which program runs after each start: real processes that end, hang, are killed or tampered with.

Whatever a new program does and whatever is altered, one program runs in the end.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance import config, handover, start
from appliance.handover import Phase, Program, Record
from tests.e2e.tiny_programs import INSERT, ORDER, PACKAGED, Machine

NEW = "1.4.2"
BACK = ["1.4.2", "1.4.2", "packaged"]
"""Two starts of a program that never became ready, and then the one before."""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_start_and_the_program_mean_the_same_files() -> None:
    assert config.DEFAULT_PATH == start.DEFAULT
    assert config.File().state_dir == str(handover.STATE_DIR)


def test_without_a_record_the_packaged_program_runs(machine: Machine) -> None:
    assert machine.start() == 0
    assert machine.said() == ["packaged"]


def test_a_program_that_becomes_ready_takes_over_and_stays(machine: Machine) -> None:
    program = machine.ordered(machine.wheel("ready()"))
    assert machine.start() == 0
    assert machine.start() == 0
    assert machine.said() == [NEW, NEW]
    record = machine.record()
    assert (record.phase, record.runs, record.before) == (Phase.TAKEN, program, PACKAGED)


@pytest.mark.parametrize(
    "does",
    [
        "raise RuntimeError('broken')",
        "sys.exit(0)",
        "sys.exit(3)",
        "pass",
        "import absent",
        "syntax error",
        "import time; time.sleep(1000)",
        "while True: pass",
    ],
)
def test_one_that_ends_or_hangs_before_it_is_ready_gives_back_in_the_same_process(
    machine: Machine, does: str
) -> None:
    machine.ordered(machine.wheel(INSERT + does), within_s=2)
    assert machine.start() == 0
    expected = ["packaged"] if does == "syntax error" else BACK
    assert machine.said() == expected
    pids = (machine.place.state_dir / "said").read_text().splitlines()
    assert len({line.partition(",")[2] for line in pids}) == 1
    record = machine.record()
    assert (record.phase, record.runs, record.why) == (Phase.BACK, PACKAGED, "not_ready")
    assert record.order == ORDER
    assert machine.rows() == [], "what it wrote before it was ready is as if it never was"


@pytest.mark.parametrize("does", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_one_that_is_gone_at_once_gives_back_after_two_starts(machine: Machine, does: str) -> None:
    machine.ordered(machine.wheel(INSERT + does))
    for _ in range(3):
        machine.start()
    assert machine.said() == BACK
    assert machine.rows() == []


def test_one_that_lets_no_python_run_is_ended_all_the_same(machine: Machine) -> None:
    """It hangs in a call that keeps Python's lock, so that no handler of a signal can run."""
    does = (
        "import ctypes, signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM});"
        " ctypes.PyDLL(None).sleep(1000)"
    )
    machine.ordered(machine.wheel(does), within_s=1)
    assert machine.start() == 1
    assert machine.said() == [NEW]


def test_one_that_is_told_to_stop_while_it_starts_does_stop(machine: Machine) -> None:
    machine.ordered(machine.wheel("os.environ[handover.ENV_STOPPED] = '1'"))
    assert machine.start() == 0
    assert machine.said() == [NEW]


def test_one_that_was_ready_and_crashes_is_started_again(machine: Machine) -> None:
    """What it has written since was told to others; only a person goes back from here."""
    machine.ordered(machine.wheel(INSERT + "ready(); sys.exit(70)"))
    assert [machine.start() for _ in range(3)] == [70, 70, 70]
    assert machine.said() == [NEW] * 3
    assert machine.rows() == ["new"] * 3


def test_a_second_update_goes_back_to_the_first(machine: Machine) -> None:
    first = machine.ordered(machine.wheel("ready()"))
    machine.start()
    machine.ordered(machine.wheel("sys.exit(1)", version="1.5.0"), before=first)
    assert machine.start() == 0
    assert machine.said() == [NEW, "1.5.0", "1.5.0", NEW]
    assert machine.record().runs == first


def test_a_packaged_program_that_is_newer_runs_instead(machine: Machine) -> None:
    machine.ordered(machine.wheel("ready()", version="0.0.9"))
    machine.start()
    machine.start()
    assert machine.said() == ["0.0.9", "packaged"]


def _altered(root: Path) -> None:
    (root / "appliance" / "__main__.py").write_text("raise SystemExit(9)\n")


def _added(root: Path) -> None:
    (root / "sitecustomize.py").write_text("raise SystemExit(9)\n")


def _linked(root: Path) -> None:
    moved = root.parent / "elsewhere.py"
    (root / "appliance" / "start.py").rename(moved)
    (root / "appliance" / "start.py").symlink_to(moved)


def _gone(root: Path) -> None:
    shutil.rmtree(root)


@pytest.mark.parametrize("change", [_altered, _added, _linked, _gone])
@pytest.mark.parametrize("is_taken", [False, True])
def test_what_was_altered_on_the_disk_is_unpacked_anew(
    machine: Machine, change: Callable[[Path], None], *, is_taken: bool
) -> None:
    program = machine.ordered(machine.wheel("ready()"))
    if is_taken:
        machine.start()
    change(machine.place.root(program))
    assert machine.start() == 0
    assert set(machine.said()) == {NEW}
    assert handover.is_sound(machine.place, program)


@pytest.mark.parametrize("is_taken", [False, True])
def test_an_altered_wheel_is_not_run(machine: Machine, *, is_taken: bool) -> None:
    program = machine.ordered(machine.wheel("ready()"))
    if is_taken:
        machine.start()
    with machine.place.wheel(program).open("ab") as file:
        file.write(b"x")
    assert machine.start() == 0
    assert machine.said()[-1] == "packaged"
    if not is_taken:
        assert (machine.record().phase, machine.record().why) == (Phase.BACK, "altered")


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[: len(data) // 2],
        lambda _: b"",
        lambda data: data.replace(b'"starts": 0', b'"starts": 9'),
        lambda data: data.replace(b"1.4.2", b"../.."),
        lambda data: data + b"more",
        lambda _: b"{}\n" + b"0" * 64 + b"\n",
    ],
)
def test_a_record_that_was_altered_or_cut_off_leads_to_a_program_that_runs(
    machine: Machine, change: Callable[[bytes], bytes]
) -> None:
    machine.ordered(machine.wheel("ready()"))
    file = machine.place.record
    file.write_bytes(change(file.read_bytes()))
    assert machine.start() == 0
    assert machine.said() == ["packaged"]
    assert machine.record().why == "record_damaged"


def test_without_a_record_the_program_runs_that_the_store_fits(machine: Machine) -> None:
    """The packaged program could not open a store that a newer one has migrated."""
    program = machine.ordered(machine.wheel("ready()"))
    machine.start()
    (machine.directory / "packaged/appliance/store/schema/0001_first.sql").unlink()
    machine.place.record.write_bytes(b"cut")
    assert machine.start() == 0
    assert machine.said() == [NEW, NEW]
    assert machine.record().runs == program


def test_a_program_that_cannot_open_the_store_is_not_gone_back_to(machine: Machine) -> None:
    """Whatever the record says: the newer one has changed the form of the store."""
    asks = "say(handover.fits(place, handover.Program('', '0.1.0'))); ready()"
    program = machine.ordered(machine.wheel(asks))
    (machine.directory / "packaged/appliance/store/schema/0001_first.sql").unlink()
    machine.start()
    assert "false" in (machine.place.state_dir / "said").read_text(), "it knows of the other's form"
    handover.write(machine.place, Record(Phase.BACK, PACKAGED, program, "", at_s=2, why="person"))
    assert machine.start() == 0
    assert set(machine.said()) == {NEW}


class _CutError(Exception):
    """The machine lost its power."""


def _looked(machine: Machine, cut_at: int, monkeypatch: pytest.MonkeyPatch) -> Program | None:
    """Look which program runs, until the power goes at one of the writes; None when it did."""
    count, really = 0, os.fsync

    def fsync(descriptor: int) -> None:
        nonlocal count
        count += 1
        if count == cut_at:
            raise _CutError
        really(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        try:
            return handover.look(machine.place, PACKAGED, now_s=1)
        except _CutError:
            return None


@pytest.mark.parametrize("starts", [0, 1, 2])
def test_a_power_cut_at_any_write_ends_in_one_of_the_two_programs(
    tmp_path: Path, starts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cut_at in range(1, 100):
        machine = Machine(tmp_path / str(cut_at))
        program = machine.wheel("ready()")
        handover.copy_store(machine.place.store, machine.place.backup)
        handover.write(
            machine.place, Record(Phase.TRYING, program, PACKAGED, ORDER, at_s=1, starts=starts)
        )
        cut = _looked(machine, cut_at, monkeypatch) is None
        chosen = handover.look(machine.place, PACKAGED, now_s=2)
        assert chosen in {program, PACKAGED}
        assert machine.rows() == []
        assert machine.record().order == ORDER
        if chosen == PACKAGED:
            assert machine.record().phase is Phase.BACK
        if not cut:
            assert cut_at > 2
            return
    pytest.fail("it never came to its end")

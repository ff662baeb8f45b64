"""Crash-only: one failed task ends the process, and its exit status says what it was."""

import asyncio
import socket
from contextlib import closing
from pathlib import Path

import pytest

from proto.errors import ConflictError, IntegrityError
from runtime import notify
from runtime.log import logger
from runtime.service_lock import ServiceLock
from runtime.supervisor import CRASHED, PROOF_WITHIN_S, Pulse, prove, supervise
from tests.fakes.clock import ManualClock

LOG = logger("test")


async def forever() -> None:
    await asyncio.Event().wait()


async def test_an_unexpected_exception_ends_all_tasks() -> None:
    ended: list[str] = []

    async def other() -> None:
        try:
            await stop.wait()
        finally:
            ended.append("other")

    async def broken() -> None:
        msg = "unexpected"
        raise KeyError(msg)

    stop = asyncio.Event()
    assert await supervise({"a": other, "b": broken}, log=LOG, stop=stop) == CRASHED
    assert ended == ["other"]


async def test_an_error_of_ours_ends_with_its_familys_status() -> None:
    async def refuses() -> None:
        msg = "a stored row does not hold"
        raise IntegrityError(msg)

    stop = asyncio.Event()
    assert await supervise({"a": refuses}, log=LOG, stop=stop) == IntegrityError.exit_status


async def test_a_task_that_returns_has_failed_too() -> None:
    async def returns() -> None:
        return

    assert await supervise({"a": returns}, log=LOG, stop=asyncio.Event()) == CRASHED


async def test_a_stop_that_was_asked_for_is_no_failure() -> None:
    stop = asyncio.Event()

    async def until_stopped() -> None:
        await stop.wait()

    running = asyncio.ensure_future(supervise({"a": until_stopped}, log=LOG, stop=stop))
    await asyncio.sleep(0)
    stop.set()
    assert await running == 0


async def test_a_task_that_does_not_stop_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.supervisor.STOP_WITHIN_S", 0.01)
    stop = asyncio.Event()
    stop.set()
    assert await supervise({"a": forever}, log=LOG, stop=stop) == 0


def test_a_loop_without_progress_is_named() -> None:
    clock = ManualClock()
    pulse = Pulse(clock)
    pulse.beat("scan", again_within_s=10)
    pulse.beat("uplink", again_within_s=60)
    clock.advance(11_000)
    assert pulse.overdue() == ["scan"]
    pulse.done("scan")
    assert pulse.overdue() == []


async def test_only_a_turn_that_ended_counts_as_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.supervisor.PROOF_EVERY_S", 0.001)
    clock, stop, hangs = ManualClock(), asyncio.Event(), asyncio.Event()
    pulse = Pulse(clock)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        clock.advance(1000 * (PROOF_WITHIN_S - 1))
        if turns == 4:
            await hangs.wait()

    proving = asyncio.create_task(prove("store", turn, pulse=pulse, stop=stop))
    while turns < 4:
        assert pulse.overdue() == []
        await asyncio.sleep(0)
    clock.advance(2000)
    assert pulse.overdue() == ["store"]
    hangs.set()
    stop.set()
    await proving
    assert pulse.overdue() == [], "nobody is watched after a stop"


async def test_a_turn_that_fails_ends_the_process() -> None:
    stop = asyncio.Event()

    async def turn() -> None:
        msg = "the store is not what it was"
        raise IntegrityError(msg)

    async def proving() -> None:
        await prove("store", turn, pulse=Pulse(ManualClock()), stop=stop)

    status = await supervise({"store": proving}, log=LOG, stop=stop)
    assert status == IntegrityError.exit_status


def test_a_manager_that_does_not_read_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(place))
    monkeypatch.setattr(notify, "SEND_WITHIN_S", 0.01)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as deaf:
        deaf.bind(str(place))
        assert notify.watchdog()
        assert not all(notify.watchdog() for _ in range(10_000))
    assert not notify.watchdog(), "and one that went away neither"


def test_a_state_directory_has_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        ServiceLock(tmp_path, for_daemon=True),
        pytest.raises(ConflictError, match="in use"),
        ServiceLock(tmp_path),
    ):
        pass
    with ServiceLock(tmp_path):
        pass

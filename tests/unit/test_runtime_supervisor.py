"""Crash-only: one failed task ends the process, and its exit status says what it was."""

import asyncio
from pathlib import Path

import pytest

from proto.errors import ConflictError, IntegrityError
from runtime.log import logger
from runtime.service_lock import ServiceLock
from runtime.supervisor import CRASHED, Pulse, supervise
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


def test_a_state_directory_has_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        ServiceLock(tmp_path),
        pytest.raises(ConflictError, match="in use"),
        ServiceLock(tmp_path),
    ):
        pass
    with ServiceLock(tmp_path):
        pass

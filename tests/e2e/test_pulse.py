"""Both daemons tell systemd that they live, and stop telling it when their store hangs."""

import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.daemons import Daemon
from tests.e2e.pair import Pair, pair

WATCHDOG_US = 600_000
"""systemd would be told three times as often."""


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Stand where systemd stands: a datagram socket that services write to."""
    place = tmp_path / "notify"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as heard:
        heard.bind(str(place))
        heard.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(place))
        monkeypatch.setenv("WATCHDOG_USEC", str(WATCHDOG_US))
        yield heard


@pytest.fixture
def two(tmp_path: Path, manager: socket.socket) -> Iterator[Pair]:
    del manager  # it must be there before the daemons are
    with pair(tmp_path) as made:
        made.hub.stop()
        yield made


def drain(manager: socket.socket) -> None:
    manager.settimeout(0)
    try:
        while True:
            manager.recv(4096)
    except BlockingIOError:
        manager.settimeout(30)


@pytest.mark.parametrize("which", ["hub", "appliance"])
def test_a_daemon_says_that_it_is_ready_lives_and_ends(
    two: Pair, manager: socket.socket, which: str
) -> None:
    daemon: Daemon = getattr(two, which)
    drain(manager)
    daemon.start()
    assert manager.recv(4096).startswith(b"READY=1")
    assert [manager.recv(4096) for _ in range(4)] == [b"WATCHDOG=1"] * 4
    assert daemon.stop() == 0
    said = manager.recv(4096)
    while said == b"WATCHDOG=1":
        said = manager.recv(4096)
    assert said == b"STOPPING=1"


def test_a_stop_is_not_held_up_by_the_proof_of_life(two: Pair) -> None:
    two.hub.start()
    begun_s = time.monotonic()
    assert two.hub.stop() == 0
    assert time.monotonic() - begun_s < 5


def test_a_store_that_is_busy_for_a_moment_ends_nothing(two: Pair, manager: socket.socket) -> None:
    two.hub.start()
    with closing(sqlite3.connect(two.hub_store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        drain(manager)
        assert [manager.recv(4096) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        other.execute("ROLLBACK")
    assert two.hub.is_alive()
    assert two.hub.stop() == 0

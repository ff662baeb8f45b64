"""The lab: one world a session, one fresh host a test.

Everything below tests/lab carries the marker `lab`. Where a world cannot be made, the tests are
skipped with the command that would help; with root, sudo or CI=true that is a failure instead.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from osiris.demo import lab, rootfs
from osiris.demo.lab import LabHost, LoginKey
from osiris.demo.world import World

HERE = Path(__file__).parent
HOSTS = 99


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this directory."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)


def lab_missing() -> str:
    """Why the lab cannot run here, "" when it can."""
    return lab.obstacle()


@pytest.fixture(scope="session")
def lab_ready() -> None:
    """Skip, or fail where it must not be missing, when there can be no lab."""
    if reason := lab_missing():
        if lab.must_run():
            pytest.fail(f"the lab must run here and cannot: {reason}")
        pytest.skip(f"no lab: {reason}")


@pytest.fixture(scope="session")
def rootfs_file(lab_ready: None) -> Path:  # noqa: ARG001 - asked for its effect
    """The built root file system."""
    return rootfs.ensure(lambda _line: None)


@pytest.fixture(scope="session")
def login_key(tmp_path_factory: pytest.TempPathFactory) -> LoginKey:
    """The key that may log in to every host of the lab."""
    return lab.make_key(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="session")
def world(rootfs_file: Path) -> Iterator[World]:
    """A world for the whole session; tests that break worlds make their own."""
    with World(rootfs_file) as made:
        yield made


@pytest.fixture(scope="session")
def host_numbers() -> Iterator[int]:
    """Numbers for hosts, so that a name and an address are free again only much later."""
    return itertools.cycle(range(1, HOSTS + 1))


@pytest.fixture
def host(world: World, login_key: LoginKey, host_numbers: Iterator[int]) -> Iterator[LabHost]:
    """A Linux host of this test alone, as Debian delivers it, with sshd answering."""
    with lab.running(world, login_key, number=next(host_numbers)) as started:
        yield started

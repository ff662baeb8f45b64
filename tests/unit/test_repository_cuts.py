"""A publication that is cut off at any write leaves a repository that python-tuf still verifies."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface

from proto.keysets import Role
from runtime.repository.freshness import Freshened, freshen
from runtime.repository.layout import Place
from tests.fakes.repository import RepositoryWorld

CHECK = "checks/linux/lin.ssh.root_login.yaml"
BASE = "repository://"


class PowerCutError(Exception):
    """The machine stopped here."""


class CutPlace(Place):
    """A repository on a machine that stops before its nth write."""

    def write(self, role: Role, version: int, data: bytes) -> None:
        """Write a document, or stop."""
        self._count()
        super().write(role, version, data)

    def write_target(self, path: str, data: bytes) -> None:
        """Write a file, or stop."""
        self._count()
        super().write_target(path, data)

    def _count(self) -> None:
        left = LEFT[self.directory]
        if left.writes == 0:
            raise PowerCutError
        left.writes -= 1


@dataclass
class Left:
    """How many writes are left before the machine stops."""

    writes: int


LEFT: dict[Path, Left] = {}


class FromDisk(FetcherInterface):
    """Fetches from a directory, as if it were served."""

    def __init__(self, directory: Path) -> None:
        """Fetch from here."""
        self._directory = directory

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = self._directory / url.removeprefix(BASE)
        if not path.is_file():
            raise DownloadHTTPError(url, 404)
        yield path.read_bytes()


def seen_by_a_client(world: RepositoryWorld, directory: Path) -> bytes:
    """Return the check that a client gets; it is the same client at every look."""
    (directory / "files").mkdir(parents=True, exist_ok=True)
    updater = Updater(
        metadata_dir=str(directory),
        metadata_base_url=f"{BASE}metadata/",
        target_dir=str(directory / "files"),
        target_base_url=f"{BASE}targets/",
        fetcher=FromDisk(world.place.directory),
        bootstrap=world.place.read(Role.ROOT, 1),
    )
    found = updater.get_targetinfo(f"content/{CHECK}")
    assert found is not None
    return Path(updater.download_target(found)).read_bytes()


def take_in(world: RepositoryWorld) -> Freshened:
    """Let the hub work until its machine stops."""
    place = CutPlace(world.place.directory)
    return freshen(place, world.incoming.directory, world.fresh_keys, now_s=world.now_s)


def release(world: RepositoryWorld) -> None:
    world.release(2, {**world.content, CHECK: world.content[CHECK] + b"# reworded\n"})


def rotated_root(world: RepositoryWorld) -> None:
    former = [world.people[Role.ROOT, name] for name in ("dev-1", "dev-2")]
    for name in ("dev-1", "dev-2", "dev-3"):
        world.people[Role.ROOT, name] = world.key()
    following = [world.people[Role.ROOT, name] for name in ("dev-1", "dev-2")]
    world.root(2, *former, *following)
    release(world)


def rotated_release_keys(world: RepositoryWorld) -> None:
    former = [world.people[Role.RELEASE, name] for name in ("dev-1", "dev-2")]
    for name in ("dev-1", "dev-2", "dev-3"):
        world.people[Role.RELEASE, name] = world.key()
    world.root(2, *(world.people[Role.ROOT, name] for name in ("dev-1", "dev-2")))
    release(world)
    following = [world.people[Role.RELEASE, name] for name in ("dev-1", "dev-2")]
    world.resign(Role.RELEASE, 2, *former, *following)


@pytest.mark.parametrize("publication", [release, rotated_root, rotated_release_keys])
def test_a_reader_finds_the_old_set_or_the_new_one_wherever_it_is_cut(
    publication: Callable[[RepositoryWorld], None], tmp_path: Path
) -> None:
    world = RepositoryWorld(tmp_path / "hub", now_s=int(time.time()))
    world.first()
    old = world.content[CHECK]
    new = old + b"# reworded\n"
    assert seen_by_a_client(world, tmp_path / "client") == old
    publication(world)
    begun = tmp_path / "begun"
    shutil.copytree(tmp_path / "hub", begun)
    seen, cut = [], 0
    while True:
        LEFT[world.place.directory] = Left(cut)
        try:
            found = take_in(world)
        except PowerCutError:
            seen.append(seen_by_a_client(world, tmp_path / f"client-{cut}"))
            # The machine comes back and goes on with what lies there.
            LEFT[world.place.directory] = Left(100)
            assert not take_in(world).problem
            assert seen_by_a_client(world, tmp_path / f"client-{cut}") == new
            shutil.rmtree(tmp_path / "hub")
            shutil.copytree(begun, tmp_path / "hub")
            cut += 1
            continue
        break
    assert not found.problem
    assert seen_by_a_client(world, tmp_path / "client") == new
    assert set(seen) <= {old, new}
    assert cut >= 4, "a file, its document, the snapshot and the timestamp at least"

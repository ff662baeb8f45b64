"""python-tuf's own client walks a content repository over HTTP and trusts what we trust."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tuf.api.exceptions import DownloadHTTPError, RepositoryError
from tuf.ngclient import Updater

from proto.keysets import Role
from runtime.repository.layout import Place
from tests.fakes.repository import RepositoryWorld


class Quiet(SimpleHTTPRequestHandler):
    """A file server that writes nothing to standard error."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(place: Place) -> Iterator[str]:
    handler = partial(Quiet, directory=str(place.directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def world(tmp_path: Path) -> RepositoryWorld:
    made = RepositoryWorld(tmp_path / "hub", now_s=int(time.time()))
    made.first()
    return made


def client(url: str, directory: Path, first_root: bytes) -> Updater:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "files").mkdir(exist_ok=True)
    return Updater(
        metadata_dir=str(directory),
        metadata_base_url=f"{url}/metadata/",
        target_dir=str(directory / "files"),
        target_base_url=f"{url}/targets/",
        bootstrap=first_root,
    )


def walk(updater: Updater, path: str) -> bytes:
    found = updater.get_targetinfo(path)
    assert found is not None
    return Path(updater.download_target(found)).read_bytes()


def test_every_file_is_found_and_fetched(world: RepositoryWorld, tmp_path: Path) -> None:
    with served(world.place) as url:
        updater = client(url, tmp_path / "client", world.place.read(Role.ROOT, 1))
        for path, data in world.content.items():
            assert walk(updater, f"content/{path}") == data
        assert b'"people"' in walk(updater, "authority.json")
        assert b'"rings"' in walk(updater, "policy.json")
        assert b'"grants"' in walk(updater, "grants/grants.json")
        assert updater.get_targetinfo("content/none.yaml") is None


def test_it_follows_new_releases_and_new_roots(world: RepositoryWorld, tmp_path: Path) -> None:
    first = world.place.read(Role.ROOT, 1)
    with served(world.place) as url:
        client(url, tmp_path / "client", first).refresh()
        former = [world.people[Role.ROOT, name] for name in ("dev-1", "dev-2")]
        for name in ("dev-1", "dev-2", "dev-3"):
            world.people[Role.ROOT, name] = world.key()
        following = [world.people[Role.ROOT, name] for name in ("dev-2", "dev-3")]
        world.root(2, *former, *following)
        path = "checks/linux/lin.ssh.root_login.yaml"
        world.release(2, {**world.content, path: world.content[path] + b"# reworded\n"})
        assert not world.take_in().problem
        updater = client(url, tmp_path / "client", first)
        assert walk(updater, f"content/{path}").endswith(b"# reworded\n")


def test_it_refuses_a_root_that_new_keys_alone_signed(
    world: RepositoryWorld, tmp_path: Path
) -> None:
    first = world.place.read(Role.ROOT, 1)
    for name in ("dev-1", "dev-2", "dev-3"):
        world.people[Role.ROOT, name] = world.key()
    world.root(2, *(world.people[Role.ROOT, name] for name in ("dev-1", "dev-2")))
    # A hub that was taken serves it all the same.
    world.place.write(Role.ROOT, 2, world.incoming.read(Role.ROOT, 2))
    with (
        served(world.place) as url,
        pytest.raises(RepositoryError, match="signed by 0/2 keys"),
    ):
        client(url, tmp_path / "client", first).refresh()


def test_a_withheld_file_is_an_error(world: RepositoryWorld, tmp_path: Path) -> None:
    for file in (world.place.directory / "targets" / "grants").iterdir():
        file.unlink()
    with served(world.place) as url:
        updater = client(url, tmp_path / "client", world.place.read(Role.ROOT, 1))
        with pytest.raises(DownloadHTTPError):
            walk(updater, "grants/grants.json")

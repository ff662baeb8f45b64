"""A hub's content repository: set up, served, kept fresh, and walked by python-tuf's own client."""

import asyncio
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface

from central import config as configuration
from central import setup
from central.jobs.content import ContentJob
from central.main import wired
from central.repository import HubRepository, OwnSigning
from proto.errors import ConfigError
from proto.keysets import DAY_S, Role
from proto.trust_root import fingerprint, open_first
from runtime import tls
from runtime.clock import system_entropy
from runtime.content import read_installed
from runtime.log import logger
from runtime.repository import development
from runtime.repository.hub_keys import HubKeys
from runtime.repository.layout import Place
from tests.fakes.clock import ManualClock
from tests.fakes.hub_process import HubProcess, hub_process, write_config
from tests.unit.reference_set import as_files, whole_texts

SMALL = as_files(whole_texts())


class OverTls(FetcherInterface):
    """Fetches as an appliance does: over TLS, believing the hub's own authority alone."""

    def __init__(self, client: httpx.Client) -> None:
        """Fetch with this client."""
        self._client = client

    def _fetch(self, url: str) -> Iterator[bytes]:
        answer = self._client.get(url)
        if answer.status_code != 200:
            raise DownloadHTTPError(url, answer.status_code)
        yield answer.content


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with hub_process(tmp_path_factory.mktemp("hub")) as made:
        made.start()
        yield made


@pytest.fixture(scope="module")
def client(hub: HubProcess) -> Iterator[httpx.Client]:
    material = setup.server_tls(hub.config, ManualClock(time.time_ns() // 1_000_000))
    trusted = tls.client_context(material.authority.read_text("ascii"))
    with httpx.Client(base_url=hub.origin, verify=trusted, trust_env=False, timeout=30) as made:
        yield made


def test_pythons_tuf_walks_a_running_hub_from_the_pinned_root(
    hub: HubProcess, client: httpx.Client, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    pinned = client.get("/api/agent/root").content
    root = client.get("/content/metadata/1.root.json").content
    said = open_first(pinned, pinned=fingerprint(pinned))
    assert said.content_root == hashlib.sha256(root).digest()
    updater = Updater(
        metadata_dir=str(tmp_path),
        metadata_base_url=f"{hub.origin}/content/metadata/",
        target_dir=str(tmp_path / "files"),
        target_base_url=f"{hub.origin}/content/targets/",
        fetcher=OverTls(client),
        bootstrap=root,
    )
    shipped = read_installed()
    for path in ("authority.json", "policy.json", "grants/grants.json"):
        assert updater.get_targetinfo(path) is not None, path
    for path, data in list(shipped.items())[::20]:
        found = updater.get_targetinfo(f"content/{path}")
        assert found is not None, path
        assert Path(updater.download_target(found)).read_bytes() == data


@pytest.mark.parametrize(
    "path",
    [
        "%2e%2e/keys/root.key",
        "..%2fkeys%2froot.key",
        "metadata/..%2f..%2fkeys%2froot.key",
        "targets/%2e%2e/%2e%2e/keys/root.key",
        "metadata/",
        "metadata",
        "",
        "metadata/1.root.json/",
        "metadata/.1.root.json.new",
        "metadata/2.root.json",
        "metadata/01.root.json",
        "metadata/1.root.json%00",
        "targets/authority.json",
        "targets/content",
        "development/dev-1.root.key",
    ],
)
def test_nothing_but_the_repositorys_own_files_is_served(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/content/{path}")
    assert answer.status_code == 404
    assert len(answer.content) < 200


def test_what_never_changes_may_be_kept_and_the_timestamp_not(client: httpx.Client) -> None:
    once = client.get("/content/metadata/1.root.json").headers["cache-control"]
    asked = client.get("/content/metadata/timestamp.json").headers["cache-control"]
    assert (once, asked) == ("public, max-age=31536000, immutable", "no-cache")
    assert client.post("/content/metadata/timestamp.json").status_code == 405


def test_a_link_in_the_repository_is_not_followed(hub: HubProcess, client: httpx.Client) -> None:
    link = hub.config.state_dir / "content" / "metadata" / "9.targets.json"
    link.symlink_to(hub.config.state_dir / "keys" / "root.key")
    try:
        assert client.get("/content/metadata/9.targets.json").status_code == 404
    finally:
        link.unlink()


def test_a_hub_starts_without_loading_what_only_its_writer_needs() -> None:
    program = "import sys, central.main; print([m for m in sys.modules if m.startswith('tuf')])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert found.stdout.strip() == b"[]"


async def made(path: Path, clock: ManualClock, **more: dict[str, bytes]) -> configuration.Config:
    config = configuration.read(write_config(path, 8443))
    await setup.init(
        config, clock=clock, entropy=system_entropy, content=more.get("content", SMALL)
    )
    return config


def job_of(config: configuration.Config, clock: ManualClock) -> ContentJob:
    place = setup.Place(config.state_dir)
    signing = OwnSigning(place.repository, place.kept_key, clock)
    return ContentJob(config.state_dir, signing, clock=clock, log=logger("hub"))


async def test_asking_again_publishes_what_is_newer_and_renews_what_ends(tmp_path: Path) -> None:
    clock = ManualClock()
    config = await made(tmp_path, clock)
    place = HubRepository(config.state_dir).place

    def versions() -> list[int]:
        return [place.newest(role) for role in (Role.ROOT, Role.RELEASE, Role.GRANTS)]

    await made(tmp_path, clock)
    assert versions() == [1, 1, 1]
    clock.advance(4 * DAY_S * 1000)
    await made(tmp_path, clock)
    assert versions() == [1, 1, 2]
    path = next(iter(SMALL))
    await made(tmp_path, clock, content={**SMALL, path: SMALL[path] + b"# reworded\n"})
    assert versions() == [1, 2, 2]
    clock.advance(200 * DAY_S * 1000)
    await made(tmp_path, clock)
    assert versions() == [2, 3, 3]


async def test_the_job_renews_the_timestamp_and_takes_in_what_is_published(tmp_path: Path) -> None:
    clock = ManualClock()
    config = await made(tmp_path, clock)
    repository, job = HubRepository(config.state_dir), job_of(config, clock)
    before = repository.place.metadata(Role.TIMESTAMP, 0).read_bytes()
    assert await job.look() == ""
    assert repository.place.metadata(Role.TIMESTAMP, 0).read_bytes() == before
    clock.advance(DAY_S * 600)
    assert await job.look() == ""
    assert repository.place.metadata(Role.TIMESTAMP, 0).read_bytes() != before

    place = setup.Place(config.state_dir)
    keys = {name: place.signing_key(name).public for name in ("head", "log", "order", "promoted")}
    now_s = clock.now_ms() // 1000
    people = development.keep_people(repository.people, now_s=now_s, entropy=system_entropy)
    hub = HubKeys(
        config.file.origin,
        snapshot=place.signing_key("snapshot").public,
        timestamp=place.signing_key("timestamp").public,
        vouched={},
        **keys,
    )
    broken = {path: data for path, data in SMALL.items() if not path.startswith("controls/")}
    incoming = Place(repository.incoming)
    development.publish_release(incoming, people, hub, broken, version=2, now_s=now_s)
    assert "controls" in await job.look()
    assert repository.place.newest(Role.RELEASE) == 1
    (repository.incoming / "metadata" / "2.targets.json").unlink()
    path = next(iter(SMALL))
    reworded = {**SMALL, path: SMALL[path] + b"# reworded\n"}
    development.publish_release(incoming, people, hub, reworded, version=2, now_s=now_s)
    late = next(
        file
        for file in (repository.incoming / "targets").rglob("*.yaml")
        if file.read_bytes() == reworded[path]
    )
    late.unlink()
    assert "there is no such file" in await job.look()
    late.write_bytes(reworded[path])
    assert "there is no such file" in await job.look(), "it is not looked at again so soon"
    clock.advance(301_000)
    assert await job.look() == ""
    assert repository.place.newest(Role.RELEASE) == 2


async def test_a_publication_that_the_hub_cannot_touch_is_said_and_ends_nothing(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    config = await made(tmp_path, clock)
    repository, job = HubRepository(config.state_dir), job_of(config, clock)
    document = repository.incoming / "metadata" / "1.targets.json"
    document.mkdir()
    assert "1.targets.json" in await job.look()
    document.rmdir()
    clock.advance(DAY_S * 1000)
    assert await job.look() == ""


async def test_two_who_write_at_once_take_turns(tmp_path: Path) -> None:
    clock = ManualClock()
    config = await made(tmp_path, clock)
    clock.advance(DAY_S * 1000)
    jobs = [job_of(config, clock) for _ in range(3)]
    assert await asyncio.gather(*(job.look() for job in jobs)) == ["", "", ""]
    stamp = HubRepository(config.state_dir).life_of(Role.TIMESTAMP)
    assert stamp is not None
    assert stamp.version == 2


async def test_the_hub_says_whose_trust_it_is(tmp_path: Path) -> None:
    clock = ManualClock()
    config = await made(tmp_path, clock)
    repository = HubRepository(config.state_dir)
    assert repository.grants_end_s() == clock.now_ms() // 1000 + 7 * DAY_S
    async with wired(config) as daemon:
        assert daemon.hub.trust == "development"
        assert daemon.hub.content == config.state_dir / "content"


async def test_one_persons_trust_does_not_become_several_peoples_by_losing_its_keys(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    config = await made(tmp_path, clock)
    shutil.rmtree(HubRepository(config.state_dir).people)
    async with wired(config) as daemon:
        assert daemon.hub.trust == "development"


async def test_a_hub_that_has_its_trust_takes_no_other(tmp_path: Path) -> None:
    clock = ManualClock()
    config = await made(tmp_path, clock)
    for another in (setup.prepare, setup.adopt):
        with pytest.raises(ConfigError, match="has its trust already"):
            await another(config, clock=clock, entropy=system_entropy)

"""Signed content takes the place of what the program ships: whole, durably, or not at all."""

import asyncio
import hashlib
import os
import shutil
import ssl
import sys
import threading
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from appliance.core.content_refusals import ContentRefusedError, DamagedError
from appliance.core.sentry import Sentry
from appliance.handlers import content as handler
from appliance.handlers.library import Library, Origin
from appliance.shell.content import ContentPlace, ContentRepository, pack, unpack
from appliance.shell.hub_client import HubClient, OneKey
from appliance.store import health
from appliance.store.health import Condition
from appliance.tasks.content import WAIT_MAX_S, wait_s
from proto.catalog.load import load
from proto.errors import UnreachableError
from proto.keysets import DAY_S, Role
from proto.release_keys import CONTENT_PREFIX
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.unit.content_world import SITE, Repository, reader_of
from tests.unit.discovery_site import SmallSite, small_site
from tests.unit.order_world import NOW, key
from tests.unit.reference_set import CHECK, as_files, edited, whole_texts

OWN = load(as_files(whole_texts()))
SIGNED = edited(CHECK, "interval_s: 900", "interval_s: 901")
NEXT = edited(CHECK, "interval_s: 900", "interval_s: 902")
TORN = {path: data for path, data in SIGNED.items() if not path.startswith("runbooks/")}


def published(content: Mapping[str, bytes] = SIGNED) -> Repository:
    """Return a repository of content that loads."""
    made = Repository()
    made.root(1)
    made.release(1, content)
    made.grants(1)
    made.say_current(1)
    return made


def follow(repository: Repository, content: Mapping[str, bytes], version: int = 2) -> Repository:
    """Publish another release."""
    repository.release(version, content)
    repository.say_current(version)
    return repository


class Nobody:
    """A hub that is gone."""

    async def read(self, path: str) -> bytes:
        """Never answer."""
        msg = f"{path}: nobody answers"
        raise UnreachableError(msg)


def client_at(directory: Path, repository: Repository, **changes: object) -> ContentRepository:
    """Return the client of an appliance that was enrolled at a repository."""
    made: dict[str, object] = {
        "place": ContentPlace(directory),
        "origin": "https://hub.invalid",
        "tls": ssl.create_default_context,
        "reader": Nobody(),
        "pinned": hashlib.sha256(repository.document(Role.ROOT, 1)).digest(),
        "site": SITE,
        "at_hand": dict,
        "steady_s": lambda: 0.0,
    }
    return ContentRepository(**{**made, **changes})  # type: ignore[arg-type] # as the class says


def carry(repository: Repository, directory: Path) -> None:
    """Put the repository where the command line puts a file that was carried in."""
    directory.mkdir(mode=0o700, exist_ok=True)
    with zipfile.ZipFile(directory / "carried.zip", "w") as outlet:
        for name, data in repository.files.items():
            outlet.writestr(name, data)


def library_at(directory: Path, repository: Repository, origin: Origin = Origin.PROGRAM) -> Library:
    """Return the content of an appliance as it starts."""
    return Library(lambda: OWN, client_at(directory, repository), origin=origin)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "content"


class TestACarriedFile:
    async def test_takes_the_place_of_what_the_program_ships(self, home: Path) -> None:
        repository = published()
        library = library_at(home, repository)
        assert (library.content, library.origin, library.trusted) == (OWN, Origin.PROGRAM, None)
        carry(repository, home)
        assert await library.load_carried(now_s=NOW)
        assert library.origin is Origin.SIGNED
        assert library.content.digest == load(SIGNED).digest
        assert library.trusted is not None
        assert library.trusted.trust is not None
        assert not (home / "carried.zip").exists()
        again = library_at(home, repository)
        assert again.content.digest == library.content.digest
        assert again.trusted == library.trusted

    async def test_is_verified_like_anything_else(self, home: Path) -> None:
        repository = published()
        library = library_at(home, repository)
        carry(follow(repository, NEXT, 5), home)
        await library.load_carried(now_s=NOW)
        old = published()
        carry(old, home)
        with pytest.raises(ContentRefusedError) as caught:
            await library.load_carried(now_s=NOW)
        assert caught.value.code == "content_rolled_back"
        carry(repository, home)
        with pytest.raises(ContentRefusedError) as caught:
            await library.load_carried(now_s=NOW + DAY_S)
        assert caught.value.code == "content_frozen"
        assert library.content.digest == load(NEXT).digest

    async def test_of_another_hub_is_refused(self, home: Path) -> None:
        ours, theirs = published(), published()
        theirs.root(1, "root-2", "root-3")
        carry(theirs, home)
        with pytest.raises(ContentRefusedError) as caught:
            await library_at(home, ours).load_carried(now_s=NOW)
        assert caught.value.code == "content_root_refused"

    @pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 100])
    def test_that_is_no_repository_is_refused(self, home: Path, data: bytes) -> None:
        ContentPlace(home).prepare()
        (home / "carried.zip").write_bytes(data)
        with pytest.raises(ContentRefusedError):
            asyncio.run(library_at(home, published()).load_carried(now_s=NOW))

    async def test_that_was_cut_short_is_refused(self, home: Path) -> None:
        repository = published()
        carry(repository, home)
        file = home / "carried.zip"
        whole = file.read_bytes()
        for size in range(1, len(whole), len(whole) // 7):
            file.write_bytes(whole[:size])
            with pytest.raises(ContentRefusedError):
                await library_at(home, repository).load_carried(now_s=NOW)


class TestWhatDoesNotHoldTogether:
    async def test_changes_nothing(self, home: Path) -> None:
        repository = published()
        library = library_at(home, repository)
        carry(repository, home)
        await library.load_carried(now_s=NOW)
        kept, trusted, running = (
            (home / "active.zip").read_bytes(),
            library.trusted,
            library.content,
        )
        carry(follow(repository, TORN), home)
        with pytest.raises(ContentRefusedError) as caught:
            await library.load_carried(now_s=NOW)
        assert caught.value.code == "content_refused"
        assert (home / "active.zip").read_bytes() == kept
        assert library.trusted is trusted
        assert library.content is running

    async def test_a_configured_directory_stays_in_force(self, home: Path) -> None:
        repository = published()
        library = library_at(home, repository, Origin.DIRECTORY)
        carry(repository, home)
        assert not await library.load_carried(now_s=NOW)
        assert (library.content, library.origin) == (OWN, Origin.DIRECTORY)
        assert library.trusted is not None
        assert library_at(home, repository, Origin.DIRECTORY).content is OWN


class TestTheKeptSet:
    async def kept(self, home: Path) -> Repository:
        repository = published()
        carry(repository, home)
        await library_at(home, repository).load_carried(now_s=NOW)
        return repository

    async def test_reads_back_as_it_was_written(self, home: Path) -> None:
        repository = await self.kept(home)
        held = client_at(home, repository).kept()
        assert held is not None
        assert unpack(pack(held)) == held
        assert {f"{CONTENT_PREFIX}{path}" for path in held.content or ()} < set(held.listed)

    async def test_a_file_that_was_put_in_place_of_another_is_damage(self, home: Path) -> None:
        repository = await self.kept(home)
        file, changed = home / "active.zip", home / "changed.zip"
        with zipfile.ZipFile(file) as inlet, zipfile.ZipFile(changed, "w") as outlet:
            for name in inlet.namelist():
                more = b"# more\n" if name.startswith("content/checks/") else b""
                outlet.writestr(name, inlet.read(name) + more)
        changed.replace(file)
        library = library_at(home, repository)
        assert library.refusal is not None
        assert library.refusal.code == "content_damaged"
        assert (library.content, library.trusted) == (OWN, None)

    async def test_damage_is_told_and_the_programs_own_content_runs(self, home: Path) -> None:
        repository = await self.kept(home)
        file = home / "active.zip"
        whole = file.read_bytes()
        for place in range(10, len(whole), len(whole) // 23):
            bad = bytearray(whole)
            bad[place] ^= 0x41
            file.write_bytes(bytes(bad))
            try:
                same = unpack(bytes(bad)) == unpack(whole)
            except DamagedError:
                same = False
            library = library_at(home, repository)
            if not same:
                assert library.refusal is not None
                assert library.refusal.code == "content_damaged"
                assert library.content is OWN
                assert Condition.CONTENT_DAMAGED in handler.unwell(library, now_s=NOW, clock_s=NOW)
        carry(repository, home)
        file.write_bytes(whole[: len(whole) // 2])
        library = library_at(home, repository)
        await library.load_carried(now_s=NOW)
        assert library.origin is Origin.SIGNED
        assert not handler.unwell(library, now_s=NOW, clock_s=NOW)

    async def test_that_no_longer_loads_stays_told_until_another_one_runs(self, home: Path) -> None:
        """A hub that has nothing new to offer does not make it load."""
        repository = published(TORN)
        ContentPlace(home).prepare()
        reader = reader_of(repository, home / "tuf")
        await client_at(home, repository).keep(reader.look(repository))
        async with at_hub(home, repository) as (library, _):
            assert (library.content, library.origin) == (OWN, Origin.PROGRAM)
            for minute in range(3):
                assert library.refusal is not None
                assert handler.unwell(library, now_s=NOW, clock_s=NOW)
                assert not await library.look(now_s=NOW + minute * 60)
            follow(repository, NEXT)
            assert await library.look(now_s=NOW + 180)
            assert library.content.digest == load(NEXT).digest
            assert not handler.unwell(library, now_s=NOW + 180, clock_s=NOW + 180)

    async def test_that_is_the_first_and_does_not_load_gives_its_keys_a_word(
        self, home: Path
    ) -> None:
        """A program that is too old for its hub's release can be ordered something all the same."""
        repository = published(TORN)
        ContentPlace(home).prepare()
        async with at_hub(home, repository) as (library, _):
            assert not await library.look(now_s=NOW)
            assert (library.content, library.origin) == (OWN, Origin.PROGRAM)
            assert library.trusted is not None
            assert library.trusted.trust is not None
            assert list(handler.unwell(library, now_s=NOW, clock_s=NOW)) == [
                Condition.CONTENT_REFUSED
            ]
            begun_again = library_at(home, repository)
            assert (begun_again.content, begun_again.trusted) == (OWN, library.trusted)
            assert handler.unwell(begun_again, now_s=NOW, clock_s=NOW)
            follow(repository, NEXT)
            assert await library.look(now_s=NOW + 60)
            assert library.content.digest == load(NEXT).digest
            assert not handler.unwell(library, now_s=NOW + 60, clock_s=NOW + 60)

    async def test_that_no_longer_loads_keeps_no_word_about_keys_from_being_heard(
        self, home: Path
    ) -> None:
        """A newer program asks more of the content: who may order, and who no more, is heard."""
        repository = published(TORN)
        ContentPlace(home).prepare()
        reader = reader_of(repository, home / "tuf")
        await client_at(home, repository).keep(reader.look(repository))
        async with at_hub(home, repository) as (library, _):
            repository.release(2, TORN)
            repository.grants(2)
            repository.say_current(2)
            assert not await library.look(now_s=NOW + 60)
            assert library.trusted is not None
            assert library.trusted.trust is not None
            assert library.trusted.authority.document.version == 2
            assert library.trusted.trust.grants.document.version == 2
            assert (library.content, library.origin) == (OWN, Origin.PROGRAM)
            assert handler.unwell(library, now_s=NOW, clock_s=NOW)
            torn_anew = {path: data for path, data in NEXT.items() if path in TORN}
            follow(repository, torn_anew, 3)
            with pytest.raises(ContentRefusedError):
                await library.look(now_s=NOW + 120)
            assert library.trusted.release_version == 2, "other content that does not load"
        assert library_at(home, repository).trusted == library.trusted


WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.symlink")


def cut(step: int, work: Callable[[], object]) -> bool:
    """Do some work in a process that ends just before its `step`th change to the disk.

    Return whether it was cut; False when there are fewer.
    """
    child = os.fork()
    if child == 0:
        left = step

        def watch(event: str, args: tuple[object, ...]) -> None:
            nonlocal left
            flags = args[2] if event == "open" else 0
            if event in CHANGES or (isinstance(flags, int) and flags & WRITES):
                left -= 1
                if left < 0:
                    os._exit(9)

        sys.addaudithook(watch)
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


async def test_a_crash_at_any_step_leaves_the_old_set_or_the_new(home: Path) -> None:
    repository = published()
    carry(repository, home)
    await library_at(home, repository).load_carried(now_s=NOW)
    follow(repository, NEXT)
    repository.root(2, "root-1", "root-2")
    repository.timestamp(3)
    before, aside = home, home.with_name("aside")
    shutil.copytree(before, aside, symlinks=True)
    old, new = load(SIGNED).digest, load(NEXT).digest
    found = []
    for step in range(200):
        shutil.rmtree(home)
        shutil.copytree(aside, home, symlinks=True)
        carry(repository, home)
        was_cut = cut(
            step,
            lambda: asyncio.run(library_at(home, repository).load_carried(now_s=NOW)),
        )
        library = library_at(home, repository)
        assert library.refusal is None, step
        assert library.trusted is not None
        assert library.content.digest in {old, new}, step
        is_new = library.content.digest == new
        assert library.trusted.release_version == (2 if is_new else 1)
        found.append(is_new)
        carry(repository, home)
        await library.load_carried(now_s=NOW)
        assert library.content.digest == new, step
        if not was_cut:
            break
    assert len(found) > 8
    assert found[0] is False
    assert found[-1] is True
    assert found == sorted(found), "once new, never old again"


@contextmanager
def served(repository: Repository) -> Iterator[tuple[str, list[str]]]:
    """Serve a repository on this machine's loopback; yield where, and the paths asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            data = repository.files.get(self.path.removeprefix("/content/"))
            self.send_response(200 if data is not None else 404)
            self.send_header("content-length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


@asynccontextmanager
async def at_hub(home: Path, repository: Repository) -> AsyncIterator[tuple[Library, list[str]]]:
    """Give the content of an appliance whose hub serves a repository, and what it asks for."""
    context = ssl.create_default_context()
    with served(repository) as (origin, asked):
        hub = HubClient(origin, tls=context, signer=OneKey(key("appliance")), sentry=Sentry())
        client = client_at(home, repository, origin=origin, reader=hub, tls=lambda: context)
        try:
            yield Library(lambda: OWN, client, origin=Origin.PROGRAM), asked
        finally:
            await hub.close()


class TestAtAHub:
    async def test_nothing_new_costs_two_questions(self, home: Path) -> None:
        async with at_hub(home, published()) as (library, asked):
            assert await library.look(now_s=NOW)
            asked.clear()
            assert not await library.look(now_s=NOW + 60)
            assert asked == ["/content/metadata/timestamp.json", "/content/metadata/2.root.json"]

    async def test_only_what_changed_is_fetched(self, home: Path) -> None:
        repository = published()
        async with at_hub(home, repository) as (library, asked):
            await library.look(now_s=NOW)
            follow(repository, NEXT)
            asked.clear()
            assert await library.look(now_s=NOW)
            fetched = [path for path in asked if "/targets/content/" in path]
            assert len(fetched) == 1
            assert library.content.digest == load(NEXT).digest

    async def test_a_later_ring_takes_it_when_it_is_due(self, home: Path) -> None:
        repository = published()
        async with at_hub(home, repository) as (library, asked):
            await library.look(now_s=NOW)
            rings = [
                {"name": "canary", "after_s": 0, "sites": ["s-bbbbbbbbbb"]},
                {"name": "rest", "after_s": 3600, "sites": "all"},
            ]
            repository.release(2, NEXT, policy={"rings": rings})
            repository.say_current(2)
            assert not await library.look(now_s=NOW)
            assert library.trusted is not None
            assert library.trusted.release_version == 2
            asked.clear()
            assert not await library.look(now_s=NOW + 3599)
            assert len(asked) == 2
            assert await library.look(now_s=NOW + 3600)
            assert library.content.digest == load(NEXT).digest

    async def test_a_hub_that_withholds_everything_is_told_from_one_that_is_away(
        self, home: Path
    ) -> None:
        repository = published()
        async with at_hub(home, repository) as (library, _):
            await library.look(now_s=NOW)
            files, repository.files = repository.files, {}
            with pytest.raises(ContentRefusedError) as caught:
                await library.look(now_s=NOW)
            assert caught.value.code == "content_withheld"
            repository.files = files
            assert not await library.look(now_s=NOW)
            assert library.refusal is None
        away = library_at(home, repository)
        with pytest.raises(UnreachableError):
            await away.look(now_s=NOW)
        assert away.refusal is None
        assert away.origin is Origin.SIGNED

    async def test_a_slow_hub_is_given_up(self, home: Path) -> None:
        repository = published()
        seconds = iter(range(0, 10**9, 200))
        with served(repository) as (origin, _):
            client = client_at(
                home, repository, origin=origin, steady_s=lambda: float(next(seconds))
            )
            with pytest.raises(UnreachableError):
                await client.look(None, runs=OWN.digest, now_s=NOW)


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[SmallSite]:
    async with small_site(folder, scanner=FakeScanner([]), shell=FakeShell({})) as made:
        yield made


async def conditions(at: SmallSite) -> set[Condition]:
    async with at.work.store.read() as conn:
        return set(await health.raised(conn))


class TestHealth:
    async def test_each_refusal_is_a_condition_until_it_is_over(
        self, home: Path, tmp_path: Path
    ) -> None:
        repository = published()
        async with site(tmp_path) as at, at_hub(home, repository) as (library, _):
            await handler.look(at.work, library)
            assert not await conditions(at)
            good = dict(repository.files)
            follow(repository, NEXT)
            del repository.files["metadata/2.targets.json"]
            await handler.look(at.work, library)
            assert await conditions(at) == {Condition.CONTENT_WITHHELD}
            repository.files = good
            await handler.look(at.work, library)
            assert await conditions(at) == {Condition.CONTENT_ROLLED_BACK}
            repository.files = follow(published(), NEXT, 3).files
            await handler.look(at.work, library)
            assert not await conditions(at)
            assert library.content.digest == load(NEXT).digest

    async def test_what_ended_is_told_with_since_when(self, home: Path, tmp_path: Path) -> None:
        async with site(tmp_path) as at, at_hub(home, published()) as (library, _):
            await handler.look(at.work, library)
            at.clock.advance(15 * DAY_S * 1000)
            await handler.settle(at.work, library, changed=False)
            assert await conditions(at) == {Condition.CONTENT_FROZEN, Condition.CONTENT_EXPIRED}
            said = handler.unwell(library, now_s=NOW + 15 * DAY_S, clock_s=NOW + 15 * DAY_S)
            assert said[Condition.CONTENT_EXPIRED] == "the grants ended 2026-01-11 00:00 UTC"
            assert "the timestamp ended 2026-01-02 00:00 UTC" in said[Condition.CONTENT_FROZEN]
            assert library.origin is Origin.SIGNED


async def test_a_clock_that_is_set_back_gives_expired_metadata_no_new_life(
    home: Path, tmp_path: Path
) -> None:
    repository = published()
    async with site(tmp_path) as at, at_hub(home, repository) as (library, _):
        await handler.look(at.work, library)
        at.clock.advance(20 * DAY_S * 1000)
        repository.now_s += 20 * DAY_S
        repository.grants(2)
        follow(repository, NEXT)
        await handler.look(at.work, library)
        assert not await conditions(at)
        at.clock.advance(-20 * DAY_S * 1000)
        assert await handler.now_s(at.work) == repository.now_s
        repository.now_s -= 2 * DAY_S
        follow(repository, SIGNED, 3)
        await handler.look(at.work, library)
        assert await conditions(at) == {Condition.CONTENT_FROZEN}
        assert library.content.digest == load(NEXT).digest


def test_a_repository_that_is_refused_is_asked_less_and_less() -> None:
    assert wait_s(0) == 0
    waits = [wait_s(count) for count in range(1, 30)]
    assert waits == sorted(waits)
    assert waits[0] == 60
    assert waits[-1] == WAIT_MAX_S

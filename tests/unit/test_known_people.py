"""The list of known people: private, read again when it changes, never used by halves."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.handlers.known_people import KnownPeopleFile, read_people
from appliance.handlers.scrubber import Scrubber
from appliance.store import health
from appliance.store.health import Condition
from proto.errors import ConfigError
from proto.phi import default_names
from runtime.clock import system_entropy
from tests.fakes.clock import ManualClock
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.unit.discovery_site import SmallSite, small_site

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)
KEY = bytes(32)
GOOD = "last,first,mrn\nPage,May,MR00481516\n"
TEXT = "sent 00481516 to the queue"


def written(path: Path, text: str, *, mode: int = 0o600) -> Path:
    """Write a list anew, as a person who saves it would."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(text.encode())
    fresh.chmod(mode)
    fresh.replace(path)
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("first,last\nA,B,C\n", ":2: 3 cells under 2 headers"),
        ("mrn\n00481516\n", ":1: no column is called"),
        ("", ":1: no column"),
        ("first,last\n", ":1: nobody is listed"),
        ('first,last\nA,"B\n', ":2: "),
    ],
)
def test_a_wrong_list_is_refused_with_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path / "people.csv", text)
    with pytest.raises(ConfigError) as refused:
        read_people(path, KEY)
    assert str(refused.value).startswith(f"{path}{said}")


def test_a_list_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"first,last\nAnn,Lee\nJos\xe9,Diaz\n")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=r":3: not UTF-8"):
        read_people(path, KEY)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_list_that_others_may_read_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "people.csv", GOOD, mode=mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_people(path, KEY)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    target = written(tmp_path / "people.csv", GOOD)
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    for path in (link, tmp_path / "none.csv", tmp_path):
        with pytest.raises(ConfigError, match="known people"):
            read_people(path, KEY)


def test_nobodys_name_stands_in_what_is_kept_of_a_list(tmp_path: Path) -> None:
    people = read_people(written(tmp_path / "people.csv", GOOD), KEY)
    kept = b"".join(one.tobytes() for one in (people.tokens, people.pairs, people.numbers))
    for told in (b"page", b"Page", b"481516"):
        assert told not in kept


@dataclass
class Listed:
    """A site with a configured list."""

    site: SmallSite
    scrubber: Scrubber
    file: KnownPeopleFile

    async def look(self) -> None:
        """What the upkeep does every few seconds."""
        await self.file.refresh()
        await self.file.tell(self.site.work)

    async def unwell(self) -> bool:
        async with self.site.work.store.read() as conn:
            return Condition.KNOWN_PEOPLE in await health.raised(conn)

    def scrubbed(self) -> str:
        return str(self.scrubber.scrub(TEXT))


def listed(site: SmallSite, path: Path) -> Listed:
    scrubber = site.work.scrubber
    assert isinstance(scrubber, Scrubber)
    file = KnownPeopleFile(
        path,
        base=default_names(),
        scrubber=scrubber,
        clock=ManualClock(5_000),
        entropy=system_entropy,
    )
    return Listed(site, scrubber, file)


async def test_a_changed_list_is_used_and_a_bad_one_leaves_the_one_before(tmp_path: Path) -> None:
    path = written(tmp_path / "people.csv", "last,first,mrn\nLee,Ann,\n")
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as site:
        here = listed(site, path)
        await here.look()
        assert here.scrubbed() == TEXT
        written(path, GOOD)
        await here.look()
        assert "481516" not in here.scrubbed()
        assert (here.file.seen.count, here.file.seen.numbers) == (1, 1)
        written(path, GOOD, mode=0o644)
        await here.look()
        assert "481516" not in here.scrubbed()
        assert "chmod 600" in here.file.seen.trouble
        assert await here.unwell()
        os.chmod(path, 0o600)  # noqa: PTH101 - a person's one command
        await here.look()
        assert here.file.seen.trouble == ""
        assert not await here.unwell()


async def test_a_list_that_was_never_read_lets_no_text_through_until_it_is(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as site:
        here = listed(site, path)
        await here.look()
        assert here.scrubbed().startswith("[WITHHELD-")
        assert await here.unwell()
        written(path, GOOD)
        await here.look()
        assert here.scrubbed().endswith("to the queue")
        assert not await here.unwell()
        path.unlink()
        await here.look()
        assert await here.unwell()
        assert "481516" not in here.scrubbed()

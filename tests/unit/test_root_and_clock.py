"""A new trust root puts a floor clock right by which everything else that is signed has ended."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from appliance.core.content_refusals import ContentRefusedError
from appliance.handlers import content as handler
from appliance.handlers.work import Work
from appliance.portal.local_content import routes
from appliance.portal.state import PortalVisit
from appliance.store import order_state
from proto.catalog.load import load
from proto.receipts import ClockSet
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.unit.content_world import RELEASERS, ROOTS, Repository
from tests.unit.discovery_site import small_site
from tests.unit.order_site import receipts
from tests.unit.order_world import NOW
from tests.unit.test_content_library import NEXT, at_hub, carry, follow, library_at, published

YEAR_S = 365 * 86_400


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Work]:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as site:
        yield site.work


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "content"


async def run_ahead(work: Work) -> None:
    """Let the floor stand a year ahead, as after a slip of the hand."""
    async with work.store.write() as conn:
        await order_state.pass_online(conn, NOW + 2 * YEAR_S, clock_s=NOW + 2 * YEAR_S)


async def floor_s(work: Work) -> int:
    async with work.store.read() as conn:
        return (await order_state.load(conn)).floor.at_s


def with_new_root(repository: Repository) -> Repository:
    repository.root(2)
    return follow(repository, NEXT)


async def test_a_new_root_counts_though_all_behind_it_has_ended_by_the_floor(
    work: Work, home: Path
) -> None:
    repository = published()
    async with at_hub(home, repository) as (library, _):
        await handler.look(work, library)
        assert library.trusted is not None
        await run_ahead(work)
        await handler.look(work, library)
        assert await floor_s(work) > NOW + YEAR_S, "nothing but a new root lowers it"
        with_new_root(repository)
        await handler.look(work, library)
        assert await floor_s(work) == NOW
        await handler.look(work, library)
        assert library.content.digest == load(NEXT).digest
    told = [one for one in await receipts(work) if isinstance(one, ClockSet)]
    assert [(one.by, one.floor) for one in told] == [("root", NOW)]


async def test_people_are_told_that_it_is_the_floor_by_which_it_has_ended(
    work: Work, home: Path
) -> None:
    """A date of next month that "ended" would send them to the wrong people."""
    repository = published()
    async with at_hub(home, repository) as (library, _):
        await handler.look(work, library)
        assert handler.unwell(library, now_s=NOW, clock_s=NOW) == {}
        said = handler.unwell(library, now_s=NOW + 2 * YEAR_S, clock_s=NOW)
        assert len(said) == 2
        assert all("the floor clock is ahead, at 2028-01-01" in one for one in said.values())
        late = NOW + 2 * YEAR_S
        ended = handler.unwell(library, now_s=late, clock_s=late)
        assert not [one for one in ended.values() if "floor" in one]
        await run_ahead(work)
        await handler.look(work, library)
        visit = cast("PortalVisit", SimpleNamespace(now_ms=NOW * 1000))
        ((_, _, status), *_) = routes(library)
        told = cast("dict[str, dict[str, str]]", await status(work, visit, {}))
        assert set(told["troubles"]) == {"content_frozen", "content_expired"}
    async with work.store.read() as conn:
        rows = await conn.execute_fetchall("SELECT detail FROM health WHERE code LIKE 'content%'")
    assert [row["detail"] for row in rows if "osiris site clock" in row["detail"]]


async def test_what_people_signed_is_noted_as_passed_when_it_is_taken(
    work: Work, home: Path
) -> None:
    """A root that was kept back since puts the floor back no further; see `taken_clock.py`."""
    repository = published()
    async with at_hub(home, repository) as (library, _):
        await handler.look(work, library)
        assert library.trusted is not None
        made_s = max(library.trusted.made_s, library.trusted.root_s)
    async with work.store.read() as conn:
        assert await order_state.passed(conn) == made_s > 0


async def test_a_root_that_its_people_did_not_sign_lowers_nothing(work: Work, home: Path) -> None:
    repository = published()
    async with at_hub(home, repository) as (library, _):
        await handler.look(work, library)
        await run_ahead(work)
        repository.root(2, ROOTS[0], RELEASERS[0])
        follow(repository, NEXT)
        await handler.look(work, library)
        assert await floor_s(work) > NOW + YEAR_S


async def test_a_root_that_a_person_carried_in_counts_too(work: Work, home: Path) -> None:
    repository = published()
    library = library_at(home, repository)
    carry(repository, home)
    await handler.load_carried(work, library)
    await run_ahead(work)
    carry(with_new_root(repository), home)
    with pytest.raises(ContentRefusedError):
        await handler.load_carried(work, library)
    assert await floor_s(work) == NOW
    carry(repository, home)
    assert await handler.load_carried(work, library)

"""What the portal tells people of the clinic of its content: who signed it, and what ended."""

import re
from dataclasses import replace
from pathlib import Path

from appliance.core.trusted import Carrier, Part, Trusted, read_set
from runtime.web import words
from tests.e2e import clinic_rows as rows
from tests.e2e.portal_world import portal_world
from tests.unit.content_world import honest, reader_of

NOW_S = rows.NOW_MS // 1000
DAY_S = 86_400


def signed(folder: Path) -> Trusted:
    """Return what an appliance trusts that took a release two days ago."""
    repository = honest()
    found = read_set(reader_of(repository, folder / "tuf").look(repository))
    later = NOW_S - 2 * DAY_S - repository.now_s
    return replace(
        found,
        content_s=found.content_s + later,
        ends={part: end + later for part, end in found.ends.items()},
    )


async def said(folder: Path, trusted: Trusted | None) -> str:
    """Return the words of the health page."""
    async with portal_world(folder, trusted=trusted) as world, world.signed_in() as client:
        page = (await client.get("/health")).text
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def test_what_the_program_ships_is_called_that(tmp_path: Path) -> None:
    page = await said(tmp_path, None)
    assert "What this program shipped" in page
    assert words.DEVELOPMENT_TRUST.label in page
    assert "Signatures" not in page


async def test_a_signed_set_says_its_release_and_when_it_was_taken(tmp_path: Path) -> None:
    page = await said(tmp_path, signed(tmp_path))
    assert "Signed, release 1; in use 2 days ago" in page
    assert "At least two release people signed it. It came from the hub." in page
    assert "Can be given by 2 people and within 1 grant" in page
    assert words.DEVELOPMENT_TRUST.label not in page


async def test_the_first_root_is_shown_to_be_compared_with_what_the_root_people_say(
    tmp_path: Path,
) -> None:
    """A claim code of a hub that was taken pins another: only people can tell."""
    page = await said(tmp_path, None)
    assert f"{'5a' * 32} It says whose keys may ever count here." in page


async def test_what_has_ended_is_named_with_since_when(tmp_path: Path) -> None:
    page = await said(tmp_path, signed(tmp_path))
    assert "The timestamp has ended 1 day ago" in page
    assert "What runs goes on. What has ended stops only what is new." in page
    whole = signed(tmp_path)
    renewed = replace(whole, ends={**whole.ends, Part.TIMESTAMP: NOW_S + DAY_S})
    again = tmp_path / "again"
    again.mkdir()
    assert "All of them hold" in await said(again, renewed)


async def test_a_development_trust_and_a_carried_file_are_called_so(tmp_path: Path) -> None:
    trial = replace(signed(tmp_path), is_development=True, carrier=Carrier.FILE, trust=None)
    page = await said(tmp_path, trial)
    assert words.DEVELOPMENT_TRUST.label in page
    assert "one person holds every key. It came in a file that somebody carried in." in page
    assert "None can be given: nobody granted any" in page

"""What people are told about text: what was withheld and why, known people, canaries."""

import html
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from appliance.core.keeping import WORDS, How
from appliance.handlers.known_people import PeopleList
from appliance.portal.text import OLD_MS, people_tone, sentence
from appliance.store.withheld import Count
from proto.phi import default_names, default_policy
from runtime.web.words import Tone
from tests.e2e.portal_world import PortalWorld, portal_world

ONE = Count("firewall log", "longer than 65536 characters", 3, 1, 2, "ab" * 32)
LIST = PeopleList("/etc/people.csv", count=7, numbers=6, file_ms=1, read_ms=2)


def test_a_count_is_one_sentence() -> None:
    assert (
        sentence(ONE) == "3 records of the firewall log were withheld: longer than 65536 characters"
    )
    assert sentence(replace(ONE, count=1)).startswith("1 record of the firewall log was withheld")
    assert sentence(replace(ONE, count=12_000)).startswith("12,000 records")


def test_a_list_that_is_old_or_cannot_be_read_is_shown_so() -> None:
    assert people_tone(LIST, now_ms=OLD_MS) is Tone.GOOD
    assert people_tone(LIST, now_ms=OLD_MS + 2) is Tone.WARN
    assert people_tone(replace(LIST, trouble="line 3"), now_ms=2) is Tone.BAD


async def status(world: PortalWorld) -> dict[str, object]:
    """What `osiris appliance status` asks."""
    transport = httpx.ASGITransport(app=world.socket)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://osiris", trust_env=False
    ) as client:
        answer = await client.get("/api/status")
        return dict(answer.json())


@pytest.mark.skipif(default_names() is None, reason="the gazetteer was not compiled here")
async def test_withheld_records_are_shown_on_the_portal_and_on_the_command_line(
    tmp_path: Path,
) -> None:
    async with portal_world(tmp_path) as world, world.signed_in() as client:
        before = (await client.get("/health")).text
        assert "Nothing was withheld" in before
        assert "Planted" in before
        assert (await status(world))["withheld"] == []
        long = "x" * (default_policy().record_chars_max + 1)
        for _ in range(3):
            world.work.scrubber.scrub(long, source="firewall log")
        await world.work.scrubber.settle()
        said = (
            "3 records of the firewall log were withheld: longer than"
            f" {default_policy().record_chars_max} characters"
        )
        assert said in (await client.get("/health")).text
        assert (await status(world))["withheld"] == [said]
        assert (await status(world))["known_people"] == "none listed"


@pytest.mark.parametrize("kept", How)
async def test_health_says_whether_a_tpm_seals_the_keys(tmp_path: Path, kept: How) -> None:
    async with portal_world(tmp_path, kept=kept) as world, world.signed_in() as client:
        page = html.unescape((await client.get("/health")).text)
        if kept is How.TPM:
            assert "Sealed by this machine's TPM" in page
        else:
            assert "Not sealed" in page
            assert WORDS[kept] in page

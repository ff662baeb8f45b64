"""The console as operators meet it: a real hub that real envelopes have reached."""

import csv
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from central.commands import add_site
from central.console.routes import CONSOLE_ROUTES
from central.state import Console
from central.store import sites
from proto.ids import SiteId
from proto.keys import SigningKey
from runtime.web.access import Access, Entry
from tests.e2e.browser import EXAMINED, Look, examining
from tests.e2e.console_world import (
    ARCHIVE,
    FIREWALL,
    HEALED,
    OPEN,
    PERSON,
    WAITING,
    ConsoleWorld,
    clinic,
    console_world,
)
from tests.e2e.test_portal_pages import EVIL, HEADERS, Elements, words_of
from tests.fakes.box import Box

HOUR_MS = 3_600_000


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ConsoleWorld]:
    async with console_world(tmp_path) as made:
        yield made


@pytest.fixture
async def box(world: ConsoleWorld) -> Box:
    return await clinic(world)


def paths_of(box: Box) -> list[str]:
    site = f"/sites/{box.site}"
    return [
        "/",
        site,
        f"{site}/devices",
        f"{site}/targets/{ARCHIVE}",
        *(f"{site}/incidents/{one}" for one in (HEALED, WAITING, OPEN)),
    ]


def fill_in(path: str, box: Box) -> str:
    examples = {
        "{site}": box.site,
        "{appliance}": box.appliance,
        "{incident}": HEALED,
        "{target}": ARCHIVE,
        "{code}": "evidence_fork",
    }
    for name, value in examples.items():
        path = path.replace(name, value)
    return path


async def csrf(client: httpx.AsyncClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await client.get("/")).text)
    assert found is not None
    return found[1]


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("entry", CONSOLE_ROUTES, ids=lambda one: f"{one.method} {one.path}")
async def test_whoever_is_signed_out_is_sent_to_sign_in(
    world: ConsoleWorld, box: Box, entry: Entry[Console]
) -> None:
    if entry.access is Access.PUBLIC:
        return
    async with world.client() as client:
        answer = await client.request(entry.method, fill_in(entry.path, box))
    assert answer.status_code == (303 if entry.method == "GET" else 403)


async def test_every_page_needs_no_script_and_says_what_a_browser_may_load(
    world: ConsoleWorld, box: Box
) -> None:
    async with world.signed_in() as client:
        for path in [*paths_of(box), "/sign-in", "/nowhere"]:
            answer = await client.get(path)
            assert answer.status_code == (404 if path == "/nowhere" else 200), path
            for header in HEADERS:
                assert header in answer.headers
            for tag, attributes in Elements(answer.text).found:
                assert tag not in {"script", "style", "iframe", "object"}
                assert "style" not in attributes
                assert not any(name.startswith("on") for name in attributes)


@pytest.mark.usefixtures("box")
async def test_the_fleet_says_how_each_site_stands(world: ConsoleWorld) -> None:
    async with world.signed_in() as client:
        said = words_of((await client.get("/")).text)
    assert "The one site is online; 1 repair was proved in the last 24 hours" in said
    assert "1 incident needs a person." in said
    assert "Checks compliant now 4 of 7 2 drifted, 1 unknown" in said
    assert "1 appliance waits to be confirmed" in said
    assert "2 targets, 1 appliance Online" in said


async def many_sites(world: ConsoleWorld) -> None:
    """Add sixty sites of which nobody has heard yet."""
    hub = world.trial.net.hub
    async with hub.store.write() as connection:
        for number in range(60):
            site = SiteId("s-" + f"{number:010d}".translate(str.maketrans("0189", "abcd")))
            label = f"Hillside Dental {number:02d}"
            await sites.add_site(site, connection, label=label, now_ms=hub.now_ms)


@pytest.mark.usefixtures("box")
async def test_a_large_fleet_is_listed_in_pages_by_kind_and_by_name(world: ConsoleWorld) -> None:
    await many_sites(world)
    async with world.signed_in() as client:
        first = words_of((await client.get("/")).text)
        second = words_of((await client.get("/?page=2")).text)
        people = words_of((await client.get("/?show=people")).text)
        found = (await client.get('/?find=dental+59"')).text
        one = words_of((await client.get("/?find=dental+59")).text)
    assert "1 of 61 sites is online" in first
    assert "Hillside Dental 49" in first
    assert "Hillside Dental 50" not in first
    assert "1 to 50 of 61 sites" in first
    assert "51 to 61 of 61 sites" in second
    assert "Riverside Family Clinic" in second
    assert "Riverside Family Clinic" in people
    assert "Hillside" not in people
    assert "No site is of this kind" in found
    assert "dental 59&#34;" in found
    assert "Hillside Dental 59" in one
    assert "Hillside Dental 58" not in one


async def test_a_fleet_without_sites_claims_nothing(world: ConsoleWorld) -> None:
    async with world.signed_in() as client:
        page = (await client.get("/")).text
    assert "There is no site yet" in page
    assert "%" not in words_of(page)


async def test_a_silent_sites_findings_are_unknown_not_fine(world: ConsoleWorld, box: Box) -> None:
    world.trial.clock.advance(30 * 24 * HOUR_MS)
    async with world.signed_in() as client:
        fleet = words_of((await client.get("/")).text)
        site = words_of((await client.get(f"/sites/{box.site}")).text)
        target = (await client.get(f"/sites/{box.site}/targets/{ARCHIVE}")).text
        table = (await client.get(f"/sites/{box.site}/findings.csv")).text
    assert "The one site is not online" in fleet
    assert "Silent" in fleet
    assert "Last known: 4 compliant, 2 drifted, 1 unknown." in fleet
    assert "Unknown: 7 of 7 (100 %)" in site
    assert "Was compliant" in target
    assert "Compliant (" not in target
    lines = read_csv(table)
    assert {line["verdict"] for line in lines} == {"unknown"}
    assert {line["said"] for line in lines} == {"compliant", "drifted", "unknown"}


async def test_a_person_confirms_an_appliance_by_its_fingerprint(
    world: ConsoleWorld, box: Box
) -> None:
    site = f"/sites/{box.site}"
    async with world.signed_in() as client:
        before = words_of((await client.get(site)).text)
        token = await csrf(client)
        path = f"{site}/appliances/{box.appliance}/confirm"
        refused = await client.post(path, data={"csrf": "wrong"})
        since = {"csrf": token, "fingerprint": SigningKey(bytes(32)).public.fingerprint()}
        other = await client.post(path, data=since)
        untold = await client.post(path, data={"csrf": token})
        still = words_of((await client.get(site)).text)
        page = (await client.get(site)).text
        (shown,) = re.findall('name="fingerprint" value="([^"]+)"', page)
        done = await client.post(path, data={"csrf": token, "fingerprint": shown})
        after = words_of((await client.get(site)).text)
    assert box.key.public.fingerprint() in before
    assert "Nobody has compared this yet" in before
    assert refused.status_code == 403
    assert other.status_code == untold.status_code == 409, "it renewed its keys meanwhile"
    assert "Nobody has compared this yet" in still
    assert done.status_code == 303
    assert "Compared with its portal on" in after


async def test_an_appliance_is_confirmed_under_its_own_site_only(
    world: ConsoleWorld, box: Box
) -> None:
    other = await add_site(world.trial.net.hub, "Other")
    async with world.signed_in() as client:
        answer = await client.post(
            f"/sites/{other}/appliances/{box.appliance}/confirm", data={"csrf": await csrf(client)}
        )
    assert answer.status_code == 404


async def test_an_incident_shows_turns_before_action_after_and_proof(
    world: ConsoleWorld, box: Box
) -> None:
    site = f"/sites/{box.site}"
    async with world.signed_in() as client:
        healed = words_of((await client.get(f"{site}/incidents/{HEALED}")).text)
        waiting = words_of((await client.get(f"{site}/incidents/{WAITING}")).text)
    assert "Before Drifted value yes" in healed
    assert "Action Done The target was changed." in healed
    assert "After Compliant value no" in healed
    assert "under a head that this hub has co-signed" in healed
    turns = healed[healed.index("What happened") :]
    assert turns.index("Found") < turns.index("Repair: healed") < turns.index("Closed")
    assert "The repair could lock us out or restart the device" in waiting
    assert "What to do next: Carry the repair out while somebody is at the device" in waiting
    assert "What to do next" not in healed
    assert "evidence leaf" in turns
    assert "Healed" not in waiting


async def test_the_evidence_that_the_hub_holds_is_counted(world: ConsoleWorld, box: Box) -> None:
    async with world.signed_in() as client:
        said = words_of((await client.get(f"/sites/{box.site}")).text)
    total = len(box.leaves)
    assert f"{total} leaves, of {total} that it last told of" in said
    assert f"Co-signed: {total} of {total} (100 %)" in said
    assert "A repair is paused" in said


async def test_the_tables_come_as_files_that_no_spreadsheet_runs(
    world: ConsoleWorld, box: Box
) -> None:
    await add_site(world.trial.net.hub, "=cmd|' /C calc'!A0")
    async with world.signed_in() as client:
        fleet = read_csv((await client.get("/fleet.csv")).text)
        targets = read_csv((await client.get(f"/sites/{box.site}/targets.csv")).text)
        findings = read_csv((await client.get(f"/sites/{box.site}/findings.csv")).text)
    assert {line["label"] for line in fleet} == {"'=cmd|' /C calc'!A0", "Riverside Family Clinic"}
    assert [line["drifted"] for line in targets] == ["1", "1"]
    assert len(findings) == 7
    assert {line["verdict"] for line in findings if line["check"] == FIREWALL} == {"drifted"}


async def test_a_label_is_inert_on_every_page(world: ConsoleWorld) -> None:
    box = await clinic(world, EVIL)
    async with world.signed_in() as client:
        for path in paths_of(box):
            answer = await client.get(path)
            assert answer.status_code == 200
            assert not {tag for tag, _ in Elements(answer.text).found} & {"script", "img", "b"}


@pytest.mark.parametrize("path", ["/sites/nonsense", "/sites/s-aaaaaaaaaa", f"/sites/{EVIL}"])
async def test_an_address_that_leads_nowhere_says_so(world: ConsoleWorld, path: str) -> None:
    async with world.signed_in() as client:
        answer = await client.get(path)
    assert answer.status_code in {400, 404}
    assert not {tag for tag, _ in Elements(answer.text).found} & {"script", "img"}


@pytest.mark.browser
@pytest.mark.parametrize("look", EXAMINED, ids=lambda look: f"{look.width}-{look.scheme}")
async def test_pages_are_accessible_and_fit(
    world: ConsoleWorld, box: Box, tmp_path: Path, look: Look
) -> None:
    """WCAG by axe, no sideways scrolling; scripts run only because axe is one."""
    await add_site(world.trial.net.hub, "A site without an appliance")
    async with examining(world.lan, tmp_path, look) as examiner:
        await examiner.sign_in(PERSON)
        for path in paths_of(box):
            await examiner.looks_right(path)
        await many_sites(world)
        for path in ("/?page=2", "/?show=people", "/?find=nowhere"):
            await examiner.looks_right(path)

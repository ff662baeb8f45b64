"""The portal as people on the LAN meet it: real store, real sessions, real commands, no mocks."""

import csv
import io
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from appliance.portal.routes import PAGES
from appliance.portal.state import Portal
from appliance.store import meta
from runtime.web.access import Access, Entry
from tests.e2e import clinic_rows as rows
from tests.e2e.browser import (
    EXAMINED,
    Look,
    chromium,
    examining,
    looking,
    require_chromium,
    served,
    shows,
    titled,
)
from tests.e2e.front_door import PASSWORD
from tests.e2e.pictures import PORTAL
from tests.e2e.portal_world import PERSON, PLACE, PortalWorld, portal_world

EXAMPLES = {
    "{target}": rows.LAB,
    "{incident}": rows.incident("redis"),
    "{waiver}": "1",
    "{conflict}": "1",
    "{ticket}": "a" * 26,
}
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>"
HEADERS = ("content-security-policy", "x-content-type-options", "x-frame-options")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PortalWorld]:
    async with portal_world(tmp_path) as made:
        await rows.fill(made.store)
        yield made


def example(path: str) -> str:
    for name, value in EXAMPLES.items():
        path = path.replace(name, value)
    return path


class Elements(HTMLParser):
    """Every element of a page, with its attributes; and its text."""

    def __init__(self, page: str) -> None:
        """Read a page."""
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data


async def csrf(client: httpx.AsyncClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await client.get("/health")).text)
    assert found is not None
    return found[1]


def words_of(page: str) -> str:
    return " ".join(Elements(page).text.split())


@pytest.mark.parametrize("entry", PAGES, ids=lambda one: f"{one.method} {one.path}")
async def test_whoever_is_signed_out_is_sent_to_sign_in(
    world: PortalWorld, entry: Entry[Portal]
) -> None:
    async with world.client() as client:
        answer = await client.request(entry.method, example(entry.path))
    if entry.access is Access.PUBLIC:
        return
    if entry.method == "GET":
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
    else:
        assert answer.status_code == 403


def test_what_anyone_may_call_is_written_down_here() -> None:
    public = {(entry.method, entry.path) for entry in PAGES if entry.access is Access.PUBLIC}
    assert public == {
        ("GET", "/sign-in"),
        ("POST", "/sign-in"),
        ("GET", "/static/osiris.css"),
        ("GET", "/static/icon.svg"),
    }


@pytest.mark.parametrize("entry", PAGES, ids=lambda one: f"{one.method} {one.path}")
async def test_the_socket_serves_no_page(world: PortalWorld, entry: Entry[Portal]) -> None:
    transport = httpx.ASGITransport(app=world.socket)
    async with httpx.AsyncClient(transport=transport, base_url="http://appliance") as client:
        answer = await client.request(entry.method, example(entry.path))
    assert answer.status_code in {404, 405}


@pytest.mark.parametrize(
    "entry",
    [entry for entry in PAGES if entry.method == "POST" and entry.access is Access.PERSON],
    ids=lambda one: one.path,
)
async def test_a_change_without_the_forms_token_is_refused_and_changes_nothing(
    world: PortalWorld, entry: Entry[Portal]
) -> None:
    form = {"reason": "x", "observe_only": "on", "target": rows.LAB, "check": "net.redis.open"}
    async with world.signed_in() as client:
        for token in ({}, {"csrf": "wrong"}, {"csrf": ""}):
            answer = await client.post(example(entry.path), data={**form, **token})
            assert answer.status_code == 403
    async with world.store.read() as conn:
        changed = list(
            await conn.execute_fetchall(
                "SELECT 1 FROM meta WHERE key = 'observe_only' UNION ALL"
                " SELECT 1 FROM waivers WHERE ended_ms IS NOT NULL UNION ALL"
                " SELECT 1 FROM incidents WHERE cause = 'by_person' UNION ALL"
                " SELECT 1 FROM device_decisions UNION ALL"
                " SELECT 1 FROM targets WHERE removed_ms IS NOT NULL"
            )
        )
    assert changed == []


async def test_a_form_that_another_site_sends_is_refused(world: PortalWorld) -> None:
    async with world.signed_in() as client:
        form = {"csrf": await csrf(client), "observe_only": "on"}
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            answer = await client.post("/health/observe-only", data=form, headers=headers)
            assert answer.status_code == 403


async def test_too_large_a_form_is_refused(world: PortalWorld) -> None:
    async with world.signed_in() as client:
        form = {"csrf": await csrf(client), "reason": "x" * 20_000}
        answer = await client.post(example("/incidents/{incident}/close"), data=form)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", [*PORTAL.values(), "/sign-in", "/nowhere"])
async def test_every_page_needs_no_script_and_says_what_a_browser_may_load(
    world: PortalWorld, path: str
) -> None:
    async with world.signed_in() as client:
        answer = await client.get(path)
    for header in HEADERS:
        assert header in answer.headers
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "script-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    for tag, attributes in Elements(answer.text).found:
        assert tag not in {"script", "style", "iframe", "object"}
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("href", "src", "action"):
            assert str(attributes.get(name, "/")).startswith(("/", "#")), attributes
    assert "compliant with hipaa" not in answer.text.lower()


async def test_the_overview_is_one_plain_sentence_with_its_numbers(world: PortalWorld) -> None:
    async with world.signed_in() as client:
        said = words_of((await client.get("/")).text)
    assert (
        "All 5 computers were checked in the last hour; 4 problems were repaired today and proved;"
        " 2 checks have no current answer; 2 need a person."
    ) in said
    assert "53 of 59" in said
    assert "4 of 5 (80 %) repairs proved" in said
    assert "10:32 AM EST" in said
    assert "America/New_York" in said


async def test_what_needs_a_person_is_listed_worst_first(world: PortalWorld) -> None:
    async with world.store.write() as conn:
        await conn.execute(
            "UPDATE incidents SET severity = 'critical', updated_ms = 1 WHERE id ="
            " (SELECT id FROM incidents WHERE state = 'escalated' ORDER BY updated_ms LIMIT 1)"
        )
        await conn.execute(
            "UPDATE incidents SET severity = 'low' WHERE state = 'escalated' AND updated_ms <> 1"
        )
        rows = await conn.execute_fetchall(
            "SELECT id FROM incidents WHERE state = 'escalated' ORDER BY updated_ms"
        )
    worst = next(iter(rows))["id"]
    async with world.signed_in() as client:
        page = (await client.get("/")).text
    section = page[page.index('aria-labelledby="person"') :]
    shown = re.findall(r'href="/incidents/(i-[a-z2-7]{10})"', section.partition("</section>")[0])
    assert shown[0] == worst
    assert len(shown) == len(list(rows))


async def test_an_empty_appliance_claims_nothing(tmp_path: Path) -> None:
    async with portal_world(tmp_path) as world, world.signed_in() as client:
        pages = [(await client.get(path)).text for path in ("/", "/devices", "/health")]
    assert "No computer is looked after yet" in pages[0]
    assert "none to count yet" in pages[0]
    assert "No evidence has been written yet." in pages[2]
    for page in pages:
        assert "100 %" not in page


async def test_an_answer_that_is_too_old_is_unknown_everywhere(world: PortalWorld) -> None:
    """The lab computer's journal answered "compliant" five hours ago; it counts for one."""
    check = "lin.disk.journal_bound"
    async with world.signed_in() as client:
        device = (await client.get(f"/devices/{rows.LAB}")).text
        table = (await client.get("/findings.csv")).text
        overview = words_of((await client.get("/")).text)
    unknown = device[device.index("Unknown (2)") : device.index("Compliant (8)")]
    assert check in unknown
    assert "Out of date" in unknown
    assert "It said compliant; that is too old to count." in unknown
    [line] = [
        line for line in read_csv(table) if (line["device"], line["check"]) == (rows.LAB, check)
    ]
    assert (line["verdict"], line["reason"]) == ("unknown", "stale")
    assert "Unknown: 2 of 59 (3 %)" in overview


async def test_everything_becomes_unknown_when_nothing_answers_any_more(
    world: PortalWorld,
) -> None:
    """Even what did not apply: nobody has said so lately."""
    world.clock.advance(2 * rows.HOUR)
    async with world.signed_in() as client:
        overview = words_of((await client.get("/")).text)
    assert "None of the 5 computers was checked in the last hour" in overview
    assert "Compliant: 0 of 60 (0 %)" in overview
    assert "Unknown: 60 of 60 (100 %)" in overview


async def test_a_computer_that_was_only_looked_at_from_outside_was_not_checked(
    tmp_path: Path,
) -> None:
    """A look from the network says nothing about what runs inside."""
    async with portal_world(tmp_path) as world:
        async with world.store.write() as conn:
            await rows.put_device(conn, rows.FRONT, label="Front desk")
            await rows.put_target(conn, rows.FRONT)
            await rows.put_finding(conn, rows.FRONT, "net.telnet.open", "compliant")
        async with world.signed_in() as client:
            said = words_of((await client.get("/")).text)
    assert "The one computer was not checked in the last hour" in said


async def test_a_device_that_nobody_signs_in_to_has_findings_from_the_network(
    tmp_path: Path,
) -> None:
    async with portal_world(tmp_path) as world:
        async with world.store.write() as conn:
            await rows.put_device(conn, rows.CAMERA, label="Camera")
            await rows.put_finding(conn, rows.CAMERA, "net.telnet.open", "drifted")
        async with world.signed_in() as client:
            listed = words_of((await client.get("/devices")).text)
            one = words_of((await client.get(f"/devices/{rows.CAMERA}")).text)
            waivers = (await client.get("/waivers")).text
    assert "1 drifted" in listed
    assert "Drifted (1)" in one
    assert f'<option value="{rows.CAMERA}"' in waivers


async def test_a_medical_device_is_marked_as_never_touched(world: PortalWorld) -> None:
    async with world.signed_in() as client:
        listed = (await client.get("/devices")).text
        device = (await client.get(f"/devices/{rows.PUMP}")).text
    assert "Medical: never touched" in listed
    assert "Never touched" in device
    assert "recognised as one (vendor B. Braun: infusion pumps)" in words_of(device)
    assert "Check again now" not in device


async def test_a_finding_shows_what_was_seen_why_it_matters_and_until_when(
    world: PortalWorld,
) -> None:
    async with world.signed_in() as client:
        said = words_of((await client.get(f"/devices/{rows.FRONT}")).text)
    assert "45 CFR 164.312(a)(2)(i) each administrator signs in under their own name" in said
    assert "It counts until Nov 22, 2026, 11:22 AM EST." in said
    assert "Last turn Root cannot log in over SSH Healed Nov 22, 2026, 10:27 AM EST" in said


async def test_a_healed_incident_shows_before_action_after_and_its_proof(
    world: PortalWorld,
) -> None:
    await rows.acknowledge(world.store, size=412, acked=398)
    async with world.signed_in() as client:
        late = words_of((await client.get(f"/incidents/{rows.incident('rootfront')}")).text)
        held = words_of((await client.get(f"/incidents/{rows.incident('rootrec')}")).text)
    assert "Healed Repaired, and an independent re-check passed." in late
    assert "Before Drifted value yes" in late
    assert "Action Done The device was changed." in late
    assert "After Compliant value no" in late
    assert "Chosen by rule l1.lin.ssh.root_login Also matched l1.lin.ssh.root_login_any" in late
    assert "Evidence leaf 405: kept here; the hub has not co-signed it yet." in late
    assert "Evidence leaf 388: the hub holds it and has co-signed it." in held


async def test_an_undone_repair_is_never_shown_as_healed(world: PortalWorld) -> None:
    async with world.signed_in() as client:
        page = (await client.get(f"/incidents/{rows.incident('firewall')}")).text
    assert "Undone" in page
    assert "Healed" not in words_of(page)


async def test_an_escalated_incident_says_why_in_words_and_a_person_closes_it(
    world: PortalWorld,
) -> None:
    path = f"/incidents/{rows.incident('telnet')}"
    async with world.signed_in() as client:
        before = words_of((await client.get(path)).text)
        token = await csrf(client)
        empty = await client.post(f"{path}/close", data={"csrf": token, "reason": "  "})
        done = await client.post(
            f"{path}/close", data={"csrf": token, "reason": f"Telnet is off now {EVIL}"}
        )
        after = (await client.get(path)).text
        again = await client.post(f"{path}/close", data={"csrf": token, "reason": "again"})
    assert "No approved repair fits what was seen, so a person has to decide." in before
    assert "What to do next: Put it right on the device itself" in before
    assert "What to do next" not in words_of(after)
    assert empty.status_code == 400
    assert 'aria-invalid="true"' in empty.text
    assert done.status_code == 303
    assert "Closed by a person" in after
    assert "Telnet is off now" in words_of(after)
    assert all(tag not in {"script", "img"} for tag, _ in Elements(after).found)
    assert again.status_code == 409


async def test_a_repair_that_waits_for_a_person_is_shown_and_approved(world: PortalWorld) -> None:
    """The page says what would run; what came between the page and the click is said, too."""
    async with world.store.write() as conn:
        path = f"/incidents/{await rows.put_waiting(conn)}"
    async with world.signed_in() as client:
        page = (await client.get(path)).text
        shown = re.search(r'name="shown" value="([^"]+)"', page)
        assert shown is not None
        form = {"csrf": await csrf(client), "shown": shown[1]}
        other = await client.post(f"{path}/approve", data={**form, "shown": "0" * 64})
        held = await client.post(f"{path}/approve", data=form)
        none = (await client.get(f"/incidents/{rows.incident('telnet')}")).text
    said = words_of(page)
    assert "Approve the repair: Start the audit service now and at boot" in said
    assert "A service restarts Whoever uses the service is interrupted for a moment." in said
    assert "at boot yes" in said
    assert (other.status_code, held.status_code) == (409, 409)
    assert "Another repair fits by now than was shown: read it again." in words_of(other.text)
    assert "Not repaired, and nothing was changed: " in words_of(held.text)
    assert "Approve the repair" not in none


async def test_a_waiver_is_added_shown_and_ended(world: PortalWorld) -> None:
    form = {
        "target": rows.IMAGING,
        "check": "net.redis.open",
        "reason": "The image archive moves next month.",
        "until": "2026-12-31",
    }
    async with world.signed_in() as client:
        form["csrf"] = await csrf(client)
        added = await client.post("/waivers", data=form)
        page = (await client.get("/waivers")).text
        incident = words_of((await client.get(f"/incidents/{rows.incident('redis')}")).text)
        found = re.search(r'action="/waivers/([0-9]+)/end".*?No database', page, re.DOTALL)
        assert found is not None
        ended = await client.post(f"/waivers/{found[1]}/end", data={"csrf": form["csrf"]})
        twice = await client.post(f"/waivers/{found[1]}/end", data={"csrf": form["csrf"]})
        over = words_of((await client.get("/waivers")).text)
    assert added.status_code == ended.status_code == 303
    assert "In force (2)" in page
    assert "Dec 31, 2026, 11:59 PM EST" in page
    assert "Waived" in incident
    assert twice.status_code == 404
    assert "In force (1)" in over
    assert "Over (2)" in over


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("target", "t-nowhereaaa", "Choose a device"),
        ("target", rows.PUMP, "Choose a device"),
        ("target", EVIL, "Choose a device"),
        ("check", EVIL, "Choose a check"),
        ("reason", "   ", "Say why"),
        ("reason", "x" * 401, "Say why"),
        ("until", "soon", "Give a date"),
        ("until", "2026-11-21", "Choose a day"),
        ("until", "2027-11-22", "Choose a day"),
    ],
)
async def test_a_bad_waiver_is_shown_beside_its_field_and_changes_nothing(
    world: PortalWorld, field: str, value: str, said: str
) -> None:
    form = {
        "target": rows.IMAGING,
        "check": "net.redis.open",
        "reason": "because",
        "until": "2026-12-31",
    }
    async with world.signed_in() as client:
        answer = await client.post(
            "/waivers", data={**form, field: value, "csrf": await csrf(client)}
        )
    assert answer.status_code == 400
    assert f'id="{field}-wrong">{said}' in answer.text
    async with world.store.read() as conn:
        kept = list(await conn.execute_fetchall("SELECT 1 FROM waivers"))
    assert len(kept) == 2


async def test_a_trust_that_one_person_made_is_said_and_is_no_trouble(world: PortalWorld) -> None:
    async with world.signed_in() as client:
        said = words_of((await client.get("/health")).text)
    assert "Development trust" in said
    assert "not for looking after patients' data" in said


async def test_observe_only_is_turned_on_and_off_and_said(world: PortalWorld) -> None:
    async with world.signed_in() as client:
        form = {"csrf": await csrf(client), "observe_only": "on"}
        assert (await client.post("/health/observe-only", data=form)).status_code == 303
        async with world.store.read() as conn:
            assert await meta.get(conn, meta.Key.OBSERVE_ONLY) == "1"
        on = words_of((await client.get("/")).text)
        await client.post("/health/observe-only", data={**form, "observe_only": "off"})
        off = words_of((await client.get("/")).text)
        bad = await client.post("/health/observe-only", data={**form, "observe_only": "x"})
    assert "This site is set to observe only" in on
    assert "This site is set to observe only" not in off
    assert bad.status_code == 400


async def test_text_of_devices_and_people_is_inert_on_every_page(tmp_path: Path) -> None:
    async with portal_world(tmp_path) as world:
        device, found = rows.target("evil"), rows.incident("evil")
        async with world.store.write() as conn:
            await rows.put_device(conn, device, label=EVIL, because=EVIL, off_limits=0)
            for kind in ("name", "vendor", "address", "mac"):
                await rows.put_attribute(conn, device, kind, EVIL)
            await rows.put_target(conn, device, os=EVIL, os_version=EVIL, login=EVIL)
            await rows.put_finding(
                conn, device, "lin.ssh.root_login", "drifted", seen='{"v":"<script>x</script>"}'
            )
            await rows.put_incident(
                conn,
                found,
                device,
                "lin.ssh.root_login",
                state="escalated",
                cause="no_rule",
                decided_by="rule",
                decided_id=EVIL,
                losers='["<script>x</script>"]',
                runbook=EVIL,
            )
            await rows.put_turn(conn, found, 0, "escalated", actor=EVIL, note=EVIL)
            await rows.put(
                conn,
                "waivers",
                target=device,
                check_id=EVIL,
                reason=EVIL,
                account=EVIL,
                created_ms=rows.NOW_MS,
                until_ms=rows.NOW_MS + rows.DAY,
            )
            await rows.put(conn, "health", code="disk_low", since_ms=0, detail=EVIL)
        async with world.signed_in() as client:
            for path in (
                "/",
                "/devices",
                f"/devices/{device}",
                "/incidents",
                f"/incidents/{found}",
                "/waivers",
                f"/waivers?target={EVIL}&check={EVIL}&reason={EVIL}",
                "/health",
                f"/incidents?show={EVIL}",
                f"/sign-in?next={EVIL}",
            ):
                answer = await client.get(path)
                assert answer.status_code == 200, path
                tags = {tag for tag, _ in Elements(answer.text).found}
                assert not tags & {"script", "img", "b"}, path


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


async def test_devices_and_findings_come_as_files_that_no_spreadsheet_runs(
    world: PortalWorld,
) -> None:
    async with world.store.write() as conn:
        await rows.put_device(conn, rows.target("sheet"), label="=cmd|' /C calc'!A0")
    async with world.signed_in() as client:
        devices, findings = [await client.get(f"/{name}.csv") for name in ("devices", "findings")]
    for answer in (devices, findings):
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in answer.headers["content-disposition"]
    lines = read_csv(devices.text)
    assert [line["device"] for line in lines].index("no device") == len(lines) - 1 == 9
    assert {line["label"] for line in lines if "calc" in line["label"]} == {"'=cmd|' /C calc'!A0"}
    [pump] = [line for line in lines if line["device"] == rows.PUMP]
    assert (pump["class"], pump["never touched"]) == ("medical", "yes")
    assert pump["last seen"] == "2026-11-22T10:28:00-05:00"
    assert len(read_csv(findings.text)) == 60


@pytest.mark.parametrize(
    "path",
    ["/devices/nonsense", f"/devices/{EVIL}", "/incidents/i-nowhereaaa", "/devices/t-nowhereaaa"],
)
async def test_an_address_that_leads_nowhere_says_so(world: PortalWorld, path: str) -> None:
    async with world.signed_in() as client:
        answer = await client.get(path)
    assert answer.status_code in {400, 404}
    assert not {tag for tag, _ in Elements(answer.text).found} & {"script", "img"}


async def test_a_wrong_password_says_the_same_as_a_wrong_name(world: PortalWorld) -> None:
    said = set()
    async with world.client() as client:
        for name, password in ((PERSON, "wrong"), ("nobody", PASSWORD), ("", "")):
            answer = await client.post("/sign-in", data={"name": name, "password": password})
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers
            said.add(re.sub(r'value="[^"]*"', "", answer.text))
    assert len(said) == 1


async def test_signing_in_leads_to_where_the_person_wanted_to_go_and_nowhere_else(
    world: PortalWorld,
) -> None:
    async with world.client() as client:
        asked = await client.get("/incidents?show=person")
        assert asked.headers["location"] == "/sign-in?next=/incidents%3Fshow%3Dperson"
        form = {"name": PERSON, "password": PASSWORD}
        ours = await client.post("/sign-in", data={**form, "next": "/incidents?show=person"})
        theirs = await client.post("/sign-in", data={**form, "next": "//evil.example"})
    assert ours.headers["location"] == "/incidents?show=person"
    assert theirs.headers["location"] == "/"


async def test_whoever_signs_out_is_out(world: PortalWorld) -> None:
    async with world.signed_in() as client:
        cookies = dict(client.cookies)
        await client.post("/sign-out", data={"csrf": await csrf(client)})
        client.cookies.update(cookies)
        assert (await client.get("/")).status_code == 303


async def test_a_device_that_does_not_answer_a_new_check_is_unknown(world: PortalWorld) -> None:
    async with world.signed_in() as client:
        asked = await client.post(f"/devices/{rows.FRONT}/check", data={"csrf": await csrf(client)})
        page = words_of((await client.get(asked.headers["location"])).text)
    assert asked.status_code == 303
    assert "Asked The device is being checked again." in page
    assert "Unknown (" in page
    assert "Compliant (11)" not in page


@pytest.mark.browser
@pytest.mark.parametrize("look", EXAMINED, ids=lambda look: f"{look.width}-{look.scheme}")
async def test_pages_are_accessible_and_fit(tmp_path: Path, look: Look) -> None:
    """WCAG by axe, no sideways scrolling; scripts run only because axe is one."""
    async with portal_world(tmp_path) as world:
        await rows.fill(world.store)
        await rows.acknowledge(world.store)
        async with examining(world.lan, tmp_path, look) as examiner:
            await examiner.sign_in(PERSON)
            for path in PORTAL.values():
                await examiner.looks_right(path)


@pytest.mark.browser
async def test_a_person_without_javascript_signs_in_and_waives(tmp_path: Path) -> None:
    require_chromium()
    async with portal_world(tmp_path) as world:
        await rows.fill(world.store)
        async with (
            served(world.lan, tmp_path) as base,
            chromium() as browser,
            looking(browser, EXAMINED[0]) as page,
        ):
            await page.goto(f"{base}/devices/{rows.LAB}")
            await page.fill("#name", PERSON)
            await page.fill("#password", PASSWORD)
            await page.click("main button")
            await titled(page, PLACE)
            await page.click("text=Accept this until a date")
            await page.fill("#reason", "The analyser's maker is working on it.")
            await page.fill("#until", "2026-12-15")
            await page.click("text=Add the waiver")
            await shows(page, "#holding", "In force (2)")
            await page.goto(f"{base}/devices")
            await page.keyboard.press("Tab")
            assert await page.locator(".skip:focus").count() == 1

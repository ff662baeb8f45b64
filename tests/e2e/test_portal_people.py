"""What a person does on the portal about devices and targets: real store, real commands."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from appliance.core.identity import AttributeKind, Conflict, fingerprint
from appliance.handlers.discover import discover_once
from appliance.handlers.waiting import LIFE_MS
from appliance.ports import Sudo
from appliance.store import conflicts, decisions, devices, targets
from appliance.store.devices import Device
from proto.ids import TargetId
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
)
from tests.e2e.front_door import PASSWORD
from tests.e2e.portal_world import PERSON, PortalWorld, portal_world
from tests.e2e.test_portal_pages import Elements, csrf, words_of
from tests.fakes.scanner import FakeDevice, FakeScanner
from tests.fakes.shell import FakeHost, FakeShell, Table, credential, ran
from tests.unit.discovery_site import content as reference

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\nsecretsecretsecret\n-----END OPENSSH PRIVATE KEY-----\n"
LOGIN = "hunter2 of the clinic"
FACTS = '{"kernel":"Linux","os":"debian","os_version":"12","name":"recept","uid":1000}'
ADDRESS, MAC = "10.44.1.30", "00:1b:21:00:00:30"
FORM = {
    "address": ADDRESS,
    "port": "22",
    "user": "osiris",
    "sudo": "nopasswd",
    "label": "Reception",
    "password": LOGIN,
}
TICKET = re.compile(r"/targets/add/[a-z2-7]{26}")


class Lan:
    """One Linux computer that nobody looks after yet."""

    def __init__(self) -> None:
        """Start it."""
        self.scanner = FakeScanner([FakeDevice(ADDRESS, MAC, "Intel Corporate", (22,))])
        self.host = FakeHost(
            Table(("uname", ran(FACTS)), ("id -u", ran('{"uid":0}'))),
            KEY,
            users={"osiris": credential(key=PEM, password=LOGIN)},
            sudo={"osiris": Sudo.NOPASSWD},
        )
        self.shell = FakeShell({(ADDRESS, 22): self.host})


@pytest.fixture
def lan() -> Lan:
    return Lan()


@pytest.fixture
async def world(tmp_path: Path, lan: Lan) -> AsyncIterator[PortalWorld]:
    async with portal_world(tmp_path, scanner=lan.scanner, shell=lan.shell) as made:
        await rows.fill(made.store)
        yield made


async def device_of(world: PortalWorld, target: TargetId) -> Device:
    async with world.store.read() as conn:
        return await devices.get(conn, target)


async def target_count(world: PortalWorld) -> int:
    async with world.store.read() as conn:
        return len(await targets.every(conn))


async def asked(client: httpx.AsyncClient, **change: str) -> httpx.Response:
    """Send the form that begins to look after a computer."""
    return await client.post("/targets/add", data={**FORM, "csrf": await csrf(client), **change})


async def test_a_person_puts_a_device_off_limits_and_the_page_says_who_and_why(
    world: PortalWorld,
) -> None:
    path = f"/devices/{rows.CAMERA}"
    async with world.signed_in() as client:
        before = words_of((await client.get(f"{path}/off-limits")).text)
        form = {"csrf": await csrf(client), "reason": "It watches the X-ray room."}
        empty = await client.post(f"{path}/off-limits", data={**form, "reason": " "})
        done = await client.post(f"{path}/off-limits", data=form)
        after = words_of((await client.get(path)).text)
        listed = words_of((await client.get("/devices")).text)
        again = await client.post(f"{path}/off-limits", data=form)
    assert "nothing connects to it and nobody signs in to it" in before
    assert empty.status_code == 400
    assert 'id="reason-wrong">Say why' in empty.text
    assert done.status_code == 303
    assert "This device is off limits maria put it off limits: It watches the X-ray room." in after
    assert "Put off limits Nov 22, 2026" in after
    assert "Off limits: never touched" in listed
    assert again.status_code == 409
    assert (await device_of(world, rows.CAMERA)).is_off_limits


async def test_a_computer_that_is_off_limits_is_not_counted_as_unchecked(
    world: PortalWorld,
) -> None:
    async with world.signed_in() as client:
        form = {"csrf": await csrf(client), "reason": "It runs the analyser."}
        await client.post(f"/devices/{rows.LAB}/off-limits", data=form)
        overview = words_of((await client.get("/")).text)
        page = words_of((await client.get(f"/devices/{rows.LAB}")).text)
    assert "All 4 computers were checked in the last hour" in overview
    assert "Try the sign-in" not in page
    assert "Check again now" not in page


async def test_a_computer_that_looks_medical_all_of_a_sudden_waits_for_a_person(
    world: PortalWorld,
) -> None:
    """Nobody stops looking after a server in silence because something listens on port 104."""
    async with world.store.write() as conn:
        await devices.mark(conn, rows.RECORDS, because="port 104 is open: DICOM")
    async with world.signed_in() as client:
        overview = words_of((await client.get("/")).text)
    assert "All 5 computers" in overview
    assert "3 need a person" in overview
    assert "Records server looks like a medical device" in overview


async def test_a_release_shows_every_sign_and_needs_a_word_and_a_reason(
    world: PortalWorld,
) -> None:
    path = f"/devices/{rows.PUMP}/release"
    async with world.signed_in() as client:
        page = (await client.get(path)).text
        signs = re.search(r'name="signs" value="([^"]*)"', page)
        assert signs is not None
        form = {"csrf": await csrf(client), "signs": signs[1], "reason": "It is the print server."}
        unsure = await client.post(path, data=form)
        mute = await client.post(path, data={**form, "sure": "yes", "reason": ""})
        unseen = await client.post(path, data={**form, "sure": "yes", "signs": ""})
        assert (await device_of(world, rows.PUMP)).is_off_limits
        done = await client.post(path, data={**form, "sure": "yes"})
        after = words_of((await client.get(f"/devices/{rows.PUMP}")).text)
    assert "B. Braun" in words_of(page)
    assert "may stop in the middle of its work" in words_of(page)
    assert unsure.status_code == mute.status_code == 400
    assert 'id="sure-wrong">Say that you are sure' in unsure.text
    assert unseen.status_code == 409
    assert done.status_code == 303
    assert "By maria." in after
    assert "It holds for 00:1b:c5:0a:3c:60." in after
    assert "This is a medical device" not in after
    assert not (await device_of(world, rows.PUMP)).is_off_limits
    async with world.store.read() as conn:
        (said,) = await decisions.of_device(conn, rows.PUMP)
    assert (said.account, said.reason, said.at_ms) == (
        PERSON,
        "It is the print server.",
        rows.NOW_MS,
    )


async def test_a_conflict_is_settled_on_its_page(world: PortalWorld) -> None:
    value = "00:80:77:31:ab:40"
    async with world.store.write() as conn:
        conflict = Conflict(rows.CAMERA, rows.PRINTER, AttributeKind.MAC, value)
        await conflicts.record(conn, [conflict], at_ms=rows.NOW_MS)
        (kept,) = await conflicts.waiting(conn)
    path = f"/conflicts/{kept.id}"
    async with world.signed_in() as client:
        overview = (await client.get("/")).text
        device = (await client.get(f"/devices/{rows.CAMERA}")).text
        page = words_of((await client.get(path)).text)
        form = {"csrf": await csrf(client), "to": rows.CAMERA, "reason": "A swapped card."}
        mute = await client.post(path, data={**form, "to": "", "reason": ""})
        third = await client.post(path, data={**form, "to": rows.LAB})
        done = await client.post(path, data=form)
        listed = words_of((await client.get("/conflicts")).text)
        over = await client.get(path)
        after = words_of((await client.get(f"/devices/{rows.PRINTER}")).text)
    assert f'href="{path}"' in overview
    assert f'href="{path}"' in device
    assert "Nothing is moved, and this is not asked again." in page
    assert "10.44.1.40 loses this hardware address" in page
    assert mute.status_code == 400
    assert 'id="to-wrong"' in mute.text
    assert 'id="reason-wrong"' in mute.text
    assert third.status_code == 400
    assert done.status_code == 303
    assert "Every device is told apart" in listed
    assert over.status_code == 409
    assert f"The hardware address {value} belongs to {rows.CAMERA}." in after
    assert value in (await device_of(world, rows.CAMERA)).values(AttributeKind.MAC)


async def test_a_computer_is_added_in_two_steps_and_nothing_is_stored_before_the_second(
    world: PortalWorld, lan: Lan
) -> None:
    count = await target_count(world)
    async with world.signed_in() as client:
        first = await asked(client)
        assert first.status_code == 303
        assert TICKET.fullmatch(first.headers["location"])
        page = await client.get(first.headers["location"])
        assert (await target_count(world), lan.host.logins) == (count, 0)
        added = await client.post(first.headers["location"], data={"csrf": await csrf(client)})
        again = await client.post(first.headers["location"], data={"csrf": await csrf(client)})
        over = words_of((await client.get(again.headers["location"])).text)
    assert fingerprint(KEY) in page.text
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in page.text
    assert "Added recept runs debian 12; it can become root" in words_of(added.text)
    assert "Begin again" in over
    async with world.store.read() as conn:
        (made,) = [one for one in await targets.every(conn) if one.address == ADDRESS]
        login = await targets.login_of(conn, world.work.sealer, made.id)
    assert (made.label, made.login, made.host_key) == ("Reception", "osiris", KEY)
    assert login.credential == credential(password=LOGIN)
    assert await target_count(world) == count + 1


@pytest.mark.parametrize(
    "secrets",
    [{"key": PEM.replace("\n", "\r\n"), "password": ""}, {"password": LOGIN}],
    ids=["a pasted key", "a password"],
)
async def test_no_page_ever_shows_the_secret_again(
    world: PortalWorld, lan: Lan, secrets: dict[str, str]
) -> None:
    async with world.signed_in() as client:
        first = await asked(client, **secrets)
        place = first.headers["location"]
        wrong = await asked(client, **secrets, port="no port")
        lan.host.users.clear()
        pages = [wrong, await client.get(place)]
        pages.append(await client.post(place, data={"csrf": await csrf(client)}))
        pages += [await client.get(path) for path in ("/devices", "/targets/add", place)]
    assert pages[2].status_code == 409
    assert 'id="user-wrong"' in pages[2].text
    assert "is not kept" in pages[2].text
    for answer in (first, *pages):
        assert "secretsecretsecret" not in answer.text + str(answer.headers)
        assert LOGIN not in answer.text + str(answer.headers)


async def test_a_key_comes_as_a_file(world: PortalWorld) -> None:
    async with world.signed_in() as client:
        data = {**FORM, "password": "", "csrf": await csrf(client)}
        first = await client.post(
            "/targets/add", data=data, files={"key_file": ("id_ed25519", PEM.encode())}
        )
        added = await client.post(first.headers["location"], data={"csrf": data["csrf"]})
    assert "Added recept runs debian 12" in words_of(added.text)
    async with world.store.read() as conn:
        (made,) = [one for one in await targets.every(conn) if one.address == ADDRESS]
        login = await targets.login_of(conn, world.work.sealer, made.id)
    assert login.credential == credential(key=PEM)


async def test_no_other_form_takes_a_file(world: PortalWorld) -> None:
    async with world.signed_in() as client:
        answer = await client.post(
            f"/devices/{rows.CAMERA}/off-limits",
            data={"csrf": await csrf(client), "reason": "x"},
            files={"key_file": ("x", b"x")},
        )
    assert answer.status_code == 400
    assert not (await device_of(world, rows.CAMERA)).is_off_limits


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"address": "reception"}, "address", "Give an IPv4 address"),
        ({"address": "10.44.1.31"}, "address", "did not answer"),
        ({"port": "0"}, "port", "Give a number"),
        ({"port": "9" * 5000}, "port", "Give a number"),
        ({"user": "a b"}, "user", "Give letters"),
        ({"label": "x" * 65}, "label", "Give at most 64"),
        ({"sudo": "always"}, "sudo", "Choose one"),
        ({"password": ""}, "key", "Give a key file"),
        ({"key": "ssh-ed25519 AAAA my public key"}, "key", "This is no private key"),
        ({"password": "", "key": PEM, "sudo": "ask"}, "sudo_password", "Give the password"),
    ],
)
async def test_each_mistake_is_said_beside_its_field_and_stores_nothing(
    world: PortalWorld, lan: Lan, change: dict[str, str], field: str, said: str
) -> None:
    count = await target_count(world)
    async with world.signed_in() as client:
        answer = await asked(client, **change)
    assert answer.status_code in {400, 409}
    found = re.search(rf'id="{field}-wrong">([^<]*)<', answer.text)
    assert found is not None
    assert said in found[1]
    named = [attributes for _, attributes in Elements(answer.text).found if "name" in attributes]
    (input_,) = [one for one in named if one["name"] == field]
    assert input_["aria-invalid"] == "true"
    assert f"{field}-wrong" in str(input_["aria-describedby"])
    assert (await target_count(world), lan.host.logins) == (count, 0)


async def test_what_looks_medical_is_not_even_shown_a_login(world: PortalWorld, lan: Lan) -> None:
    lan.scanner.devices = [FakeDevice(ADDRESS, MAC, "GE Healthcare", (22,))]
    async with world.signed_in() as client:
        answer = await asked(client)
    assert answer.status_code == 409
    assert "is off limits" in words_of(answer.text)
    assert lan.scanner.touched == set()


async def test_what_waits_belongs_to_whoever_asked_and_for_five_minutes(
    world: PortalWorld, lan: Lan
) -> None:
    async with world.signed_in() as client:
        place = (await asked(client)).headers["location"]
        dropped = (await asked(client)).headers["location"]
        token = {"csrf": await csrf(client)}
        await client.post(f"{dropped}/forget", data=token)
        gone = await client.post(dropped, data=token)
        world.clock.advance(LIFE_MS)
        late = await client.post(place, data=token)
    assert gone.headers["location"] == late.headers["location"] == "/targets/add?over=1"
    assert lan.host.logins == 0


async def test_a_login_is_tried_and_what_it_says_is_shown(world: PortalWorld, lan: Lan) -> None:
    async with world.signed_in() as client:
        place = (await asked(client)).headers["location"]
        await client.post(place, data={"csrf": await csrf(client)})
        async with world.store.read() as conn:
            (made,) = [one for one in await targets.every(conn) if one.address == ADDRESS]
        path = f"/devices/{made.id}/test"
        works = await client.post(path, data={"csrf": await csrf(client)})
        lan.host.users.clear()
        fails = await client.post(path, data={"csrf": await csrf(client)})
    assert "The sign-in works recept runs debian 12" in words_of(works.text)
    assert fails.status_code == 409
    assert "The sign-in did not work" in fails.text
    assert "Check the user's name and its key or password" in words_of(fails.text)


async def test_a_computer_is_let_go_after_a_question(world: PortalWorld) -> None:
    path = f"/devices/{rows.LAB}/remove"
    count = await target_count(world)
    async with world.signed_in() as client:
        question = words_of((await client.get(path)).text)
        assert await target_count(world) == count
        done = await client.post(path, data={"csrf": await csrf(client)})
        again = await client.get(path)
    assert "Its sign-in is deleted here at once" in question
    assert "No longer looked after" in done.text
    assert again.status_code == 404
    assert await target_count(world) == count - 1


async def test_a_released_device_that_shows_a_new_sign_is_off_limits_again(
    world: PortalWorld, lan: Lan
) -> None:
    """From the page to the next discovery and back: a person's word does not hide a scanner."""
    lan.scanner.devices = [FakeDevice("10.44.1.60", "00:1b:c5:0a:3c:60", "B. Braun", (104, 22))]
    path = f"/devices/{rows.PUMP}/release"
    async with world.signed_in() as client:
        form = {
            "csrf": await csrf(client),
            "signs": "vendor b braun",
            "reason": "I think it is a printer.",
            "sure": "yes",
        }
        await client.post(path, data=form)
        seen = replace(world.work.settings, networks=("10.44.1.0/24",))
        await discover_once(replace(world.work, settings=seen, content=reference))
        after = words_of((await client.get(f"/devices/{rows.PUMP}")).text)
    assert "This is a medical device It was recognised as one (port 104 is open: DICOM)" in after


@pytest.mark.browser
@pytest.mark.parametrize("look", EXAMINED, ids=lambda look: f"{look.width}-{look.scheme}")
async def test_the_pages_of_a_question_are_accessible_and_fit(
    tmp_path: Path, lan: Lan, look: Look
) -> None:
    async with portal_world(tmp_path, scanner=lan.scanner, shell=lan.shell) as world:
        await rows.fill(world.store)
        async with world.store.write() as conn:
            conflict = Conflict(rows.CAMERA, rows.PRINTER, AttributeKind.HOST_KEY, KEY)
            await conflicts.record(conn, [conflict], at_ms=rows.NOW_MS)
            (kept,) = await conflicts.waiting(conn)
        async with examining(world.lan, tmp_path, look) as examiner:
            page = examiner.page
            await examiner.sign_in(PERSON, f"/conflicts/{kept.id}")
            await examiner.looks_right()
            for path in ("/conflicts", f"/devices/{rows.PRINTER}", "/devices"):
                await examiner.looks_right(path)
            await examiner.looks_right("/targets/add")
            for name in ("address", "user", "password"):
                await page.fill(f"#{name}", "" if name == "password" else FORM[name])
            await page.click("main form.form button")
            await shows(page, "#key-wrong", "Give a key file")
            await examiner.looks_right()
            await page.fill("#password", LOGIN)
            await page.click("main form.form button")
            await shows(page, "#fingerprint", fingerprint(KEY))
            await examiner.looks_right()
            await page.click("text=They are the same")
            await shows(page, "main", "recept runs debian 12")
            await examiner.looks_right()


@pytest.mark.browser
async def test_a_person_without_javascript_adds_a_computer_by_its_key_file_and_keeps_it_off_limits(
    tmp_path: Path, lan: Lan
) -> None:
    require_chromium()
    file = tmp_path / "id_ed25519"
    file.write_text(PEM)
    async with portal_world(tmp_path, scanner=lan.scanner, shell=lan.shell) as world:
        async with (
            served(world.lan, tmp_path) as base,
            chromium() as browser,
            looking(browser, EXAMINED[0]) as page,
        ):
            await page.goto(f"{base}/targets/add")
            await page.fill("#name", PERSON)
            await page.fill("#password", PASSWORD)
            await page.click("main button")
            await page.fill("#address", ADDRESS)
            await page.fill("#user", "osiris")
            await page.set_input_files("#key_file", str(file))
            await page.click("main form.form button")
            await page.click("text=They are the same")
            await shows(page, "main", "recept runs debian 12")
            await page.click("text=Put it off limits")
            await page.fill("#reason", "It drives the scanner.")
            await page.click("main form.form button")
            await shows(page, "main", "It drives the scanner")
            await page.click("text=Release it")
            world.clock.advance(1)
            await page.fill("#reason", "I was wrong.")
            await page.check("#sure")
            await page.click("main form.form button")
            await shows(page, "#decisions", "I was wrong")
            await shows(page, "main", "Nobody signs in to it")
        async with world.store.read() as conn:
            (made,) = await targets.every(conn)
            assert await devices.held(conn) == {made.id: (await devices.get(conn, made.id)).held}

"""What a person sets that no order lifts: protected hosts and maintenance windows."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from appliance.core.site_rules import ALL, Matter, Ordered, Span
from appliance.handlers.site_rules import lan_rules_of
from appliance.store import accounts, lan_rules, ordered
from proto.catalog.model import Autonomy
from proto.evidence import COMMAND_LINE, LanAct, LanLeaf, open_leaf
from proto.keys import trust_one
from tests.e2e import clinic_rows as rows
from tests.e2e.portal_world import PERSON, PortalWorld, portal_world
from tests.e2e.test_portal_pages import csrf, words_of


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PortalWorld]:
    async with portal_world(tmp_path) as made:
        await rows.fill(made.store)
        yield made


async def shown(client: httpx.AsyncClient) -> str:
    return words_of((await client.get("/limits")).text)


async def test_a_person_protects_a_host_and_lets_it_be_changed_again(world: PortalWorld) -> None:
    async with world.signed_in() as client:
        form = {"csrf": await csrf(client), "target": rows.LAB, "reason": "The analyser's own."}
        empty = await client.post("/limits/protected", data={**form, "reason": " "})
        nobody = await client.post("/limits/protected", data={**form, "target": "t-x"})
        done = await client.post("/limits/protected", data=form)
        again = await client.post("/limits/protected", data=form)
        during = await shown(client)
        device = words_of((await client.get(f"/devices/{rows.LAB}")).text)
        async with world.store.read() as conn:
            rules = await lan_rules_of(conn, world.work)
        path = f"/limits/protected/{rows.LAB}/end"
        freed = await client.post(path, data={"csrf": form["csrf"]})
        gone = await client.post(path, data={"csrf": form["csrf"]})
        after = await shown(client)
    assert (empty.status_code, nobody.status_code) == (400, 400)
    assert 'id="reason-wrong">Say why' in empty.text
    assert 'id="target-wrong">Choose a device' in nobody.text
    assert (done.status_code, again.status_code) == (303, 409)
    assert "Protected hosts (1)" in during
    assert "Protected: looked at, never changed" in device
    assert f"The analyser's own. {PERSON}" in during
    assert rows.LAB in rules.protected
    assert (freed.status_code, gone.status_code) == (303, 404)
    assert "Protected hosts (0)" in after


async def test_a_person_sets_a_window_and_is_told_when_the_next_one_begins(
    world: PortalWorld,
) -> None:
    async with world.signed_in() as client:
        form = {"csrf": await csrf(client), "start": "22:00", "hours": "8", "day_5": "on"}
        no_day = await client.post("/limits/windows", data={**form, "day_5": ""})
        no_time = await client.post("/limits/windows", data={**form, "start": "25:00"})
        no_length = await client.post("/limits/windows", data={**form, "hours": "5"})
        done = await client.post("/limits/windows", data=form)
        twice = await client.post("/limits/windows", data=form)
        during = await shown(client)
        async with world.store.read() as conn:
            (kept,) = await lan_rules.windows(conn)
            rules = await lan_rules_of(conn, world.work)
        path = f"/limits/windows/{kept.id}/remove"
        removed = await client.post(path, data={"csrf": form["csrf"]})
        after = await shown(client)
    assert [one.status_code for one in (no_day, no_time, no_length)] == [400, 400, 400]
    assert (done.status_code, twice.status_code) == (303, 409)
    assert kept.span == Span(frozenset({5}), 22 * 60, 8 * 60)
    assert rules.window is not None
    assert "Saturday 22:00 to 06:00 the next day" in during
    assert "The next one begins Nov 28, 2026, 10:00 PM EST" in during
    assert removed.status_code == 303
    assert "While none is set, such repairs are handed to a person." in after


async def told(world: PortalWorld) -> list[LanLeaf]:
    """Return what evidence says that people set, each leaf verified."""
    trust = trust_one("appliance", world.work.scribe.key.public)
    async with world.store.read() as conn:
        found = await conn.execute_fetchall("SELECT leaf FROM evidence WHERE type = 'lan'")
    leaves = [open_leaf(one["leaf"], trust) for one in found]
    return [one for one in leaves if isinstance(one, LanLeaf)]


async def test_evidence_names_who_set_a_limit_on_the_portal_and_on_the_command_line(
    world: PortalWorld,
) -> None:
    transport = httpx.ASGITransport(app=world.socket)
    async with world.signed_in() as client:
        form = {"csrf": await csrf(client), "target": rows.LAB, "reason": "Room 4 of Ms Yilmaz."}
        assert (await client.post("/limits/protected", data=form)).status_code == 303
    async with httpx.AsyncClient(
        transport=transport, base_url="http://osiris", trust_env=False
    ) as door:
        await door.post(f"/api/limits/protected/{rows.LAB}/end", json={"account": "root"})
        refused = await door.post(f"/api/limits/protected/{rows.LAB}/end", json={})
    async with world.store.read() as conn:
        code = await accounts.code_of(conn, PERSON)
        everything = await conn.execute_fetchall("SELECT leaf FROM evidence WHERE type = 'lan'")
    assert refused.status_code == 404
    found = [(one.act, one.actor, one.target) for one in await told(world)]
    assert found == [
        (LanAct.PROTECTED, code, rows.LAB),
        (LanAct.UNPROTECTED, COMMAND_LINE, rows.LAB),
    ]
    assert "Yilmaz" not in "".join(str(one.to_value()) for one in await told(world))
    assert len(list(everything)) == len(found)


async def test_the_command_line_lists_what_orders_set(world: PortalWorld) -> None:
    until_ms = rows.NOW_MS + rows.DAY
    async with world.store.write() as conn:
        for one in (
            Ordered(Matter.AUTONOMY, ALL, ALL, Autonomy.ALERT, until_ms, "ab" * 32),
            Ordered(Matter.WAIVER, "net.telnet.open", rows.LAB, None, until_ms, "cd" * 32),
        ):
            await ordered.add(conn, one, now_ms=rows.NOW_MS)
    transport = httpx.ASGITransport(app=world.socket)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://osiris", trust_env=False
    ) as door:
        limits = (await door.get("/api/limits")).json()["ordered"]
        waivers = (await door.get("/api/waivers")).json()
        world.clock.advance(rows.DAY)
        later = (await door.get("/api/limits")).json()["ordered"]
        ended = (await door.get("/api/waivers")).json()
    assert [(one["matter"], one["order"], one["until_ms"]) for one in limits] == [
        ("autonomy", "ab" * 32, until_ms),
        ("waiver", "cd" * 32, until_ms),
    ]
    assert limits[0]["sentence"] == "Every check: a person is told, and carries the repair out"
    (waiver,) = [one for one in waivers if one["order"]]
    assert (waiver["target"], waiver["check"]) == (rows.LAB, "net.telnet.open")
    assert (waiver["id"], waiver["account"]) == (None, "order cdcdcdcdcdcdcdcd")
    assert later == []
    assert [one for one in ended if one["order"]] == []


async def test_what_orders_set_is_shown_with_its_end(world: PortalWorld) -> None:
    until_ms = rows.NOW_MS + rows.DAY
    async with world.store.write() as conn:
        for one in (
            Ordered(Matter.AUTONOMY, ALL, ALL, Autonomy.ALERT, until_ms, "ab" * 32),
            Ordered(Matter.WAIVER, "net.telnet.open", rows.LAB, None, until_ms, "cd" * 32),
            Ordered(Matter.HEALING, "net.telnet.open", ALL, None, until_ms, "ef" * 32),
        ):
            await ordered.add(conn, one, now_ms=rows.NOW_MS)
    async with world.signed_in() as client:
        page = await shown(client)
        world.clock.advance(rows.DAY)
        client.cookies.clear()
    async with world.signed_in() as client:
        later = await shown(client)
    assert "Set by signed orders (3)" in page
    assert "Every check: a person is told, and carries the repair out" in page
    assert "order abababababababab" in page
    assert "Set by signed orders (0)" in later


async def test_nobody_changes_limits_without_signing_in_or_the_forms_token(
    world: PortalWorld,
) -> None:
    form = {"target": rows.LAB, "reason": "mine"}
    async with world.client() as client:
        stranger = await client.post("/limits/protected", data=form)
    async with world.signed_in() as client:
        forged = await client.post("/limits/protected", data=form)
    async with world.store.read() as conn:
        assert await lan_rules.protected(conn) == frozenset()
    assert stranger.status_code in {303, 401, 403}
    assert forged.status_code == 403


async def test_the_command_line_protects_and_sets_windows_through_the_socket(
    world: PortalWorld,
) -> None:
    transport = httpx.ASGITransport(app=world.socket)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://osiris", trust_env=False
    ) as door:
        body = {"target": rows.LAB, "reason": "the analyser's own", "account": "root"}
        assert (await door.post("/api/limits/protected", json=body)).status_code == 200
        window = {"days": [5, 6], "start_min": 1320, "length_min": 240}
        assert (await door.post("/api/limits/windows", json=window)).status_code == 200
        wrong = [
            {**window, "days": []},
            {**window, "days": [7]},
            {**window, "start_min": 1440},
            {**window, "length_min": 5},
            {**window, "length_min": True},
        ]
        refused = [await door.post("/api/limits/windows", json=one) for one in wrong]
        found = (await door.get("/api/limits")).json()
        number = found["windows"][0]["id"]
        await door.post(f"/api/limits/windows/{number}/remove", json={})
        await door.post(f"/api/limits/protected/{rows.LAB}/end", json={})
        left = (await door.get("/api/limits")).json()
    assert [one.status_code for one in refused] == [400] * len(wrong)
    assert [one["target"] for one in found["protected"]] == [rows.LAB]
    assert found["windows"][0]["days"] == "Saturday, Sunday"
    assert found["window_open"] is False
    assert left == {
        "protected": [],
        "windows": [],
        "ordered": [],
        "window_open": None,
        "next_window_ms": None,
    }

"""What a person on the LAN sees of orders, and what their word does: the real gate decides."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from appliance.core.order_gate.ledger import State
from appliance.core.order_gate.limits import SecurityWatch
from appliance.handlers.orders import Done
from appliance.handlers.orders.opinions import own_holder
from appliance.store import opinions, order_state
from proto.opinions import open_consent, open_veto
from proto.orders.kinds import DAY_S, OrderType
from proto.phi.leaving import closed
from proto.receipts import Outcome
from tests.e2e.front_door import PASSWORD
from tests.e2e.order_portal import OrderPortal, order_portal
from tests.e2e.portal_world import PERSON
from tests.e2e.test_portal_pages import Elements, csrf, words_of
from tests.unit.order_site import row, take
from tests.unit.order_world import CHECK, NOW, TRUST


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[OrderPortal]:
    async with order_portal(tmp_path) as made:
        yield made


def dangerous(portal: OrderPortal, **changes: object) -> int:
    """Log an order of tier 3, which waits four hours here, and return its leaf."""
    return portal.site.order(
        OrderType.DISABLE_HEALING, "ada", "bea", exp=NOW + 20 * 3600, **changes
    )


async def shown(client: httpx.AsyncClient, path: str = "/orders") -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, path
    return words_of(answer.text)


async def test_every_order_is_shown_with_where_it_stands(portal: OrderPortal) -> None:
    async def failing(*_: object) -> Done:
        return Done(Outcome.FAILED, {"why": closed("timeout", ("timeout",))})

    portal.site.ends[OrderType.FORCE_CHECKIN] = failing
    done = portal.site.order(reason="look again, please")
    failed = portal.site.order(OrderType.FORCE_CHECKIN, exp=NOW + 600)
    waits = dangerous(portal)
    stranger = portal.site.order(target={"site": "s-bbbbbbbbbb"})
    await take(portal.site, portal.work)
    async with portal.signed_in() as client:
        listed = await shown(client)
        pages = {n: await shown(client, f"/orders/{n}") for n in (done, failed, waits, stranger)}
        history = await shown(client, "/orders/0")
        gone = await client.get("/orders/999")
    assert 'Run checks again now (run_drift) number 5, asked by ada "look again, please"' in listed
    assert "It waits four hours for a veto, or for the site's consent. Until" in listed
    assert "From before" in listed
    assert "It was carried out." in pages[done]
    assert "the hub's order key alone" in pages[done]
    assert "Targets every target" in pages[done]
    assert "It told the hub why timeout" in pages[failed]
    assert "Veto this order" in pages[waits]
    assert "Signed by ada, bea" in pages[waits]
    assert "scope_site" in pages[stranger]
    assert "Where EVERY appliance of site s-bbbbbbbbbb" in pages[stranger]
    assert "Veto this order" not in pages[stranger]
    assert "never run here" in history
    assert gone.status_code == 404
    assert "one person" in listed.lower()  # a development trust is said plainly


async def test_a_veto_is_signed_by_the_appliance_and_ends_the_order(portal: OrderPortal) -> None:
    leaf = dangerous(portal)
    await take(portal.site, portal.work)
    sid = (await row(portal.work, leaf)).sid or ""
    async with portal.signed_in() as client:
        form = {"csrf": await csrf(client), "reason": "We are in surgery.", "password": PASSWORD}
        path = f"/orders/{leaf}/veto"
        asked = await shown(client, f"/orders/{leaf}")
        first_page = await shown(client, "/")
        wrong = await client.post(path, data={**form, "password": "wrong"})
        empty = await client.post(path, data={**form, "reason": " "})
        hidden = await client.post(path, data={**form, "reason": "a\u202eb"})
        done = await client.post(path, data=form)
        await take(portal.site, portal.work)
        after = await shown(client, f"/orders/{leaf}")
        first_page_after = await shown(client, "/")
        again = await client.post(path, data=form)
    async with portal.work.store.read() as conn:
        rows = await conn.execute_fetchall("SELECT statement FROM order_opinions")
        (statement,) = [found["statement"] for found in rows]
    said = open_veto(
        statement,
        authority=TRUST.authority,
        site=portal.work.scribe.site,
        appliance=own_holder(portal.work),
        now_s=NOW,
    )
    assert [one.status_code for one in (wrong, empty, hidden)] == [400, 400, 400]
    assert "This is not your password." in wrong.text
    assert "1 order runs unless somebody here vetoes it; nothing else needs a person" in first_page
    assert 'Asked by ada: "asked for in a test"' in first_page
    assert "Orders that wait" not in first_page_after
    assert "nothing needs a person" in first_page_after
    assert "This stays on this appliance." in asked, "and nobody fears that operators read it"
    assert done.status_code == 303
    assert (said.order, said.by) == (sid, portal.code)
    assert PERSON not in said.to_bytes().decode()
    assert "surgery" not in said.to_bytes().decode(), "the reason stays here"
    assert (await row(portal.work, leaf)).state is State.ENDED
    assert f'{PERSON} ({portal.code}) vetoed it: "We are in surgery."' in after
    assert "Vetoed A person vetoed it." in after
    assert again.status_code == 409
    assert portal.site.ran[sid] == 0


async def test_a_veto_says_where_it_counts(portal: OrderPortal) -> None:
    here = dangerous(portal)
    exp = {"exp": NOW + DAY_S // 2}
    everywhere = portal.site.order(
        OrderType.DISABLE_HEALING, "ada", "bea", target={"site": portal.work.scribe.site}, **exp
    )
    await take(portal.site, portal.work)
    async with portal.signed_in() as client:
        pages = [await shown(client, f"/orders/{leaf}") for leaf in (here, everywhere)]
    assert "It will never run on this appliance. A veto" in pages[0]
    assert "the hub tells the other appliances of this site, which stop it too" in pages[1]


async def test_a_consent_ends_the_wait_and_the_order_runs(portal: OrderPortal) -> None:
    leaf = dangerous(portal)
    await take(portal.site, portal.work)
    sid = (await row(portal.work, leaf)).sid or ""
    async with portal.signed_in() as client:
        form = {"csrf": await csrf(client), "password": PASSWORD}
        path = f"/orders/{leaf}/consent"
        wrong = await client.post(path, data={**form, "password": ""})
        assert (await row(portal.work, leaf)).state is State.WAITING
        done = await client.post(path, data=form)
        assert await portal.work.bells.orders.wait(0)
        await take(portal.site, portal.work)
        after = await shown(client, f"/orders/{leaf}")
    async with portal.work.store.read() as conn:
        said = await opinions.said(conn, sid)
        rows = await conn.execute_fetchall("SELECT statement FROM order_opinions")
        (statement,) = [found["statement"] for found in rows]
    site, own = portal.work.scribe.site, own_holder(portal.work)
    assert open_consent(statement, site=site, appliance=own, now_s=NOW).by == portal.code
    assert wrong.status_code == 400
    assert done.status_code == 303
    assert said.consented_by == portal.code
    assert portal.site.ran[sid] == 1
    assert "Signed by ada, bea" in after
    assert f"{PERSON} ({portal.code}) let it run without waiting." in after


async def test_an_order_that_one_person_signed_can_be_vetoed_and_needs_no_consent(
    portal: OrderPortal,
) -> None:
    params = {"check": CHECK, "autonomy": "alert", "until": NOW + 30 * DAY_S}
    leaf = portal.site.order(OrderType.SET_POLICY, "ada", params=params, not_before=NOW + 60)
    await take(portal.site, portal.work)
    async with portal.signed_in() as client:
        page = (await client.get(f"/orders/{leaf}")).text
        form = {"csrf": await csrf(client), "password": PASSWORD}
        refused = await client.post(f"/orders/{leaf}/consent", data=form)
    assert "/veto" in page
    assert "/consent" not in page
    assert refused.status_code == 409


async def test_a_hold_is_ended_by_a_person_and_only_the_one_they_saw(portal: OrderPortal) -> None:
    async with portal.work.store.write() as conn:
        state = await order_state.load(conn)
        held = replace(state, watch=SecurityWatch((NOW, NOW, NOW), NOW))
        await order_state.save(conn, held)
    async with portal.signed_in() as client:
        form = {"csrf": await csrf(client), "password": PASSWORD, "since": str(NOW)}
        page = await shown(client)
        first_page = await shown(client, "/")
        wrong = await client.post("/orders/end-hold", data={**form, "password": "wrong"})
        other = await client.post("/orders/end-hold", data={**form, "since": str(NOW - 1)})
        async with portal.work.store.read() as conn:
            assert (await order_state.load(conn)).watch.held_since_s == NOW
        done = await client.post("/orders/end-hold", data=form)
        after = await shown(client)
    async with portal.work.store.read() as conn:
        assert (await order_state.load(conn)).watch.held_since_s is None
    assert "Orders are held back" in page
    assert "Orders are held back" in first_page
    assert [wrong.status_code, other.status_code, done.status_code] == [400, 409, 303]
    assert "Orders are held back" not in after


async def test_nothing_in_an_order_becomes_part_of_the_page(portal: OrderPortal) -> None:
    portal.site.order(reason="<script>alert(1)</script><b>")
    portal.site.log.append(b"<script>not an envelope</script>")
    await take(portal.site, portal.work)
    async with portal.signed_in() as client:
        for path in ("/orders", "/orders/5", "/orders/6"):
            answer = await client.get(path)
            assert answer.status_code == 200
            assert not {tag for tag, _ in Elements(answer.text).found} & {"script", "b"}


async def test_wrong_passwords_are_throttled_as_at_the_sign_in(portal: OrderPortal) -> None:
    leaf = dangerous(portal)
    await take(portal.site, portal.work)
    async with portal.signed_in() as client:
        form = {"csrf": await csrf(client), "password": "wrong"}
        tried = [
            (await client.post(f"/orders/{leaf}/consent", data=form)).status_code for _ in range(12)
        ]
    assert tried[0] == 400
    assert tried[-1] == 429


@pytest.mark.parametrize("path", ["/orders", "/orders/0"])
async def test_orders_are_shown_to_nobody_who_is_not_signed_in(
    portal: OrderPortal, path: str
) -> None:
    transport = httpx.ASGITransport(app=portal.lan)
    async with httpx.AsyncClient(
        transport=transport, base_url="https://portal", trust_env=False
    ) as client:
        assert (await client.get(path)).status_code == 303

"""The console's pages of orders: what is asked, who signed, where it stands; never a key."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from central.store.views.orders import OrderView
from osiris.desk.kept_trust import KeptTrust
from osiris.desk.order_proof import Held, Keys, verify
from proto.evidence import SaidWhat
from proto.orders.registry import KINDS
from tests.e2e.browser import EXAMINED, Look, examining
from tests.e2e.console_world import PERSON, ConsoleWorld, clinic, console_world
from tests.e2e.order_scene import ARCHIVE, Orders, clinic_orders, trust
from tests.e2e.test_hub_lan_words import sid_of, statement, tell
from tests.e2e.test_hub_orders import no_answer
from tests.e2e.test_portal_pages import EVIL, HEADERS, Elements, words_of
from tests.fakes.box import Box


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ConsoleWorld]:
    async with console_world(tmp_path) as made:
        yield made


@pytest.fixture
async def box(world: ConsoleWorld) -> Box:
    return await clinic(world)


@pytest.fixture
async def orders(world: ConsoleWorld, box: Box) -> dict[str, OrderView]:
    return await clinic_orders(world.trial, box)


def address(view: OrderView) -> str:
    return f"/sites/{view.draft.wish.site}/orders/{view.draft.draft}"


def pages(box: Box, orders: dict[str, OrderView]) -> list[str]:
    site = f"/sites/{box.site}"
    return [
        "/orders",
        f"{site}/orders",
        f"{site}/order",
        f"{site}/order/healing",
        f"{site}/order/isolate_host",
        *(address(view) for view in orders.values()),
    ]


async def test_every_page_needs_no_script_and_shows_no_key(
    world: ConsoleWorld, box: Box, orders: dict[str, OrderView]
) -> None:
    async with world.signed_in() as client:
        for path in pages(box, orders):
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert all(header in answer.headers for header in HEADERS)
            for tag, attributes in Elements(answer.text).found:
                assert tag not in {"script", "style", "iframe", "object"}
                assert attributes.get("type") not in {"password", "file"}


async def test_a_list_says_what_waits_for_people_first(
    world: ConsoleWorld, box: Box, orders: dict[str, OrderView]
) -> None:
    async with world.signed_in() as client:
        said = words_of((await client.get(f"/sites/{box.site}/orders")).text)
        fleet = words_of((await client.get("/orders")).text)
    assert len(orders) == 6
    assert "Waiting for people (1)" in said
    assert "On their way (2)" in said
    assert "Over (3)" in said
    assert said.index("it scans its neighbours") < said.index("the vendor works there this week")
    assert "1 of 2" in said
    assert "Riverside Family Clinic" in fleet


SAID = {
    "done": ["Done", "EVERY appliance of site", "Run checks again now (run_drift)"],
    "refused": ["Why: protected_host", "The site protects this host from every change."],
    "waiting": ["Waits there", "ring_wait", "bea signed a veto", "osiris order veto"],
    "waits_for_people": ["1 signature is missing", "osiris order approve", "Minutes 30"],
    "logged": ["In the log", "was not fetched yet", "osiris order veto"],
    "withdrawn": ["Withdrawn", "Taken back by ada", "Nothing was sent."],
}


async def test_the_first_page_tells_of_what_runs_unless_somebody_vetoes_it(
    world: ConsoleWorld, box: Box, orders: dict[str, OrderView]
) -> None:
    assert orders["waiting"].leaf is not None
    async with world.signed_in() as client:
        before = words_of((await client.get("/")).text)
        await Orders(world.trial, box).fetch(size=orders["waiting"].leaf + 1)
        after = words_of((await client.get("/")).text)
    assert "1 order runs unless somebody vetoes it" in before
    assert "unless somebody vetoes" not in after


async def test_each_order_says_where_it_stands_and_what_can_be_done(
    world: ConsoleWorld, orders: dict[str, OrderView]
) -> None:
    assert set(SAID) == set(orders)
    async with world.signed_in() as client:
        for stage, sentences in SAID.items():
            said = words_of((await client.get(address(orders[stage]))).text)
            assert [one for one in sentences if one not in said] == [], stage


async def test_the_file_of_an_order_is_verified_without_the_hub(
    world: ConsoleWorld, box: Box, orders: dict[str, OrderView]
) -> None:
    async with world.signed_in() as client:
        answer = await client.get(f"{address(orders['done'])}/order.json")
        early = await client.get(f"{address(orders['waits_for_people'])}/order.json")
    keys = Keys(KeptTrust.of(trust(0)), {box.appliance: box.key.public})
    report = verify(answer.content, keys)
    assert report.is_verified, report.failed
    life = next(one for one in report.looks if one.what == f"life at {box.appliance}")
    assert (life.held, life.seen) == (Held.PASSED, f"{box.appliance}: done")
    assert early.status_code == 303


async def test_a_draft_is_taken_back_and_a_logged_order_is_not(
    world: ConsoleWorld, orders: dict[str, OrderView]
) -> None:
    async with world.signed_in() as client:
        page = (await client.get(address(orders["waits_for_people"]))).text
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token is not None
        form = {"csrf": token[1]}
        done = await client.post(f"{address(orders['waits_for_people'])}/withdraw", data=form)
        said = words_of((await client.get(address(orders["waits_for_people"]))).text)
        late = await client.post(f"{address(orders['logged'])}/withdraw", data=form)
    assert done.status_code == 303
    assert f"Taken back by console:{PERSON}" in said
    assert late.status_code == 409


async def test_every_type_has_its_form(world: ConsoleWorld, box: Box) -> None:
    async with world.signed_in() as client:
        listed = (await client.get(f"/sites/{box.site}/order")).text
        for name, kind in KINDS.items():
            address = f"/sites/{box.site}/order/{name.value}"
            assert f'href="{address}"' in listed
            page = (await client.get(address)).text
            assert all(f'name="p_{field}"' in page for field in kind.params.model_fields), name
        assert (await client.get(f"/sites/{box.site}/order/shell")).status_code == 404


async def send(
    world: ConsoleWorld, box: Box, order_type: str, fields: dict[str, str]
) -> tuple[int, str]:
    """Send a form as a browser does; return the status, and the address or what the page says."""
    path = f"/sites/{box.site}/order/{order_type}"
    async with world.signed_in() as client:
        page = (await client.get(path)).text
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token is not None
        answer = await client.post(path, data={"csrf": token[1], **fields})
        if answer.status_code != 303:
            return answer.status_code, words_of(answer.text)
        return 303, words_of((await client.get(answer.headers["location"])).text)


ISOLATE = {"p_target": ARCHIVE, "p_action": "isolate", "p_minutes": "30"}


async def test_a_draft_of_the_console_waits_for_people_like_any_other(
    world: ConsoleWorld, box: Box, orders: dict[str, OrderView]
) -> None:
    assert orders
    fields = {"appliance": box.appliance, "reason": "it scans", **ISOLATE}
    status, said = await send(world, box, "isolate_host", fields)
    assert status == 303
    assert "Waits for people" in said
    assert "2 signatures are missing" in said
    assert f"Asked for by console:{PERSON}, on a page of this console" in said


async def test_a_draft_that_the_signer_does_not_answer_is_shown_and_not_asked_for_again(
    world: ConsoleWorld, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.trial.net.hub.signer, "_talk", no_answer)
    fields = {"appliance": box.appliance, "reason": "it is slow", "p_drain_s": "60"}
    status, said = await send(world, box, "restart_agent", fields)
    assert status == 303
    assert "it is tried again by itself" in said


WRONG: list[tuple[dict[str, str], int, str]] = [
    ({"appliance": ""}, 422, "Where: choose an appliance"),
    ({"appliance": "all"}, 422, "Where: choose an appliance"),
    ({"appliance": "a-zzzzzzzzzz"}, 422, "has no appliance a-zzzzzzzzzz"),
    ({"reason": ""}, 422, "reason"),
    ({"p_minutes": "lots"}, 422, "not a whole number"),
    ({"p_target": "192.0.2.5"}, 422, "Target: '192.0.2.5' is not what it must be"),
    ({"hours": "-1"}, 422, "not a whole number"),
    ({"hours": "99"}, 422, "life_s"),
    ({"people": "\u0663"}, 422, "not a whole number"),
]


async def test_a_form_that_is_wrong_says_what_is_and_drafts_nothing(
    world: ConsoleWorld, box: Box
) -> None:
    for fields, status, problem in WRONG:
        filled = {**ISOLATE, "appliance": box.appliance, "reason": "x", **fields}
        found, said = await send(world, box, "isolate_host", filled)
        assert (found, problem in said) == (status, True), (fields, said)
    async with world.signed_in() as client:
        assert "Over (0)" in words_of((await client.get("/orders")).text)


async def test_text_of_others_is_only_ever_text(
    world: ConsoleWorld, box: Box, orders: dict[str, OrderView]
) -> None:
    assert orders
    fields = {
        "appliance": box.appliance,
        "reason": "why",
        "p_incident": "i-aaaaaaaaaa",
        "p_runbook": "rb.x",
        "p_params": f"note={EVIL}",
    }
    status, said = await send(world, box, "healing", fields)
    assert status == 303
    assert "With note" in said


@pytest.mark.browser
@pytest.mark.parametrize("look", EXAMINED, ids=lambda look: f"{look.width}-{look.scheme}")
async def test_the_pages_of_orders_meet_wcag_aa_and_fit(
    world: ConsoleWorld, box: Box, orders: dict[str, OrderView], look: Look, tmp_path: Path
) -> None:
    shown = (orders["waits_for_people"], orders["waiting"])
    async with examining(world.lan, tmp_path, look) as examiner:
        await examiner.sign_in(PERSON)
        for path in [*pages(box, {})[:5], *(address(view) for view in shown)]:
            await examiner.looks_right(path)


async def test_the_page_says_who_vetoed_on_the_lan_of_which_appliance(
    world: ConsoleWorld, box: Box, orders: dict[str, OrderView]
) -> None:
    view = orders["logged"]
    sid = sid_of(view)
    said = statement(box, sid, now_s=world.trial.now_s)
    await tell(world.trial, box, sid, said, what=SaidWhat.VETO)
    async with world.signed_in() as client:
        page = words_of((await client.get(address(view))).text)
        other = words_of((await client.get(address(orders["waiting"]))).text)
    assert f"By account p-1 at {box.appliance}, in that appliance's signed statement." in page
    assert "Vetoed on the LAN" in page
    assert "on the LAN" not in other

"""A veto and a consent on the LAN at the hub: shown by their own signature, told to neighbours."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from central import order_desk
from central.api.desk import line_of
from central.commands import new_claim
from central.console.order_said import said_steps
from central.store import order_tables, tables
from central.store.views.orders import OrderView
from osiris.desk.listing import life
from proto import strict_json
from proto.claim import parse_claim_code
from proto.envelope import Kind, sign
from proto.evidence import SaidBy, SaidLeaf, SaidWhat
from proto.hub import evidence
from proto.hub.enroll import PATH_ENROLL
from proto.ids import ApplianceId, SiteId
from proto.keys import SigningKey
from proto.opinions import Clear, LanVeto, open_lan_veto
from proto.strict_json import b64_encode
from tests.e2e.order_scene import Orders, trust
from tests.fakes.box import Box
from tests.fakes.hub import Trial, trial
from tests.unit.order_world import key

WAIVE: dict[str, Any] = {"check": "lin.ssh.root_login", "on": "all"}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Trial]:
    async with trial(tmp_path, trust=trust) as made:
        yield made


async def neighbour_of(hub: Trial, box: Box) -> Box:
    """Enroll a second appliance at a site."""
    code = parse_claim_code(await new_claim(hub.net.hub, SiteId(box.site)))
    made = Box.make(hub.entropy)
    answer = await hub.net.post(PATH_ENROLL, made.enroll_request(code, now_s=hub.now_s))
    made.enrolled(answer, hub.root)
    return made


async def site_order(orders: Orders, *, everywhere: bool = True) -> OrderView:
    params = WAIVE | {"until": orders.trial.now_s + 86_400}
    return await orders.draft("waive", params, "bea", reason="a test", everywhere=everywhere)


def sid_of(view: OrderView) -> str:
    assert view.draft.fixed is not None
    return view.draft.fixed.sid.hex()


def statement(
    box: Box,
    sid: str,
    *,
    now_s: int,
    what: SaidWhat = SaidWhat.VETO,
    signer: SigningKey | None = None,
) -> bytes:
    """Return what account p-1 said at an appliance, signed by its key or by another."""
    said: dict[str, Any] = {"v": 1, "site": box.site, "appliance": box.appliance, "order": sid}
    said |= {"by": "p-1", "iat": now_s}
    if what is SaidWhat.VETO:
        said |= {"type": "lan", "commit": b64_encode(bytes(32))}
        raw = LanVeto.from_value(said, "veto").to_bytes()
        return sign(Kind.VETO, raw, signer or box.key)
    return sign(Kind.CONSENT, strict_json.dumps({**said, "type": "order"}), signer or box.key)


async def tell(hub: Trial, box: Box, sid: str, said: bytes, *, what: SaidWhat) -> None:
    """Put a word in an appliance's evidence and send that."""
    leaf = SaidLeaf(
        site=box.site,
        appliance=box.appliance,
        seq=len(box.leaves),
        at=hub.now_s,
        what=what,
        by=SaidBy.LAN,
        actor="p-1",
        order=sid,
        since=None,
        statement=b64_encode(said),
    )
    box.append(leaf)
    await hub.net.post(evidence.PATH, box.batch())


async def shown(hub: Trial, view: OrderView) -> OrderView:
    site = view.draft.wish.site
    return await order_desk.one_draft(hub.net.hub, site, draft=view.draft.draft)


async def conditions(hub: Trial) -> set[str]:
    async with hub.net.hub.store.read() as connection:
        rows = await connection.execute(tables.conditions.select())
        return {row.code for row in rows if row.cleared_ms is None}


async def test_operators_read_who_vetoed_on_the_lan_and_the_neighbours_hear_it(hub: Trial) -> None:
    first = await hub.box()
    other = await neighbour_of(hub, first)
    there, here = Orders(hub, first), Orders(hub, other)
    await there.fetch()
    await here.fetch()
    view = await site_order(there)
    sid = sid_of(view)
    assert (await here.fetch()).neighbours == ()
    said = statement(first, sid, now_s=hub.now_s)
    await tell(hub, first, sid, said, what=SaidWhat.VETO)
    assert (await there.fetch()).neighbours == (), "its own it has"
    (told,) = (await here.fetch()).neighbours
    veto = open_lan_veto(
        told.statement.encode(), site=first.site, appliance=told.holder(), now_s=hub.now_s
    )
    assert (veto.order, told.key) == (sid, first.key.public.b64())
    line = line_of(await shown(hub, view))
    (word,) = [one for one in life(line) if one.label == "On the LAN"]
    assert word.text.startswith(f"vetoed on the LAN of {first.appliance} by account p-1, ")
    (step,) = said_steps((await shown(hub, view)).said)
    assert step.label == "Vetoed on the LAN"
    assert "p-1" in step.sentence
    # An order whose time is over is told to nobody any more.
    assert view.draft.fixed is not None
    hub.clock.advance((view.draft.fixed.exp_s - hub.now_s) * 1000)
    assert (await here.fetch()).neighbours == ()


async def test_a_consent_is_shown_and_told_to_no_neighbour(hub: Trial) -> None:
    first = await hub.box()
    other = await neighbour_of(hub, first)
    there, here = Orders(hub, first), Orders(hub, other)
    await there.fetch()
    await here.fetch()
    view = await site_order(there)
    sid = sid_of(view)
    said = statement(first, sid, now_s=hub.now_s, what=SaidWhat.CONSENT)
    await tell(hub, first, sid, said, what=SaidWhat.CONSENT)
    assert (await here.fetch()).neighbours == ()
    (word,) = [one for one in life(line_of(await shown(hub, view))) if one.label == "On the LAN"]
    assert word.text.startswith(f"consent given on the LAN of {first.appliance} by account p-1, ")


async def test_a_veto_of_an_order_for_one_appliance_stays_there(hub: Trial) -> None:
    first = await hub.box()
    other = await neighbour_of(hub, first)
    there, here = Orders(hub, first), Orders(hub, other)
    await there.fetch()
    await here.fetch()
    sid = sid_of(await site_order(there, everywhere=False))
    said = statement(first, sid, now_s=hub.now_s)
    await tell(hub, first, sid, said, what=SaidWhat.VETO)
    assert (await here.fetch()).neighbours == ()


async def test_a_word_that_the_appliance_did_not_sign_is_not_shown_and_is_said(hub: Trial) -> None:
    """Neither by another's key, nor another statement of its own about another order."""
    first = await hub.box()
    orders = Orders(hub, first)
    await orders.fetch()
    view = await site_order(orders)
    sid = sid_of(view)
    eve = statement(first, sid, now_s=hub.now_s, signer=key("eve"))
    await tell(hub, first, sid, eve, what=SaidWhat.VETO)
    assert await conditions(hub) == {"word_unproved"}
    another = statement(first, "ab" * 32, now_s=hub.now_s)
    await tell(hub, first, sid, another, what=SaidWhat.VETO)
    assert (await shown(hub, view)).said == ()


def clear_of(box: Box, *people: str, since: int, iat: int) -> bytes:
    said = Clear(
        v=1,
        type="clear",
        site=box.site,
        appliance=box.appliance,
        since=since,
        by=people[0],
        iat=iat,
    )
    return sign(Kind.CONSENT, said.to_bytes(), *(key(name) for name in people))


async def test_half_an_end_of_a_hold_is_kept_for_a_second_person_and_told_to_nobody(
    hub: Trial,
) -> None:
    box = await hub.box()
    orders = Orders(hub, box)
    since = hub.now_s - 60
    assert await order_desk.holds(hub.net.hub) == []
    await orders.fetch(held=since)
    (found,) = await order_desk.holds(hub.net.hub)
    assert (found.appliance, found.since_s, found.half) == (ApplianceId(box.appliance), since, None)
    half = clear_of(box, "ada", since=since, iat=hub.now_s)
    await order_desk.take_opinion(hub.net.hub, half)
    assert (await orders.fetch(held=since)).opinions == ()
    (found,) = await order_desk.holds(hub.net.hub)
    assert found.half == half
    whole = clear_of(box, "ada", "bea", since=since, iat=hub.now_s)
    await order_desk.take_opinion(hub.net.hub, whole)
    assert (await orders.fetch(held=since)).opinions == (whole.decode(),)
    (found,) = await order_desk.holds(hub.net.hub)
    assert found.half is None, "the half is done with"
    await orders.fetch(held=None)
    assert await order_desk.holds(hub.net.hub) == []


async def clear_leaf(hub: Trial, box: Box, statement: bytes, *, since: int) -> None:
    """Tell in an appliance's evidence that operators ended its hold."""
    leaf = SaidLeaf(
        site=box.site,
        appliance=box.appliance,
        seq=len(box.leaves),
        at=hub.now_s,
        what=SaidWhat.CLEAR,
        by=SaidBy.OPERATORS,
        actor="ada",
        order=None,
        since=since,
        statement=b64_encode(statement),
    )
    box.append(leaf)
    await hub.net.post(evidence.PATH, box.batch())


async def test_an_appliance_that_was_taken_says_that_operators_ended_its_hold_and_is_named(
    hub: Trial,
) -> None:
    """What the hub shows as theirs is what two of them signed, as at every appliance."""
    box = await hub.box()
    await Orders(hub, box).fetch()
    since = hub.now_s - 60
    for people in (("ada",), ("ada", "eve")):
        await clear_leaf(hub, box, clear_of(box, *people, since=since, iat=hub.now_s), since=since)
    assert await conditions(hub) == {"word_unproved"}
    assert await said(hub) == []
    await clear_leaf(hub, box, clear_of(box, "ada", "bea", since=since, iat=hub.now_s), since=since)
    assert await said(hub) == [("clear", "ada", since)]


async def said(hub: Trial) -> list[tuple[str, str, int]]:
    """Return the words that the hub keeps from evidence."""
    async with hub.net.hub.store.read() as connection:
        rows = await connection.execute(order_tables.order_words.select())
        return [(row.what, row.actor, row.since_s) for row in rows]

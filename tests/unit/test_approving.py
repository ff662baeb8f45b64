"""A person on the LAN lets a repair run: what that lifts, and what it does not."""

import asyncio
from pathlib import Path

import pytest

from appliance.core.healing import REOPEN_MS
from appliance.handlers.approving import NotApprovableError
from appliance.handlers.people import People
from appliance.handlers.work import Work
from appliance.portal.offer import offer_for
from appliance.store import lan_rules
from proto.catalog.model import Autonomy
from proto.errors import NotFoundError
from proto.evidence import HealLeaf, IncidentLeaf, Turn
from proto.ids import IncidentId
from proto.incidents import Cause, Incident, State
from tests.unit.cut_process import virtual
from tests.unit.order_site import leaves
from tests.unit.test_order_handlers import DAY_S, healing, hold_local_healing, only_incident
from tests.unit.test_restart_every_point import TARGET, Box, Bulb, alive, box_with

WITHIN_S = 60


async def waiting_box(tmp_path: Path, bulb: Bulb, autonomy: Autonomy = Autonomy.APPROVE) -> Box:
    box = await box_with(tmp_path, bulb)
    async with alive(box) as work:
        await hold_local_healing(work, autonomy)
    return box


async def let_it(work: Work, incident: Incident) -> None:
    offer = offer_for(work.content(), incident)
    shown = offer.shown if offer else ""
    await People(work).approve_repair(incident.id, shown=shown, account="ana")


@virtual
async def test_an_approved_repair_runs_is_proved_and_evidence_says_that_a_person_let_it(
    tmp_path: Path,
) -> None:
    box = await waiting_box(tmp_path, Bulb())
    async with healing(box) as work:
        await asyncio.sleep(1)
        before = await only_incident(work)
        assert (before.state, before.cause) == (State.ESCALATED, Cause.APPROVAL_NEEDED)
        await let_it(work, before)
        await asyncio.sleep(WITHIN_S)
        after = await only_incident(work)
        told = await leaves(work)
        async with work.store.read() as conn:
            rows = await conn.execute_fetchall("SELECT actor, note FROM turns")
    assert after.state is State.HEALED
    assert box.bulb.is_lit
    turns = [(one.turn, one.actor) for one in told if isinstance(one, IncidentLeaf)]
    assert turns[-2:] == [(Turn.ESCALATED, "appliance"), (Turn.OPENED, "person")]
    (leaf,) = [one for one in told if isinstance(one, HealLeaf)]
    assert leaf.to_value()["cause"] == {"rule": after.decided.id if after.decided else ""}
    assert "ana" not in "".join(str(one.to_value()) for one in told)
    assert ("person", f"ana: approved {after.runbook}") in [(row[0], row[1]) for row in rows]


@virtual
async def test_one_approval_is_one_try(tmp_path: Path) -> None:
    """A repair that did not work is undone, and the next one waits for a person again."""
    box = await waiting_box(tmp_path, Bulb(works=False))
    async with healing(box) as work:
        await asyncio.sleep(1)
        await let_it(work, await only_incident(work))
        await asyncio.sleep(WITHIN_S)
        undone = await only_incident(work)
        await asyncio.sleep(REOPEN_MS / 1000)
        after = await only_incident(work)
    assert undone.state is State.OPEN
    assert (after.state, after.cause) == (State.ESCALATED, Cause.APPROVAL_NEEDED)
    assert box.bulb.counts()["undo"] == 1


@virtual
async def test_a_repair_for_quiet_hours_runs_when_a_person_says_now(tmp_path: Path) -> None:
    box = await waiting_box(tmp_path, Bulb(), Autonomy.WINDOW)
    async with healing(box) as work:
        await asyncio.sleep(1)
        before = await only_incident(work)
        assert before.cause is Cause.WINDOW_NEEDED
        await let_it(work, before)
        await asyncio.sleep(WITHIN_S)
        assert (await only_incident(work)).state is State.HEALED


@virtual
@pytest.mark.parametrize("autonomy", [Autonomy.ALERT, Autonomy.OBSERVE])
async def test_what_is_stricter_than_approval_is_not_lifted(
    tmp_path: Path, autonomy: Autonomy
) -> None:
    box = await waiting_box(tmp_path, Bulb(), autonomy)
    async with healing(box) as work:
        await asyncio.sleep(1)
        with pytest.raises(NotApprovableError, match="does not wait for an approval"):
            await let_it(work, await only_incident(work))
        await asyncio.sleep(WITHIN_S)
    assert box.bulb.did == []


@virtual
async def test_what_came_between_page_and_click_holds_the_repair(tmp_path: Path) -> None:
    """The host was protected, or observe-only set: the click finds it out, and changes nothing."""
    box = await waiting_box(tmp_path, Bulb())
    async with healing(box) as work:
        await asyncio.sleep(1)
        before = await only_incident(work)
        async with work.store.write() as conn:
            await lan_rules.protect(conn, TARGET, reason="the server", account="ana", now_ms=1)
        with pytest.raises(NotApprovableError, match="The site protects this device"):
            await let_it(work, before)
        async with work.store.write() as conn:
            await lan_rules.unprotect(conn, TARGET, account="ana", now_ms=2)
        await People(work).set_observe_only(on=True, account="ana")
        with pytest.raises(NotApprovableError, match="This site is set to observe only"):
            await let_it(work, before)
        assert await only_incident(work) == before
    assert box.bulb.did == []


@virtual
async def test_what_is_approved_is_what_was_shown(tmp_path: Path) -> None:
    box = await waiting_box(tmp_path, Bulb())
    async with healing(box) as work:
        await asyncio.sleep(1)
        before = await only_incident(work)
        digest = work.content().digest
        for other in ("0" * 64, digest, f"{digest}:l1.another", f"{'0' * 64}:{before.check}"):
            with pytest.raises(NotApprovableError, match="read it again"):
                await People(work).approve_repair(before.id, shown=other, account="ana")
        with pytest.raises(NotFoundError, match="no incident"):
            await People(work).approve_repair(
                IncidentId("i-zzzzzzzzzz"), shown=digest, account="ana"
            )
        assert await only_incident(work) == before


@virtual
async def test_a_finding_that_is_too_old_is_asked_again_first(tmp_path: Path) -> None:
    """Somebody put it right by hand: the check says so, and nothing is changed."""
    box = await waiting_box(tmp_path, Bulb())
    async with healing(box) as work:
        await asyncio.sleep(1)
    async with alive(box) as work:
        await asyncio.sleep(5 * DAY_S)
    async with healing(box) as work:
        box.bulb.is_lit = True
        with pytest.raises(NotApprovableError, match="closed"):
            await let_it(work, await only_incident(work))
        assert (await only_incident(work)).cause is Cause.PASSED
    assert [what for what, _ in box.bulb.did] == ["verify"]


@virtual
async def test_an_approval_is_given_once(tmp_path: Path) -> None:
    """Two people click: the second is told, and one repair runs."""
    box = await waiting_box(tmp_path, Bulb())
    async with healing(box) as work:
        await asyncio.sleep(1)
        before = await only_incident(work)
        first = await asyncio.gather(
            let_it(work, before), let_it(work, before), return_exceptions=True
        )
        await asyncio.sleep(WITHIN_S)
        after = await only_incident(work)
    assert sorted(type(one).__name__ for one in first) == ["NoneType", "NotApprovableError"]
    assert after.state is State.HEALED
    assert box.bulb.captures == 1

"""Findings on their way in: what an overtaken one may not do, and what a lost check leaves."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.handlers.people import People
from appliance.handlers.record import record
from appliance.handlers.work import Work
from appliance.store import devices, evidence, findings, incidents
from appliance.store.devices import Seen
from appliance.tasks.heal import consider
from proto.envelope import Kind, open_envelope
from proto.errors import ConflictError, MalformedError, NotFoundError
from proto.evidence import IncidentLeaf, LanLeaf, ScanLeaf, Turn, parse_leaf
from proto.findings import Finding, Verdict
from proto.ids import IncidentId
from proto.incidents import Cause, Incident, State
from proto.inventory import DeviceClass
from proto.keys import trust_one
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.unit.core_values import CHECK, SITE, TARGET, finding, incident
from tests.unit.discovery_site import small_site


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Work]:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as site:
        async with site.work.store.write() as conn:
            seen = [Seen(TARGET, DeviceClass.SERVER, "", {})]
            await devices.upsert(conn, seen, at_ms=1)
        yield site.work


async def put(work: Work, *some: Incident) -> None:
    async with work.store.write() as conn:
        for one in some:
            await incidents.put(conn, one)


async def live(work: Work) -> Incident | None:
    async with work.store.read() as conn:
        return (await incidents.live_of_target(conn, SITE, TARGET)).get(CHECK)


async def verdict(work: Work) -> Verdict | None:
    async with work.store.read() as conn:
        kept = (await findings.of_target(conn, SITE, TARGET)).get(CHECK)
    return kept.finding.verdict if kept else None


async def turns(work: Work) -> list[tuple[Turn, Cause | None]]:
    """Return the turns that evidence tells, in order."""
    trust = trust_one("appliance", work.scribe.key.public)
    async with work.store.read() as conn:
        batch = await evidence.batch(conn, work.scribe, 0, leaves_max=100, bytes_max=10**9)
    told = [
        parse_leaf(open_envelope(one.envelope.encode(), kind=Kind.EVIDENCE, trust=trust).body)
        for one in batch
    ]
    assert all(isinstance(leaf, ScanLeaf | IncidentLeaf | LanLeaf) for leaf in told)
    return [(leaf.turn, leaf.cause) for leaf in told if isinstance(leaf, IncidentLeaf)]


def here(work: Work, kind: Verdict = Verdict.DRIFTED) -> list[Finding]:
    return [finding(kind, content=work.content().digest, at_ms=work.clock.now_ms())]


async def test_drift_is_stored_opened_and_told_in_one_go(work: Work) -> None:
    await record(work, here(work))
    opened = await live(work)
    assert opened is not None
    assert (opened.state, await verdict(work)) == (State.OPEN, Verdict.DRIFTED)
    assert await turns(work) == [(Turn.OPENED, None)]
    await record(work, here(work))
    assert await turns(work) == [(Turn.OPENED, None)]
    await record(work, here(work, Verdict.COMPLIANT))
    assert await live(work) is None
    assert await turns(work) == [(Turn.OPENED, None), (Turn.CLOSED, Cause.PASSED)]


async def test_a_finding_from_before_a_repair_cannot_undo_what_the_repair_proved(
    work: Work,
) -> None:
    """The scan asked while the drift was there; the repair healed it before the scan was done."""
    before = incident()
    await put(work, before)
    asked = here(work)
    await put(work, replace(before, state=State.HEALED))
    await record(work, asked, knowing={CHECK: before})
    still = await live(work)
    assert still is not None
    assert (still.id, still.state) == (before.id, State.HEALED)
    assert await verdict(work) is None, "the check is asked again instead"
    await record(work, asked, knowing={CHECK: still})
    recurred = await live(work)
    assert recurred is not None
    assert recurred.id != before.id


async def test_an_incident_whose_check_is_gone_is_closed(work: Work) -> None:
    """Nothing would ever pass it, and the heal loop would look at it for ever."""
    await put(work, incident(check="lin.gone", name="i-bbbbbbbbbb"))
    await consider(work)
    async with work.store.read() as conn:
        gone = await incidents.get(conn, SITE, IncidentId("i-bbbbbbbbbb"))
        assert await incidents.next_due_ms(conn) is None
    assert gone is not None
    assert (gone.state, gone.cause) == (State.CLOSED, Cause.CHECK_GONE)


async def test_a_waiver_takes_its_incident_at_once_and_gives_it_back_when_ended(
    work: Work,
) -> None:
    people = People(work)
    await record(work, here(work))
    until_ms = work.clock.now_ms() + 1000
    await people.add_waiver(TARGET, CHECK, reason="agreed", until_ms=until_ms, account="ana")
    waived = await live(work)
    assert waived is not None
    assert waived.state is State.WAIVED
    await people.end_waiver(1, account="ana")
    await consider(work)
    back = await live(work)
    assert back is not None
    assert back.state in {State.OPEN, State.ESCALATED}
    assert (await turns(work))[:3] == [
        (Turn.OPENED, None),
        (Turn.WAIVED, Cause.WAIVER),
        (Turn.OPENED, None),
    ]


@pytest.mark.parametrize("state", [State.OPEN, State.EXECUTING, State.CLOSED])
async def test_only_what_is_in_a_persons_hands_can_be_closed_by_hand(
    work: Work, state: State
) -> None:
    await put(work, incident(state))
    with pytest.raises(ConflictError, match="cannot be closed"):
        await People(work).close_incident(incident().id, reason="seen to", account="ana")


async def test_closing_by_hand_needs_a_reason_and_an_incident(work: Work) -> None:
    await put(work, incident(State.ESCALATED))
    people = People(work)
    with pytest.raises(MalformedError):
        await people.close_incident(incident().id, reason="  ", account="ana")
    with pytest.raises(NotFoundError):
        await people.close_incident(IncidentId("i-zzzzzzzzzz"), reason="seen to", account="ana")
    await people.close_incident(incident().id, reason="seen to", account="ana")
    assert await live(work) is None
    assert await turns(work) == [(Turn.CLOSED, Cause.BY_PERSON)]

"""What operators see is the fold of what appliances signed: on both databases, in any batching."""

import os
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Table

from central.commands import confirm_appliance
from central.console import incident as incident_page
from central.core.fleet import Presence
from central.store import tables
from central.store.views.fleet import FleetRow, fleet
from central.store.views.incident import IncidentView, incident_view
from central.store.views.site import SiteView, finding_views, site_view
from proto.errors import NotFoundError
from proto.evidence import Outcome, Result, Turn
from proto.findings import Verdict
from proto.hub import check_in, evidence
from proto.hub.check_in import DeviceCount, FullState, TargetGroup, state_of
from proto.hub.devices import NOTHING_HELD
from proto.ids import ApplianceId, IncidentId, SiteId, TargetId
from proto.incidents import Cause, Severity, State
from proto.inventory import DeviceClass, Platform
from proto.merkle import Tree, leaf_hash
from proto.strict_json import b64_encode
from runtime.web import words
from tests.fakes import postgres
from tests.fakes.box import CONTENT, Box
from tests.fakes.hub import Trial, trial
from tests.fakes.postgres import Postgres

ONE, TWO = "t-aaaaaaaaaa", "t-bbbbbbbbbb"
LOGIN, TIME = "lin.ssh.root_login", "lin.time.sync"
HEALED, STUCK = "i-aaaaaaaaaa", "i-bbbbbbbbbb"
FOLDED: tuple[Table, ...] = (
    tables.findings,
    tables.incidents,
    tables.heals,
    tables.turns,
    tables.targets,
    tables.reported_health,
    tables.details,
)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    binaries = postgres.find_binaries()
    if binaries is None:
        reason = f"no PostgreSQL server here: apt-get install {postgres.PACKAGE}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with postgres.running(binaries) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
async def hub(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Trial]:
    url = None
    if request.param == "postgresql":
        made: Postgres = request.getfixturevalue("server")
        url = made.new_url()
    async with trial(tmp_path, url=url) as made_trial:
        yield made_trial


def a_day(box: Box, at_s: int) -> None:
    """Write a log of two targets: one drift healed, one handed to a person."""
    drifted = {"value": "yes"}
    box.scan(ONE, {LOGIN: (Verdict.DRIFTED, drifted), TIME: (Verdict.COMPLIANT, {})}, at_s=at_s)
    box.turn(HEALED, ONE, LOGIN, kind=Turn.OPENED, cause=None, at_s=at_s + 1)
    box.heal(HEALED, ONE, LOGIN, result=Result.HEALED, at_s=at_s + 2)
    box.turn(HEALED, ONE, LOGIN, kind=Turn.CLOSED, cause=Cause.PASSED, at_s=at_s + 3)
    box.scan(TWO, {LOGIN: (Verdict.DRIFTED, drifted), TIME: (Verdict.UNKNOWN, {})}, at_s=at_s + 4)
    box.turn(STUCK, TWO, LOGIN, kind=Turn.OPENED, cause=None, at_s=at_s + 5)
    box.heal(STUCK, TWO, LOGIN, result=Result.UNDONE, at_s=at_s + 6)
    box.turn(STUCK, TWO, LOGIN, kind=Turn.ESCALATED, cause=Cause.ATTEMPTS_SPENT, at_s=at_s + 7)
    box.health("disk_low", ok=False, at_s=at_s + 8)


async def a_site(hub: Trial) -> Box:
    box = await hub.box("Clinic North")
    a_day(box, hub.now_s)
    await hub.net.post(evidence.PATH, box.batch())
    full = FullState(
        version="0.1.0",
        content=CONTENT,
        evidence_size=len(box.leaves),
        evidence_root=b64_encode(Tree().extend(leaf_hash(one) for one in box.leaves).root),
        health=("disk_low",),
        devices=(DeviceCount(device_class=DeviceClass.SERVER, count=2),),
        targets=(
            TargetGroup(platform=Platform.LINUX, device_class=DeviceClass.SERVER, ids=(ONE, TWO)),
        ),
        targets_total=2,
        device_list=NOTHING_HELD,
        observe_only=False,
    )
    said = box.check_in(now_s=hub.now_s, state=state_of(full), full=full)
    await hub.net.post(check_in.PATH, said)
    return box


async def read_fleet(hub: Trial) -> list[FleetRow]:
    made = hub.net.hub
    async with made.store.read() as connection:
        return await fleet(connection, settings=made.settings, now_ms=made.now_ms)


async def read_site(hub: Trial, site: str) -> SiteView:
    made = hub.net.hub
    async with made.store.read() as connection:
        return await site_view(SiteId(site), connection, settings=made.settings, now_ms=made.now_ms)


async def read_incident(hub: Trial, site: str, incident: str) -> IncidentView:
    async with hub.net.hub.store.read() as connection:
        return await incident_view(SiteId(site), connection, incident=IncidentId(incident))


async def test_the_fleet_is_one_row_a_site(hub: Trial) -> None:
    box = await a_site(hub)
    await hub.net.claim("Empty")
    north, empty = await read_fleet(hub)
    assert (north.site, north.label, north.presence) == (box.site, "Clinic North", Presence.ONLINE)
    assert north.verdicts == {
        Verdict.COMPLIANT: 2,
        Verdict.DRIFTED: 1,
        Verdict.NOT_APPLICABLE: 0,
        Verdict.UNKNOWN: 1,
    }
    assert (north.appliances, north.unconfirmed, north.targets) == (1, 1, 2)
    assert (north.open_incidents, north.escalated, north.healed_lately) == (1, 1, 1)
    assert (empty.presence, empty.appliances, empty.last_seen_ms) == (Presence.NEVER, 0, None)
    assert set(empty.verdicts.values()) == {0}


async def test_a_site_goes_silent_when_it_is_not_heard_of(hub: Trial) -> None:
    await a_site(hub)
    hub.clock.advance(3_600_000)
    assert [row.presence for row in await read_fleet(hub)] == [Presence.SILENT]


async def test_a_site_shows_its_appliances_targets_and_incidents(hub: Trial) -> None:
    box = await a_site(hub)
    found = await read_site(hub, box.site)
    (one,) = found.appliances
    assert one.fingerprint == box.key.public.fingerprint()
    assert (one.held, one.cosigned_size, one.unwell) == (9, 9, ("disk_low",))
    assert one.full is not None
    assert one.full.targets_total == 2
    assert [(t.target, t.platform, t.open_incidents) for t in found.targets] == [
        (ONE, "linux", 0),
        (TWO, "linux", 1),
    ]
    assert [(i.incident, i.state) for i in found.incidents] == [
        (STUCK, State.ESCALATED),
        (HEALED, State.CLOSED),
    ]
    assert found.incidents_total == 2


async def test_an_appliance_that_was_confirmed_says_so(hub: Trial) -> None:
    box = await a_site(hub)
    shown, appliance = box.key.public.fingerprint(), ApplianceId(box.appliance)
    await confirm_appliance(hub.net.hub, appliance, by="ann", shown=shown)
    assert (await read_site(hub, box.site)).appliances[0].confirmed_ms == hub.clock.now_ms()
    assert [row.unconfirmed for row in await read_fleet(hub)] == [0]


async def test_an_incident_shows_before_and_after_and_that_it_is_proved(hub: Trial) -> None:
    box = await a_site(hub)
    found = await read_incident(hub, box.site, HEALED)
    assert (found.line.severity, found.line.cause) == (Severity.HIGH, Cause.PASSED)
    (heal,) = found.heals
    assert (heal.before.verdict, heal.before.seen) == (Verdict.DRIFTED, {"value": "yes"})
    assert (heal.after.verdict, heal.after.seen) == (Verdict.COMPLIANT, {"value": "no"})
    assert (heal.outcome, heal.changed, heal.result) == (Outcome.DONE, True, Result.HEALED)
    assert heal.proved is True


async def test_an_incident_tells_each_turn_with_why_who_and_when(hub: Trial) -> None:
    """Not only where it stands now: that it waited, for whom, and that it was opened again."""
    box, name, at_s = await hub.box(), "i-cccccccccc", hub.now_s
    told = [
        (Turn.OPENED, None),
        (Turn.ESCALATED, Cause.APPROVAL_NEEDED),
        (Turn.WAIVED, Cause.WAIVER),
        (Turn.OPENED, None),
    ]
    for place, (kind, cause) in enumerate(told):
        box.turn(name, ONE, LOGIN, kind=kind, cause=cause, at_s=at_s + place)
    box.heal(name, ONE, LOGIN, result=Result.UNDONE, at_s=at_s + 4)
    box.turn(name, ONE, LOGIN, kind=Turn.ESCALATED, cause=Cause.ATTEMPTS_SPENT, at_s=at_s + 5)
    await hub.net.post(evidence.PATH, box.batch(0, len(box.leaves)))
    found = await read_incident(hub, box.site, name)
    rows = incident_page.turns(found)
    assert [row.label for row in rows] == [
        "Found",
        "Handed to a person",
        "Waived",
        "Opened again",
        "Repair: undone",
        "Handed to a person",
    ]
    assert [row.at_ms for row in rows] == [(at_s + place) * 1000 for place in range(6)]
    assert [row.leaf for row in rows] == list(range(6))
    assert rows[1].sentence == words.CAUSES[Cause.APPROVAL_NEEDED].sentence
    assert {rows[place].by for place in (0, 1, 2, 3, 5)} == {"engine"}
    assert rows[4].by.startswith("the appliance, rule ")
    assert words.next_step(found.line.state, found.line.cause).startswith("The device is as it was")


async def test_findings_show_what_was_seen(hub: Trial) -> None:
    box = await a_site(hub)
    async with hub.net.hub.store.read() as connection:
        found = await finding_views(SiteId(box.site), connection, target=TargetId(ONE))
    assert [(one.check, one.verdict, one.seen) for one in found] == [
        (LOGIN, Verdict.COMPLIANT, {"value": "no"}),
        (TIME, Verdict.COMPLIANT, {}),
    ]


async def test_a_site_is_not_shown_anothers_incident(hub: Trial) -> None:
    await a_site(hub)
    other, _ = await hub.net.claim("Other")
    with pytest.raises(NotFoundError):
        await read_incident(hub, other, HEALED)


async def test_one_appliance_cannot_change_anothers_rows(hub: Trial) -> None:
    """The same target and incident ids in another log are other rows."""
    box = await a_site(hub)
    thief = await hub.box("Elsewhere")
    thief.scan(ONE, {LOGIN: (Verdict.DRIFTED, {"value": "yes"})}, at_s=hub.now_s + 100)
    thief.turn(HEALED, ONE, LOGIN, kind=Turn.OPENED, cause=None, at_s=hub.now_s + 101)
    await hub.net.post(evidence.PATH, thief.batch())
    found = await read_incident(hub, box.site, HEALED)
    assert found.line.state is State.CLOSED


async def dump(hub: Trial) -> list[list[tuple[object, ...]]]:
    async with hub.net.hub.store.read() as connection:
        return [
            [
                tuple(row)
                for row in await connection.execute(table.select().order_by(*table.primary_key))
            ]
            for table in FOLDED
        ]


@pytest.mark.parametrize("edges", [(0, 9), (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (0, 4, 5, 9)])
async def test_the_stored_rows_are_the_same_in_any_batching(
    tmp_path: Path, edges: tuple[int, ...]
) -> None:
    results: list[list[list[tuple[object, ...]]]] = []
    for name, cuts in (("whole", (0, 9)), ("parts", edges)):
        place = tmp_path / name
        place.mkdir()
        async with trial(place) as hub:
            box = await hub.box()
            a_day(box, hub.now_s)
            for first, end in pairwise(cuts):
                await hub.net.post(evidence.PATH, box.batch(first, end))
            results.append(await dump(hub))
    assert results[0] == results[1]
    assert all(results[0])

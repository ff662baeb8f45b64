"""The tasks of an appliance against a whole hub: words of devices arrive, and both ends tell."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from appliance.core.sentry import Sentry
from appliance.handlers.scrubber import Scrubber, Source
from appliance.handlers.work import Work
from appliance.main import pinned_trust
from appliance.store import devices, health
from appliance.store.devices import Seen
from appliance.store.evidence import Scribe
from appliance.store.health import Condition
from appliance.tasks.check_in import check_in
from appliance.tasks.uplink import send_all
from central import commands
from central.core.health import Condition as HubCondition
from central.store import devices as hub_devices
from central.store import tables
from proto.hub.devices import NOTHING_HELD
from proto.hub.outgoing import Outgoing, wire
from proto.ids import ApplianceId, SiteId, TargetId
from proto.inventory import DeviceClass
from proto.keys import SigningKey
from proto.phi import Result, default_names
from proto.phi.framing import Record
from proto.phi.values import seal
from tests.fakes.hub import InProcessHub, Trial, trial
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.unit.discovery_site import small_site

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)
PC, XRAY = TargetId("t-aaaaaaaaaa"), TargetId("t-bbbbbbbbbb")


@dataclass
class Line:
    """`ports.HubTransport` straight into a hub of this process, with no last look."""

    net: InProcessHub
    signer: SigningKey

    async def send(self, message: Outgoing) -> bytes:
        """Send a message; see `ports.HubTransport.send`."""
        request = wire(message, signer=self.signer)
        return await self.net.post(request.path, request.body)


class BlindScrubber(Scrubber):
    """The scrubber, gone blind: it lets everything through."""

    def record(self, record: Record, *, source: Source | str) -> Result:
        """Call any text scrubbed."""
        del source
        return Result(seal(record.text))


@dataclass
class Ends:
    """Both ends."""

    hub: Trial
    work: Work

    async def label(self, device: TargetId, text: str) -> None:
        """Name a device, as a person does."""
        async with self.work.store.write() as conn:
            await devices.set_label(conn, device, text)

    async def at_hub(self) -> dict[str, str]:
        """Return what devices are called at the hub."""
        async with self.hub.net.hub.store.read() as connection:
            return await hub_devices.called(SiteId(self.work.scribe.site), connection)

    async def conditions(self) -> set[Condition]:
        """Return what the appliance says is wrong with it."""
        async with self.work.store.read() as conn:
            return set(await health.raised(conn))


@pytest.fixture
async def ends(tmp_path: Path) -> AsyncIterator[Ends]:
    (tmp_path / "hub").mkdir()
    scanner, shell = FakeScanner([]), FakeShell({})
    async with (
        trial(tmp_path / "hub") as hub,
        small_site(tmp_path, scanner=scanner, shell=shell) as site,
    ):
        box = await hub.box()
        async with site.work.store.write() as conn:
            seen = [
                Seen(PC, DeviceClass.WORKSTATION, "", {}),
                Seen(XRAY, DeviceClass.MEDICAL, "it says so", {}),
            ]
            await devices.upsert(conn, seen, at_ms=1)
        scribe = Scribe(SiteId(box.site), ApplianceId(box.appliance), box.origin, box.key)
        work = replace(
            site.work,
            scribe=scribe,
            clock=hub.clock,
            hub=Line(hub.net, box.key),
            trust=pinned_trust(hub.root),
            sentry=Sentry(),
        )
        yield Ends(hub, work)


def blind(work: Work) -> Work:
    """Return the same work with a scrubber that sees nothing."""
    known = work.scrubber
    scrubber = BlindScrubber(
        known.policy, known.names, known.vault, store=work.store, clock=work.clock
    )
    return replace(work, scrubber=scrubber)


async def test_names_arrive_with_the_check_in_that_follows_a_change(ends: Ends) -> None:
    await ends.label(PC, "Front desk of Maria Gonzalez")
    await ends.label(XRAY, "X-ray")
    await check_in(ends.work)
    told = await ends.at_hub()
    assert told[XRAY] == "X-ray"
    assert "[NAME-" in told[PC]
    await ends.label(XRAY, "X-ray, room 2")
    await check_in(ends.work)
    assert (await ends.at_hub())[XRAY] == "X-ray, room 2"


async def test_a_list_that_did_not_change_is_sent_once(ends: Ends) -> None:
    await ends.label(PC, "Front desk")
    for _ in range(4):
        await check_in(ends.work)
    async with ends.hub.net.hub.store.read() as connection:
        appliance = ApplianceId(ends.work.scribe.appliance)
        last = await hub_devices.last_seq(
            SiteId(ends.work.scribe.site), connection, appliance=appliance
        )
    assert last == 1


async def test_a_hub_that_lost_the_list_gets_it_back(ends: Ends) -> None:
    await ends.label(PC, "Front desk")
    await check_in(ends.work)
    hub = ends.hub.net.hub
    async with hub.store.write() as connection:  # as yesterday's backup has it
        await connection.execute(tables.devices.delete())
        await connection.execute(tables.device_lists.delete())
        await connection.execute(tables.appliances.update().values(state=bytes(32)))
    known = hub.registry.by_id(ends.work.scribe.appliance)
    assert known is not None
    known.device_list, known.state = NOTHING_HELD, bytes(32)
    assert await ends.at_hub() == {}
    await check_in(ends.work)
    assert await ends.at_hub() == {PC: "Front desk"}


async def test_what_the_hub_sets_aside_is_shown_at_both_ends_until_a_person_deals_with_it(
    ends: Ends,
) -> None:
    leaky = blind(ends.work)
    await ends.label(PC, "Maria Gonzalez SSN 521-44-9921")
    await ends.label(XRAY, "X-ray")
    await check_in(leaky)
    assert await ends.at_hub() == {XRAY: "X-ray"}
    assert await ends.hub.count(tables.quarantine) == 1
    await check_in(leaky)
    assert Condition.TEXT_AT_HUB in await ends.conditions()
    await send_all(leaky)  # the appliance's own word of it is evidence
    async with ends.hub.net.hub.store.read() as connection:
        rows = await connection.execute(tables.reported_health.select())
        assert {(row.code, row.ok) for row in rows} == {("text_at_hub", False)}
    appliance = ApplianceId(ends.work.scribe.appliance)
    await commands.clear_condition(ends.hub.net.hub, appliance, HubCondition.TEXT_SET_ASIDE)
    await check_in(leaky)
    assert Condition.TEXT_AT_HUB not in await ends.conditions()

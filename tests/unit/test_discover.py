"""A discovery finds everything, harms nothing, and says only what it knows."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.classify import MEDICAL_PORTS
from appliance.handlers.discover import Asked, Met, discover_once
from appliance.ports import SeenPorts
from appliance.store import health, meta
from appliance.store.health import Condition
from appliance.tasks.discover import discover
from proto.errors import MalformedError, UnreachableError
from proto.findings import Reason, Vantage, Verdict
from proto.inventory import DeviceClass
from tests.fakes.scanner import FakeDevice, FakeScanner
from tests.fakes.shell import FakeShell
from tests.unit.discovery_site import TELNET, SmallSite, small_site

INTEL = "Intel Corporate"
WANTED = {22, 23, 2323}


def pc(n: int, *, open_ports: tuple[int, ...] = ()) -> FakeDevice:
    return FakeDevice(f"10.0.0.{n}", f"00:1b:21:00:00:{n:02x}", INTEL, open_ports)


def monitor(n: int) -> FakeDevice:
    return FakeDevice(f"10.0.0.{n}", f"00:09:fb:00:00:{n:02x}", "Philips Patient Monitoring", (22,))


@pytest.fixture
def scanner() -> FakeScanner:
    return FakeScanner([])


@pytest.fixture
async def site(tmp_path: Path, scanner: FakeScanner) -> AsyncIterator[SmallSite]:
    async with small_site(tmp_path, scanner=scanner, shell=FakeShell({})) as opened:
        yield opened


def touched(scanner: FakeScanner, address: str) -> set[int]:
    return {port for where, port in scanner.touched if where == address}


async def test_every_device_is_found_and_asked(site: SmallSite, scanner: FakeScanner) -> None:
    scanner.devices = [pc(5, open_ports=(22, 23)), pc(6)]
    found = await discover_once(site.work)
    assert (found.seen, found.new, found.asked, found.off_limits) == (2, 2, 2, 0)
    assert touched(scanner, "10.0.0.5") == {*MEDICAL_PORTS, *WANTED}
    device = await site.at("10.0.0.5")
    assert {port for port, seen in device.ports.items() if seen.is_open} == {22, 23}
    async with site.work.store.read() as conn:
        assert await meta.get_int(conn, meta.Key.LAST_DISCOVERY_MS) == site.clock.now_ms()


async def test_a_device_of_a_medical_vendor_is_never_connected_to(
    site: SmallSite, scanner: FakeScanner
) -> None:
    scanner.devices = [monitor(7), pc(5)]
    found = await discover_once(site.work)
    assert touched(scanner, "10.0.0.7") == set()
    assert found.off_limits == 1
    device = await site.at("10.0.0.7")
    assert device.is_off_limits
    assert device.device_class is DeviceClass.MEDICAL
    assert "Philips" in device.because
    assert await site.findings(device.id) == {}


@pytest.mark.parametrize("port", MEDICAL_PORTS)
async def test_a_device_with_a_medical_port_open_gets_nothing_more(
    site: SmallSite, scanner: FakeScanner, port: int
) -> None:
    scanner.devices = [pc(7, open_ports=(22, port))]
    await discover_once(site.work)
    assert touched(scanner, "10.0.0.7") == set(MEDICAL_PORTS)
    device = await site.at("10.0.0.7")
    assert device.is_off_limits
    assert str(port) in device.because
    assert await site.findings(device.id) == {}


async def test_once_off_limits_only_the_sweep_sees_it(
    site: SmallSite, scanner: FakeScanner
) -> None:
    """Though its port is closed later, and whatever address it has by then."""
    scanner.devices = [pc(7, open_ports=(104,))]
    await discover_once(site.work)
    scanner.touched.clear()
    scanner.devices = [FakeDevice("10.0.0.70", "00:1b:21:00:00:07", INTEL, (22,))]
    site.clock.advance(900_000)
    found = await discover_once(site.work)
    assert (found.new, found.off_limits) == (0, 1)
    assert scanner.touched == set()
    assert (await site.at("10.0.0.70")).last_ms == site.clock.now_ms()


class HalfDeaf(FakeScanner):
    """Gives up on hosts before it asked for port 104, as nmap does past its host timeout."""

    async def connect(self, addresses: Sequence[str], ports: Sequence[int]) -> list[SeenPorts]:
        """Leave 104 out of every answer."""
        answers = await super().connect(addresses, ports)
        return [
            SeenPorts(one.address, tuple(p for p in one.asked if p != 104), one.open)
            for one in answers
        ]


async def test_while_a_medical_port_is_unanswered_nothing_else_is_asked(tmp_path: Path) -> None:
    scanner = HalfDeaf([pc(5, open_ports=(22,))])
    async with small_site(tmp_path, scanner=scanner, shell=FakeShell({})) as site:
        await discover_once(site.work)
    assert touched(scanner, "10.0.0.5") == set(MEDICAL_PORTS)


async def test_what_the_ports_say_is_judged(site: SmallSite, scanner: FakeScanner) -> None:
    scanner.devices = [pc(5, open_ports=(23,)), pc(6)]
    summary = await discover_once(site.work)
    assert summary.findings == 2
    drifted = (await site.findings((await site.at("10.0.0.5")).id))[TELNET].finding
    assert drifted.verdict is Verdict.DRIFTED
    assert drifted.vantage is Vantage.SCAN
    assert dict(drifted.seen) == {"telnet": True}
    clean = (await site.findings((await site.at("10.0.0.6")).id))[TELNET].finding
    assert clean.verdict is Verdict.COMPLIANT


async def test_a_device_that_answered_for_the_medical_ports_only_is_unknown(
    tmp_path: Path,
) -> None:
    scanner = HalfDeaf([pc(5)])
    async with small_site(tmp_path, scanner=scanner, shell=FakeShell({})) as site:
        await discover_once(site.work)
        finding = (await site.findings((await site.at("10.0.0.5")).id))[TELNET].finding
    assert (finding.verdict, finding.reason) == (Verdict.UNKNOWN, Reason.STALE)


async def test_a_port_that_was_closed_since_is_closed(
    site: SmallSite, scanner: FakeScanner
) -> None:
    scanner.devices = [pc(5, open_ports=(22, 23))]
    await discover_once(site.work)
    scanner.devices = [pc(5, open_ports=(22,))]
    site.clock.advance(900_000)
    await discover_once(site.work)
    device = await site.at("10.0.0.5")
    assert not device.ports[23].is_open
    kept = (await site.findings(device.id))[TELNET]
    assert kept.finding.verdict is Verdict.COMPLIANT


async def test_two_discoveries_of_the_same_network_make_no_second_device(
    site: SmallSite, scanner: FakeScanner
) -> None:
    scanner.devices = [pc(5), pc(6), FakeDevice("10.0.0.9")]
    first = await discover_once(site.work)
    site.clock.advance(900_000)
    second = await discover_once(site.work)
    assert (first.new, second.new) == (3, 0)
    assert len(await site.devices()) == 3


async def test_leases_that_change_places_leave_each_device_its_findings(
    site: SmallSite, scanner: FakeScanner
) -> None:
    scanner.devices = [pc(5, open_ports=(23,)), pc(6)]
    await discover_once(site.work)
    telnet, clean = await site.at("10.0.0.5"), await site.at("10.0.0.6")
    a, b = scanner.devices
    a.address, b.address = b.address, a.address
    site.clock.advance(900_000)
    await discover_once(site.work)
    assert (await site.at("10.0.0.6")).id == telnet.id
    assert (await site.at("10.0.0.5")).id == clean.id
    assert (await site.findings(telnet.id))[TELNET].finding.verdict is Verdict.DRIFTED


async def test_nothing_is_done_without_networks(tmp_path: Path) -> None:
    scanner = FakeScanner([pc(5)])
    async with small_site(tmp_path, scanner=scanner, shell=FakeShell({}), networks=()) as site:
        assert (await discover_once(site.work)).seen == 0
        assert await site.devices() == {}


@pytest.mark.parametrize("failure", [UnreachableError("no nmap"), MalformedError("nmap's XML: x")])
async def test_a_scanner_that_fails_is_said_and_changes_nothing(
    site: SmallSite, scanner: FakeScanner, failure: UnreachableError | MalformedError
) -> None:
    scanner.devices = [pc(5)]
    await discover(site.work)
    before = await site.devices()
    scanner.devices = [pc(6)]
    scanner.failure = failure
    assert await discover(site.work) is None
    assert await site.devices() == before
    async with site.work.store.read() as conn:
        assert Condition.SCANNER_FAILED in await health.raised(conn)
    scanner.failure = None
    assert await discover(site.work) is not None
    async with site.work.store.read() as conn:
        assert await health.raised(conn) == {}


async def test_who_watches_is_told_of_each_device_as_it_is_known(
    site: SmallSite, scanner: FakeScanner
) -> None:
    scanner.devices = [pc(5, open_ports=(22,)), monitor(7)]
    told: list[Met | Asked] = []
    await discover_once(site.work, told.append)
    assert [(type(one), one.address) for one in told] == [
        (Met, "10.0.0.5"),
        (Met, "10.0.0.7"),
        (Asked, "10.0.0.5"),
        (Asked, "10.0.0.5"),
    ]
    assert told[1].off_limits
    assert isinstance(told[3], Asked)
    assert told[3].open == (22,)


async def test_a_network_of_a_thousand_devices_is_a_few_transactions(
    site: SmallSite, scanner: FakeScanner
) -> None:
    scanner.devices = [
        FakeDevice(f"10.0.{n // 250}.{n % 250}", f"00:1b:21:00:{n // 250:02x}:{n % 250:02x}")
        for n in range(1000)
    ]
    wide = replace(site.work.settings, networks=("10.0.0.0/20",))
    statements: list[str] = []
    async with site.work.store.write() as conn:
        await conn.set_trace_callback(statements.append)
    await discover_once(replace(site.work, settings=wide))
    assert len(await site.devices()) == 1000
    assert statements.count("COMMIT") <= 30


MACHINES = st.lists(
    st.tuples(
        st.sampled_from([INTEL, "", "Philips", "GE Healthcare"]),
        st.sets(st.sampled_from([22, 23, 80, 104, 2323, 2575, 11112])),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None, max_examples=25)
@given(machines=MACHINES, rounds=st.lists(st.permutations(range(6)), min_size=1, max_size=3))
async def test_whatever_the_network_no_medical_device_is_asked_for_more(
    machines: list[tuple[str, set[int]]],
    rounds: list[list[int]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Over several discoveries, with leases changing places: what is medical is left alone."""
    scanner = FakeScanner([])
    folder = tmp_path_factory.mktemp("site")
    async with small_site(folder, scanner=scanner, shell=FakeShell({})) as site:
        for leases in rounds:
            scanner.touched.clear()
            scanner.devices = [
                FakeDevice(
                    f"10.0.0.{10 + leases[n]}",
                    f"00:1b:21:00:00:{n:02x}",
                    vendor,
                    tuple(sorted(ports)),
                )
                for n, (vendor, ports) in enumerate(machines)
            ]
            await discover_once(site.work)
            site.clock.advance(900_000)
            for device in scanner.devices:
                asked = touched(scanner, device.address)
                if device.vendor in {"Philips", "GE Healthcare"}:
                    assert asked == set()
                elif set(device.open) & set(MEDICAL_PORTS):
                    assert asked <= set(MEDICAL_PORTS)
        assert len(await site.devices()) == len(machines)

"""A person's word on a device is kept, and never makes the appliance touch what it must not."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.classify import MEDICAL_PORTS, Release, off_limits, signs
from appliance.core.reasons import REASON_CHARS_MAX
from appliance.handlers import targets
from appliance.handlers.approach import OffLimitsError
from appliance.handlers.discover import NOTHING, discover_once
from appliance.handlers.logins import login_of
from appliance.handlers.off_limits import known_signs, put_off_limits, release
from appliance.handlers.people import People
from appliance.handlers.record import record
from appliance.handlers.targets import Wanted
from appliance.ports import SeenPorts, ShellError, Sudo
from appliance.store import decisions, devices, incidents
from appliance.store.decisions import Decided
from appliance.store.devices import Device
from appliance.tasks.heal import consider
from appliance.tasks.scan import scan_due
from proto.errors import ConflictError, MalformedError, NotFoundError
from proto.findings import Reason
from proto.ids import TargetId
from proto.incidents import Cause, State
from proto.inventory import DeviceClass
from tests.fakes.scanner import FakeDevice, FakeScanner
from tests.fakes.shell import FakeHost, FakeShell, Table, credential, ran
from tests.unit.discovery_site import TELNET, SmallSite, small_site

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
FACTS = '{"kernel":"Linux","os":"debian","os_version":"12","name":"prn","uid":1000}'
PRINT_SERVER, MAC = "10.0.0.5", "00:1b:21:00:00:05"
OTHER_MAC = "00:1b:21:00:00:99"
INTEL, GE = "Intel Corporate", "GE Healthcare"
MARIA = "maria"
WHY = "it is the print server"
MINUTES_15 = 900_000


def server() -> FakeHost:
    return FakeHost(
        Table(("uname", ran(FACTS)), ("id -u", ran('{"uid":0}'))),
        KEY,
        users={"osiris": credential(key="PEM")},
        sudo={"osiris": Sudo.NOPASSWD},
    )


class Lan:
    """One machine, as the scanner and the shell see it."""

    def __init__(self) -> None:
        """Start it as an ordinary Linux server."""
        self.scanner = FakeScanner([FakeDevice(PRINT_SERVER, MAC, INTEL, (22,))])
        self.host = server()
        self.shell = FakeShell({(PRINT_SERVER, 22): self.host})

    def becomes(self, vendor: str = INTEL, *, open_ports: tuple[int, ...], mac: str = MAC) -> None:
        """Change what the scanner sees."""
        self.scanner.devices = [FakeDevice(PRINT_SERVER, mac, vendor, open_ports)]

    def touched(self) -> set[int]:
        """Return the ports that were connected to since the last call."""
        found = {port for _, port in self.scanner.touched}
        self.scanner.touched.clear()
        return found


@pytest.fixture
def lan() -> Lan:
    return Lan()


@pytest.fixture
async def site(tmp_path: Path, lan: Lan) -> AsyncIterator[SmallSite]:
    async with small_site(tmp_path, scanner=lan.scanner, shell=lan.shell) as opened:
        yield opened


async def look_again(site: SmallSite) -> Device:
    site.clock.advance(MINUTES_15)
    await discover_once(site.work)
    return await site.at(PRINT_SERVER)


async def say_it_is_none(site: SmallSite, device: Device) -> None:
    shown = [sign.code for sign in known_signs(device)]
    await release(site.work, device.id, reason=WHY, account=MARIA, shown=shown)


async def add_target(site: SmallSite) -> TargetId:
    wanted = Wanted(PRINT_SERVER, 22, "osiris", Sudo.NOPASSWD, credential(key="PEM"), KEY, "")
    return (await targets.add(site.work, wanted)).target


async def decided(site: SmallSite, device: TargetId) -> list[decisions.Decision]:
    async with site.work.store.read() as conn:
        return await decisions.of_device(conn, device)


async def test_what_a_person_puts_off_limits_is_connected_to_by_nothing(
    site: SmallSite, lan: Lan
) -> None:
    lan.becomes(open_ports=(22, 23))
    device = await look_again(site)
    lan.touched()
    await put_off_limits(site.work, device.id, reason=" an X-ray console ", account=MARIA)
    again = await look_again(site)
    assert lan.touched() == set()
    assert again.is_off_limits
    assert again.because == "maria put it off limits: an X-ray console"
    assert again.device_class is device.device_class is not DeviceClass.MEDICAL
    assert await site.findings(device.id) == {}
    with pytest.raises(OffLimitsError, match="X-ray console"):
        await add_target(site)
    (said,) = await decided(site, device.id)
    assert (said.kind, said.account, said.reason) == (
        Decided.OFF_LIMITS,
        MARIA,
        "an X-ray console",
    )
    assert said.at_ms == site.clock.now_ms() - MINUTES_15


async def test_a_target_that_is_put_off_limits_is_signed_in_to_no_more(
    site: SmallSite, lan: Lan
) -> None:
    target = await add_target(site)
    await put_off_limits(site.work, target, reason="it runs the scanner", account=MARIA)
    logins = lan.host.logins
    await scan_due(site.work)
    with pytest.raises(ShellError, match="it runs the scanner") as refused:
        await login_of(site.work, target)
    with pytest.raises(OffLimitsError):
        await targets.test(site.work, target)
    with pytest.raises(OffLimitsError):
        await People(site.work).recheck(target, account=MARIA)
    assert refused.value.reason is Reason.NO_CREDENTIAL
    assert lan.host.logins == logins
    assert await site.findings(target) == {}


class Interrupted(FakeScanner):
    """A scan during which a person puts a device off limits."""

    site: SmallSite | None = None

    async def connect(self, addresses: Sequence[str], ports: Sequence[int]) -> list[SeenPorts]:
        """Answer, and let the person act meanwhile."""
        site, self.site = self.site, None
        if site is not None:
            device = await site.at(PRINT_SERVER)
            await put_off_limits(site.work, device.id, reason="stop", account=MARIA)
        return await super().connect(addresses, ports)


async def test_a_discovery_that_is_under_way_heeds_a_person(tmp_path: Path, lan: Lan) -> None:
    scanner = Interrupted(lan.scanner.devices)
    async with small_site(tmp_path, scanner=scanner, shell=lan.shell) as site:
        scanner.site = site
        await discover_once(site.work)
        device = await site.at(PRINT_SERVER)
        assert {port for _, port in scanner.touched} == set(MEDICAL_PORTS)
        assert device.is_off_limits
        assert await site.findings(device.id) == {}


async def test_what_a_check_says_after_that_is_not_kept(site: SmallSite, lan: Lan) -> None:
    lan.becomes(open_ports=(22, 23))
    device = await look_again(site)
    late = [kept.finding for kept in (await site.findings(device.id)).values()]
    assert late
    await put_off_limits(site.work, device.id, reason="a pump", account=MARIA)
    await record(site.work, late)
    assert await site.findings(device.id) == {}


async def test_what_was_open_on_it_is_closed_and_told(site: SmallSite, lan: Lan) -> None:
    lan.becomes(open_ports=(22, 23))
    device = await look_again(site)
    async with site.work.store.read() as conn:
        before = await incidents.live_of_target(conn, site.work.scribe.site, device.id)
    await put_off_limits(site.work, device.id, reason="a pump", account=MARIA)
    async with site.work.store.read() as conn:
        live = await incidents.live_of_target(conn, site.work.scribe.site, device.id)
        closed = await incidents.get(conn, site.work.scribe.site, before[TELNET].id)
    assert live == {}
    assert closed is not None
    assert closed.cause is Cause.TARGET_REMOVED


async def test_what_a_repair_leaves_open_on_it_is_closed_when_the_repair_has_ended(
    site: SmallSite, lan: Lan
) -> None:
    lan.becomes(open_ports=(22, 23))
    device = await look_again(site)
    async with site.work.store.read() as conn:
        before = await incidents.live_of_target(conn, site.work.scribe.site, device.id)
    await put_off_limits(site.work, device.id, reason="a pump", account=MARIA)
    ended = replace(before[TELNET], state=State.OPEN, not_before_ms=0)
    async with site.work.store.write() as conn:
        await incidents.put(conn, ended)
    await consider(site.work)
    async with site.work.store.read() as conn:
        assert await incidents.live_of_target(conn, site.work.scribe.site, device.id) == {}


async def test_a_released_device_is_asked_again_and_its_old_sign_does_not_mark_it(
    site: SmallSite, lan: Lan
) -> None:
    lan.becomes(open_ports=(22, 104))
    device = await look_again(site)
    assert device.is_off_limits
    await say_it_is_none(site, device)
    lan.touched()
    for _ in range(3):
        again = await look_again(site)
        assert not again.is_off_limits
        assert lan.touched() == {*MEDICAL_PORTS, 22, 23, 2323}
    assert again.device_class is not DeviceClass.MEDICAL
    (said,) = await decided(site, device.id)
    assert (said.kind, said.account, said.reason) == (Decided.RELEASED, MARIA, WHY)
    assert said.about == {
        "because": "port 104 is open: DICOM",
        "signs": ["port 104"],
        "words": ["port 104 is open: DICOM"],
        "macs": [MAC],
    }


async def test_a_device_of_a_medical_vendor_is_asked_for_the_medical_ports_first_once_released(
    site: SmallSite, lan: Lan
) -> None:
    """It was never asked for them: DICOM is a sign that nobody knew of."""
    lan.becomes(GE, open_ports=(22, 104))
    device = await look_again(site)
    assert lan.touched() == set()
    await say_it_is_none(site, device)
    again = await look_again(site)
    assert lan.touched() == set(MEDICAL_PORTS)
    assert again.is_off_limits
    assert again.because == "port 104 is open: DICOM"


@pytest.mark.parametrize(
    ("vendor", "ports", "mac"),
    [(INTEL, (22, 104, 2575), MAC), ("Philips Patient Monitoring", (22, 104), MAC)],
    ids=["another port", "another vendor"],
)
async def test_a_sign_that_is_new_marks_it_again(
    site: SmallSite, lan: Lan, vendor: str, ports: tuple[int, ...], mac: str
) -> None:
    lan.becomes(open_ports=(22, 104))
    device = await look_again(site)
    await say_it_is_none(site, device)
    assert not (await look_again(site)).is_off_limits
    lan.becomes(vendor, open_ports=ports, mac=mac)
    again = await look_again(site)
    assert again.id == device.id
    assert again.is_off_limits
    assert "Philips" in again.because or "2575" in again.because


def test_a_word_given_for_one_card_does_not_hold_for_another() -> None:
    """Whatever turns up under its id: a look without a MAC, or with another one, is a stranger."""
    because = "port 104 is open: DICOM"
    given = Release(frozenset({"port 104"}), frozenset({MAC}), because, 0)
    released = replace(NOTHING, open=frozenset({104}), macs=frozenset({MAC}), release=given)
    assert off_limits(released) is None
    for strange in (frozenset({OTHER_MAC}), frozenset({MAC, OTHER_MAC}), frozenset({MAC, ""})):
        assert (off_limits(replace(released, macs=strange)) or "").startswith(because)


def test_a_sign_is_the_same_whatever_its_order_and_spelling() -> None:
    one = replace(NOTHING, vendors=("GE  Healthcare", INTEL), open=frozenset({2575, 22}))
    other = replace(NOTHING, vendors=(INTEL, "GE HEALTHCARE"), open=frozenset({2575}))
    assert [sign.code for sign in signs(one)] == [sign.code for sign in signs(other)]
    assert [sign.code for sign in signs(one)] == ["vendor ge healthcare", "port 2575"]


async def test_a_device_known_by_its_address_alone_is_not_released(
    site: SmallSite, lan: Lan
) -> None:
    """Tomorrow a real scanner may have this address."""
    lan.becomes("", open_ports=(104,), mac="")
    device = await look_again(site)
    with pytest.raises(ConflictError, match="address alone"):
        await say_it_is_none(site, device)
    assert (await site.at(PRINT_SERVER)).is_off_limits


async def test_a_sign_that_was_not_shown_stops_the_release(site: SmallSite, lan: Lan) -> None:
    lan.becomes(open_ports=(104,))
    device = await look_again(site)
    with pytest.raises(ConflictError, match="Something new"):
        await release(site.work, device.id, reason=WHY, account=MARIA, shown=[])
    assert (await site.at(PRINT_SERVER)).is_off_limits
    assert await decided(site, device.id) == []


async def test_a_released_target_is_signed_in_to_only_after_its_medical_ports_were_asked(
    site: SmallSite, lan: Lan
) -> None:
    target = await add_target(site)
    await put_off_limits(site.work, target, reason="wait", account=MARIA)
    site.clock.advance(1)
    await release(site.work, target, reason=WHY, account=MARIA, shown=[])
    logins = lan.host.logins
    await scan_due(site.work)
    with pytest.raises(ShellError, match="medical ports"):
        await login_of(site.work, target)
    assert lan.host.logins == logins
    await look_again(site)
    await scan_due(site.work)
    assert lan.host.logins == logins + 1


async def test_adding_a_device_that_was_just_released_asks_its_medical_ports_anew(
    site: SmallSite, lan: Lan
) -> None:
    lan.becomes(open_ports=(22, 104))
    with pytest.raises(OffLimitsError):
        await add_target(site)
    site.clock.advance(1)
    await say_it_is_none(site, await site.at(PRINT_SERVER))
    lan.touched()
    target = await add_target(site)
    assert lan.touched() == set(MEDICAL_PORTS)
    assert (await login_of(site.work, target)).user == "osiris"


@pytest.mark.parametrize("reason", ["", "  ", "x" * (REASON_CHARS_MAX + 1)])
async def test_a_decision_without_a_reason_is_none(site: SmallSite, lan: Lan, reason: str) -> None:
    lan.becomes(open_ports=(22,))
    device = await look_again(site)
    with pytest.raises(MalformedError, match="reason"):
        await put_off_limits(site.work, device.id, reason=reason, account=MARIA)
    assert not (await site.at(PRINT_SERVER)).is_off_limits
    assert await decided(site, device.id) == []


async def test_what_is_decided_already_or_is_not_there_is_refused(site: SmallSite) -> None:
    device = await look_again(site)
    with pytest.raises(ConflictError, match="not off limits"):
        await release(site.work, device.id, reason=WHY, account=MARIA, shown=[])
    await put_off_limits(site.work, device.id, reason="x", account=MARIA)
    with pytest.raises(ConflictError, match="already"):
        await put_off_limits(site.work, device.id, reason="x", account=MARIA)
    with pytest.raises(NotFoundError):
        await put_off_limits(site.work, TargetId("t-zzzzzzzzzz"), reason="x", account=MARIA)


async def test_the_newest_decision_holds_and_the_history_is_bounded(site: SmallSite) -> None:
    device = await look_again(site)
    for turn in range(decisions.DECISIONS_KEPT):
        site.clock.advance(1)
        await put_off_limits(site.work, device.id, reason=f"turn {turn}", account=MARIA)
        await release(site.work, device.id, reason=f"turn {turn}", account=MARIA, shown=[])
    said = await decided(site, device.id)
    assert len(said) == decisions.DECISIONS_KEPT
    assert said[0].reason == f"turn {decisions.DECISIONS_KEPT - 1}"
    async with site.work.store.read() as conn:
        assert (await devices.get(conn, device.id)).release is not None
    await put_off_limits(site.work, device.id, reason="after all", account="omar")
    async with site.work.store.read() as conn:
        assert (await devices.get(conn, device.id)).release is None

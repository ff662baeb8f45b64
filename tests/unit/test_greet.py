"""TLS services are greeted only where discovery has just found them, and never out of bounds."""

import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from appliance.core.classify import MEDICAL_PORTS
from appliance.core.greeting import RECENT_MS, greeting_checks
from appliance.core.identity import AttributeKind
from appliance.handlers.greet import greet_due
from appliance.handlers.work import Work
from appliance.ports import ShellError
from appliance.shell.tls_probe import TlsProbe
from appliance.shell.world_guard import WorldGuard
from appliance.store import devices, incidents
from appliance.store.devices import PortAnswer, Seen
from appliance.tasks.heal import consider
from proto.catalog.load import load
from proto.catalog.model import Content
from proto.findings import Reason, Scalar, Verdict
from proto.ids import TargetId
from proto.incidents import Cause, State
from proto.inventory import DeviceClass
from runtime.content import read_installed
from tests.fakes import tcp
from tests.fakes.clock import ManualClock
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.fakes.tls import FakeTlsProbe
from tests.unit.discovery_site import SITE, SmallSite, small_site

SHIPPED = load(read_installed())
PRINTER = TargetId("t-aaaaaaaaaa")
ADDRESS = "10.0.0.7"
GOOD: Mapping[str, Scalar] = {
    "listening": True,
    "present": True,
    "version": "TLSv1.3",
    "legacy": False,
    "days_left": 200,
    "self_signed": False,
    "key_type": "ec",
    "key_bits": 256,
    "key_ok": True,
    "sig_ok": True,
}
OLD = {**GOOD, "version": "TLSv1.2", "legacy": True}
SILENT = ShellError(Reason.TIMEOUT, "no answer to a greeting")
Answers = Mapping[tuple[str, int], Mapping[str, Scalar] | ShellError]


@dataclass
class Scene:
    """A site with one device that discovery has just seen."""

    site: SmallSite
    work: Work
    probe: FakeTlsProbe

    async def seen(
        self, *open_ports: int, asked: tuple[int, ...] = (443, 8443), off_limits: str = ""
    ) -> None:
        """Store what a discovery would have stored just now."""
        now_ms = self.work.clock.now_ms()
        attributes = {AttributeKind.ADDRESS: ADDRESS}
        async with self.work.store.write() as conn:
            seen = Seen(PRINTER, DeviceClass.PRINTER, off_limits, attributes)
            await devices.upsert(conn, [seen], at_ms=now_ms)
            answers = [
                PortAnswer(PRINTER, port, is_open=port in open_ports)
                for port in (*MEDICAL_PORTS, *asked)
            ]
            await devices.record_ports(conn, answers, at_ms=now_ms)

    async def verdicts(self) -> dict[str, tuple[Verdict, Reason | None]]:
        kept = await self.site.findings(PRINTER)
        return {name: (one.finding.verdict, one.finding.reason) for name, one in kept.items()}


def with_content(work: Work, content: Content) -> Work:
    return replace(work, content=lambda: content)


async def scene_of(site: SmallSite, answers: Answers) -> Scene:
    probe = FakeTlsProbe(answers)
    return Scene(site, replace(with_content(site.work, SHIPPED), tls=probe), probe)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[SmallSite]:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as made:
        yield made


async def test_an_open_port_is_greeted_once_for_all_checks(site: SmallSite) -> None:
    scene = await scene_of(site, {(ADDRESS, 443): GOOD})
    await scene.seen(443)
    assert await greet_due(scene.work) == len(greeting_checks(SHIPPED.checks.values())) == 3
    assert scene.probe.greeted == [(ADDRESS, 443)]
    assert set((await scene.verdicts()).values()) == {(Verdict.COMPLIANT, None)}
    await scene.seen(443)
    assert await greet_due(scene.work) == 0, "nothing is due before half a day has passed"


async def test_the_worst_port_speaks_for_the_device_and_a_person_is_told(site: SmallSite) -> None:
    scene = await scene_of(site, {(ADDRESS, 443): GOOD, (ADDRESS, 8443): OLD})
    await scene.seen(443, 8443)
    await greet_due(scene.work)
    kept = (await site.findings(PRINTER))["net.tls.weak"].finding
    assert (kept.verdict, kept.seen["port"]) == (Verdict.DRIFTED, 8443)
    assert (await scene.verdicts())["net.tls.cert_expiry"] == (Verdict.COMPLIANT, None)
    await consider(scene.work)
    async with scene.work.store.read() as conn:
        live = await incidents.live_of_target(conn, SITE, PRINTER)
    (incident,) = live.values()
    assert (incident.check, incident.state) == ("net.tls.weak", State.ESCALATED)
    assert incident.cause is Cause.RULE_ESCALATES


async def test_a_port_without_an_answer_is_unknown_and_never_compliant(site: SmallSite) -> None:
    scene = await scene_of(site, {(ADDRESS, 443): GOOD, (ADDRESS, 8443): SILENT})
    await scene.seen(443, 8443)
    await greet_due(scene.work)
    assert set((await scene.verdicts()).values()) == {(Verdict.UNKNOWN, Reason.TIMEOUT)}


async def test_a_device_without_a_tls_port_is_not_greeted_and_not_concerned(
    site: SmallSite,
) -> None:
    scene = await scene_of(site, {})
    await scene.seen()
    await greet_due(scene.work)
    assert scene.probe.greeted == []
    assert set((await scene.verdicts()).values()) == {(Verdict.NOT_APPLICABLE, None)}


async def test_a_device_that_is_off_limits_is_never_greeted(site: SmallSite) -> None:
    scene = await scene_of(site, {(ADDRESS, 443): GOOD})
    await scene.seen(443, off_limits="the maker builds medical devices")
    assert await greet_due(scene.work) == 0
    assert (scene.probe.greeted, await scene.verdicts()) == ([], {})


async def test_an_open_medical_port_alone_keeps_the_greeting_away(site: SmallSite) -> None:
    scene = await scene_of(site, {(ADDRESS, 443): GOOD})
    await scene.seen(443, MEDICAL_PORTS[0])
    assert await greet_due(scene.work) == 0
    assert scene.probe.greeted == []


async def test_a_device_put_off_limits_between_two_ports_is_left_alone_at_once(
    site: SmallSite,
) -> None:
    scene = await scene_of(site, {(ADDRESS, 443): GOOD, (ADDRESS, 8443): GOOD})
    await scene.seen(443, 8443)

    class Marking(FakeTlsProbe):
        async def look(self, address: str, port: int, *, now_ms: int) -> Mapping[str, Scalar]:
            async with scene.work.store.write() as conn:
                await devices.mark(conn, PRINTER, because="a person said so")
            return await super().look(address, port, now_ms=now_ms)

    probe = Marking({(ADDRESS, 443): GOOD, (ADDRESS, 8443): GOOD})
    assert await greet_due(replace(scene.work, tls=probe)) == 0
    assert probe.greeted == [(ADDRESS, 443)]
    assert await scene.verdicts() == {}


@pytest.mark.parametrize("asked", [(), (443,)])
async def test_a_port_that_was_not_just_asked_is_not_greeted(
    site: SmallSite, asked: tuple[int, ...]
) -> None:
    scene = await scene_of(site, {(ADDRESS, 443): GOOD})
    await scene.seen(443, asked=asked)
    assert await greet_due(scene.work) == 0
    assert scene.probe.greeted == []


async def test_an_old_look_says_nothing_of_who_has_the_address_now(site: SmallSite) -> None:
    scene = await scene_of(site, {(ADDRESS, 443): GOOD})
    await scene.seen(443)
    site.clock.advance(RECENT_MS + 1)
    assert await greet_due(scene.work) == 0
    assert scene.probe.greeted == []


def _serve_with(folder: Path, *, days: int, now_ms: int) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "printer")])
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "printer.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def test_a_real_service_on_this_machine_is_judged_by_the_shipped_checks(
    site: SmallSite, tmp_path: Path
) -> None:
    assert isinstance(site.clock, ManualClock)
    context = _serve_with(tmp_path, days=3, now_ms=site.clock.now_ms())
    async with tcp.serving(tcp.hang_up, tls=context) as port:
        checks = {
            name: replace(check, probe=replace(check.probe, ports={"tls": (port,)}))
            for name, check in SHIPPED.checks.items()
            if name.startswith("net.tls.")
        }
        work = with_content(site.work, replace(SHIPPED, checks=checks))
        work = replace(work, tls=TlsProbe(WorldGuard(None)))
        now_ms = work.clock.now_ms()
        async with work.store.write() as conn:
            seen = Seen(PRINTER, DeviceClass.PRINTER, "", {AttributeKind.ADDRESS: "127.0.0.1"})
            await devices.upsert(conn, [seen], at_ms=now_ms)
            answers = [
                PortAnswer(PRINTER, one, is_open=one == port) for one in (*MEDICAL_PORTS, port)
            ]
            await devices.record_ports(conn, answers, at_ms=now_ms)
        assert await greet_due(work) == 3
    kept = await site.findings(PRINTER)
    found = {name: (one.finding.verdict, dict(one.finding.seen)) for name, one in kept.items()}
    assert found["net.tls.weak"][0] is Verdict.COMPLIANT
    assert found["net.tls.cert_expiry"] == (Verdict.DRIFTED, {"port": port, "days_left": 3})
    assert found["net.tls.self_signed"] == (Verdict.DRIFTED, {"port": port, "self_signed": True})

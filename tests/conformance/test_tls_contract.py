"""What every `ports.TlsProbe` promises, held against real TLS services and by the fake alike."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from appliance.ports import NO_TLS, ShellError, TlsProbe
from appliance.shell import tls_probe
from appliance.shell.world_guard import WorldGuard
from proto.errors import IntegrityError
from proto.findings import Reason, Scalar
from tests.fakes import tcp
from tests.fakes.tls import FakeTlsProbe

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

MODERN: dict[str, Scalar] = {
    "listening": True,
    "present": True,
    "version": "TLSv1.3",
    "legacy": False,
    "days_left": 30,
    "self_signed": True,
    "key_type": "ec",
    "key_bits": 256,
    "key_ok": True,
    "sig_ok": True,
}


def _certificate(key: PrivateKey, *, days: float = 30, issuer: str = "device") -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "device")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=900))
        .not_valid_after(NOW + timedelta(days=days))
    )
    return builder.sign(
        key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    )


def _server_context(folder: Path, key: PrivateKey, *, worst: str, best: str) -> ssl.SSLContext:
    pem = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(private + _certificate(key).public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion[worst]
        context.maximum_version = ssl.TLSVersion[best]
    return context


def _serving(context: ssl.SSLContext | None, said: bytes) -> AbstractAsyncContextManager[int]:
    """Serve a port of this machine; without a context it says `said` as soon as it is asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(said)
        await reader.read()

    return tcp.serving(answer, tls=context)


@dataclass(frozen=True)
class Bench:
    """A probe, and ports of `address` by what they are."""

    probe: TlsProbe
    address: str
    ports: dict[str, int]


def _fake() -> Bench:
    ports = {"modern": 1, "old": 2, "oldest": 3, "http": 4, "silent": 5, "closed": 6}
    old: dict[str, Scalar] = {**MODERN, "version": "TLSv1.2", "legacy": True}
    at = "10.0.0.1"
    probe = FakeTlsProbe(
        {
            (at, 1): MODERN,
            (at, 2): old,
            (at, 3): {**old, "version": "TLSv1"},
            (at, 4): {"listening": True},
            (at, 5): ShellError(Reason.TIMEOUT, "no answer to a greeting"),
        }
    )
    return Bench(probe, at, ports)


@pytest.fixture(params=["fake", "real"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    if request.param == "fake":
        yield _fake()
        return
    key = ec.generate_private_key(ec.SECP256R1())
    modern = _server_context(tmp_path, key, worst="TLSv1_2", best="TLSv1_3")
    old = _server_context(tmp_path, key, worst="TLSv1", best="TLSv1_2")
    oldest = _server_context(tmp_path, key, worst="TLSv1", best="TLSv1")
    async with AsyncExitStack() as stack:
        ports = {
            "modern": await stack.enter_async_context(_serving(modern, b"")),
            "old": await stack.enter_async_context(_serving(old, b"")),
            "oldest": await stack.enter_async_context(_serving(oldest, b"")),
            "http": await stack.enter_async_context(_serving(None, b"HTTP/1.1 400 Bad\r\n\r\n")),
            "silent": await stack.enter_async_context(_serving(None, b"")),
        }
        async with _serving(None, b"") as closed:
            ports["closed"] = closed
        yield Bench(tls_probe.TlsProbe(WorldGuard(None), handshake_s=1), "127.0.0.1", ports)


async def _look(bench: Bench, what: str) -> dict[str, Scalar]:
    return dict(await bench.probe.look(bench.address, bench.ports[what], now_ms=NOW_MS))


async def test_a_modern_service_is_told_with_its_certificate(bench: Bench) -> None:
    assert await _look(bench, "modern") == MODERN


async def test_old_versions_that_are_still_accepted_are_found(bench: Bench) -> None:
    assert await _look(bench, "old") == {**MODERN, "version": "TLSv1.2", "legacy": True}
    assert await _look(bench, "oldest") == {**MODERN, "version": "TLSv1", "legacy": True}


async def test_a_closed_port_is_an_answer_of_its_own(bench: Bench) -> None:
    assert await _look(bench, "closed") == NO_TLS


async def test_a_port_without_tls_listens_and_has_none(bench: Bench) -> None:
    assert await _look(bench, "http") == {**NO_TLS, "listening": True}


async def test_a_port_that_says_nothing_is_no_answer(bench: Bench) -> None:
    with pytest.raises(ShellError) as silent:
        await _look(bench, "silent")
    assert silent.value.reason is Reason.TIMEOUT


SSL_3 = b"\x16\x03\x00\x00\x2a\x02\x00\x00\x26\x03\x00" + b"\x11" * 32 + b"\x00\x00\x05\x00"
"""A server's hello of SSL 3.0 (RFC 6101): older than everything that is offered."""


@pytest.mark.parametrize("said", [b"", SSL_3], ids=["hangs up", "ssl 3.0"])
async def test_a_greeting_without_an_agreement_is_no_answer(said: bytes) -> None:
    """Least of all one that there is no TLS here, which would make every check not applicable."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5000)
        writer.write(said)

    async with tcp.serving(answer) as port:
        with pytest.raises(ShellError) as failed:
            await tls_probe.TlsProbe(WorldGuard(None)).look("127.0.0.1", port, now_ms=NOW_MS)
    assert failed.value.reason is Reason.PROBE_FAILED


async def test_what_our_own_side_cannot_offer_is_not_taken_for_refused(bench: Bench) -> None:
    if not isinstance(bench.probe, tls_probe.TlsProbe):
        return
    unable = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unable.check_hostname, unable.verify_mode = False, ssl.CERT_NONE
    unable.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # none of TLS 1.0 or 1.1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        unable.minimum_version = unable.maximum_version = ssl.TLSVersion.TLSv1_1
    bench.probe._old = unable  # noqa: SLF001 - a library that lacks what must be offered
    with pytest.raises(ShellError) as failed:
        await _look(bench, "modern")
    assert failed.value.reason is Reason.PROBE_FAILED


async def test_every_answer_has_the_same_closed_fields(bench: Bench) -> None:
    for what in ("modern", "old", "closed", "http"):
        seen = await _look(bench, what)
        assert {name: type(value) for name, value in seen.items()} == {
            name: type(value) for name, value in MODERN.items()
        }
        assert seen["version"] in tls_probe.VERSIONS
        assert seen["key_type"] in tls_probe.KEY_TYPES


async def test_outside_its_world_the_probe_connects_nowhere() -> None:
    with pytest.raises(IntegrityError, match="neither scans nor connects"):
        await tls_probe.TlsProbe(WorldGuard("4:1")).look("127.0.0.1", 9, now_ms=NOW_MS)


def _fields(certificate: x509.Certificate) -> dict[str, Scalar]:
    return tls_probe.certificate_fields(certificate.public_bytes(Encoding.DER), now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("days", "left"), [(30, 30), (0.5, 0), (-0.5, -1), (-400, -400), (1, 1), (0.99, 0)]
)
def test_days_left_are_whole_and_negative_once_it_is_too_late(days: float, left: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert _fields(_certificate(key, days=days))["days_left"] == left


def test_a_certificate_of_somebody_else_is_not_self_signed() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert _fields(_certificate(key, issuer="an authority"))["self_signed"] is False


@pytest.mark.parametrize(("last", "ok"), [(0x0B, True), (0x05, False), (0x04, False)])
def test_a_signature_over_sha1_or_md5_is_not_ok(last: int, ok: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Nobody signs with them any more, so the last byte of the algorithm (RFC 8017) is changed."""
    der = _certificate(rsa.generate_private_key(65_537, 2048)).public_bytes(Encoding.DER)
    with_rsa = bytes.fromhex("2a864886f70d0101")
    changed = der.replace(with_rsa + b"\x0b", with_rsa + bytes([last]))
    assert tls_probe.certificate_fields(changed, now_ms=NOW_MS)["sig_ok"] is ok


@pytest.mark.parametrize(
    ("key", "seen"),
    [
        (rsa.generate_private_key(65_537, 1024), ("rsa", 1024, False)),  # noqa: S505 - the bad case
        (rsa.generate_private_key(65_537, 2048), ("rsa", 2048, True)),
        (ec.generate_private_key(ec.SECP192R1()), ("ec", 192, False)),
        (ec.generate_private_key(ec.SECP384R1()), ("ec", 384, True)),
        (ed25519.Ed25519PrivateKey.generate(), ("ed25519", 256, True)),
    ],
    ids=["rsa1024", "rsa2048", "p192", "p384", "ed25519"],
)
def test_a_key_is_told_with_its_size(key: PrivateKey, seen: tuple[str, int, bool]) -> None:
    fields = _fields(_certificate(key))
    assert (fields["key_type"], fields["key_bits"], fields["key_ok"]) == seen


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"no certificate"])
def test_bytes_that_are_no_certificate_are_a_bad_answer(der: bytes) -> None:
    with pytest.raises(ShellError) as refused:
        tls_probe.certificate_fields(der, now_ms=NOW_MS)
    assert refused.value.reason is Reason.BAD_ANSWER

"""TLS material of our own: trusted, renewed in time, readable by its owner."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from proto.errors import ConfigError
from runtime import tls
from runtime.clock import SystemClock

NOW_MS = 1_767_225_600_000
DAY_MS = 86_400_000


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str | None:
    """Run a handshake in memory and return the version that was agreed on."""
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    a = client.wrap_bio(theirs, ours, server_hostname=name)
    b = server.wrap_bio(ours, theirs, server_side=True)
    for _ in range(6):
        for side in (a, b):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return a.version()


def test_a_client_that_trusts_the_authority_reaches_the_server(tmp_path: Path) -> None:
    # Real certificates are checked against the real clock, so they are made by it here.
    made = tls.ensure(
        tmp_path, ["hub.example", "127.0.0.1"], now_ms=SystemClock().now_ms(), common_name="Hub"
    )
    server = tls.server_context(made)
    client = tls.client_context(made.authority.read_text("ascii"))
    for name in ("hub.example", "127.0.0.1"):
        assert shake_hands(server, client, name) == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, client, "other.example")


def test_another_authority_is_not_trusted(tmp_path: Path) -> None:
    now_ms = SystemClock().now_ms()
    made = tls.ensure(tmp_path, ["hub.example"], now_ms=now_ms, common_name="Hub")
    other = tls.make_authority("Hub", now_ms=now_ms)
    client = tls.client_context(other.certificate.decode("ascii"))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tls.server_context(made), client, "hub.example")


def test_nothing_older_than_tls_1_2_is_spoken(tmp_path: Path) -> None:
    made = tls.ensure(tmp_path, ["hub.example"], now_ms=NOW_MS, common_name="Hub")
    assert tls.server_context(made).minimum_version is ssl.TLSVersion.TLSv1_2


def test_keys_are_p256_and_for_their_owner_alone(tmp_path: Path) -> None:
    made = tls.ensure(tmp_path, ["hub.example"], now_ms=NOW_MS, common_name="Hub")
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_what_is_there_is_kept_until_it_ends_soon(tmp_path: Path) -> None:
    def certificate(now_ms: int, *names: str) -> bytes:
        made = tls.ensure(tmp_path, names, now_ms=now_ms, common_name="Hub")
        return made.certificate.read_bytes()

    first = certificate(NOW_MS, "hub.example")
    assert certificate(NOW_MS + 300 * DAY_MS, "hub.example") == first
    renewed = certificate(NOW_MS + 370 * DAY_MS, "hub.example")
    assert renewed != first
    assert certificate(NOW_MS + 370 * DAY_MS, "hub.example", "10.0.0.1") != renewed


def test_material_that_cannot_be_read_is_a_clear_error(tmp_path: Path) -> None:
    made = tls.ensure(tmp_path, ["hub.example"], now_ms=NOW_MS, common_name="Hub")
    made.certificate.write_text("junk", "ascii")
    with pytest.raises(ConfigError, match=r"server\.pem"):
        tls.server_context(made)
    with pytest.raises(ConfigError, match="authority"):
        tls.client_context("junk")

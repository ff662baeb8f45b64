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


def test_a_certificate_outlives_a_clock_that_was_a_day_ahead(tmp_path: Path) -> None:
    now_ms = SystemClock().now_ms()
    ahead_ms = now_ms + DAY_MS - 60_000
    made = tls.ensure(tmp_path, ["hub.example"], now_ms=ahead_ms, common_name="Hub")
    client = tls.client_context(made.authority.read_text("ascii"))
    assert shake_hands(tls.server_context(made), client, "hub.example") == "TLSv1.3"
    first = made.certificate.read_bytes()
    tls.ensure(tmp_path, ["hub.example"], now_ms=now_ms, common_name="Hub")
    assert made.certificate.read_bytes() == first
    tls.ensure(tmp_path, ["hub.example"], now_ms=now_ms - 2 * DAY_MS, common_name="Hub")
    assert made.certificate.read_bytes() != first


def test_browsers_accept_how_long_a_server_certificate_lives(tmp_path: Path) -> None:
    made = tls.ensure(tmp_path, ["hub.example"], now_ms=NOW_MS, common_name="Hub")
    found = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    assert (found.not_valid_after_utc - found.not_valid_before_utc).days <= 397


def test_material_that_cannot_be_read_is_a_clear_error(tmp_path: Path) -> None:
    made = tls.ensure(tmp_path, ["hub.example"], now_ms=NOW_MS, common_name="Hub")
    made.certificate.write_text("junk", "ascii")
    with pytest.raises(ConfigError, match=r"server\.pem"):
        tls.server_context(made)
    with pytest.raises(ConfigError, match="authority"):
        tls.client_context("junk")


def test_a_crash_between_key_and_certificate_is_mended_at_the_next_start(tmp_path: Path) -> None:
    names, now_ms = ["hub.example"], SystemClock().now_ms()
    made = tls.ensure(tmp_path, names, now_ms=now_ms, common_name="Hub")
    authority = made.authority.read_bytes()
    other = tls.issue_server(
        tls.make_authority("Other", now_ms=now_ms), names, now_ms=now_ms
    ).private_key
    made.private_key.write_bytes(other)
    mended = tls.ensure(tmp_path, names, now_ms=now_ms, common_name="Hub")
    client = tls.client_context(mended.authority.read_text("ascii"))
    assert shake_hands(tls.server_context(mended), client, "hub.example") == "TLSv1.3"
    assert mended.authority.read_bytes() == authority


@pytest.mark.parametrize("name", ["server.pem", "server.key"])
@pytest.mark.parametrize("junk", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_server_file_that_cannot_be_read_is_made_anew(
    tmp_path: Path, name: str, junk: bytes
) -> None:
    names, now_ms = ["hub.example"], SystemClock().now_ms()
    tls.ensure(tmp_path, names, now_ms=now_ms, common_name="Hub")
    (tmp_path / name).write_bytes(junk)
    mended = tls.ensure(tmp_path, names, now_ms=now_ms, common_name="Hub")
    client = tls.client_context(mended.authority.read_text("ascii"))
    assert shake_hands(tls.server_context(mended), client, "hub.example") == "TLSv1.3"


@pytest.mark.parametrize("name", ["ca.pem", "ca.key"])
@pytest.mark.parametrize("junk", [b"junk", None])
def test_an_authority_that_others_trust_is_never_replaced(
    tmp_path: Path, name: str, junk: bytes | None
) -> None:
    tls.ensure(tmp_path, ["a.example"], now_ms=NOW_MS, common_name="Hub")
    (tmp_path / name).unlink()
    if junk is not None:
        (tmp_path / name).write_bytes(junk)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ConfigError, match=name.replace(".", r"\.")):
        tls.ensure(tmp_path, ["b.example"], now_ms=NOW_MS, common_name="Hub")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_private_file_is_written_where_its_name_is_and_for_its_owner_alone(
    tmp_path: Path,
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"theirs")
    path = tmp_path / "signing.key"
    (tmp_path / ".signing.key.new").symlink_to(elsewhere)
    tls.write_private(path, b"secret")
    assert (path.read_bytes(), elsewhere.read_bytes()) == (b"secret", b"theirs")
    left = tmp_path / ".other.key.new"
    left.write_bytes(b"left by a crash, and readable")
    left.chmod(0o644)
    with left.open("rb") as watching:
        tls.write_private(tmp_path / "other.key", b"secret")
        assert watching.read() == b"left by a crash, and readable"
    assert (tmp_path / "other.key").stat().st_mode & 0o777 == 0o600
    path.unlink()
    path.symlink_to(elsewhere)
    tls.write_private(path, b"again")
    assert not path.is_symlink()
    assert elsewhere.read_bytes() == b"theirs"

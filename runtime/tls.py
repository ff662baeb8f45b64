"""TLS material of our own: an authority, the certificates it issues, and contexts to use them.

The hub and the portal make a P-256 authority when they are set up and issue their own server
certificate from it, so that a browser or an appliance can be given one file to trust. TLS 1.2 is
the oldest version spoken (NIST SP 800-52r2). Keys are written with mode 0600 before they hold
anything.
"""

import ipaddress
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from proto.errors import ConfigError
from runtime.durable import sync_directory

AUTHORITY_DAYS = 3650
SERVER_DAYS = 396
"""With its slack 397: browsers accept no server certificate of more than 398 days."""

RENEW_BEFORE_DAYS = 30
_CLOCK_SLACK = timedelta(days=1)
"""What is issued holds this long before: clocks are set back, ours and those of others."""

CA_CERT, CA_KEY = "ca.pem", "ca.key"
SERVER_CERT, SERVER_KEY = "server.pem", "server.key"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    private_key: bytes


@dataclass(frozen=True, slots=True)
class Material:
    """Where a server's certificate chain, key and authority lie."""

    certificate: Path
    private_key: Path
    authority: Path


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Osiris"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, now_ms: int, days: int
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SLACK)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def make_authority(common_name: str, *, now_ms: int) -> Issued:
    """Make a self-signed P-256 authority that can issue end certificates only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(common_name)
    certificate = (
        _builder(name, name, key.public_key(), now_ms=now_ms, days=AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Issued(certificate.public_bytes(serialization.Encoding.PEM), _pem(key))


def issue_server(authority: Issued, names: Sequence[str], *, now_ms: int) -> Issued:
    """Issue a server certificate for DNS names and addresses, the first of which is its name."""
    if not names:
        msg = "tls.names: a server certificate needs at least one name or address"
        raise ConfigError(msg)
    ca = x509.load_pem_x509_certificate(authority.certificate)
    ca_key = serialization.load_pem_private_key(authority.private_key, None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        msg = "tls: the authority's key is not an elliptic-curve key"
        raise ConfigError(msg)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_name(names[0]), ca.subject, key.public_key(), now_ms=now_ms, days=SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .add_extension(
            x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    return Issued(certificate.public_bytes(serialization.Encoding.PEM), _pem(key))


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all, and durably.

    What a crash or somebody else left under the temporary name is not written into.
    """
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(temporary, how, 0o600), "wb") as outlet:
        outlet.write(data)
        outlet.flush()
        os.fsync(outlet.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def ensure(directory: Path, names: Sequence[str], *, now_ms: int, common_name: str) -> Material:
    """Return a server's TLS files, making what is missing and renewing what ends soon.

    A certificate is also renewed when it does not carry one of `names`, cannot be read, or is not
    of the key beside it, as after a crash between the two. An authority that has issued anything is
    never made anew: others trust it.

    Raises:
        ConfigError: a certificate must be issued and the authority cannot be read.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_cert, ca_key = directory / CA_CERT, directory / CA_KEY
    made = Material(directory / SERVER_CERT, directory / SERVER_KEY, ca_cert)
    if not made.certificate.exists() and not (ca_cert.exists() and ca_key.exists()):
        fresh = make_authority(common_name, now_ms=now_ms)
        write_private(ca_key, fresh.private_key)
        write_private(ca_cert, fresh.certificate)
    if not _still_good(made, names, now_ms=now_ms):
        authority = _read_authority(ca_cert, ca_key)
        issued = issue_server(authority, names, now_ms=now_ms)
        write_private(made.private_key, issued.private_key)
        write_private(made.certificate, issued.certificate + authority.certificate)
    return made


def _read_authority(certificate: Path, private_key: Path) -> Issued:
    path = certificate
    try:
        found = certificate.read_bytes()
        x509.load_pem_x509_certificate(found)
        path = private_key
        key = private_key.read_bytes()
        serialization.load_pem_private_key(key, None)
    except (OSError, ValueError, TypeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no PEM file"
        msg = f"tls: {path}: cannot be read: {why}; put it back from the backup"
        raise ConfigError(msg) from None
    return Issued(found, key)


def _still_good(made: Material, names: Sequence[str], *, now_ms: int) -> bool:
    try:
        found = x509.load_pem_x509_certificate(made.certificate.read_bytes())
        key = serialization.load_pem_private_key(made.private_key.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return False
    if key.public_key() != found.public_key():
        return False
    renew_at = found.not_valid_after_utc - timedelta(days=RENEW_BEFORE_DAYS)
    carried = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    wanted = {_alternative(name) for name in names}
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return found.not_valid_before_utc <= now < renew_at and wanted <= set(carried)


def server_context(material: Material) -> ssl.SSLContext:
    """Return a server's context: TLS 1.2 and later, our certificate, no client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(material.certificate, material.private_key)
    except (OSError, ssl.SSLError) as error:
        msg = f"tls: {material.certificate} and its key cannot be loaded: {error}"
        raise ConfigError(msg) from None
    return context


def client_context(authority_pem: str) -> ssl.SSLContext:
    """Return a client's context that trusts exactly this authority, and checks the host's name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=authority_pem)
    except ssl.SSLError as error:
        msg = f"tls: the authority's certificate cannot be read: {error}"
        raise ConfigError(msg) from None
    return context

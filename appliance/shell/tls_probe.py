"""`ports.TlsProbe`: what a port's TLS service offers, whoever signed its certificate.

Two handshakes at most, nothing sent beyond them: one with everything from TLS 1.0 on, to see the
best version and the certificate, and one with TLS 1.0 and 1.1 only, to see whether those are still
accepted. Certificates are read, never trusted: nothing is sent over these connections.
"""

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import Mapping
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from appliance.ports import NO_TLS, ShellError
from appliance.shell.dial import RefusedError, dial
from appliance.shell.world_guard import WorldGuard
from proto.findings import Reason, Scalar

CONNECT_S: Final = 5
HANDSHAKE_S: Final = 5
DAY_S: Final = 86_400
RSA_BITS_MIN: Final = 2048
CURVE_BITS_MIN: Final = 256

VERSIONS: Final = ("none", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_NO_TLS_SAID: Final = "WRONG_VERSION_NUMBER"
"""What OpenSSL calls an answer that is no TLS at all, as that of a web server without it."""

KEY_TYPES: Final = ("none", "rsa", "ec", "ed25519", "other")


def certificate_fields(der: bytes, *, now_ms: int) -> dict[str, Scalar]:
    """Return the answer's fields about a certificate.

    Raises:
        ShellError: bad_answer; these bytes are no certificate.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        not_after_s = int(certificate.not_valid_after_utc.timestamp())
        kind, bits = _key(certificate)
        return {
            "days_left": (not_after_s - now_ms // 1000) // DAY_S,
            "self_signed": certificate.issuer == certificate.subject,
            "key_type": kind,
            "key_bits": bits,
            "key_ok": bits >= {"rsa": RSA_BITS_MIN}.get(kind, CURVE_BITS_MIN),
            "sig_ok": _is_signed_well(certificate),
        }
    except ValueError as error:
        msg = f"the certificate cannot be read: {error!s:.120}"
        raise ShellError(Reason.BAD_ANSWER, msg) from error


def _key(certificate: x509.Certificate) -> tuple[str, int]:
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        return "other", 0
    match key:
        case rsa.RSAPublicKey():
            return "rsa", key.key_size
        case ec.EllipticCurvePublicKey():
            return "ec", key.curve.key_size
        case ed25519.Ed25519PublicKey():
            return "ed25519", 256
        case _:
            return "other", 0


def _is_signed_well(certificate: x509.Certificate) -> bool:
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return False
    return not isinstance(digest, hashes.MD5 | hashes.SHA1)


def _context(best: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a client context that accepts anything from TLS 1.0 to `best`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        # To find old versions they must be offered; nothing is entrusted to them.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = best
    return context


class TlsProbe:
    """Greets ports; `ports.TlsProbe`."""

    def __init__(
        self,
        guard: WorldGuard,
        *,
        connect_s: float = CONNECT_S,
        handshake_s: float = HANDSHAKE_S,
    ) -> None:
        """Ask `guard` before every connection; wait this long for TCP and for each handshake."""
        self._guard = guard
        self._connect_s = connect_s
        self._handshake_s = handshake_s
        self._any = _context(ssl.TLSVersion.TLSv1_3)
        self._old = _context(ssl.TLSVersion.TLSv1_1)

    async def look(self, address: str, port: int, *, now_ms: int) -> Mapping[str, Scalar]:
        """Greet a port; see `ports.TlsProbe.look`."""
        self._guard.check()
        try:
            version, der = await self._greet(address, port, self._any)
        except RefusedError:
            return NO_TLS
        except ssl.SSLError as error:
            if error.reason == _NO_TLS_SAID:
                return {**NO_TLS, "listening": True}
            msg = f"{address}:{port} listens and agreed on no handshake: {error.reason}"
            raise ShellError(Reason.PROBE_FAILED, msg) from error
        except ConnectionError as error:
            msg = f"{address}:{port} broke a greeting off without an answer"
            raise ShellError(Reason.PROBE_FAILED, msg) from error
        return {
            **NO_TLS,
            "listening": True,
            "present": True,
            "version": version,
            "legacy": await self._accepts_old(address, port),
            **certificate_fields(der, now_ms=now_ms),
        }

    async def _accepts_old(self, address: str, port: int) -> bool:
        """Tell whether TLS 1.0 or 1.1 is accepted; only the other side's own no is a no."""
        try:
            await self._greet(address, port, self._old)
        except ConnectionResetError:
            return False  # it has just agreed on a newer one; some end it here without an alert
        except ssl.SSLError as error:
            if "ALERT" in (error.reason or "") or error.reason == "UNSUPPORTED_PROTOCOL":
                return False
            msg = f"{address}:{port}: old versions could not be offered: {error.reason}"
            raise ShellError(Reason.PROBE_FAILED, msg) from error
        return True

    async def _greet(self, address: str, port: int, context: ssl.SSLContext) -> tuple[str, bytes]:
        """Make one handshake; return the version agreed on and the certificate's DER."""
        sock = await dial(address, port, timeout_s=self._connect_s)
        with contextlib.ExitStack() as failed:
            failed.callback(sock.close)
            try:
                async with asyncio.timeout(self._handshake_s):
                    _, writer = await asyncio.open_connection(
                        sock=sock, ssl=context, server_hostname=""
                    )
            except TimeoutError:
                msg = f"{address}:{port} listens and did not answer a greeting"
                raise ShellError(Reason.TIMEOUT, msg) from None
            failed.pop_all()
        tls = writer.get_extra_info("ssl_object")
        agreed = (str(tls.version()), tls.getpeercert(binary_form=True) or b"")
        writer.transport.abort()
        return agreed

"""Claim codes: what a person carries from the hub to a new appliance.

A code holds the hub's address, a one-time secret and the fingerprint of the hub's trust root:

```
osiris1-<base32 of: version 1 | secret, 16 | root fingerprint, 16 | host[:port] | checksum, 4>
```

in lower case and groups of five, so that it can be read out and typed. The checksum catches typing
errors and nothing else. The appliance first compares the root's fingerprint and only then proves
that it knows the secret, with an HMAC over its own public keys, so neither a false hub nor a
listener learns anything that enrolls another key.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Final, NoReturn

from proto.errors import MalformedError
from proto.keys import PublicKey, SealingPublicKey

SECRET_BYTES: Final = 16
FINGERPRINT_BYTES: Final = 16
CODE_LENGTH_MAX: Final = 1024
HUB_URL_LENGTH_MAX: Final = 262

_PREFIX = "osiris1"
_VERSION = 1
_CHECKSUM_BYTES = 4
_FIXED_BYTES = 1 + SECRET_BYTES + FINGERPRINT_BYTES + _CHECKSUM_BYTES
_GROUP_CHARS = 5
_PROOF_CONTEXT = b"osiris claim proof v1\x00"
_SCHEME = "https://"
_NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HUB_URL = re.compile(
    rf"{_SCHEME}(?:{_NAME}(?:\.{_NAME})*|\[[0-9a-f:.]{{2,45}}\])(?::([1-9][0-9]{{0,4}}))?"
)
_PORT_MAX = 65535
_NOT_BASE32 = re.compile(r"[^a-z2-7]")


class ClaimCodeError(MalformedError):
    """A claim code that was mistyped or cut off; the message says where."""

    code = "claim_code"


def _refuse(what: str) -> NoReturn:
    msg = f"claim code: {what}"
    raise ClaimCodeError(msg)


def check_hub_url(url: str, where: str = "hub address") -> str:
    """Return a hub's address of the form https://host[:port], or raise `MalformedError`."""
    match = _HUB_URL.fullmatch(url) if len(url) <= HUB_URL_LENGTH_MAX else None
    if match is None or int(match[1] or 0) > _PORT_MAX:
        msg = f"{where}: not of the form https://host[:port] in lower case: {url!a:.80}"
        raise MalformedError(msg)
    return url


@dataclass(frozen=True, slots=True)
class ClaimCode:
    """What a claim code says. The secret is not printed with it.

    Attributes:
        hub_url: https://host[:port], in lower case.
        secret: 16 random bytes that the hub accepts once.
        root_fingerprint: the first 16 bytes of SHA-256 of the hub's trust root.
    """

    hub_url: str
    secret: bytes = field(repr=False)
    root_fingerprint: bytes

    def __post_init__(self) -> None:
        """Refuse what could not be written as a code."""
        check_hub_url(self.hub_url)
        if len(self.secret) != SECRET_BYTES or len(self.root_fingerprint) != FINGERPRINT_BYTES:
            _refuse(f"a secret has {SECRET_BYTES} bytes and a fingerprint {FINGERPRINT_BYTES}")

    def as_text(self) -> str:
        """Return the code that is printed for a person: it holds the secret."""
        host = self.hub_url.removeprefix(_SCHEME).encode("ascii")
        payload = bytes([_VERSION]) + self.secret + self.root_fingerprint + host
        whole = payload + _checksum(payload)
        letters = base64.b32encode(whole).decode("ascii").rstrip("=").lower()
        groups = (
            letters[start : start + _GROUP_CHARS] for start in range(0, len(letters), _GROUP_CHARS)
        )
        return "-".join((_PREFIX, *groups))


def parse_claim_code(text: str) -> ClaimCode:
    """Read a claim code as a person typed it: case, spaces and dashes do not matter.

    Raises:
        ClaimCodeError: it is not a claim code, or a character is wrong.
    """
    if len(text) > CODE_LENGTH_MAX:
        _refuse(f"{len(text)} characters, at most {CODE_LENGTH_MAX} are possible")
    joined = "".join(text.split()).replace("-", "").lower()
    if not joined.startswith(_PREFIX):
        _refuse(f"must begin with {_PREFIX}-")
    payload = _payload(joined.removeprefix(_PREFIX))
    if payload[0] != _VERSION:
        _refuse(f"is of version {payload[0]}; this program reads version {_VERSION}")
    secret, rest = payload[1 : 1 + SECRET_BYTES], payload[1 + SECRET_BYTES :]
    fingerprint, host = rest[:FINGERPRINT_BYTES], rest[FINGERPRINT_BYTES:]
    try:
        return ClaimCode(_SCHEME + host.decode("ascii"), secret, fingerprint)
    except UnicodeDecodeError:
        _refuse("holds an address that is not plain text")


def _payload(letters: str) -> bytes:
    """Return the bytes before the checksum, which must match."""
    wrong = _NOT_BASE32.search(letters)
    if wrong is not None:
        group = wrong.start() // _GROUP_CHARS + 1
        _refuse(f"group {group} holds {wrong[0]!a}; a code uses the letters a-z and digits 2-7")
    try:
        whole = base64.b32decode(letters.upper() + "=" * (-len(letters) % 8))
    except binascii.Error:
        _refuse("is cut off, or a character is missing")
    if base64.b32encode(whole).decode("ascii").rstrip("=").lower() != letters:
        _refuse("its last character is wrong")
    if len(whole) <= _FIXED_BYTES:
        _refuse("is cut off")
    payload, check = whole[:-_CHECKSUM_BYTES], whole[-_CHECKSUM_BYTES:]
    if _checksum(payload) != check:
        _refuse("a character is wrong or two are swapped (the checksum differs)")
    return payload


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(b"osiris claim code\x00" + payload).digest()[:_CHECKSUM_BYTES]


def claim_proof(secret: bytes, *, ed25519: PublicKey, x25519: SealingPublicKey) -> bytes:
    """Return the 32-byte HMAC-SHA256 by which an appliance proves that it holds the code."""
    message = _PROOF_CONTEXT + ed25519.raw + x25519.raw
    return hmac.digest(secret, message, "sha256")


def is_claim_proof(
    proof: bytes, *, secret: bytes, ed25519: PublicKey, x25519: SealingPublicKey
) -> bool:
    """Tell, in constant time, whether `proof` was made with `secret` for exactly these keys."""
    return hmac.compare_digest(proof, claim_proof(secret, ed25519=ed25519, x25519=x25519))

"""`ports.Sealer`: secrets at rest, under a key of this appliance.

A sealed secret is one version byte, a 24-byte nonce and XChaCha20-Poly1305 over the secret, with
the context as associated data: bytes moved to another row, or of another kind, do not open.
"""

from typing import Final

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from appliance.ports import Entropy
from proto.errors import ConfigError, IntegrityError
from proto.secret import Secret

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 24
TAG_BYTES: Final = 16
VERSION: Final = b"\x01"


class KeySealer:
    """Seals and opens under one key; `ports.Sealer`."""

    def __init__(self, key: Secret, entropy: Entropy) -> None:
        """Use a key of 32 bytes; `entropy` makes the nonces.

        Raises:
            ConfigError: the key has another size.
        """
        if len(key.reveal_bytes()) != KEY_BYTES:
            msg = f"a sealing key has {KEY_BYTES} bytes"
            raise ConfigError(msg)
        self._key = key
        self._entropy = entropy

    def seal(self, secret: Secret, *, context: str) -> bytes:
        """Return sealed bytes; see `ports.Sealer.seal`."""
        nonce = self._entropy(NONCE_BYTES)
        body = crypto_aead_xchacha20poly1305_ietf_encrypt(
            secret.reveal_bytes(), _bound(context), nonce, self._key.reveal_bytes()
        )
        return VERSION + nonce + bytes(body)

    def open(self, sealed: bytes, *, context: str) -> Secret:
        """Return the secret; see `ports.Sealer.open`."""
        at = len(VERSION) + NONCE_BYTES
        if not sealed.startswith(VERSION) or len(sealed) < at + TAG_BYTES:
            msg = f"sealed secret of {context}: these bytes are none"
            raise IntegrityError(msg)
        try:
            opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed[at:], _bound(context), sealed[len(VERSION) : at], self._key.reveal_bytes()
            )
        except CryptoError as error:
            msg = f"sealed secret of {context}: changed, of another key, or of another context"
            raise IntegrityError(msg) from error
        return Secret(bytes(opened))


def _bound(context: str) -> bytes:
    return VERSION + b"osiris sealed secret\x00" + context.encode("utf-8")

"""`ports.Sealer`: secrets at rest, under a key in a file that only its owner may read.

A sealed secret is one version byte, a 24-byte nonce and XChaCha20-Poly1305 over the secret, with
the context as associated data: bytes moved to another row, or of another kind, do not open.
"""

import os
import stat
from pathlib import Path
from typing import Final

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from appliance.ports import Entropy
from proto.errors import ConfigError, IntegrityError
from proto.secret import Secret
from runtime.durable import sync_directory

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 24
TAG_BYTES: Final = 16
VERSION: Final = b"\x01"
KEY_MODE: Final = 0o600


def sealing_key(path: Path, entropy: Entropy) -> Secret:
    """Return the key in this file, made on first use.

    Raises:
        ConfigError: others may read it, or it is no key; the message names the fix.
    """
    if not path.exists() and not path.is_symlink():
        _make(path, entropy)
    return _load(path)


def _make(path: Path, entropy: Entropy) -> None:
    """Write a new key under another name first, so that no crash leaves half a key."""
    fresh = path.with_name(f".{path.name}.{entropy(8).hex()}")
    try:
        descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, KEY_MODE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(entropy(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            os.link(fresh, path)  # unlike a rename it never replaces a key that is there
        finally:
            fresh.unlink(missing_ok=True)
        sync_directory(path.parent)
    except FileExistsError:
        return
    except OSError as error:
        msg = f"{path}: the sealing key cannot be made: {error.strerror}"
        raise ConfigError(msg) from error


def _load(path: Path) -> Secret:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        msg = f"{path}: the sealing key cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    try:
        _require_private(path, os.fstat(descriptor))
        raw = os.read(descriptor, KEY_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(raw) != KEY_BYTES:
        msg = (
            f"{path}: a sealing key has {KEY_BYTES} bytes, this file has another size: "
            "put the key back from the backup (without it no stored credential opens)"
        )
        raise ConfigError(msg)
    return Secret(raw)


def _require_private(path: Path, seen: os.stat_result) -> None:
    mode = stat.S_IMODE(seen.st_mode)
    if not stat.S_ISREG(seen.st_mode):
        msg = f"{path}: the sealing key is no regular file"
    elif seen.st_uid != os.geteuid():
        msg = f"{path}: the sealing key belongs to user {seen.st_uid}: chown {os.geteuid()} {path}"
    elif mode & ~KEY_MODE:
        msg = f"{path}: the sealing key has mode {mode:04o}, others may get at it: chmod 600 {path}"
    else:
        return
    raise ConfigError(msg)


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

"""The file in which one person keeps one private key, sealed with a passphrase.

```
{"v":1,"person":"ada","role":"operator","public":"<b64>","created":<s>,
 "kdf":{"name":"argon2id","passes":3,"memory_kib":262144,"salt":"<b64>"},
 "nonce":"<b64>","sealed":"<b64 of the seed, XChaCha20-Poly1305>"}
```

Rules kept here:

- The file is made with mode 0600 before it holds anything, never over another file, and one that
  others may read is refused.
- A key is for one role. Who holds it, for what, and the public key are sealed with the seed: a file
  whose readable part was changed does not open.
- `kdf`, `nonce` are null and `sealed` holds the seed itself only in a file that was asked for
  without a passphrase, as a development trust does; whoever reads it can sign.
"""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from nacl import bindings, pwhash
from nacl.exceptions import CryptoError
from pydantic import Field, StringConstraints

from proto import strict_json
from proto.errors import ConfigError, MalformedError, NoRoomError, RejectedError
from proto.keys import SEED_BYTES, PublicKey, SigningKey
from proto.keysets import ROLES, Role
from proto.message import B64Of16, B64Of32, CodeName, Message, Seconds, VersionOne
from proto.secret import Secret
from runtime.clock import Entropy
from runtime.durable import sync_directory

FILE_BYTES_MAX: Final = 4096
PASSPHRASE_CHARS_MIN: Final = 12
MEMORY_KIB_MAX: Final = 1024 * 1024
PASSES_MAX: Final = 16
_SALT_BYTES: Final = pwhash.argon2id.SALTBYTES
_NONCE_BYTES: Final = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES


class PassphraseError(ConfigError):
    """A passphrase that does not open the key, or that is too short for a new one."""

    code = "passphrase"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess at a passphrase costs: passes over so many KiB of memory."""

    passes: int = 3
    memory_kib: int = 256 * 1024


COST: Final = Cost()
"""libsodium's "moderate": some tenths of a second, and memory that a graphics card lacks."""


class _Kdf(Message):
    name: Literal["argon2id"]
    passes: Annotated[int, Field(ge=1, le=PASSES_MAX)]
    memory_kib: Annotated[int, Field(ge=8, le=MEMORY_KIB_MAX)]
    salt: B64Of16


class _Document(Message):
    v: VersionOne
    person: CodeName
    role: Annotated[Role, Field(strict=False)]
    public: B64Of32
    created: Seconds
    kdf: _Kdf | None
    nonce: Annotated[str, StringConstraints(pattern=r"\A[A-Za-z0-9+/]{32}\z")] | None
    sealed: Annotated[str, StringConstraints(max_length=128)]

    def bound(self) -> bytes:
        """Return what is sealed with the seed: all that can be read without the passphrase."""
        return self.model_copy(update={"sealed": ""}).to_bytes()


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file as it is read without its passphrase.

    Attributes:
        created: seconds since the epoch.
        is_sealed: a passphrase opens it; else whoever reads the file can sign.
    """

    path: Path
    person: str
    role: Role
    public: PublicKey
    created: int
    is_sealed: bool
    _document: _Document = field(repr=False)

    def open(self, passphrase: Secret | None) -> SigningKey:
        """Return the private key.

        Raises:
            PassphraseError: the passphrase is another one, or none was given for a sealed key.
            ConfigError: the file's readable part was changed.
        """
        try:
            key = SigningKey(_seed(self._document, passphrase, path=self.path))
        except MalformedError as error:
            msg = f"{self.path}: not a key file: {error}"
            raise ConfigError(msg) from None
        if key.public != self.public:
            msg = f"{self.path}: the private key is not that of the public key beside it"
            raise ConfigError(msg)
        return key


def make(
    path: Path,
    *,
    person: str,
    role: Role,
    passphrase: Secret | None,
    now_s: int,
    entropy: Entropy,
    cost: Cost = COST,
) -> KeyFile:
    """Make a person's key for one role and keep it in a new file.

    Args:
        path: of the file; its directory must be there.
        person: the stable name under which authority lists them.
        role: what the key is for; a key of another role counts for nothing there.
        passphrase: at least 12 characters; None makes an unsealed file.
        now_s: seconds since the epoch.
        entropy: where randomness comes from.
        cost: what one guess at the passphrase costs.

    Raises:
        ConfigError: the role is a daemon's, the name has no valid form, or the file is there
            already or cannot be written.
        PassphraseError: the passphrase is too short.
    """
    if ROLES[role].is_online:
        msg = f"{role}: such keys are a daemon's, no person holds one"
        raise ConfigError(msg)
    if passphrase is not None and len(passphrase.reveal()) < PASSPHRASE_CHARS_MIN:
        msg = f"a passphrase has at least {PASSPHRASE_CHARS_MIN} characters"
        raise PassphraseError(msg)
    key = SigningKey(entropy(SEED_BYTES))
    document = _document(key, person=person, role=role, now_s=now_s)
    sealed = _sealed(document, key, passphrase, entropy=entropy, cost=cost)
    _write(path, sealed.to_bytes() + b"\n")
    return _as_file(path, sealed)


def read(path: Path) -> KeyFile:
    """Return a key file, still shut.

    Raises:
        ConfigError: there is none, others may read it, or it is no key file.
    """
    return _as_file(path, _parse(_bytes(path), path))


def _document(key: SigningKey, *, person: str, role: Role, now_s: int) -> _Document:
    value = {
        "v": 1,
        "person": person,
        "role": role.value,
        "public": key.public.b64(),
        "created": now_s,
        "kdf": None,
        "nonce": None,
        "sealed": "",
    }
    try:
        return _Document.from_value(value, "key")
    except MalformedError as error:
        raise ConfigError(*error.args) from None


def _sealed(
    document: _Document,
    key: SigningKey,
    passphrase: Secret | None,
    *,
    entropy: Entropy,
    cost: Cost,
) -> _Document:
    if passphrase is None:
        return document.model_copy(update={"sealed": strict_json.b64_encode(key.reveal_seed())})
    kdf = _Kdf(
        name="argon2id",
        passes=cost.passes,
        memory_kib=cost.memory_kib,
        salt=strict_json.b64_encode(entropy(_SALT_BYTES)),
    )
    nonce = entropy(_NONCE_BYTES)
    document = document.model_copy(update={"kdf": kdf, "nonce": strict_json.b64_encode(nonce)})
    box = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        key.reveal_seed(), document.bound(), nonce, _stretched(kdf, passphrase)
    )
    return document.model_copy(update={"sealed": strict_json.b64_encode(box)})


def _seed(document: _Document, passphrase: Secret | None, *, path: Path) -> bytes:
    box = strict_json.b64_decode(document.sealed, f"{path}: sealed")
    if document.kdf is None or document.nonce is None:
        return box
    if passphrase is None:
        msg = f"{path}: sealed: its passphrase is needed"
        raise PassphraseError(msg)
    nonce = strict_json.b64_decode(document.nonce, f"{path}: nonce", length=_NONCE_BYTES)
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            box, document.bound(), nonce, _stretched(document.kdf, passphrase)
        )
    except CryptoError:
        msg = f"{path}: this is not its passphrase, or the file was changed"
        raise PassphraseError(msg) from None


def _stretched(kdf: _Kdf, passphrase: Secret) -> bytes:
    return pwhash.argon2id.kdf(
        bindings.crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
        passphrase.reveal_bytes(),
        strict_json.b64_decode(kdf.salt, "kdf.salt", length=_SALT_BYTES),
        opslimit=kdf.passes,
        memlimit=kdf.memory_kib * 1024,
    )


def _as_file(path: Path, document: _Document) -> KeyFile:
    return KeyFile(
        path=path,
        person=document.person,
        role=document.role,
        public=PublicKey.from_b64(document.public, f"{path}: public"),
        created=document.created,
        is_sealed=document.kdf is not None,
        _document=document,
    )


def _parse(data: bytes, path: Path) -> _Document:
    try:
        found = _Document.from_bytes(data, "key", size_bytes_max=FILE_BYTES_MAX)
        PublicKey.from_b64(found.public, "key.public")
    except RejectedError as error:
        msg = f"{path}: not a key file: {error}"
        raise ConfigError(msg) from None
    if (found.kdf is None) != (found.nonce is None):
        msg = f"{path}: kdf and nonce stand together"
        raise ConfigError(msg)
    return found


def _bytes(path: Path) -> bytes:
    """Read the file through one descriptor, so that what was looked at is what is read."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) or mode & 0o077:
                msg = f"{path}: others may read it, or it is no plain file: chmod 600 {path}"
                raise ConfigError(msg)
            return file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(msg) from error


def _write(path: Path, data: bytes) -> None:
    """Write a new file for its owner alone, durable before it is told of."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        msg = f"{path}: is there already; a key is never written over another"
        raise ConfigError(msg) from None
    except OSError as error:
        msg = f"{path}: cannot be made: {error.strerror}"
        raise ConfigError(msg) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sync_directory(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        msg = f"{path}: cannot be written: {error.strerror}"
        raise NoRoomError(msg) from error

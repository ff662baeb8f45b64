"""The files of this appliance's private keys: sealed where a TPM seals them, mode 0600 everywhere.

```
keys/tpm.key      a random key, as the TPM sealed it
keys/<name>.key   a private key: 32 bytes; or sealed under the key in tpm.key, bound to its own name
```

So the TPM is asked once for each start, and never while the appliance runs. `tpm.key` is also what
says that the others are sealed: with it a plain one is refused, without it a sealed one is.

How plain ones become sealed, cut off anywhere: a sealed copy of each is written beside it and read
back; then `tpm.key` takes its place, and from here on the copies count; then each takes the place
of its plain file. Before that step a start begins anew, behind it a start does the rest. What a
plain file held is overwritten in place, as far as the file system and the disk do that at all.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.core.keeping import How, Keeping
from appliance.ports import FORMERS_MAX, Entropy, Sealer, TpmError
from appliance.shell.seal import KEY_BYTES, KeySealer
from appliance.shell.tpm import Found
from proto.errors import ConfigError, IntegrityError
from proto.secret import Secret
from runtime.durable import sync_directory
from runtime.tls import write_private

SIGNING: Final = "signing"
SEALING: Final = "sealing"
NEXT: Final = ".next"
FORMERS: Final = (".former", *(f".former{place}" for place in range(2, FORMERS_MAX + 1)))
REST_KEY: Final = "rest.key"
TPM_KEY: Final = "tpm.key"
TPM_NAME: Final = "osiris-keys"
"""What the TPM binds the key in `tpm.key` to."""

NAMES: Final = (
    *(f"{kind}{which}.key" for kind in (SIGNING, SEALING) for which in ("", NEXT, *FORMERS)),
    REST_KEY,
)
"""Every private key that there may be."""

KEY_MODE: Final = 0o600
FILE_BYTES_MAX: Final = 16 * 1024
_SEALED: Final = b"osiris sealed key 1\n"
_BY_TPM: Final = b"osiris key sealed by a TPM 1\n"
_LEFT_OVER: Final = re.compile(r"\.+[a-z0-9.]+\.key\.((new|sealed)(\.new)?|[0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The private keys of one directory.

    Attributes:
        sealer: seals them under the key that the TPM keeps; None where they are plain files.
    """

    directory: Path
    sealer: Sealer | None
    keeping: Keeping

    def has(self, name: str) -> bool:
        """Tell whether there is a file of that name, whatever is in it."""
        return _is_there(self.directory / name)

    def read(self, name: str) -> bytes:
        """Return a private key, 32 bytes.

        Raises:
            ConfigError: it is missing, or others may get at it; it is sealed and no TPM is used,
                does not open, or is plain though the others are sealed.
        """
        path = self.directory / name
        raw = _read(path)
        if raw.startswith(_SEALED):
            return _opened(self, path, raw, name)
        if self.sealer is not None:
            msg = (
                f"{path}: is not sealed, though the keys of this appliance are: somebody put it"
                f" there. Put the sealed file back, or all of {self.directory} from one backup"
            )
            raise ConfigError(msg)
        return _plain(path, raw)

    def make(self, name: str, key: bytes) -> None:
        """Write a key; one that is there is never replaced.

        Raises:
            ConfigError: it cannot be written.
        """
        path = self.directory / name
        fresh = path.with_name(f".{name}.new")
        with told(path, "cannot be made"), suppress(FileExistsError):
            try:
                write_private(fresh, _form(self, name, key))
                os.link(fresh, path)
            finally:
                fresh.unlink(missing_ok=True)
            sync_directory(self.directory)

    def put(self, name: str, key: bytes) -> None:
        """Write a key in place of what is there: at any moment the one or the other.

        Raises:
            ConfigError: it cannot be written.
        """
        path = self.directory / name
        with told(path, "cannot be written"):
            write_private(path, _form(self, name, key))

    def drop(self, name: str) -> None:
        """Remove a key.

        Raises:
            ConfigError: it cannot be removed.
        """
        path = self.directory / name
        with told(path, "cannot be removed"):
            _forget(path)
            sync_directory(self.directory)


def rest_key(files: KeyFiles, entropy: Entropy) -> Secret:
    """Return the key that seals credentials in the store, made on first use.

    Raises:
        ConfigError: it cannot be read or written.
    """
    if not files.has(REST_KEY):
        files.make(REST_KEY, entropy(KEY_BYTES))
    return Secret(files.read(REST_KEY))


def _form(files: KeyFiles, name: str, key: bytes) -> bytes:
    """Return what a file of this key holds."""
    if files.sealer is None:
        return key
    return _SEALED + files.sealer.seal(Secret(key), context=_bound(name))


def _opened(files: KeyFiles, path: Path, raw: bytes, name: str) -> bytes:
    """Return the key in a sealed file."""
    if files.sealer is None:
        msg = (
            f"{path}: is sealed by a TPM, and {TPM_KEY} is not beside it: put all of"
            f" {files.directory} back from one backup of this machine, or enroll anew"
        )
        raise ConfigError(msg)
    try:
        return files.sealer.open(raw[len(_SEALED) :], context=_bound(name)).reveal_bytes()
    except IntegrityError:
        msg = (
            f"{path}: does not open: it was changed or cut, is another key's file, or was sealed"
            f" under another {TPM_KEY}. Put all of {files.directory} back from one backup of this"
            " machine"
        )
        raise ConfigError(msg) from None


def _bound(name: str) -> str:
    return f"key file {name}"


def open_keys(directory: Path, found: Found, entropy: Entropy) -> KeyFiles:
    """Return the keys of a directory, sealed from now on where a TPM was found.

    The lock of the state directory must be held. The TPM is spoken to only where there is one.

    Raises:
        ConfigError: the keys are sealed and do not open; nothing was changed. Or the TPM that the
            configuration names cannot be used (`TpmError`).
    """
    if _is_there(directory / TPM_KEY):
        files = KeyFiles(directory, KeySealer(_unsealed(directory, found), entropy), found.keeping)
        _take_places(files)
        return files
    plain = KeyFiles(directory, None, found.keeping)
    for name in filter(plain.has, NAMES):
        plain.read(name)
    if found.tpm is None:
        _sweep(directory)
        return plain
    try:
        return _seal_all(plain, found, entropy)
    except TpmError as error:
        if found.is_named:
            msg = f"tpm: {error}"
            raise TpmError(msg) from error
        _sweep(directory)
        return KeyFiles(directory, None, Keeping(How.FAILED, str(error)))


def _unsealed(directory: Path, found: Found) -> Secret:
    """Return the key that the others are sealed under."""
    path = directory / TPM_KEY
    raw = _read(path)
    if found.tpm is None:
        raise _not_to_open(path, found.keeping.sentence)
    if not raw.startswith(_BY_TPM):
        raise _not_to_open(path, "it is no sealed key")
    try:
        key = found.tpm.unseal(raw[len(_BY_TPM) :], name=TPM_NAME)
    except TpmError as error:
        raise _not_to_open(path, str(error)) from None
    if len(key.reveal_bytes()) != KEY_BYTES:
        raise _not_to_open(path, "what is sealed in it is no key")
    return key


def _not_to_open(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"{path}: the TPM of this machine sealed the appliance's keys, and this does not open:"
        f" {why}. Nothing was changed. Let this user use that TPM, unchanged (the setting tpm); on"
        " another machine, or where the TPM was cleared, enroll anew with an empty state directory"
    )


def _seal_all(plain: KeyFiles, found: Found, entropy: Entropy) -> KeyFiles:
    """Have every key sealed; see the module for the order of the steps."""
    assert found.tpm is not None  # noqa: S101 - the caller looked
    directory, key = plain.directory, Secret(entropy(KEY_BYTES))
    sealed = found.tpm.seal(key, name=TPM_NAME)
    if found.tpm.unseal(sealed, name=TPM_NAME) != key:
        msg = "it gave other bytes back than it had sealed"
        raise TpmError(msg)
    files = KeyFiles(directory, KeySealer(key, entropy), found.keeping)
    for name in filter(plain.has, NAMES):
        beside = _beside(directory, name)
        with told(beside, "cannot be written"):
            write_private(beside, _form(files, name, plain.read(name)))
        _require_same(files, plain, name)
    with told(directory / TPM_KEY, "cannot be written"):
        write_private(directory / TPM_KEY, _BY_TPM + sealed)
    _take_places(files)
    return files


def _beside(directory: Path, name: str) -> Path:
    return directory / f".{name}.sealed"


def _require_same(files: KeyFiles, plain: KeyFiles, name: str) -> None:
    """Refuse to let a sealed copy stand for a plain key that it does not hold."""
    beside = _beside(files.directory, name)
    if _opened(files, beside, _read(beside), name) != plain.read(name):
        msg = f"{beside}: holds another key than {name}: remove this copy"
        raise ConfigError(msg)


def _take_places(files: KeyFiles) -> None:
    """Let every sealed copy take the place of its plain key; refuse a plain key that has none.

    All is read before anything is changed.
    """
    directory, plain = files.directory, KeyFiles(files.directory, None, files.keeping)
    waiting = [name for name in filter(files.has, NAMES) if _waits(directory, name)]
    for name in filter(files.has, NAMES):
        if name in waiting:
            _require_same(files, plain, name)
        else:
            files.read(name)
    for name in waiting:
        path = directory / name
        with told(path, "cannot be replaced"), _held(path) as former:
            _beside(directory, name).replace(path)
            sync_directory(directory)
            _overwrite(former)
    _sweep(directory)


def _waits(directory: Path, name: str) -> bool:
    """Tell whether a plain key has a sealed copy beside it."""
    return _is_there(_beside(directory, name)) and not _read(directory / name).startswith(_SEALED)


def _sweep(directory: Path) -> None:
    """Remove what a write that was cut off left behind: it may hold a key as plain bytes."""
    with told(directory, "cannot be tidied"):
        for path in sorted(directory.iterdir()):
            if _LEFT_OVER.fullmatch(path.name):
                _forget(path)


def _forget(path: Path) -> None:
    """Remove a file, and what it held."""
    if not stat.S_ISREG(path.lstat().st_mode):
        path.unlink()
        return
    with _held(path) as former:
        path.unlink()
        _overwrite(former)


@contextmanager
def _held(path: Path) -> Iterator[int | None]:
    """Keep a file open past the end of its name; None where it may not be written."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except PermissionError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _overwrite(descriptor: int | None) -> None:
    """Overwrite a file that has no name any more; under another name it is somebody's backup."""
    if descriptor is None:
        return
    found = os.fstat(descriptor)
    if found.st_nlink == 0 and found.st_size <= FILE_BYTES_MAX:
        os.pwrite(descriptor, bytes(found.st_size), 0)
        os.fsync(descriptor)


@contextmanager
def told(path: Path, what: str) -> Iterator[None]:
    """Say of which file an operation failed (`ConfigError`)."""
    try:
        yield
    except OSError as error:
        msg = f"{path}: {what}: {error.strerror}"
        raise ConfigError(msg) from error


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _read(path: Path) -> bytes:
    """Return what is in a file that its owner alone may get at; a link is not followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        advice = ": put it back from the backup" if not path.exists() else ""
        msg = f"{path}: the key cannot be read: {error.strerror}{advice}"
        raise ConfigError(msg) from error
    try:
        _require_private(path, os.fstat(descriptor))
        return os.read(descriptor, FILE_BYTES_MAX)
    finally:
        os.close(descriptor)


def _plain(path: Path, raw: bytes) -> bytes:
    if len(raw) != KEY_BYTES:
        msg = (
            f"{path}: a key has {KEY_BYTES} bytes, this file has another size:"
            " put the key back from the backup"
        )
        raise ConfigError(msg)
    return raw


def _require_private(path: Path, seen: os.stat_result) -> None:
    mode = stat.S_IMODE(seen.st_mode)
    if not stat.S_ISREG(seen.st_mode):
        msg = f"{path}: the key is no regular file"
    elif seen.st_uid != os.geteuid():
        msg = f"{path}: the key belongs to user {seen.st_uid}: chown {os.geteuid()} {path}"
    elif mode & ~KEY_MODE:
        msg = f"{path}: the key has mode {mode:04o}, others may get at it: chmod 600 {path}"
    else:
        return
    raise ConfigError(msg)

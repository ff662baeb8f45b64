"""The desk: one directory on a person's own machine, with their key and what they trust.

| file | what |
|---|---|
| `desk.toml` | which hub, and where its TLS authority lies when it is not a public one |
| `operator.key` | the person's own key, see `keyfile`; also `root.key`, `release.key` |
| `<role>.former.key` | the key that was renewed, beside the next until it ends |
| `<role>.next.key` | a key that was made and has not taken its place yet |
| `asks/` | the asks that were drafted here, to hold what comes back against |
| `authority.json`, `grants.json` | whose signatures count, as this person got them from people |
| `authority.<n>.json`, `grants.<n>.json` | each version of them, to verify old orders with |
| `first-root.json` | the first root, pinned: see `first_root` |
| `content/` | what was fetched from the hub, verified from that root on: see `walk` |
| `former-trust.<n>/` | what was held of a trust that the person gave up for another |

Nothing here comes from the hub by itself: a hub that was taken over cannot say whose keys count.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator

from proto.authority import AUTHORITY_BYTES_MAX, AuthoritySet
from proto.claim import check_hub_url
from proto.envelope import ENVELOPE_BYTES_MAX
from proto.errors import ConfigError, MalformedError, RejectedError
from proto.grants import GRANTS_BYTES_MAX, GrantSet, Trust
from proto.keysets import Role
from proto.message import Message
from runtime import toml_file
from runtime.private import make_private

ENV_DESK: Final = "OSIRIS_DESK"
AUTHORITY_FILE: Final = "authority.json"
GRANTS_FILE: Final = "grants.json"
SETTINGS_FILE: Final = "desk.toml"
ASKS_DIRECTORY: Final = "asks"
ASKS_KEPT_S: Final = 7 * 86_400
TLS_BYTES_MAX: Final = 64 * 1024
_BATCH: Final = re.compile(r"b-[0-9a-f]{20}")


def default_directory() -> Path:
    """Return where a desk lies when nothing else is said."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "osiris"


def _hub(text: str) -> str:
    try:
        return check_hub_url(text)
    except MalformedError as error:
        raise ValueError(*error.args) from error


class Settings(Message):
    """The file: the hub's address, and its TLS authority's file ("": those of this machine)."""

    hub: Annotated[str, AfterValidator(_hub)]
    hub_tls_ca: str = ""


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub as a desk reaches it: https://host[:port], and the PEM of who vouches for its TLS."""

    origin: str
    tls_ca_pem: str | None

    @property
    def name(self) -> str:
        """The host and port, with which the hub's logs begin."""
        return self.origin.removeprefix("https://")


@dataclass(frozen=True, slots=True)
class Desk:
    """A person's desk."""

    directory: Path

    @property
    def key_path(self) -> Path:
        """Where the person's own key lies, with which they sign orders."""
        return self.key_of(Role.OPERATOR)

    def key_of(self, role: Role) -> Path:
        """Return where the person's key for a role lies."""
        return self.directory / f"{role.value}.key"

    def former_of(self, role: Role) -> Path:
        """Return where the key of before lies, which goes on beside the next for a while."""
        return self.directory / f"{role.value}.former.key"

    def next_of(self, role: Role) -> Path:
        """Return where the key that is to take the place is made."""
        return self.directory / f"{role.value}.next.key"

    def make(self) -> None:
        """Make the directory, for its owner alone.

        Raises:
            ConfigError: it cannot be made, or others may enter it.
        """
        make_private(self.directory, key="--desk")

    def set_hub(self, origin: str, *, tls_ca: Path | None) -> Settings:
        """Write which hub this desk speaks to; its TLS authority is copied beside it."""
        try:
            check_hub_url(origin, "--hub")
        except MalformedError as error:
            raise ConfigError(*error.args) from None
        self.make()
        copied = ""
        if tls_ca is not None:
            pem = read_file(tls_ca, TLS_BYTES_MAX)
            (self.directory / "hub-tls-ca.pem").write_bytes(pem)
            copied = "hub-tls-ca.pem"
        quoted = toml_file.quoted
        text = f"hub = {quoted(origin)}\nhub_tls_ca = {quoted(copied)}\n"
        found = toml_file.parse(text, Settings, where="--hub")
        (self.directory / SETTINGS_FILE).write_text(text, "utf-8")
        return found

    def hub(self) -> Hub:
        """Return which hub this desk speaks to.

        Raises:
            ConfigError: none was said yet, or the file is wrong.
        """
        path = self.directory / SETTINGS_FILE
        found = toml_file.read(path, Settings, made_by="osiris order desk --hub https://HOST")
        if not found.hub_tls_ca:
            return Hub(found.hub, None)
        pem = read_file(self.directory / found.hub_tls_ca, TLS_BYTES_MAX)
        return Hub(found.hub, pem.decode("utf-8", "replace"))

    def authority(self) -> AuthoritySet | None:
        """Return the authority file, None when this desk has none."""
        path = self.directory / AUTHORITY_FILE
        return read_authority(path) if path.exists() else None

    def trust(self) -> Trust | None:
        """Return whose signatures count on orders, None when a file of the two is missing."""
        authority, path = self.authority(), self.directory / GRANTS_FILE
        return None if authority is None or not path.exists() else read_trust(authority, path)

    def keep_ask(self, batch: str, ask: bytes, *, now_s: int) -> None:
        """Keep an ask that was drafted here, until its orders are long over."""
        folder = self.directory / ASKS_DIRECTORY
        make_private(folder, key="--desk")
        for old in folder.glob("*.json"):
            if old.stat().st_mtime < now_s - ASKS_KEPT_S:
                old.unlink(missing_ok=True)
        (folder / f"{batch}.json").write_bytes(ask)

    def kept_ask(self, batch: str) -> bytes | None:
        """Return an ask that was drafted here, None for one that was not."""
        path = self.directory / ASKS_DIRECTORY / f"{batch}.json"
        is_name = _BATCH.fullmatch(batch) is not None
        return read_file(path, ENVELOPE_BYTES_MAX) if is_name and path.exists() else None


def read_file(path: Path, size_bytes_max: int) -> bytes:
    """Return a file's bytes, or raise `ConfigError` naming it."""
    try:
        with path.open("rb") as file:
            data = file.read(size_bytes_max + 1)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    if len(data) > size_bytes_max:
        msg = f"{path}: longer than {size_bytes_max} bytes"
        raise ConfigError(msg)
    return data


def read_authority(path: Path) -> AuthoritySet:
    """Return an authority file, or raise `ConfigError` naming it."""
    try:
        return AuthoritySet.from_bytes(read_file(path, AUTHORITY_BYTES_MAX).strip())
    except RejectedError as error:
        msg = f"{path}: {error}"
        raise ConfigError(msg) from None


def read_grants(path: Path) -> GrantSet:
    """Return a grants file, or raise `ConfigError` naming it."""
    try:
        return GrantSet.from_bytes(read_file(path, GRANTS_BYTES_MAX).strip())
    except RejectedError as error:
        msg = f"{path}: {error}"
        raise ConfigError(msg) from None


def read_trust(authority: AuthoritySet, path: Path) -> Trust:
    """Return an authority with a grants file, or raise `ConfigError` naming it."""
    grants = read_grants(path)
    try:
        return Trust(authority, grants)
    except RejectedError as error:
        msg = f"{path}: {error}"
        raise ConfigError(msg) from None

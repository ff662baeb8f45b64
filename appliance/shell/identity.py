"""Who this appliance is: its keys, its ids and the pinned trust root, as files of its state.

```
keys/signing.key  keys/sealing.key    seeds, made here; they never leave (how they are kept:
                                      shell/key_files.py, and renewed: shell/own_keys.py)
keys/rest.key                         seals credentials in the store
trust/root.json                       the hub's trust root, exactly as pinned by the claim code
enrolled.json                         {v, site, appliance, log_origin}: last, so it means "done"
```
"""

from dataclasses import dataclass
from pathlib import Path

from appliance.ports import Entropy
from appliance.shell.key_files import SEALING, SIGNING, KeyFiles
from appliance.store.evidence import Scribe
from proto.errors import ConfigError
from proto.ids import ApplianceId, SiteId
from proto.keys import SEED_BYTES, SealingKey, SigningKey
from proto.message import ApplianceIdField, Message, SiteIdField, VersionOne
from proto.trust_root import TrustRoot, fingerprint, open_first
from runtime.private import make_private

ENROLLED_BYTES_MAX = 4096


class Enrolled(Message):
    """What the hub answered when this appliance was enrolled."""

    v: VersionOne = 1
    site: SiteIdField
    appliance: ApplianceIdField
    log_origin: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The appliance's own keys."""

    signing: SigningKey
    sealing: SealingKey


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one appliance's state directory."""

    directory: Path

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return self.directory / "osiris.db"

    @property
    def socket(self) -> Path:
        """The daemon's Unix socket."""
        return self.directory / "osiris.sock"

    @property
    def keys(self) -> Path:
        """The directory of the private keys."""
        return self.directory / "keys"

    @property
    def root(self) -> Path:
        """The pinned trust root."""
        return self.directory / "trust" / "root.json"

    @property
    def enrolled(self) -> Path:
        """The answer to the enrollment."""
        return self.directory / "enrolled.json"

    def prepare(self) -> None:
        """Make the directories, readable by the appliance alone.

        Raises:
            ConfigError: one cannot be made, or is there and others may enter it.
        """
        for directory in (self.directory, self.directory / "keys", self.directory / "trust"):
            make_private(directory, key="state_dir")


def make_keys(files: KeyFiles, entropy: Entropy) -> Keys:
    """Return the keys of an appliance that is to be enrolled, made on first use."""
    for kind in (SIGNING, SEALING):
        if not files.has(f"{kind}.key"):
            files.make(f"{kind}.key", entropy(SEED_BYTES))
    return load_keys(files)


def load_keys(files: KeyFiles) -> Keys:
    """Return the keys of an appliance that was enrolled: others in their place are of no use.

    Raises:
        ConfigError: one is missing or does not open; the message says what to do.
    """
    signing, sealing = (files.read(f"{kind}.key") for kind in (SIGNING, SEALING))
    return Keys(SigningKey(signing), SealingKey(sealing))


def load_enrolled(place: Place) -> Enrolled:
    """Return the enrollment.

    Raises:
        ConfigError: the appliance was never enrolled; the message says how to.
    """
    if not place.enrolled.exists():
        msg = (
            f"{place.directory}: this appliance is not enrolled yet: get a claim code with "
            "`osiris hub site add`, then run `osiris appliance enroll CODE`"
        )
        raise ConfigError(msg)
    return Enrolled.from_bytes(
        place.enrolled.read_bytes(), str(place.enrolled), size_bytes_max=ENROLLED_BYTES_MAX
    )


def load_root(place: Place) -> TrustRoot:
    """Return the pinned trust root; the file was compared with the claim code when it was kept.

    Raises:
        ConfigError: it is not there; the appliance was never enrolled, or lost it.
    """
    try:
        raw = place.root.read_bytes()
    except OSError as error:
        msg = f"{place.root}: no trust root is pinned here: {error.strerror}"
        raise ConfigError(msg) from error
    return open_first(raw, pinned=fingerprint(raw))


def scribe_of(enrolled: Enrolled, keys: Keys) -> Scribe:
    """Return who writes this appliance's evidence."""
    return Scribe(
        site=SiteId(enrolled.site),
        appliance=ApplianceId(enrolled.appliance),
        origin=enrolled.log_origin,
        key=keys.signing,
    )

"""Setting a hub up, and finding again what was set up: keys, trust root, TLS, store.

```
keys/root.key head.key log.key claims.key   32 random bytes each, mode 0600
trust/root.json                             the trust root, exactly as claim codes pin it
tls/ca.pem ca.key server.pem server.key     TLS of our own authority, which the trust root names
hub.db                                      the embedded store
hub.sock                                    the daemon's Unix socket, mode 0600
```

All keys lie here, the root key too: that is a development trust, made by one person with software
keys, and `init` says so.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from central.config import Config
from central.core.signing import HubKeys
from central.store.engine import open_store
from central.store.migrate import migrate
from proto.errors import ConfigError
from proto.keys import SEED_BYTES, SigningKey
from proto.trust_root import TrustRoot, fingerprint, open_first, sign_root
from runtime import tls
from runtime.clock import Clock, Entropy
from runtime.private import make_private

ROOT_LIFE_S = 365 * 86_400
KEY_NAMES = ("root", "head", "log", "claims")

DEVELOPMENT_TRUST = (
    "This is a development trust: one person made every key, in software, on this machine. Whoever "
    "takes this machine can sign as the hub."
)


@dataclass(frozen=True, slots=True)
class Place:
    """The files of a hub's state directory."""

    directory: Path

    @property
    def socket(self) -> Path:
        """The daemon's Unix socket."""
        return self.directory / "hub.sock"

    @property
    def root(self) -> Path:
        """The trust root."""
        return self.directory / "trust" / "root.json"

    @property
    def tls(self) -> Path:
        """Where TLS material lies."""
        return self.directory / "tls"

    def key(self, name: str) -> Path:
        """Return the file of one of `KEY_NAMES`."""
        return self.directory / "keys" / f"{name}.key"


@dataclass(frozen=True, slots=True)
class Made:
    """What `init` made or found."""

    origin: str
    state_dir: str
    root_fingerprint: str
    revision: str
    new: bool


async def init(config: Config, *, clock: Clock, entropy: Entropy) -> Made:
    """Make what is missing of a hub; what is there stays as it is.

    Raises:
        ConfigError: the state directory cannot be used, or it is another hub's.
    """
    place = Place(config.state_dir)
    _make_directories(place)
    new = not place.root.exists()
    now_ms = clock.now_ms()
    for name in KEY_NAMES:
        if not place.key(name).exists():
            tls.write_private(place.key(name), entropy(SEED_BYTES))
    material = server_tls(config, clock)
    if new:
        _make_root(place, config, now_s=now_ms // 1000, authority=material.authority)
    raw, root = load_root(place)
    if root.hub_origin != config.file.origin:
        msg = f"origin: {config.file.origin}, but this hub's trust root is {root.hub_origin}'s"
        raise ConfigError(msg)
    store = open_store(config.store_url)
    try:
        revision = await migrate(store)
    finally:
        await store.close()
    return Made(config.file.origin, str(place.directory), fingerprint(raw).hex(), revision, new)


def _make_directories(place: Place) -> None:
    for directory in (place.directory, place.key("root").parent, place.root.parent, place.tls):
        make_private(directory, key="state_dir")


def _make_root(place: Place, config: Config, *, now_s: int, authority: Path) -> None:
    root_key, head, log = (SigningKey(_seed(place, name)) for name in KEY_NAMES[:3])
    root = TrustRoot(
        version=1,
        hub_origin=config.file.origin,
        root_key=root_key.public,
        head_keys=(head.public,),
        log_keys=(log.public,),
        created=now_s,
        expires=now_s + ROOT_LIFE_S,
        tls_ca_pem=authority.read_text("ascii"),
    )
    tls.write_private(place.root, sign_root(root, root_key))


def server_tls(config: Config, clock: Clock) -> tls.Material:
    """Return the TLS files, renewed when they end soon."""
    host = urlsplit(config.file.origin).hostname or "localhost"
    names = list(dict.fromkeys((host, "localhost", "127.0.0.1")))
    return tls.ensure(
        Place(config.state_dir).tls,
        names,
        now_ms=clock.now_ms(),
        common_name=f"Osiris hub {host}"[:64],
    )


def load_root(place: Place) -> tuple[bytes, TrustRoot]:
    """Return the trust root's exact bytes and what they say.

    Raises:
        ConfigError: the hub was not set up yet.
    """
    try:
        raw = place.root.read_bytes()
    except FileNotFoundError:
        msg = f"{place.directory}: no hub is set up here; run `osiris hub init`"
        raise ConfigError(msg) from None
    except OSError as error:
        msg = f"{place.root}: cannot be read: {error.strerror}: run this as the hub's user or root"
        raise ConfigError(msg) from error
    return raw, open_first(raw, pinned=fingerprint(raw))


def load_keys(place: Place) -> HubKeys:
    """Return the online keys.

    Raises:
        ConfigError: one is missing, or others may read it.
    """
    head, log, claims = (_seed(place, name) for name in KEY_NAMES[1:])
    return HubKeys(SigningKey(head), SigningKey(log), claims)


def _seed(place: Place, name: str) -> bytes:
    path = place.key(name)
    try:
        mode, raw = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    if mode & 0o077:
        msg = f"{path}: others may read this key: chmod 600 {path}"
        raise ConfigError(msg)
    if len(raw) != SEED_BYTES:
        msg = f"{path}: must hold {SEED_BYTES} bytes"
        raise ConfigError(msg)
    return raw

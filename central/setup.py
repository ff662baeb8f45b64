"""Setting a hub up, and finding again what was set up: keys, trust root, TLS, store, repository.

```
keys/<name>.key                             32 random bytes each, mode 0600: `KEY_NAMES`
signer/                                     the signer's own files: `central.core.signer_place`
trust/root.json                             the trust root, exactly as claim codes pin it
tls/ca.pem ca.key server.pem server.key     TLS of our own authority, which the trust root names
hub.db                                      the embedded store
hub.sock                                    the daemon's Unix socket, mode 0600
```

The trust root names the first root of the content repository (`central.repository`). `init` makes
that repository too, as a development trust: one person's, with software keys that lie here; it says
so. For a trust of several people `prepare` makes what a ceremony needs, and `adopt` takes its root.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from central.config import Config
from central.core import signer_place
from central.core.signing import ClaimKey
from central.repository import (
    HubRepository,
    OwnSigning,
    Signing,
    freshen,
    make_development,
    tell_keys,
)
from central.signer_link import CONTENT_S, SignerLink, SocketTalk
from central.store.engine import open_store
from central.store.migrate import migrate
from proto.errors import ConfigError, UnreachableError
from proto.keys import SEED_BYTES, SigningKey
from proto.trust_root import TrustRoot, fingerprint, open_first, sign_root
from runtime import tls
from runtime.clock import Clock, Entropy
from runtime.content import read_installed
from runtime.private import make_private, read_seed
from runtime.repository.hub_keys import KINDS

ROOT_LIFE_S = 365 * 86_400
KEY_NAMES = ("root", "claims", *KINDS)

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
    def signer_socket(self) -> Path:
        """The signer's Unix socket."""
        return self.directory / signer_place.SOCKET

    @property
    def authority(self) -> Path:
        """The authority file that the signer goes by."""
        return self.directory / signer_place.AUTHORITY

    @property
    def root(self) -> Path:
        """The trust root."""
        return self.directory / "trust" / "root.json"

    @property
    def repository(self) -> HubRepository:
        """The content repository."""
        return HubRepository(self.directory)

    @property
    def tls(self) -> Path:
        """Where TLS material lies."""
        return self.directory / "tls"

    def key(self, name: str) -> Path:
        """Return the file of one of `KEY_NAMES`."""
        return self.directory / "keys" / f"{name}.key"

    def signing_key(self, name: str) -> SigningKey:
        """Return one of the hub's private keys.

        Raises:
            ConfigError: it is missing, or others may read it.
        """
        return SigningKey(read_seed(self.key(name)))

    def kept_key(self, name: str) -> SigningKey | None:
        """Return one of the hub's private keys, None where there is none; see `signing_key`."""
        return self.signing_key(name) if self.key(name).exists() else None


@dataclass(frozen=True, slots=True)
class Made:
    """What `init` made or found.

    Attributes:
        trust: whose it is: "development" is one person's, "people" that of a ceremony.
        content_root: hex SHA-256 of the first root of the content repository.
    """

    origin: str
    state_dir: str
    trust: str
    root_fingerprint: str
    content_root: str | None
    revision: str
    new: bool


async def init(
    config: Config,
    *,
    clock: Clock,
    entropy: Entropy,
    content: Mapping[str, bytes] | None = None,
) -> Made:
    """Make what is missing of a hub; what is there stays as it is.

    Where one person holds every key, what ends soon is renewed, and content that is newer than what
    is published is published.

    Args:
        config: the hub's.
        clock: the time of day.
        entropy: randomness for keys.
        content: what a development trust publishes, by path below `rules/`; by default what the
            package ships.

    Raises:
        ConfigError: the state directory cannot be used, or it is another hub's.
    """
    place = Place(config.state_dir)
    material = _make_keys(place, config, clock=clock, entropy=entropy)
    new, repository = not place.root.exists(), place.repository
    # A hub that has a root without a repository was enrolled at: its appliances pinned no other.
    if new and not repository.holds_people() and repository.hub_keys.exists():
        msg = f"{place.directory}: this hub waits for its people: osiris hub init --trust people"
        raise ConfigError(msg)
    if repository.holds_people() or (new and repository.first_root() is None):
        make_private(repository.people, key="state_dir")
        keys = tell_keys(repository, config.file.origin, place.kept_key)
        files = read_installed() if content is None else content
        async with _signing(place, clock) as signing:
            await make_development(
                repository, keys, signing, content=files, clock=clock, entropy=entropy
            )
    elif repository.hub_keys.exists():
        # A key that was lost was made anew just now: its people need to know of it.
        tell_keys(repository, config.file.origin, place.kept_key)
    if new:
        _make_root(place, config, now_s=clock.now_ms() // 1000, authority=material.authority)
    return await _made(place, config, new=new)


async def init_with_people(config: Config, *, clock: Clock, entropy: Entropy) -> Made | Path:
    """Make a hub whose trust is several people's, as far as it can be made now.

    Returns:
        What was made, once the people published; before that the file that they need of this hub.

    Raises:
        ConfigError: the state directory cannot be used, or what was published does not hold.
    """
    place = Place(config.state_dir)
    if place.root.exists():
        return await init(config, clock=clock, entropy=entropy)
    if place.repository.waits() or place.repository.first_root() is not None:
        return await adopt(config, clock=clock, entropy=entropy)
    return await prepare(config, clock=clock, entropy=entropy)


async def prepare(config: Config, *, clock: Clock, entropy: Entropy) -> Path:
    """Make a hub's keys and TLS, and the file with its public keys that a ceremony asks for.

    Raises:
        ConfigError: the state directory cannot be used, or this hub has its trust already.
    """
    place = Place(config.state_dir)
    if place.root.exists():
        msg = f"{place.root}: this hub has its trust already; a ceremony comes before"
        raise ConfigError(msg)
    _make_keys(place, config, clock=clock, entropy=entropy)
    tell_keys(place.repository, config.file.origin, place.kept_key)
    return place.repository.hub_keys


async def adopt(config: Config, *, clock: Clock, entropy: Entropy) -> Made:
    """Take in what a ceremony's people published, and pin its first root in the trust root.

    Raises:
        ConfigError: nothing was published, what was does not hold, or this hub has its trust.
    """
    place = Place(config.state_dir)
    if place.root.exists():
        msg = f"{place.root}: this hub has its trust already; its roots follow one another"
        raise ConfigError(msg)
    material = _make_keys(place, config, clock=clock, entropy=entropy)
    now_s = clock.now_ms() // 1000
    async with _signing(place, clock) as signing:
        problem = await freshen(place.repository, signing, now_s=now_s)
    if problem:
        msg = f"{place.repository.incoming}: cannot be taken in: {problem}"
        raise ConfigError(msg)
    _make_root(place, config, now_s=now_s, authority=material.authority)
    return await _made(place, config, new=True)


@asynccontextmanager
async def _signing(place: Place, clock: Clock) -> AsyncIterator[Signing]:
    """Give the signer that runs, or else the key files: this is its administrator's command."""
    async with SocketTalk(place.signer_socket, answer_s=CONTENT_S) as talk:
        link = SignerLink(talk)
        try:
            await link.answers()
        except UnreachableError:
            yield OwnSigning(place.repository, place.kept_key, clock)
        else:
            yield link


def _make_keys(place: Place, config: Config, *, clock: Clock, entropy: Entropy) -> tls.Material:
    _make_directories(place)
    for name in KEY_NAMES:
        if not place.key(name).exists():
            tls.write_private(place.key(name), entropy(SEED_BYTES))
    return server_tls(config, clock)


async def _made(place: Place, config: Config, *, new: bool) -> Made:
    raw, root = load_root(place)
    if root.hub_origin != config.file.origin:
        msg = f"origin: {config.file.origin}, but this hub's trust root is {root.hub_origin}'s"
        raise ConfigError(msg)
    store = open_store(config.store_url)
    try:
        revision = await migrate(store)
    finally:
        await store.close()
    return Made(
        origin=config.file.origin,
        state_dir=str(place.directory),
        trust=trust_of(place, root),
        root_fingerprint=fingerprint(raw).hex(),
        content_root=None if root.content_root is None else root.content_root.hex(),
        revision=revision,
        new=new,
    )


def trust_of(place: Place, root: TrustRoot) -> str:
    """Return whose trust a hub's is: one person's, or a ceremony's people's."""
    is_ours = place.repository.is_development(pinned=root.content_root)
    return "development" if is_ours else "people"


def _make_directories(place: Place) -> None:
    signer = place.signer_socket.parent
    for directory in (
        *(place.directory, place.key("root").parent, place.root.parent, place.tls),
        signer,
    ):
        make_private(directory, key="state_dir")


def _make_root(place: Place, config: Config, *, now_s: int, authority: Path) -> None:
    root_key, head, log = (place.signing_key(name) for name in ("root", "head", "log"))
    root = TrustRoot(
        version=1,
        hub_origin=config.file.origin,
        root_key=root_key.public,
        head_keys=(head.public,),
        log_keys=(log.public,),
        created=now_s,
        expires=now_s + ROOT_LIFE_S,
        tls_ca_pem=authority.read_text("ascii"),
        content_root=place.repository.content_root(),
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
        if place.repository.hub_keys.exists() and not place.repository.holds_people():
            msg = (
                f"{place.directory}: this hub waits for what its people sign (osiris hub ceremony);"
                " once they have published: osiris hub init --trust people"
            )
        raise ConfigError(msg) from None
    except OSError as error:
        msg = f"{place.root}: cannot be read: {error.strerror}: run this as the hub's user or root"
        raise ConfigError(msg) from error
    return raw, open_first(raw, pinned=fingerprint(raw))


def load_claims(place: Place) -> ClaimKey:
    """Return the key that seals claims: the only one that the serving process reads.

    Raises:
        ConfigError: it is missing, or others may read it.
    """
    return ClaimKey(read_seed(place.key("claims")))

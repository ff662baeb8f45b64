"""Three people who pass a release folder on, and the hub that takes in what they sign."""

from pathlib import Path

from osiris.desk import draft_words, drafting, folder, publishing, signing
from osiris.desk.folder import Card, Folder
from proto.keys import SEED_BYTES, SigningKey
from proto.keysets import DAY_S, Role
from runtime.repository.freshness import Freshened, freshen
from runtime.repository.hub_keys import HubKeys
from runtime.repository.layout import Place
from runtime.repository.saying import FreshKeys
from tests.fakes.clock import SeededEntropy
from tests.unit.reference_set import as_files, whole_texts

NOW_S = 1_790_000_000
CONTENT = as_files(whole_texts())
PEOPLE = ("ada", "bo", "cy")
GRANTED = drafting.Granted(days=7, types="all", sites="all", ttl_s=DAY_S, per_hour=60)


class Ceremony:
    """Three people with a folder between them, and a hub."""

    def __init__(self, directory: Path, *, seed: int = 0) -> None:
        """Make everybody's keys, from one seed, and the folder with their cards."""
        self.directory = directory
        self.entropy = SeededEntropy(seed)
        self.folder = Folder(directory / "release")
        self.folder.make()
        names = ("snapshot", "timestamp", "promoted", "order", "head", "log")
        self.online = {name: self.key() for name in names}
        self.tell_hub_keys()
        self.keys: dict[tuple[Role, str], SigningKey] = {}
        for role in folder.CARD_ROLES:
            for person in PEOPLE:
                self.join(role, person)

    def publish_first(self) -> Path:
        """Draft everything, let ada and bo sign it, and publish; return the directory."""
        self.draft()
        self.sign("ada", "bo")
        assert not self.publish().problem
        return self.directory

    def key(self) -> SigningKey:
        """Return another private key."""
        return SigningKey(self.entropy(SEED_BYTES))

    def tell_hub_keys(self) -> None:
        """Put the hub's public keys into the folder."""
        public = {name: key.public for name, key in self.online.items()}
        hub = HubKeys(origin="https://hub.example:8443", vouched={}, **public)
        self.folder.hub_keys_file.write_bytes(hub.to_bytes())

    def join(self, role: Role, person: str) -> SigningKey:
        """Make a person's key for a role and put their card in."""
        key = self.keys[role, person] = self.key()
        self.folder.put_card(Card.of(person, role, key, created_s=NOW_S))
        return key

    def draft(self) -> None:
        """Draft the first root, release and grants."""
        drafting.draft_root(self.folder, now_s=NOW_S)
        drafting.draft_release(self.folder, CONTENT, now_s=NOW_S)
        drafting.draft_grants(self.folder, GRANTED, now_s=NOW_S)

    def sign(self, *people: str) -> None:
        """Let these people sign what they may, with the keys they have now."""
        for (_, person), key in list(self.keys.items()):
            if person in people:
                roles = signing.signable(self.folder, key.public)
                drafts = [signing.read_draft(self.folder, role) for role in roles]
                signing.sign(self.folder, drafts, key)

    def words(self, role: Role, *, now_s: int = NOW_S) -> tuple[str, ...]:
        """Return what somebody reads before they sign a draft."""
        return draft_words.in_words(self.folder, signing.read_draft(self.folder, role), now_s=now_s)

    def publish(self, *, now_s: int = NOW_S) -> Freshened:
        """Publish, and let the hub take it in."""
        publishing.publish(self.folder, Place(self.directory / "incoming"), now_s=now_s)
        return self.take_in(now_s=now_s)

    def take_in(self, *, now_s: int = NOW_S) -> Freshened:
        """Let the hub do its half."""
        keys = FreshKeys((self.online["snapshot"],), (self.online["timestamp"],))
        return freshen(self.served, self.directory / "incoming", keys, now_s=now_s)

    @property
    def served(self) -> Place:
        """What the hub serves."""
        return Place(self.directory / "content")

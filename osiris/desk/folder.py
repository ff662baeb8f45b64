"""The release folder: what release people, root people and operators pass to one another.

```
hub-keys.json               the hub's online keys, public halves: `osiris hub init` wrote them
people/<person>.<role>.json a card of each person's public key, signed with that key itself
release.toml                what people decide: who may sign which orders where, and the rings
repository/                 what was published last: metadata/ and targets/
draft/                      what waits for signatures, in the same layout
```

No private key lies in it, and whoever changes it changes nothing that counts: what is published
must carry the people's signatures, and each is shown in words what they sign.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints

from proto.authority import SiteList, TierList, TypeList
from proto.errors import ConfigError, NotFoundError, RejectedError
from proto.keys import Holder, PublicKey, SigningKey
from proto.keysets import Role
from proto.message import B64Of32, CodeName, Message, Seconds, VersionOne
from proto.policy import HOSTS_MAX, RINGS_MAX, Ring
from proto.strict_json import b64_decode, b64_encode
from runtime import toml_file
from runtime.repository.hub_keys import HubKeys
from runtime.repository.layout import Place, read_bounded, write_whole

CARD_ROLES: Final = (Role.ROOT, Role.RELEASE, Role.OPERATOR)
CARD_BYTES_MAX: Final = 4096
CARDS_MAX: Final = 256
_CONTEXT = b"osiris key card v1\x00"
_SIGNATURE_BYTES = 64


class Card(Message):
    """One person's public key for one role; its own key signed the rest of it."""

    v: VersionOne
    person: CodeName
    role: Annotated[Role, Field(strict=False)]
    public: B64Of32
    created: Seconds
    proof: Annotated[str, StringConstraints(max_length=88)]

    @classmethod
    def of(cls, person: str, role: Role, key: SigningKey, *, created_s: int) -> Self:
        """Make a card."""
        value = {
            "v": 1,
            "person": person,
            "role": role.value,
            "public": key.public.b64(),
            "created": created_s,
            "proof": "",
        }
        made = cls.from_value(value, "card")
        return made.model_copy(update={"proof": b64_encode(key.sign(made.bound()))})

    def holder(self) -> Holder:
        """Return whose key it is.

        Raises:
            RejectedError: the key is none, or has not signed the card.
        """
        key = PublicKey.from_b64(self.public, f"the key of {self.person}")
        proof = b64_decode(self.proof, "card.proof", length=_SIGNATURE_BYTES)
        if not key.accepts(proof, self.bound()):
            msg = f"card of {self.person}: its own key has not signed it"
            raise ConfigError(msg)
        return Holder(self.person, key)

    def bound(self) -> bytes:
        """Return the bytes that the card's own key signs."""
        return _CONTEXT + self.model_copy(update={"proof": ""}).to_bytes()


class Operator(Message):
    """What one operator's signature counts for."""

    tiers: TierList
    sites: SiteList
    types: TypeList


class Decided(Message):
    """What `release.toml` says."""

    download_hosts: Annotated[tuple[str, ...], Field(strict=False, max_length=HOSTS_MAX)] = ()
    ring: Annotated[tuple[Ring, ...], Field(strict=False, min_length=1, max_length=RINGS_MAX)]
    operators: dict[CodeName, Operator] = Field(default_factory=dict)


FIRST_DECISIONS: Final = """\
# What the release people decide. `osiris content build` puts it into the release they sign.

# Files that orders name may be fetched from these hosts: ["files.example:8443"].
download_hosts = []

# In which order sites get new content, and how many seconds after the rollout's start.
# The first ring is the canaries'. The last ring is for every site that no other names.
# A change that one operator signed waits two hours for each ring before a site's own, so that any
# other can veto it; at sites of the first ring it runs at once. So name canaries:
#
# [[ring]]
# name = "canary"
# after_s = 0
# sites = ["s-xxxxxxxxxx"]

[[ring]]
name = "all"
after_s = 0
sites = "all"

# Which orders each operator may sign: tiers 0 to 3, sites and types as lists, or "all".
"""

FIRST_OPERATOR: Final = """
[operators.{person}]
tiers = [0, 1, 2, 3]
sites = "all"
types = "all"
"""


@dataclass(frozen=True, slots=True)
class Folder:
    """A release folder."""

    directory: Path

    @property
    def repository(self) -> Place:
        """What was published last."""
        return Place(self.directory / "repository")

    @property
    def draft(self) -> Place:
        """What waits for signatures, over what was published last."""
        return Place(self.directory / "draft", beneath=self.repository)

    @property
    def hub_keys_file(self) -> Path:
        """The hub's public keys."""
        return self.directory / "hub-keys.json"

    @property
    def decisions_file(self) -> Path:
        """What people decide."""
        return self.directory / "release.toml"

    def make(self) -> None:
        """Make the directory.

        Raises:
            ConfigError: it cannot be made.
        """
        try:
            (self.directory / "people").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{self.directory}: cannot be made: {error.strerror}"
            raise ConfigError(msg) from error

    @classmethod
    def there(cls, directory: Path) -> Self:
        """Return a folder that is there.

        Raises:
            ConfigError: there is none.
        """
        if not directory.is_dir():
            msg = (
                f"{directory}: there is no release folder; --folder names it, and"
                " `osiris hub ceremony begin` makes one"
            )
            raise ConfigError(msg)
        return cls(directory)

    def put_card(self, card: Card) -> Path:
        """Put a person's card in, in place of their former one for the role."""
        path = self.directory / "people" / f"{card.person}.{card.role.value}.json"
        write_whole(path, card.to_bytes() + b"\n", is_durable=True)
        return path

    def holders(self, role: Role) -> tuple[Holder, ...]:
        """Return who has a card for a role, by name.

        Raises:
            ConfigError: a card is none, has another name than its file, or there are too many.
        """
        paths = sorted((self.directory / "people").glob(f"*.{role.value}.json"))
        if len(paths) > CARDS_MAX:
            msg = f"{self.directory}/people: more than {CARDS_MAX} cards for one role"
            raise ConfigError(msg)
        return tuple(_holder(path, role) for path in paths)

    def hub_keys(self) -> HubKeys:
        """Return the hub's public keys.

        Raises:
            ConfigError: the file is missing or is none.
        """
        try:
            return HubKeys.from_bytes(
                read_bounded(self.hub_keys_file, size_bytes_max=CARD_BYTES_MAX).strip()
            )
        except NotFoundError:
            msg = (
                f"{self.hub_keys_file}: there is no such file; `osiris hub init --trust people` "
                "makes it on the hub, as STATE_DIR/trust/hub-keys.json"
            )
            raise ConfigError(msg) from None
        except RejectedError as error:
            msg = f"{self.hub_keys_file}: {error}"
            raise ConfigError(msg) from None

    def decided(self) -> Decided:
        """Return what people decided; the file is made, and completed for new operators.

        Raises:
            ConfigError: it cannot be read, or says something it may not say.
        """
        file = self.decisions_file
        if not file.exists():
            _append(file, FIRST_DECISIONS)
        known = _parse(file)
        for holder in self.holders(Role.OPERATOR):
            if holder.person not in known.operators:
                _append(file, FIRST_OPERATOR.format(person=_key(holder.person)))
        return _parse(file)


def _parse(file: Path) -> Decided:
    return toml_file.read(file, Decided, made_by="osiris content build")


def _key(person: str) -> str:
    """Return a name as a TOML key: names may hold dots and colons."""
    return toml_file.quoted(person)


def _append(file: Path, text: str) -> None:
    try:
        with file.open("a", encoding="utf-8") as outlet:
            outlet.write(text)
            outlet.flush()
            os.fsync(outlet.fileno())
    except OSError as error:
        msg = f"{file}: cannot be written: {error.strerror}"
        raise ConfigError(msg) from error


def _holder(path: Path, role: Role) -> Holder:
    try:
        data = read_bounded(path, size_bytes_max=CARD_BYTES_MAX).strip()
        card = Card.from_bytes(data, str(path), size_bytes_max=CARD_BYTES_MAX)
        if path.name != f"{card.person}.{card.role.value}.json" or card.role is not role:
            msg = f"{path}: is the card of {card.person} for {card.role}"
            raise ConfigError(msg)
        return card.holder()
    except RejectedError as error:
        msg = f"{path}: {error}"
        raise ConfigError(msg) from None

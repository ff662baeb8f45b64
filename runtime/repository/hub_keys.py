"""The public halves of a hub's online keys, in the one file that a ceremony needs of it.

```
{"v":1,"origin":"https://hub.example:8443","snapshot":"<b64>","timestamp":"<b64>","promoted":"<b64>",
 "order":"<b64>","head":"<b64>","log":"<b64>",
 "vouched":{"<kind>":{"former":"<b64>","signature":"<b64>"},..}}
```

`vouched` is there for each key that is to follow another: the former key has signed `claim_of` the
two. The file itself is written by whoever serves the hub, so a next key is worth what that is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints

from proto.claim import HUB_URL_LENGTH_MAX, check_hub_url
from proto.keys import SIGNATURE_BYTES, PublicKey, SigningKey
from proto.message import B64Of32, B64Of64, Message, VersionOne
from proto.strict_json import b64_decode, b64_encode

FILE_BYTES_MAX: Final = 8192
KINDS: Final = ("snapshot", "timestamp", "promoted", "order", "head", "log")
_CONTEXT: Final = b"osiris hub key v1\n"


class _Voucher(Message):
    former: B64Of32
    signature: B64Of64


class _File(Message):
    v: VersionOne
    origin: Annotated[str, StringConstraints(max_length=HUB_URL_LENGTH_MAX)]
    snapshot: B64Of32
    timestamp: B64Of32
    promoted: B64Of32
    order: B64Of32
    head: B64Of32
    log: B64Of32
    vouched: dict[str, _Voucher] = Field(default_factory=dict, max_length=len(KINDS))


@dataclass(frozen=True, slots=True)
class Voucher:
    """A former key's word for the one that is to follow it; nothing says that it is true."""

    former: PublicKey
    signature: bytes

    @classmethod
    def of(cls, kind: str, former: SigningKey, following: PublicKey) -> Self:
        """Let a key sign for the next of its kind."""
        return cls(former.public, former.sign(claim_of(kind, former.public, following)))


def claim_of(kind: str, former: PublicKey, following: PublicKey) -> bytes:
    """Return the exact bytes that a former key signs for the next of its kind."""
    return _CONTEXT + f"{kind}\n".encode("ascii") + former.raw + following.raw


@dataclass(frozen=True, slots=True)
class HubKeys:
    """What a root, an authority file and grants name of a hub.

    Attributes:
        origin: the hub's address.
        snapshot: says which content belongs together.
        timestamp: says that it is current.
        promoted: promotes rules, together with an operator.
        order: signs orders, within its grants.
        head: answers check-ins.
        log: signs checkpoints of the hub's logs.
        vouched: by kind, what the key before says of one that is to follow.
    """

    origin: str
    snapshot: PublicKey
    timestamp: PublicKey
    promoted: PublicKey
    order: PublicKey
    head: PublicKey
    log: PublicKey
    vouched: Mapping[str, Voucher] = field(default_factory=dict)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the file.

        Raises:
            RejectedError: it is no such file, or a key is none.
        """
        said = _File.from_bytes(data, "hub keys", size_bytes_max=FILE_BYTES_MAX)
        keys = {kind: PublicKey.from_b64(getattr(said, kind), f"hub keys.{kind}") for kind in KINDS}
        vouched = {kind: _read(one, kind) for kind, one in said.vouched.items()}
        origin = check_hub_url(said.origin, "hub keys.origin")
        return cls(origin=origin, vouched=vouched, **keys)

    def vouched_by(self, kind: str) -> PublicKey | None:
        """Return the former key that signed for the one of a kind, None where none did."""
        said, key = self.vouched.get(kind), getattr(self, kind)
        if said is None or not said.former.accepts(
            said.signature, claim_of(kind, said.former, key)
        ):
            return None
        return said.former

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        keys = {kind: getattr(self, kind).b64() for kind in KINDS}
        vouched = {
            kind: {"former": one.former.b64(), "signature": b64_encode(one.signature)}
            for kind, one in self.vouched.items()
        }
        value = {"v": 1, "origin": self.origin, **keys, "vouched": vouched}
        return _File.from_value(value, "hub keys").to_bytes()


def _read(said: _Voucher, kind: str) -> Voucher:
    where = f"hub keys.vouched.{kind!a:.20}"
    former = PublicKey.from_b64(said.former, f"{where}.former")
    signature = b64_decode(said.signature, f"{where}.signature", length=SIGNATURE_BYTES)
    return Voucher(former, signature)

"""The public halves of a hub's online keys, in the one file that a ceremony needs of it.

```
{"v":1,"origin":"https://hub.example:8443","snapshot":"<b64>","timestamp":"<b64>","promoted":"<b64>",
 "order":"<b64>","head":"<b64>","log":"<b64>"}
```
"""

from dataclasses import dataclass, fields
from typing import Annotated, Final, Self

from pydantic import StringConstraints

from proto.claim import HUB_URL_LENGTH_MAX, check_hub_url
from proto.keys import PublicKey
from proto.message import B64Of32, Message, VersionOne

FILE_BYTES_MAX: Final = 8192


class _File(Message):
    v: VersionOne
    origin: Annotated[str, StringConstraints(max_length=HUB_URL_LENGTH_MAX)]
    snapshot: B64Of32
    timestamp: B64Of32
    promoted: B64Of32
    order: B64Of32
    head: B64Of32
    log: B64Of32


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
    """

    origin: str
    snapshot: PublicKey
    timestamp: PublicKey
    promoted: PublicKey
    order: PublicKey
    head: PublicKey
    log: PublicKey

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the file.

        Raises:
            RejectedError: it is no such file, or a key is none.
        """
        said = _File.from_bytes(data, "hub keys", size_bytes_max=FILE_BYTES_MAX)
        keys = {
            one.name: PublicKey.from_b64(getattr(said, one.name), f"hub keys.{one.name}")
            for one in fields(cls)
            if one.name != "origin"
        }
        return cls(origin=check_hub_url(said.origin, "hub keys.origin"), **keys)

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        names = (one.name for one in fields(self) if one.name != "origin")
        keys = {name: getattr(self, name).b64() for name in names}
        return _File.from_value({"v": 1, "origin": self.origin, **keys}, "hub keys").to_bytes()

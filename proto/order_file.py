"""An order as a file: what an auditor is given, and verifies without any hub.

```
{"v":1,"origin":"hub.example/site/s-../orders","envelope":"<the leaf, base64>",
 "leaf":{"index":<n>,"path":["<b64>",..]},"checkpoint":"<signed note>",
 "receipts":["<envelope, base64>",..],
 "renewals":[{"appliance":"a-..","former":"<key, base64>","envelope":"<base64>"},..]}
```

Nothing in it is believed for standing there: `envelope` is signed, `leaf` proves that it stands in
the log under `checkpoint`, which a log key signed, and each receipt is an appliance's own, signed
with the key that counted at its place: `renewals` are those of its keys, by which whoever knows one
of them knows all. `leaf` and `checkpoint` are null for an order that is not logged yet. A bare
envelope is such a file too.
"""

from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints

from proto import strict_json
from proto.appliance_keys import ShownTurn
from proto.envelope import ENVELOPE_BYTES_MAX
from proto.errors import MalformedError
from proto.keys import PublicKey
from proto.merkle import HASH_BYTES
from proto.message import ApplianceIdField, B64Of32, Count, Message, VersionOne

FILE_BYTES_MAX: Final = 4 * 1024 * 1024
RECEIPTS_MAX: Final = 256
RENEWALS_MAX: Final = 256
PATH_MAX: Final = 64
NOTE_CHARS_MAX: Final = 16 * 1024

_B64 = Annotated[str, StringConstraints(min_length=1, max_length=ENVELOPE_BYTES_MAX * 4 // 3 + 4)]


class LeafPlace(Message):
    """Where the order stands in the log, and the proof of it under the checkpoint."""

    index: Count
    path: Annotated[tuple[B64Of32, ...], Field(strict=False, max_length=PATH_MAX)]

    def hashes(self) -> tuple[bytes, ...]:
        """Return the inclusion proof, from the leaf upward."""
        return tuple(
            strict_json.b64_decode(one, "file.leaf.path", length=HASH_BYTES) for one in self.path
        )


class Renewal(Message):
    """A renewal of an appliance's keys: the leaf of its evidence, and the key that signed it."""

    appliance: ApplianceIdField
    former: B64Of32
    envelope: _B64

    def shown(self) -> ShownTurn:
        """Return it as who looks at it needs it.

        Raises:
            RejectedError: the former key is none that may be trusted.
        """
        former = PublicKey.from_b64(self.former, "file.renewals.former")
        return ShownTurn(former, strict_json.b64_decode(self.envelope, "file.renewals.envelope"))


class OrderFile(Message):
    """One order with all that proves what was asked and what became of it.

    Attributes:
        origin: the origin line of the site's order log; "" for a bare envelope.
    """

    v: VersionOne = 1
    origin: Annotated[str, StringConstraints(max_length=300)]
    envelope: _B64
    leaf: LeafPlace | None
    checkpoint: Annotated[str, StringConstraints(max_length=NOTE_CHARS_MAX)] | None
    receipts: Annotated[tuple[_B64, ...], Field(strict=False, max_length=RECEIPTS_MAX)]
    renewals: Annotated[tuple[Renewal, ...], Field(strict=False, max_length=RENEWALS_MAX)] = ()

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read such a file, or a bare envelope.

        Raises:
            MalformedError: it is neither; a bare envelope is not looked into here.
        """
        value = strict_json.loads(data.strip(), size_bytes_max=FILE_BYTES_MAX, where="file")
        if isinstance(value, dict) and "payload" in value:
            return cls(
                origin="",
                envelope=strict_json.b64_encode(data.strip()),
                leaf=None,
                checkpoint=None,
                receipts=(),
            )
        found = cls.from_value(value, "file")
        if (found.leaf is None) != (found.checkpoint is None):
            msg = "file: leaf and checkpoint stand together"
            raise MalformedError(msg)
        return found

    def envelope_bytes(self) -> bytes:
        """Return the order's envelope, exactly as logged."""
        return strict_json.b64_decode(self.envelope, "file.envelope")

    def receipt_envelopes(self) -> tuple[bytes, ...]:
        """Return the receipts, exactly as the appliances signed them."""
        return tuple(strict_json.b64_decode(one, "file.receipts") for one in self.receipts)

"""Everything an appliance can send its hub: a closed union, and how each becomes bytes.

There is no other way out: the hub client takes an `Outgoing` and neither bytes nor text. Every
field of these models is of a closed type, or `Scrubbed`; a test walks them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from proto.envelope import Kind, sign
from proto.hub import check_in, devices, enroll, evidence, orders
from proto.hub.check_in import CheckIn
from proto.hub.devices import DevicePage
from proto.hub.enroll import EnrollRequest
from proto.hub.evidence import EvidenceBatch, EvidenceWanted
from proto.hub.orders import OrdersBack, OrdersRequest
from proto.keys import SigningKey
from proto.message import Message
from proto.phi.values import Scrubbed

Outgoing = (
    EnrollRequest
    | CheckIn
    | EvidenceBatch[Scrubbed]
    | DevicePage[Scrubbed]
    | OrdersRequest
    | OrdersBack
    | EvidenceWanted
)


_SIGNED: Final[tuple[tuple[type[Message], str, Kind], ...]] = (
    (EnrollRequest, enroll.PATH_ENROLL, Kind.ENROLL),
    (CheckIn, check_in.PATH, Kind.CHECKIN),
    (DevicePage, devices.PATH, Kind.DEVICES),
    (OrdersRequest, orders.PATH, Kind.ORDERS),
    (EvidenceWanted, evidence.PATH_BACK, Kind.RECALL),
)
_FIXED: Final[tuple[tuple[type[Message], str], ...]] = (
    (EvidenceBatch, evidence.PATH),
    (OrdersBack, orders.PATH_BACK),
)
"""Not signed anew: their leaves are statements, and a signed checkpoint fixes them in their order.
"""


@dataclass(frozen=True, slots=True)
class Wire:
    """A request as it goes: where to, and the exact bytes of its body."""

    path: str
    body: bytes


def wire(message: Outgoing, *, signer: SigningKey, others: Sequence[SigningKey] = ()) -> Wire:
    """Return the request that carries a message; `signer` is the appliance's own key.

    `others` sign beside it where the hub may know the appliance by its former key only.

    Raises:
        TypeError: it is none of the messages that may leave.
    """
    for model, path, kind in _SIGNED:
        if isinstance(message, model):
            return Wire(path, sign(kind, message.to_bytes(), signer, *others))
    for model, path in _FIXED:
        if isinstance(message, model):
            return Wire(path, message.to_bytes())
    msg = f"{type(message).__name__} is no message that leaves"
    raise TypeError(msg)

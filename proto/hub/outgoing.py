"""Everything an appliance can send its hub: a closed union, and how each becomes bytes.

There is no other way out: the hub client takes an `Outgoing` and neither bytes nor text. Every
field of these models is of a closed type, or `Scrubbed`; a test walks them all.
"""

from dataclasses import dataclass

from proto.envelope import Kind, sign
from proto.hub import check_in, devices, enroll, evidence, orders
from proto.hub.check_in import CheckIn
from proto.hub.devices import DevicePage
from proto.hub.enroll import EnrollRequest
from proto.hub.evidence import EvidenceBatch
from proto.hub.orders import OrdersBack, OrdersRequest
from proto.keys import SigningKey
from proto.phi.values import Scrubbed

Outgoing = (
    EnrollRequest
    | CheckIn
    | EvidenceBatch[Scrubbed]
    | DevicePage[Scrubbed]
    | OrdersRequest
    | OrdersBack
)


@dataclass(frozen=True, slots=True)
class Wire:
    """A request as it goes: where to, and the exact bytes of its body."""

    path: str
    body: bytes


def wire(message: Outgoing, *, signer: SigningKey) -> Wire:
    """Return the request that carries a message; `signer` is the appliance's own key.

    Raises:
        TypeError: it is none of the messages that may leave.
    """
    match message:
        case EnrollRequest():
            return Wire(enroll.PATH_ENROLL, sign(Kind.ENROLL, message.to_bytes(), signer))
        case CheckIn():
            return Wire(check_in.PATH, sign(Kind.CHECKIN, message.to_bytes(), signer))
        case DevicePage():
            return Wire(devices.PATH, sign(Kind.DEVICES, message.to_bytes(), signer))
        case EvidenceBatch():
            # Its leaves are statements already, and its checkpoint fixes them and their order.
            return Wire(evidence.PATH, message.to_bytes())
        case OrdersRequest():
            return Wire(orders.PATH, sign(Kind.ORDERS, message.to_bytes(), signer))
        case OrdersBack():
            # The same holds of orders that go back: the hub's own log key signed their checkpoint.
            return Wire(orders.PATH_BACK, message.to_bytes())
    msg = f"{type(message).__name__} is no message that leaves"
    raise TypeError(msg)

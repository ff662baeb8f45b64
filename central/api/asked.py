"""Questions that an appliance signs with its own key: whose they are, and that they are of now."""

from typing import TypeVar

from central.api.agent import Sender
from central.core.refusals import ClockError, OtherApplianceError, UnknownKeyError
from central.state import Hub
from central.store.registry import Known
from proto import envelope
from proto.envelope import BODY_BYTES_MAX, Kind
from proto.hub.evidence import EvidenceWanted
from proto.hub.orders import OrdersRequest

Asked = TypeVar("Asked", OrdersRequest, EvidenceWanted)


def open_asked(
    hub: Hub, body: bytes, sender: Sender, *, kind: Kind, message: type[Asked]
) -> tuple[Known, Asked]:
    """Return who asks, and what; `sender` is told who it is as soon as it is known.

    Raises:
        UnknownKeyError: no enrolled appliance signed the question.
        OtherApplianceError: it names another one.
        ClockError: it is not of now.
        MalformedError: it is no such question.
    """
    where = kind.value
    parsed = envelope.parse(body)
    known = sender.known = hub.registry.by_key_ids(parsed.key_ids)
    if known is None:
        msg = f"{where}: signed by no key that an enrolled appliance has now"
        raise UnknownKeyError(msg)
    opened = parsed.open(kind=kind, trust=known.trust())
    asked = message.from_bytes(opened.body, where, size_bytes_max=BODY_BYTES_MAX)
    if asked.appliance != known.appliance:
        msg = f"{where}.appliance: {asked.appliance} is not {known.appliance}, whose key signed it"
        raise OtherApplianceError(msg)
    now_s = hub.now_ms // 1000
    if abs(asked.iat - now_s) > hub.settings.clock_skew_s:
        msg = f"{where}.iat: {asked.iat} is {asked.iat - now_s} s from the hub's time {now_s}"
        raise ClockError(msg)
    return known, asked

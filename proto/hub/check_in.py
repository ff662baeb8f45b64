"""The check-in: a heartbeat that is small while nothing changed.

`state` is the SHA-256 of the full state. While both sides name the same one, a check-in is quiet.
A hub that answers with another state gets the full state with the next request.
"""

import hashlib
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from proto.inventory import DeviceClass, Platform
from proto.message import (
    ApplianceIdField,
    B64Of16,
    B64Of32,
    CodeName,
    Count,
    Hex256,
    Message,
    Seconds,
    TargetIdField,
    VersionOne,
)

PATH = "/api/agent/check-in"
BODY_BYTES_MAX = 16 * 1024
TARGETS_MAX = 800
NOTHING_ACKNOWLEDGED = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
"""The state a hub names before it ever received a full one: 32 zero bytes."""

TEXT_SET_ASIDE = "text_set_aside"
"""What a hub calls it when it did not admit text that an appliance sent."""


class Missing(StrEnum):
    """What a hub can lack.

    ORDERS: how far this appliance's copy of the order log is: an `OrdersRequest` tells it.
    """

    DEVICES = "devices"
    ORDERS = "orders"


class TargetGroup(Message):
    """Targets of one platform and class, by id alone; what they are called travels by itself."""

    platform: Annotated[Platform, Field(strict=False)]
    device_class: Annotated[DeviceClass, Field(strict=False)]
    ids: Annotated[tuple[TargetIdField, ...], Field(strict=False, max_length=TARGETS_MAX)]


class DeviceCount(Message):
    """How many devices of a class discovery knows."""

    device_class: Annotated[DeviceClass, Field(strict=False)]
    count: Count


class FullState(Message):
    """Everything the hub keeps of an appliance beside its evidence.

    Attributes:
        content: digest of the active content set.
        evidence_size: leaves in the appliance's evidence log.
        evidence_root: its RFC 6962 root.
        health: codes of the conditions the appliance is unwell with, sorted.
        targets: at most 800 ids in all; `targets_total` counts every target.
        device_list: digest of the list of devices in words, see `proto.hub.devices`.
    """

    version: CodeName
    content: Hex256
    evidence_size: Count
    evidence_root: B64Of32
    health: Annotated[tuple[CodeName, ...], Field(strict=False, max_length=64)]
    devices: Annotated[tuple[DeviceCount, ...], Field(strict=False, max_length=16)]
    targets: Annotated[tuple[TargetGroup, ...], Field(strict=False, max_length=64)]
    targets_total: Count
    device_list: B64Of32
    observe_only: bool


class CheckIn(Message):
    """Body of the request: an envelope of kind checkin, signed by the appliance.

    Attributes:
        seq: rises with every check-in the appliance ever makes; a lower one is a replay.
        as_of: time of the oldest current finding, 0 when there is none.
        state: base64 SHA-256 of the full state.
        full: the full state, when the hub's last head named another.
    """

    v: VersionOne = 1
    appliance: ApplianceIdField
    seq: Count
    iat: Seconds
    challenge: B64Of16
    as_of: Seconds
    state: B64Of32
    full: FullState | None = None

    def to_bytes(self) -> bytes:
        """Return compact JSON; a quiet check-in has no `full` member at all."""
        return super().to_bytes() if self.full else self._quiet()

    def _quiet(self) -> bytes:
        value = self.to_value()
        del value["full"]
        return self._dump(value)


class Head(Message):
    """Body of the answer: an envelope of kind head, signed by the hub.

    Attributes:
        state: the full state that the hub last received from this appliance.
        next_s: when the hub wants the next check-in; it may lengthen the wait, not stop it.
        missing: what the hub lacks and the appliance has; no member at all when that is nothing.
        unwell: conditions that the hub finds this appliance in; no member at all when it is well.
        orders: leaves in the order log of its site; no member at all while there is none.
    """

    v: VersionOne = 1
    challenge: B64Of16
    time: Seconds
    state: B64Of32
    next_s: Annotated[int, Field(ge=1, le=86_400)]
    missing: Annotated[
        tuple[Annotated[Missing, Field(strict=False)], ...], Field(strict=False, max_length=4)
    ] = ()
    unwell: Annotated[tuple[CodeName, ...], Field(strict=False, max_length=16)] = ()
    orders: Count = 0

    def to_bytes(self) -> bytes:
        """Return compact JSON, without the members that say nothing."""
        value = self.to_value()
        for name in ("missing", "unwell", "orders"):
            if not value[name]:
                del value[name]
        return self._dump(value)


def state_of(full: FullState) -> bytes:
    """Return the SHA-256 of a full state's bytes, 32 bytes."""
    return hashlib.sha256(full.to_bytes()).digest()

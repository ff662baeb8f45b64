"""A check-in judged: is it this appliance, now, and new; and what the hub answers.

Rules, first failure wins:

- the envelope is signed by the key of an enrolled appliance, and the body names that appliance;
- `seq` is above every check-in before it (`replayed`);
- `iat` is within `clock_skew_s` of the hub's clock, either way (`clock`);
- a full state is the one that `state` names (`state_mismatch`).
"""

from collections.abc import Collection
from dataclasses import dataclass

from central.core.refusals import (
    ClockError,
    OtherApplianceError,
    ReplayedError,
    StateMismatchError,
)
from central.core.settings import HubSettings
from proto.envelope import Envelope, Kind
from proto.hub.check_in import BODY_BYTES_MAX, CheckIn, FullState, Head, Missing, state_of
from proto.ids import ApplianceId
from proto.keys import Threshold
from proto.strict_json import b64_decode, b64_encode

STATE_BYTES = 32
NEVER_SEEN_SEQ = -1


@dataclass(frozen=True, slots=True)
class Heard:
    """A check-in that was believed.

    Attributes:
        state: the full state that the appliance has now, whether or not it came along.
        full: the full state, when it came along.
    """

    seq: int
    as_of_s: int
    state: bytes
    challenge: str
    full: FullState | None


def hear(
    parsed: Envelope,
    *,
    trust: Threshold,
    appliance: ApplianceId,
    last_seq: int,
    now_s: int,
    settings: HubSettings,
) -> Heard:
    """Return what a check-in says, or raise the error that its first broken rule has."""
    opened = parsed.open(kind=Kind.CHECKIN, trust=trust)
    said = CheckIn.from_bytes(opened.body, "check_in", size_bytes_max=BODY_BYTES_MAX)
    if said.appliance != appliance:
        msg = f"check_in.appliance: {said.appliance} is not {appliance}, whose key signed it"
        raise OtherApplianceError(msg)
    if said.seq <= last_seq:
        msg = f"check_in.seq: {said.seq} does not follow {last_seq}"
        raise ReplayedError(msg)
    if abs(said.iat - now_s) > settings.clock_skew_s:
        msg = f"check_in.iat: {said.iat} is {said.iat - now_s} s from the hub's time {now_s}"
        raise ClockError(msg)
    state = b64_decode(said.state, "check_in.state", length=STATE_BYTES)
    if said.full is not None and state_of(said.full) != state:
        msg = "check_in.full: is not the state that check_in.state names"
        raise StateMismatchError(msg)
    return Heard(said.seq, said.as_of, state, said.challenge, said.full)


def head_body(
    *,
    challenge: str,
    now_s: int,
    state: bytes,
    next_s: int,
    missing: Collection[Missing] = (),
    unwell: Collection[str] = (),
    orders: int = 0,
) -> bytes:
    """Return the body of the answer: `state` is the full state that the hub holds."""
    head = Head(
        challenge=challenge,
        time=now_s,
        state=b64_encode(state),
        next_s=next_s,
        missing=tuple(missing),
        unwell=tuple(sorted(unwell)),
        orders=orders,
    )
    return head.to_bytes()


def missing(
    full: FullState | None, *, device_list: str, is_untold: bool = False
) -> tuple[Missing, ...]:
    """Return what the hub lacks of what an appliance has: known only when it says what it has.

    `is_untold`: the hub must hear how far the site's copies of the order log are.
    """
    found: list[Missing] = []
    if full is not None and full.device_list != device_list:
        found.append(Missing.DEVICES)
    if is_untold:
        found.append(Missing.ORDERS)
    return tuple(found)

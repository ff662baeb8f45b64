"""force_checkin: check in at once, with the full state."""

from proto.orders.kinds import HOUR_S, Example, OrderKind, OrderType, Params, Tier, Touches


class ForceCheckin(Params):
    """Nothing to choose."""


KIND = OrderKind(
    name=OrderType.FORCE_CHECKIN,
    title="Check in with the hub now",
    params=ForceCheckin,
    tier=Tier.OBSERVE,
    timeout_s=120,
    touches=Touches.NOTHING,
    is_for_sites=True,
    life_s_max=HOUR_S,
    accepted=(Example({}, "nothing to choose"),),
    refused=(
        Example({"hub": "https://other.example"}, "an order never names an address"),
        Example({"full": True}, "an unknown member"),
    ),
)

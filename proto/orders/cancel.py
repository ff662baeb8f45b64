"""cancel: stop an order that still waits. What runs or ran is not touched."""

from proto.orders.kinds import Digest, Example, OrderKind, OrderType, Params, Tier, Touches


class Cancel(Params):
    """Which order: its sid."""

    order: Digest


KIND = OrderKind(
    name=OrderType.CANCEL,
    title="Cancel a waiting order",
    params=Cancel,
    tier=Tier.OBSERVE,
    timeout_s=30,
    touches=Touches.NOTHING,
    is_for_sites=True,
    accepted=(Example({"order": "0f" * 32}, "the order's sid"),),
    refused=(
        Example({}, "which order must be said"),
        Example({"order": "all"}, "one order at a time"),
        Example({"order": "0f" * 31}, "half a sid"),
        Example({"order": ["0f" * 32]}, "a list of sids"),
    ),
)

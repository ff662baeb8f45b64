"""restart_agent: restart the appliance's own program, after what is in hand has ended."""

from typing import Annotated

from pydantic import Field

from proto.orders.kinds import HOUR_S, Example, OrderKind, OrderType, Params, Tier, Touches


class RestartAgent(Params):
    """How many seconds to let repairs in hand end before they are left to recovery."""

    drain_s: Annotated[int, Field(ge=0, le=900)]


KIND = OrderKind(
    name=OrderType.RESTART_AGENT,
    title="Restart the appliance's program",
    params=RestartAgent,
    tier=Tier.HEAL,
    timeout_s=1200,
    touches=Touches.APPLIANCE,
    life_s_max=HOUR_S,
    accepted=(
        Example({"drain_s": 0}, "at once"),
        Example({"drain_s": 300}, "after five minutes at most"),
    ),
    refused=(
        Example({}, "the wait must be said"),
        Example({"drain_s": -1}, "before now"),
        Example({"drain_s": 901}, "longer than a repair can take"),
        Example({"drain_s": "300"}, "text is no number"),
        Example({"drain_s": 300, "unit": "sshd"}, "no other program is restarted"),
    ),
)

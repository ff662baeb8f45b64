"""isolate_host: cut one target off the network for a while, or let it back."""

from typing import Annotated, Literal

from pydantic import Field

from proto.message import TargetIdField
from proto.orders.kinds import Example, OrderKind, OrderType, Params, Tier, Touches

MINUTES_MAX = 24 * 60


class IsolateHost(Params):
    """The target, what to do, and for how many minutes a cut lasts before it ends by itself."""

    target: TargetIdField
    action: Literal["isolate", "release"]
    minutes: Annotated[int, Field(ge=1, le=MINUTES_MAX)]

    def targets(self) -> tuple[str, ...]:
        """Return the one target."""
        return (self.target,)


KIND = OrderKind(
    name=OrderType.ISOLATE_HOST,
    title="Cut a target off the network",
    params=IsolateHost,
    tier=Tier.DANGEROUS,
    timeout_s=600,
    touches=Touches.TARGETS,
    accepted=(
        Example({"target": "t-aaaaaaaaaa", "action": "isolate", "minutes": 60}, "for an hour"),
        Example({"target": "t-aaaaaaaaaa", "action": "release", "minutes": 1}, "back again"),
    ),
    refused=(
        Example({"action": "isolate", "minutes": 60}, "which target must be said"),
        Example({"target": "t-aaaaaaaaaa", "action": "isolate"}, "for ever"),
        Example({"target": "t-aaaaaaaaaa", "action": "isolate", "minutes": 1441}, "over a day"),
        Example({"target": ["t-aaaaaaaaaa"], "action": "isolate", "minutes": 5}, "a list"),
        Example({"target": "192.0.2.5", "action": "isolate", "minutes": 5}, "an address is no id"),
    ),
)

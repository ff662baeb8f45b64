"""remove_sensor: take the Windows workstation agent off one target."""

from proto.message import TargetIdField
from proto.orders.kinds import Example, OrderKind, OrderType, Params, Tier, Touches


class RemoveSensor(Params):
    """The target."""

    target: TargetIdField

    def targets(self) -> tuple[str, ...]:
        """Return the one target."""
        return (self.target,)


KIND = OrderKind(
    name=OrderType.REMOVE_SENSOR,
    title="Remove the Windows agent from a target",
    params=RemoveSensor,
    tier=Tier.CHANGE,
    timeout_s=1800,
    touches=Touches.TARGETS,
    accepted=(Example({"target": "t-aaaaaaaaaa"}, "one target"),),
    refused=(
        Example({}, "from which target must be said"),
        Example({"target": ""}, "an empty target"),
        Example({"target": "all"}, "one target at a time"),
        Example({"target": "t-aaaaaaaaaa;id"}, "shell characters"),
        Example({"target": "t-AAAAAAAAAA"}, "capital letters are no id"),
    ),
)

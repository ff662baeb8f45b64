"""sensor_status: what the workstation agents and Linux sensors last said."""

from typing import Literal

from proto.orders.kinds import HOUR_S, Example, OrderKind, OrderType, Params, Targets, Tier, Touches


class SensorStatus(Params):
    """Whose sensors; the word "all" stands for every one."""

    on: Literal["all"] | Targets

    def named_targets(self) -> tuple[str, ...]:
        """Return the targets, when it names any."""
        return () if self.on == "all" else self.on


KIND = OrderKind(
    name=OrderType.SENSOR_STATUS,
    title="Report the state of sensors",
    params=SensorStatus,
    tier=Tier.OBSERVE,
    timeout_s=120,
    touches=Touches.NOTHING,
    is_for_sites=True,
    life_s_max=HOUR_S,
    accepted=(
        Example({"on": "all"}, "every sensor, said in words"),
        Example({"on": ["t-aaaaaaaaaa", "t-bbbbbbbbbb"]}, "two sensors"),
    ),
    refused=(
        Example({}, "no target is not every target"),
        Example({"on": "*"}, "a star is not the word"),
        Example({"on": ["s-aaaaaaaaaa"]}, "a site is no target"),
    ),
)

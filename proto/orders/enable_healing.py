"""enable_healing: end what an order of `disable_healing` began. What the LAN set stays."""

from typing import Literal

from proto.orders.kinds import CheckId, Example, OrderKind, OrderType, Params, Tier, Touches


class EnableHealing(Params):
    """For which check; the word "all" stands for every one."""

    check: Literal["all"] | CheckId

    def named_checks(self) -> tuple[str, ...]:
        """Return the check, when it names one."""
        return () if self.check == "all" else (self.check,)


KIND = OrderKind(
    name=OrderType.ENABLE_HEALING,
    title="Let the appliance heal again",
    params=EnableHealing,
    tier=Tier.CHANGE,
    timeout_s=60,
    touches=Touches.SETTINGS,
    is_for_sites=True,
    accepted=(
        Example({"check": "all"}, "every check, said in words"),
        Example({"check": "lin.ssh.root_login"}, "one check"),
    ),
    refused=(
        Example({}, "for which check must be said"),
        Example({"check": ""}, "an empty check"),
        Example({"check": "lin.*"}, "no patterns"),
    ),
)

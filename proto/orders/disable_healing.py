"""disable_healing: stop repairs, for one check or all, with an end date."""

from typing import Literal

from proto.orders.kinds import CheckId, Example, OrderKind, OrderType, Params, Tier, Touches, Until


class DisableHealing(Params):
    """For which check (the word "all" stands for every one), and until when."""

    check: Literal["all"] | CheckId
    until: Until

    def named_checks(self) -> tuple[str, ...]:
        """Return the check, when it names one."""
        return () if self.check == "all" else (self.check,)

    def ends_s(self) -> int:
        """Return the end date."""
        return self.until


KIND = OrderKind(
    name=OrderType.DISABLE_HEALING,
    title="Stop the appliance from healing",
    params=DisableHealing,
    tier=Tier.DANGEROUS,
    timeout_s=60,
    touches=Touches.SETTINGS,
    is_for_sites=True,
    accepted=(
        Example({"check": "lin.ssh.root_login", "until": 1_767_300_000}, "one check, dated"),
        Example({"check": "all", "until": 1_767_300_000}, "every check, dated"),
    ),
    refused=(
        Example({"check": "all"}, "no end date"),
        Example({"check": "all", "until": 0}, "for ever"),
        Example({"check": "all", "until": "2026-01-01"}, "text is no time"),
        Example({"until": 1_767_300_000}, "for which check must be said"),
    ),
)

"""set_policy: how far the appliance may go by itself, for one check or the site, until a date.

More cautious, for one check, for at most 90 days and not shorter than what already holds, is tier
2. Anything less cautious, or whole-site, is tier 3. What the LAN set is not touched by either.
"""

from typing import Annotated, Literal

from pydantic import Field

from proto.catalog.model import Autonomy
from proto.orders.kinds import (
    CAUTION,
    CAUTIOUS_S_MAX,
    CheckId,
    Circumstances,
    Example,
    OrderKind,
    OrderType,
    Params,
    Tier,
    Touches,
    Until,
)


class SetPolicy(Params):
    """For which check (the word "all" stands for the site), how far, and until when."""

    check: Literal["all"] | CheckId
    autonomy: Annotated[Autonomy, Field(strict=False)]
    until: Until

    def named_checks(self) -> tuple[str, ...]:
        """Return the check, when it names one."""
        return () if self.check == "all" else (self.check,)

    def tier_in(self, circumstances: Circumstances, *, least: Tier) -> Tier:
        """Return the least tier only for what makes one check more cautious, for 90 days."""
        held = circumstances.setting(self.check)
        is_more = CAUTION.index(self.autonomy) <= CAUTION.index(held.autonomy)
        is_long_enough = self.until >= held.until_s
        if is_more and is_long_enough:
            return self.tier_alone(at_s=circumstances.now_s, least=least)
        return Tier.DANGEROUS

    def tier_alone(self, *, at_s: int, least: Tier) -> Tier:
        """Return tier 3 for the whole site, and for more than 90 days."""
        is_tame = self.check != "all" and self.until <= at_s + CAUTIOUS_S_MAX
        return least if is_tame else Tier.DANGEROUS

    def ends_s(self) -> int:
        """Return the end date."""
        return self.until


KIND = OrderKind(
    name=OrderType.SET_POLICY,
    title="Change how far the appliance may go by itself",
    params=SetPolicy,
    tier=Tier.CHANGE,
    timeout_s=60,
    touches=Touches.SETTINGS,
    is_for_sites=True,
    accepted=(
        Example(
            {"check": "lin.ssh.root_login", "autonomy": "alert", "until": 1_767_300_000},
            "one check",
        ),
        Example({"check": "all", "autonomy": "auto", "until": 1_767_300_000}, "the site"),
    ),
    refused=(
        Example({"check": "all", "autonomy": "auto"}, "no end date"),
        Example({"check": "all", "autonomy": "always", "until": 1_767_300_000}, "no such level"),
        Example({"autonomy": "auto", "until": 1_767_300_000}, "for what must be said"),
        Example({"check": "all", "autonomy": 4, "until": 1_767_300_000}, "a number is no level"),
    ),
)

"""waive: a dated departure from one control, or the end of one.

A waived check is looked at and not repaired: that is more cautious, so one check for at most 90
days is tier 2. Ending or shortening a waiver lets repairs run again, and a whole site or a longer
time is a decision of two: tier 3.
"""

from typing import Annotated, Literal

from pydantic import Field

from proto.message import Seconds
from proto.orders.kinds import (
    CAUTIOUS_S_MAX,
    CheckId,
    Circumstances,
    Example,
    OrderKind,
    OrderType,
    Params,
    Targets,
    Tier,
    Touches,
)


class Waive(Params):
    """Which check, on which targets, until when; `until` 0 ends the waiver that there is.

    The word "all" stands for every check, or every target.
    """

    check: Literal["all"] | CheckId
    on: Literal["all"] | Targets
    until: Annotated[Seconds, Field(ge=0)]

    def named_targets(self) -> tuple[str, ...]:
        """Return the targets, when it names any."""
        return () if self.on == "all" else self.on

    def named_checks(self) -> tuple[str, ...]:
        """Return the check, when it names one."""
        return () if self.check == "all" else (self.check,)

    def tier_in(self, circumstances: Circumstances, *, least: Tier) -> Tier:
        """Return the least tier only for what makes one check more cautious, for 90 days."""
        is_more = self.until >= circumstances.waived_until_s.get(self.check, 1)
        return self.tier_alone(at_s=circumstances.now_s, least=least) if is_more else Tier.DANGEROUS

    def tier_alone(self, *, at_s: int, least: Tier) -> Tier:
        """Return tier 3 for every check, for an end of a waiver, and for more than 90 days."""
        is_tame = self.check != "all" and 0 < self.until <= at_s + CAUTIOUS_S_MAX
        return least if is_tame else Tier.DANGEROUS

    def ends_s(self) -> int | None:
        """Return the end date; None when it ends a waiver."""
        return self.until or None


KIND = OrderKind(
    name=OrderType.WAIVE,
    title="Waive a check until a date",
    params=Waive,
    tier=Tier.CHANGE,
    timeout_s=60,
    touches=Touches.SETTINGS,
    is_for_sites=True,
    accepted=(
        Example({"check": "lin.ssh.root_login", "on": "all", "until": 1_767_300_000}, "one check"),
        Example({"check": "lin.ssh.root_login", "on": ["t-aaaaaaaaaa"], "until": 0}, "its end"),
    ),
    refused=(
        Example({"check": "lin.ssh.root_login", "on": "all"}, "no end date"),
        Example({"check": "lin.ssh.root_login", "until": 1_767_300_000}, "where must be said"),
        Example({"check": None, "on": "all", "until": 1_767_300_000}, "null is not every check"),
        Example({"check": "all", "on": "all", "until": -1}, "before any time"),
    ),
)

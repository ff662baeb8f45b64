"""run_drift: ask the checks of some targets again, now."""

from typing import Literal

from proto.orders.kinds import (
    Checks,
    Example,
    OrderKind,
    OrderType,
    Params,
    Targets,
    Tier,
    Touches,
)


class RunDrift(Params):
    """Which targets to look at, and with which checks; the word "all" stands for every one."""

    on: Literal["all"] | Targets
    checks: Literal["all"] | Checks

    def named_targets(self) -> tuple[str, ...]:
        """Return the targets, when it names any."""
        return () if self.on == "all" else self.on

    def named_checks(self) -> tuple[str, ...]:
        """Return the checks, when it names any."""
        return () if self.checks == "all" else self.checks


KIND = OrderKind(
    name=OrderType.RUN_DRIFT,
    title="Run checks again now",
    params=RunDrift,
    tier=Tier.OBSERVE,
    timeout_s=1800,
    touches=Touches.NOTHING,
    is_for_sites=True,
    accepted=(
        Example({"on": "all", "checks": "all"}, "everything, said in words"),
        Example({"on": ["t-aaaaaaaaaa"], "checks": ["lin.ssh.root_login"]}, "one check of one"),
    ),
    refused=(
        Example({"checks": "all"}, "no target is not every target"),
        Example({"on": [], "checks": "all"}, "an empty list is not every target"),
        Example({"on": None, "checks": "all"}, "null is not every target"),
        Example({"on": ["t-aaaaaaaaaa\n"], "checks": "all"}, "a newline after an id"),
        Example({"on": "all", "checks": ["../../etc/passwd"]}, "a path is no check"),
        Example({"on": ["t-aaaaaaaaaa"] * 65, "checks": "all"}, "more targets than one order has"),
    ),
)

"""What the orders about agents on one target have in common, whatever their platform."""

from proto.message import TargetIdField
from proto.orders.kinds import Digest, Example, OrderKind, OrderType, Params, Tier, Touches, Version

TIMEOUT_S = 1800

_TARGET = "t-aaaaaaaaaa"
_FILE = {"version": "1.0.0", "content_sha256": "ab" * 32}


class RemoveAgent(Params):
    """The target."""

    target: TargetIdField

    def targets(self) -> tuple[str, ...]:
        """Return the one target."""
        return (self.target,)


class DeployAgent(RemoveAgent):
    """The target, the version for people, and the digest of its file, which decides."""

    version: Version
    content_sha256: Digest

    def content(self) -> tuple[str, ...]:
        """Return the file's digest."""
        return (self.content_sha256,)


def deploying(name: OrderType, *, agent: str) -> OrderKind:
    """Return the order that installs an agent on one target, from a file of release content."""
    return OrderKind(
        name=name,
        title=f"Install the {agent} on a target",
        params=DeployAgent,
        tier=Tier.CHANGE,
        timeout_s=TIMEOUT_S,
        touches=Touches.TARGETS,
        accepted=(Example({"target": _TARGET, **_FILE}, "one target, one file"),),
        refused=(
            Example(_FILE, "on which target must be said"),
            Example({"target": "all", **_FILE}, "one target at a time"),
            Example(
                {"target": _TARGET, **_FILE, "content_sha256": "..\\agent.msi"},
                "a path is no digest",
            ),
            Example({"target": _TARGET, **_FILE, "args": "/qn"}, "no order carries arguments"),
        ),
    )


def removing(name: OrderType, *, agent: str) -> OrderKind:
    """Return the order that takes an agent off one target."""
    return OrderKind(
        name=name,
        title=f"Remove the {agent} from a target",
        params=RemoveAgent,
        tier=Tier.CHANGE,
        timeout_s=TIMEOUT_S,
        touches=Touches.TARGETS,
        accepted=(Example({"target": _TARGET}, "one target"),),
        refused=(
            Example({}, "from which target must be said"),
            Example({"target": ""}, "an empty target"),
            Example({"target": "all"}, "one target at a time"),
            Example({"target": f"{_TARGET};id"}, "shell characters"),
            Example({"target": _TARGET.upper()}, "capital letters are no id"),
        ),
    )

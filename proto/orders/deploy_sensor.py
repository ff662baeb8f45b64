"""deploy_sensor: install the Windows agent on one target, from a file of release content."""

from proto.message import TargetIdField
from proto.orders.kinds import Digest, Example, OrderKind, OrderType, Params, Tier, Touches, Version


class DeploySensor(Params):
    """The target, the version for people, and the digest of its file, which decides."""

    target: TargetIdField
    version: Version
    content_sha256: Digest

    def content(self) -> tuple[str, ...]:
        """Return the file's digest."""
        return (self.content_sha256,)

    def targets(self) -> tuple[str, ...]:
        """Return the one target."""
        return (self.target,)


KIND = OrderKind(
    name=OrderType.DEPLOY_SENSOR,
    title="Install the Windows agent on a target",
    params=DeploySensor,
    tier=Tier.CHANGE,
    timeout_s=1800,
    touches=Touches.TARGETS,
    accepted=(
        Example(
            {"target": "t-aaaaaaaaaa", "version": "1.0.0", "content_sha256": "ab" * 32},
            "one target, one file",
        ),
    ),
    refused=(
        Example({"version": "1.0.0", "content_sha256": "ab" * 32}, "on which target must be said"),
        Example(
            {"target": "all", "version": "1.0.0", "content_sha256": "ab" * 32},
            "one target at a time",
        ),
        Example(
            {"target": "t-aaaaaaaaaa", "version": "1.0.0", "content_sha256": "..\\agent.msi"},
            "a path is no digest",
        ),
        Example(
            {
                "target": "t-aaaaaaaaaa",
                "version": "1.0.0",
                "content_sha256": "ab" * 32,
                "args": "/qn",
            },
            "no order carries arguments",
        ),
    ),
)

"""update_credentials: take a login that was sealed to this appliance, for one target.

The sealed box travels outside the log; the order names its digest, and the X25519 key that it was
sealed to by the SHA-256 of its bytes, which an operator confirmed.
"""

from proto.message import TargetIdField
from proto.orders.kinds import Digest, Example, OrderKind, OrderType, Params, Tier, Touches


class UpdateCredentials(Params):
    """The target, the sealed box's digest, and the digest of the key it was sealed to."""

    target: TargetIdField
    sealed_sha256: Digest
    sealed_to: Digest

    def named_targets(self) -> tuple[str, ...]:
        """Return the one target, which is not changed itself."""
        return (self.target,)


KIND = OrderKind(
    name=OrderType.UPDATE_CREDENTIALS,
    title="Change the login for a target",
    params=UpdateCredentials,
    tier=Tier.CHANGE,
    timeout_s=300,
    touches=Touches.SETTINGS,
    accepted=(
        Example(
            {"target": "t-aaaaaaaaaa", "sealed_sha256": "ab" * 32, "sealed_to": "cd" * 32},
            "one sealed box for one target",
        ),
    ),
    refused=(
        Example({"sealed_sha256": "ab" * 32, "sealed_to": "cd" * 32}, "which target must be said"),
        Example(
            {"target": "t-aaaaaaaaaa", "user": "admin", "password": "hunter2"},
            "no order carries a login",
        ),
        Example({"target": "t-aaaaaaaaaa", "sealed_sha256": "ab" * 32}, "for which key"),
        Example(
            {"target": "all", "sealed_sha256": "ab" * 32, "sealed_to": "cd" * 32},
            "a login is for one target",
        ),
    ),
)

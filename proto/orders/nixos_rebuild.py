"""nixos_rebuild: rebuild the appliance's system from a flake and its lock, both release content."""

from typing import Literal

from proto.orders.kinds import Digest, Example, OrderKind, OrderType, Params, Tier, Touches


class NixosRebuild(Params):
    """The digests of the flake and of its lock, and whether the change outlives a restart."""

    flake_sha256: Digest
    lock_sha256: Digest
    mode: Literal["test", "switch"]

    def content(self) -> tuple[str, ...]:
        """Return both digests."""
        return (self.flake_sha256, self.lock_sha256)


KIND = OrderKind(
    name=OrderType.NIXOS_REBUILD,
    title="Rebuild the appliance's system",
    params=NixosRebuild,
    tier=Tier.DANGEROUS,
    timeout_s=7200,
    touches=Touches.APPLIANCE,
    waits_for_window=True,
    accepted=(
        Example(
            {"flake_sha256": "ab" * 32, "lock_sha256": "cd" * 32, "mode": "test"}, "tried first"
        ),
    ),
    refused=(
        Example({"flake_sha256": "ab" * 32, "mode": "switch"}, "a flake without its lock"),
        Example(
            {"flake_sha256": "github:x/y", "lock_sha256": "cd" * 32, "mode": "switch"},
            "a flake is a file, not an address",
        ),
        Example(
            {"flake_sha256": "ab" * 32, "lock_sha256": "cd" * 32, "mode": "build; reboot"},
            "no such mode",
        ),
    ),
)

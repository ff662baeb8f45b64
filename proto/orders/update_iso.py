"""update_iso: install another image of the appliance's system, which release content holds."""

from proto.orders.kinds import Digest, Example, OrderKind, OrderType, Params, Tier, Touches, Version


class UpdateIso(Params):
    """The version, for people, and the digest of the image, which decides."""

    version: Version
    content_sha256: Digest

    def content(self) -> tuple[str, ...]:
        """Return the image's digest."""
        return (self.content_sha256,)


KIND = OrderKind(
    name=OrderType.UPDATE_ISO,
    title="Install another image of the appliance's system",
    params=UpdateIso,
    tier=Tier.DANGEROUS,
    timeout_s=7200,
    touches=Touches.APPLIANCE,
    waits_for_window=True,
    accepted=(Example({"version": "2.0.0", "content_sha256": "ab" * 32}, "a released image"),),
    refused=(
        Example({"content_sha256": "ab" * 32}, "people must see a version"),
        Example({"version": "2.0", "content_sha256": "ab" * 32}, "half a version"),
        Example({"version": "2.0.0\n", "content_sha256": "ab" * 32}, "a newline"),
        Example({"version": "2.0.0", "content_sha256": ""}, "an empty digest"),
    ),
)

"""sync_rules: fetch the current content now instead of at the next look."""

from proto.orders.kinds import Digest, Example, OrderKind, OrderType, Params, Tier, Touches


class SyncRules(Params):
    """Which content set to come to; it must already be a current target."""

    content_sha256: Digest

    def content(self) -> tuple[str, ...]:
        """Return the set's digest."""
        return (self.content_sha256,)


KIND = OrderKind(
    name=OrderType.SYNC_RULES,
    title="Fetch the current checks, runbooks and rules now",
    params=SyncRules,
    tier=Tier.OBSERVE,
    timeout_s=600,
    touches=Touches.NOTHING,
    is_for_sites=True,
    accepted=(Example({"content_sha256": "ab" * 32}, "a digest of the signed content"),),
    refused=(
        Example({}, "what is to be fetched must be named"),
        Example({"content_sha256": "AB" * 32}, "capital digits"),
        Example({"content_sha256": "ab" * 32 + "\n"}, "a newline after the digest"),
        Example({"content_sha256": "\u0661" * 64}, "digits of another script"),
        Example({"content_sha256": "https://hub.example/set"}, "no order carries an address"),
    ),
)

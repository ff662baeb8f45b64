"""update_agent: change the appliance's own program to a version that release content holds."""

from proto.orders.kinds import Digest, Example, OrderKind, OrderType, Params, Tier, Touches, Version


class UpdateAgent(Params):
    """The version, for people, and the digest of its file, which decides."""

    version: Version
    content_sha256: Digest

    def content(self) -> tuple[str, ...]:
        """Return the file's digest."""
        return (self.content_sha256,)


KIND = OrderKind(
    name=OrderType.UPDATE_AGENT,
    title="Update the appliance's program",
    params=UpdateAgent,
    tier=Tier.CHANGE,
    timeout_s=1800,
    touches=Touches.APPLIANCE,
    waits_for_window=True,
    accepted=(Example({"version": "1.4.2", "content_sha256": "ab" * 32}, "a released version"),),
    refused=(
        Example({"version": "1.4.2"}, "the file must be named by its digest"),
        Example({"version": "1.4.2-rc1", "content_sha256": "ab" * 32}, "not a plain version"),
        Example(
            {"version": "1.4.\u0662", "content_sha256": "ab" * 32}, "a digit of another script"
        ),
        Example({"version": "01.4.2", "content_sha256": "ab" * 32}, "a leading nought"),
        Example(
            {"version": "1.4.2", "content_sha256": "ab" * 32, "url": "https://x.example/a"},
            "no order carries an address",
        ),
    ),
)

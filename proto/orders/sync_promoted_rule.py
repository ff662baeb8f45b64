"""sync_promoted_rule: take up one promoted rule, which the promoted delegation signed."""

from proto.orders.kinds import (
    Digest,
    Example,
    OrderKind,
    OrderType,
    Params,
    RuleId,
    Tier,
    Touches,
)


class SyncPromotedRule(Params):
    """The rule's id, for people, and the digest of its file, which decides."""

    rule: RuleId
    content_sha256: Digest

    def content(self) -> tuple[str, ...]:
        """Return the file's digest."""
        return (self.content_sha256,)


KIND = OrderKind(
    name=OrderType.SYNC_PROMOTED_RULE,
    title="Take up a promoted rule",
    params=SyncPromotedRule,
    tier=Tier.CHANGE,
    timeout_s=300,
    touches=Touches.SETTINGS,
    is_for_sites=True,
    accepted=(
        Example({"rule": "l1.p.ntp_drift", "content_sha256": "ab" * 32}, "a promoted target"),
    ),
    refused=(
        Example({"rule": "l1.p.ntp_drift"}, "the file must be named by its digest"),
        Example({"rule": "l1 p", "content_sha256": "ab" * 32}, "a space in an id"),
        Example(
            {"rule": "l1.p", "content_sha256": "ab" * 32, "conditions": []},
            "no order carries a rule",
        ),
    ),
)

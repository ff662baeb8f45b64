"""The page of orders, made from the gate's one table and the order types' modules."""

from collections.abc import Iterator

from proto.order_codes import TABLE, Answer
from proto.orders.kinds import HOUR_S, OrderKind, Touches
from proto.orders.registry import KINDS

PAGE = "docs/reference/order-codes.md"
HEAD = """# Orders: types and reason codes

Made from `proto/order_codes.py` and `proto/orders/` by `make proto`; do not edit.
"""
TYPES = """## Types

The tier is the least one; what an order asks for can raise it. Tier 0 observes or stops and tier 1
heals reversibly: the order key signs alone. Tier 2 changes: one person signs too, and it waits for
its ring, or two sign. Tier 3 is dangerous: two people, and the site's consent or a time lock.

| type | what it does | tier | changes | for whole sites | lives at most | runs at most |
|---|---|---|---|---|---|---|"""
CODES = """
## Reason codes

In the order in which the gate looks; the first failure wins, and a refusal wins over a wait. Three
refusals marked "counts" within ten minutes hold back every order above tier 0 until people clear
it. The codes are stable: a receipt of years ago still means this.

| step | code | the order is | counts | meaning |
|---|---|---|---|---|"""
CHANGES = {
    Touches.NOTHING: "nothing",
    Touches.SETTINGS: "settings",
    Touches.APPLIANCE: "the appliance",
    Touches.TARGETS: "targets",
}
SAID = {
    Answer.REFUSED: "refused",
    Answer.VETOED: "vetoed",
    Answer.EXPIRED: "expired",
    Answer.WAITING: "waiting",
}


def page() -> bytes:
    """Return the page."""
    lines = [HEAD, TYPES, *(_type(kind) for kind in KINDS.values()), CODES, *_codes()]
    return ("\n".join(lines) + "\n").encode()


def _type(kind: OrderKind) -> str:
    cells = (
        f"`{kind.name}`",
        kind.title,
        str(kind.tier.value),
        CHANGES[kind.touches],
        "yes" if kind.is_for_sites else "no",
        f"{kind.life_s_max // HOUR_S} h",
        f"{kind.timeout_s} s",
    )
    return f"| {' | '.join(cells)} |"


def _codes() -> Iterator[str]:
    for reason in TABLE:
        counts = "counts" if reason.is_security else ""
        yield (
            f"| {reason.step} | `{reason.code}` | {SAID[reason.answer]} | {counts} |"
            f" {reason.meaning} |"
        )

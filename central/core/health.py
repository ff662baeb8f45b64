"""Every way in which the hub finds an appliance, or itself, unwell: one declared code each."""

from dataclasses import dataclass
from enum import StrEnum

from central.core.order_refusals import OrderLogForkError
from central.core.refusals import ClockError, ForkError, ReplayedError, RollbackError
from proto.errors import OsirisError
from proto.hub.check_in import TEXT_SET_ASIDE


class Condition(StrEnum):
    """A code; `WORDS` says what it means."""

    EVIDENCE_FORK = "evidence_fork"
    EVIDENCE_ROLLBACK = "evidence_rollback"
    EVIDENCE_LOST = "evidence_lost"
    CHECK_IN_REPLAYED = "check_in_replayed"
    CLOCK_OFF = "clock_off"
    UNPROVED_HEAL = "unproved_heal"
    RECEIPT_OF_OTHER = "receipt_of_other"
    WORD_UNPROVED = "word_unproved"
    ORDER_LOG_FORK = "order_log_fork"
    TEXT_SET_ASIDE = TEXT_SET_ASIDE


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a condition means and what ends it.

    Attributes:
        ends_by_itself: the next good message of the same kind clears it; otherwise a person does.
    """

    sentence: str
    ends_by_itself: bool


WORDS: dict[Condition, Meaning] = {
    Condition.EVIDENCE_FORK: Meaning(
        "The appliance showed two histories of its evidence log.", ends_by_itself=False
    ),
    Condition.EVIDENCE_ROLLBACK: Meaning(
        "The appliance's evidence log became shorter than the hub's copy.", ends_by_itself=True
    ),
    Condition.EVIDENCE_LOST: Meaning(
        "The hub holds less of this evidence log than it once acknowledged: it was put back to an"
        " older copy. The appliance sends again what is missing.",
        ends_by_itself=True,
    ),
    Condition.CHECK_IN_REPLAYED: Meaning(
        "A check-in came with a number that was already passed: a replay, or a restored disk.",
        ends_by_itself=True,
    ),
    Condition.CLOCK_OFF: Meaning(
        "The appliance's clock is too far from the hub's.", ends_by_itself=True
    ),
    Condition.UNPROVED_HEAL: Meaning(
        "A repair was reported as healed without a passing re-check; it is not counted.",
        ends_by_itself=False,
    ),
    Condition.RECEIPT_OF_OTHER: Meaning(
        "The appliance answered an order that does not stand at that place of the hub's order log:"
        " the two hold different logs. The answer counts for nothing.",
        ends_by_itself=False,
    ),
    Condition.WORD_UNPROVED: Meaning(
        "The appliance told of a veto, a consent or the end of a hold whose own statement does not"
        " bear it out. It is not shown and counts for nothing.",
        ends_by_itself=False,
    ),
    Condition.ORDER_LOG_FORK: Meaning(
        "The appliance holds an order log that this hub signed, and the hub holds another of the"
        " same size. No order goes to this site and none is signed for it. Either the hub was put"
        " back to two different backups, or somebody else signs with its keys: compare the size and"
        " the root on the appliance's portal with the signer's, and if nobody can say how it came"
        " about, treat the hub as taken over.",
        ends_by_itself=False,
    ),
    Condition.TEXT_SET_ASIDE: Meaning(
        "Text arrived that should not have left the site. It was not kept and is shown to nobody;"
        " the appliance's portal says the same.",
        ends_by_itself=False,
    ),
}

_RAISED_BY: tuple[tuple[type[OsirisError], Condition], ...] = (
    (ForkError, Condition.EVIDENCE_FORK),
    (RollbackError, Condition.EVIDENCE_ROLLBACK),
    (ReplayedError, Condition.CHECK_IN_REPLAYED),
    (ClockError, Condition.CLOCK_OFF),
    (OrderLogForkError, Condition.ORDER_LOG_FORK),
)


def condition_of(error: OsirisError) -> Condition | None:
    """Return the condition that a refusal raises, or None when it says nothing of the appliance."""
    return next((found for kind, found in _RAISED_BY if isinstance(error, kind)), None)


CLEARED_BY_CHECK_IN = (Condition.CHECK_IN_REPLAYED, Condition.CLOCK_OFF)
CLEARED_BY_EVIDENCE = (Condition.EVIDENCE_ROLLBACK,)
CLEARED_BY_ALL_EVIDENCE = (Condition.EVIDENCE_LOST,)
"""By a batch after which as many leaves are here as the appliance was told there are."""

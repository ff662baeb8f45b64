"""Where an order stands, from what the hub heard: one stage for each appliance, one for the whole.

Pure. What an appliance signed outweighs what it was last known to be waiting for; a stage that
still moves outweighs one that is over, and what went wrong outweighs what went well.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from central.core.orders import Draft, ReceiptRow, WaitRow
from proto.ids import ApplianceId


class Stage(StrEnum):
    """The steps of an order's life, as people are told of them."""

    DRAFTED = "drafted"
    UNSIGNED = "unsigned"
    WAITS_FOR_PEOPLE = "waits_for_people"
    WAITS_FOR_SIGNER = "waits_for_signer"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    LOGGED = "logged"
    FETCHED = "fetched"
    WAITING = "waiting"
    EXECUTING = "executing"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    VETOED = "vetoed"
    DONE = "done"


_WEIGHT: Final = (
    Stage.EXECUTING,
    Stage.WAITING,
    Stage.FETCHED,
    Stage.LOGGED,
    Stage.UNKNOWN,
    Stage.FAILED,
    Stage.REFUSED,
    Stage.VETOED,
    Stage.EXPIRED,
    Stage.DONE,
)
"""Of the appliances that an order is for, the one whose stage comes first speaks for it."""

OVER: Final = frozenset(
    {
        Stage.UNSIGNED,
        Stage.WITHDRAWN,
        Stage.EXPIRED,
        Stage.FAILED,
        Stage.UNKNOWN,
        Stage.REFUSED,
        Stage.VETOED,
        Stage.DONE,
    }
)
"""The stages after which nothing more happens."""


@dataclass(frozen=True, slots=True)
class AtAppliance:
    """Where an order stands at one appliance.

    Attributes:
        code: why it waits, or was refused.
        until_s: when a wait is looked at again, or a run must have ended.
        at_s: when the appliance said so, by its own clock; None where it said nothing.
    """

    appliance: ApplianceId
    stage: Stage
    code: str | None = None
    until_s: int | None = None
    at_s: int | None = None


def at_appliance(
    appliance: ApplianceId,
    *,
    leaf: int,
    fetched: int,
    receipts: Collection[ReceiptRow],
    waits: Collection[WaitRow],
) -> AtAppliance:
    """Return where a logged order stands at one appliance.

    Args:
        appliance: whose word it is.
        leaf: the order's place in the log.
        fetched: how many leaves the appliance's mirror has.
        receipts: what it answered to this leaf.
        waits: which orders wait there, as it last said.
    """
    for one in sorted(receipts, key=lambda row: row.seq, reverse=True):
        match one.kind:
            case "result":
                return AtAppliance(appliance, Stage(one.code or ""), at_s=one.at_s)
            case "intent":
                stage, until_s = Stage.EXECUTING, one.deadline_s
                return AtAppliance(appliance, stage, until_s=until_s, at_s=one.at_s)
            case _:
                return AtAppliance(appliance, Stage(one.kind), code=one.code, at_s=one.at_s)
    for wait in waits:
        if wait.leaf == leaf:
            return AtAppliance(appliance, Stage.WAITING, code=wait.code, until_s=wait.until_s)
    return AtAppliance(appliance, Stage.FETCHED if fetched > leaf else Stage.LOGGED)


def stage_of(
    draft: Draft,
    *,
    leaf: int | None,
    approved: int,
    answers: Collection[AtAppliance],
    now_s: int,
) -> tuple[Stage, str | None]:
    """Return where an order stands as a whole, and the code that says why."""
    if leaf is not None:
        return _logged(answers)
    if draft.ended_ms is not None:
        return Stage.WITHDRAWN, None
    if draft.refused is not None:
        return Stage.UNSIGNED, draft.refused
    if now_s * 1000 >= draft.end_ms:
        return Stage.EXPIRED, None
    if draft.fixed is None:
        return Stage.DRAFTED, None
    is_short = approved < draft.wish.people
    return (Stage.WAITS_FOR_PEOPLE if is_short else Stage.WAITS_FOR_SIGNER), None


def _logged(answers: Collection[AtAppliance]) -> tuple[Stage, str | None]:
    if not answers:
        return Stage.LOGGED, None
    first = min(answers, key=lambda one: _WEIGHT.index(one.stage))
    return first.stage, first.code

"""Appliances whose own keys should be renewed by now, in words.

Nothing stops when they grow old: they are renewed because somebody may have copied them. Only a
person at the appliance can renew them, so nobody is told of one that has not been heard of lately.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from proto.appliance_keys import DUE_BEFORE_S, LIFE_S
from proto.ids import ApplianceId
from proto.keysets import DAY_S

HEARD_WITHIN_S: Final = 30 * DAY_S
NAMED_MAX: Final = 5
"""Appliances that are named; of further ones people are told how many there are."""

_THEN: Final = "osiris appliance keys renew, there"


@dataclass(frozen=True, slots=True)
class BoxKeys:
    """Since when an appliance has its keys.

    Attributes:
        since_s: when this hub took their renewal, or enrolled it.
        seen_s: when it was last heard of; None when it never was.
    """

    appliance: ApplianceId
    since_s: int
    seen_s: int | None


def sentences(every: Iterable[BoxKeys], *, now_s: int) -> tuple[str, ...]:
    """Return in words whose keys should be renewed by now, the oldest first."""
    due = sorted(
        (one for one in every if _is_due(one, now_s)), key=lambda one: (one.since_s, one.appliance)
    )
    told = [_sentence(one, now_s) for one in due[:NAMED_MAX]]
    if len(due) > NAMED_MAX:
        told.append(f"The keys of {len(due) - NAMED_MAX} more should be renewed too: {_THEN}")
    return tuple(told)


def _is_due(one: BoxKeys, now_s: int) -> bool:
    is_old = now_s >= one.since_s + LIFE_S - DUE_BEFORE_S
    return is_old and one.seen_s is not None and now_s - one.seen_s <= HEARD_WITHIN_S


def _sentence(one: BoxKeys, now_s: int) -> str:
    days = abs(now_s - one.since_s - LIFE_S) // DAY_S
    span = "1 day" if days == 1 else f"{days} days"
    if now_s < one.since_s + LIFE_S:
        return f"The keys of appliance {one.appliance} are a year old in {span}: {_THEN}"
    return f"The keys of appliance {one.appliance} were a year old {span} ago: {_THEN}"

"""Conditions as alternatives: any, all and none expanded to at most `DISJUNCTS_MAX` lists.

An index and the lint can work on plain lists of comparisons; a condition that would expand to more
is kept whole, as a residual, and evaluated by `holds`.
"""

from dataclasses import dataclass
from typing import TypeVar

from proto.conditions.evaluate import Fields, holds
from proto.conditions.model import Comparison, Condition, GroupKind

DISJUNCTS_MAX = 16
LITERALS_MAX = 256


@dataclass(frozen=True, slots=True)
class Literal:
    """A comparison that must hold, or must not."""

    comparison: Comparison
    is_wanted: bool


T = TypeVar("T")

Conjunct = tuple[Literal, ...]


def disjuncts(condition: Condition) -> tuple[Conjunct, ...] | None:
    """Return alternatives, one of which holds exactly when the condition does; None if too many."""
    return _expand(condition, is_wanted=True)


def _expand(condition: Condition, *, is_wanted: bool) -> tuple[Conjunct, ...] | None:
    if isinstance(condition, Comparison):
        return ((Literal(condition, is_wanted),),)
    inner = is_wanted if condition.kind is not GroupKind.NONE else not is_wanted
    # none = all of the negations; and a negated all is any of the negations.
    is_conjunction = (condition.kind is not GroupKind.ANY) == is_wanted
    parts = [_expand(member, is_wanted=inner) for member in condition.members]
    found: tuple[Conjunct, ...] = ((),) if is_conjunction else ()
    for part in parts:
        if part is None:
            return None
        joined = (
            tuple(_join(left, right) for left in found for right in part)
            if is_conjunction
            else found + part
        )
        found = _distinct(joined)
        if len(found) > DISJUNCTS_MAX or any(len(one) > LITERALS_MAX for one in found):
            return None
    return found


def _join(left: Conjunct, right: Conjunct) -> Conjunct:
    return _distinct(left + right)


def _distinct(parts: tuple[T, ...]) -> tuple[T, ...]:
    """Drop repetitions; by `repr`, because values compare 1 and True as equal and we do not."""
    return tuple({repr(part): part for part in parts}.values())


def conjunct_holds(conjunct: Conjunct, fields: Fields, *, now_s: int | None = None) -> bool:
    """Tell whether every literal of one alternative has the truth it wants."""
    return all(
        holds(literal.comparison, fields, now_s=now_s) == literal.is_wanted for literal in conjunct
    )

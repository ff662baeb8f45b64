"""The one condition language: field, operator, value; used by rules, judges and guards.

`parse` reads a list of conditions that must all hold, with `any`, `all` and `none` groups inside
it; `holds` evaluates it over flat fields; `explain` tells what each comparison wanted and saw.
The semantics are fixed in `proto.conditions.evaluate`.
"""

from proto.conditions.disjuncts import Conjunct, Literal, conjunct_holds, disjuncts
from proto.conditions.evaluate import Explained, Fields, explain, holds
from proto.conditions.model import (
    ALWAYS,
    NEVER,
    Comparison,
    Condition,
    Group,
    GroupKind,
    Operator,
    Wanted,
    comparisons,
    placed,
)
from proto.conditions.parse import ConditionError, parse

__all__ = [
    "ALWAYS",
    "NEVER",
    "Comparison",
    "Condition",
    "ConditionError",
    "Conjunct",
    "Explained",
    "Fields",
    "Group",
    "GroupKind",
    "Literal",
    "Operator",
    "Wanted",
    "comparisons",
    "conjunct_holds",
    "disjuncts",
    "explain",
    "holds",
    "parse",
    "placed",
]

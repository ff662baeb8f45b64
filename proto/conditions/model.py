"""The values of the condition language: comparisons and groups of them."""

from dataclasses import dataclass
from enum import StrEnum

from proto.findings import Scalar


class Operator(StrEnum):
    """Every comparison the language has; `proto.conditions.evaluate` fixes what each means."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    EXISTS = "exists"
    MISSING = "missing"
    CONTAINS = "contains"
    ICONTAINS = "icontains"
    STARTSWITH = "startswith"
    ENDSWITH = "endswith"
    REGEX = "regex"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BETWEEN = "between"
    CIDR = "cidr"
    VERSION_LT = "version_lt"
    VERSION_GTE = "version_gte"
    AGE_GT = "age_gt"
    FIELD_EQ = "field_eq"


class GroupKind(StrEnum):
    """How a group joins its members."""

    ALL = "all"
    ANY = "any"
    NONE = "none"


Wanted = Scalar | tuple[Scalar, ...]
"""What a comparison compares with: one value, or several for `in`, `not_in`, `between`, `cidr`."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field, one operator, one value.

    Attributes:
        strict: for `ne` and `not_in`: a missing field makes it false instead of true.
    """

    field: str
    operator: Operator
    value: Wanted
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Members joined: all of them, any of them, or none of them.

    `ALL` of nothing holds, `ANY` of nothing does not, `NONE` of nothing holds; `parse` refuses
    empty groups, so that only `ALWAYS` and `NEVER` are.
    """

    kind: GroupKind
    members: tuple["Condition", ...]


Condition = Comparison | Group

ALWAYS = Group(GroupKind.ALL, ())
"""The condition that always holds: what an absent `applies` or `requires` means."""

NEVER = Group(GroupKind.ANY, ())
"""The condition that never holds."""

TEXT_CHARS_MAX = 4096
"""Longer texts never match `contains`, `icontains`, `startswith`, `endswith` or `regex`."""


def comparisons(condition: Condition) -> tuple[Comparison, ...]:
    """Return every comparison inside a condition, in the order it was written."""
    if isinstance(condition, Comparison):
        return (condition,)
    return tuple(leaf for member in condition.members for leaf in comparisons(member))


def placed(condition: Condition) -> tuple[tuple[tuple[str | int, ...], Comparison], ...]:
    """Return every comparison with its path inside the list that was parsed."""
    if isinstance(condition, Comparison):
        return (((), condition),)
    found: list[tuple[tuple[str | int, ...], Comparison]] = []
    for index, member in enumerate(condition.members):
        inside: tuple[str | int, ...] = (index,)
        if isinstance(member, Group):
            inside = (index, member.kind.value)
        found += [((*inside, *path), test) for path, test in placed(member)]
    return tuple(found)


def is_typed_equal(left: object, right: object) -> bool:
    """Tell whether two values are equal without coercion: "5" is not 5, True is not 1."""
    return type(left) is type(right) and left == right

"""What each comparison means, and what it saw.

The fixed semantics, for rules, judges and guards alike:

- Fields are a flat mapping; a dotted name such as `seen.value` is one key of it.
- A missing field makes every test false, but `missing`, and `ne` and `not_in` unless `strict`.
- No coercion anywhere: values are equal when type and value are ("5" is not 5, True is not 1).
- NaN never matches anything; only `exists` is true of it.
- `gt gte lt lte between` compare integers with integers; true and false are not integers.
- Strings compare case-sensitively, `icontains` after case folding. A text longer than
  `TEXT_CHARS_MAX` characters never matches a test of its inside.
- `regex` is an RE2 pattern found anywhere in the text, in time linear in its length.
- `cidr` is true of a text that is an IP address inside one of the networks, of the same family.
- `version_lt` and `version_gte` order texts as `proto.conditions.versions` says; what is not a
  version matches neither.
- `age_gt` is true of a whole number of seconds since the epoch that lies more than `value` seconds
  before `now_s`; without a clock (`now_s` None) it is false.
- `field_eq` is true when both fields are there and equal.
"""

import functools
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import re2

from proto.conditions.model import (
    TEXT_CHARS_MAX,
    Comparison,
    Condition,
    GroupKind,
    Operator,
    Wanted,
    is_typed_equal,
    placed,
)
from proto.conditions.versions import compare_versions, is_version
from proto.findings import Scalar

_REGEX_MEMORY_BYTES = 1 << 20
_REGEX_CACHE = 1024
_ABSENT = object()

Fields = Mapping[str, object]


class Pattern(Protocol):
    """A compiled RE2 pattern, as far as the house uses it."""

    def search(self, text: str, /) -> object | None:
        """Return something when the pattern occurs in the text."""
        ...

    def fullmatch(self, text: str, /) -> object | None:
        """Return something when the pattern matches the whole text."""
        ...


class PatternError(ValueError):
    """A pattern that RE2 does not take: no backreferences, no look-around, bounded memory."""


@functools.lru_cache(maxsize=_REGEX_CACHE)
def compile_pattern(pattern: str) -> Pattern:
    """Compile an RE2 pattern.

    Raises:
        PatternError: RE2 refuses it; the message says why.
    """
    options = re2.Options()
    options.max_mem = _REGEX_MEMORY_BYTES
    options.log_errors = False
    try:
        compiled: Pattern = re2.compile(pattern, options)
    except re2.error as error:
        detail = error.args[0] if error.args else "refused"
        shown = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise PatternError(shown) from error
    return compiled


def _several(wanted: Wanted) -> tuple[Scalar, ...]:
    return wanted if isinstance(wanted, tuple) else (wanted,)


def _is_in(seen: object, wanted: Wanted) -> bool:
    return any(is_typed_equal(seen, one) for one in _several(wanted))


def _is_text(seen: object) -> bool:
    return type(seen) is str and len(seen) <= TEXT_CHARS_MAX


def _is_between(seen: object, wanted: Wanted) -> bool:
    low, high = _several(wanted)
    return type(seen) is int and int(low) <= seen <= int(high)


def _is_in_network(seen: object, wanted: Wanted) -> bool:
    if type(seen) is not str:
        return False
    try:
        address = ipaddress.ip_address(seen)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(str(one)) for one in _several(wanted))


def _is_older(seen: object, wanted: Wanted, now_s: int | None) -> bool:
    return now_s is not None and type(seen) is int and now_s - seen > int(str(wanted))


def _is_version_before(seen: object, wanted: Wanted) -> bool:
    return is_version(seen) and compare_versions(str(seen), str(wanted)) < 0


def _is_version_from(seen: object, wanted: Wanted) -> bool:
    return is_version(seen) and compare_versions(str(seen), str(wanted)) >= 0


_PRESENT_TESTS: dict[Operator, Callable[[object, Wanted], bool]] = {
    Operator.EQ: is_typed_equal,
    Operator.NE: lambda seen, wanted: not is_typed_equal(seen, wanted),
    Operator.IN: _is_in,
    Operator.NOT_IN: lambda seen, wanted: not _is_in(seen, wanted),
    Operator.CONTAINS: lambda seen, wanted: _is_text(seen) and str(wanted) in str(seen),
    Operator.ICONTAINS: lambda seen, wanted: (
        _is_text(seen) and str(wanted).casefold() in str(seen).casefold()
    ),
    Operator.STARTSWITH: lambda seen, wanted: _is_text(seen) and str(seen).startswith(str(wanted)),
    Operator.ENDSWITH: lambda seen, wanted: _is_text(seen) and str(seen).endswith(str(wanted)),
    Operator.REGEX: lambda seen, wanted: (
        _is_text(seen) and compile_pattern(str(wanted)).search(str(seen)) is not None
    ),
    Operator.GT: lambda seen, wanted: type(seen) is int and seen > int(str(wanted)),
    Operator.GTE: lambda seen, wanted: type(seen) is int and seen >= int(str(wanted)),
    Operator.LT: lambda seen, wanted: type(seen) is int and seen < int(str(wanted)),
    Operator.LTE: lambda seen, wanted: type(seen) is int and seen <= int(str(wanted)),
    Operator.BETWEEN: _is_between,
    Operator.CIDR: _is_in_network,
    Operator.VERSION_LT: _is_version_before,
    Operator.VERSION_GTE: _is_version_from,
}
"""The tests that need nothing but a field that is there and is not NaN."""


_OF_PRESENCE = frozenset({Operator.EXISTS, Operator.MISSING})
_TRUE_OF_ABSENT = frozenset({Operator.NE, Operator.NOT_IN})


def _holds_comparison(test: Comparison, fields: Fields, now_s: int | None) -> bool:
    seen = fields.get(test.field, _ABSENT)
    if test.operator in _OF_PRESENCE:
        wants_presence = (test.operator is Operator.EXISTS) == test.value
        return (seen is not _ABSENT) == wants_presence
    if seen is _ABSENT:
        return test.operator in _TRUE_OF_ABSENT and not test.strict
    if isinstance(seen, float) and seen != seen:  # noqa: PLR0124 - only NaN differs from itself
        return False
    if test.operator is Operator.FIELD_EQ:
        return is_typed_equal(seen, fields.get(str(test.value), _ABSENT))
    if test.operator is Operator.AGE_GT:
        return _is_older(seen, test.value, now_s)
    return _PRESENT_TESTS[test.operator](seen, test.value)


def holds(condition: Condition, fields: Fields, *, now_s: int | None = None) -> bool:
    """Tell whether a condition is true of these fields.

    Args:
        condition: what `parse` returned.
        fields: flat, by dotted name; values of any type, of which only bool, int and text match.
        now_s: seconds since the epoch, for `age_gt`; None where judging has no clock.
    """
    if isinstance(condition, Comparison):
        return _holds_comparison(condition, fields, now_s)
    verdicts = (holds(member, fields, now_s=now_s) for member in condition.members)
    if condition.kind is GroupKind.ALL:
        return all(verdicts)
    if condition.kind is GroupKind.ANY:
        return any(verdicts)
    return not any(verdicts)


@dataclass(frozen=True, slots=True)
class Explained:
    """What one comparison wanted, saw and concluded.

    Attributes:
        place: where it stands, as `1` or `2.any.0`.
        seen: the field's value; None when it is missing; for a value no operator matches, its
            type's name in angle brackets.
        is_present: tells a missing field.
        verdict: what the comparison itself concluded; a `none` group wants false.
    """

    place: str
    field: str
    operator: Operator
    wanted: Wanted
    seen: Scalar | None
    is_present: bool
    verdict: bool

    def as_json(self) -> dict[str, object]:
        """Return the members of the record, in a fixed order."""
        return {
            "place": self.place,
            "field": self.field,
            "operator": self.operator.value,
            "wanted": list(self.wanted) if isinstance(self.wanted, tuple) else self.wanted,
            "seen": self.seen,
            "present": self.is_present,
            "verdict": self.verdict,
        }


def explain(
    condition: Condition, fields: Fields, *, now_s: int | None = None
) -> tuple[Explained, ...]:
    """Return one line a comparison, in the order written; same input, same output."""
    return tuple(
        Explained(
            place=".".join(map(str, path)),
            field=test.field,
            operator=test.operator,
            wanted=test.value,
            seen=_show(fields.get(test.field)),
            is_present=test.field in fields,
            verdict=_holds_comparison(test, fields, now_s),
        )
        for path, test in placed(condition)
    )


def _show(seen: object) -> Scalar | None:
    if seen is None or isinstance(seen, bool | int | str):
        return seen
    return f"<{type(seen).__name__}>"

"""Which fields conditions may read, and which operators and values fit them."""

from collections.abc import Mapping

from proto.catalog.model import AnswerField, Check, FieldKind, Source
from proto.catalog.reader import Problems
from proto.conditions import Comparison, Group, Operator, placed
from proto.findings import Scalar
from proto.incidents import Severity
from proto.inventory import FACT_NAMES, DeviceClass, Platform

_TEXT_CHARS_MAX = 4096
_TEXT = AnswerField(FieldKind.TEXT, is_reported=False, chars_max=_TEXT_CHARS_MAX)
_SETS = {Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN}
_PRESENCE = {Operator.EXISTS, Operator.MISSING}
_ORDER = {Operator.GT, Operator.GTE, Operator.LT, Operator.LTE, Operator.BETWEEN}
_WORDS = {
    Operator.CONTAINS,
    Operator.ICONTAINS,
    Operator.STARTSWITH,
    Operator.ENDSWITH,
    Operator.REGEX,
    Operator.CIDR,
    Operator.VERSION_LT,
    Operator.VERSION_GTE,
}
_ALWAYS_FIT = _SETS | _PRESENCE | {Operator.FIELD_EQ}
_FITTING = {
    FieldKind.BOOL: _ALWAYS_FIT,
    FieldKind.INT: _ALWAYS_FIT | _ORDER,
    FieldKind.ENUM: _ALWAYS_FIT | _WORDS,
    FieldKind.TEXT: _ALWAYS_FIT | _WORDS,
}


def _enum(values: list[str]) -> AnswerField:
    return AnswerField(FieldKind.ENUM, is_reported=False, values=tuple(values))


FACT_FIELDS: Mapping[str, AnswerField] = {
    **dict.fromkeys(FACT_NAMES, _TEXT),
    "target.platform": _enum([one.value for one in Platform]),
    "target.class": _enum([one.value for one in DeviceClass]),
}
"""What the facts can be, by their condition names."""


def judge_fields_of(check: Check) -> dict[str, AnswerField]:
    """Return what a check's `applies` and `judge` may read: its answer and the facts."""
    return {**FACT_FIELDS, **check.answer}


def rule_fields_of(check: Check) -> dict[str, AnswerField]:
    """Return what the rules of a check may read: the incident and its reported answer."""
    return {
        "check": _TEXT,
        "platform": _enum([one.value for one in Platform]),
        "severity": _enum([one.value for one in Severity]),
        "site": _TEXT,
        "target": _TEXT,
        "org": _TEXT,
        **{f"seen.{name}": check.answer[name] for name in check.reported},
    }


def check_fields(
    conditions: Group,
    fields: Mapping[str, AnswerField],
    *,
    source: Source,
    key: str,
    problems: Problems,
) -> None:
    """Note every comparison of a field that is not there, or that can never fit what it holds."""
    for path, test in placed(conditions):
        what = _problem(test, fields)
        if what is not None:
            problems.add(source.file, source.line(key, *path), f"{key}: {what}")


def _problem(test: Comparison, fields: Mapping[str, AnswerField]) -> str | None:
    field = fields.get(test.field)
    if field is None:
        return f"unknown field {test.field}; there are {', '.join(sorted(fields))}"
    if test.operator is Operator.AGE_GT:
        return "age_gt: there is no clock here: let the probe answer an age"
    if test.operator not in _FITTING[field.kind]:
        return f"{test.operator} does not fit {test.field}, which is {_article(field.kind)}"
    if test.operator is Operator.FIELD_EQ:
        return _field_problem(test, field, fields.get(str(test.value)))
    return _value_problem(test, field)


def _field_problem(test: Comparison, field: AnswerField, other: AnswerField | None) -> str | None:
    if other is None:
        return f"unknown field {test.value}"
    if other.kind is not field.kind:
        return f"{test.field} and {test.value} never have the same type"
    return None


def _value_problem(test: Comparison, field: AnswerField) -> str | None:
    if test.operator not in _SETS | _ORDER:
        return None
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    for value in values:
        if not _can_hold(field, value):
            return f"{test.field} never holds {value!r:.60}{_bounds(field)}"
    return None


def _article(kind: FieldKind) -> str:
    return f"an {kind}" if kind in {FieldKind.ENUM, FieldKind.INT} else f"a {kind}"


def _can_hold(field: AnswerField, value: Scalar) -> bool:
    if field.kind is FieldKind.BOOL:
        return isinstance(value, bool)
    if field.kind is FieldKind.INT:
        return type(value) is int and field.low <= value <= field.high
    if not isinstance(value, str):
        return False
    return value in field.values if field.kind is FieldKind.ENUM else len(value) <= field.chars_max


def _bounds(field: AnswerField) -> str:
    if field.kind is FieldKind.ENUM:
        return f"; it is one of {', '.join(field.values)}"
    if field.kind is FieldKind.INT:
        return f"; it lies between {field.low} and {field.high}"
    return ""

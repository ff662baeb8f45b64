"""Reading conditions: a list of {field, operator, value} and of any, all and none groups.

Refused here, with the place: unknown members and operators, a value of the wrong type for its
operator, an empty group, a pattern that RE2 does not take, a network with host bits set, and
anything beyond the limits below.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import TypeGuard

from proto.conditions.evaluate import PatternError, compile_pattern
from proto.conditions.model import Comparison, Condition, Group, GroupKind, Operator, Wanted
from proto.conditions.versions import is_version
from proto.errors import ConfigError
from proto.findings import Scalar

MEMBERS_MAX = 32
DEPTH_MAX = 4
VALUES_MAX = 256
VALUE_CHARS_MAX = 512
PATTERN_CHARS_MAX = 256
FIELD_CHARS_MAX = 128

_FIELD = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")
_GROUPS = frozenset(kind.value for kind in GroupKind)
_BETWEEN_ENDS = 2

Path = tuple[str | int, ...]
"""Where something stands inside a document: names and indexes from the outside in."""


class ConditionError(ConfigError):
    """Conditions that cannot be read.

    Attributes:
        problems: each a path inside the list that was parsed, and what is wrong there.
    """

    code = "condition"

    def __init__(self, where: str, problems: list[tuple[Path, str]]) -> None:
        """Keep the problems; the message names the place of each, one line a problem."""
        super().__init__("\n".join(f"{where}{show_path(path)}: {what}" for path, what in problems))
        self.problems = problems


def show_path(path: Path) -> str:
    """Return a path as `[0].any[1].value`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


class _Refusal(Exception):  # noqa: N818 - it never leaves this module
    def __init__(self, path: Path, what: str) -> None:
        super().__init__(what)
        self.path = path
        self.what = what


def parse(raw: object, where: str) -> Group:
    """Read a list of conditions that must all hold: always an `ALL` group, even of one.

    Args:
        raw: lists and mappings as strict YAML or strict JSON gives them.
        where: what the list is called in messages, as `rules/l1/x.yaml: conditions`.

    Raises:
        ConditionError: with every problem found and its place.
    """
    problems: list[tuple[Path, str]] = []
    members = _parse_members(raw, (), problems)
    if problems:
        raise ConditionError(where, problems)
    return Group(GroupKind.ALL, members)


def _parse_members(
    raw: object, path: Path, problems: list[tuple[Path, str]]
) -> tuple[Condition, ...]:
    if not isinstance(raw, list) or not raw:
        problems.append((path, "must be a list of at least one condition"))
        return ()
    if len(raw) > MEMBERS_MAX:
        problems.append((path, f"has {len(raw)} conditions, at most {MEMBERS_MAX} are allowed"))
        return ()
    found: list[Condition] = []
    for index, item in enumerate(raw):
        member = _parse_member(item, (*path, index), problems)
        if member is not None:
            found.append(member)
    return tuple(found)


def _parse_member(raw: object, path: Path, problems: list[tuple[Path, str]]) -> Condition | None:
    if not isinstance(raw, dict):
        problems.append((path, "must be {field, operator, value} or a group"))
        return None
    names = sorted(_GROUPS & raw.keys())
    if not names:
        try:
            return _parse_comparison(raw, path)
        except _Refusal as refusal:
            problems.append((refusal.path, refusal.what))
            return None
    if len(raw) != 1:
        problems.append((path, "a group has one member: any, all or none"))
        return None
    if sum(1 for step in path if isinstance(step, str)) >= DEPTH_MAX:
        problems.append((path, f"groups are nested deeper than {DEPTH_MAX}"))
        return None
    kind = GroupKind(names[0])
    return Group(kind, _parse_members(raw[kind.value], (*path, kind.value), problems))


def _parse_comparison(raw: dict[str, object], path: Path) -> Comparison:
    for name in raw:
        if name not in {"field", "operator", "value", "strict"}:
            raise _Refusal((*path, name), f"unknown member {name!r:.40}")
    field = _parse_field(raw.get("field"), (*path, "field"))
    try:
        operator = Operator(str(raw.get("operator")))
    except ValueError:
        what = f"unknown operator {raw.get('operator')!r:.40}"
        raise _Refusal((*path, "operator"), what) from None
    strict = raw.get("strict", False)
    if not isinstance(strict, bool):
        raise _Refusal((*path, "strict"), "must be true or false")
    if strict and operator not in {Operator.NE, Operator.NOT_IN}:
        raise _Refusal((*path, "strict"), "only ne and not_in can be strict")
    if operator in {Operator.EXISTS, Operator.MISSING}:
        value = raw.get("value", True)
    elif "value" in raw:
        value = raw["value"]
    else:
        raise _Refusal(path, f"{operator} needs a value")
    try:
        wanted = _READERS[operator](value)
    except ValueError as error:
        what = f"{operator} {error}"
        raise _Refusal((*path, "value"), what) from None
    if operator is Operator.FIELD_EQ and wanted == field:
        raise _Refusal((*path, "value"), "compares a field with itself")
    return Comparison(field, operator, wanted, strict)


def _parse_field(raw: object, path: Path) -> str:
    if not isinstance(raw, str) or len(raw) > FIELD_CHARS_MAX or not _FIELD.fullmatch(raw):
        raise _Refusal(path, f"not a field's name: {raw!r:.60}")
    return raw


def _is_scalar(value: object) -> TypeGuard[Scalar]:
    return type(value) in {bool, int, str}


def _read_scalar(value: object) -> Wanted:
    if not _is_scalar(value):
        msg = f"wants true, false, an integer or text, not {value!r:.40}"
        raise ValueError(msg)
    if isinstance(value, str) and len(value) > VALUE_CHARS_MAX:
        msg = f"takes a text of at most {VALUE_CHARS_MAX} characters"
        raise ValueError(msg)
    return value


def _read_list(value: object) -> Wanted:
    if not isinstance(value, list) or not 0 < len(value) <= VALUES_MAX:
        msg = f"wants a list of 1 to {VALUES_MAX} values"
        raise ValueError(msg)
    found: list[Scalar] = []
    for item in value:
        one = _read_scalar(item)
        if isinstance(one, tuple):  # pragma: no cover - a scalar reader gives no tuple
            raise TypeError
        found.append(one)
    if len({(type(one), one) for one in found}) != len(found):
        msg = "names a value twice"
        raise ValueError(msg)
    return tuple(found)


def _read_text(value: object) -> Wanted:
    if not isinstance(value, str) or not 0 < len(value) <= VALUE_CHARS_MAX:
        msg = f"wants a text of 1 to {VALUE_CHARS_MAX} characters, not {value!r:.40}"
        raise ValueError(msg)
    return value


def _read_pattern(value: object) -> Wanted:
    if not isinstance(value, str) or not 0 < len(value) <= PATTERN_CHARS_MAX:
        msg = f"wants a pattern of 1 to {PATTERN_CHARS_MAX} characters"
        raise ValueError(msg)
    try:
        compile_pattern(value)
    except PatternError as error:
        msg = f"has a pattern that RE2 refuses: {error}"
        raise ValueError(msg) from None
    return value


def _read_integer(value: object) -> Wanted:
    if type(value) is not int:
        msg = f"wants an integer, not {value!r:.40}"
        raise ValueError(msg)
    return value


def _read_age(value: object) -> Wanted:
    if type(value) is not int or value < 0:
        msg = f"wants seconds, an integer from 0, not {value!r:.40}"
        raise ValueError(msg)
    return value


def _read_ends(value: object) -> Wanted:
    is_pair = isinstance(value, list) and len(value) == _BETWEEN_ENDS
    if not isinstance(value, list) or not is_pair or any(type(end) is not int for end in value):
        msg = f"wants [low, high], two integers, not {value!r:.40}"
        raise ValueError(msg)
    if value[0] > value[1]:
        msg = f"has its low end {value[0]} above its high end {value[1]}"
        raise ValueError(msg)
    return (value[0], value[1])


def _read_networks(value: object) -> Wanted:
    several: list[object] = value if isinstance(value, list) else [value]
    if not 0 < len(several) <= VALUES_MAX:
        msg = f"wants 1 to {VALUES_MAX} networks"
        raise ValueError(msg)
    for one in several:
        if not isinstance(one, str):
            msg = f"wants a network such as 10.0.0.0/8, not {one!r:.40}"
            raise ValueError(msg)  # noqa: TRY004 - every reader refuses with ValueError
        try:
            ipaddress.ip_network(one)
        except ValueError as error:
            msg = f"wants a network: {error}"
            raise ValueError(msg) from None
    return tuple(str(one) for one in several) if isinstance(value, list) else str(value)


def _read_version(value: object) -> Wanted:
    if not isinstance(value, str) or not is_version(value):
        msg = f"wants a version, not {value!r:.40}"
        raise ValueError(msg)
    return value


def _read_field_name(value: object) -> Wanted:
    if not isinstance(value, str) or not _FIELD.fullmatch(value):
        msg = f"wants another field's name, not {value!r:.40}"
        raise ValueError(msg)
    return value


def _read_boolean(value: object) -> Wanted:
    if not isinstance(value, bool):
        msg = f"wants true, false or no value, not {value!r:.40}"
        raise ValueError(msg)  # noqa: TRY004 - every reader refuses with ValueError
    return value


_READERS: dict[Operator, Callable[[object], Wanted]] = {
    Operator.EQ: _read_scalar,
    Operator.NE: _read_scalar,
    Operator.IN: _read_list,
    Operator.NOT_IN: _read_list,
    Operator.EXISTS: _read_boolean,
    Operator.MISSING: _read_boolean,
    Operator.CONTAINS: _read_text,
    Operator.ICONTAINS: _read_text,
    Operator.STARTSWITH: _read_text,
    Operator.ENDSWITH: _read_text,
    Operator.REGEX: _read_pattern,
    Operator.GT: _read_integer,
    Operator.GTE: _read_integer,
    Operator.LT: _read_integer,
    Operator.LTE: _read_integer,
    Operator.BETWEEN: _read_ends,
    Operator.CIDR: _read_networks,
    Operator.VERSION_LT: _read_version,
    Operator.VERSION_GTE: _read_version,
    Operator.AGE_GT: _read_age,
    Operator.FIELD_EQ: _read_field_name,
}

"""What a person is asked for when they draft an order: one field a parameter, read in one way.

The desk's options and the console's forms are both made from an order type's own schema, so a new
type needs no form of its own. What was typed becomes JSON values here; the schema then judges them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from proto.errors import MalformedError
from proto.order_words import LABELS
from proto.orders.kinds import DAY_S, OrderKind

TYPED_CHARS_MAX: Final = 16 * 1024

DayEnd = Callable[[str], int | None]
"""The last second of a day written 2026-12-31, where the person is; None for any other text."""

HINTS: Final = MappingProxyType(
    {
        "check": 'a check\'s id, or "all" for every one',
        "checks": 'ids of checks with commas between, or "all"',
        "content_sha256": "SHA-256 of a file of the signed content, 64 hex digits",
        "drain_s": "seconds, 0 to 900",
        "flake_sha256": "SHA-256 of a file of the signed content, 64 hex digits",
        "incident": "i-..., an open incident of this appliance",
        "lines": "1 to 500",
        "lock_sha256": "SHA-256 of a file of the signed content, 64 hex digits",
        "minutes": "1 to 1440; then it ends by itself",
        "on": 'ids of targets (t-...) with commas between, or "all"',
        "order": "the waiting order's name (sid), 64 hex digits",
        "params": "name=value; true, false and whole numbers are taken as such unless quoted",
        "rule": "the promoted rule's id",
        "runbook": "the runbook's id, rb....",
        "sealed_sha256": "SHA-256 of the sealed login, 64 hex digits",
        "sealed_to": "SHA-256 of the appliance's sealing key, which you confirmed",
        "since_s": "seconds back from now, 1 to 86400",
        "target": "t-..., the target's id",
        "until": "2026-12-31 for the end of that day, or +30d",
        "version": "as 1.4.2; the file's digest decides",
    }
)
_END: Final = ", or now to end what there is"
_IN_DAYS: Final = re.compile(r"\+([1-9][0-9]{0,2})d")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,15})")
_WORDS: Final = MappingProxyType({"true": True, "false": False})


class Form(StrEnum):
    """How a field is typed."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    LIST = "list"
    DATE = "date"
    PAIRS = "pairs"


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is asked for.

    Attributes:
        hint: what may be typed; "" where `choices` says it.
        choices: the closed list of a choice.
    """

    name: str
    label: str
    form: Form
    hint: str
    choices: tuple[str, ...] = ()


def fields_of(kind: OrderKind) -> tuple[Field, ...]:
    """Return what a person is asked for, in the schema's order."""
    schema = kind.params.model_json_schema()
    return tuple(
        _field(name, member, schema) for name, member in schema.get("properties", {}).items()
    )


def _field(name: str, member: Mapping[str, Any], schema: Mapping[str, Any]) -> Field:
    if "$ref" in member:
        member = schema["$defs"][member["$ref"].rpartition("/")[2]]
    label = LABELS.get(name, "With values")
    hint = HINTS.get(name, "")
    if name == "until":
        return Field(name, label, Form.DATE, hint + (_END if not member.get("minimum") else ""))
    if "enum" in member:
        return Field(name, label, Form.CHOICE, "", tuple(member["enum"]))
    if member.get("type") == "integer":
        return Field(name, label, Form.NUMBER, hint)
    if member.get("type") == "object":
        return Field(name, label, Form.PAIRS, hint)
    is_list = any(one.get("type") == "array" for one in member.get("anyOf", ()))
    return Field(name, label, Form.LIST if is_list else Form.TEXT, hint)


def read_typed(
    kind: OrderKind, typed: Mapping[str, str], *, now_s: int, day_end: DayEnd
) -> dict[str, Any]:
    """Return parameters from what was typed.

    Args:
        kind: the order type.
        typed: a field's name -> what was typed; pairs are lines of name=value.
        now_s: the person's now, for times that are said from now on.
        day_end: reads a date where the person is.

    Raises:
        MalformedError: a field is missing, unknown, or is not what it must be; it names the field.
    """
    known = {field.name: field for field in fields_of(kind)}
    if stray := sorted(set(typed) - set(known)):
        msg = f"{kind.name}: has no {stray[0]!a:.40}"
        raise MalformedError(msg)
    values: dict[str, Any] = {}
    for name, field in known.items():
        text = typed.get(name, "").strip()
        if len(text) > TYPED_CHARS_MAX:
            msg = f"{field.label}: too long"
            raise MalformedError(msg)
        if not text and field.form is not Form.PAIRS:
            msg = f"{field.label}: is needed ({field.hint or ', '.join(field.choices)})"
            raise MalformedError(msg)
        values[name] = _value(field, text, now_s=now_s, day_end=day_end)
    try:
        return kind.params.from_value(values, "params").to_value()
    except MalformedError as error:
        raise _in_words(error, known, typed) from None


def _in_words(
    error: MalformedError, known: Mapping[str, Field], typed: Mapping[str, str]
) -> MalformedError:
    """Return what is wrong with a field, as whoever typed it knows it."""
    _, _, inner = str(error).partition(":")[0].partition(".")
    name = inner.partition(".")[0]
    field = known.get(name)
    if field is None:
        return error
    wanted = field.hint or ", ".join(field.choices)
    msg = f"{field.label}: {typed.get(name, '')!a:.60} is not what it must be ({wanted})"
    return MalformedError(msg)


def _value(field: Field, text: str, *, now_s: int, day_end: DayEnd) -> Any:  # noqa: ANN401 - JSON
    match field.form:
        case Form.NUMBER:
            return _whole(field, text)
        case Form.LIST:
            parts = [part.strip() for part in text.split(",")]
            return "all" if text == "all" else [part for part in parts if part]
        case Form.DATE:
            return _until(field, text, now_s=now_s, day_end=day_end)
        case Form.PAIRS:
            return _pairs(field, text)
    return text


def _whole(field: Field, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        msg = f"{field.label}: {text!a:.40} is not a whole number"
        raise MalformedError(msg)
    return int(text)


def _until(field: Field, text: str, *, now_s: int, day_end: DayEnd) -> int:
    if text == "now":
        return 0
    if found := _IN_DAYS.fullmatch(text):
        return now_s + int(found[1]) * DAY_S
    end = day_end(text)
    if end is None:
        msg = f"{field.label}: {text!a:.40} is not a day ({field.hint})"
        raise MalformedError(msg)
    return end


def _pairs(field: Field, text: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, is_said, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if not is_said or name in made:
            why = "stands there twice" if is_said else "is not name=value"
            msg = f"{field.label}: {line!a:.60} {why}"
            raise MalformedError(msg)
        made[name] = _plain(value)
    return made


def _plain(text: str) -> bool | int | str:
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return int(text)
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return text[1:-1] if is_quoted else text

"""Judging: what a probe's answer means, and what a repair's scripts said.

In this order, and no other: an exit status other than 0 is unknown (probe_failed); standard output
that is not exactly one strict-JSON object of at most 64 KiB, or that does not fit the check's
answer, is unknown (bad_answer); `applies` false is not_applicable; `judge` true is compliant; all
else is drifted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from proto import strict_json
from proto.catalog.model import AnswerField, Check, FieldKind
from proto.catalog.params import VARIABLES_MAX, name_problem
from proto.conditions import holds
from proto.errors import MalformedError
from proto.findings import Reason, Scalar, Verdict
from proto.inventory import Facts, as_fields

ANSWER_BYTES_MAX = 64 * 1024
"""The most bytes a script may print; one more is too much, never a shorter answer."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer meant.

    Attributes:
        reason: why the verdict is unknown; None for every other verdict.
        answer: the whole answer; empty when unknown. It stays on the appliance.
        seen: the reported fields of the answer, which may leave the site.
        detail: for unknown: what was wrong with the answer, without showing any of it.
    """

    verdict: Verdict
    reason: Reason | None
    answer: Mapping[str, Scalar]
    seen: Mapping[str, Scalar]
    detail: str = ""


def unknown(reason: Reason, detail: str = "") -> Judgement:
    """Return the judgement of an answer that could not be had or read."""
    empty: Mapping[str, Scalar] = MappingProxyType({})
    return Judgement(Verdict.UNKNOWN, reason, empty, empty, detail)


def judge(check: Check, *, exit_status: int, stdout: bytes, facts: Facts) -> Judgement:
    """Judge what a probe's script printed."""
    if exit_status != 0:
        return unknown(Reason.PROBE_FAILED, f"the probe ended with status {exit_status}")
    try:
        answer = _object(stdout)
    except MalformedError as error:
        return unknown(Reason.BAD_ANSWER, str(error))
    return judge_answer(check, answer, facts=facts)


def judge_answer(check: Check, answer: Mapping[str, object], *, facts: Facts) -> Judgement:
    """Judge an answer that the appliance put together itself (inventory, TLS)."""
    return judge_fields(check, answer, facts=as_fields(facts))


def judge_fields(
    check: Check, answer: Mapping[str, object], *, facts: Mapping[str, Scalar]
) -> Judgement:
    """Judge an answer with facts by their condition names; what examples are run with."""
    try:
        fitting = fit(check, answer)
    except MalformedError as error:
        return unknown(Reason.BAD_ANSWER, str(error))
    fields: dict[str, object] = {**facts, **fitting}
    if not holds(check.applies, fields):
        verdict = Verdict.NOT_APPLICABLE
    elif holds(check.judge, fields):
        verdict = Verdict.COMPLIANT
    else:
        verdict = Verdict.DRIFTED
    seen = {name: fitting[name] for name in check.reported}
    return Judgement(verdict, None, MappingProxyType(fitting), MappingProxyType(seen))


def fit(check: Check, answer: Mapping[str, object]) -> dict[str, Scalar]:
    """Return an answer that has exactly the check's fields, each within its bounds.

    Raises:
        MalformedError: naming the field, never showing its value.
    """
    for name in answer:
        if name not in check.answer:
            msg = f"{check.id}: the answer has an unknown field {name!a:.40}"
            raise MalformedError(msg)
    fitting: dict[str, Scalar] = {}
    for name, field in check.answer.items():
        if name not in answer:
            msg = f"{check.id}: the answer lacks the field {name}"
            raise MalformedError(msg)
        fitting[name] = fit_field(field, answer[name], f"{check.id}: the answer's field {name}")
    return fitting


def fit_field(field: AnswerField, value: object, where: str) -> Scalar:
    """Return a value that a field can hold.

    Raises:
        MalformedError: beginning with `where`, never showing the value.
    """
    if not isinstance(value, bool | int | str) or not _is_within(field, value):
        msg = f"{where} is not of type {field.kind} within its bounds"
        raise MalformedError(msg)
    return value


def _is_within(field: AnswerField, value: Scalar) -> bool:
    if field.kind is FieldKind.BOOL:
        return isinstance(value, bool)
    if field.kind is FieldKind.INT:
        return type(value) is int and field.low <= value <= field.high
    if not isinstance(value, str):
        return False
    if field.kind is FieldKind.ENUM:
        return value in field.values
    return len(value) <= field.chars_max


def read_captured(*, exit_status: int, stdout: bytes) -> Mapping[str, Scalar]:
    """Read what a runbook's capture printed: one object whose members become variables of undo.

    Raises:
        MalformedError: a status other than 0, or an answer that is not such an object. The message
            names members, never values.
    """
    _require_success(exit_status, "capture")
    captured: dict[str, Scalar] = {}
    for name, value in _object(stdout).items():
        problem = name_problem(name)
        if problem is not None:
            msg = f"capture: a captured value's name: {problem}"
            raise MalformedError(msg)
        if not isinstance(value, bool | int | str) or (isinstance(value, str) and "\0" in value):
            msg = f"capture: {name} must be true, false, an integer or text"
            raise MalformedError(msg)
        captured[name] = value
    if len(captured) > VARIABLES_MAX:
        msg = f"capture: {len(captured)} values, at most {VARIABLES_MAX} are allowed"
        raise MalformedError(msg)
    return MappingProxyType(captured)


def read_changed(*, exit_status: int, stdout: bytes) -> bool:
    """Read what a step or an undo printed: exactly {"changed": true or false}.

    Raises:
        MalformedError: any other status or answer, which fails the step.
    """
    _require_success(exit_status, "step")
    answer = _object(stdout)
    changed = answer.get("changed")
    if set(answer) != {"changed"} or not isinstance(changed, bool):
        msg = 'step: the answer is not exactly {"changed": true or false}'
        raise MalformedError(msg)
    return changed


def _require_success(exit_status: int, what: str) -> None:
    if exit_status != 0:
        msg = f"{what}: the script ended with status {exit_status}"
        raise MalformedError(msg)


def _object(stdout: bytes) -> dict[str, strict_json.Json]:
    value = strict_json.loads(stdout, size_bytes_max=ANSWER_BYTES_MAX, where="answer")
    if not isinstance(value, dict):
        msg = "answer: not an object"
        raise MalformedError(msg)
    return value

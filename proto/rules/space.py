"""The answers of a check, by representatives: what the gate proves things about rules with.

Conditions can tell values apart only where they name them. So a field that no condition reads has
one representative, a bool and an enum have all their values, and an integer has its bounds and the
numbers around every number that some condition names. Over the product of these the gate sees every
case that there is: which verdicts are possible, which incidents can open, which rules match them.

Text fields and facts have the texts that conditions and examples name, those with a character
before or after, and one that nobody named; that is exact for equality and a good sample for the
rest. A product beyond `POINTS_MAX` is refused, because nothing could be proved about it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from proto.catalog.model import AnswerField, Check, FieldKind, Rule
from proto.conditions import Comparison, Operator, comparisons
from proto.findings import Scalar, Verdict
from proto.inventory import FACT_NAMES, DeviceClass
from proto.judge import judge_fields
from proto.rules.matcher import SCOPE_FIELDS

POINTS_MAX = 20_000

OTHER_TEXT = "~osiris-other~"
"""A text that no condition names."""

SAMPLE_FACTS: Mapping[str, Scalar] = {
    "target.id": "t-aaaaaaaaaa",
    "target.platform": "linux",
    "target.os": "debian",
    "target.os_version": "12",
    "target.class": "server",
    "target.login": "osiris",
    "target.address": "192.0.2.10",
    "appliance.id": "a-aaaaaaaaaa",
    "appliance.address": "192.0.2.2",
    "site.admin_networks": "192.0.2.0/24",
    "site.ntp_servers": "192.0.2.1",
    "site.time_zone": "America/New_York",
}
"""The facts that examples are judged with, where they do not say others."""

_ORDERED = {
    Operator.EQ,
    Operator.NE,
    Operator.IN,
    Operator.NOT_IN,
    Operator.GT,
    Operator.GTE,
    Operator.LT,
    Operator.LTE,
    Operator.BETWEEN,
}

Point = Mapping[str, Scalar]


class SpaceTooLargeError(ValueError):
    """The answers of a check have too many representatives; the message says how many."""


@dataclass(frozen=True, slots=True)
class Space:
    """What a check can answer.

    Attributes:
        verdicts: the verdicts that some answer gets; never unknown.
        incidents: the fields of the incidents that drifted answers open.
        others: the same fields for answers that are not drifted.
    """

    verdicts: frozenset[Verdict]
    incidents: tuple[Point, ...]
    others: tuple[Point, ...]


def _named(tests: Iterable[Comparison], field: str) -> list[Comparison]:
    return [test for test in tests if test.field == field]


def _values(tests: Iterable[Comparison]) -> list[Scalar]:
    found: list[Scalar] = []
    for test in tests:
        if test.operator is not Operator.FIELD_EQ:
            found += test.value if isinstance(test.value, tuple) else (test.value,)
    return found


def _integers(low: int, high: int, tests: list[Comparison]) -> tuple[Scalar, ...]:
    points = {low, high, min(low + 1, high)}
    for value in _values(test for test in tests if test.operator in _ORDERED):
        if type(value) is int:
            points |= {value - 1, value, value + 1}
    return tuple(sorted(point for point in points if low <= point <= high))


def _texts(tests: list[Comparison], *, also: Iterable[Scalar] = ()) -> tuple[str, ...]:
    found: dict[str, None] = {OTHER_TEXT: None}
    for value in [*_values(tests), *also]:
        if isinstance(value, str):
            found.update(dict.fromkeys((value, f"{value}x", f"x{value}")))
    return tuple(found)


def values_of(
    field: AnswerField, tests: list[Comparison], *, also: Iterable[Scalar] = ()
) -> tuple[Scalar, ...]:
    """Return representatives of a field's values, enough to tell these comparisons apart."""
    if field.kind is FieldKind.BOOL:
        return (False, True)
    if field.kind is FieldKind.ENUM:
        return field.values
    if field.kind is FieldKind.INT:
        return _integers(field.low, field.high, tests)
    texts = _texts(tests, also=also)
    return tuple(text for text in texts if len(text) <= field.chars_max) or ("",)


def context_values(rule_tests: list[Comparison], rules: Iterable[Rule]) -> dict[str, list[Scalar]]:
    """Return, for site, target and org, the ids that rules name and one that they do not."""
    found: dict[str, list[Scalar]] = {}
    for kind, name in SCOPE_FIELDS.items():
        named = _values(_named(rule_tests, name))
        named += [rule.scope.id for rule in rules if rule.scope.kind is kind]
        found[name] = list(dict.fromkeys([*named, OTHER_TEXT]))
    return found


def space_of(check: Check, rules: Iterable[Rule]) -> Space:
    """Enumerate what a check can answer and which incidents its rules can meet.

    Raises:
        SpaceTooLargeError: more than `POINTS_MAX` representatives.
    """
    rules = list(rules)
    rule_tests = [test for rule in rules for test in comparisons(rule.conditions)]
    verdicts: set[Verdict] = set()
    drifted: dict[str, Point] = {}
    others: dict[str, Point] = {}
    for answer, facts in _answers(check, rule_tests):
        judged = judge_fields(check, answer, facts=facts)
        verdicts.add(judged.verdict)
        seen = {f"seen.{name}": value for name, value in judged.seen.items()}
        kept = drifted if judged.verdict is Verdict.DRIFTED else others
        kept.setdefault(repr(seen), seen)
    context = context_values(rule_tests, rules)
    if len(drifted) * prod(map(len, context.values())) > POINTS_MAX:
        msg = "the rules name too many sites and targets"
        raise SpaceTooLargeError(msg)
    return Space(
        frozenset(verdicts),
        tuple(_incidents(check, drifted.values(), context)),
        tuple(_incidents(check, others.values(), context)),
    )


def _answers(
    check: Check, rule_tests: list[Comparison]
) -> Iterator[tuple[dict[str, Scalar], dict[str, Scalar]]]:
    own_tests = [*comparisons(check.applies), *comparisons(check.judge)]
    related = {str(test.value) for test in own_tests if test.operator is Operator.FIELD_EQ}
    related |= {str(test.value) for test in rule_tests if test.operator is Operator.FIELD_EQ}
    dimensions: dict[str, tuple[Scalar, ...]] = {}
    for name, field in check.answer.items():
        tests = _named(own_tests, name) + _named(rule_tests, f"seen.{name}")
        shown = [one.answer[name] for one in check.examples if name in one.answer]
        every = values_of(field, tests, also=shown)
        is_read = tests or {name, f"seen.{name}"} & related
        dimensions[name] = every if is_read else every[:1]
    for name in FACT_NAMES:
        tests = _named(own_tests, name)
        if tests:
            shown = [SAMPLE_FACTS[name], *(one.facts.get(name, "") for one in check.examples)]
            dimensions[name] = _fact_values(name, tests, shown)
    size = prod(map(len, dimensions.values()))
    if size > POINTS_MAX:
        msg = f"its answers have {size} different cases, at most {POINTS_MAX} can be proved"
        raise SpaceTooLargeError(msg)
    for values in product(*dimensions.values()):
        point = dict(zip(dimensions, values, strict=True))
        answer = {name: point[name] for name in check.answer}
        facts = {name: point.get(name, SAMPLE_FACTS[name]) for name in FACT_NAMES}
        yield answer, facts


def _fact_values(name: str, tests: list[Comparison], shown: list[Scalar]) -> tuple[Scalar, ...]:
    if name == "target.class":
        return tuple(one.value for one in DeviceClass)
    return _texts(tests, also=shown)


def _incidents(
    check: Check, seen: Iterable[Point], context: Mapping[str, list[Scalar]]
) -> Iterator[Point]:
    for one in seen:
        for values in product(*context.values()):
            yield {
                "check": check.id,
                "platform": check.platform.value,
                "severity": check.severity.value,
                **one,
                **dict(zip(context, values, strict=True)),
            }

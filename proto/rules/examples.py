"""Rules tried out: the tests in their files, and a near miss for every comparison.

A near miss is made by mutation: two incidents that differ in nothing but the comparison's field, of
which the rule matches one and not the other, and both times because of this very comparison: were
it always true, or never, the rule would come out otherwise. A comparison for which none is found
near the rule's tests has no effect that anybody showed, and is reported: either it is not needed or
a test is missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from proto.catalog.model import Check, Content, Rule, RuleTest
from proto.catalog.reader import Problem, Problems
from proto.conditions import ALWAYS, NEVER, Group, comparisons, holds, placed
from proto.errors import MalformedError
from proto.findings import Scalar
from proto.judge import fit_field
from proto.rules.fields import rule_fields_of
from proto.rules.matcher import SCOPE_FIELDS, decide, matches
from proto.rules.space import OTHER_TEXT, context_values, values_of

NEIGHBOURS_MAX = 2000


@dataclass(frozen=True, slots=True)
class RuleTests:
    """What trying out the rules gave.

    Attributes:
        tests: how many tests of files were run.
        near_misses: how many comparisons have a near miss.
        problems: one line each, `file:line: what`; empty when all is well.
    """

    tests: int
    near_misses: int
    problems: tuple[str, ...]


def run_rule_tests(content: Content) -> RuleTests:
    """Run every rule's tests against the whole set, and find a near miss for every comparison."""
    problems = Problems()
    tests = near_misses = 0
    for rule in content.rules.values():
        check_tests(content, rule, problems)
        tests += len(rule.tests)
        near_misses += _check_near_misses(content, rule, problems)
    shown = tuple(str(problem) for problem in sorted(set(problems.found)))
    return RuleTests(tests, near_misses, shown)


def incident_of(content: Content, rule: Rule, test: RuleTest) -> dict[str, Scalar]:
    """Return a test's incident with what its check and the rule's scope add to it."""
    fields: dict[str, Scalar] = {"site": "s-aaaaaaaaaa", "target": "t-aaaaaaaaaa"}
    scope_field = SCOPE_FIELDS.get(rule.scope.kind)
    if scope_field is not None:
        fields[scope_field] = rule.scope.id
    check = content.checks.get(str(test.incident["check"]))
    if check is not None:
        fields["platform"] = check.platform.value
        fields["severity"] = check.severity.value
    return {**fields, **test.incident}


def check_tests(content: Content, rule: Rule, problems: Problems) -> None:
    """Note every test of a rule that does not come out as it says."""
    for test in rule.tests:
        what = _incident_problem(content, test) or _test_problem(content, rule, test)
        if what is not None:
            problems.add(rule.source.file, test.line, what)
    if all(test.expect == "none" for test in rule.tests):
        what = "no test shows the rule acting"
        problems.add(rule.source.file, rule.source.line("tests"), what)


def _incident_problem(content: Content, test: RuleTest) -> str | None:
    check = content.checks.get(str(test.incident["check"]))
    if check is None:
        return f"the incident's check {test.incident['check']!r:.60} does not exist"
    known = rule_fields_of(check)
    for name, value in test.incident.items():
        if name not in known:
            return f"the incident has {name}, which {check.id} does not report"
        try:
            fit_field(known[name], value, name)
        except MalformedError as error:
            return f"the incident: {error}"
    return None


def _test_problem(content: Content, rule: Rule, test: RuleTest) -> str | None:
    fields = incident_of(content, rule, test)
    outcome = rule.runbook_id or rule.action.value
    if test.expect == "none":
        return f"expects none, but {rule.id} matches" if matches(rule, fields) else None
    if test.expect != outcome:
        return f"expects {test.expect}, but the rule's action is {outcome}"
    decision = decide(content.rules, fields)
    if decision.winner is None:
        return f"expects {test.expect}, but no rule matches"
    if decision.winner.id != rule.id:
        return f"expects {test.expect}, but {decision.winner.id} acts first"
    return None


def _check_near_misses(content: Content, rule: Rule, problems: Problems) -> int:
    check = content.checks[rule.check]
    values = _values_by_field(content, check, rule)
    near: list[dict[str, Scalar]] = []
    for test in rule.tests:
        start = incident_of(content, rule, test)
        near += [start, *_mutants(start, values)]
    found = 0
    for path, comparison in placed(rule.conditions):
        if _has_near_miss(rule, path, near[:NEIGHBOURS_MAX], values):
            found += 1
        else:
            shown = f"{comparison.field} {comparison.operator}"
            what = f"no near miss: {shown} makes no difference to the tests"
            line = rule.source.line("conditions", *path)
            problems.found.append(Problem(rule.source.file, line, what))
    return found


def _values_by_field(content: Content, check: Check, rule: Rule) -> dict[str, list[Scalar]]:
    tests = list(comparisons(rule.conditions))
    values: dict[str, list[Scalar]] = {}
    for name, field in rule_fields_of(check).items():
        named = [test for test in tests if test.field == name]
        values[name] = list(values_of(field, named))
    values.update(context_values(tests, [rule]))
    others = [name for name in content.checks if name != check.id][:1]
    values["check"] = [check.id, *(others or [OTHER_TEXT])]
    return values


def _mutants(
    fields: dict[str, Scalar], values: dict[str, list[Scalar]]
) -> Iterator[dict[str, Scalar]]:
    for name, every in values.items():
        for value in every:
            if fields.get(name) != value or type(fields.get(name)) is not type(value):
                yield {**fields, name: value}
        if name in fields:
            yield {other: value for other, value in fields.items() if other != name}


def _has_near_miss(
    rule: Rule,
    path: tuple[str | int, ...],
    near: list[dict[str, Scalar]],
    values: dict[str, list[Scalar]],
) -> bool:
    comparison = dict(placed(rule.conditions))[path]
    always = replace(rule, conditions=_put(rule.conditions, path, ALWAYS))
    never = replace(rule, conditions=_put(rule.conditions, path, NEVER))

    def decides(fields: dict[str, Scalar]) -> bool:
        return matches(always, fields) != matches(never, fields)

    alone = {comparison.field: values[comparison.field]}
    return any(
        holds(comparison, fields) != holds(comparison, mutant) and decides(mutant)
        for fields in near
        if decides(fields)
        for mutant in _mutants(fields, alone)
    )


def _put(group: Group, path: tuple[str | int, ...], constant: Group) -> Group:
    """Return conditions with the comparison at a path replaced."""
    index = path[0]
    members = list(group.members)
    old = members[int(index)]
    members[int(index)] = _put(old, path[2:], constant) if isinstance(old, Group) else constant
    return Group(group.kind, tuple(members))

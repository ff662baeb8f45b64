"""The gate that a whole set must pass before anything in it may act.

Refused, with file and line:

- a condition that reads a field its check does not have (for rules: does not report), a value the
  field never holds, an operator that does not fit;
- an example that gets another verdict than it says; a verdict that is possible and has no example;
  a judge that can never be compliant or never drifted;
- a rule whose test disagrees with what the whole set decides, or that no test shows acting;
- a rule that is contradictory, unreachable, a duplicate, shadowed by the rules before it, or in
  conflict with one of the same rank (reported by pair of runbooks);
- contrary writes and heal loops (`proto.rules.loops`).
"""

from proto.catalog.model import Check, Content, ProbeKind, Rule
from proto.catalog.reader import Problems
from proto.conditions.model import ALWAYS
from proto.findings import Verdict
from proto.judge import judge_fields
from proto.rules.examples import check_tests
from proto.rules.fields import FACT_FIELDS, check_fields, judge_fields_of, rule_fields_of
from proto.rules.loops import check_writes
from proto.rules.matcher import matches, rank
from proto.rules.space import SAMPLE_FACTS, Space, SpaceTooLargeError, space_of


def lint(content: Content, problems: Problems) -> None:
    """Note everything that conditions, examples and writes show to be wrong.

    Args:
        content: a set whose references hold (`proto.catalog.references`).
        problems: where they are noted.
    """
    for check in content.checks.values():
        _check_conditions(content, check, problems)
    for runbook in content.runbooks.values():
        check_fields(
            runbook.requires, FACT_FIELDS, source=runbook.source, key="requires", problems=problems
        )
    if problems.found:
        return  # what follows evaluates conditions and would only repeat the same in other words
    for check in content.checks.values():
        _check_one(content, check, problems)
    for rule in content.rules.values():
        check_tests(content, rule, problems)
    check_writes(content, problems)


def _rules_of(content: Content, check: Check) -> list[Rule]:
    return [rule for rule in content.rules.values() if rule.check == check.id]


def _check_conditions(content: Content, check: Check, problems: Problems) -> None:
    own = judge_fields_of(check)
    for key, conditions in (("applies", check.applies), ("judge", check.judge)):
        check_fields(conditions, own, source=check.source, key=key, problems=problems)
    visible = rule_fields_of(check)
    for rule in _rules_of(content, check):
        check_fields(
            rule.conditions, visible, source=rule.source, key="conditions", problems=problems
        )


def _check_one(content: Content, check: Check, problems: Problems) -> None:
    _check_examples(check, problems)
    rules = _rules_of(content, check)
    try:
        space = space_of(check, rules)
    except SpaceTooLargeError as error:
        problems.add(check.source.file, check.source.line("answer"), f"{check.id}: {error}")
        return
    _check_verdicts(check, space, problems)
    _check_order(rules, space, problems)


def _check_examples(check: Check, problems: Problems) -> None:
    for example in check.examples:
        judged = judge_fields(check, example.answer, facts={**SAMPLE_FACTS, **example.facts})
        if judged.verdict is not example.verdict:
            detail = f" ({judged.detail})" if judged.detail else ""
            what = f"the example says {example.verdict}, judging says {judged.verdict}{detail}"
            problems.add(check.source.file, example.line, what)


def _check_verdicts(check: Check, space: Space, problems: Problems) -> None:
    source = check.source
    if Verdict.COMPLIANT not in space.verdicts:
        problems.add(source.file, source.line("judge"), "no answer can be compliant")
    if Verdict.DRIFTED not in space.verdicts:
        problems.add(source.file, source.line("judge"), "no answer can be drifted")
    if check.applies != ALWAYS and Verdict.NOT_APPLICABLE not in space.verdicts:
        problems.add(source.file, source.line("applies"), "applies is true of every answer")
    wanted = set(space.verdicts)
    if check.probe.kind is ProbeKind.SH:
        wanted.add(Verdict.UNKNOWN)
    for verdict in sorted(wanted - {example.verdict for example in check.examples}):
        problems.add(source.file, source.line("examples"), f"no example is {verdict}")


def _check_order(rules: list[Rule], space: Space, problems: Problems) -> None:
    """Note rules that can never act, or whose turn is decided by nothing but their ids."""
    matched: list[tuple[Rule, frozenset[int]]] = []
    covered: set[int] = set()
    conflicts: set[tuple[str, str]] = set()
    for rule in rules:
        own = frozenset(
            index for index, point in enumerate(space.incidents) if matches(rule, point)
        )
        what = _why_never(rule, own, matched, covered, space)
        if what is not None:
            problems.add(rule.source.file, rule.source.line("conditions"), what)
        for other, others in matched:
            pair = (_outcome(other), _outcome(rule))
            if own & others and _is_conflict(other, rule) and pair not in conflicts:
                conflicts.add(pair)
                what = f"conflict with {other.id}: same rank, {pair[0]} against {pair[1]}"
                problems.add(rule.source.file, rule.source.line("conditions"), what)
        matched.append((rule, own))
        covered |= own


def _why_never(
    rule: Rule,
    own: frozenset[int],
    before: list[tuple[Rule, frozenset[int]]],
    covered: set[int],
    space: Space,
) -> str | None:
    if not own:
        if any(matches(rule, point) for point in space.others):
            return "unreachable: it matches only answers that are not drifted"
        return "contradictory: it matches no answer that the check can give"
    for other, others in before:
        if others == own and _outcome(other) == _outcome(rule) and other.params == rule.params:
            return f"duplicate of {other.id}"
    if own <= covered:
        names = ", ".join(other.id for other, others in before if own & others)
        return f"shadowed by {names}: it can never act"
    return None


def _outcome(rule: Rule) -> str:
    return rule.runbook_id or rule.action.value


def _is_conflict(left: Rule, right: Rule) -> bool:
    is_same_outcome = _outcome(left) == _outcome(right) and left.params == right.params
    return rank(left)[:-1] == rank(right)[:-1] and not is_same_outcome

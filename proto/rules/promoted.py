"""Promoted rules: how their files are read, and what such a rule may do at all.

Desk, hub and appliance hold a promoted rule against one and the same limits, in the same words: a
rule that people may sign is one that an appliance takes up, as far as both have the same content.

- It runs a runbook, and is no guard; the runbook verifies its check, runs by itself, and disrupts a
  service at most.
- It does only what a release rule of the same check, or a plan that a person approved for it, does
  already: the same runbook with the same parameters.
- It comes after every release rule of its check.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from proto.catalog.l1 import read_rule
from proto.catalog.model import Action, Autonomy, Content, Disruption, Rule
from proto.catalog.reader import Problems, Reader
from proto.catalog.strict_yaml import parse_yaml
from proto.conditions.model import is_typed_equal
from proto.errors import MalformedError, RejectedError
from proto.findings import Scalar
from proto.order_codes import Code
from proto.release_keys import PROMOTED_PREFIX
from proto.rules.matcher import rank

Problem = tuple[Code, str]
PROMOTED_MAX: Final = 256
"""Rules that may be promoted at one time."""

TAME: Final = frozenset({Disruption.NONE, Disruption.SERVICE})


class NotPromotedError(RejectedError):
    """A file that holds no promoted rule of its name, or one whose id a release rule has."""

    code: ClassVar[str] = Code.RULE_NOT_PROMOTED.value


class WidensError(RejectedError):
    """A promoted rule that would do what nothing else does for its check."""

    code: ClassVar[str] = Code.RULE_WIDENS.value


class OutranksError(RejectedError):
    """A promoted rule that would act before a release rule."""

    code: ClassVar[str] = Code.RULE_OUTRANKS.value


_REFUSALS: Final[Mapping[Code, type[RejectedError]]] = {
    Code.RULE_WIDENS: WidensError,
    Code.RULE_OUTRANKS: OutranksError,
}


@dataclass(frozen=True, slots=True)
class Approved:
    """What a plan that a person approved did for a check."""

    check: str
    runbook: str
    params: Mapping[str, Scalar]


def promoted_rules(documents: Mapping[str, bytes]) -> Mapping[str, Rule]:
    """Return the promoted rules among some files by path, by hex SHA-256 of their bytes.

    Raises:
        RejectedError: one is no strict YAML.
        CatalogError: one is no rule.
    """
    found: dict[str, Rule] = {}
    problems = Problems()
    for path, data in documents.items():
        if path.startswith(PROMOTED_PREFIX):
            reader = Reader(parse_yaml(data, path), problems)
            found[hashlib.sha256(data).hexdigest()] = read_rule(reader)
    problems.refuse_if_any()
    return found


def digest_with(content: str, rules: Iterable[str]) -> str:
    """Return the name of a set of content with promoted rules beside it.

    Args:
        content: the digest of the set.
        rules: the hex SHA-256 of each rule's file; with none it is the set itself.
    """
    listed = sorted(rules)
    if not listed:
        return content
    return hashlib.sha256("\n".join((content, *listed)).encode("ascii")).hexdigest()


def path_of(rule: str) -> str:
    """Return the path of a promoted rule's file among the repository's targets."""
    return f"{PROMOTED_PREFIX}{rule}.yaml"


def require_promotable(files: Mapping[str, bytes], content: Content) -> None:
    """Return if every one of these files is a promoted rule that may act beside some content.

    Raises:
        RejectedError: one may not; the code is that with which an appliance refuses it.
        CatalogError: one is no rule.
    """
    if len(files) > PROMOTED_MAX:
        msg = f"promoted: {len(files)} rules, at most {PROMOTED_MAX} are allowed"
        raise MalformedError(msg)
    for path, data in files.items():
        for rule in promoted_rules({path: data}).values():
            if path != path_of(rule.id) or rule.id in content.rules:
                msg = f"{path}: {rule.id} is another name, or that of a release rule"
                raise NotPromotedError(msg)
            require_promoted(rule, content)


def require_promoted(rule: Rule, content: Content) -> None:
    """Return if a rule may act beside some content, or raise with the appliance's code."""
    problem = problem_of_promoted(rule, content)
    if problem is not None:
        code, why = problem
        raise _REFUSALS[code](why)


def problem_of_promoted(
    rule: Rule, content: Content, *, approved: Collection[Approved] = ()
) -> Problem | None:
    """Return why a promoted rule may not act beside some content, as a code and words, or None."""
    widens = _why_it_widens(rule, content, approved)
    if widens is not None:
        return Code.RULE_WIDENS, f"{rule.id}: {widens}"
    for other in content.rules_by_check.get(rule.check, ()):
        if not other.is_promoted and rank(rule) < rank(other):
            return Code.RULE_OUTRANKS, f"{rule.id} would act before {other.id}"
    return None


def _why_it_widens(rule: Rule, content: Content, approved: Collection[Approved]) -> str | None:
    if not rule.is_promoted or rule.is_guard or rule.action is not Action.EXECUTE_RUNBOOK:
        return "it is not a promoted rule that runs a runbook"
    runbook = content.runbooks.get(rule.runbook_id or "")
    if runbook is None or rule.check not in runbook.verify:
        return f"{rule.runbook_id} does not verify {rule.check}"
    if runbook.autonomy is not Autonomy.AUTO or runbook.disruption not in TAME:
        return f"{runbook.id} does not run by itself without harm"
    if not _is_fired(rule, content, approved):
        return f"nothing else fires {runbook.id} for {rule.check} with these parameters"
    return None


def _is_fired(rule: Rule, content: Content, approved: Collection[Approved]) -> bool:
    by_rules = any(
        other.runbook_id == rule.runbook_id
        and not other.is_promoted
        and is_same(other.params, rule.params)
        for other in content.rules_by_check.get(rule.check, ())
    )
    by_plans = any(
        plan.runbook == rule.runbook_id
        and plan.check == rule.check
        and is_same(plan.params, rule.params)
        for plan in approved
    )
    return by_rules or by_plans


def is_same(left: Mapping[str, Scalar], right: Mapping[str, Scalar]) -> bool:
    """Tell whether two sets of parameters are the same: True is not 1."""
    return left.keys() == right.keys() and all(
        is_typed_equal(value, right[name]) for name, value in left.items()
    )
